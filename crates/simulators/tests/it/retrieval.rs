//! Windows, order and paging of log retrieval.

use proptest::prelude::*;
use simulators::Volume;

use crate::client::{START, get, held, ids, ms, page_through, sim, window};

fn instant(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms)
        .unwrap()
        .format("%Y-%m-%dT%H:%M:%S%.3fZ")
        .to_string()
}

#[tokio::test]
async fn envelope_has_the_fields_of_the_contract() {
    let sim = sim(Volume::PerHour(60.0), &[]);
    let page = get(&sim, &window("2026-03-02T07:00:00Z", "2026-03-02T07:30:00Z", 5)).await;
    let body = page.json();
    assert_eq!(page.headers["content-type"], "application/json");
    assert_eq!(page.headers["date"], "Mon, 02 Mar 2026 08:00:00 GMT");
    assert_eq!(body["security_events"].as_array().unwrap().len(), 5);
    assert!(body["traceId"].is_string());
    let current = body["current_link"].as_str().unwrap();
    assert!(current.starts_with(
        "http://cas.example:9001/v1/siem/security_events?service=sharepoint&event=dlp"
    ));
    let next = body["next_link"].as_str().unwrap();
    assert!(next.starts_with(&format!("{current}&skiptoken=")), "{next}");
    assert!(body["last_log_item_generation_time"].as_str().unwrap().starts_with("2026-03-02T07:0"));
}

#[tokio::test]
async fn without_bounds_the_last_five_minutes_are_answered() {
    let sim = sim(Volume::PerHour(720.0), &[]);
    let bare = get(&sim, "/v1/siem/security_events?service=sharepoint&event=dlp").await;
    let asked = get(&sim, &window("2026-03-02T07:55:00Z", START, 500)).await;
    assert!(bare.ids().len() > 50);
    assert_eq!(bare.ids(), asked.ids());
    let only_start =
        "/v1/siem/security_events?service=sharepoint&event=dlp&start=2026-03-02T07:00:00Z";
    let only_end = "/v1/siem/security_events?service=sharepoint&event=dlp&end=2026-03-02T07:05:00Z";
    assert_eq!(get(&sim, only_start).await.ids(), get(&sim, only_end).await.ids());
}

#[tokio::test]
async fn the_end_belongs_to_the_window_unless_told_otherwise() {
    let sim = sim(Volume::PerHour(60.0), &[]);
    let page = get(&sim, &window("2026-03-02T07:00:00Z", "2026-03-02T07:30:00Z", 1)).await;
    let at = page.json()["last_log_item_generation_time"].as_str().unwrap().to_owned();
    assert_eq!(get(&sim, &window(&at, &at, 5)).await.ids(), page.ids());
    sim.set_fault("bounds", "end_exclusive").unwrap();
    assert!(get(&sim, &window(&at, &at, 5)).await.ids().is_empty());
}

#[tokio::test]
async fn wrong_requests_are_told_so() {
    let sim = sim(Volume::PerHour(60.0), &[]);
    for target in [
        window("2026-03-02T07:00:00Z", "2026-03-02T06:00:00Z", 5),
        window("2026-02-27T07:00:00Z", START, 5),
        window("yesterday", START, 5),
        window("2026-03-02T07:00:00Z", START, 501),
        "/v1/siem/security_events?service=all&event=dlp".to_owned(),
        format!("{}&skiptoken=abcd", window("2026-03-02T07:00:00Z", START, 5)),
    ] {
        let refused = get(&sim, &target).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (400, -4_000_001), "{target}");
    }
    assert_eq!(get(&sim, "/v1/siem/events").await.code(), -4_040_001);
    let posted =
        crate::client::send(&sim.router(), "POST", "/v1/siem/security_events", Some("sim-key"), "")
            .await;
    assert_eq!((posted.code(), posted.headers["allow"].to_str().unwrap()), (-4_050_001, "GET"));
}

#[tokio::test]
async fn a_start_beyond_72_hours_can_be_clipped() {
    let sim = sim(Volume::PerHour(60.0), &[("old_start", "clip")]);
    let clipped = page_through(&sim, &window("2026-02-26T00:00:00Z", START, 500), 20).await;
    let exact = page_through(&sim, &window("2026-02-27T08:00:00Z", START, 500), 20).await;
    assert_eq!(ids(&clipped), ids(&exact));
}

#[tokio::test]
async fn records_of_the_future_are_not_served_before_their_time() {
    let sim = sim(Volume::PerHour(600.0), &[]);
    let target = window("2026-03-02T07:55:00Z", "2026-03-02T08:05:00Z", 500);
    let now = get(&sim, &target).await;
    assert!(
        now.json()["last_log_item_generation_time"].as_str().unwrap() <= "2026-03-02T08:00:00.000Z"
    );
    sim.clock().advance(std::time::Duration::from_secs(300));
    assert!(get(&sim, &target).await.ids().len() > now.ids().len() + 40);
}

#[tokio::test]
async fn a_spike_fills_its_streams_in_its_time() {
    let spike = ("spike", "sharepoint/dlp:20:2026-03-02T06:00:00Z/2026-03-02T06:10:00Z");
    let sim = sim(Volume::PerHour(60.0), &[spike]);
    let count = async |service: &str| {
        let target = window("2026-03-02T06:00:00Z", "2026-03-02T06:10:00Z", 500);
        get(&sim, &target.replace("sharepoint", service)).await.ids().len()
    };
    assert!((198..=202).contains(&count("sharepoint").await));
    assert!((8..=12).contains(&count("box").await));
}

#[tokio::test]
async fn a_token_keeps_its_window_as_time_goes_on() {
    let sim = sim(Volume::PerHour(3_600.0), &[]);
    let first = get(&sim, "/v1/siem/security_events?service=sharepoint&event=dlp&limit=200").await;
    sim.clock().advance(std::time::Duration::from_secs(3_600));
    let rest = page_through(&sim, &first.next_link().unwrap(), 10).await;
    let whole: Vec<_> = first.ids().into_iter().chain(ids(&rest)).collect();
    assert_eq!(whole, get(&sim, &window("2026-03-02T07:55:00Z", START, 500)).await.ids());
}

#[tokio::test]
async fn a_token_serves_only_its_own_request_and_for_its_life() {
    let sim = sim(Volume::PerHour(600.0), &[("token_life", "1m")]);
    let link = get(&sim, &window("2026-03-02T07:00:00Z", START, 5)).await.next_link().unwrap();
    assert_eq!(get(&sim, &link.replace("event=dlp", "event=ransomware")).await.status, 400);
    assert_eq!(get(&sim, &format!("{link}&limit=5")).await.status, 400);
    sim.clock().advance(std::time::Duration::from_secs(60));
    assert_eq!(get(&sim, &link).await.status, 200);
    sim.clock().advance(std::time::Duration::from_secs(1));
    assert_eq!(get(&sim, &link).await.status, 400);
}

#[tokio::test]
async fn streams_that_are_switched_off_are_empty() {
    let sim = sim(Volume::Events(300), &[("streams", "box/dlp+gmail/dlp")]);
    assert!(get(&sim, &window("2026-02-28T00:00:00Z", START, 500)).await.ids().is_empty());
    let held: Vec<_> =
        sim.held().into_iter().map(|stream| (stream.stream, stream.ids.len())).collect();
    assert_eq!(held, [("box/dlp".to_owned(), 150), ("gmail/dlp".to_owned(), 150)]);
}

#[tokio::test]
async fn late_records_appear_later_with_their_old_time() {
    let sim = sim(Volume::PerHour(600.0), &[("late", "30:10m"), ("streams", "sharepoint/dlp")]);
    let target = window("2026-03-02T07:30:00Z", START, 500);
    let before = ids(&page_through(&sim, &target, 10).await);
    assert_eq!(before, held_between(&sim, "2026-03-02T07:30:00Z"));
    sim.clock().advance(std::time::Duration::from_secs(600));
    let after = ids(&page_through(&sim, &target, 10).await);
    assert!(after.len() > before.len() + 10, "{} {}", after.len(), before.len());
    assert!(before.iter().all(|id| after.contains(id)));
}

fn held_between(sim: &simulators::Simulator, start: &str) -> Vec<String> {
    let until = |ms| {
        sim.held_until(Some(ms)).into_iter().find(|s| s.stream == "sharepoint/dlp").unwrap().ids
    };
    let old = until(ms(start) - 1).len();
    held(sim).split_off(old)
}

#[test]
fn restarts_with_the_same_seed_serve_the_same_records() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let target = window("2026-03-02T06:00:00Z", "2026-03-02T07:00:00Z", 500);
        let early = sim(Volume::PerHour(60.0), &[]);
        let later = sim(Volume::PerHour(60.0), &[]);
        later.clock().advance(std::time::Duration::from_secs(7_200));
        assert_eq!(get(&early, &target).await.records(), get(&later, &target).await.records());
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn paging_gives_exactly_the_records_of_the_window_once(
        start in 0_i64..3_600_000,
        length in 0_i64..3_600_000,
        limit in 1_usize..40,
        order in prop::sample::select(vec!["ascending", "descending", "shuffled"]),
        end in prop::sample::select(vec!["empty", "null", "absent", "null_text", "mixed"]),
        late in prop::sample::select(vec!["off", "20:30m"]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (paged, wanted) = runtime.block_on(async {
            let sim = sim(Volume::PerHour(240.0), &[("order", order), ("link_end", end), ("late", late), ("streams", "sharepoint/dlp")]);
            let start_ms = ms(START) - 7_200_000 + start;
            let target = window(&instant(start_ms), &instant(start_ms + length), limit);
            let paged = ids(&page_through(&sim, &target, 600).await);
            let upto = |ms| sim.held_until(Some(ms)).into_iter().find(|s| s.stream == "sharepoint/dlp").unwrap().ids;
            let wanted = upto(start_ms + length).split_off(upto(start_ms - 1).len());
            (paged, wanted)
        });
        match order {
            "ascending" => prop_assert_eq!(paged, wanted),
            "descending" => prop_assert_eq!(paged, wanted.into_iter().rev().collect::<Vec<_>>()),
            _ => {
                prop_assert!(wanted.len() < 30 || paged != wanted);
                let (mut paged, mut wanted) = (paged, wanted);
                paged.sort();
                wanted.sort();
                prop_assert_eq!(paged, wanted);
            }
        }
    }
}
