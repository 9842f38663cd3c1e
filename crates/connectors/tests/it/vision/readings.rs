//! What the vendor's pages leave open: the simulator plays each reading, and the client gets everything under all.

use std::time::Duration;

use model::time::Interval;
use model::vendor::{Ask, Fault};

use super::{
    ALERTS, ALL, AUDIT_LOGS, HOUR, TECHNIQUES, ask_for, fetch, first_page, ids, keys, open,
    simulator, walk,
};
use crate::support::Ledger;

#[tokio::test]
async fn intervals_meet_without_a_hole_whether_ends_are_included_or_not() {
    for bounds in ["inclusive", "end_exclusive"] {
        let (_, url) = simulator(&[("bounds", bounds), ("updates", "off")]).await;
        let connection = open(&url);
        for content_type in ALL {
            let whole = ask_for(&*connection, content_type, 8);
            let (pages, _) = walk(&*connection, whole.clone()).await;
            let mut parts = std::collections::BTreeSet::new();
            for part in 0..96 {
                let start = whole.interval.start + Duration::from_secs(300) * part;
                let interval = Interval { start, end: start + Duration::from_secs(300) };
                let (pages, _) = walk(&*connection, Ask { interval, ..whole.clone() }).await;
                parts.extend(keys(content_type, &pages));
            }
            let missing = keys(content_type, &pages).difference(&parts).count();
            assert!(missing <= 1, "{bounds} {content_type}: {missing} missing inside");
        }
    }
}

#[tokio::test]
async fn late_techniques_come_whether_or_not_the_default_hour_holds() {
    let mut found = Vec::new();
    for reading in ["open", "applies"] {
        let (_, url) = simulator(&[("detected_default", reading), ("late", "50:30h")]).await;
        let connection = open(&url);
        let (pages, error) = walk(&*connection, ask_for(&*connection, TECHNIQUES, 2)).await;
        assert!(error.is_none(), "{reading}: {error:?}");
        found.push(ids(&pages, "uuid"));
    }
    assert_eq!(found[0], found[1]);
    assert!(found[0].len() > 60, "{}", found[0].len());
}

#[tokio::test]
async fn alerts_are_asked_for_without_a_page_size_and_audit_logs_with_an_order() {
    let (simulator, url) =
        simulator(&[("alert_top", "refused"), ("audit_order", "ascending")]).await;
    for content_type in ALL {
        let page = first_page(&url, content_type).await.unwrap();
        assert!(page.served() > 0, "{content_type}");
    }
    let requests = simulator.requests();
    let query = |path: &str| requests.iter().find(|r| r.path == path).unwrap().query.clone();
    assert!(!query("/v3.0/workbench/alerts").contains("top="));
    assert!(query("/v3.0/audit/logs").contains("orderBy=ingestedDateTime%20asc"));
}

#[tokio::test]
async fn changes_of_old_alerts_are_seen_in_the_hour_of_the_change() {
    let (_, url) = simulator(&[]).await;
    let connection = open(&url);
    let (pages, _) = walk(&*connection, ask_for(&*connection, ALERTS, 1)).await;
    let start = ask_for(&*connection, ALERTS, 1).interval.start;
    let older = pages.iter().flat_map(|page| &page.records).filter(|record| {
        let value: serde_json::Value = serde_json::from_slice(record.raw()).unwrap();
        crate::support::time(value["createdDateTime"].as_str().unwrap()) < start
    });
    assert!(older.count() > 5);
}

#[tokio::test]
async fn a_window_too_wide_for_the_data_lake_is_to_be_cut() {
    let (_, url) = simulator(&[("widest", "1h")]).await;
    let connection = open(&url);
    let wide = fetch(&*connection, &ask_for(&*connection, TECHNIQUES, 6)).await;
    assert_eq!(wide.unwrap_err().fault, Fault::TooLarge);
    assert!(fetch(&*connection, &ask_for(&*connection, TECHNIQUES, 1)).await.is_ok());
}

#[tokio::test]
async fn without_connected_products_there_is_nothing_to_be_had_and_nothing_wrong() {
    let (_, url) = simulator(&[("no_products", "on")]).await;
    let page = first_page(&url, TECHNIQUES).await.unwrap();
    assert_eq!((page.served(), page.next), (0, None));
}

#[tokio::test]
async fn old_intervals_are_asked_for_within_the_vendors_reach() {
    let (simulator, url) = simulator(&[]).await;
    let connection = open(&url);
    let start = crate::support::time(super::START) - HOUR * 24 * 364 + HOUR;
    let interval = Interval { start, end: start + HOUR };
    let ask = Ask { interval, ..ask_for(&*connection, TECHNIQUES, 1) };
    assert_eq!(fetch(&*connection, &ask).await.unwrap().served(), 0);
    let requests = simulator.requests();
    let paths: Vec<_> = requests.iter().map(|r| (r.path.as_str(), r.status)).collect();
    assert_eq!(paths, [("/v3.0/healthcheck/connectivity", 200), ("/v3.0/oat/detections", 200)]);
    // The vendor's time is asked for once.
    fetch(&*connection, &ask).await.unwrap();
    assert_eq!(simulator.requests().len(), 3);
}

#[tokio::test]
async fn an_end_that_the_vendors_clock_has_not_reached_waits_for_it() {
    let (simulator, url) = simulator(&[]).await;
    let connection = open(&url);
    let mut ask = ask_for(&*connection, TECHNIQUES, 1);
    ask.interval.end = crate::support::time(super::START) + Duration::from_secs(120);
    let error = fetch(&*connection, &ask).await.unwrap_err();
    assert_eq!(
        (error.fault, error.retry_after),
        (Fault::BadRequest, Some(Duration::from_secs(120)))
    );
    assert!(error.detail.contains("check this machine's clock"), "{}", error.detail);
    simulator.clock().advance(Duration::from_secs(120));
    assert!(fetch(&*connection, &ask).await.is_ok());
}

#[tokio::test]
async fn the_vendors_clock_is_told_even_when_it_is_wrong() {
    let (_, url) = simulator(&[("date_skew", "90s")]).await;
    for content_type in ALL {
        let page = first_page(&url, content_type).await.unwrap();
        assert_eq!(page.vendor_time.unwrap().to_string(), "2026-03-02T08:01:30Z");
    }
}

#[tokio::test]
async fn equal_audit_logs_of_one_second_are_one_record() {
    let (_, url) = simulator(&[("twins", "100"), ("audit_ingested", "absent")]).await;
    let connection = open(&url);
    let (pages, _) = walk(&*connection, ask_for(&*connection, AUDIT_LOGS, 6)).await;
    let served: u64 = pages.iter().map(model::vendor::Page::served).sum();
    let distinct = keys(AUDIT_LOGS, &pages).len() as u64;
    assert!(served >= distinct * 2 - 1 && served > 200, "{served} {distinct}");
}

#[tokio::test]
async fn requests_are_reserved_under_the_keys_host() {
    let (_, url) = simulator(&[]).await;
    let connection = open(&url);
    let ledger = Ledger::default();
    let ask = ask_for(&*connection, ALERTS, 1);
    connection.fetch(&connection.keys()[0], &ask, &ledger).await.unwrap();
    assert_eq!(*ledger.hosts.lock().unwrap(), [connection.keys()[0].host.clone()]);
}
