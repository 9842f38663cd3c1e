//! Who may ask: bearer keys, their expiry after 365 days, and their API types.

use crate::times::DAY_MS;

use super::errors::Refused;
use super::knobs::{ExpiredText, Knobs};

/// A key's life, in milliseconds.
const KEY_LIFE_MS: i64 = 365 * DAY_MS;

/// The key of an `Authorization` header value.
pub(super) fn bearer(header: Option<&str>) -> Option<&str> {
    let (scheme, key) = header?.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !key.is_empty()).then_some(key)
}

/// Whether the key is one that the vendor knows and still accepts.
pub(super) fn authenticate<'k>(
    key: Option<&'k str>,
    knobs: &Knobs,
    now_ms: i64,
) -> Result<&'k str, Refused> {
    let key = key.ok_or(Refused::TokenNotFound)?;
    let listed = |keys: &[String]| keys.iter().any(|listed| listed == key);
    if listed(&knobs.revoked) {
        return Err(Refused::TokenNotFound);
    }
    let outlived =
        |(name, issued_ms): &(String, i64)| name == key && now_ms >= issued_ms + KEY_LIFE_MS;
    if listed(&knobs.expired) || knobs.issued.iter().any(outlived) {
        return Err(match knobs.expired_text {
            ExpiredText::Expired => Refused::TokenExpired,
            ExpiredText::NotFound => Refused::TokenNotFound,
        });
    }
    if listed(&knobs.keys) || listed(&knobs.no_scope) {
        Ok(key)
    } else {
        Err(Refused::TokenNotFound)
    }
}

/// What a key can be allowed to do; each is one bit of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum ApiType {
    LogRetrieval = 1,
    ThreatInvestigation = 2,
    ThreatMitigation = 4,
    ThreatRemediation = 8,
    IntelligentInvestigation = 16,
}

/// The API types of a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ApiTypes(u8);

impl ApiTypes {
    /// Reads names joined by `+`; `none` adds nothing.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bit = |name: &str| {
            Some(match name {
                "none" => 0,
                "log_retrieval" => ApiType::LogRetrieval as u8,
                "threat_investigation" => ApiType::ThreatInvestigation as u8,
                "threat_mitigation" => ApiType::ThreatMitigation as u8,
                "threat_remediation" => ApiType::ThreatRemediation as u8,
                "intelligent_investigation" => ApiType::IntelligentInvestigation as u8,
                _ => return None,
            })
        };
        text.split('+').try_fold(0, |set, name| Some(set | bit(name)?)).map(Self)
    }

    fn contains(self, api_type: ApiType) -> bool {
        self.0 & api_type as u8 != 0
    }
}

/// Whether the key has an API type.
pub(super) fn authorize(key: &str, needed: ApiType, knobs: &Knobs) -> Result<(), Refused> {
    let is_logless = knobs.no_scope.iter().any(|listed| listed == key);
    let lacks = |(listed, types): &(String, ApiTypes)| listed == key && !types.contains(needed);
    if (needed == ApiType::LogRetrieval && is_logless) || knobs.scopes.iter().any(lacks) {
        return Err(Refused::NoPermission);
    }
    Ok(())
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

    #[test]
    fn only_bearer_headers_carry_a_key() {
        assert_eq!(bearer(Some("Bearer sim-key")), Some("sim-key"));
        for bad in [None, Some("sim-key"), Some("Basic sim-key"), Some("Bearer ")] {
            assert_eq!(bearer(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn unknown_missing_and_revoked_keys_are_not_found() {
        let knobs = knobs(&[("keys", "a,b"), ("revoked", "b")]);
        assert_eq!(authenticate(Some("a"), &knobs, 0), Ok("a"));
        for key in [None, Some("b"), Some("sim-key")] {
            assert_eq!(authenticate(key, &knobs, 0), Err(Refused::TokenNotFound), "{key:?}");
        }
    }

    #[test]
    fn expired_keys_have_two_readings() {
        let told = knobs(&[("expired", "sim-key")]);
        assert_eq!(authenticate(Some("sim-key"), &told, 0), Err(Refused::TokenExpired));
        let hidden = knobs(&[("expired", "sim-key"), ("expired_text", "not_found")]);
        assert_eq!(authenticate(Some("sim-key"), &hidden, 0), Err(Refused::TokenNotFound));
    }

    #[test]
    fn keys_expire_by_the_clock_after_365_days() {
        let knobs = knobs(&[("issued", "sim-key:2026-01-01T00:00:00Z")]);
        let end = parse_instant_ms("2027-01-01T00:00:00Z").unwrap();
        assert_eq!(authenticate(Some("sim-key"), &knobs, end - 1), Ok("sim-key"));
        assert_eq!(authenticate(Some("sim-key"), &knobs, end), Err(Refused::TokenExpired));
    }

    #[test]
    fn keys_have_the_api_types_that_are_named_or_all() {
        let knobs = knobs(&[
            ("keys", "a,b,c,d"),
            ("no_scope", "a"),
            ("scopes", "b:none,c:log_retrieval+threat_mitigation"),
        ]);
        let (logs, mitigation) = (ApiType::LogRetrieval, ApiType::ThreatMitigation);
        let investigation = ApiType::ThreatInvestigation;
        for (key, needed, allowed) in [
            ("a", logs, false),
            ("a", mitigation, true),
            ("b", logs, false),
            ("b", mitigation, false),
            ("c", logs, true),
            ("c", mitigation, true),
            ("c", investigation, false),
            ("d", logs, true),
            ("d", investigation, true),
        ] {
            assert_eq!(authorize(key, needed, &knobs).is_ok(), allowed, "{key} {needed:?}");
        }
        assert_eq!(ApiTypes::parse("log_retrieval+admin"), None);
    }
}
