//! Names of findings: what Taegis calls detections, formerly alerts.

use super::{Alias, Names};

// A sub-technique stands beside its parent.
const TECHNIQUES: &[&str] =
    &["finding_info.attacks.technique.uid", "finding_info.attacks.sub_technique.uid"];
const TACTICS: &[&str] = &["finding_info.attacks.tactic.name", "finding_info.attacks.tactic.uid"];
// People: those of the evidence, and accounts among what the finding touches.
const USERS: &[&str] = &[
    "evidences.user.name",
    "resources.owner.name",
    "resources.owner.email_addr",
    "actor.user.name",
    "actor.user.email_addr",
];
const HOSTS: &[&str] =
    &["device.hostname", "device.name", "evidences.device.hostname", "resources.hostname"];
const HOST_ADDRESSES: &[&str] = &["device.ip", "evidences.device.ip", "resources.ip"];
const SENDERS: &[&str] = &["evidences.email.from"];
const RECIPIENTS: &[&str] = &["evidences.email.to"];
const HASHES: &[&str] = &["evidences.file.hashes.value"];

/// The columns of Taegis detections that data security findings have too.
const ALIASES: &[Alias] = &[
    ("id", &["finding_info.uid"]),
    ("title", &["finding_info.title"]),
    ("description", &["finding_info.desc"]),
    ("metadata.title", &["finding_info.title"]),
    ("metadata.description", &["finding_info.desc"]),
    ("metadata.severity", &["severity"]),
    ("metadata.confidence", &["confidence_score"]),
    ("attack_technique_ids", TECHNIQUES),
    ("tactics", TACTICS),
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
    aliases: &[
        // Taegis.
        ("id", &["finding_info.uid"]),
        ("title", &["finding_info.title"]),
        ("description", &["finding_info.desc"]),
        ("metadata.title", &["finding_info.title"]),
        ("metadata.description", &["finding_info.desc"]),
        ("metadata.severity", &["severity"]),
        ("metadata.confidence", &["confidence_score"]),
        ("attack_technique_ids", TECHNIQUES),
        ("tactics", TACTICS),
        ("investigation_ids", &[]),
        ("case_ids", &[]),
        ("suppressed", &[]),
        ("hostname", HOSTS),
        ("username", USERS),
        ("user_name", USERS),
        ("source_username", USERS),
        ("source_address", &["evidences.src_endpoint.ip", "device.ip"]),
        ("destination_address", &["evidences.dst_endpoint.ip"]),
        ("uri_host", &["evidences.url.hostname", "evidences.dst_endpoint.domain"]),
        ("file_name", &["evidences.file.name"]),
        ("file_path", &["evidences.file.path"]),
        ("file_hash", HASHES),
        ("process_id", &["evidences.process.pid"]),
        ("from_email_address", SENDERS),
        ("to_email_address", RECIPIENTS),
        ("subject", &["evidences.email.subject"]),
        ("message_id", &["evidences.email.message_uid"]),
        // Interflow.
        ("srcip", &["evidences.src_endpoint.ip", "device.ip"]),
        ("dstip", &["evidences.dst_endpoint.ip"]),
        ("hostip", HOST_ADDRESSES),
        ("host.ip", HOST_ADDRESSES),
        ("host.name", HOSTS),
        ("srcip_username", USERS),
        ("user.name", USERS),
        ("file.name", &["evidences.file.name"]),
        ("file.path", &["evidences.file.path"]),
        ("file.hash", HASHES),
        ("url", &["evidences.url.url_string"]),
        ("email.sender.address", SENDERS),
        ("email.recipient.addresses", RECIPIENTS),
        ("email.message_id", &["evidences.email.message_uid"]),
        ("event_score", &["risk_score"]),
    ],
    ip: &[
        "evidences.src_endpoint.ip",
        "evidences.dst_endpoint.ip",
        "evidences.device.ip",
        "resources.ip",
    ],
    domain: &[
        "evidences.url.hostname",
        "evidences.url.domain",
        "evidences.src_endpoint.domain",
        "evidences.dst_endpoint.domain",
    ],
    mail: &[
        "evidences.email.from",
        "evidences.email.to",
        "evidences.user.email_addr",
        "resources.owner.email_addr",
    ],
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
        "resources.owner.name",
        "resources.owner.email_addr",
    ],
};
