//! Threat investigation of the fake Cloud App Security: criteria, windows, paging.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;
use simulators::{Options, SimClock, Simulator, Volume, simulator};

use crate::client::{START, get, ms, send, sim};

const SWEEP: &str = "/v1/sweeping/mails";

/// The unique ids of a page.
fn ids(page: &Value) -> Vec<String> {
    let records = page["value"].as_array().unwrap().iter();
    records.map(|record| record["mail_unique_id"].as_str().unwrap().to_owned()).collect()
}

/// Only the ten known messages.
fn known() -> Simulator {
    sim(Volume::PerHour(6.0), &[("mails", "10")])
}

async fn pages(simulator: &Simulator, query: &str) -> Vec<Value> {
    let (mut pages, mut target) = (Vec::new(), Some(format!("{SWEEP}?{query}")));
    while let Some(link) = target.take() {
        let page = get(simulator, &link).await;
        assert_eq!(page.status, 200, "{link}");
        target = page.next_link();
        pages.push(page.json());
        assert!(pages.len() < 2_000, "paging does not end");
    }
    pages
}

/// Which known mails a query finds in 90 days, as `message-mailbox`, in order of delivery.
async fn found(simulator: &Simulator, query: &str) -> Vec<String> {
    let page = get(simulator, &format!("{SWEEP}?lastndays=90&limit=1000&{query}")).await;
    assert_eq!(page.status, 200, "{query}");
    let short = |id: String| id.trim_start_matches("AAMkSIM0000").trim_end_matches('=').to_owned();
    ids(&page.json()).into_iter().map(short).collect()
}

#[tokio::test]
async fn a_known_mail_looks_as_the_vendors() {
    let page =
        get(&known(), &format!("{SWEEP}?message_id=%3Csim-mail-0@mail.sender.example%3E")).await;
    let body = page.json();
    assert!(body["traceId"].is_string());
    assert_eq!(body["next_link"], "");
    let current = body["current_link"].as_str().unwrap();
    assert!(current.starts_with("http://cas.example:9001/v1/sweeping/mails?message_id="));
    let mail = &body["value"][0];
    for (member, expected) in [
        ("mailbox", "haruka.mori@tarn.example"),
        ("mail_unique_id", "AAMkSIM00000-0="),
        ("mail_message_id", "<sim-mail-0@mail.sender.example>"),
        ("mail_message_sender", "billing@sender.example"),
        ("mail_message_subject", "Invoice 8841"),
        ("mail_message_delivery_time", "2026-03-02T06:00:00.000Z"),
        ("source_ip", "192.0.2.10"),
        ("source_domain", "sender.example"),
        ("service", "exchange"),
    ] {
        assert_eq!(mail[member], expected, "{member}");
    }
    assert_eq!(mail["mail_message_recipient"].as_array().unwrap().len(), 2);
    assert_eq!(mail["mail_urls"][0], "http://pay.bad.example/login");
    let file = &mail["mail_attachments"][0];
    assert_eq!(file["file_name"], "inv.pdf");
    assert_eq!(file["file_sha1"], "10".repeat(20));
    assert_eq!(file["file_sha256"], "10".repeat(32));
    let folded = mail["mail_internet_headers"][1]["Value"].as_str().unwrap();
    assert!(folded.contains("\r\n "), "{folded}");
    assert_eq!(ids(&body), ["AAMkSIM00000-0=", "AAMkSIM00000-1="], "one record per mailbox");
}

#[tokio::test]
async fn every_criterion_finds_its_mails() {
    let sim = known();
    let (sha1, sha256) = ("15".repeat(20), "12".repeat(32));
    let all = [
        "8-0", "7-0", "6-0", "5-0", "4-0", "4-1", "4-2", "3-0", "3-1", "2-0", "1-0", "9-0", "0-0",
        "0-1",
    ];
    for (query, expected) in [
        ("", all.to_vec()),
        ("mailbox=lena.fischer@tarn.example", vec!["4-2", "1-0"]),
        ("mailbox=LENA.Fischer@tarn.example", vec!["4-2", "1-0"]),
        ("mailbox=p*@eu.tarn.*", vec!["3-1"]),
        ("subject=invoice", vec!["9-0", "0-0", "0-1"]),
        ("subject=8841%20parcel", vec!["2-0", "0-0", "0-1"]),
        ("subject=%22invoice%208841%22", vec!["0-0", "0-1"]),
        ("subject=%228841%20invoice%22", vec![]),
        ("subject=draft", vec!["8-0", "4-0", "4-1", "4-2"]),
        ("subject=meeting", vec!["6-0"]),
        ("subject=%E3%83%91%E3%82%B9%E3%83%AF%E3%83%BC%E3%83%89", vec!["5-0"]),
        (&format!("file_sha1={sha1}"), vec!["4-0", "4-1", "4-2"]),
        (&format!("file_sha256={sha256}"), vec!["2-0"]),
        ("file_name=inv", vec!["0-0", "0-1"]),
        ("file_name=inv.pdf", vec!["0-0", "0-1"]),
        ("file_name=macro*", vec!["4-0", "4-1", "4-2"]),
        ("file_name=nv.pdf", vec![]),
        ("file_extension=js", vec!["2-0"]),
        ("file_extension=xl*", vec!["4-0", "4-1", "4-2"]),
        ("url=http://pay.bad.example/login", vec!["0-0", "0-1"]),
        ("url=https%3A%2F%2Fcdn.files-drop.example%2Fparcel%3Fid%3D77%26lang%3Dpt", vec!["2-0"]),
        ("url=pay.bad.example", vec![]),
        ("sender=hr@spoof.example", vec!["1-0"]),
        ("sender=accounts@*", vec!["8-0", "4-0", "4-1", "4-2"]),
        ("sender=no.reply%2Bbounce=77@lists.example", vec!["7-0"]),
        ("recipient=keiri@tarn.example", vec!["0-0", "0-1"]),
        ("message_id=%3Csim-mail-3@mail.sender.example%3E", vec!["3-0", "3-1"]),
        ("source_ip=203.0.113.20", vec!["2-0"]),
        ("source_ip=203.0.113.0/24", vec!["3-0", "3-1", "2-0"]),
        ("source_ip=2001:db8::/32", vec!["4-0", "4-1", "4-2"]),
        ("source_domain=spoof.example", vec!["1-0"]),
        ("source_domain=s*r-co.example", vec!["4-0", "4-1", "4-2"]),
        ("sender=billing@*&mailbox=keiri@tarn.example", vec!["0-1"]),
        ("sender=billing@*&source_domain=spoof.example", vec![]),
    ] {
        assert_eq!(found(&sim, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn wrong_searches_are_told_so() {
    let sim = known();
    for query in [
        "mailbox=*@tarn.example",
        "sender=*",
        "recipient=*x",
        "file_name=*.pdf",
        "file_extension=.pdf",
        "file_extension=*",
        "source_domain=*.example",
        "file_sha1=1010",
        "file_sha256=zz",
        "source_ip=192.0.2",
        "source_ip=192.0.2.0/33",
        "subject=",
        "subject=%22%22",
        "url=",
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=many",
        "lastndays=91",
        "lastndays=0",
        "lastndays=1.5",
        "lastndays=7&start=2026-03-01T00:00:00Z",
        "lastndays=7&end=2026-03-01T00:00:00Z",
        "start=2026-03-01T00:00:00%2B00:00",
        "start=2026-03-01T00:00:00Z&end=2026-02-28T00:00:00Z",
        "skiptoken=nonsense",
        "sender=a@b.example&sender=a@b.example",
    ] {
        let refused = get(&sim, &format!("{SWEEP}?{query}")).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (400, -4_000_001), "{query}");
        assert!(refused.json()["msg"].is_string());
    }
    let posted = send(&sim.router(), "POST", SWEEP, Some("sim-key"), "{}").await;
    assert_eq!((posted.code(), posted.headers["allow"].to_str().unwrap()), (-4_050_001, "GET"));
}

#[tokio::test]
async fn the_last_seven_days_and_twenty_mails_are_the_default() {
    let sim = sim(Volume::PerHour(6.0), &[]);
    let page = get(&sim, SWEEP).await.json();
    assert_eq!(ids(&page).len(), 20);
    let bare: Vec<_> = pages(&sim, "limit=1000").await.iter().flat_map(ids).collect();
    let week: Vec<_> = pages(&sim, "lastndays=7&limit=1000").await.iter().flat_map(ids).collect();
    assert_eq!(bare, week);
    let bounded = format!("start=2026-02-23T08:00:00Z&end={START}&limit=1000");
    let bounded: Vec<_> = pages(&sim, &bounded).await.iter().flat_map(ids).collect();
    assert_eq!(bare, bounded);
    let only_start = pages(&sim, "start=2026-02-23T08:00:00Z&limit=1000").await;
    assert_eq!(ids(&only_start[0]), bare);
    let only_end = pages(&sim, &format!("end={START}&limit=1000")).await;
    assert_eq!(ids(&only_end[0]), bare);
}

#[tokio::test]
async fn mails_are_forgotten_after_90_days() {
    let sim = known();
    let old = "message_id=%3Csim-mail-8@mail.sender.example%3E";
    assert_eq!(found(&sim, old).await, ["8-0"]);
    sim.clock().advance(Duration::from_secs(2 * 86_400));
    assert!(found(&sim, old).await.is_empty());
    let start = "start=2025-11-01T00:00:00Z&end=2026-03-02T00:00:00Z&limit=1000";
    let page = get(&sim, &format!("{SWEEP}?{start}")).await.json();
    assert!(!ids(&page).contains(&"AAMkSIM00008-0=".to_owned()));
}

#[tokio::test]
async fn pages_of_every_size_hold_every_mail_once_in_order_of_delivery() {
    let sim = sim(Volume::PerHour(6.0), &[]);
    let whole: Vec<_> = pages(&sim, "lastndays=90&limit=1000").await.iter().flat_map(ids).collect();
    assert!(whole.len() > 400, "{}", whole.len());
    for limit in [1, 7, 20, 499] {
        let pages = pages(&sim, &format!("lastndays=90&limit={limit}")).await;
        assert_eq!(pages.len(), whole.len().div_ceil(limit), "{limit}");
        assert_eq!(pages.iter().flat_map(ids).collect::<Vec<_>>(), whole, "{limit}");
        let times: Vec<_> =
            pages.iter().flat_map(|page| page["value"].as_array().unwrap()).collect();
        let time = |mail: &&Value| mail["mail_message_delivery_time"].as_str().unwrap().to_owned();
        assert!(times.is_sorted_by_key(time));
    }
}

#[tokio::test]
async fn the_token_is_the_last_mails_time_and_id_and_the_link_keeps_the_query() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE;
    let sim = known();
    let page =
        get(&sim, &format!("{SWEEP}?lastndays=30&limit=1&sender=billing%40sender.example")).await;
    let link = page.next_link().unwrap();
    let (query, token) = link.split_once("&skiptoken=").unwrap();
    assert_eq!(
        query,
        "http://cas.example:9001/v1/sweeping/mails?lastndays=30&limit=1&sender=billing%40sender.example"
    );
    let token: Value = serde_json::from_slice(&URL_SAFE.decode(token).unwrap()).unwrap();
    assert_eq!(token, serde_json::json!([ms("2026-03-02T05:00:00Z"), "AAMkSIM00009-0="]));
}

#[tokio::test]
async fn links_of_a_search_without_parameters_have_only_the_token() {
    let page = get(&sim(Volume::PerHour(6.0), &[]), SWEEP).await;
    assert_eq!(page.json()["current_link"], "http://cas.example:9001/v1/sweeping/mails");
    let link = page.next_link().unwrap();
    assert!(link.starts_with("http://cas.example:9001/v1/sweeping/mails?skiptoken="), "{link}");
}

#[tokio::test]
async fn some_records_lack_what_the_vendor_added_later() {
    let sim = sim(Volume::PerHour(6.0), &[]);
    let page = get(&sim, &format!("{SWEEP}?lastndays=90&limit=1000")).await.json();
    let mails = page["value"].as_array().unwrap();
    let has = |member: &str| mails.iter().filter(|mail| mail.get(member).is_some()).count();
    assert_eq!(has("service"), has("org_id"));
    assert!((mails.len() / 2..mails.len()).contains(&has("service")));
    let files: Vec<_> =
        mails.iter().flat_map(|mail| mail["mail_attachments"].as_array().unwrap()).collect();
    let hashed = files.iter().filter(|file| file.get("file_sha256").is_some()).count();
    assert!((1..files.len()).contains(&hashed), "{hashed} of {}", files.len());
}

#[tokio::test]
async fn the_same_seed_makes_the_same_mails() {
    let of_seed = async |seed| {
        let clock = SimClock::manual(ms(START));
        let options = Options { seed, clock, ..Options::default() };
        let sim = simulator("trend_micro_cas", options).unwrap();
        get(&sim, &format!("{SWEEP}?lastndays=90&limit=1000")).await.json()["value"].take()
    };
    assert_eq!(of_seed(5).await, of_seed(5).await);
    assert_ne!(of_seed(5).await, of_seed(6).await);
}

#[tokio::test]
async fn the_number_of_messages_can_be_changed_at_run_time() {
    let sim = known();
    let count = async || found(&sim, "").await.len();
    let few = count().await;
    sim.set_fault("mails", "50").unwrap();
    let many = count().await;
    assert!(many >= 50, "{many}");
    sim.set_fault("mails", "10").unwrap();
    assert_eq!(count().await, few);
}

#[tokio::test]
async fn faults_of_paging_mislead_searches_too() {
    let mails = async |faults: &[(&str, &str)]| {
        let mut all = vec![("mails", "10")];
        all.extend(faults);
        let sim = sim(Volume::PerHour(6.0), &all);
        pages(&sim, "lastndays=90&limit=3").await
    };
    let whole: BTreeSet<_> = mails(&[]).await.iter().flat_map(ids).collect();
    let gaps = mails(&[("empty_page_with_link", "2")]).await;
    assert!(gaps.iter().any(|page| ids(page).is_empty()));
    assert_eq!(gaps.iter().flat_map(ids).collect::<BTreeSet<_>>(), whole);
    let endings = mails(&[("link_end", "absent")]).await;
    assert!(endings.last().unwrap().get("next_link").is_none());
    let repeating = sim(Volume::PerHour(6.0), &[("link_repeat", "1")]);
    let first = get(&repeating, &format!("{SWEEP}?limit=3")).await.next_link().unwrap();
    assert_eq!(get(&repeating, &first).await.next_link(), Some(first));
    let foreign = sim(Volume::PerHour(6.0), &[("link_host", "evil.example")]);
    let link = get(&foreign, &format!("{SWEEP}?limit=3")).await.next_link().unwrap();
    assert!(link.starts_with("http://evil.example/v1/sweeping/mails?"), "{link}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_query_is_an_error_of_the_server(query in "[a-z0-9_=&%*/@.-]{0,60}", token in "[A-Za-z0-9_=-]{0,40}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let sim = known();
        for target in [format!("{SWEEP}?{query}"), format!("{SWEEP}?skiptoken={token}")] {
            let reply = runtime.block_on(get(&sim, &target));
            prop_assert!([200, 400].contains(&reply.status.as_u16()), "{}", target);
        }
    }
}
