//! Failures told apart: quotas, outages, and answers that are none.

use std::time::Duration;

use model::vendor::Fault;

use super::{ALERTS, ALL, TECHNIQUES, ask_for, fetch, first_page, open, simulator};
use crate::servers::Stub;
use crate::support::Ledger;

async fn fault_of(url: &str, content_type: &str) -> Fault {
    first_page(url, content_type).await.unwrap_err().fault
}

#[tokio::test]
async fn a_spent_quota_is_reported_with_its_wait_if_the_vendor_names_one() {
    for (retry_after, wait) in [("off", None), ("seconds", Some(60)), ("date", Some(60))] {
        for code in ["present", "absent"] {
            let faults = [("requests", "1"), ("retry_after", retry_after), ("throttle_code", code)];
            let (_, url) = simulator(&faults).await;
            let connection = open(&url);
            let ask = ask_for(&*connection, ALERTS, 1);
            fetch(&*connection, &ask).await.unwrap();
            let ledger = Ledger::default();
            let error = connection.fetch(&connection.keys()[0], &ask, &ledger).await.unwrap_err();
            assert_eq!(error.fault, Fault::Throttled, "{retry_after} {code}");
            assert_eq!(error.retry_after, wait.map(Duration::from_secs), "{retry_after}");
            assert!(ledger.last_answer().throttled);
        }
    }
}

#[tokio::test]
async fn a_throttled_page_is_asked_for_again_at_the_same_place() {
    let (simulator, url) = simulator(&[]).await;
    let connection = open(&url);
    let ask = ask_for(&*connection, ALERTS, 6);
    let first = fetch(&*connection, &ask).await.unwrap();
    let next = model::vendor::Ask { next: first.next, ..ask };
    let wanted = fetch(&*connection, &next).await.unwrap();
    simulator.set_fault("throttle_every", "1").unwrap();
    assert_eq!(fetch(&*connection, &next).await.unwrap_err().fault, Fault::Throttled);
    simulator.set_fault("throttle_every", "0").unwrap();
    assert_eq!(fetch(&*connection, &next).await.unwrap().records, wanted.records);
}

#[tokio::test]
async fn outages_timeouts_and_answers_that_are_no_pages_are_told_apart() {
    for (faults, expected) in [
        (vec![("outage", "on")], Fault::Outage),
        (vec![("outage", "on"), ("unavailable_html", "on")], Fault::Outage),
        (vec![("fail_every", "1")], Fault::Outage),
        (vec![("gateway_timeout_every", "1")], Fault::Timeout),
        (vec![("cut_every", "1")], Fault::Unreadable),
        (vec![("wrong_type", "on")], Fault::Unreadable),
        (vec![("huge_body", "70000000"), ("gzip", "on")], Fault::TooLarge),
    ] {
        let (_, url) = simulator(&faults).await;
        for content_type in ALL {
            assert_eq!(fault_of(&url, content_type).await, expected, "{faults:?} {content_type}");
        }
    }
    let (_, url) = simulator(&[("gzip", "on")]).await;
    assert!(first_page(&url, ALERTS).await.is_ok());
}

#[tokio::test]
async fn statuses_and_bodies_of_gateways_are_told_apart() {
    for (status, body, expected) in [
        (302, "", Fault::WrongUrl),
        (404, "", Fault::WrongUrl),
        (408, "", Fault::Timeout),
        (413, "", Fault::TooLarge),
        (400, r#"{"error":{"code":"BadRequest","number":3090003}}"#, Fault::BadRequest),
        (200, r#"{"error":{"code":"TooManyRequests","message":"m"}}"#, Fault::Throttled),
        (200, r#"{"error":{"code":"InternalServerError","message":"m"}}"#, Fault::Unreadable),
        (200, r#"{"status":"available"}"#, Fault::Unreadable),
        (200, "", Fault::Unreadable),
    ] {
        let stub = Stub::fixed(status, &[("location", "http://127.0.0.1:1/")], body).await;
        assert_eq!(fault_of(&stub.url, ALERTS).await, expected, "{status} {body}");
        assert_eq!(stub.requests(), 1, "{status} is neither followed nor repeated");
    }
}

#[tokio::test]
async fn a_failing_health_check_does_not_hide_what_the_data_says() {
    let stub = Stub::start(|path| {
        if path.contains("healthcheck") {
            return crate::servers::response(500, &[], "{}");
        }
        crate::servers::response(200, &[], r#"{"items":[],"totalCount":0}"#)
    })
    .await;
    assert_eq!(first_page(&stub.url, TECHNIQUES).await.unwrap().served(), 0);
    assert_eq!(stub.requests(), 2);
}
