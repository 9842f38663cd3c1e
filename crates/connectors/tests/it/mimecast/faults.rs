//! Failures told apart for each content type, and the client's secrets in none of them.

use std::time::Duration;

use model::hint::Hint;
use model::vendor::Fault;

use super::{CONTENT_TYPES, ask, fetch, open, simulator};
use crate::secrets::Everything;
use crate::servers::{Stub, response};
use crate::support::{Ledger, printed};

/// The first stream of a content type.
fn stream(content_type: &str) -> &str {
    if content_type == "siem" { "siem/receipt" } else { content_type }
}

async fn fault_of(url: &str, content_type: &str) -> Fault {
    let connection = open(url);
    fetch(&*connection, &ask(&*connection, stream(content_type), 1)).await.unwrap_err().fault
}

#[tokio::test]
async fn a_missing_role_is_named_for_its_content_type_and_the_others_go_on() {
    for (forbidden, role) in [
        ("siem", "Threat and security events (SIEM)"),
        ("ttp_url", "URL Protection"),
        ("ttp_attachment", "Attachment Protection"),
        ("ttp_impersonation", "Impersonation Protection Logs"),
    ] {
        let (_, url) = simulator(&[("forbidden", forbidden)]).await;
        let connection = open(&url);
        for content_type in CONTENT_TYPES {
            let answer = fetch(&*connection, &ask(&*connection, stream(content_type), 1)).await;
            if content_type != forbidden {
                assert!(answer.is_ok(), "{content_type}");
                continue;
            }
            let error = answer.unwrap_err();
            assert_eq!(error.fault, Fault::MissingScope);
            assert!(error.detail.contains(role) && error.hint().is_some(), "{error}");
        }
    }
}

#[tokio::test]
async fn failures_of_every_content_type_are_told_apart() {
    for content_type in CONTENT_TYPES {
        for (fault, expected) in [
            (("fail_every", "1"), Fault::Outage),
            (("unavailable_every", "1"), Fault::Outage),
            (("throttle_every", "1"), Fault::Throttled),
            (("wrong_type", "on"), Fault::Unreadable),
            (("keys", "other:secret"), Fault::UnknownKey),
        ] {
            let (_, url) = simulator(&[fault, ("unavailable_html", "on")]).await;
            assert_eq!(fault_of(&url, content_type).await, expected, "{content_type} {fault:?}");
        }
        let (_, url) = simulator(&[]).await;
        let elsewhere = format!("{url}/elsewhere");
        assert_eq!(fault_of(&elsewhere, content_type).await, Fault::WrongUrl, "{content_type}");
    }
    assert_eq!(fault_of("https://no-such-host.invalid", "siem").await, Fault::Dns);
}

#[tokio::test]
async fn a_used_up_quota_is_told_with_its_wait_in_milliseconds() {
    for body in ["fail", "detail", "html", "empty"] {
        let faults = [("requests", "1"), ("window", "90s"), ("throttle_body", body)];
        let (_, url) = simulator(&faults).await;
        let connection = open(&url);
        let ask = ask(&*connection, "ttp_url", 1);
        fetch(&*connection, &ask).await.unwrap();
        let ledger = Ledger::default();
        let key = &connection.keys()[0];
        let error = connection.fetch(key, &ask, &ledger).await.unwrap_err();
        assert_eq!(error.fault, Fault::Throttled, "{body}");
        assert_eq!(error.retry_after, Some(Duration::from_secs(90)), "{body}");
        assert!(ledger.last_answer().throttled);
    }
    let faults =
        [("requests", "1"), ("window", "90s"), ("limit_headers", "never"), ("retry_after", "on")];
    let (_, url) = simulator(&faults).await;
    let connection = open(&url);
    let ask = ask(&*connection, "ttp_url", 1);
    fetch(&*connection, &ask).await.unwrap();
    let error = fetch(&*connection, &ask).await.unwrap_err();
    assert_eq!(error.retry_after, Some(Duration::from_secs(90)));
}

#[tokio::test]
async fn an_empty_range_reported_as_a_failure_is_an_empty_page() {
    let stub = Stub::start(|path| {
        let body = if path.starts_with("/oauth") {
            r#"{"access_token":"t","token_type":"bearer","expires_in":"1799"}"#
        } else {
            r#"{"meta":{"status":200},"data":[],"fail":[{"key":{},"errors":[{"code":"err_logs_no_result_found","message":"none"}]}]}"#
        };
        response(200, &[], body)
    })
    .await;
    let connection = open(&stub.url);
    let page = fetch(&*connection, &ask(&*connection, "ttp_url", 1)).await.unwrap();
    assert!(page.records.is_empty() && page.next.is_none());
}

#[tokio::test]
async fn a_failure_that_gives_no_reason_is_no_empty_page() {
    let stub = Stub::start(|path| {
        let body = if path.starts_with("/oauth") {
            r#"{"access_token":"t","token_type":"bearer","expires_in":"1799"}"#
        } else {
            r#"{"meta":{"status":200},"data":[],"fail":[{"key":{},"errors":[{}]}]}"#
        };
        response(200, &[], body)
    })
    .await;
    assert_eq!(fault_of(&stub.url, "ttp_url").await, Fault::Outage);
}

#[tokio::test]
async fn the_secrets_are_in_no_error_no_debug_text_and_no_log_line() {
    let logged = Everything::default();
    let _guard = tracing::subscriber::set_default(logged.clone());
    let stub = Stub::start(|path| {
        if path.starts_with("/oauth") {
            return response(200, &[], r#"{"access_token":"t0k3n-in-memory","expires_in":1799}"#);
        }
        let body =
            r#"{"fail":[{"code":"x","message":"bad Bearer t0k3n-in-memory for sim-secret"}]}"#;
        response(403, &[], body)
    })
    .await;
    let connection = open(&stub.url);
    let error = fetch(&*connection, &ask(&*connection, "ttp_url", 1)).await.unwrap_err();
    let text = format!("{} {:?}", printed(&error), connection.keys());
    assert!(!text.contains("t0k3n-in-memory"), "{text}");
    let refusing =
        Stub::fixed(401, &[], r#"{"fail":[{"code":"c","message":"sim-secret?"}]}"#).await;
    let connection = open(&refusing.url);
    let error = fetch(&*connection, &ask(&*connection, "siem/av", 1)).await.unwrap_err();
    assert!(!printed(&error).contains("sim-secret"), "{error}");
    let seen = refusing.seen.lock().unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].1["content-type"], "application/x-www-form-urlencoded");
    assert!(!seen[0].1.contains_key("authorization"));
    let logged = logged.0.lock().unwrap();
    assert!(logged.contains("vendor answered"), "{logged}");
    for secret in ["t0k3n-in-memory", "sim-secret"] {
        assert!(!logged.contains(secret), "{logged}");
    }
}

#[tokio::test]
async fn the_links_of_files_are_in_no_log_line() {
    let logged = Everything::default();
    let _guard = tracing::subscriber::set_default(logged.clone());
    let (simulator, url) = simulator(&[("dead_link", "3")]).await;
    let connection = open(&url);
    let page = fetch(&*connection, &ask(&*connection, "siem/receipt", 1)).await.unwrap();
    assert!(!page.records.is_empty());
    let signed = simulator.requests().into_iter().find(|r| r.query.contains("Signature=")).unwrap();
    let signature = signed.query.rsplit_once('=').unwrap().1.to_owned();
    let text = format!("{:?}", page.next);
    let logged = logged.0.lock().unwrap();
    assert!(signature.len() > 10 && !text.contains(&signature));
    assert!(!logged.contains(&signature), "{logged}");
}
