//! What `FROM` takes: Taegis schemas and OCSF classes, and which of both are findings.

use model::ocsf::Class;

/// Whether a schema holds what happened or what was concluded; a query may name only one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Events,
    Detections,
}

/// What a name behind `FROM` stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schema {
    /// Classes of this build; none where it has none of the schema's.
    pub(crate) classes: Vec<Class>,
    /// The kind of its rows.
    pub(crate) holds: Holds,
}

/// Taegis schemas: names, and the OCSF classes whose rows they show.
const TAEGIS: &[(&[&str], &[&str])] = &[
    (&["email"], &["email_activity"]),
    (&["http"], &["http_activity"]),
    (&["file", "filemod", "filemodification"], &["file_hosting", "file_activity"]),
    (&["auth"], &["authentication"]),
    (
        &["cloudaudit"],
        &[
            "api_activity",
            "authentication",
            "account_change",
            "group_management",
            "entity_management",
        ],
    ),
    (&["apicall"], &["api_activity"]),
    (&["management"], &["entity_management", "account_change", "group_management", "user_access"]),
    (&["netflow"], &["network_activity"]),
    (&["dnsquery", "dns"], &["dns_activity"]),
    (&["dhcp"], &["dhcp_activity"]),
    (&["process"], &["process_activity"]),
    (&["processmodule"], &["module_activity"]),
    (&["registry"], &["registry_key_activity", "registry_value_activity"]),
    (&["scriptblock"], &["script_activity"]),
    (&["generic"], &["base_event"]),
    (&["antivirus"], &[]),
    (&["nids"], &[]),
    (&["encrypt"], &[]),
    (&["windowsrpc"], &[]),
    (&["agentdetection"], &[]),
    (
        &["detection", "detections", "alert", "alerts", "detectionfinding"],
        &["detection_finding", "data_security_finding"],
    ),
    (&["thirdpartyalert", "thirdparty"], &["detection_finding"]),
];

/// Schemas that hold detections though they may have no class here.
const DETECTIONS: &[&str] = &[
    "detection",
    "detections",
    "alert",
    "alerts",
    "detectionfinding",
    "thirdpartyalert",
    "thirdparty",
    "agentdetection",
];

/// Classes of OCSF 1.8, whether this build has them or not.
#[rustfmt::skip]
const CLASSES: &[&str] = &[
    "account_change", "admin_group_query", "api_activity", "application_error",
    "application_lifecycle", "application_security_posture_finding", "authentication",
    "authorize_session", "base_event", "cloud_resources_inventory_info", "compliance_finding",
    "config_state", "data_security_finding", "datastore_activity", "detection_finding",
    "device_config_state_change", "dhcp_activity", "dns_activity", "drone_flights_activity",
    "email_activity", "entity_management", "event_log_actvity", "evidence_info", "file_activity",
    "file_hosting", "file_query", "file_remediation_activity", "folder_query", "ftp_activity",
    "group_management", "http_activity", "iam_analysis_finding", "incident_finding",
    "inventory_info", "job_query", "kernel_activity", "kernel_extension_activity",
    "kernel_object_query", "live_evidence_info", "memory_activity", "module_activity",
    "module_query", "network_activity", "network_connection_query", "network_remediation_activity",
    "networks_query", "ntp_activity", "osint_inventory_info", "patch_state",
    "peripheral_activity", "peripheral_device_query", "prefetch_query", "process_activity",
    "process_query", "process_remediation_activity", "rdp_activity", "registry_key_activity",
    "registry_key_query", "registry_value_activity", "registry_value_query",
    "remediation_activity", "scan_activity", "scheduled_job_activity", "script_activity",
    "service_query", "session_query", "smb_activity", "software_info", "ssh_activity",
    "startup_item_query", "tunnel_activity", "user_access", "user_inventory", "user_query",
    "vulnerability_finding", "web_resources_activity", "win_service_activity",
];

/// The schema of a name, in any case, with or without the prefix `scwx.`.
pub(crate) fn find(name: &str) -> Option<Schema> {
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("scwx.").unwrap_or(&name);
    if let Some((_, classes)) = TAEGIS.iter().find(|(names, _)| names.contains(&name)) {
        let classes = classes.iter().filter_map(|class| Class::from_name(class)).collect();
        let holds = if DETECTIONS.contains(&name) { Holds::Detections } else { Holds::Events };
        return Some(Schema { classes, holds });
    }
    let class = Class::from_name(name);
    if class.is_none() && !CLASSES.contains(&name) {
        return None;
    }
    let holds = if name.ends_with("_finding") { Holds::Detections } else { Holds::Events };
    Some(Schema { classes: class.into_iter().collect(), holds })
}

/// Every name that `FROM` takes; for hints.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let taegis = TAEGIS.iter().flat_map(|(names, _)| names.iter().copied());
    taegis.chain(CLASSES.iter().copied())
}

/// The names of schemas that have rows in this build, one for each; for hints.
pub(crate) fn filled() -> impl Iterator<Item = &'static str> {
    let has_class = |classes: &&[&str]| classes.iter().any(|name| Class::from_name(name).is_some());
    TAEGIS.iter().filter(move |(_, classes)| has_class(classes)).map(|(names, _)| names[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_of_the_build_is_a_schema_under_its_own_name() {
        for class in Class::ALL {
            assert_eq!(find(class.name()).map(|schema| schema.classes), Some(vec![class]));
        }
    }

    #[test]
    fn schema_names_have_no_case_and_may_carry_the_prefix() {
        assert_eq!(find("EMAIL"), find("scwx.email"));
        assert_eq!(find("alert"), find("Detection"));
        assert_eq!(find("emial"), None);
    }

    #[test]
    fn a_schema_without_a_class_here_is_known_and_empty() {
        let schema = find("scriptblock").map(|schema| schema.classes.len());
        assert_eq!(schema, Some(usize::from(Class::from_name("script_activity").is_some())));
    }
}
