//! Pages and their links against the simulator: everything comes through, every end is seen, and the
//! key goes nowhere else.

use std::collections::BTreeSet;

use model::vendor::{Ask, Connection, Continuation, Fault, Page};

use crate::ocsf;
use crate::servers::{Stub, simulator};
use crate::support::{Ledger, ask, fetch, fetch_next, mapping, normalised, open};

/// Walks an hour to its end in pages of seven.
async fn walk(connection: &dyn Connection) -> Vec<Page> {
    let ledger = Ledger::default();
    let mut ask = Ask { page_size: Some(7), ..ask(connection) };
    let mut pages = Vec::new();
    loop {
        let page = connection.fetch(&connection.keys()[0], &ask, &ledger).await.unwrap();
        ask.next = page.next.clone();
        pages.push(page);
        if ask.next.is_none() {
            return pages;
        }
        assert!(pages.len() < 50, "paging does not end");
    }
}

fn ids(pages: &[Page]) -> BTreeSet<Vec<u8>> {
    let mapping = mapping();
    let records = pages.iter().flat_map(|page| &page.records);
    records.map(|record| mapping.identify(record.raw()).unwrap().key).collect()
}

#[tokio::test]
async fn every_way_in_which_paging_ends_is_seen_and_nothing_is_missed() {
    for end in ["empty", "null", "absent", "null_text", "mixed"] {
        for scheme in ["present", "absent"] {
            let faults = [("link_end", end), ("link_scheme", scheme), ("requests", "100")];
            let (simulator, url) = simulator(&faults).await;
            let connection = open(&url);
            let pages = walk(&*connection).await;
            let found = ids(&pages);
            assert!(found.len() >= 35, "{end} {scheme}: {}", found.len());
            let served = simulator.served();
            let served =
                served.iter().find(|stream| stream.stream == "exchange/securityrisk").unwrap();
            assert_eq!(found.len(), served.ids.len(), "{end} {scheme}");
        }
    }
}

#[tokio::test]
async fn every_stream_becomes_valid_events() {
    let (_, url) = simulator(&[("requests", "1000")]).await;
    let connection = open(&url);
    assert_eq!(connection.streams().len(), 48);
    let mapping = mapping();
    for stream in connection.streams() {
        let ask = Ask { stream: stream.clone(), ..ask(&*connection) };
        let page = connection.fetch(&connection.keys()[0], &ask, &Ledger::default()).await.unwrap();
        assert!(page.records.len() > 10 && page.unusable.is_empty(), "{}", stream.id);
        for record in &page.records {
            ocsf::assert_valid(&normalised(&*mapping, record.raw()));
        }
    }
}

#[tokio::test]
async fn gzip_is_decoded_and_the_vendors_clock_is_told() {
    let (_, url) = simulator(&[("gzip", "on"), ("date_skew", "90s")]).await;
    let page = fetch(&*open(&url)).await.unwrap();
    assert!(page.records.len() > 30);
    assert_eq!(page.vendor_time.unwrap().to_string(), "2026-03-02T08:01:30Z");
}

#[tokio::test]
async fn a_foreign_link_is_not_followed_and_the_page_before_it_is_kept() {
    let (_, url) = simulator(&[("link_host", "collector.evil.example")]).await;
    let connection = open(&url);
    let ask = Ask { page_size: Some(5), ..ask(&*connection) };
    let page = connection.fetch(&connection.keys()[0], &ask, &Ledger::default()).await.unwrap();
    assert_eq!(page.records.len(), 5);
    let ledger = Ledger::default();
    let error = fetch_next(&*connection, page.next.unwrap(), &ledger).await.unwrap_err();
    assert_eq!(error.fault, Fault::ForeignLink);
    assert_eq!(ledger.requests(), 0, "nothing was sent");
}

#[tokio::test]
async fn a_link_to_itself_is_told_without_a_request_and_its_page_is_kept() {
    let (_, url) = simulator(&[("link_repeat", "1"), ("requests", "100")]).await;
    let connection = open(&url);
    let first = Ask { page_size: Some(5), ..ask(&*connection) };
    let ledger = Ledger::default();
    let page = connection.fetch(&connection.keys()[0], &first, &ledger).await.unwrap();
    let second = fetch_next(&*connection, page.next.unwrap(), &ledger).await.unwrap();
    assert_eq!(second.records.len(), 5);
    let error = fetch_next(&*connection, second.next.unwrap(), &ledger).await.unwrap_err();
    assert_eq!((error.fault, ledger.requests()), (Fault::RepeatedLink, 2));
}

#[tokio::test]
async fn a_link_that_ran_out_restarts_the_interval() {
    let (simulator, url) = simulator(&[("token_life", "1s")]).await;
    let connection = open(&url);
    let ask = Ask { page_size: Some(5), ..ask(&*connection) };
    let page = connection.fetch(&connection.keys()[0], &ask, &Ledger::default()).await.unwrap();
    simulator.clock().advance(std::time::Duration::from_secs(5));
    let next = fetch_next(&*connection, page.next.unwrap(), &Ledger::default()).await;
    let fault = next.unwrap_err().fault;
    assert_eq!(fault, Fault::ExpiredLink);
    assert!(fault.restarts_interval());
}

#[tokio::test]
async fn a_next_link_is_sent_verbatim_with_the_same_key() {
    let stub = Stub::fixed(200, &[], r#"{"security_events":[]}"#).await;
    let connection = open(&stub.url);
    let path = "/v1/siem/security_events?service=exchange&skiptoken=WzE3XQ==&a=b%2Fc+d";
    let link = Continuation(format!("{}{path}", stub.url));
    fetch_next(&*connection, link, &Ledger::default()).await.unwrap();
    let seen = stub.seen.lock().unwrap();
    assert_eq!(seen[0].0, path);
    assert_eq!(seen[0].1["authorization"], "Bearer sim-key");
    assert_eq!(seen[0].1["user-agent"], format!("Tarn/{}", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn records_that_are_not_utf8_do_not_take_their_page_along() {
    let stub = Stub::start(|_| {
        let body = b"{\"security_events\":[{\"log_item_id\":\"1\"},{\"x\":\"\xff\"},7]}".to_vec();
        crate::servers::response(200, &[], body)
    })
    .await;
    let page = fetch(&*open(&stub.url)).await.unwrap();
    assert_eq!(page.records.len(), 1);
    assert_eq!(page.served(), 3);
    assert_eq!(page.unusable[0].raw.as_ref(), b"{\"x\":\"\xff\"}");
    assert!(page.unusable[0].reason.contains("UTF-8"));
}
