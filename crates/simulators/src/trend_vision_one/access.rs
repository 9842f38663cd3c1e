//! Who may ask: bearer keys, their end, and the permissions of their roles.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::errors::Refused;
use super::knobs::Knobs;

/// What a permission covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Area {
    Alerts,
    AuditLogs,
    Techniques,
    Endpoints,
    ApiKeys,
    /// Response Management: what every action and every look at tasks needs.
    Response,
    Isolation,
    EndpointActions,
    BlockList,
    MailActions,
    MailDeletion,
    AccountActions,
    /// To read one task; the list needs only [`Area::Response`].
    TaskResults,
    SuspiciousObjects,
    Search,
    Sandbox,
}

impl Area {
    pub(super) const ALL: [Self; 16] = [
        Self::Alerts,
        Self::AuditLogs,
        Self::Techniques,
        Self::Endpoints,
        Self::ApiKeys,
        Self::Response,
        Self::Isolation,
        Self::EndpointActions,
        Self::BlockList,
        Self::MailActions,
        Self::MailDeletion,
        Self::AccountActions,
        Self::TaskResults,
        Self::SuspiciousObjects,
        Self::Search,
        Self::Sandbox,
    ];

    /// The area of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|area| area.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::AuditLogs => "audit_logs",
            Self::Techniques => "observed_attack_techniques",
            Self::Endpoints => "endpoints",
            Self::ApiKeys => "api_keys",
            Self::Response => "response",
            Self::Isolation => "isolation",
            Self::EndpointActions => "endpoint_actions",
            Self::BlockList => "block_list",
            Self::MailActions => "mail_actions",
            Self::MailDeletion => "mail_deletion",
            Self::AccountActions => "account_actions",
            Self::TaskResults => "task_results",
            Self::SuspiciousObjects => "suspicious_objects",
            Self::Search => "search",
            Self::Sandbox => "sandbox",
        }
    }
}

/// A key that the vendor knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known<'k> {
    pub(super) key: &'k str,
    /// Whether its life is over.
    pub(super) is_expired: bool,
}

/// The key of an `Authorization` header value.
pub(super) fn bearer(header: Option<&str>) -> Option<&str> {
    let (scheme, key) = header?.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !key.is_empty()).then_some(key)
}

/// Whether the key is one that the vendor knows and has not deleted or switched off.
pub(super) fn authenticate<'k>(
    key: Option<&'k str>,
    knobs: &Knobs,
    now_ms: i64,
) -> Result<Known<'k>, Refused> {
    let key = key.ok_or_else(Refused::invalid_token)?;
    let listed = |keys: &[String]| keys.iter().any(|listed| listed == key);
    let is_denied = knobs.no_scope.iter().any(|denied| denied.key == key);
    let is_known = listed(&knobs.keys) || listed(&knobs.expired) || is_denied;
    if !is_known || listed(&knobs.revoked) || listed(&knobs.disabled) {
        return Err(Refused::invalid_token());
    }
    let told = knobs.expires.iter().find(|(name, _)| name == key).map(|(_, end_ms)| *end_ms);
    let outlived = told.or_else(|| claimed_end_ms(key)).is_some_and(|end_ms| now_ms >= end_ms);
    Ok(Known { key, is_expired: listed(&knobs.expired) || outlived })
}

/// Whether the key's role has the permission.
pub(super) fn authorize(key: &str, area: Area, knobs: &Knobs) -> Result<(), Refused> {
    let is_denied =
        knobs.no_scope.iter().any(|denied| denied.key == key && denied.areas.contains(&area));
    if is_denied { Err(Refused::access_denied()) } else { Ok(()) }
}

/// When a key of the vendor's own form (three parts, the middle one JSON) says that it runs out.
pub(super) fn claimed_end_ms(key: &str) -> Option<i64> {
    let payload = URL_SAFE_NO_PAD.decode(key.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    let end = claims.get("exp").or_else(|| claims.get("et"))?.as_i64()?;
    // Milliseconds have been given where seconds are usual.
    Some(if end > 100_000_000_000 { end } else { end.saturating_mul(1_000) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::times::parse_instant_ms;

    fn knobs(faults: &[(&str, &str)]) -> Knobs {
        let mut knobs = Knobs::default();
        for (name, value) in faults {
            knobs.set(name, value).unwrap();
        }
        knobs
    }

    fn is_expired(key: &str, knobs: &Knobs, now_ms: i64) -> Option<bool> {
        authenticate(Some(key), knobs, now_ms).ok().map(|known| known.is_expired)
    }

    #[test]
    fn unknown_deleted_and_disabled_keys_are_refused() {
        let knobs =
            knobs(&[("keys", "a,b,c,d"), ("revoked", "b"), ("disabled", "c"), ("expired", "d")]);
        assert_eq!(is_expired("a", &knobs, 0), Some(false));
        assert_eq!(is_expired("d", &knobs, 0), Some(true));
        for key in ["b", "c", "sim-key"] {
            assert_eq!(is_expired(key, &knobs, 0), None, "{key}");
        }
        assert!(authenticate(None, &knobs, 0).is_err());
    }

    #[test]
    fn keys_run_out_when_told_or_when_they_say_so_themselves() {
        let token = format!("h.{}.s", URL_SAFE_NO_PAD.encode(r#"{"exp":1772438400}"#));
        let knobs =
            knobs(&[("keys", &format!("a,{token}")), ("expires", "a:2026-03-02T08:00:00Z")]);
        let end = parse_instant_ms("2026-03-02T08:00:00Z").unwrap();
        for key in ["a", &token] {
            assert_eq!(is_expired(key, &knobs, end - 1), Some(false), "{key}");
            assert_eq!(is_expired(key, &knobs, end), Some(true), "{key}");
        }
    }

    #[test]
    fn permissions_are_by_area() {
        let knobs = knobs(&[("no_scope", "a:alerts,b")]);
        assert!(authorize("a", Area::Alerts, &knobs).is_err());
        assert!(authorize("a", Area::AuditLogs, &knobs).is_ok());
        assert!(Area::ALL.into_iter().all(|area| authorize("b", area, &knobs).is_err()));
        assert_eq!(is_expired("a", &knobs, 0), Some(false));
    }
}
