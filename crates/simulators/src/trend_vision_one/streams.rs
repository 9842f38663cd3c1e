//! The three streams of records, one for each content type.

/// A stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Alerts,
    AuditLogs,
    Techniques,
}

impl Stream {
    /// All streams in their order.
    pub(super) const ALL: [Self; 3] = [Self::Alerts, Self::AuditLogs, Self::Techniques];

    /// Its number, from 0.
    pub(super) fn number(self) -> usize {
        match self {
            Self::Alerts => 0,
            Self::AuditLogs => 1,
            Self::Techniques => 2,
        }
    }

    /// Its number as a coordinate of chance.
    pub(super) fn coordinate(self) -> u64 {
        u64::try_from(self.number()).unwrap_or(u64::MAX)
    }

    /// The stream with this number.
    pub(super) fn numbered(number: usize) -> Option<Self> {
        Self::ALL.get(number).copied()
    }

    /// Its name under `/_sim/` and in faults.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::AuditLogs => "audit_logs",
            Self::Techniques => "observed_attack_techniques",
        }
    }

    /// The streams that a text names: `all`, or names joined by `+` or `,`.
    pub(super) fn selection(text: &str) -> Option<Vec<Self>> {
        if text == "all" {
            return Some(Self::ALL.to_vec());
        }
        let named = |name: &str| Self::ALL.into_iter().find(|stream| stream.name() == name.trim());
        let mut selected = text.split(['+', ',']).map(named).collect::<Option<Vec<_>>>()?;
        selected.sort_unstable_by_key(|stream| stream.number());
        selected.dedup();
        Some(selected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_known_by_number_and_name() {
        for stream in Stream::ALL {
            assert_eq!(Stream::numbered(stream.number()), Some(stream));
            assert_eq!(Stream::selection(stream.name()), Some(vec![stream]));
        }
        let both = Some(vec![Stream::Alerts, Stream::AuditLogs]);
        assert_eq!(Stream::selection("audit_logs+alerts+alerts"), both);
        assert_eq!(Stream::selection("all").map(|all| all.len()), Some(3));
        assert_eq!(Stream::selection("mails"), None);
    }
}
