//! Where responders may send to: the public network, and what an allow list opens.

use std::sync::Arc;

use connectors::client::egress::EgressPolicy;
use connectors::webhook::Responder;
use model::action::Halt;
use serde_json::{Value, json};

use crate::webhook::{Host, Notes, Says, act, document, open_egress};

async fn tried(host: &str, policy: EgressPolicy, auth: Value) -> Result<(), String> {
    let document = document(json!({
        "name": "egress", "effect": "writes", "retries": { "attempts": 1 }, "auth": auth,
        "request": { "host": host, "protocol": "http", "path": "/", "body": {} },
    }));
    let responder = Arc::new(Responder::open(document, policy, None).unwrap());
    match act(&responder, &json!({}), json!({}), &Notes::default()).await {
        Ok(_) => Ok(()),
        Err(Halt::Fatal(text)) => Err(text.en),
        Err(halt) => panic!("{halt:?}"),
    }
}

#[tokio::test]
async fn this_machine_is_closed_however_it_is_written() {
    let host = Host::new(|_, _| (200, json!({})).into()).await;
    let port = host.address.port();
    for name in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "0",
        "localhost",
        "LOCALHOST",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
    ] {
        let refused =
            tried(&format!("{name}:{port}"), EgressPolicy::default(), json!({ "type": "none" }))
                .await;
        let error = refused.unwrap_err();
        assert!(
            error.contains("is refused") && error.contains("`egress.allow`"),
            "{name}: {error}"
        );
    }
    for name in ["169.254.169.254", "10.0.0.1", "192.168.1.1", "[fd00:ec2::254]", "[fe80::1]"] {
        let refused = tried(name, EgressPolicy::default(), json!({ "type": "none" })).await;
        assert!(refused.unwrap_err().contains("is refused"), "{name}");
    }
    assert!(host.seen().is_empty());
}

#[tokio::test]
async fn the_allow_list_opens_an_address_or_a_name() {
    let host = Host::new(|_, _| (200, json!({})).into()).await;
    let port = host.address.port();
    let none = json!({ "type": "none" });
    tried(
        &format!("127.0.0.1:{port}"),
        EgressPolicy::allowing(["127.0.0.0/8"]).unwrap(),
        none.clone(),
    )
    .await
    .unwrap();
    tried(
        &format!("localhost:{port}"),
        EgressPolicy::allowing(["localhost"]).unwrap(),
        none.clone(),
    )
    .await
    .unwrap();
    tried(&format!("localhost:{port}"), EgressPolicy::allowing(["127.0.0.1/32"]).unwrap(), none)
        .await
        .unwrap();
    assert_eq!(host.seen().len(), 3);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let inside = Host::new(|_, _| (200, json!({})).into()).await;
    let target = format!("http://{}/inside", inside.address);
    let host =
        Host::new(move |_, _| Says(307, vec![("location", target.clone())], json!({}))).await;
    let error = tried(&host.address.to_string(), open_egress(), json!({ "type": "none" }))
        .await
        .unwrap_err();
    assert!(error.contains("307") && error.contains("redirects are not followed"), "{error}");
    assert!(inside.seen().is_empty());
}

#[tokio::test]
async fn a_token_is_not_fetched_from_a_closed_place() {
    let host = Host::new(|_, _| (200, json!({})).into()).await;
    let tokens = Host::new(|_, _| (200, json!({ "access_token": "x" })).into()).await;
    let auth = json!({ "type": "oauth2_client_credentials", "client_id": "a", "client_secret": "b",
        "token_url": format!("http://localhost:{}/token", tokens.address.port()) });
    // The place of the request is open by its name, the place of the token is not.
    let policy = EgressPolicy::allowing(["api.example"]).unwrap();
    let error = tried("api.example", policy, auth).await.unwrap_err();
    assert!(error.contains("failed to fetch a token") && error.contains("is refused"), "{error}");
    assert!(host.seen().is_empty() && tokens.seen().is_empty());
}
