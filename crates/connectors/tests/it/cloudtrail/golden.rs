//! Every sample becomes exactly the event beside it, and every event is valid OCSF.
//!
//! `TARN_BLESS=1` writes the expected events anew; read the difference before you keep it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{RECORDS, integration, mapping};
use crate::ocsf;
use crate::support::normalised;

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws_cloudtrail/samples/records");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_sample = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.ends_with(".json") && !name.ends_with(".expected.json")
    };
    let mut samples: Vec<_> = entries.filter(is_sample).collect();
    samples.sort();
    samples
}

pub(super) fn sample_bytes() -> Vec<Vec<u8>> {
    samples().into_iter().map(|path| std::fs::read(path).unwrap().trim_ascii().to_vec()).collect()
}

/// The event of a sample by its name.
pub(super) fn event(name: &str) -> Value {
    let path = samples().into_iter().find(|path| path.file_stem().unwrap() == name);
    normalised(&*mapping(), std::fs::read(path.expect(name)).unwrap().trim_ascii())
}

#[test]
fn samples_become_the_events_beside_them() {
    let mapping = mapping();
    let bless = std::env::var_os("TARN_BLESS").is_some();
    let mut different = Vec::new();
    for path in samples() {
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
    assert!(different.is_empty(), "bless or mend:\n{}", different.join("\n"));
}

#[test]
fn samples_cover_every_class_and_each_has_an_identity() {
    let mapping = mapping();
    let mut classes = BTreeSet::new();
    let mut keys = BTreeSet::new();
    for raw in sample_bytes() {
        let identity = mapping.identify(&raw).unwrap();
        assert!(keys.insert(identity.key), "two samples are one record");
        let event = normalised(&*mapping, &raw);
        let time = identity.time.and_then(model::time::Timestamp::plausible);
        assert_eq!(event["time"].as_i64(), Some(time.unwrap_or_default().as_millis()));
        classes.insert(event["class_uid"].as_i64().unwrap());
    }
    let integration = integration();
    let declared = &integration.manifest().content_type(RECORDS).unwrap().classes;
    let declared: BTreeSet<i64> = declared.iter().map(|class| class.uid().into()).collect();
    assert_eq!(classes, declared);
}
