//! Transforms around the mapping: they edit, drop and fail, and cannot change what is not theirs.

use std::sync::Arc;

use connectors::transform::{Preview, Transform, TransformedMapping, preview};
use model::mapping::{Mapping, Verdict};
use serde_json::{Value, json};

use crate::golden::sample_bytes;
use crate::ocsf;
use crate::support::{Kept, mapping, normalised};

fn wrapped(source: &str) -> TransformedMapping {
    TransformedMapping::new(mapping(), Transform::compile(source).unwrap())
}

fn mail() -> Vec<u8> {
    let record = json!({
        "log_item_id": "t-1", "service": "Exchange", "event": "security_risk_scan",
        "message": {
            "detection_time": "2026-05-11T02:14:07.000Z", "action": "Pass", "action_result": "success",
            "mail_message_sender": "a@one.example", "mail_message_subject": "numbers",
            "policy_revision": 7,
        },
    });
    record.to_string().into_bytes()
}

fn verdict(source: &str) -> Verdict {
    wrapped(source).normalise(&mail(), &mut Kept::default())
}

#[test]
fn a_transform_edits_drops_and_fails() {
    let event = normalised(
        &wrapped(".severity_id = 5\n.email.subject = upcase(string!(.email.subject))"),
        &mail(),
    );
    assert_eq!((&event["severity_id"], &event["severity"]), (&json!(5), &json!("Critical")));
    assert_eq!(event["email"]["subject"], "NUMBERS");
    ocsf::assert_valid(&without_stale_observables(event));
    assert_eq!(verdict("if .disposition_id == 1 { abort }"), Verdict::Filtered);
    assert!(
        matches!(verdict(".a = to_int!(.email.subject)"), Verdict::Refused(reason) if !reason.is_empty())
    );
}

/// An edited value leaves the observable that showed it behind; that is the transform's affair.
fn without_stale_observables(mut event: Value) -> Value {
    event.as_object_mut().unwrap().remove("observables");
    event
}

#[test]
fn the_record_is_at_hand_and_unknown_keys_go_to_unmapped() {
    let source = ".revision = %raw.message.policy_revision\n.email.team = \"buying\"\n.severity_id = \"high\"";
    let event = normalised(&wrapped(source), &mail());
    assert_eq!(event["unmapped"]["revision"], 7);
    assert_eq!(event["unmapped"]["email"]["team"], "buying");
    assert_eq!(event["unmapped"]["severity_id"], "high");
    assert_eq!(event["severity_id"], 0);
    ocsf::assert_valid(&event);
}

#[test]
fn time_class_and_identity_cannot_be_changed() {
    let before = normalised(&*mapping(), &mail());
    for source in [
        ".time = 1\n.class_uid = 1\n.class_name = \"x\"\n.category_uid = 1\n.type_uid = 1",
        ".metadata.uid = \"other\"\n.metadata.tenant_uid = \"other\"\n.metadata.version = \"9\"",
        "del(.time)\ndel(.metadata)\ndel(.class_uid)",
        ".metadata = 7",
    ] {
        let after = normalised(&wrapped(source), &mail());
        for path in [
            "/time",
            "/class_uid",
            "/class_name",
            "/category_uid",
            "/type_uid",
            "/metadata/uid",
            "/metadata/version",
        ] {
            assert_eq!(after.pointer(path), before.pointer(path), "{path} after {source}");
        }
        assert_eq!(after.pointer("/metadata/tenant_uid"), None);
        ocsf::assert_valid(&after);
        assert_eq!(wrapped(source).identify(&mail()), mapping().identify(&mail()));
    }
}

#[test]
fn what_the_class_demands_cannot_be_taken_away() {
    for source in ["del(.email)", ". = {}", ". = 7"] {
        assert!(
            matches!(verdict(source), Verdict::Refused(reason) if reason.contains("demands")),
            "{source}"
        );
    }
}

#[test]
fn a_transform_that_does_nothing_changes_nothing() {
    let wrapped = wrapped("");
    let plain = mapping();
    for raw in sample_bytes() {
        assert_eq!(normalised(&wrapped, &raw), normalised(&*plain, &raw));
    }
}

#[test]
fn a_preview_shows_before_and_after() {
    let mapping: Arc<dyn Mapping> = mapping();
    let transform = Transform::compile(
        "if .email.subject == \"drop\" { abort }\n.count = to_int!(%raw.n)\ndel(.status_id)",
    )
    .unwrap();
    let with = |subject: &str, n: &str| {
        let record = json!({"n": n, "service": "Exchange", "message": {
            "mail_message_sender": "a@one.example", "mail_message_subject": subject, "action_result": "success"}});
        record.to_string().into_bytes()
    };
    let records = [with("keep", "3"), with("drop", "3"), with("keep", "x"), b"[]".to_vec()];
    let seen = preview(&transform, &*mapping, records.iter().map(Vec::as_slice));
    assert!(matches!(&seen[0], Preview::Edited { before, after }
        if before.get("count").is_none() && after["count"] == 3 && after.get("status").is_none()));
    assert!(
        matches!(&seen[1], Preview::Dropped { before } if before["email"]["subject"] == "drop")
    );
    assert!(
        matches!(&seen[2], Preview::Failed { before: Some(_), reason } if reason.contains("to_int"))
    );
    assert!(matches!(&seen[3], Preview::Failed { before: None, .. }));
}
