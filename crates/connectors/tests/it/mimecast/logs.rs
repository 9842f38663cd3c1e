//! TTP logs: every row of a range, in every way in which the vendor pages and fails.

use model::vendor::{Ask, Fault};

use super::{ask, digests, fetch, held, keys, mapping, open, simulator, walk};
use crate::ocsf;
use crate::support::normalised;

const STREAMS: [&str; 3] = ["ttp_url", "ttp_attachment", "ttp_impersonation"];

#[tokio::test]
async fn a_walk_finds_every_row_and_each_becomes_a_valid_event() {
    for faults in [
        &[][..],
        &[("ttp_end", "empty_page"), ("time_form", "colon")],
        &[("ttp_page", "10"), ("time_form", "zulu"), ("unknown", "4")],
        &[("scan_default", "all"), ("gzip", "on")],
    ] {
        let (simulator, url) = simulator(faults).await;
        let connection = open(&url);
        for stream in STREAMS {
            let ask = Ask { page_size: Some(50), ..ask(&*connection, stream, 4) };
            let pages = walk(&*connection, ask).await;
            let served: usize = pages.iter().map(|page| page.records.len()).sum();
            assert!((155..=165).contains(&served), "{stream} {faults:?}: {served}");
            assert_eq!(keys(stream, &pages).len(), served, "{stream}");
            assert!(digests(&pages).is_subset(&held(&simulator, stream)), "{stream}");
            assert!(pages.last().unwrap().next.is_none());
            let mapping = mapping(stream);
            for record in pages.iter().flat_map(|page| &page.records).step_by(2) {
                ocsf::assert_valid(&normalised(&*mapping, record.raw()));
            }
        }
    }
}

#[tokio::test]
async fn clean_links_are_asked_for_too() {
    let (_, url) = simulator(&[]).await;
    let connection = open(&url);
    let page = fetch(&*connection, &ask(&*connection, "ttp_url", 5)).await.unwrap();
    let results: Vec<serde_json::Value> =
        page.records.iter().map(|record| serde_json::from_slice(record.raw()).unwrap()).collect();
    for result in ["clean", "malicious"] {
        assert!(results.iter().filter(|row| row["scanResult"] == result).count() > 50, "{result}");
    }
}

#[tokio::test]
async fn rows_of_the_edges_are_in_both_ranges_and_are_one() {
    let (_, url) = simulator(&[]).await;
    let connection = open(&url);
    let whole = ask(&*connection, "ttp_attachment", 4);
    let middle = super::at("2026-03-02T06:00:00Z");
    let (one, two) = whole.interval.split_at(middle);
    let mut found = std::collections::BTreeSet::new();
    for interval in [one, two] {
        let pages = walk(&*connection, Ask { interval, ..whole.clone() }).await;
        found.extend(keys("ttp_attachment", &pages));
    }
    let all = walk(&*connection, whole).await;
    assert_eq!(found, keys("ttp_attachment", &all));
}

#[tokio::test]
async fn a_failure_inside_a_success_is_one() {
    let (_, url) = simulator(&[("ttp_fail", "1")]).await;
    let connection = open(&url);
    let error = fetch(&*connection, &ask(&*connection, "ttp_url", 1)).await.unwrap_err();
    assert_eq!(error.fault, Fault::Outage);
    assert!(error.detail.contains("err_internal"), "{error}");
}

#[tokio::test]
async fn a_paging_token_that_ran_out_or_answers_itself_is_told() {
    let (stale, url) = simulator(&[("page_token_life", "60s")]).await;
    let connection = open(&url);
    let mut ask = Ask { page_size: Some(5), ..ask(&*connection, "ttp_url", 5) };
    let first = ask.clone();
    ask.next = fetch(&*connection, &ask).await.unwrap().next;
    stale.clock().advance(std::time::Duration::from_secs(90));
    assert_eq!(fetch(&*connection, &ask).await.unwrap_err().fault, Fault::ExpiredLink);
    let (_, url) = simulator(&[("ttp_stuck", "1")]).await;
    let connection = open(&url);
    let mut ask = first;
    for _ in 0..2 {
        let page = fetch(&*connection, &ask).await.unwrap();
        assert_eq!(page.records.len(), 5);
        ask.next = page.next;
    }
    assert_eq!(fetch(&*connection, &ask).await.unwrap_err().fault, Fault::RepeatedLink);
}
