//! Names of findings: what Taegis calls detections, formerly alerts.

use super::{Alias, Names};

/// The columns of Taegis detections.
const ALIASES: &[Alias] = &[
    ("id", &["finding_info.uid"]),
    ("title", &["finding_info.title"]),
    ("description", &["finding_info.desc"]),
    ("metadata.title", &["finding_info.title"]),
    ("metadata.description", &["finding_info.desc"]),
    ("metadata.severity", &["severity"]),
    ("metadata.confidence", &["confidence_score"]),
    ("attack_technique_ids", &["finding_info.attacks.technique.uid"]),
    ("tactics", &["finding_info.attacks.tactic.name"]),
    ("investigation_ids", &[]),
    ("case_ids", &[]),
    ("suppressed", &[]),
];

pub(super) static DATA_SECURITY: Names = Names {
    aliases: ALIASES,
    ip: &["src_endpoint.ip", "dst_endpoint.ip", "resources.ip"],
    domain: &[
        "file.url.hostname",
        "file.url.domain",
        "src_endpoint.hostname",
        "src_endpoint.domain",
        "dst_endpoint.hostname",
        "dst_endpoint.domain",
    ],
    mail: &["file.owner.email_addr", "resources.owner.email_addr"],
    hash: &["file.hashes.value"],
    host: &["src_endpoint.hostname", "dst_endpoint.hostname", "resources.hostname"],
    user: &[
        "file.owner.name",
        "file.owner.email_addr",
        "resources.owner.name",
        "resources.owner.email_addr",
    ],
};

pub(super) static DETECTION: Names = Names {
    aliases: ALIASES,
    ip: &["evidences.src_endpoint.ip", "evidences.dst_endpoint.ip", "resources.ip"],
    domain: &[
        "evidences.url.hostname",
        "evidences.url.domain",
        "evidences.src_endpoint.domain",
        "evidences.dst_endpoint.domain",
    ],
    mail: &["evidences.email.from", "evidences.email.to", "evidences.user.email_addr"],
    hash: &["evidences.file.hashes.value"],
    host: &[
        "evidences.device.hostname",
        "evidences.src_endpoint.hostname",
        "evidences.dst_endpoint.hostname",
        "resources.hostname",
    ],
    user: &[
        "evidences.user.name",
        "evidences.user.email_addr",
        "evidences.actor.user.name",
        "evidences.actor.user.email_addr",
        "evidences.email.from",
        "evidences.email.to",
    ],
};
