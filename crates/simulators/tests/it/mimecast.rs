//! The fake Mimecast through its router, as a client would see it.

use std::io::Read;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};
use simulators::{Options, Refusal, SimClock, Simulator, Volume, simulator};
use tower::ServiceExt;

use crate::client::{START, ms};

const BATCH: &str = "/siem/v1/batch/events/cg";
const LIVE: &str = "/siem/v1/events/cg";
const FORM: &str = "grant_type=client_credentials&client_id=sim-client&client_secret=sim-secret";

struct Reply {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A simulator that stands at `START`, with a quota that no test runs into unless it sets one.
fn sim(faults: &[(&str, &str)]) -> Simulator {
    let mut all = vec![("requests".to_owned(), "100000".to_owned())];
    all.extend(faults.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let clock = SimClock::manual(ms(START));
    let volume = Volume::PerHour(60.0);
    simulator("mimecast", Options { seed: 11, volume, faults: all, clock }).unwrap()
}

async fn send(
    simulator: &Simulator,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &str,
) -> Reply {
    let mut request = Request::builder().method(method).uri(path).header("host", "gate.example");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = simulator.router().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map(|bytes| bytes.to_vec()).unwrap_or_default();
    Reply { status: parts.status.as_u16(), headers: parts.headers, body }
}

async fn token(simulator: &Simulator) -> String {
    let reply = send(simulator, "POST", "/oauth/token", None, FORM).await;
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

async fn get(simulator: &Simulator, path: &str) -> Reply {
    let token = token(simulator).await;
    send(simulator, "GET", path, Some(&token), "").await
}

async fn logs(simulator: &Simulator, kind: &str, filter: Value, paging: Value) -> Value {
    let token = token(simulator).await;
    let body = json!({ "meta": { "pagination": paging }, "data": [filter] }).to_string();
    let path = format!("/api/ttp/{kind}/get-logs");
    let reply = send(simulator, "POST", &path, Some(&token), &body).await;
    assert_eq!(reply.status, 200);
    reply.json()
}

/// The path and query of a link.
fn local(link: &Value) -> String {
    link.as_str().unwrap().trim_start_matches("http://gate.example").to_owned()
}

fn lines(body: &[u8]) -> Vec<Value> {
    let mut text = String::new();
    #[expect(clippy::disallowed_methods, reason = "small files of the simulator's own")]
    MultiGzDecoder::new(body).read_to_string(&mut text).unwrap();
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_token_is_given_for_credentials_and_needed_everywhere() {
    let sim = sim(&[("forbidden", "ttp_url")]);
    let given = send(&sim, "POST", "/oauth/token", None, FORM).await.json();
    assert_eq!(
        (given["expires_in"].as_i64(), &given["token_type"]),
        (Some(1799), &json!("Bearer"))
    );
    let refused = send(&sim, "GET", BATCH, None, "").await;
    assert_eq!((refused.status, refused.json()), (401, json!({"fail":[{"code":"unauthorized"}]})));
    let refused = send(&sim, "GET", BATCH, Some("nonsense"), "").await;
    assert_eq!(refused.json()["fail"][0]["code"], "token_verification_failed");
    let token = token(&sim).await;
    let forbidden = send(&sim, "POST", "/api/ttp/url/get-logs", Some(&token), "{}").await;
    assert_eq!(
        (forbidden.status, &forbidden.json()["fail"][0]["code"]),
        (403, &json!("app_forbidden"))
    );
    sim.clock().advance(Duration::from_secs(1_800));
    let expired = send(&sim, "GET", BATCH, Some(&token), "").await;
    assert_eq!(
        (expired.status, &expired.json()["fail"][0]["code"]),
        (401, &json!("token_expired"))
    );
    assert_eq!(get(&sim, "/siem/v1/batch/events/ci").await.status, 403);
    assert_eq!(get(&sim, "/siem/v1/nothing").await.status, 404);
    assert_eq!(send(&sim, "POST", BATCH, Some(&token), "").await.status, 405);
}

#[tokio::test]
async fn files_are_listed_signed_and_fetched_without_a_token() {
    let sim = sim(&[("members", "2"), ("blank_lines", "on")]);
    let page = get(&sim, &format!("{BATCH}?type=receipt&dateRangeStartsAt=2026-03-02&pageSize=3"))
        .await
        .json();
    let files = page["value"].as_array().unwrap();
    assert_eq!((files.len(), &page["isCaughtUp"]), (3, &json!(false)));
    let link = local(&files[0]["url"]);
    let file = send(&sim, "GET", &link, None, "").await;
    assert_eq!(
        (file.status, &file.headers["content-type"]),
        (200, &"application/gzip".parse().unwrap())
    );
    let events = lines(&file.body);
    assert!((14..=16).contains(&events.len()), "{}", events.len());
    assert!(events.iter().all(|event| event["type"] == "receipt" && event["_offset"].is_i64()));
    let leaked = send(&sim, "GET", &link, Some("t"), "").await;
    assert_eq!(leaked.status, 400, "a leaked token is caught");
    assert_eq!(
        send(&sim, "GET", &link.replace("Signature=", "Signature=1"), None, "").await.status,
        403
    );
    sim.clock().advance(Duration::from_secs(901));
    assert_eq!(send(&sim, "GET", &link, None, "").await.status, 403);
    let again = get(&sim, &format!("{BATCH}?type=receipt&dateRangeStartsAt=2026-03-02&pageSize=3"))
        .await
        .json();
    let fresh = local(&again["value"][0]["url"]);
    assert_eq!(
        fresh.split('?').next(),
        link.split('?').next(),
        "the object stays, the link is new"
    );
    assert_eq!(send(&sim, "GET", &fresh, None, "").await.status, 200);
}

#[tokio::test]
async fn paging_by_token_ends_caught_up_and_goes_on_there() {
    let sim = sim(&[]);
    let first = format!("{BATCH}?type=spam,av&dateRangeStartsAt=2026-03-02&pageSize=40");
    let mut page = get(&sim, &first).await.json();
    let mut files = page["value"].as_array().unwrap().len();
    while page["isCaughtUp"] == false {
        let next = page["@nextPage"].as_str().unwrap();
        page = get(&sim, &format!("{BATCH}?nextPage={next}&pageSize=40")).await.json();
        files += page["value"].as_array().unwrap().len();
    }
    assert_eq!(files, 2 * 32, "eight hours of two types");
    let token = page["@nextPage"].clone();
    let idle = get(&sim, &format!("{BATCH}?nextPage={}", token.as_str().unwrap())).await.json();
    assert_eq!(idle, json!({"value": [], "@nextPage": token, "isCaughtUp": true}));
    sim.clock().advance(Duration::from_secs(900));
    let later = get(&sim, &format!("{BATCH}?nextPage={}", token.as_str().unwrap())).await.json();
    assert_eq!(later["value"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn dates_are_days_and_reach_a_week_back() {
    let sim = sim(&[]);
    let status = async |query: &str| get(&sim, &format!("{BATCH}?type=av&{query}")).await.status;
    assert_eq!(status("dateRangeStartsAt=2026-02-23").await, 200);
    assert_eq!(status("dateRangeStartsAt=2026-02-22").await, 400);
    assert_eq!(status("dateRangeStartsAt=2026-03-02T00:00:00Z").await, 400);
    assert_eq!(status("dateRangeStartsAt=2026-03-02&dateRangeEndsAt=2026-03-01").await, 400);
    assert_eq!(status("nextPage=nonsense").await, 400);
    let day = get(
        &sim,
        &format!("{BATCH}?type=av&dateRangeStartsAt=2026-03-01&dateRangeEndsAt=2026-03-01"),
    )
    .await;
    assert_eq!(day.json()["value"].as_array().unwrap().len(), 96, "one whole day");
    assert_eq!(get(&sim, &format!("{BATCH}?type=ttp-url")).await.status, 400);
}

#[tokio::test]
async fn the_stream_serves_events_with_the_other_spelling() {
    let sim = sim(&[]);
    let page = get(
        &sim,
        &format!("{LIVE}?types=url%20protect&dateRangeStartsAt=2026-03-02T06:00:00.000Z"),
    )
    .await
    .json();
    let events = page["value"].as_array().unwrap();
    assert_eq!((events.len(), &page["pageSize"]), (100, &json!(100)));
    assert!(
        events
            .iter()
            .all(|event| event["eventType"] == "url protect" && event.get("_offset").is_none())
    );
    let next = page["@nextPage"].as_str().unwrap();
    let rest = get(&sim, &format!("{LIVE}?nextPage={next}")).await.json();
    assert!((18..=22).contains(&rest["value"].as_array().unwrap().len()));
    assert_eq!(rest["isCaughtUp"], true);
    let old =
        get(&sim, &format!("{LIVE}?types=av&dateRangeStartsAt=2026-03-01T07:59:59.000Z")).await;
    assert_eq!((old.status, old.json()["error"]["message"].is_string()), (400, true));
    let served = sim.served().into_iter().find(|s| s.stream == "siem/url_protect").unwrap();
    assert_eq!(served.ids.len(), 100 + rest["value"].as_array().unwrap().len());
    let several =
        get(&sim, &format!("{LIVE}?types=av,spam&dateRangeStartsAt=2026-03-02T07:30:00.000Z"))
            .await
            .json();
    let of = |name: &str| sim.served().into_iter().find(|s| s.stream == name).unwrap().ids.len();
    assert_eq!(of("siem/av") + of("siem/spam"), several["value"].as_array().unwrap().len());
}

#[tokio::test]
async fn logs_are_newest_first_and_malicious_unless_asked_otherwise() {
    let sim = sim(&[]);
    let range = |more: Value| {
        let mut filter = json!({"from": "2026-03-02T06:00:00+0000", "to": "2026-03-02T08:00:00Z"});
        filter.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        filter
    };
    let plain = logs(&sim, "url", range(json!({})), json!({"pageSize": 500})).await;
    let rows = plain["data"][0]["clickLogs"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["scanResult"] == "malicious"));
    let dates: Vec<_> = rows.iter().map(|row| row["date"].as_str().unwrap()).collect();
    assert!(dates.is_sorted_by(|one, two| one >= two) && dates[0].ends_with("+0000"));
    let all = logs(
        &sim,
        "url",
        range(json!({"scanResult": "all", "oldestFirst": true})),
        json!({"pageSize": 500}),
    )
    .await;
    let all = all["data"][0]["clickLogs"].as_array().unwrap().len();
    assert!((118..=122).contains(&all) && rows.len() < all);
    let failed = logs(
        &sim,
        "url",
        json!({"from": "2026-03-02T08:00:00Z", "to": "2026-03-02T07:00:00Z"}),
        json!({}),
    )
    .await;
    assert_eq!(failed["fail"][0]["errors"][0]["code"], "err_validation_date_range");
    assert_eq!(failed["fail"][0]["key"]["to"], "2026-03-02T07:00:00Z");
    let impersonation = logs(&sim, "impersonation", range(json!({})), json!({})).await;
    assert_eq!(impersonation["data"][0]["resultCount"], 25);
    assert!(
        impersonation["data"][0]["impersonationLogs"][0]["id"]
            .as_str()
            .unwrap()
            .starts_with("MTOKEN:")
    );
}

#[tokio::test]
async fn rows_that_arrive_shift_the_pages_of_who_reads_newest_first() {
    let sim = sim(&[]);
    let page = async |token: Option<&str>, oldest_first: bool| {
        let filter = json!({"from": "2026-03-02T07:00:00Z", "to": "2026-03-02T09:00:00Z", "oldestFirst": oldest_first});
        let page = logs(
            &sim,
            "attachment",
            filter,
            json!({"pageSize": 10, "pageToken": token.unwrap_or("")}),
        )
        .await;
        let rows = page["data"][0]["attachmentLogs"].as_array().unwrap().clone();
        (rows, page["meta"]["pagination"]["next"].as_str().map(str::to_owned))
    };
    let (newest, next) = page(None, false).await;
    let (oldest, onwards) = page(None, true).await;
    sim.clock().advance(Duration::from_secs(300));
    let (second, _) = page(next.as_deref(), false).await;
    assert!(second.iter().any(|row| newest.contains(row)), "rows come again");
    let (second, _) = page(onwards.as_deref(), true).await;
    assert!(!second.iter().any(|row| oldest.contains(row)));
}

#[tokio::test]
async fn each_function_has_a_quota_and_the_reset_is_in_milliseconds() {
    let sim = sim(&[("requests", "2"), ("window", "60s"), ("retry_after", "on")]);
    let token = token(&sim).await;
    let ask = async |path: &str| send(&sim, "GET", path, Some(&token), "").await;
    for _ in 0..2 {
        let answer = ask(BATCH).await;
        assert_eq!((answer.status, answer.headers.contains_key("x-ratelimit-limit")), (200, false));
    }
    sim.clock().advance(Duration::from_millis(1_500));
    let refused = ask(BATCH).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.headers["x-ratelimit-reset"], "58500");
    assert_eq!(refused.headers["retry-after"], "59");
    assert_eq!(ask(LIVE).await.status, 200, "the stream has its own");
    sim.set_fault("quota_scope", "application").unwrap();
    let statuses = [ask(BATCH).await.status, ask(LIVE).await.status, ask(BATCH).await.status];
    assert_eq!(statuses, [200, 200, 429]);
    let reasons = sim.requests().into_iter().filter(|r| r.reason == Some(Refusal::Quota)).count();
    assert_eq!(reasons, 2);
    assert!(sim.requests().iter().all(|r| r.credential.as_deref() == Some("sim-client")));
}

#[tokio::test]
async fn what_is_held_is_what_a_week_of_files_and_logs_holds() {
    let sim = sim(&[("late", "10:2h")]);
    let mut page =
        get(&sim, &format!("{BATCH}?type=delivery&dateRangeStartsAt=2026-02-23&pageSize=100"))
            .await
            .json();
    let mut found = Vec::new();
    loop {
        for file in page["value"].as_array().unwrap() {
            let body = send(&sim, "GET", &local(&file["url"]), None, "").await.body;
            found.extend(lines(&body).into_iter().map(|event| {
                format!("{}/{}", event["messageId"].as_str().unwrap(), event["timestamp"])
            }));
        }
        if page["isCaughtUp"] == true {
            break;
        }
        let next = page["@nextPage"].as_str().unwrap().to_owned();
        page = get(&sim, &format!("{BATCH}?nextPage={next}")).await.json();
    }
    let held = sim.held().into_iter().find(|s| s.stream == "siem/delivery").unwrap().ids;
    assert!(held.len() > 9_000);
    let unique: std::collections::BTreeSet<_> = found.iter().collect();
    assert_eq!(unique.len(), found.len(), "every event is in one file");
    assert!(held.iter().all(|id| unique.contains(id)));
    assert_eq!(sim.held().len(), 13);
}

#[tokio::test]
async fn broken_files_are_broken_and_their_events_are_all_there() {
    for fault in ["corrupt_gzip", "truncated_gzip"] {
        let sim = sim(&[(fault, "1")]);
        let page = get(&sim, &format!("{BATCH}?type=spam&dateRangeStartsAt=2026-03-02&pageSize=1"))
            .await
            .json();
        let body = send(&sim, "GET", &local(&page["value"][0]["url"]), None, "").await.body;
        let mut text = Vec::new();
        #[expect(clippy::disallowed_methods, reason = "small files of the simulator's own")]
        let ended = MultiGzDecoder::new(body.as_slice()).read_to_end(&mut text);
        assert!(ended.is_err(), "{fault}");
        assert!(text.ends_with(b"}\n"), "{fault}: the last event is whole");
    }
}

#[tokio::test]
async fn the_vendors_own_messages_share_their_ids() {
    let sim = sim(&[("postmaster", "100"), ("file_span", "1h")]);
    let page = get(&sim, &format!("{BATCH}?type=receipt&dateRangeStartsAt=2026-03-02&pageSize=1"))
        .await
        .json();
    let body = send(&sim, "GET", &local(&page["value"][0]["url"]), None, "").await.body;
    let events = lines(&body);
    let distinct = |field: &str| {
        events
            .iter()
            .map(|event| event[field].to_string())
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    };
    assert!(events.len() > 50);
    assert_eq!((distinct("aggregateId"), distinct("processingId")), (1, 1));
    assert!(distinct("messageId") > 40 && distinct("timestamp") > 50);
}
