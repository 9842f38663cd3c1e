//! Status changes, pushed.

use axum::http::{Method, StatusCode};
use futures::StreamExt;
use serde_json::{Value, json};

use crate::runs::{run, running};

/// The first event of an answer: its kind and its data.
async fn first_event(response: axum::response::Response) -> (String, Value) {
    let mut chunks = response.into_body().into_data_stream();
    let mut text = String::new();
    while !text.contains("\n\n") {
        text.push_str(std::str::from_utf8(&chunks.next().await.unwrap().unwrap()).unwrap());
    }
    let field = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
    };
    (field("event:"), serde_json::from_str(&field("data:")).unwrap())
}

#[tokio::test]
async fn a_change_is_pushed_to_its_own_tenant() {
    let app = running().await;
    let path = "/api/v1/status/stream";
    let own = app.request(Method::GET, path).open().await;
    let other = app.request(Method::GET, &format!("{path}?tenant=acme")).open().await;
    assert_eq!(own.status(), StatusCode::OK);
    assert_eq!(own.headers()["content-type"], "text/event-stream");
    run(&app).await;
    let (kind, data) = first_event(own).await;
    assert_eq!(kind, "status");
    assert_eq!((&data["connector"], &data["stream"]), (&json!("mail"), &json!("sharepoint/dlp")));
    let mut chunks = other.into_body().into_data_stream();
    for _ in 0..1_000 {
        let none = futures::future::poll_immediate(chunks.next()).await;
        assert!(none.is_none(), "{none:?}");
        tokio::task::yield_now().await;
    }
    // The catalog closes when nobody reads from it.
    drop(chunks);
    app.app.stop().await;
}
