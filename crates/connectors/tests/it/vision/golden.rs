//! Every sample becomes exactly the event beside it, and every event is valid OCSF.
//!
//! `TARN_BLESS=1` writes the expected events anew; read the difference before you keep it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{ALERTS, ALL, AUDIT_LOGS, TECHNIQUES, ask_for, mapping, open, simulator, walk};
use crate::ocsf;
use crate::support::normalised;

fn samples(content_type: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/trend_vision_one/samples");
    let entries = std::fs::read_dir(folder.join(content_type)).unwrap();
    let entries = entries.map(|entry| entry.unwrap().path());
    let is_sample = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.ends_with(".json") && !name.ends_with(".expected.json")
    };
    let mut samples: Vec<_> = entries.filter(is_sample).collect();
    samples.sort();
    samples
}

pub(super) fn sample_bytes(content_type: &str) -> Vec<Vec<u8>> {
    let samples = samples(content_type).into_iter();
    samples.map(|path| std::fs::read(path).unwrap().trim_ascii().to_vec()).collect()
}

#[test]
fn samples_become_the_events_beside_them() {
    let bless = std::env::var_os("TARN_BLESS").is_some();
    let mut different = Vec::new();
    for content_type in ALL {
        let mapping = mapping(content_type);
        for path in samples(content_type) {
            let raw = std::fs::read(&path).unwrap();
            let event = normalised(&*mapping, raw.trim_ascii());
            ocsf::assert_valid(&event);
            let beside = path.with_extension("expected.json");
            let text = format!("{}\n", serde_json::to_string_pretty(&event).unwrap());
            if bless {
                std::fs::write(&beside, text).unwrap();
            } else if std::fs::read_to_string(&beside).ok() != Some(text.clone()) {
                different.push(format!("{}:\n{text}", path.display()));
            }
        }
    }
    assert!(different.is_empty(), "bless or mend:\n{}", different.join("\n"));
}

#[test]
fn samples_cover_every_class_and_each_has_an_identity_and_the_time_of_its_event() {
    for (content_type, wanted) in
        [(ALERTS, vec![0, 2004]), (AUDIT_LOGS, vec![0, 3004, 6003]), (TECHNIQUES, vec![0, 2004])]
    {
        let mapping = mapping(content_type);
        let (mut classes, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for raw in sample_bytes(content_type) {
            let identity = mapping.identify(&raw).unwrap();
            assert!(keys.insert(identity.key), "two samples are one record");
            let event = normalised(&*mapping, &raw);
            let time = identity.time.and_then(model::time::Timestamp::plausible);
            assert_eq!(event["time"].as_i64(), Some(time.unwrap_or_default().as_millis()));
            classes.insert(event["class_uid"].as_i64().unwrap());
        }
        assert_eq!(classes.into_iter().collect::<Vec<_>>(), wanted, "{content_type}");
    }
}

#[tokio::test]
async fn whatever_the_vendor_serves_becomes_a_valid_event_of_its_class() {
    let (_, url) = simulator(&[("twins", "5")]).await;
    let connection = open(&url);
    for (content_type, wanted) in
        [(ALERTS, vec![2004]), (AUDIT_LOGS, vec![3004, 6003]), (TECHNIQUES, vec![2004])]
    {
        let mapping = mapping(content_type);
        let (pages, _) = walk(&*connection, ask_for(&*connection, content_type, 12)).await;
        let mut classes = BTreeSet::new();
        for record in pages.iter().flat_map(|page| &page.records) {
            let event = normalised(&*mapping, record.raw());
            ocsf::assert_valid(&event);
            classes.insert(event["class_uid"].as_i64().unwrap());
        }
        assert_eq!(classes.into_iter().collect::<Vec<_>>(), wanted, "{content_type}");
    }
}

#[test]
fn a_changed_alert_is_another_record_and_the_same_one_is_not() {
    let mapping = mapping(ALERTS);
    let key = |json: &str| mapping.identify(json.as_bytes()).unwrap();
    let one = key(r#"{"id":"WB-1","status":"Open","createdDateTime":"2026-05-11T06:41:03Z"}"#);
    let same = key(r#"{"status": "Open","createdDateTime":"2026-05-11T06:41:03Z", "id":"WB-1"}"#);
    let changed =
        key(r#"{"id":"WB-1","status":"Closed","createdDateTime":"2026-05-11T06:41:03Z"}"#);
    assert_eq!(one, same);
    assert_ne!(one.key, changed.key);
    // All versions lie at one time, so that they are found together.
    assert_eq!(one.time, changed.time);
}

#[test]
fn a_technique_is_the_same_with_and_without_its_ingestion_time() {
    let mapping = mapping(TECHNIQUES);
    let key = |json: &str| mapping.identify(json.as_bytes()).unwrap().key;
    let with = key(r#"{"uuid":"u-1","detectedDateTime":"x","ingestedDateTime":"y"}"#);
    assert_eq!(with, key(r#"{"uuid":"u-1","detectedDateTime":"x"}"#));
    assert_ne!(with, key(r#"{"uuid":"u-2","detectedDateTime":"x"}"#));
}

#[test]
fn what_is_no_object_is_refused() {
    for content_type in ALL {
        for raw in [&b"[]"[..], b"7", b"", b"{", b"{\"a\":\"\xff\"}", b"{}{}"] {
            assert!(mapping(content_type).identify(raw).is_err());
        }
    }
}
