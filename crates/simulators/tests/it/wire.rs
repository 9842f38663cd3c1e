//! The simulator as a server on a socket.

use simulators::Volume;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::client::sim;

async fn raw_get(address: std::net::SocketAddr) -> (usize, usize) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /v1/siem/security_events?service=box&event=dlp HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer sim-key\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A cut answer may end as a reset; what came before counts.
    let ended = stream.read_to_end(&mut answer).await;
    assert!(ended.is_ok() || !answer.is_empty());
    let text = String::from_utf8_lossy(&answer).to_lowercase();
    let head_end = text.find("\r\n\r\n").unwrap() + 4;
    let announced = text[..head_end]
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap()
        .parse()
        .unwrap();
    (announced, answer.len() - head_end)
}

#[tokio::test]
async fn cut_answers_break_the_connection_after_half_of_the_body() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let sim = sim(Volume::PerHour(600.0), &[("cut_every", "2")]);
    let server = tokio::spawn(sim.serve(listener, async move { drop(stopped.await) }));
    let (announced, received) = raw_get(address).await;
    assert_eq!(announced, received);
    let (announced, received) = raw_get(address).await;
    assert_eq!(received, announced / 2);
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
}
