//! Failures told apart: keys, regions, quotas, outages, and answers that are none.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use model::budget::{Budget, Permit, ReserveError};
use model::connector::Settings;
use model::hint::Hint;
use model::vendor::{Fault, FetchError};

use crate::servers::{Stub, raw_server, simulator};
use crate::support::{Broke, Ledger, ask, cas, fetch, open, printed, region, settings};

async fn fault_of(url: &str) -> Fault {
    fetch(&*open(url)).await.unwrap_err().fault
}

async fn tested(settings: &Settings) -> (FetchError, Ledger) {
    let connection = cas().open(settings).unwrap();
    let key = &connection.keys()[0];
    let ledger = Ledger::default();
    let error = connection.fetch(key, &ask(&*connection), &ledger).await.unwrap_err();
    (connection.diagnose(key, error, &ledger).await, ledger)
}

#[tokio::test]
async fn keys_are_unknown_expired_or_without_the_right() {
    for (fault, expected) in [
        (("keys", "other"), Fault::UnknownKey),
        (("revoked", "sim-key"), Fault::UnknownKey),
        (("expired", "sim-key"), Fault::ExpiredKey),
        (("no_scope", "sim-key"), Fault::MissingScope),
    ] {
        let (_, url) = simulator(&[fault]).await;
        let error = fetch(&*open(&url)).await.unwrap_err();
        assert_eq!(error.fault, expected, "{fault:?}");
        assert!(error.fault.is_credential() && error.hint().is_some());
        assert!(error.detail.contains("answered 40"), "{}", error.detail);
    }
}

#[tokio::test]
async fn what_cannot_be_a_key_is_not_sent() {
    let stub = Stub::fixed(200, &[], r#"{"security_events":[]}"#).await;
    for key in ["", "with space", "\"quoted\"", "schlüssel", "line\nbreak"] {
        let (error, ledger) = tested(&settings(&stub.url, &[key])).await;
        assert_eq!(error.fault, Fault::MalformedKey, "{key:?}");
        assert_eq!((stub.requests(), ledger.requests()), (0, 0), "{key:?}");
    }
}

#[tokio::test]
async fn a_key_of_another_region_is_named_with_its_region() {
    let (_, here) = simulator(&[("keys", "other")]).await;
    let (_, elsewhere) = simulator(&[]).await;
    let (_, nowhere) = simulator(&[("keys", "third")]).await;
    let mut settings = settings(&here, &["sim-key"]);
    settings.extra_regions = vec![region("lab", &nowhere), region("branch", &elsewhere)];
    let (error, ledger) = tested(&settings).await;
    assert_eq!(error.fault, Fault::WrongRegion("branch".to_owned()));
    let hosts: Vec<_> = [&here, &nowhere, &elsewhere].map(|url| url.replace("http://", "")).into();
    assert_eq!(*ledger.hosts.lock().unwrap(), hosts, "one request each, and none to the vendor");
}

#[tokio::test]
async fn every_region_of_the_vendor_is_asked_once_about_an_unknown_key() {
    let connection = cas().open(&settings("eu", &["sim-key"])).unwrap();
    let error = FetchError {
        fault: Fault::UnknownKey,
        detail: "api-eu answered 401".to_owned(),
        retry_after: None,
        source: None,
    };
    let ledger = Nobody::default();
    let error = connection.diagnose(&connection.keys()[0], error, &ledger).await;
    assert_eq!(error.fault, Fault::UnknownKey);
    assert_eq!(ledger.0.lock().unwrap().len(), 7, "the other regions");
}

/// Grants nothing and remembers the hosts: tests do not ask the vendor itself.
#[derive(Default)]
struct Nobody(Mutex<Vec<String>>);

#[async_trait]
impl Budget for Nobody {
    async fn reserve(&self, host: &str) -> Result<Permit, ReserveError> {
        self.0.lock().unwrap().push(host.to_owned());
        Err(ReserveError("not in a test".into()))
    }
}

#[tokio::test]
async fn other_faults_are_not_looked_into() {
    let (_, url) = simulator(&[("expired", "sim-key")]).await;
    let (error, ledger) = tested(&settings(&url, &["sim-key"])).await;
    assert_eq!((error.fault, ledger.requests()), (Fault::ExpiredKey, 1));
}

#[tokio::test]
async fn a_spent_quota_is_reported_to_the_budget_with_its_wait() {
    let faults = [("requests", "1"), ("retry_after", "on")];
    let (_, url) = simulator(&faults).await;
    let connection = open(&url);
    fetch(&*connection).await.unwrap();
    let ledger = Ledger::default();
    let ask = ask(&*connection);
    let error = connection.fetch(&connection.keys()[0], &ask, &ledger).await.unwrap_err();
    assert_eq!(error.fault, Fault::Throttled);
    let answer = ledger.last_answer();
    assert!(answer.throttled && answer.retry_after == error.retry_after);
    assert!(error.retry_after.is_some_and(|wait| wait <= Duration::from_secs(60)));
}

#[tokio::test]
async fn a_reset_header_is_a_wait_too() {
    let headers = [("x-ratelimit-reset", "17")];
    let stub = Stub::fixed(429, &headers, "").await;
    let error = fetch(&*open(&stub.url)).await.unwrap_err();
    assert_eq!((error.fault, error.retry_after), (Fault::Throttled, Some(Duration::from_secs(17))));
}

#[tokio::test]
async fn the_throttling_code_counts_under_another_status() {
    let body = r#"{"code":-4290001,"traceId":"t","msg":"Maximum allowed requests exceeded"}"#;
    for status in [200, 400, 503] {
        let stub = Stub::fixed(status, &[], body).await;
        assert_eq!(fault_of(&stub.url).await, Fault::Throttled, "{status}");
    }
}

#[tokio::test]
async fn statuses_are_told_apart() {
    for (status, expected) in [
        (302, Fault::WrongUrl),
        (400, Fault::BadRequest),
        (404, Fault::WrongUrl),
        (405, Fault::WrongUrl),
        (408, Fault::Timeout),
        (413, Fault::TooLarge),
        (500, Fault::Outage),
        (503, Fault::Outage),
    ] {
        let headers = [("location", "http://127.0.0.1:1/elsewhere")];
        let stub = Stub::fixed(status, &headers, "").await;
        assert_eq!(fault_of(&stub.url).await, expected, "{status}");
        assert_eq!(stub.requests(), 1, "{status} is neither followed nor repeated");
    }
}

#[tokio::test]
async fn answers_that_are_no_pages_are_unreadable() {
    let (_, cut) = simulator(&[("cut_every", "1")]).await;
    assert_eq!(fault_of(&cut).await, Fault::Unreadable);
    let (_, html) = simulator(&[("wrong_type", "on")]).await;
    assert_eq!(fault_of(&html).await, Fault::Unreadable);
    let (_, down) = simulator(&[("outage", "on"), ("unavailable_html", "on")]).await;
    assert_eq!(fault_of(&down).await, Fault::Outage);
    for body in ["", "[]", "{}", r#"{"security_events":[{]}"#] {
        let stub = Stub::fixed(200, &[], body).await;
        assert_eq!(fault_of(&stub.url).await, Fault::Unreadable, "{body}");
    }
    let stub = Stub::fixed(200, &[("content-encoding", "br")], "x").await;
    assert_eq!(fault_of(&stub.url).await, Fault::Unreadable);
}

#[tokio::test]
async fn a_huge_body_is_given_up() {
    let (_, url) = simulator(&[("huge_body", "70000000"), ("gzip", "on")]).await;
    assert_eq!(fault_of(&url).await, Fault::TooLarge);
}

#[tokio::test]
async fn hosts_that_do_not_answer_are_told_apart() {
    assert_eq!(fault_of("https://no-such-host.invalid").await, Fault::Dns);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(fault_of(&closed).await, Fault::Unreachable);
    let mute = raw_server(b"").await;
    assert_eq!(fault_of(&format!("http://{mute}")).await, Fault::Unreadable);
}

#[tokio::test]
async fn nothing_is_sent_without_a_reservation() {
    let stub = Stub::fixed(200, &[], r#"{"security_events":[]}"#).await;
    let connection = open(&stub.url);
    let error =
        connection.fetch(&connection.keys()[0], &ask(&*connection), &Broke).await.unwrap_err();
    assert_eq!((error.fault.clone(), stub.requests()), (Fault::Budget, 0));
    assert!(printed(&error).contains("disk is full"));
}

#[tokio::test]
async fn requests_are_reserved_under_the_keys_host() {
    let (_, url) = simulator(&[]).await;
    let connection = open(&url);
    let ledger = Ledger::default();
    connection.fetch(&connection.keys()[0], &ask(&*connection), &ledger).await.unwrap();
    assert_eq!(*ledger.hosts.lock().unwrap(), [connection.keys()[0].host.clone()]);
    assert_eq!(format!("http://{}", connection.keys()[0].host), url);
    assert!(!ledger.last_answer().throttled);
}
