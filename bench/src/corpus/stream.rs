//! The 48 streams of Cloud App Security: a service and an event type, each as the records show it.

/// What a service protects; it decides the fields of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Mail,
    File,
    Other,
}

/// What a record reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    SecurityRisk,
    VirtualAnalyzer,
    Ransomware,
    Dlp,
}

/// Services by their share of a busy tenant's records.
const SERVICES: [(u64, &str, Family); 12] = [
    (400, "Exchange", Family::Mail),
    (90, "SharePoint", Family::File),
    (90, "OneDrive", Family::File),
    (20, "Dropbox", Family::File),
    (30, "Box", Family::File),
    (50, "GoogleDrive", Family::File),
    (150, "Gmail", Family::Mail),
    (50, "Teams", Family::File),
    (80, "ExchangeServer", Family::Mail),
    (5, "Salesforce_Sandbox", Family::Other),
    (15, "Salesforce_Production", Family::Other),
    (20, "TeamsChat", Family::Other),
];

/// Event types by their share.
const EVENTS: [(u64, &str, Kind); 4] = [
    (70, "security_risk_scan", Kind::SecurityRisk),
    (12, "virtual_analyzer", Kind::VirtualAnalyzer),
    (3, "ransomware", Kind::Ransomware),
    (15, "data_loss_prevention", Kind::Dlp),
];

/// A service and an event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    service: usize,
    event: usize,
}

impl Stream {
    /// Mail that was scanned for security risks: the busiest stream of most tenants.
    pub const MAIL_RISKS: Self = Self { service: 0, event: 0 };

    /// The stream whose turn it is at a point of `0..u64::MAX`, by the shares.
    pub(super) fn at(service: u64, event: u64) -> Self {
        let places = |weights: &[u64], draw: u64| {
            let mut left = draw % weights.iter().sum::<u64>();
            weights.iter().position(|weight| {
                let found = left < *weight;
                left = left.saturating_sub(*weight);
                found
            })
        };
        Self {
            service: places(&SERVICES.map(|(weight, ..)| weight), service).unwrap_or(0),
            event: places(&EVENTS.map(|(weight, ..)| weight), event).unwrap_or(0),
        }
    }

    /// The service in the record's words.
    pub(super) fn service(self) -> &'static str {
        SERVICES[self.service].1
    }

    /// The event type in the record's words.
    pub(super) fn event(self) -> &'static str {
        EVENTS[self.event].1
    }

    pub(super) fn family(self) -> Family {
        SERVICES[self.service].2
    }

    pub(super) fn kind(self) -> Kind {
        EVENTS[self.event].2
    }
}
