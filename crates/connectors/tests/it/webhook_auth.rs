//! How responders prove who sends, and that none of it is seen anywhere.

use model::action::{Halt, Outcome};
use serde_json::{Value, json};

use crate::webhook::{Host, Notes, Says, act, responder};

async fn sent(host: &Host, auth: Value, notes: &Notes) -> Result<Outcome, Halt> {
    let responder = responder(json!({
        "name": "auth", "effect": "writes", "auth": auth,
        "request": { "host": host.address.to_string(), "protocol": "http", "path": "/", "body": { "text": "héllo" } },
    }));
    let shown =
        format!("{responder:?} {:?} {}", responder.document(), responder.document().masked());
    assert!(!shown.contains("s3cret-"), "{shown}");
    act(&responder, &json!({}), json!({}), notes).await
}

fn echo() -> impl Fn(&crate::webhook::Seen, usize) -> Says {
    |seen, _| {
        (200, json!({ "echo": seen.headers, "text": seen.headers.values().collect::<Vec<_>>() }))
            .into()
    }
}

#[tokio::test]
async fn every_kind_of_proof_arrives_and_none_is_shown() {
    // base64 of `ann:s3cret-1`; HMAC-SHA256 of `{"text":"héllo"}` with key `s3cret-4`, and with the time before it.
    let table = [
        (
            json!({ "type": "basic", "user": "ann", "password": "s3cret-1" }),
            "authorization",
            Some("Basic YW5uOnMzY3JldC0x"),
        ),
        (
            json!({ "type": "bearer", "token": " s3cret-2 " }),
            "authorization",
            Some("Bearer s3cret-2"),
        ),
        (
            json!({ "type": "header", "name": "X-Key", "secret": "s3cret-3" }),
            "x-key",
            Some("s3cret-3"),
        ),
        (
            json!({ "type": "header", "name": "X-Key", "value": "Token {{ secret }}!", "secret": "s3cret-3" }),
            "x-key",
            Some("Token s3cret-3!"),
        ),
        (
            json!({ "type": "hmac", "secret": "s3cret-4", "header": "X-Sign", "prefix": "sha256=" }),
            "x-sign",
            Some("sha256=04f31c690654910685b082e9094315ca645d49df02ce40e16c101dcf4b79db68"),
        ),
        (
            json!({ "type": "hmac", "secret": "s3cret-4", "header": "X-Sign", "signed": "timestamp_body", "timestamp_header": "X-Time" }),
            "x-sign",
            Some("1e743bdd1fe50f7ecc37de49bf38dd1784716d1141aad3031c03d87eeaef6720"),
        ),
        (json!({ "type": "none" }), "authorization", None),
    ];
    for (auth, header, expected) in table {
        let host = Host::new(echo()).await;
        let notes = Notes::default();
        let outcome = sent(&host, auth.clone(), &notes).await.unwrap();
        assert_eq!(host.seen()[0].headers.get(header).map(String::as_str), expected, "{auth}");
        let shown = format!("{outcome:?} {}", notes.history.lock().unwrap());
        assert!(!shown.contains("s3cret-") && !shown.contains("YW5uOnMzY3JldC0x"), "{shown}");
    }
}

#[tokio::test]
async fn a_token_is_fetched_once_and_again_when_it_is_refused() {
    for send_as in ["basic", "body"] {
        let tokens = Host::new(|_, before| {
            (200, json!({ "access_token": format!("s3cret-token-{before}"), "expires_in": 3600 }))
                .into()
        })
        .await;
        let host = Host::new(|seen, before| match before {
            2 => {
                (401, json!({ "message": format!("no {}", seen.headers["authorization"]) })).into()
            }
            _ => (200, json!({ "echo": seen.headers["authorization"] })).into(),
        })
        .await;
        let responder = responder(json!({
            "name": "auth", "effect": "writes",
            "auth": { "type": "oauth2_client_credentials", "token_url": format!("http://{}/token", tokens.address),
                "client_id": "id", "client_secret": "s3cret-5", "scope": "a b", "send_as": send_as },
            "request": { "host": host.address.to_string(), "protocol": "http", "path": "/", "body": {} },
        }));
        let mut shown = String::new();
        for _ in 0..3 {
            let notes = Notes::default();
            let outcome = act(&responder, &json!({}), json!({}), &notes).await.unwrap();
            assert!(outcome.is_success);
            shown.push_str(&format!("{outcome:?} {}", notes.history.lock().unwrap()));
        }
        let proofs: Vec<_> =
            host.seen().iter().map(|seen| seen.headers["authorization"].clone()).collect();
        let token = |number: usize| format!("Bearer s3cret-token-{number}");
        assert_eq!(proofs, [token(0), token(0), token(0), token(1)]);
        let asked = &tokens.seen()[0];
        assert_eq!(tokens.seen().len(), 2);
        match send_as {
            "basic" => {
                assert_eq!(asked.headers["authorization"], "Basic aWQ6czNjcmV0LTU=");
                assert_eq!(asked.body, "grant_type=client_credentials&scope=a+b");
            }
            _ => assert_eq!(
                asked.body,
                "grant_type=client_credentials&scope=a+b&client_id=id&client_secret=s3cret-5"
            ),
        }
        assert!(!shown.contains("s3cret-"), "{shown}");
    }
}

#[tokio::test]
async fn a_token_that_is_refused_twice_stops_the_run() {
    let tokens = Host::new(|_, _| (200, json!({ "access_token": "s3cret-token" })).into()).await;
    let host = Host::new(|_, _| (401, json!({ "message": "who?" })).into()).await;
    let auth = json!({ "type": "oauth2_client_credentials", "token_url": format!("http://{}/", tokens.address),
        "client_id": "id", "client_secret": "s3cret-5" });
    let refused = sent(&host, auth, &Notes::default()).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("auth: {} refused the request with 401: who?", host.address)
    );
    assert_eq!((host.seen().len(), tokens.seen().len()), (2, 2));
}

#[tokio::test]
async fn a_token_that_is_not_given_names_the_host_and_the_settings() {
    let tokens =
        Host::new(|_, _| (401, json!({ "error_description": "bad client s3cret-5" })).into()).await;
    let host = Host::new(|_, _| (200, json!({})).into()).await;
    let auth = json!({ "type": "oauth2_client_credentials", "token_url": format!("http://{}/", tokens.address),
        "client_id": "id", "client_secret": "s3cret-5" });
    let refused = sent(&host, auth, &Notes::default()).await.unwrap_err().to_string();
    assert!(
        refused.contains("401 bad client ********") && refused.contains("`auth.client_secret`"),
        "{refused}"
    );
    assert!(host.seen().is_empty());
}

#[tokio::test]
async fn a_secret_parameter_is_sent_and_not_shown() {
    let host = Host::new(echo()).await;
    let responder = responder(json!({
        "name": "auth", "effect": "writes",
        "parameters": [{ "name": "pin", "title": { "en": "PIN", "ja": "PIN" }, "type": "secret", "help": { "en": "p", "ja": "p" } }],
        "request": { "host": host.address.to_string(), "protocol": "http", "path": "/x/{{ parameters.pin }}",
            "headers": { "X-Pin": "{{ parameters.pin }}" }, "body": { "pin": "<{{ parameters.pin }}>" } },
    }));
    let notes = Notes::default();
    let outcome = act(&responder, &json!({}), json!({ "pin": "s3cret/9" }), &notes).await.unwrap();
    assert_eq!(host.seen()[0].json(), json!({ "pin": "<s3cret/9>" }));
    let preview = responder
        .preview(&json!({}), &json!({ "pin": "s3cret/9" }).as_object().unwrap().clone())
        .unwrap();
    let shown = format!("{outcome:?} {} {preview:?}", notes.history.lock().unwrap());
    assert!(!shown.contains("s3cret") && preview.url.ends_with("/x/********"), "{shown}");
}
