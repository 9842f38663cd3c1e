//! The fake Trend Vision One, driven as a client would.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use simulators::{Options, SimClock, Simulator, Volume, simulator};
use tower::ServiceExt;

use crate::client::{Reply, START, ms};

pub(crate) const ALERTS: &str = "/v3.0/workbench/alerts";
const AUDIT: &str = "/v3.0/audit/logs";
const TECHNIQUES: &str = "/v3.0/oat/detections";
const SPAN: &str = "startDateTime=2026-03-02T02:00:00Z&endDateTime=2026-03-02T07:00:00Z";
const BY_UPDATE: &str = "dateTimeTarget=updatedDateTime&orderBy=updatedDateTime%20asc";

pub(crate) fn sim(faults: &[(&str, &str)]) -> Simulator {
    let mut all = vec![("requests".to_owned(), "100000".to_owned())];
    all.extend(faults.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let clock = SimClock::manual(ms(START));
    let volume = Volume::PerHour(30.0);
    simulator("trend_vision_one", Options { seed: 3, volume, faults: all, clock }).unwrap()
}

pub(crate) async fn send(
    simulator: &Simulator,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    let path = target.strip_prefix("http://xdr.example").unwrap_or(target).replace(' ', "%20");
    let mut request = Request::builder().method(method).uri(path).header("host", "xdr.example");
    if !headers.iter().any(|(name, _)| *name == "authorization") {
        request = request.header("authorization", "Bearer sim-key");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = simulator.router().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map(|bytes| bytes.to_vec()).unwrap_or_default();
    Reply { status: parts.status, headers: parts.headers, body }
}

pub(crate) async fn get(simulator: &Simulator, target: &str) -> Reply {
    send(simulator, "GET", target, &[], "").await
}

/// All pages of a list, as JSON.
pub(crate) async fn pages(simulator: &Simulator, target: &str) -> Vec<Value> {
    let mut pages = Vec::new();
    let mut target = Some(target.to_owned());
    while let Some(link) = target.take() {
        let reply = get(simulator, &link).await;
        assert_eq!(reply.status, 200, "{link}: {}", String::from_utf8_lossy(&reply.body));
        let page = reply.json();
        target = page["nextLink"].as_str().filter(|link| !link.is_empty()).map(str::to_owned);
        pages.push(page);
        assert!(pages.len() < 400, "paging does not end");
    }
    pages
}

pub(crate) fn items(pages: &[Value]) -> Vec<Value> {
    pages.iter().flat_map(|page| page["items"].as_array().cloned().unwrap_or_default()).collect()
}

pub(crate) fn texts(items: &[Value], name: &str) -> Vec<String> {
    items.iter().map(|item| item[name].as_str().unwrap().to_owned()).collect()
}

fn held(simulator: &Simulator, stream: &str) -> BTreeSet<String> {
    let held = simulator.held().into_iter().find(|found| found.stream == stream).unwrap();
    held.ids.into_iter().collect()
}

#[tokio::test]
async fn alerts_come_ten_to_a_page_with_their_totals_and_a_raw_space_in_the_link() {
    let sim = sim(&[("updates", "off")]);
    let pages = pages(&sim, &format!("{ALERTS}?{SPAN}&orderBy=createdDateTime%20asc")).await;
    let total = pages[0]["totalCount"].as_u64().unwrap();
    assert!((140..=160).contains(&total));
    assert!(pages[..pages.len() - 1].iter().all(|page| page["count"] == 10));
    let link = pages[0]["nextLink"].as_str().unwrap();
    assert!(link.starts_with("http://xdr.example/v3.0/workbench/alerts?skipToken=MTA=&"));
    assert!(link.contains("createdDateTime asc"));
    let items = items(&pages);
    assert_eq!(items.len() as u64, total);
    assert!(texts(&items, "createdDateTime").is_sorted());
    assert!(texts(&items, "id").iter().all(|id| id.starts_with("WB-48213-20260302-")));
}

#[tokio::test]
async fn every_target_has_its_window_and_alerts_change_after_their_creation() {
    let sim = sim(&[]);
    for (target, name) in [
        ("createdDateTime", "createdDateTime"),
        ("updatedDateTime", "updatedDateTime"),
        ("firstInvestigatedDateTime", "firstInvestigatedDateTime"),
    ] {
        let query = format!("{ALERTS}?{SPAN}&dateTimeTarget={target}&orderBy={target}%20desc");
        let items = items(&pages(&sim, &query).await);
        let times = texts(&items, name);
        assert!(times.len() > 20 && times.is_sorted_by(|a, b| a >= b), "{target}");
        let inside = |time: &String| {
            ("2026-03-02T02:00:00Z".."2026-03-02T07:00:01Z").contains(&time.as_str())
        };
        assert!(times.iter().all(inside), "{target}");
    }
    let all = items(&pages(&sim, &format!("{ALERTS}?{SPAN}&{BY_UPDATE}")).await);
    let closed: Vec<_> = all.iter().filter(|alert| alert["status"] == "Closed").collect();
    assert!(!closed.is_empty() && closed.iter().all(|a| a["incidentId"].is_string()));
    assert!(
        all.iter()
            .any(|alert| alert["alertProvider"] == "TI" && alert.get("matchedRules").is_none())
    );
}

#[tokio::test]
async fn a_change_moves_an_alert_and_what_was_held_of_it_stays_held() {
    let sim = sim(&[("settle", "10m")]);
    let query = format!(
        "{ALERTS}?startDateTime=2026-03-02T07:40:00Z&endDateTime=2026-03-02T08:00:00Z&{BY_UPDATE}"
    );
    let before = items(&pages(&sim, &query).await);
    sim.clock().advance(Duration::from_secs(9 * 3600));
    let after = items(&pages(&sim, &query).await);
    assert!(after.len() < before.len(), "some moved on");
    let digests: BTreeSet<String> = sim
        .held_with_sha256(None)
        .into_iter()
        .find(|(stream, _)| stream == "alerts")
        .map(|(_, held)| held.into_iter().map(|record| record.sha256).collect())
        .unwrap();
    for alert in &after {
        assert!(digests.contains(&hex::encode(Sha256::digest(alert.to_string()))));
    }
}

#[tokio::test]
async fn filters_restrict_and_bad_ones_are_refused() {
    let sim = sim(&[]);
    let query = format!("{ALERTS}?{SPAN}");
    let filter = [("tmv1-filter", "severity eq 'high' and not (alertProvider eq 'TI')")];
    let page = send(&sim, "GET", &query, &filter, "").await.json();
    let found = page["items"].as_array().unwrap();
    assert!(!found.is_empty() && found.iter().all(|alert| alert["severity"] == "high"));
    for bad in ["severity = 'high'", "colour eq 'red'"] {
        let refused = send(&sim, "GET", &query, &[("tmv1-filter", bad)], "").await;
        assert_eq!(
            (refused.status.as_u16(), refused.json()["error"]["number"].as_u64()),
            (400, Some(3_090_003))
        );
    }
    // The link does not carry the filter: who leaves the header out gets everything.
    let all = get(&sim, &query).await.json()["totalCount"].as_u64();
    assert!(page["totalCount"].as_u64() < all);
}

#[tokio::test]
async fn bad_parameters_of_every_list_are_refused_in_its_own_words() {
    let sim = sim(&[("alert_top", "refused")]);
    for (target, number) in [
        (format!("{ALERTS}?startDateTime=2026-03-02"), Some(3_090_003)),
        (format!("{ALERTS}?startDateTime=2026-03-02T08:00:00.000Z"), Some(3_090_003)),
        (format!("{ALERTS}?orderBy=colour"), Some(3_090_003)),
        (format!("{ALERTS}?top=200"), Some(3_090_003)),
        (format!("{ALERTS}?skipToken=x"), Some(3_090_003)),
        (format!("{AUDIT}?top=500"), None),
        (format!("{AUDIT}?startDateTime=2025-01-01T00:00:00Z"), None),
        (format!("{AUDIT}?labels=some"), None),
        (format!("{TECHNIQUES}?top=1000"), Some(1_010_999)),
        (format!("{TECHNIQUES}?detectedEndDateTime=2026-03-02T08:00:01Z"), Some(1_010_400)),
        (format!("{TECHNIQUES}?ingestedStartDateTime=2025-01-01T00:00:00Z"), Some(1_010_400)),
        (
            format!(
                "{TECHNIQUES}?detectedStartDateTime=2026-03-02T07:00:00Z&detectedEndDateTime=2026-03-02T06:00:00Z"
            ),
            Some(1_010_406),
        ),
        (format!("{TECHNIQUES}?nextBatchToken=x"), Some(1_010_407)),
    ] {
        let refused = get(&sim, &target).await;
        assert_eq!(refused.status, 400, "{target}");
        assert_eq!(refused.json()["error"]["number"].as_u64(), number, "{target}");
    }
    let audit = get(&sim, &format!("{AUDIT}?top=7")).await.json();
    let message = r#"params error: "top" must be one of [50, 100, 200]"#;
    assert_eq!(audit["error"]["message"], message);
}

#[tokio::test]
async fn audit_logs_have_no_ids_and_every_one_is_served() {
    let sim = sim(&[("twins", "20")]);
    let query = format!(
        "{AUDIT}?{SPAN}&dateTimeTarget=ingestedDateTime&orderBy=ingestedDateTime%20asc&labels=none"
    );
    let pages = pages(&sim, &query).await;
    assert!(pages.len() >= 3 && pages[0].get("labels").is_none());
    let items = items(&pages);
    let digests: Vec<_> =
        items.iter().map(|item| hex::encode(Sha256::digest(item.to_string()))).collect();
    let held = held(&sim, "audit_logs");
    assert!(digests.iter().all(|digest| held.contains(digest)));
    let distinct: BTreeSet<_> = digests.iter().collect();
    assert!(distinct.len() < digests.len(), "twins are one to those who look at bytes");
    assert!(texts(&items, "ingestedDateTime").is_sorted());
    let default = get(&sim, AUDIT).await.json();
    let times = texts(default["items"].as_array().unwrap(), "loggedDateTime");
    assert!(times.is_sorted_by(|a, b| a >= b) && default["labels"].is_object());
    sim.set_fault("audit_order", "ascending").unwrap();
    let default = get(&sim, AUDIT).await.json();
    assert!(texts(default["items"].as_array().unwrap(), "loggedDateTime").is_sorted());
}

#[tokio::test]
async fn techniques_are_newest_first_within_windows_whose_end_is_left_out() {
    let sim = sim(&[]);
    let by_ingestion = format!(
        "{TECHNIQUES}?ingestedStartDateTime=2026-03-02T02:00:00Z&ingestedEndDateTime=2026-03-02T07:00:00Z"
    );
    let pages_of = pages(&sim, &by_ingestion).await;
    assert!(pages_of.len() >= 3 && pages_of[0]["count"] == 50);
    let found = items(&pages_of);
    assert!(texts(&found, "detectedDateTime").is_sorted_by(|a, b| a >= b));
    let edge = texts(&found, "ingestedDateTime").into_iter().max().unwrap();
    let exact = format!("{TECHNIQUES}?ingestedStartDateTime={edge}&ingestedEndDateTime={edge}");
    assert_eq!(get(&sim, &exact).await.json()["totalCount"], 0);
    let default = items(&pages(&sim, TECHNIQUES).await);
    assert!((28..=31).contains(&default.len()) && default[0].get("ingestedDateTime").is_none());
    let both = format!(
        "{by_ingestion}&detectedStartDateTime=2026-03-02T06:00:00Z&detectedEndDateTime=2026-03-02T07:00:00Z"
    );
    assert!(items(&pages(&sim, &both).await).len() < 31);
    sim.set_fault("detected_default", "applies").unwrap();
    assert_eq!(get(&sim, &by_ingestion).await.json()["totalCount"], 0);
}

#[tokio::test]
async fn tokens_of_techniques_run_out_and_must_be_sent_as_they_came() {
    let sim = sim(&[("token_life", "60s")]);
    let query = format!(
        "{TECHNIQUES}?ingestedStartDateTime=2026-03-02T00:00:00Z&ingestedEndDateTime=2026-03-02T07:00:00Z"
    );
    let link = get(&sim, &query).await.json()["nextLink"].as_str().unwrap().to_owned();
    let token = link.split("nextBatchToken=").nth(1).unwrap().split('&').next().unwrap();
    assert!(token.contains('+') || token.contains('/'));
    assert_eq!(get(&sim, &link).await.status, 200);
    let spoilt = link.replace('+', "%20");
    assert_eq!(get(&sim, &spoilt).await.json()["error"]["number"], 1_010_407);
    sim.clock().advance(Duration::from_secs(61));
    assert_eq!(get(&sim, &link).await.json()["error"]["number"], 1_010_550);
}

#[tokio::test]
async fn late_techniques_appear_only_when_they_were_taken_in() {
    let sim = sim(&[("late", "50:2h")]);
    let hour = format!(
        "{TECHNIQUES}?detectedStartDateTime=2026-03-02T07:00:00Z&detectedEndDateTime=2026-03-02T08:00:00Z"
    );
    let first = items(&pages(&sim, &hour).await).len();
    sim.clock().advance(Duration::from_secs(3 * 3600));
    let later = items(&pages(&sim, &hour).await).len();
    assert!(later >= first + 5, "{first} {later}");
    let known = held(&sim, "observed_attack_techniques");
    let found = texts(&items(&pages(&sim, &hour).await), "uuid");
    assert!(found.iter().all(|uuid| known.contains(uuid)));
}

#[tokio::test]
async fn what_the_data_lake_cannot_and_nobody_reports_are_refusals_under_400() {
    let sim = sim(&[("widest", "1h")]);
    let wide = format!(
        "{TECHNIQUES}?detectedStartDateTime=2026-03-02T02:00:00Z&detectedEndDateTime=2026-03-02T07:00:00Z"
    );
    assert_eq!(get(&sim, &wide).await.json()["error"]["number"], 1_000_520);
    sim.set_fault("no_products", "on").unwrap();
    assert_eq!(get(&sim, &wide).await.json()["error"]["number"], 1_010_420);
}

#[tokio::test]
async fn an_alert_is_edited_under_its_etag_whatever_its_spelling() {
    for (form, start) in [("bare", ""), ("quoted", "\""), ("weak", "W/\"")] {
        let sim = sim(&[("etag", form), ("updates", "off")]);
        let id = get(&sim, ALERTS).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
        let target = format!("{ALERTS}/{id}");
        let detail = get(&sim, &target).await;
        let etag = detail.headers["etag"].to_str().unwrap().to_owned();
        assert!(etag.starts_with(start));
        let bare = etag.trim_start_matches("W/").trim_matches('"').to_owned();
        let quoted = format!("\"{bare}\"");
        let close = r#"{"status":"Closed","investigationResult":"True Positive"}"#;
        sim.clock().advance(Duration::from_secs(5));
        let closed = send(&sim, "PATCH", &target, &[("if-match", &quoted)], close).await;
        assert_eq!((closed.status.as_u16(), closed.body.len()), (204, 0));
        let again = send(&sim, "PATCH", &target, &[("if-match", &quoted)], close).await;
        assert_eq!(
            (again.status.as_u16(), again.json()["error"]["number"].as_u64()),
            (412, Some(3_090_018))
        );
        let alert = get(&sim, &target).await.json();
        assert_eq!(
            (alert["status"].as_str(), alert["investigationStatus"].as_str()),
            (Some("Closed"), Some("True Positive"))
        );
        assert_eq!(alert["updatedDateTime"], "2026-03-02T08:00:05Z");
        let odd = send(&sim, "PATCH", &target, &[], r#"{"status":"Parked"}"#).await;
        assert_eq!(odd.status, 400);
    }
}

#[tokio::test]
async fn a_withdrawn_alert_is_gone_for_a_reason_and_an_unknown_one_for_none() {
    let sim = sim(&[("withdraw", "100:1h")]);
    let young = get(&sim, &format!("{ALERTS}?startDateTime=2026-03-02T07:30:00Z")).await.json();
    let id = young["items"][0]["id"].as_str().unwrap().to_owned();
    sim.clock().advance(Duration::from_secs(2 * 3600));
    let gone = get(&sim, &format!("{ALERTS}/{id}")).await;
    assert_eq!(
        (gone.status.as_u16(), gone.json()["error"]["number"].as_u64()),
        (404, Some(3_090_015))
    );
    let unknown = get(&sim, &format!("{ALERTS}/WB-48213-20260302-99999")).await;
    assert_eq!(unknown.json()["error"]["number"], 3_090_007);
    let listed = get(&sim, &format!("{ALERTS}?{SPAN}")).await.json();
    assert_eq!(listed["totalCount"], 0);
}

#[tokio::test]
async fn rows_move_under_a_paging_client_when_asked_to() {
    let sim = sim(&[("update_while_paging", "1"), ("updates", "off")]);
    let pages = pages(&sim, &format!("{ALERTS}?{SPAN}&{BY_UPDATE}")).await;
    let found: BTreeSet<_> = texts(&items(&pages), "id").into_iter().collect();
    let total = pages[0]["totalCount"].as_u64().unwrap();
    assert!((found.len() as u64) < total, "offsets skip what moved up");
    sim.set_fault("update_while_paging", "0").unwrap();
    let moved =
        get(&sim, &format!("{ALERTS}?startDateTime=2026-03-02T08:00:00Z&{BY_UPDATE}")).await.json();
    assert!(moved["totalCount"].as_u64().unwrap() > 5);
}

#[tokio::test]
async fn notes_are_added_listed_edited_and_deleted() {
    let sim = sim(&[("notes_touch", "on"), ("updates", "off")]);
    let id = get(&sim, ALERTS).await.json()["items"][3]["id"].as_str().unwrap().to_owned();
    let notes = format!("{ALERTS}/{id}/notes");
    for text in ["one", "two"] {
        let body = json!({ "content": text }).to_string();
        let added = send(&sim, "POST", &notes, &[], &body).await;
        assert_eq!((added.status.as_u16(), added.body.len()), (201, 0));
        assert!(
            added.headers["location"].to_str().unwrap().contains("/v3/"),
            "the vendor's own slip"
        );
    }
    let listed = get(&sim, &format!("{notes}?orderBy=createdDateTime%20asc")).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    let edited = send(&sim, "PATCH", &format!("{notes}/1"), &[], r#"{"content":"1"}"#).await;
    assert_eq!(edited.status, 204);
    let note = get(&sim, &format!("{notes}/1")).await;
    assert_eq!(note.json()["content"], "1");
    assert!(note.headers["etag"].to_str().unwrap().starts_with('"'));
    let deleted =
        send(&sim, "POST", &format!("{notes}/delete"), &[], r#"[{"id":1},{"id":2}]"#).await;
    assert_eq!(deleted.status, 204);
    assert_eq!(get(&sim, &format!("{notes}/1")).await.json()["error"]["number"], 3_090_008);
    let empty = send(&sim, "POST", &notes, &[], r#"{"content":""}"#).await;
    assert_eq!(empty.status, 400);
    let alert = get(&sim, &format!("{ALERTS}/{id}")).await.json();
    assert_eq!(alert["updatedDateTime"], "2026-03-02T08:00:00Z", "the note moved it");
}

#[tokio::test]
async fn pipelines_serve_packages_of_their_own_field_names() {
    let sim = sim(&[]);
    let base = "/v3.0/oat/dataPipelines";
    let body =
        r#"{"riskLevels":["low","medium","high","critical"],"hasDetail":false,"description":"d"}"#;
    let added = send(&sim, "POST", base, &[], body).await;
    assert_eq!(added.status, 201);
    let place = added.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(send(&sim, "POST", base, &[], body).await.json()["error"]["code"], "NotSupported");
    let list = get(&sim, &format!("{place}/packages?startDateTime=2026-03-02T07:00:00Z&endDateTime=2026-03-02T07:50:00Z&top=50")).await.json();
    assert_eq!(list["totalCount"], 26);
    let mut records = 0;
    for package in list["items"].as_array().unwrap() {
        let reply =
            get(&sim, &format!("{place}/packages/{}", package["id"].as_str().unwrap())).await;
        if reply.status == 400 {
            assert_eq!(reply.json()["error"]["code"], "TaskError");
            continue;
        }
        assert_eq!(reply.headers["content-encoding"], "gzip");
        records += 1;
    }
    assert!(records > 5);
    let late = get(&sim, &format!("{place}/packages?endDateTime=2026-03-02T08:00:00Z")).await;
    assert_eq!(late.status, 400);
    let detail = get(&sim, &place).await;
    assert!(detail.json().get("id").is_none() && detail.headers.contains_key("etag"));
    assert_eq!(send(&sim, "PATCH", &place, &[], r#"{"hasDetail":true}"#).await.status, 204);
    let id = place.rsplit('/').next().unwrap();
    let body = json!([{ "id": id }, { "id": "other" }]).to_string();
    let deleted = send(&sim, "POST", &format!("{base}/delete"), &[], &body).await;
    assert_eq!((deleted.status.as_u16(), deleted.json()[0]["status"].as_u64()), (207, Some(204)));
    assert_eq!(deleted.json()[1]["body"]["code"], "InternalServerError");
    assert_eq!(get(&sim, &place).await.status, 404);
}

#[tokio::test]
async fn endpoints_are_listed_in_both_forms_and_keys_with_their_end() {
    let sim = sim(&[("expires", "sim-key:2026-06-01T00:00:00Z")]);
    let list = get(&sim, "/v3.0/endpointSecurity/endpoints?top=10").await.json();
    let guid = list["items"][0]["agentGuid"].as_str().unwrap().to_owned();
    let detail = get(&sim, &format!("/v3.0/endpointSecurity/endpoints/{guid}")).await.json();
    assert!(detail["interfaces"][0]["macAddress"].is_string());
    assert_eq!(get(&sim, "/v3.0/eiqs/endpoints").await.status, 400, "the header is required");
    let query = [("tmv1-query", "ip eq '192.0.2.12'")];
    let old = send(&sim, "GET", "/v3.0/eiqs/endpoints", &query, "").await.json();
    assert_eq!(old["items"][0]["endpointName"]["value"], "TARN-PC-0112");
    let keys = get(&sim, "/v3.0/iam/apiKeys").await.json();
    assert_eq!(keys["items"][0]["expiredDateTime"], "2026-06-01T00:00:00Z");
}

#[tokio::test]
async fn the_health_check_knows_of_neither_permissions_nor_the_end_of_a_key() {
    let sim = sim(&[("keys", "a,b"), ("expired", "a"), ("no_scope", "b:audit_logs")]);
    let ask = async |key: &str, target: &str| {
        let bearer = format!("Bearer {key}");
        send(&sim, "GET", target, &[("authorization", &bearer)], "").await
    };
    let health = "/v3.0/healthcheck/connectivity";
    for key in ["a", "b"] {
        assert_eq!(ask(key, health).await.json(), json!({ "status": "available" }));
    }
    let refused = ask("a", ALERTS).await;
    assert_eq!(
        (refused.status.as_u16(), refused.json()["error"]["code"].as_str()),
        (401, Some("InvalidCredentials"))
    );
    assert_eq!(ask("b", AUDIT).await.json()["error"]["code"], "AccessDenied");
    assert_eq!(ask("b", ALERTS).await.status, 200);
    assert_eq!(ask("c", health).await.status, 401);
    sim.set_fault("health_expired", "refused").unwrap();
    assert_eq!(ask("a", health).await.status, 401);
}

#[tokio::test]
async fn the_quota_is_per_key_and_path_and_names_the_wait_as_asked() {
    let sim = sim(&[("requests", "1"), ("retry_after", "date")]);
    assert_eq!(get(&sim, ALERTS).await.status, 200);
    let refused = get(&sim, ALERTS).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.headers["retry-after"], "Mon, 02 Mar 2026 08:01:00 GMT");
    assert_eq!(get(&sim, AUDIT).await.status, 200);
    sim.set_fault("retry_after", "seconds").unwrap();
    assert_eq!(get(&sim, ALERTS).await.headers["retry-after"], "60");
    sim.set_fault("retry_after", "off").unwrap();
    assert!(!get(&sim, ALERTS).await.headers.contains_key("retry-after"));
    sim.clock().advance(Duration::from_secs(60));
    assert_eq!(get(&sim, ALERTS).await.status, 200);
}

#[tokio::test]
async fn large_bodies_other_paths_and_methods_are_refused() {
    let sim = sim(&[]);
    let big = "x".repeat(1_000_001);
    let id = get(&sim, ALERTS).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let refused = send(&sim, "PATCH", &format!("{ALERTS}/{id}"), &[], &big).await;
    assert_eq!(refused.status, 413);
    assert_eq!(get(&sim, "/v3.0/nothing").await.json()["error"]["innererror"]["service"], "svp");
    let wrong = send(&sim, "POST", ALERTS, &[], "").await;
    assert_eq!((wrong.status.as_u16(), wrong.headers["allow"].to_str().unwrap()), (405, "GET"));
}

#[tokio::test]
async fn the_same_seed_makes_the_same_records_and_served_is_what_was_answered() {
    let (one, two) = (sim(&[]), sim(&[]));
    let query = format!("{ALERTS}?{SPAN}&{BY_UPDATE}");
    let pages_of_one = pages(&one, &query).await;
    assert_eq!(pages_of_one, pages(&two, &query).await);
    let served = one.served().into_iter().find(|stream| stream.stream == "alerts").unwrap().ids;
    assert_eq!(served, texts(&items(&pages_of_one), "id"));
    let requests = one.requests();
    assert_eq!(requests.iter().map(|request| request.records).sum::<usize>(), served.len());
}
