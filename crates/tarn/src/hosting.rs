//! A server in this process: what `serve` and `demo` have in common.
//!
//! The address is taken and the data directory locked before anything else is opened, so that a
//! second server fails early and changes nothing.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use engine::app::App;
use metrics_exporter_prometheus::PrometheusBuilder;
use model::secret::Secret;
use tokio::net::TcpListener;
use tokio::sync::watch;
use url::Url;

use crate::commands::simulate::bind;
use crate::config::Config;
use crate::output;
use crate::shutdown;
use crate::wiring::{Local, Stay};

/// How long open requests may take after the server was asked to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// A server that is ready to start.
pub(crate) struct Host {
    local: Local,
    listener: TcpListener,
    address: SocketAddr,
    /// The first token, when it was made just now.
    pub(crate) token: Option<Secret>,
    stop: watch::Receiver<bool>,
    public_url: Option<String>,
}

impl Host {
    /// Listens, locks, opens; nothing is collected or answered yet.
    ///
    /// # Errors
    /// The address or the data directory is in use, or something cannot be opened.
    pub(crate) async fn open(config: &Config) -> Result<Self> {
        let listener = bind(&config.listen).await?;
        let address = listener.local_addr()?;
        let mut local = Local::owner(config, Stay::Server).await?;
        if let Some(lock) = &mut local.lock {
            lock.publish(&url(address))?;
        }
        let token = local.app.first_token().await?;
        if !address.ip().is_loopback() {
            output::note(format!(
                "warning: {address} can be reached from other machines, and HTTP here is not \
                 encrypted; put a TLS proxy in front"
            ));
        }
        let public_url = config.public_url.as_ref().map(Url::to_string);
        Ok(Self { local, listener, address, token, stop: stop_signal(), public_url })
    }

    /// Where the server is reached from this machine.
    pub(crate) fn url(&self) -> String {
        url(self.address)
    }

    /// The use cases.
    pub(crate) fn app(&self) -> &Arc<App> {
        &self.local.app
    }

    /// Completes when the process is asked to stop.
    pub(crate) fn stopping(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        wait(self.stop.clone())
    }

    /// Collects and answers until the process is asked to stop; then finishes what is under way.
    ///
    /// # Errors
    /// The catalog cannot be read, or the listener fails.
    pub(crate) async fn run(self) -> Result<()> {
        let Self { local, listener, stop, public_url, .. } = self;
        local.app.start().await?;
        let served = answer(listener, local.app.clone(), public_url, stop).await;
        local.close().await;
        served.context("the server failed")
    }
}

async fn answer(
    listener: TcpListener,
    app: Arc<App>,
    public_url: Option<String>,
    stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let mut server = std::pin::pin!(serve(listener, app, public_url, wait(stop.clone())));
    tokio::select! {
        served = &mut server => return served,
        () = wait(stop) => {}
    }
    tokio::time::timeout(DRAIN, server).await.unwrap_or_else(|_| {
        tracing::warn!("some requests did not end in time and were cut off");
        Ok(())
    })
}

async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    public_url: Option<String>,
    stopping: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let metrics = match PrometheusBuilder::new().install_recorder() {
        Ok(metrics) => Some(metrics),
        Err(error) => {
            tracing::warn!(%error, "/metrics shows no counters");
            None
        }
    };
    api::serve(listener, api::router(app, api::Settings { metrics, public_url }), stopping).await
}

/// Watches for the wish to stop; a second one ends the process at once.
fn stop_signal() -> watch::Receiver<bool> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        shutdown::asked().await;
        output::note("stopping; once more to end at once");
        stop.send_replace(true);
        shutdown::asked().await;
        end_at_once();
    });
    stopped
}

#[expect(clippy::exit, reason = "the second Ctrl-C; what was acknowledged is durable anyway")]
fn end_at_once() {
    std::process::exit(1);
}

async fn wait(mut stop: watch::Receiver<bool>) {
    // The sender lives as long as the process.
    drop(stop.wait_for(|stopping| *stopping).await);
}

fn url(address: SocketAddr) -> String {
    let host = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(host, address.port()))
}
