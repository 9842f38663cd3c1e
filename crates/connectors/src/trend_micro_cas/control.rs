//! What the product judged and did: the `security_control` attributes, severity and status.

use std::borrow::Cow;

use model::ocsf::objects::{Malware, MalwareScanInfo, Policy};
use model::ocsf::values::{
    action, activity_status, disposition, malware_class, malware_scan_info_type, risk_level,
    severity,
};

use super::decode::Fields;
use super::words::{self, Deed, Ending, Kind};

type Text<'a> = Option<Cow<'a, str>>;

/// What the control said. Attributes of the same names exist in every class.
#[derive(Debug, Default)]
pub(super) struct Control<'a> {
    pub(super) severity_id: i32,
    pub(super) status_id: Option<i32>,
    pub(super) status: Text<'a>,
    pub(super) status_detail: Text<'a>,
    pub(super) action_id: Option<i32>,
    pub(super) action: Text<'a>,
    pub(super) disposition_id: Option<i32>,
    pub(super) disposition: Text<'a>,
    pub(super) is_alert: Option<bool>,
    pub(super) risk_level_id: Option<i32>,
    pub(super) risk_level: Text<'a>,
    pub(super) risk_details: Text<'a>,
    pub(super) malware: Vec<Malware<'a>>,
    pub(super) malware_scan_info: Option<MalwareScanInfo<'a>>,
    pub(super) policy: Option<Policy<'a>>,
    /// What became of the message, in the word that mail hunting uses.
    pub(super) delivery: &'static str,
}

impl<'a> Control<'a> {
    /// Takes what the message says about judgement and deed.
    pub(super) fn take(message: &mut Fields<'a>, kind: Kind) -> Self {
        let mut control = Self { delivery: "unknown", ..Self::default() };
        let filter = message.text("triggered_security_filter");
        control.malware(message, filter.as_deref().unwrap_or_default());
        if matches!(kind, Kind::SecurityRisk | Kind::VirtualAnalyzer | Kind::Ransomware) {
            control.malware_scan_info = message.text("scan_type").map(scan_info);
        }
        control.severity_id = severity_of(kind, !control.malware.is_empty());
        control.risk(message, kind);
        control.deed(message);
        let name = message.text("triggered_policy_name");
        if name.is_some() || filter.is_some() {
            control.policy = Some(Policy { name, r#type: filter, ..Policy::default() });
        }
        control.is_alert = (kind != Kind::Other).then_some(true);
        control
    }

    fn malware(&mut self, message: &mut Fields<'a>, filter: &str) {
        let risk = message.text("security_risk_name");
        let is_malware = |name: &str| {
            words::is_malware_filter(filter) && !words::is_link(name)
                || name.to_ascii_lowercase().starts_with("malware")
        };
        match risk {
            Some(name) if is_malware(&name) => self.malware.push(malware(name)),
            other => self.risk_details = other,
        }
        self.malware.extend(message.text("virus_name").map(malware));
        self.malware.extend(message.text("ransomware_name").map(|name| Malware {
            classification_ids: vec![malware_class::RANSOMWARE],
            ..malware(name)
        }));
        if let Some(first) = self.malware.first_mut() {
            first.provider = message.text("detected_by");
        }
    }

    fn risk(&mut self, message: &mut Fields<'a>, kind: Kind) {
        let Some(word) = message.text("risk_level") else { return };
        let Some((level, severity_id)) = words::risk(&word) else {
            self.risk_level_id = Some(risk_level::OTHER);
            self.risk_level = Some(word);
            return;
        };
        let caption = risk_level::ALL.iter().find(|(id, _)| *id == level).map(|(_, text)| *text);
        if caption.is_none_or(|caption| !caption.eq_ignore_ascii_case(&word)) {
            message.keep("risk_level");
        }
        self.risk_level_id = Some(level);
        if kind != Kind::Ransomware {
            self.severity_id = severity_id;
        }
    }

    fn deed(&mut self, message: &mut Fields<'a>) {
        let result = message.text("action_result");
        let ending = result.as_deref().map(words::ending);
        self.status_id = ending.map(|ending| match ending {
            Ending::Done => activity_status::SUCCESS,
            Ending::Failed => activity_status::FAILURE,
            Ending::Other => activity_status::OTHER,
        });
        match ending {
            Some(Ending::Other) => self.status = result,
            Some(Ending::Failed) => self.status_detail = result,
            Some(Ending::Done) | None => {}
        }
        let Some(word) = message.text("action") else { return };
        if ending == Some(Ending::Failed) {
            // The risk was seen, and what should have been done about it was not.
            self.action_id = Some(action::OBSERVED);
            self.disposition_id = Some(disposition::ERROR);
            self.delivery = "failed";
            message.keep("action");
            return;
        }
        let (action_id, disposition_id, delivery) = match words::deed(&word) {
            Deed::Passed => (action::ALLOWED, disposition::ALLOWED, "delivered"),
            Deed::Tagged => (action::MODIFIED, disposition::TAGGED, "delivered"),
            Deed::Quarantined => (action::DENIED, disposition::QUARANTINED, "held"),
            Deed::Deleted => (action::DENIED, disposition::DELETED, "blocked"),
            Deed::Blocked => (action::DENIED, disposition::BLOCKED, "blocked"),
            Deed::Other => (action::OTHER, disposition::OTHER, "unknown"),
        };
        self.action_id = Some(action_id);
        self.disposition_id = Some(disposition_id);
        self.delivery = delivery;
        if action_id == action::OTHER {
            self.action = Some(word.clone());
            self.disposition = Some(word);
        }
    }
}

fn malware(name: Cow<'_, str>) -> Malware<'_> {
    Malware {
        classification_ids: vec![words::malware_class(&name)],
        name: Some(name),
        ..Malware::default()
    }
}

fn scan_info(scan: Cow<'_, str>) -> MalwareScanInfo<'_> {
    let word = scan.to_ascii_lowercase();
    let type_id = if word.contains("manual") {
        malware_scan_info_type::MANUAL
    } else if word.contains("schedul") {
        malware_scan_info_type::SCHEDULED
    } else {
        malware_scan_info_type::OTHER
    };
    let text = (type_id == malware_scan_info_type::OTHER).then(|| scan.clone());
    MalwareScanInfo {
        name: Some(scan),
        type_id: Some(type_id),
        r#type: text,
        ..MalwareScanInfo::default()
    }
}

/// The severity where the vendor gives no risk level. Ransomware is always high.
fn severity_of(kind: Kind, has_malware: bool) -> i32 {
    match kind {
        Kind::Ransomware => severity::HIGH,
        Kind::SecurityRisk if has_malware => severity::HIGH,
        Kind::SecurityRisk | Kind::VirtualAnalyzer | Kind::Dlp => severity::MEDIUM,
        Kind::Other => severity::INFORMATIONAL,
    }
}
