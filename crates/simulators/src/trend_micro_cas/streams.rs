//! The 48 streams: 12 services by 4 event types, each with its request value and its response value.
//!
//! The two values differ on purpose, as in the vendor's API.

/// What kind of object a service protects; it decides the fields of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Mail,
    File,
    Chat,
    Salesforce,
}

/// What a record reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    SecurityRisk,
    VirtualAnalyzer,
    Ransomware,
    Dlp,
}

/// A protected service.
#[derive(Debug)]
pub(super) struct Service {
    /// The value of the request parameter.
    pub(super) name: &'static str,
    /// The value in the records.
    pub(super) shown: &'static str,
    pub(super) family: Family,
}

/// An event type.
#[derive(Debug)]
pub(super) struct Event {
    /// The value of the request parameter.
    pub(super) name: &'static str,
    /// The value in the records.
    pub(super) shown: &'static str,
    pub(super) kind: Kind,
}

const fn service(name: &'static str, shown: &'static str, family: Family) -> Service {
    Service { name, shown, family }
}

const SERVICES: [Service; 12] = [
    service("exchange", "Exchange", Family::Mail),
    service("sharepoint", "SharePoint", Family::File),
    service("onedrive", "OneDrive", Family::File),
    service("dropbox", "Dropbox", Family::File),
    service("box", "Box", Family::File),
    service("googledrive", "GoogleDrive", Family::File),
    service("gmail", "Gmail", Family::Mail),
    service("teams", "Teams", Family::File),
    service("exchangeserver", "ExchangeServer", Family::Mail),
    service("salesforce_sandbox", "Salesforce_Sandbox", Family::Salesforce),
    service("salesforce_production", "Salesforce_Production", Family::Salesforce),
    service("teams_chat", "TeamsChat", Family::Chat),
];

const EVENTS: [Event; 4] = [
    Event { name: "securityrisk", shown: "security_risk_scan", kind: Kind::SecurityRisk },
    Event { name: "virtualanalyzer", shown: "virtual_analyzer", kind: Kind::VirtualAnalyzer },
    Event { name: "ransomware", shown: "ransomware", kind: Kind::Ransomware },
    Event { name: "dlp", shown: "data_loss_prevention", kind: Kind::Dlp },
];

/// One stream, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stream(usize);

impl Stream {
    /// How many streams there are.
    pub(super) const COUNT: usize = SERVICES.len() * EVENTS.len();

    /// All streams in their order.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// The stream with this number.
    pub(super) fn numbered(number: usize) -> Option<Self> {
        (number < Self::COUNT).then_some(Self(number))
    }

    /// The stream of two request parameters.
    pub(super) fn requested(service: &str, event: &str) -> Option<Self> {
        Self::all().find(|stream| stream.service().name == service && stream.event().name == event)
    }

    /// The streams that a text names: `all`, `*N`, or `service/event` and `service`, joined by `+` or `,`.
    pub(super) fn selection(text: &str) -> Option<Vec<Self>> {
        if text == "all" {
            return Some(Self::all().collect());
        }
        if let Some(first) = text.strip_prefix('*') {
            let count = first.parse().ok().filter(|count| (1..=Self::COUNT).contains(count))?;
            return Some(Self::all().take(count).collect());
        }
        let mut selected = Vec::new();
        for name in text.split(['+', ',']).map(str::trim) {
            let found: Vec<_> = Self::all()
                .filter(|stream| stream.name() == name || stream.service().name == name)
                .collect();
            if found.is_empty() {
                return None;
            }
            selected.extend(found);
        }
        selected.sort_unstable_by_key(|stream: &Self| stream.0);
        selected.dedup();
        Some(selected)
    }

    /// Its number, from 0.
    pub(super) fn number(self) -> usize {
        self.0
    }

    /// Its number as a coordinate of chance.
    pub(super) fn coordinate(self) -> u64 {
        u64::try_from(self.0).unwrap_or(u64::MAX)
    }

    pub(super) fn service(self) -> &'static Service {
        &SERVICES[self.0 / EVENTS.len()]
    }

    pub(super) fn event(self) -> &'static Event {
        &EVENTS[self.0 % EVENTS.len()]
    }

    /// `service/event` in request values.
    pub(super) fn name(self) -> String {
        format!("{}/{}", self.service().name, self.event().name)
    }
}

/// Whether the vendor knows this service.
pub(super) fn is_service(name: &str) -> bool {
    SERVICES.iter().any(|service| service.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_one_stream() {
        assert_eq!(Stream::COUNT, 48);
        for stream in Stream::all() {
            assert_eq!(Stream::requested(stream.service().name, stream.event().name), Some(stream));
            assert_eq!(Stream::numbered(stream.number()), Some(stream));
        }
        assert_eq!(Stream::requested("exchange,gmail", "dlp"), None);
        assert_eq!(Stream::numbered(48), None);
    }

    #[test]
    fn selections_name_streams_services_or_a_number_of_them() {
        let names = |text| {
            Stream::selection(text).map(|all| all.into_iter().map(Stream::name).collect::<Vec<_>>())
        };
        assert_eq!(
            names("teams_chat/dlp+box/ransomware+box/ransomware"),
            Some(vec!["box/ransomware".into(), "teams_chat/dlp".into()])
        );
        assert_eq!(names("gmail").map(|all| all.len()), Some(4));
        assert_eq!(names("*6").map(|all| all.len()), Some(6));
        assert_eq!(names("all").map(|all| all.len()), Some(48));
        for bad in ["*0", "*49", "", "gmail/spam", "gmail+"] {
            assert_eq!(names(bad), None, "{bad}");
        }
    }
}
