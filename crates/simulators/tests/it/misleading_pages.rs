//! Pages that repeat, are empty, or link to the wrong place.

use simulators::Volume;

use crate::client::{get, ids, page_through, sim, window};

fn target() -> String {
    window("2026-03-02T06:00:00Z", "2026-03-02T07:00:00Z", 10)
}

#[tokio::test]
async fn duplicates_repeat_the_end_of_the_page_before() {
    let sim = sim(Volume::PerHour(100.0), &[("duplicates", "100")]);
    let pages = page_through(&sim, &target(), 30).await;
    for pair in pages.windows(2) {
        assert_eq!(pair[0].ids()[7..], pair[1].ids()[..3]);
    }
    let mut all = ids(&pages);
    let served =
        sim.served().into_iter().find(|stream| stream.stream == "sharepoint/dlp").unwrap().ids;
    assert_eq!(served, all, "the journal repeats what was repeated");
    all.sort();
    all.dedup();
    sim.set_fault("duplicates", "0").unwrap();
    assert_eq!(all.len(), ids(&page_through(&sim, &target(), 30).await).len());
}

#[tokio::test]
async fn a_repeated_link_is_the_page_itself() {
    let sim = sim(Volume::PerHour(100.0), &[("link_repeat", "1")]);
    let first = get(&sim, &target()).await.next_link().unwrap();
    let second = get(&sim, &first).await;
    assert_eq!(second.next_link(), Some(first));
    sim.set_fault("link_repeat", "3").unwrap();
    let whole = ids(&page_through(&sim, &target(), 40).await);
    let mut once = whole.clone();
    once.dedup_by_key(|id| id.clone());
    once.sort();
    once.dedup();
    assert!(once.len() < whole.len());
    assert!((98..=102).contains(&once.len()), "{}", once.len());
}

#[tokio::test]
async fn empty_pages_with_a_link_lose_nothing() {
    let sim = sim(Volume::PerHour(100.0), &[]);
    let plain = ids(&page_through(&sim, &target(), 30).await);
    sim.set_fault("empty_page_with_link", "2").unwrap();
    let pages = page_through(&sim, &target(), 60).await;
    assert!(pages.iter().any(|page| page.ids().is_empty() && page.next_link().is_some()));
    assert_eq!(ids(&pages), plain);
}

#[tokio::test]
async fn links_can_lack_their_scheme_or_lead_to_another_host() {
    let sim = sim(Volume::PerHour(100.0), &[("link_scheme", "absent")]);
    assert!(get(&sim, &target()).await.next_link().unwrap().starts_with("cas.example:9001/v1/"));
    sim.set_fault("link_host", "elsewhere.example").unwrap();
    assert!(get(&sim, &target()).await.next_link().unwrap().starts_with("elsewhere.example/v1/"));
    sim.set_fault("link_scheme", "present").unwrap();
    assert!(
        get(&sim, &target()).await.next_link().unwrap().starts_with("http://elsewhere.example/v1/")
    );
}
