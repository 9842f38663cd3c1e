//! `tarn serve` as a process of its own, killed when its handle goes.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use bench::machine::field_kib;

use crate::http;
use crate::setting::pause;

/// How long a server may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often it is asked.
const ROUND: Duration = Duration::from_millis(5);

/// A running server.
pub(crate) struct Server {
    process: Child,
    tarn: PathBuf,
    /// `host:port`.
    pub(crate) address: String,
    /// From the start of the process to its readiness.
    pub(crate) started_in: Duration,
    log: PathBuf,
}

impl Server {
    /// Starts a server on a data directory and waits until it is ready.
    pub(crate) fn start(tarn: &Path, data_dir: &Path) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let log = data_dir.with_extension("log");
        let output = File::create(&log)?;
        let began = Instant::now();
        let process = Command::new(tarn)
            .args(["serve", "--listen", &address, "--data-dir"])
            .arg(data_dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output)
            .spawn()
            .with_context(|| format!("failed to start `{}`", tarn.display()))?;
        let mut server =
            Self { process, tarn: tarn.to_owned(), address, started_in: Duration::ZERO, log };
        while !server.is_ready() {
            if let Some(status) = server.process.try_wait()? {
                bail!("the server ended with {status}: {}", server.said());
            }
            ensure!(began.elapsed() < PATIENCE, "the server did not get ready: {}", server.said());
            pause(ROUND);
        }
        server.started_in = began.elapsed();
        Ok(server)
    }

    fn is_ready(&self) -> bool {
        http::get(&self.address, "/readyz").is_ok_and(|(status, _)| status == 200)
    }

    /// The token that a new data directory's first server prints.
    pub(crate) fn token(&self) -> Result<String> {
        let said = self.said();
        let token = said.split_whitespace().find(|word| word.starts_with("tarn_"));
        token.map(str::to_owned).with_context(|| format!("the server printed no token: {said}"))
    }

    /// Runs a command of the CLI against it; answers what it printed.
    pub(crate) fn ask(&self, token: &str, arguments: &[&str]) -> Result<String> {
        let url = format!("http://{}", self.address);
        let ran = Command::new(&self.tarn)
            .args(arguments)
            .args(["--server", &url, "--token", token])
            .stdin(Stdio::null())
            .output()?;
        let problem = String::from_utf8_lossy(&ran.stderr);
        ensure!(ran.status.success(), "`tarn {}` failed: {problem}", arguments.join(" "));
        Ok(String::from_utf8(ran.stdout)?)
    }

    /// Rows of an SQL query.
    pub(crate) fn rows(&self, token: &str, sql: &str) -> Result<Vec<serde_json::Value>> {
        let request = serde_json::json!({"language": "sql", "query": sql}).to_string();
        let (status, body) = http::post(&self.address, "/api/v1/query", token, &request)?;
        ensure!(status == 200, "the query was answered {status}: {body}");
        let mut answer: serde_json::Value = serde_json::from_str(&body)?;
        serde_json::from_value(answer["rows"].take()).context("an answer without rows")
    }

    /// Its memory in bytes: resident now, and at most so far.
    pub(crate) fn memory(&self) -> Result<(u64, u64)> {
        let path = format!("/proc/{}/status", self.process.id());
        let status =
            std::fs::read_to_string(&path).with_context(|| format!("failed to read `{path}`"))?;
        let bytes = |name| {
            let found = field_kib(&status, name).map(|kib| kib * 1024);
            found.with_context(|| format!("`{path}` does not say {name}"))
        };
        Ok((bytes("VmRSS")?, bytes("VmHWM")?))
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
