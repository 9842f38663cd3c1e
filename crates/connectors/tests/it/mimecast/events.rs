//! The stream of SIEM events, near real time and a day back.

use model::vendor::{Ask, Fault};

use super::{ask, digests, fetch, held, mapping, open_stream, simulator, walk};
use crate::ocsf;
use crate::support::normalised;

const STREAM: &str = "siem/url_protect";

#[tokio::test]
async fn a_walk_finds_every_event_in_pages_of_a_hundred() {
    let (simulator, url) = simulator(&[("held", "stream")]).await;
    let connection = open_stream(&url);
    let pages = walk(&*connection, ask(&*connection, STREAM, 23)).await;
    assert!(pages.iter().all(|page| page.records.len() <= 100));
    let found = digests(&pages);
    let wanted = held(&simulator, STREAM);
    let missing = wanted.difference(&found).count();
    // The grace of what is held is a quarter of an hour and a minute, this walk goes back 23 hours.
    assert!(missing <= 40 && found.len() > 850, "{missing} {}", found.len());
    for record in pages.iter().flat_map(|page| &page.records) {
        let event = normalised(&*mapping("siem"), record.raw());
        ocsf::assert_valid(&event);
        assert_eq!(event["class_uid"], 4002);
    }
}

#[tokio::test]
async fn either_name_of_the_types_is_honoured() {
    for name in ["both", "type", "types"] {
        let (_, url) = simulator(&[("type_parameter", name)]).await;
        let connection = open_stream(&url);
        let page = fetch(&*connection, &ask(&*connection, STREAM, 2)).await.unwrap();
        let types: Vec<serde_json::Value> = page
            .records
            .iter()
            .map(|record| serde_json::from_slice(record.raw()).unwrap())
            .collect();
        assert!(types.len() > 50);
        assert!(types.iter().all(|event| event["eventType"] == "url protect"), "{name}");
    }
}

#[tokio::test]
async fn odd_pages_change_nothing() {
    let (_, plain_url) = simulator(&[]).await;
    let plain = open_stream(&plain_url);
    let expected = digests(&walk(&*plain, ask(&*plain, STREAM, 12)).await);
    for faults in [
        &[("short_page", "2")][..],
        &[("next_name", "link")],
        &[("order", "descending")],
        &[("gzip", "on"), ("date_skew", "-90s")],
    ] {
        let (_, url) = simulator(faults).await;
        let connection = open_stream(&url);
        let ask = Ask { page_size: Some(30), ..ask(&*connection, STREAM, 12) };
        assert_eq!(digests(&walk(&*connection, ask).await), expected, "{faults:?}");
    }
}

#[tokio::test]
async fn an_empty_page_with_more_to_come_waits_and_goes_on() {
    let (_, url) = simulator(&[("empty_page", "2")]).await;
    let connection = open_stream(&url);
    let mut ask = Ask { page_size: Some(50), ..ask(&*connection, STREAM, 12) };
    ask.next = fetch(&*connection, &ask).await.unwrap().next;
    let empty = fetch(&*connection, &ask).await.unwrap();
    assert!(empty.records.is_empty() && !empty.is_caught_up, "nothing is covered by it");
    assert_eq!(empty.next, None, "the same token is asked at the next poll");
    let more = fetch(&*connection, &ask).await.unwrap();
    assert_eq!(more.records.len(), 50);
}

#[tokio::test]
async fn a_start_of_more_than_a_day_ago_is_refused() {
    let (_, url) = simulator(&[]).await;
    let connection = open_stream(&url);
    let error = fetch(&*connection, &ask(&*connection, STREAM, 25)).await.unwrap_err();
    assert_eq!(error.fault, Fault::BadRequest);
    let declared = super::integration().manifest().content_type("siem").unwrap().clone();
    assert_eq!(connection.facts(&declared).history.as_secs(), 24 * 3600);
}

#[tokio::test]
async fn a_cursor_of_the_other_transport_begins_again_by_time() {
    let (_, url) = simulator(&[]).await;
    let (batch, stream) = (super::open(&url), open_stream(&url));
    let mut ask = ask(&*batch, STREAM, 3);
    ask.next = fetch(&*batch, &ask).await.unwrap().next;
    let error = fetch(&*stream, &ask).await.unwrap_err();
    assert_eq!(error.fault, Fault::ExpiredLink);
}
