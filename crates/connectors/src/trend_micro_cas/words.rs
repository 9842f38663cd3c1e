//! The vendor's words, read loosely: what a record says about service, event, action and risk is
//! written for people and has changed before.

use model::ocsf::values::{malware_class, risk_level, severity};

/// What kind of thing a service protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Mail,
    File,
    /// Chats, Salesforce, and whatever is new.
    Other,
}

/// The event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    SecurityRisk,
    VirtualAnalyzer,
    Ransomware,
    Dlp,
    Other,
}

/// What was done about the risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Passed,
    Tagged,
    Quarantined,
    Deleted,
    Blocked,
    Other,
}

/// How that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Done,
    Failed,
    Other,
}

/// `Exchange Online` → Mail, `Google Drive` → File.
pub(super) fn family(service: &str) -> Family {
    let word = squeezed(service);
    let has = |part: &str| word.contains(part);
    if has("exchange") || has("gmail") || has("scanmail") || has("outlook") {
        return Family::Mail;
    }
    if has("chat") || has("salesforce") {
        return Family::Other;
    }
    let files = ["sharepoint", "onedrive", "dropbox", "googledrive", "gdrive", "teams"];
    if word == "box" || files.into_iter().any(has) { Family::File } else { Family::Other }
}

/// `security_risk_scan` → SecurityRisk, `Virtual Analyzer` → VirtualAnalyzer.
pub(super) fn kind(event: &str) -> Kind {
    let word = squeezed(event);
    let has = |part: &str| word.contains(part);
    if has("dlp") || (has("data") && has("loss")) {
        Kind::Dlp
    } else if has("ransom") {
        Kind::Ransomware
    } else if has("virtual") && has("analy") {
        Kind::VirtualAnalyzer
    } else if has("securityrisk") {
        Kind::SecurityRisk
    } else {
        Kind::Other
    }
}

/// `Quarantine`, `Tag subject`, `Blocked` …
pub(super) fn deed(action: &str) -> Deed {
    let table: [(&[&str], Deed); 5] = [
        (&["quarantin"], Deed::Quarantined),
        (&["delet", "remov"], Deed::Deleted),
        (&["block", "den", "reject"], Deed::Blocked),
        (&["tag", "label"], Deed::Tagged),
        (&["pass", "allow", "monitor", "log"], Deed::Passed),
    ];
    let found = table.into_iter().find(|(stems, _)| has_stem(action, stems));
    found.map_or(Deed::Other, |(_, deed)| deed)
}

/// `success`, `Failed: mailbox locked` …
pub(super) fn ending(result: &str) -> Ending {
    if has_stem(result, &["fail", "error", "unsuccess", "unable", "not", "timeout", "denied"]) {
        Ending::Failed
    } else if has_stem(result, &["success", "succe", "ok", "done", "complet"]) {
        Ending::Done
    } else {
        Ending::Other
    }
}

/// OCSF's risk level and severity of the vendor's risk word; `None` for an unknown word.
pub(super) fn risk(word: &str) -> Option<(i32, i32)> {
    let levels = match squeezed(word).as_str() {
        "critical" => (risk_level::CRITICAL, severity::CRITICAL),
        "dangerous" | "high" | "highrisk" | "highlysuspicious" | "malicious" => {
            (risk_level::HIGH, severity::HIGH)
        }
        "suspicious" | "medium" | "mediumrisk" | "moderate" => {
            (risk_level::MEDIUM, severity::MEDIUM)
        }
        "low" | "lowrisk" => (risk_level::LOW, severity::LOW),
        "info" | "informational" | "safe" | "normal" | "none" | "norisk" => {
            (risk_level::INFO, severity::INFORMATIONAL)
        }
        _ => return None,
    };
    Some(levels)
}

/// What kind of malware a name speaks of.
pub(super) fn malware_class(name: &str) -> i32 {
    let word = name.to_ascii_lowercase();
    let table = [
        ("ransom", malware_class::RANSOMWARE),
        ("backdoor", malware_class::BACKDOOR),
        ("bkdr", malware_class::BACKDOOR),
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

/// Whether a text is a link as people write it.
pub(super) fn is_link(text: &str) -> bool {
    let text = text.trim();
    let has_scheme = ["http://", "https://", "ftp://"].iter().any(|scheme| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    has_scheme && !text.contains(char::is_whitespace)
}

/// Whether a filter's name speaks of malware.
pub(super) fn is_malware_filter(filter: &str) -> bool {
    has_stem(filter, &["malware", "virus", "antivirus"])
}

/// Letters and digits in lower case.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a word of the text begins with one of the stems.
fn has_stem(text: &str, stems: &[&str]) -> bool {
    let text = text.to_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    words.any(|word| stems.iter().any(|stem| word.starts_with(stem)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_known_in_any_spelling() {
        for (text, expected) in [
            ("Exchange", Family::Mail),
            ("Exchange Online (Inline Mode)", Family::Mail),
            ("ExchangeServer", Family::Mail),
            ("GMAIL", Family::Mail),
            ("SharePoint Online", Family::File),
            ("OneDrive", Family::File),
            ("Google Drive", Family::File),
            ("Box", Family::File),
            ("Dropbox", Family::File),
            ("Microsoft Teams", Family::File),
            ("Teams Chat", Family::Other),
            ("teams_chat", Family::Other),
            ("Salesforce_Production", Family::Other),
            ("Slack", Family::Other),
            ("", Family::Other),
        ] {
            assert_eq!(family(text), expected, "{text}");
        }
    }

    #[test]
    fn events_are_known_in_any_spelling() {
        for (text, expected) in [
            ("security_risk_scan", Kind::SecurityRisk),
            ("Security Risk", Kind::SecurityRisk),
            ("virtual_analyzer", Kind::VirtualAnalyzer),
            ("Virtual Analyser", Kind::VirtualAnalyzer),
            ("Ransomware", Kind::Ransomware),
            ("dlp", Kind::Dlp),
            ("data_loss_prevention", Kind::Dlp),
            ("Data Loss", Kind::Dlp),
            ("account_takeover", Kind::Other),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }

    #[test]
    fn actions_and_results_are_known_by_their_stems() {
        for (text, expected) in [
            ("Quarantine", Deed::Quarantined),
            ("quarantined", Deed::Quarantined),
            ("Delete message", Deed::Deleted),
            ("Blocked", Deed::Blocked),
            ("Tag subject", Deed::Tagged),
            ("Pass", Deed::Passed),
            ("Monitor and log", Deed::Passed),
            ("Stage", Deed::Other),
            ("隔離", Deed::Other),
        ] {
            assert_eq!(deed(text), expected, "{text}");
        }
        assert_eq!(ending("success"), Ending::Done);
        assert_eq!(ending("Unsuccessful"), Ending::Failed);
        assert_eq!(ending("not successful"), Ending::Failed);
        assert_eq!(ending("Failed: mailbox locked"), Ending::Failed);
        assert_eq!(ending("pending"), Ending::Other);
    }

    #[test]
    fn links_have_a_scheme() {
        assert!(is_link("http://192.0.2.7/p") && is_link("HTTPS://a.example"));
        assert!(
            !is_link("BEC")
                && !is_link("http://a b")
                && !is_link("run.bat")
                && !is_link("語語語語語")
        );
    }
}
