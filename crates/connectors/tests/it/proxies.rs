//! A connector's proxy: requests go through it with its login, and its failures say that they are its own.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use model::connector::{Credential, OneOrMany, Proxy, ProxyLogin, Settings};
use model::manifest::CredentialField;
use model::secret::Secret;
use model::vendor::Fault;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::servers::{Stub, simulator};
use crate::support::{Ledger, ask, cas, fetch, printed, settings};

/// A tiny proxy: notes the head of each request, and hands it on to where the request line says.
struct TinyProxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl TinyProxy {
    /// `login` is what the `Proxy-Authorization` header must say, if anything.
    async fn start(login: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = heads.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, login, kept.clone()));
            }
        });
        Self { address, heads }
    }

    fn setting(&self, login: Option<(&str, &str)>) -> Proxy {
        let login = login.map(|(user, password)| ProxyLogin {
            user: user.to_owned(),
            password: Secret::new(password),
        });
        Proxy { address: format!("http://{}", self.address), login }
    }
}

/// One request per connection, which is all that these tests need.
async fn serve(mut stream: TcpStream, login: Option<&str>, heads: Arc<Mutex<Vec<String>>>) {
    let mut request = vec![0; 8192];
    let Ok(count) = stream.read(&mut request).await else { return };
    let text = String::from_utf8_lossy(&request[..count]).into_owned();
    heads.lock().unwrap().push(text.clone());
    let is_welcome = login.is_none_or(|login| text.contains(&format!("Basic {login}")));
    let target = text.split(' ').nth(1).unwrap_or_default().to_owned();
    let host = target.trim_start_matches("http://").split('/').next().unwrap_or_default();
    if !is_welcome {
        let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
        drop(stream.write_all(refusal.as_bytes()).await);
        return;
    }
    let Ok(mut upstream) = TcpStream::connect(host).await else { return };
    if text.starts_with("CONNECT") {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await);
    } else {
        // The vendor sees the path alone, and that the connection ends.
        let path = target.trim_start_matches(&format!("http://{host}")).to_owned();
        let head =
            text.replacen(&target, &path, 1).replacen("\r\n", "\r\nconnection: close\r\n", 1);
        drop(upstream.write_all(head.as_bytes()).await);
    }
    drop(tokio::io::copy_bidirectional(&mut stream, &mut upstream).await);
}

#[tokio::test]
async fn requests_go_through_the_proxy_with_its_login() {
    let (simulator, url) = simulator(&[]).await;
    // "tarn:pa55 w:rd" in base64.
    let proxy = TinyProxy::start(Some("dGFybjpwYTU1IHc6cmQ=")).await;
    let mut settings = settings(&url, &["sim-key"]);
    settings.proxy = Some(proxy.setting(Some(("tarn", "pa55 w:rd"))));
    let page = fetch(&*cas().open(&settings).unwrap()).await.unwrap();
    assert!(!page.records.is_empty());
    assert_eq!(simulator.requests().len(), 1);
    let heads = proxy.heads.lock().unwrap();
    assert!(heads[0].starts_with(&format!("GET {url}/v1/siem")), "{}", heads[0]);
    assert!(!format!("{settings:?}").contains("pa55"));
}

#[tokio::test]
async fn no_integration_goes_past_the_proxy() {
    for integration in connectors::Registry::new().iter() {
        let manifest = integration.manifest();
        if !manifest.parameters.iter().any(|parameter| parameter.name == "base_url") {
            continue;
        }
        let stub = Stub::fixed(200, &[], "{}").await;
        let proxy = TinyProxy::start(Some("bm9ib2R5")).await;
        let secret =
            |field: &CredentialField| (field.name.clone(), OneOrMany::One(Secret::new("sim-key")));
        let settings = Settings {
            credential: Credential(manifest.credential.iter().map(secret).collect()),
            content_types: manifest.content_types.iter().map(|c| c.name.clone()).collect(),
            proxy: Some(proxy.setting(None)),
            ..settings(&stub.url, &[])
        };
        let connection = integration.open(&settings).unwrap();
        let ask = ask(&*connection);
        let key = &connection.keys()[0];
        let error = connection.fetch(key, &ask, &Ledger::default()).await.unwrap_err();
        assert!(error.detail.contains("407"), "{}: {error}", manifest.name);
        assert_eq!(stub.requests(), 0, "{}", manifest.name);
    }
}

#[tokio::test]
async fn a_proxy_that_wants_another_login_is_told() {
    let (simulator, url) = simulator(&[]).await;
    let proxy = TinyProxy::start(Some("bm9ib2R5")).await;
    let mut settings = settings(&url, &["sim-key"]);
    settings.proxy = Some(proxy.setting(Some(("tarn", "s3cret"))));
    let error = fetch(&*cas().open(&settings).unwrap()).await.unwrap_err();
    assert_eq!(error.fault, Fault::Unreachable);
    assert!(error.detail.contains("407"), "{error}");
    assert!(!printed(&error).contains("s3cret"));
    assert!(simulator.requests().is_empty());
}

#[tokio::test]
async fn tls_goes_through_a_tunnel_and_the_proxy_sees_no_key() {
    let stub = Stub::fixed(200, &[], "{}").await;
    let proxy = TinyProxy::start(None).await;
    // The stub does not speak TLS; that the tunnel was asked for is what counts.
    let mut settings = settings(&stub.url.replace("http://", "https://"), &["sim-key"]);
    settings.proxy = Some(proxy.setting(None));
    let error = fetch(&*cas().open(&settings).unwrap()).await.unwrap_err();
    assert!(error.detail.contains("through the proxy http://127.0.0.1"), "{error}");
    let heads = proxy.heads.lock().unwrap();
    assert!(heads[0].starts_with("CONNECT 127.0.0.1:"), "{}", heads[0]);
    assert!(!heads[0].contains("sim-key"));
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_told_by_its_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (_, url) = simulator(&[]).await;
    let mut settings = settings(&url, &["sim-key"]);
    settings.proxy = Some(Proxy { address: format!("http://{address}"), login: None });
    let error = fetch(&*cas().open(&settings).unwrap()).await.unwrap_err();
    assert_eq!(error.fault, Fault::Unreachable);
    assert!(error.detail.contains(&address.to_string()), "{error}");
}
