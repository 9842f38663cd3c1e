//! The parameters of a query string: each at most once, unknown ones ignored.

use std::collections::BTreeMap;

use url::form_urlencoded;

use super::errors::Refused;

/// The known parameters of a request, decoded.
#[derive(Debug)]
pub(super) struct Parameters(BTreeMap<&'static str, String>);

impl Parameters {
    /// Reads the parameters of these names; one that is repeated is refused.
    pub(super) fn read(text: &str, names: &[&'static str]) -> Result<Self, Refused> {
        let mut given = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let Some(known) = names.iter().find(|known| **known == name) else { continue };
            if given.insert(*known, value.into_owned()).is_some() {
                return Err(Refused::BadParameter(format!(
                    "The parameter {name} is given more than once"
                )));
            }
        }
        Ok(Self(given))
    }

    /// The value of a parameter, which may be empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The size of a page: `default` unless 1 to `most` is asked for.
    pub(super) fn limit(&self, default: usize, most: usize) -> Result<usize, Refused> {
        let Some(text) = self.get("limit") else { return Ok(default) };
        whole(text).filter(|limit| (1..=most).contains(limit)).ok_or_else(|| invalid("limit"))
    }
}

/// A number of digits alone.
pub(super) fn whole(text: &str) -> Option<usize> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// The query as it was sent, without its token.
pub(super) fn untokened(text: &str) -> String {
    let is_token = |pair: &&str| pair.split('=').next() == Some("skiptoken");
    text.split('&').filter(|pair| !is_token(pair)).collect::<Vec<_>>().join("&")
}

/// The refusal of a parameter or a member of a body.
pub(super) fn invalid(name: &str) -> Refused {
    Refused::BadParameter(format!("The value of {name} is invalid or missing"))
}
