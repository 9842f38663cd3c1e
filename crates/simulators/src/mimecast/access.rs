//! Who may ask: client credentials become access tokens, which carry what the vendor needs to know about them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::answer::Answer;
use crate::draw::mix;

use super::errors;
use super::knobs::Knobs;

/// The tokens issued so far.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// The number of the newest token of each application.
    newest: Mutex<HashMap<String, u64>>,
}

/// A token's contents.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Claims {
    application: String,
    number: u64,
    issued_ms: i64,
}

/// The token of an `Authorization` header value.
pub(super) fn bearer(header: Option<&str>) -> Option<&str> {
    let (scheme, token) = header?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

impl Tokens {
    /// Answers a request for a token; `form` is its body. Also says which application asked.
    pub(super) fn issue(
        &self,
        form: &str,
        knobs: &Knobs,
        seed: u64,
        now_ms: i64,
    ) -> (Option<String>, Answer) {
        let fields: HashMap<String, String> =
            url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        let field = |name: &str| fields.get(name).map(String::as_str);
        let (Some("client_credentials"), Some(id), Some(secret)) =
            (field("grant_type"), field("client_id"), field("client_secret"))
        else {
            let message = Some("grant_type, client_id and client_secret are required");
            return (None, errors::gateway(StatusCode::BAD_REQUEST, "invalid_request", message));
        };
        let asked_by = Some(id.to_owned());
        if knobs.auth_outage {
            return (asked_by, errors::unavailable(knobs.unavailable_html).injected());
        }
        let is_known = knobs.keys.iter().any(|known| known.id == id && known.secret == secret);
        if !is_known || knobs.revoked.iter().any(|revoked| revoked == id) {
            return (asked_by, errors::unknown_application());
        }
        if knobs.token_fails {
            let body = json!({ "fail": [{ "message": "The token could not be made" }] });
            return (asked_by, Answer::json(StatusCode::OK, body.to_string()).injected());
        }
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let number = newest.entry(id.to_owned()).or_default();
        *number += 1;
        let claims = Claims { application: id.to_owned(), number: *number, issued_ms: now_ms };
        let body = json!({
            "access_token": claims.encode(seed),
            "token_type": "Bearer",
            "expires_in": knobs.token_life_s,
            "scope": "",
        });
        (asked_by, Answer::json(StatusCode::OK, body.to_string()))
    }

    /// The application that a token belongs to.
    pub(super) fn check(
        &self,
        token: Option<&str>,
        knobs: &Knobs,
        seed: u64,
        now_ms: i64,
    ) -> Result<String, Answer> {
        let refused = |code, message| errors::gateway(StatusCode::UNAUTHORIZED, code, message);
        let token = token.ok_or_else(|| refused("unauthorized", None))?;
        let broken = || refused("token_verification_failed", Some("Token could not be verified"));
        let claims = Claims::decode(token, seed).ok_or_else(broken)?;
        if now_ms > claims.issued_ms + knobs.token_life_s * 1_000 {
            return Err(refused("token_expired", Some("Access Token expired")));
        }
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let is_newest = newest.get(&claims.application) == Some(&claims.number);
        if knobs.one_token && !is_newest {
            return Err(broken());
        }
        let is_known = knobs.keys.iter().any(|known| known.id == claims.application);
        if !is_known || knobs.revoked.contains(&claims.application) {
            return Err(errors::unknown_application());
        }
        Ok(claims.application)
    }

    /// The application that a token names, whether it is accepted or not.
    pub(super) fn owner(token: Option<&str>, seed: u64) -> Option<String> {
        Claims::decode(token?, seed).map(|claims| claims.application)
    }
}

impl Claims {
    fn encode(&self, seed: u64) -> String {
        let text = json!([self.application, self.number, self.issued_ms]).to_string();
        format!("mc2.{}.{:x}", URL_SAFE_NO_PAD.encode(&text), seal(&text, seed))
    }

    fn decode(token: &str, seed: u64) -> Option<Self> {
        let (body, check) = token.strip_prefix("mc2.")?.split_once('.')?;
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
        if check != format!("{:x}", seal(&text, seed)) {
            return None;
        }
        let (application, number, issued_ms) = serde_json::from_str(&text).ok()?;
        Some(Self { application, number, issued_ms })
    }
}

/// A number that only this simulator makes of the text.
pub(super) fn seal(text: &str, seed: u64) -> u64 {
    text.bytes().fold(mix(&[seed, 0x70ce]), |all, byte| mix(&[all, u64::from(byte)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str =
        "grant_type=client_credentials&client_id=sim-client&client_secret=sim-secret";

    fn token(tokens: &Tokens, knobs: &Knobs, now_ms: i64) -> String {
        let (owner, answer) = tokens.issue(FORM, knobs, 1, now_ms);
        assert_eq!(owner.as_deref(), Some("sim-client"));
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }

    fn status(checked: Result<String, Answer>) -> u16 {
        checked.map_or_else(|answer| answer.status.as_u16(), |_| 200)
    }

    #[test]
    fn tokens_live_their_time_and_side_by_side() {
        let (tokens, mut knobs) = (Tokens::default(), Knobs::documented());
        let (first, second) = (token(&tokens, &knobs, 0), token(&tokens, &knobs, 1_000));
        assert_ne!(first, second);
        assert_eq!(status(tokens.check(Some(&first), &knobs, 1, 1_799_000)), 200);
        assert_eq!(status(tokens.check(Some(&first), &knobs, 1, 1_799_001)), 401);
        assert_eq!(status(tokens.check(Some(&first), &knobs, 2, 0)), 401, "another seed");
        knobs.set("one_token", "on").unwrap();
        assert_eq!(status(tokens.check(Some(&first), &knobs, 1, 1_000)), 401);
        assert_eq!(status(tokens.check(Some(&second), &knobs, 1, 1_000)), 200);
    }

    #[test]
    fn applications_that_are_unknown_or_deleted_get_none() {
        let (tokens, mut knobs) = (Tokens::default(), Knobs::documented());
        for (form, expected) in [
            (FORM.to_owned(), 200),
            (FORM.replace("sim-secret", "wrong"), 401),
            (FORM.replace("sim-client", "other"), 401),
            (FORM.replace("client_credentials", "password"), 400),
            (String::new(), 400),
        ] {
            assert_eq!(tokens.issue(&form, &knobs, 1, 0).1.status, expected, "{form}");
        }
        let kept = token(&tokens, &knobs, 0);
        knobs.set("revoked", "sim-client").unwrap();
        assert_eq!(tokens.issue(FORM, &knobs, 1, 0).1.status, 401);
        assert_eq!(status(tokens.check(Some(&kept), &knobs, 1, 0)), 401);
    }
}
