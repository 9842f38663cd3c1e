//! Every sample becomes exactly the event beside it, and every event is valid OCSF.
//!
//! `TARN_BLESS=1` writes the expected events anew; read the difference before you keep it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{CONTENT_TYPES, mapping};
use crate::ocsf;
use crate::support::normalised;

fn samples(content_type: &str) -> Vec<PathBuf> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mimecast/samples").join(content_type);
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_sample = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.ends_with(".json") && !name.ends_with(".expected.json")
    };
    let mut samples: Vec<_> = entries.filter(is_sample).collect();
    samples.sort();
    samples
}

pub(super) fn sample_bytes(content_type: &str) -> Vec<Vec<u8>> {
    let read = |path: PathBuf| std::fs::read(path).unwrap().trim_ascii().to_vec();
    samples(content_type).into_iter().map(read).collect()
}

fn event(content_type: &str, name: &str) -> Value {
    let path = samples(content_type).into_iter().find(|path| path.file_stem().unwrap() == name);
    normalised(&*mapping(content_type), std::fs::read(path.unwrap()).unwrap().trim_ascii())
}

#[test]
fn samples_become_the_events_beside_them() {
    let bless = std::env::var_os("TARN_BLESS").is_some();
    let mut different = Vec::new();
    for content_type in CONTENT_TYPES {
        for path in samples(content_type) {
            let raw = std::fs::read(&path).unwrap();
            let event = normalised(&*mapping(content_type), raw.trim_ascii());
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
fn samples_cover_every_class_of_their_content_type_and_each_has_an_identity() {
    let integration = super::integration();
    for content_type in CONTENT_TYPES {
        let mapping = mapping(content_type);
        let mut classes = BTreeSet::new();
        let mut keys = BTreeSet::new();
        for raw in sample_bytes(content_type) {
            let identity = mapping.identify(&raw).unwrap();
            assert!(keys.insert(identity.key), "two samples are one record");
            let event = normalised(&*mapping, &raw);
            let time = identity.time.and_then(model::time::Timestamp::plausible);
            assert_eq!(event["time"].as_i64(), Some(time.unwrap_or_default().as_millis()));
            classes.insert(event["class_uid"].as_i64().unwrap());
        }
        let declared = &integration.manifest().content_type(content_type).unwrap().classes;
        let declared: BTreeSet<i64> = declared.iter().map(|class| class.uid().into()).collect();
        assert_eq!(classes, declared, "{content_type}");
    }
}

#[test]
fn delivery_words_follow_what_was_done() {
    for (content_type, name, expected) in [
        ("siem", "delivery_delivered", "delivered"),
        ("siem", "delivery_in_the_streams_spelling", "delivered"),
        ("siem", "delivery_bounced", "bounced"),
        ("siem", "delivery_deferred", "deferred"),
        ("siem", "delivery_failed_for_no_reason", "failed"),
        ("siem", "receipt_accepted", "accepted"),
        ("siem", "receipt_refused_by_block_list", "rejected"),
        ("siem", "process_held", "held"),
        ("siem", "process_in_the_sandbox", "held"),
        ("siem", "process_retried", "deferred"),
        ("siem", "impersonation_held", "held"),
        ("siem", "impersonation_bounced", "bounced"),
        ("siem", "url_protect_blocked", "blocked"),
        ("siem", "unknown_type_with_mail", "unknown"),
        ("siem", "av_hit", "unknown"),
        ("ttp_url", "scan_on_entry_warned", "warned"),
        ("ttp_attachment", "safe", "passed"),
        ("ttp_attachment", "malicious_held", "held"),
        ("ttp_attachment", "malicious_blocked", "blocked"),
        ("ttp_impersonation", "bounced", "bounced"),
    ] {
        assert_eq!(event(content_type, name)["status_detail"], expected, "{name}");
    }
}

#[test]
fn what_somebody_should_look_at_is_an_alert_and_the_rest_is_not() {
    let alerts = |content_type: &str| {
        let names = samples(content_type)
            .into_iter()
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned());
        let is_alert = |name: &String| event(content_type, name)["is_alert"] == true;
        names.filter(is_alert).collect::<Vec<_>>()
    };
    let by_type: BTreeMap<_, _> = CONTENT_TYPES.map(|name| (name, alerts(name))).into();
    let siem: Vec<_> = by_type["siem"].iter().map(String::as_str).collect();
    assert_eq!(
        siem,
        [
            "attachment_protect_long",
            "attachment_protect_short_is_base",
            "av_hit",
            "impersonation_bounced",
            "impersonation_held",
            "impersonation_let_through",
            "impersonation_tagged",
            "internal_email_protect",
            "receipt_refused_for_a_code_picture",
            "receipt_refused_for_a_virus",
            "url_protect_blocked",
            "url_protect_without_link_is_base",
            "url_protect_without_scheme",
        ]
    );
    assert!(!by_type["ttp_url"].contains(&"click_allowed".to_owned()));
    assert!(!by_type["ttp_attachment"].contains(&"safe".to_owned()));
    // The reason of a refusal is not the name of a virus.
    assert!(event("siem", "receipt_refused_by_block_list").get("malware").is_none());
    assert_eq!(
        event("siem", "receipt_refused_for_a_virus")["malware"][0]["name"],
        "Trojan.Dropper-7"
    );
}
