//! Pages and their links: everything comes through, a walk that loses rows is told, links are sent as they came.

use std::time::Duration;

use model::vendor::{Ask, Continuation, Fault};

use super::{
    ALERTS, ALL, AUDIT_LOGS, TECHNIQUES, ask_for, fetch, ids, keys, open, simulator, walk,
};
use crate::servers::Stub;
use crate::support::Ledger;

#[tokio::test]
async fn every_way_in_which_paging_ends_is_seen_and_nothing_is_missed() {
    let mut found = Vec::new();
    for end in ["absent", "null", "empty", "mixed"] {
        let (simulator, url) = simulator(&[("link_end", end)]).await;
        let connection = open(&url);
        for content_type in ALL {
            let (pages, error) = walk(&*connection, ask_for(&*connection, content_type, 12)).await;
            assert!(error.is_none(), "{end} {content_type}: {error:?}");
            assert!(pages.len() > 1, "{content_type} has one page only");
            let served = simulator.served();
            let served = served.iter().find(|stream| stream.stream == content_type).unwrap();
            let keys = keys(content_type, &pages);
            assert_eq!(keys.len(), served.ids.len(), "{end} {content_type}");
            found.push((content_type, keys));
        }
    }
    for content_type in ALL {
        let mut walks = found.iter().filter(|(of, _)| *of == content_type).map(|(_, keys)| keys);
        let first = walks.next().unwrap();
        assert!(first.len() > 400 && walks.all(|keys| keys == first), "{content_type}");
    }
}

#[tokio::test]
async fn what_the_walks_bring_is_what_the_vendor_holds() {
    let (simulator, url) = simulator(&[("updates", "off"), ("late", "20:3h")]).await;
    let connection = open(&url);
    for (content_type, name) in [(ALERTS, "id"), (TECHNIQUES, "uuid")] {
        let (pages, _) = walk(&*connection, ask_for(&*connection, content_type, 90)).await;
        let held = simulator
            .held_until(Some(ask_for(&*connection, content_type, 1).interval.end.as_millis() - 1));
        let held = held.into_iter().find(|stream| stream.stream == content_type).unwrap();
        let found: std::collections::BTreeSet<_> = ids(&pages, name).into_iter().collect();
        let lost = held.ids.iter().filter(|id| !found.contains(*id)).count();
        assert_eq!((lost, held.ids.len() > 3_000), (0, true), "{content_type}");
    }
}

#[tokio::test]
async fn a_walk_goes_on_in_another_process_where_it_stopped() {
    let (_, url) = simulator(&[]).await;
    for content_type in ALL {
        let first = open(&url);
        let ask = ask_for(&*first, content_type, 12);
        let (whole, _) = walk(&*first, ask.clone()).await;
        let page = fetch(&*first, &ask).await.unwrap();
        let kept: Continuation =
            serde_json::from_str(&serde_json::to_string(&page.next.clone().unwrap()).unwrap())
                .unwrap();
        drop(first);
        let second = open(&url);
        let (rest, error) = walk(&*second, Ask { next: Some(kept), ..ask }).await;
        assert!(error.is_none(), "{content_type}");
        let mut resumed = keys(content_type, &[page]);
        resumed.extend(keys(content_type, &rest));
        assert_eq!(resumed, keys(content_type, &whole), "{content_type}");
    }
}

#[tokio::test]
async fn empty_pages_with_a_link_and_null_instead_of_a_list_lose_nothing() {
    let (simulator, url) = simulator(&[]).await;
    let connection = open(&url);
    for content_type in ALL {
        let ask = ask_for(&*connection, content_type, 31);
        let (plain, error) = walk(&*connection, ask.clone()).await;
        assert!(error.is_none(), "{content_type}");
        for (name, value) in [("empty_page_with_link", "2"), ("null_items", "on")] {
            simulator.set_fault(name, value).unwrap();
        }
        let (odd, error) = walk(&*connection, ask).await;
        assert!(error.is_none(), "{content_type}");
        assert!(odd.iter().any(|page| page.served() == 0 && page.next.is_some()), "{content_type}");
        assert_eq!(keys(content_type, &odd), keys(content_type, &plain), "{content_type}");
        simulator.set_fault("empty_page_with_link", "0").unwrap();
        simulator.set_fault("null_items", "off").unwrap();
    }
}

#[tokio::test]
async fn a_link_to_itself_is_told_without_a_request_and_its_page_is_kept() {
    let (_, url) = simulator(&[("link_repeat", "1")]).await;
    let connection = open(&url);
    for content_type in ALL {
        let (pages, error) = walk(&*connection, ask_for(&*connection, content_type, 12)).await;
        assert_eq!(error.unwrap().fault, Fault::RepeatedLink, "{content_type}");
        assert!(pages.len() == 2 && pages[1].served() > 0, "{content_type}");
    }
}

#[tokio::test]
async fn a_missing_link_with_more_rows_to_come_is_told() {
    let (_, url) = simulator(&[("lost_link", "2")]).await;
    let connection = open(&url);
    for content_type in ALL {
        let ask = ask_for(&*connection, content_type, 24);
        let (pages, error) = walk(&*connection, ask).await;
        let error = error.unwrap();
        assert_eq!(error.fault, Fault::ShortWalk, "{content_type}");
        assert!(error.fault.restarts_interval() && error.detail.contains(" rows came"));
        assert_eq!(pages.len(), 2, "{content_type}");
    }
}

#[tokio::test]
async fn a_walk_is_short_as_often_as_it_is_unless_it_is_of_the_narrowest_span() {
    let (_, url) = simulator(&[("lost_link", "1")]).await;
    let connection = open(&url);
    let wide = ask_for(&*connection, AUDIT_LOGS, 24);
    for _ in 0..5 {
        let error = walk(&*connection, wide.clone()).await.1.unwrap();
        assert_eq!(error.fault, Fault::ShortWalk);
    }
}

/// A page that says that there are two rows, and has one.
const ONE_OF_TWO: &str = r#"{"totalCount":2,"count":1,"items":[{"id":"WB-1"}]}"#;

#[tokio::test]
async fn a_second_that_stays_short_is_taken_for_whole_after_some_tries() {
    let stub = Stub::fixed(200, &[], ONE_OF_TWO).await;
    let short = Some(Fault::ShortWalk);
    let narrow = [short.clone(), short.clone(), None, short.clone()];
    // Spans need not be of whole seconds; from three on the engine goes on with halves.
    for (millis, expected) in
        [(2_000, &narrow), (2_999, &narrow), (3_000, &[(); 4].map(|()| short.clone()))]
    {
        let connection = open(&stub.url);
        let mut ask = ask_for(&*connection, ALERTS, 1);
        ask.interval.start = ask.interval.end - Duration::from_millis(millis);
        let mut ends = Vec::new();
        for _ in 0..4 {
            ends.push(walk(&*connection, ask.clone()).await.1.map(|error| error.fault));
        }
        assert_eq!(ends, *expected, "{millis} ms: after the third one it is counted anew");
    }
}

#[tokio::test]
async fn a_row_that_moves_while_one_pages_costs_another_walk_and_no_alert() {
    for fault in ["update_while_paging", "withdraw_while_paging"] {
        let (simulator, url) = simulator(&[(fault, "3"), ("updates", "off")]).await;
        let connection = open(&url);
        let ask = ask_for(&*connection, ALERTS, 12);
        let (first, error) = walk(&*connection, ask.clone()).await;
        assert_eq!(error.unwrap().fault, Fault::ShortWalk, "{fault}");
        simulator.set_fault(fault, "0").unwrap();
        let (second, error) = walk(&*connection, ask.clone()).await;
        assert!(error.is_none(), "{fault}");
        let mut found: std::collections::BTreeSet<_> = ids(&first, "id").into_iter().collect();
        let slipped = ids(&second, "id").iter().filter(|id| !found.contains(*id)).count();
        assert!(slipped > 0, "{fault} took nothing away, so this proves nothing");
        found.extend(ids(&second, "id"));
        let (_, calm_url) = super::simulator(&[("updates", "off")]).await;
        let (calm, _) = walk(&*open(&calm_url), ask).await;
        assert_eq!(found, ids(&calm, "id").into_iter().collect(), "{fault}");
    }
}

#[tokio::test]
async fn a_page_link_that_ran_out_restarts_the_interval() {
    for (content_type, fault) in
        [(TECHNIQUES, "token_life"), (ALERTS, "skip_token_life"), (AUDIT_LOGS, "skip_token_life")]
    {
        let (simulator, url) = simulator(&[(fault, "30s")]).await;
        let connection = open(&url);
        let ask = ask_for(&*connection, content_type, 12);
        let page = fetch(&*connection, &ask).await.unwrap();
        simulator.clock().advance(Duration::from_secs(60));
        let error = fetch(&*connection, &Ask { next: page.next, ..ask }).await.unwrap_err();
        assert_eq!(error.fault, Fault::ExpiredLink, "{content_type}");
        assert!(error.fault.restarts_interval());
    }
}

#[tokio::test]
async fn a_foreign_link_is_not_followed_and_the_page_before_it_is_kept() {
    let (_, url) = simulator(&[("link_host", "collector.evil.example")]).await;
    let connection = open(&url);
    for content_type in ALL {
        let ask = ask_for(&*connection, content_type, 12);
        let page = fetch(&*connection, &ask).await.unwrap();
        assert!(page.served() > 0);
        let ledger = Ledger::default();
        let next = Ask { next: page.next, ..ask };
        let error = connection.fetch(&connection.keys()[0], &next, &ledger).await.unwrap_err();
        assert_eq!((error.fault, ledger.requests()), (Fault::ForeignLink, 0), "{content_type}");
    }
}

#[tokio::test]
async fn links_are_sent_as_they_came_with_the_same_key_and_filter() {
    let page = r#"{"items":[],"totalCount":0}"#;
    let stub = Stub::fixed(200, &[], page).await;
    let mut settings = super::settings(&stub.url, "sim-key");
    let chosen = serde_json::json!({"risk_levels": ["high", "critical"]});
    settings.parameters.extend(crate::support::parameters(chosen));
    let connection = super::vision().open(&settings).unwrap();
    let path = "/v3/xdr/oat/detection?a=b c&nextBatchToken=++//==&x=%2B";
    let link = Continuation(format!("{}{path}", stub.url));
    let ask = Ask { next: Some(link), ..ask_for(&*connection, TECHNIQUES, 1) };
    fetch(&*connection, &ask).await.unwrap();
    let seen = stub.seen.lock().unwrap();
    // Only what no URL may hold is encoded.
    assert_eq!(seen[0].0, path.replace(' ', "%20"));
    assert_eq!(seen[0].1["authorization"], "Bearer sim-key");
    assert_eq!(seen[0].1["tmv1-filter"], "(riskLevel eq 'high') or (riskLevel eq 'critical')");
    assert_eq!(seen[0].1["user-agent"], format!("Tarn/{}", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn odd_link_paths_and_spaces_in_links_are_followed() {
    for (name, value) in [("link_path", "odd"), ("raw_space", "off"), ("alerts_per_page", "1")] {
        let (simulator, url) = simulator(&[(name, value)]).await;
        let connection = open(&url);
        for content_type in ALL {
            let (pages, error) = walk(&*connection, ask_for(&*connection, content_type, 3)).await;
            assert!(error.is_none(), "{name} {content_type}: {error:?}");
            assert!(keys(content_type, &pages).len() > 90, "{name} {content_type}");
        }
        assert!(simulator.requests().iter().all(|request| request.status == 200));
    }
}

#[tokio::test]
async fn a_filter_goes_with_every_page() {
    let (simulator, url) = simulator(&[]).await;
    let mut settings = super::settings(&url, "sim-key");
    let chosen = serde_json::json!({"model_types": ["custom"], "risk_levels": ["critical"]});
    settings.parameters.extend(crate::support::parameters(chosen));
    let connection = super::vision().open(&settings).unwrap();
    for (content_type, wanted) in [(ALERTS, "\"custom\""), (TECHNIQUES, "\"critical\"")] {
        let ask = ask_for(&*connection, content_type, 24);
        let (pages, error) = walk(&*connection, Ask { page_size: Some(50), ..ask }).await;
        assert!(error.is_none() && pages.len() > 1, "{content_type}");
        for record in pages.iter().flat_map(|page| &page.records) {
            assert!(String::from_utf8_lossy(record.raw()).contains(wanted), "{content_type}");
        }
    }
    drop(simulator);
}
