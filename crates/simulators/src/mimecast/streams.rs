//! The 13 streams: ten SIEM event types and three kinds of TTP logs.

/// The SIEM event types as they stand on the wire.
const SIEM_TYPES: [&str; 10] = [
    "receipt",
    "process",
    "delivery",
    "av",
    "spam",
    "journal",
    "internal email protect",
    "impersonation protect",
    "attachment protect",
    "url protect",
];

/// The kinds of TTP logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ttp {
    Url,
    Attachment,
    Impersonation,
}

const TTP: [Ttp; 3] = [Ttp::Url, Ttp::Attachment, Ttp::Impersonation];

/// One stream, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stream(usize);

impl Stream {
    /// How many streams there are.
    pub(super) const COUNT: usize = SIEM_TYPES.len() + TTP.len();

    /// All streams in their order.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// The stream with this number.
    pub(super) fn numbered(number: usize) -> Option<Self> {
        (number < Self::COUNT).then_some(Self(number))
    }

    /// The SIEM stream of a type as it stands on the wire.
    pub(super) fn of_type(name: &str) -> Option<Self> {
        SIEM_TYPES.iter().position(|known| *known == name).map(Self)
    }

    /// The stream of TTP logs.
    pub(super) fn of_ttp(kind: Ttp) -> Self {
        Self(SIEM_TYPES.len() + TTP.iter().position(|known| *known == kind).unwrap_or(0))
    }

    /// The streams that a text names: `all`, or names joined by `+` or `,`; `siem` and `ttp` are groups.
    pub(super) fn selection(text: &str) -> Option<Vec<Self>> {
        if text == "all" {
            return Some(Self::all().collect());
        }
        let mut selected = Vec::new();
        for name in text.split(['+', ',']).map(str::trim) {
            let is_meant = |stream: &Self| match name {
                "siem" => stream.siem_type().is_some(),
                "ttp" => stream.ttp().is_some(),
                _ => stream.name() == name,
            };
            let found: Vec<_> = Self::all().filter(is_meant).collect();
            if found.is_empty() {
                return None;
            }
            selected.extend(found);
        }
        selected.sort_unstable();
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

    /// The SIEM type on the wire; `None` for TTP logs.
    pub(super) fn siem_type(self) -> Option<&'static str> {
        SIEM_TYPES.get(self.0).copied()
    }

    /// The kind of TTP logs; `None` for SIEM events.
    pub(super) fn ttp(self) -> Option<Ttp> {
        TTP.get(self.0.checked_sub(SIEM_TYPES.len())?).copied()
    }

    /// `siem/url_protect`, `ttp_url`.
    pub(super) fn name(self) -> String {
        match (self.siem_type(), self.ttp()) {
            (Some(name), _) => format!("siem/{}", name.replace(' ', "_")),
            (None, Some(Ttp::Url)) => "ttp_url".to_owned(),
            (None, Some(Ttp::Attachment)) => "ttp_attachment".to_owned(),
            (None, _) => "ttp_impersonation".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_is_found_by_what_the_wire_calls_it() {
        assert_eq!(Stream::COUNT, 13);
        for stream in Stream::all() {
            let found = match (stream.siem_type(), stream.ttp()) {
                (Some(name), None) => Stream::of_type(name),
                (None, Some(kind)) => Some(Stream::of_ttp(kind)),
                _ => None,
            };
            assert_eq!(found, Some(stream), "{}", stream.name());
        }
        assert_eq!(Stream::of_type("ttp-url"), None);
        assert_eq!(Stream::numbered(13), None);
    }

    #[test]
    fn selections_name_streams_or_groups() {
        let count = |text| Stream::selection(text).map(|all| all.len());
        assert_eq!(count("all"), Some(13));
        assert_eq!(count("siem"), Some(10));
        assert_eq!(count("ttp+siem/av"), Some(4));
        assert_eq!(count("siem/url_protect,ttp_url,ttp_url"), Some(2));
        for bad in ["", "url protect", "siem+", "receipt"] {
            assert_eq!(count(bad), None, "{bad}");
        }
    }
}
