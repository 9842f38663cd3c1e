//! The vendor's words, read loosely: types, actions and results differ in case and spelling between years.

use model::ocsf::values::{mail_direction, malware_class, risk_level, url_category};

/// A type of SIEM events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Receipt,
    Process,
    Delivery,
    Av,
    Spam,
    Journal,
    InternalEmailProtect,
    ImpersonationProtect,
    AttachmentProtect,
    UrlProtect,
    Other,
}

/// What the vendor did about a message, a link or a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Accepted,
    Rejected,
    Held,
    Sandboxed,
    Bounced,
    Deferred,
    Blocked,
    Warned,
    Tagged,
    Nothing,
    Allowed,
    Other,
}

/// `url protect`, `Url_Protect` …
pub(super) fn event_type(text: &str) -> Type {
    match squeezed(text).as_str() {
        "receipt" => Type::Receipt,
        "process" => Type::Process,
        "delivery" => Type::Delivery,
        "av" => Type::Av,
        "spam" => Type::Spam,
        "journal" => Type::Journal,
        "internalemailprotect" => Type::InternalEmailProtect,
        "impersonationprotect" => Type::ImpersonationProtect,
        "attachmentprotect" => Type::AttachmentProtect,
        "urlprotect" => Type::UrlProtect,
        _ => Type::Other,
    }
}

/// `Acc`, `Hld`, `Hold`, `block` …
pub(super) fn deed(text: &str) -> Deed {
    match squeezed(text).as_str() {
        "acc" | "accept" | "accepted" => Deed::Accepted,
        "allow" | "allowed" | "permit" => Deed::Allowed,
        "rej" | "reject" | "rejected" => Deed::Rejected,
        "hld" | "hold" | "held" | "userrelease" | "adminrelease" => Deed::Held,
        "sdbx" | "sandbox" => Deed::Sandboxed,
        "bnc" | "bounce" | "bounced" => Deed::Bounced,
        "rty" | "retry" => Deed::Deferred,
        "block" | "blocked" => Deed::Blocked,
        "warn" | "warned" => Deed::Warned,
        "tag" | "tagged" => Deed::Tagged,
        "none" => Deed::Nothing,
        _ => Deed::Other,
    }
}

/// `Inbound`, `internal` … ; other texts are names of routes.
pub(super) fn direction(text: &str) -> Option<i32> {
    match squeezed(text).as_str() {
        "inbound" => Some(mail_direction::INBOUND),
        "outbound" => Some(mail_direction::OUTBOUND),
        "internal" => Some(mail_direction::INTERNAL),
        _ => None,
    }
}

/// `true`, `Yes`, `1`.
pub(super) fn truth(text: &str) -> Option<bool> {
    match squeezed(text).as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// The spam filter's risk: `HIGH`, `medium`, `NEGLIGIBLE`.
pub(super) fn risk(text: &str) -> Option<i32> {
    match squeezed(text).as_str() {
        "high" => Some(risk_level::HIGH),
        "medium" => Some(risk_level::MEDIUM),
        "low" => Some(risk_level::LOW),
        "negligible" => Some(risk_level::INFO),
        _ => None,
    }
}

/// OCSF's category of a site.
pub(super) fn category(text: &str) -> i32 {
    let word = squeezed(text);
    if word.contains("phish") {
        url_category::PHISHING
    } else if word.contains("compromis") || word.contains("malware") || word.contains("malicious") {
        url_category::MALICIOUS_SOURCES_MALNETS
    } else if word.contains("news") {
        url_category::NEWS_MEDIA
    } else {
        url_category::OTHER
    }
}

/// What kind of malware a name speaks of.
pub(super) fn malware(name: &str) -> i32 {
    let word = name.to_ascii_lowercase();
    let table = [
        ("ransom", malware_class::RANSOMWARE),
        ("backdoor", malware_class::BACKDOOR),
        ("worm", malware_class::WORM),
        ("keylog", malware_class::KEYLOGGER),
        ("rootkit", malware_class::ROOTKIT),
        ("spy", malware_class::SPYWARE),
        ("dropper", malware_class::DROPPER),
        ("download", malware_class::DOWNLOADER),
        ("troj", malware_class::TROJAN),
        ("adware", malware_class::ADWARE),
        ("virus", malware_class::VIRUS),
    ];
    let found = table.into_iter().find(|(part, _)| word.contains(part));
    found.map_or(malware_class::UNKNOWN, |(_, class)| class)
}

/// Letters and digits in lower case.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_actions_are_known_in_any_spelling() {
        assert_eq!(event_type("url protect"), Type::UrlProtect);
        assert_eq!(event_type("Internal_Email_Protect"), Type::InternalEmailProtect);
        assert_eq!(event_type("ttp-url"), Type::Other);
        for (text, expected) in [
            ("Acc", Deed::Accepted),
            ("Rej", Deed::Rejected),
            ("Hld", Deed::Held),
            ("hold", Deed::Held),
            ("user release", Deed::Held),
            ("Sdbx", Deed::Sandboxed),
            ("Bnc", Deed::Bounced),
            ("Rty", Deed::Deferred),
            ("Block", Deed::Blocked),
            ("warn", Deed::Warned),
            ("Tag", Deed::Tagged),
            ("None", Deed::Nothing),
            ("allow", Deed::Allowed),
            ("Qtn", Deed::Other),
        ] {
            assert_eq!(deed(text), expected, "{text}");
        }
    }

    #[test]
    fn a_route_by_name_is_no_direction() {
        assert_eq!(direction("Inbound"), Some(mail_direction::INBOUND));
        assert_eq!(direction("Corp default inbound route"), None);
        assert_eq!((truth("Yes"), truth("false"), truth("maybe")), (Some(true), Some(false), None));
    }
}
