//! Files of SIEM events: everything comes through once, whatever is wrong with links and files, and the
//! token stays at home.

use std::collections::BTreeSet;

use model::vendor::{Ask, Fault};
use serde_json::json;

use super::{ask, digests, fetch, held, keys, mapping, open, simulator, walk};
use crate::ocsf;
use crate::servers::{Stub, response};
use crate::support::normalised;

const STREAM: &str = "siem/receipt";
/// More than the simulator's reach, so that all that is held is asked for.
const HOURS: u64 = 7 * 24;

#[tokio::test]
async fn a_walk_over_the_reach_finds_every_event_once() {
    let (simulator, url) = simulator(&[]).await;
    let connection = open(&url);
    let pages = walk(&*connection, ask(&*connection, STREAM, HOURS)).await;
    let served: usize = pages.iter().map(|page| page.records.len()).sum();
    let found = digests(&pages);
    assert_eq!(found.len(), served, "no event came twice");
    assert!(held(&simulator, STREAM).is_subset(&found));
    assert!(pages.len() >= 7, "a hundred files a page");
    assert!(pages.iter().all(|page| page.unusable.is_empty()));
    assert!(pages.last().unwrap().is_caught_up);
}

#[tokio::test]
async fn every_type_becomes_valid_events() {
    for faults in [
        &[][..],
        &[("nulls", "mixed"), ("spelling", "mixed"), ("recipients", "list"), ("unknown", "3")],
    ] {
        let (_, url) = simulator(faults).await;
        let connection = open(&url);
        let mapping = mapping("siem");
        for stream in connection.streams().iter().filter(|s| s.content_type == "siem") {
            let pages = walk(&*connection, ask(&*connection, stream.id.as_str(), 4)).await;
            let records: Vec<_> = pages.iter().flat_map(|page| &page.records).collect();
            assert!(records.len() > 100, "{}", stream.id);
            for record in records.into_iter().step_by(3) {
                ocsf::assert_valid(&normalised(&*mapping, record.raw()));
            }
        }
    }
}

#[tokio::test]
async fn the_token_goes_to_the_vendor_and_no_file_host() {
    // Another name of the same machine is another host.
    let (simulator, url) = simulator(&[]).await;
    let port = url.rsplit_once(':').unwrap().1.to_owned();
    simulator.set_fault("file_host", &format!("localhost:{port}")).unwrap();
    let connection = open(&url);
    let page = fetch(&*connection, &ask(&*connection, STREAM, 3)).await.unwrap();
    assert!(!page.records.is_empty() && page.unusable.is_empty());
    let files: Vec<_> =
        simulator.requests().into_iter().filter(|r| r.path.starts_with("/sim-files/")).collect();
    assert!(!files.is_empty());
    assert!(files.iter().all(|request| request.status == 200), "a token is answered with 400");
}

#[tokio::test]
async fn an_idle_stream_keeps_its_token_and_goes_on_when_files_appear() {
    let (simulator, url) = simulator(&[]).await;
    let connection = open(&url);
    let mut ask = ask(&*connection, STREAM, 3);
    let first = walk(&*connection, ask.clone()).await;
    ask.next = first.last().unwrap().next.clone();
    let idle = fetch(&*connection, &ask).await.unwrap();
    assert!(idle.records.is_empty() && idle.is_caught_up);
    assert_eq!(idle.next, ask.next, "the same token again is no circle");
    simulator.clock().advance(std::time::Duration::from_secs(1_800));
    ask.next = idle.next;
    let later = walk(&*connection, ask).await;
    assert!(later.iter().map(|page| page.records.len()).sum::<usize>() > 10);
    assert!(digests(&first).is_disjoint(&digests(&later)));
}

#[tokio::test]
async fn odd_pages_change_nothing() {
    let (_, plain_url) = simulator(&[]).await;
    let plain = open(&plain_url);
    let expected = digests(&walk(&*plain, ask(&*plain, STREAM, 30)).await);
    for faults in [
        &[("short_page", "1")][..],
        &[("next_name", "link")],
        &[("next_name", "both"), ("siem_error", "fail")],
        &[("repeat_link", "1")],
        &[("repeat_records", "100")],
        &[("order", "shuffled"), ("gzip", "on")],
        &[("members", "3"), ("blank_lines", "on")],
        &[("file_encoding", "on")],
        &[("file_records", "3")],
        &[("old_start", "clip"), ("limit_headers", "always")],
    ] {
        let (_, url) = simulator(faults).await;
        let connection = open(&url);
        let ask = Ask { page_size: Some(20), ..ask(&*connection, STREAM, 30) };
        let pages = walk(&*connection, ask).await;
        let found = digests(&pages);
        assert!(expected.is_subset(&found), "{faults:?}");
        // The first file may repeat events of the day before.
        assert!(found.len() - expected.len() <= 3, "{faults:?}");
        let letters: usize = pages.iter().map(|page| page.unusable.len()).sum();
        assert_eq!(letters, 0, "{faults:?}");
    }
}

#[tokio::test]
async fn links_that_ran_out_are_listed_again() {
    // Eleven divides no listing here, so that other links are dead when it is made again.
    let pages = every_event_comes(&[("dead_link", "11")]).await;
    let served: usize = pages.iter().map(|page| page.records.len()).sum();
    assert_eq!(digests(&pages).len(), served, "files that are done are not fetched again");
}

#[tokio::test]
async fn a_listing_that_is_made_again_may_be_longer_or_shorter() {
    every_event_comes(&[("dead_link", "11"), ("short_page", "2")]).await;
}

/// Walks with these faults, and finds what a walk without them finds.
async fn every_event_comes(faults: &[(&str, &str)]) -> Vec<model::vendor::Page> {
    let (simulator, url) = simulator(faults).await;
    let connection = open(&url);
    let mut ask_more = ask(&*connection, STREAM, 24);
    let mut pages = Vec::new();
    let mut failures = 0;
    while pages.last().is_none_or(|page: &model::vendor::Page| !page.is_caught_up) {
        match fetch(&*connection, &ask_more).await {
            Ok(page) => {
                ask_more.next = page.next.clone();
                pages.push(page);
            }
            // Two dead links in a row: the engine asks again.
            Err(error) => {
                assert_eq!(error.fault, Fault::Unreadable);
                failures += 1;
            }
        }
        assert!(pages.len() + failures < 100);
    }
    assert!(held(&simulator, STREAM).len() > 1_000);
    let letters: Vec<_> = pages.iter().flat_map(|page| &page.unusable).collect();
    assert!(letters.is_empty(), "{letters:?}");
    let (_, plain_url) = super::simulator(&[]).await;
    let plain = open(&plain_url);
    let expected = digests(&walk(&*plain, ask(&*plain, STREAM, 24)).await);
    assert_eq!(digests(&pages), expected);
    pages
}

#[tokio::test]
async fn a_file_that_is_gone_is_given_up_after_some_patience_and_noted() {
    let (simulator, url) = simulator(&[("gone_file", "9")]).await;
    let connection = open(&url);
    let mut ask = ask(&*connection, STREAM, 24);
    let mut pages = Vec::new();
    let mut failures = 0;
    loop {
        match fetch(&*connection, &ask).await {
            Ok(page) => {
                ask.next = page.next.clone();
                let is_done = page.is_caught_up;
                pages.push(page);
                if is_done {
                    break;
                }
            }
            Err(error) => {
                assert_eq!(error.fault, Fault::Unreadable, "{error}");
                assert!(error.detail.contains("answered 404 to a fresh link"), "{error}");
                failures += 1;
            }
        }
        assert!(pages.len() + failures < 100);
    }
    assert!(failures > 0, "nothing is given up at once");
    let letters: Vec<_> = pages.iter().flat_map(|page| &page.unusable).collect();
    assert!(letters.len() >= 10);
    for letter in letters {
        assert!(letter.reason.contains("is gone"), "{}", letter.reason);
        assert!(!String::from_utf8_lossy(&letter.raw).contains("Signature"), "links are keys");
    }
    drop(simulator);
}

#[tokio::test]
async fn a_file_host_that_refuses_everything_loses_nothing() {
    let (_, url) = simulator(&[("gone_file", "1")]).await;
    let connection = open(&url);
    for _ in 0..6 {
        let error = fetch(&*connection, &ask(&*connection, STREAM, 3)).await.unwrap_err();
        assert_eq!(error.fault, Fault::Unreadable);
    }
}

#[tokio::test]
async fn broken_files_and_lines_cost_only_themselves() {
    let (_, plain_url) = simulator(&[]).await;
    let plain = open(&plain_url);
    let expected = digests(&walk(&*plain, ask(&*plain, STREAM, 12)).await);
    for fault in ["corrupt_gzip", "truncated_gzip", "bad_line", "bad_utf8"] {
        let (_, url) = simulator(&[(fault, "4")]).await;
        let connection = open(&url);
        let pages = walk(&*connection, ask(&*connection, STREAM, 12)).await;
        let mapping = mapping("siem");
        let (good, bad): (Vec<_>, Vec<_>) = pages
            .iter()
            .flat_map(|page| &page.records)
            .partition(|record| mapping.identify(record.raw()).is_ok());
        let letters: usize = pages.iter().map(|page| page.unusable.len()).sum();
        assert!(letters + bad.len() >= 10, "{fault}: {letters} {}", bad.len());
        let good: BTreeSet<String> = good
            .into_iter()
            .map(|record| {
                use sha2::Digest;
                hex::encode(sha2::Sha256::digest(record.raw()))
            })
            .collect();
        assert_eq!(good, expected, "{fault}");
    }
}

#[tokio::test]
async fn files_that_http_cannot_unpack_cost_only_themselves() {
    let (_, plain_url) = simulator(&[]).await;
    let plain = open(&plain_url);
    let expected = digests(&walk(&*plain, ask(&*plain, STREAM, 12)).await);
    let (_, url) = simulator(&[("file_encoding", "on"), ("corrupt_gzip", "9")]).await;
    let (pages, _) = walk_through_failures(&*open(&url), STREAM, 12).await;
    let found = digests(&pages);
    assert!(found.is_subset(&expected) && found.len() > expected.len() / 2, "{}", found.len());
    let letters: Vec<_> = pages.iter().flat_map(|page| &page.unusable).collect();
    assert!(!letters.is_empty());
    for letter in letters {
        assert!(letter.reason.contains("cannot be had"), "{}", letter.reason);
    }
}

/// Walks a stream until it is caught up, and asks again after failures as the engine does; answers the
/// failures too.
async fn walk_through_failures(
    connection: &dyn model::vendor::Connection,
    stream: &str,
    hours: u64,
) -> (Vec<model::vendor::Page>, Vec<model::vendor::FetchError>) {
    let mut ask = ask(connection, stream, hours);
    let (mut pages, mut failures) = (Vec::<model::vendor::Page>::new(), Vec::new());
    while pages.last().is_none_or(|page| !page.is_caught_up) {
        match fetch(connection, &ask).await {
            Ok(page) => {
                ask.next = page.next.clone();
                pages.push(page);
            }
            Err(error) => {
                assert!(!error.fault.restarts_interval(), "{error}");
                assert_ne!(error.fault, Fault::TooLarge, "it would begin the walk again");
                failures.push(error);
            }
        }
        assert!(pages.len() + failures.len() < 100, "one file holds up its stream");
    }
    (pages, failures)
}

/// A vendor whose listings name files of a host, one listing after the other; the last one stays.
async fn lister(host: &str, listings: &'static [&'static [u32]]) -> Stub {
    let host = host.to_owned();
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    Stub::start(move |path| {
        if path.starts_with("/oauth") {
            return response(200, &[], r#"{"access_token":"t","expires_in":1799}"#);
        }
        let number = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let files = listings[number.min(listings.len() - 1)];
        let link = |file: &u32| json!({ "url": format!("{host}/f/{file}?Signature=s1gned") });
        let files: Vec<_> = files.iter().map(link).collect();
        let page = json!({ "value": files, "@nextPage": "T", "isCaughtUp": true });
        response(200, &[], page.to_string())
    })
    .await
}

/// A good file; its path names it.
fn good(path: &str) -> Answered {
    response(200, &[], json!({ "type": "spam", "file": &path["/f/".len()..][..1] }).to_string())
}

type Answered = axum::http::Response<axum::body::Body>;

#[tokio::test]
async fn one_bad_file_does_not_hold_up_its_stream() {
    let odds: [fn() -> Answered; 6] = [
        || response(400, &[], "no"),
        || response(302, &[("location".to_owned(), "https://x.example/".to_owned())], ""),
        || response(451, &[], "no"),
        || response(500, &[], "no"),
        || response(200, &[("content-encoding".to_owned(), "br".to_owned())], "{}"),
        bomb,
    ];
    for (number, odd) in odds.into_iter().enumerate() {
        let host = Stub::start(move |path| match path.starts_with("/f/2") {
            true => odd(),
            false => good(path),
        })
        .await;
        let vendor = lister(&host.url, &[&[1, 2, 3]]).await;
        let connection = open(&vendor.url);
        let (pages, failures) = walk_through_failures(&*connection, "siem/spam", 3).await;
        assert_eq!(pages.iter().map(|page| page.records.len()).sum::<usize>(), 2, "{number}");
        assert!(failures.len() >= 3, "{number}: nothing is given up at once");
        let letters: Vec<_> = pages.iter().flat_map(|page| &page.unusable).collect();
        assert_eq!(letters.len(), 1, "{number}");
        let text = format!("{} {}", letters[0].reason, String::from_utf8_lossy(&letters[0].raw));
        assert!(text.contains("/f/2 cannot be had") && !text.contains("s1gned"), "{text}");
        assert!(pages.last().unwrap().next.as_ref().is_some_and(|next| next.0.contains("\"T\"")));
    }
}

/// A small body that is larger than a file may be.
fn bomb() -> Answered {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..65 {
        encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let headers = [("content-encoding".to_owned(), "gzip".to_owned())];
    response(200, &headers, encoder.finish().unwrap())
}

#[tokio::test]
async fn files_that_are_listed_no_more_are_tried_by_their_old_links_and_none_vanishes() {
    // The first link has run out, and the file is listed no more; neither are the two behind it, of
    // which one is still there.
    let host = Stub::start(|path| match &path[..4] {
        "/f/1" | "/f/3" => response(403, &[], ""),
        _ => good(path),
    })
    .await;
    let vendor = lister(&host.url, &[&[1, 2, 3, 4], &[4]]).await;
    let (pages, _) = walk_through_failures(&*open(&vendor.url), "siem/spam", 3).await;
    assert_eq!(pages.iter().map(|page| page.records.len()).sum::<usize>(), 2);
    let reasons: Vec<_> = pages.iter().flat_map(|page| &page.unusable).map(|l| &l.reason).collect();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    for (reason, file) in reasons.into_iter().zip(["/f/1", "/f/3"]) {
        assert!(reason.contains(&format!("{file} is not listed any more")), "{reason}");
    }
}

#[tokio::test]
async fn a_cut_file_is_asked_for_again_and_what_came_before_is_kept() {
    let (simulator, url) = simulator(&[]).await;
    let connection = open(&url);
    let mut ask = ask(&*connection, STREAM, 3);
    // The listing is one answer; the sixth answer is a file in the middle of the page.
    simulator.set_fault("cut_every", "6").unwrap();
    let first = fetch(&*connection, &ask).await.unwrap();
    assert!(!first.records.is_empty() && !first.is_caught_up);
    simulator.set_fault("cut_every", "0").unwrap();
    ask.next = first.next.clone();
    let rest = walk(&*connection, ask).await;
    assert!(digests(std::slice::from_ref(&first)).is_disjoint(&digests(&rest)));
    let all = first.records.len() + rest.iter().map(|page| page.records.len()).sum::<usize>();
    assert!(all > 300, "{all}");
}

#[tokio::test]
async fn a_token_that_answers_itself_is_told_at_the_next_step() {
    let (_, url) = simulator(&[("stuck_token", "1")]).await;
    let connection = open(&url);
    let mut ask = Ask { page_size: Some(5), ..ask(&*connection, STREAM, 12) };
    ask.next = fetch(&*connection, &ask).await.unwrap().next;
    let page = fetch(&*connection, &ask).await.unwrap();
    assert!(!page.records.is_empty(), "the page itself is good");
    ask.next = page.next;
    let error = fetch(&*connection, &ask).await.unwrap_err();
    assert_eq!(error.fault, Fault::RepeatedLink);
}

#[tokio::test]
async fn a_token_that_the_vendor_forgot_has_run_out_whatever_it_says() {
    for status in ["400", "401", "404"] {
        for shape in ["error", "fail"] {
            let faults =
                [("page_token_life", "60s"), ("stale_status", status), ("siem_error", shape)];
            let (simulator, url) = simulator(&faults).await;
            let connection = open(&url);
            let mut ask = Ask { page_size: Some(5), ..ask(&*connection, STREAM, 12) };
            ask.next = fetch(&*connection, &ask).await.unwrap().next;
            simulator.clock().advance(std::time::Duration::from_secs(120));
            let error = fetch(&*connection, &ask).await.unwrap_err();
            assert_eq!(error.fault, Fault::ExpiredLink, "{status} {shape}");
            assert!(error.fault.restarts_interval());
        }
    }
}

#[tokio::test]
async fn a_start_before_the_reach_is_refused_as_a_bad_request() {
    let (_, url) = simulator(&[]).await;
    let connection = open(&url);
    let error = fetch(&*connection, &ask(&*connection, STREAM, 10 * 24)).await.unwrap_err();
    assert_eq!(error.fault, Fault::BadRequest);
    assert!(error.detail.contains("7 days"), "{error}");
}

#[tokio::test]
async fn a_page_without_a_token_ends_the_walk() {
    let (_, url) = simulator(&[("missing_next", "1")]).await;
    let connection = open(&url);
    let page = fetch(&*connection, &ask(&*connection, STREAM, 3)).await.unwrap();
    assert!(!page.records.is_empty());
    assert_eq!(page.next, None);
}

#[tokio::test]
async fn files_of_one_page_that_are_too_many_for_one_step_follow_in_the_next() {
    // Files of some megabytes each, eight of them: one step takes 32 MiB.
    let line = format!("{{\"type\":\"spam\",\"subject\":\"{}\"}}\n", "x".repeat(1 << 20));
    let stub = Stub::start(move |path| {
        if path.starts_with("/oauth") {
            return response(200, &[], r#"{"access_token":"t","expires_in":1799}"#);
        }
        if path.starts_with("/f/") {
            let body = line.replace("spam\"", &format!("spam\",\"file\":\"{path}\"")).repeat(8);
            return response(200, &[], body);
        }
        response(200, &[], String::new())
    })
    .await;
    let files: Vec<_> = (0..8).map(|n| json!({"url": format!("{}/f/{n}", stub.url)})).collect();
    let page = json!({"value": files, "@nextPage": "T", "isCaughtUp": true}).to_string();
    let lister = Stub::start(move |path| {
        if path.starts_with("/oauth") {
            return response(200, &[], r#"{"access_token":"t","expires_in":1799}"#);
        }
        response(200, &[], page.clone())
    })
    .await;
    let connection = open(&lister.url);
    let mut ask = ask(&*connection, "siem/spam", 3);
    let first = fetch(&*connection, &ask).await.unwrap();
    assert_eq!((first.records.len(), first.is_caught_up), (32, false));
    ask.next = first.next;
    let second = fetch(&*connection, &ask).await.unwrap();
    assert_eq!((second.records.len(), second.is_caught_up), (32, true));
    assert_eq!(lister.requests(), 2, "one token and one listing");
    // A process that begins anew in the middle of the page lists it again and skips what is done.
    let again = open(&lister.url);
    let third = fetch(&*again, &ask).await.unwrap();
    assert_eq!(third.records.len(), 32);
    let seen = stub.seen.lock().unwrap();
    assert!(seen.iter().all(|(_, headers)| !headers.contains_key("authorization")));
}

#[tokio::test]
async fn both_transports_serve_the_same_records() {
    let (_, url) = simulator(&[("late", "10:20m")]).await;
    let (batch, stream) = (open(&url), super::open_stream(&url));
    let files = walk(&*batch, ask(&*batch, "siem/delivery", 23)).await;
    let events = walk(&*stream, ask(&*stream, "siem/delivery", 20)).await;
    let (files, events) = (keys("siem", &files), keys("siem", &events));
    assert!(events.len() > 500);
    let only_in_events = events.difference(&files).count();
    // The newest quarter of an hour is in no file yet.
    assert!(only_in_events < 40, "{only_in_events}");
}
