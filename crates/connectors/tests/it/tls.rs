//! TLS that is not trusted, not TLS, or knowingly not checked.

use std::net::SocketAddr;
use std::sync::Arc;

use model::vendor::{Fault, FetchError, Page};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::servers::{Stub, raw_server};
use crate::support::{cas, fetch, settings};

const PAGE: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-length: 22\r\nconnection: close\r\n\r\n{\"security_events\":[]}";

fn acceptor() -> TlsAcceptor {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(
        tokio_rustls::rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(vec![made.cert.der().clone()], key)
    .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// A server that proves itself by its own word only.
async fn self_signed() -> SocketAddr {
    let acceptor = acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4096];
            if stream.read(&mut request).await.is_ok() {
                drop(stream.write_all(PAGE).await);
                drop(stream.shutdown().await);
            }
        }
    });
    address
}

async fn fetched(address: impl std::fmt::Display, verify_tls: bool) -> Result<Page, FetchError> {
    let mut settings = settings(&format!("https://{address}"), &["sim-key"]);
    settings.verify_tls = verify_tls;
    fetch(&*cas().open(&settings).unwrap()).await
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused_unless_checks_are_off() {
    let address = self_signed().await;
    assert_eq!(fetched(address, true).await.unwrap_err().fault, Fault::Tls);
    assert!(fetched(address, false).await.unwrap().records.is_empty());
}

#[tokio::test]
async fn a_port_that_does_not_speak_tls_is_told() {
    let stub = Stub::fixed(200, &[], r#"{"security_events":[]}"#).await;
    let plain = stub.url.trim_start_matches("http://");
    assert_eq!(fetched(plain, true).await.unwrap_err().fault, Fault::Tls);
    let mute = raw_server(b"").await;
    assert_eq!(fetched(mute, true).await.unwrap_err().fault, Fault::Tls);
}

/// A server that reads a request over TLS, and then says something that is no TLS.
async fn breaking() -> SocketAddr {
    let acceptor = acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4096];
            if stream.read(&mut request).await.is_ok() {
                let (mut plain, _) = stream.into_inner();
                drop(plain.write_all(&[0xff; 64]).await);
                drop(plain.shutdown().await);
            }
        }
    });
    address
}

#[tokio::test]
async fn tls_that_breaks_after_the_request_does_not_say_that_nothing_was_sent() {
    let error = fetched(breaking().await, false).await.unwrap_err();
    assert_eq!(error.fault, Fault::Unreadable, "{error:?}");
}
