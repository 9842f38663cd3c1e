//! What the vendor's refusals mean, in their four shapes: `fail` of the gateway, failures inside a 200, `error` of
//! the SIEM routes, and whatever stands between us and the vendor says.

use model::secret::Secret;
use model::vendor::{Fault, FetchError};
use serde_json::Value;

use super::Kind;
use crate::client::{Answer, quote, status_fault};

/// Codes by which the vendor refuses a token or the credentials.
const UNAUTHORIZED: [&str; 4] =
    ["token_expired", "token_verification_failed", "unauthorized", "InvalidClientIdentifier"];
/// The end of codes that mean "nothing in this range".
const NOTHING_FOUND: &str = "no_result_found";

/// The error that a refused data request stands for. `continued` tells that a paging token was sent.
pub(super) fn refused(answer: &Answer, kind: Kind, token: &Secret, continued: bool) -> FetchError {
    let refusal = Refusal::read(&answer.body);
    let fault = refusal.fault(answer.status, continued);
    let mut words = quote(&refusal.words(), token);
    if fault == Fault::MissingScope {
        words.push_str(&format!("; it needs the role {}", kind.role()));
    }
    answer.refused(fault, &words)
}

/// The error of a success that carries no token: the credentials are refused inside it, or it is none of the
/// vendor's answers. Also that of a refusal.
pub(super) fn no_token(answer: &Answer, secret: &Secret) -> FetchError {
    let refusal = Refusal::read(&answer.body);
    let fault = match (answer.is_success(), refusal.is_any()) {
        (true, _) if refusal.is_foreign => Fault::Unreadable,
        (true, true) if refusal.is_unauthorized() => Fault::UnknownKey,
        (true, true) => Fault::Outage,
        (true, false) => Fault::Unreadable,
        (false, _) => refusal.fault(answer.status, false),
    };
    let words = if refusal.is_any() || !answer.is_success() {
        quote(&refusal.words(), secret)
    } else {
        "no access token in the answer".to_owned()
    };
    answer.refused(fault, &words)
}

/// The failure that a success carries inside; `None` when it carries none, or only says that nothing was found.
pub(super) fn inside(
    answer: &Answer,
    kind: Kind,
    token: &Secret,
    continued: bool,
) -> Option<FetchError> {
    let refusal = Refusal::read(&answer.body);
    if refusal.is_foreign || !refusal.is_any() || refusal.found_nothing() {
        return None;
    }
    let has = |part: &str| refusal.codes.iter().any(|code| code.to_lowercase().contains(part));
    let fault = if has("forbidden") || has("permission") {
        Fault::MissingScope
    } else if has("rate_limit") || has("throttl") {
        Fault::Throttled
    } else if continued && !refusal.is_retryable {
        // The filters were good on the first page, so what is wrong is the token.
        Fault::ExpiredLink
    } else if has("validation") || has("invalid") {
        Fault::BadRequest
    } else {
        Fault::Outage
    };
    let mut words = quote(&refusal.words(), token);
    if fault == Fault::MissingScope {
        words.push_str(&format!("; it needs the role {}", kind.role()));
    }
    Some(answer.refused(fault, &words))
}

/// What can be read of a refusal's body.
#[derive(Debug, Default, PartialEq)]
struct Refusal {
    codes: Vec<String>,
    messages: Vec<String>,
    is_retryable: bool,
    /// There are failures without a code.
    is_untold: bool,
    /// Not the vendor's JSON at all.
    is_foreign: bool,
}

impl Refusal {
    fn read(body: &[u8]) -> Self {
        let mut refusal = Self::default();
        match serde_json::from_slice::<Value>(body) {
            Ok(value @ Value::Object(_)) => {
                for failure in listed(&value["fail"]) {
                    refusal.take(failure);
                    let mut errors = listed(&failure["errors"]).peekable();
                    let is_told = errors.peek().is_some() || has_code(failure);
                    refusal.is_untold |= !is_told;
                    for error in errors {
                        refusal.take(error);
                        refusal.is_untold |= !has_code(error);
                    }
                }
                refusal.take(&value["error"]);
                if let Some(detail) = value["detail"].as_str() {
                    refusal.messages.push(detail.to_owned());
                }
            }
            Ok(_) => {}
            Err(_) => {
                refusal.is_foreign = true;
                refusal.messages.push(foreign_words(body));
            }
        }
        refusal
    }

    fn take(&mut self, error: &Value) {
        let text = |name: &str| error[name].as_str().filter(|text| !text.is_empty());
        self.codes.extend(text("code").map(str::to_owned));
        self.messages.extend(text("message").map(str::to_owned));
        self.is_retryable |= error["retryable"] == Value::Bool(true);
    }

    fn is_any(&self) -> bool {
        self.is_untold || !self.codes.is_empty() || !self.messages.is_empty()
    }

    /// Whether it only says that nothing lies in the range that was asked for.
    fn found_nothing(&self) -> bool {
        let is_nothing = |code: &String| code.ends_with(NOTHING_FOUND);
        !self.is_untold && !self.codes.is_empty() && self.codes.iter().all(is_nothing)
    }

    fn is_unauthorized(&self) -> bool {
        self.codes.iter().any(|code| UNAUTHORIZED.contains(&code.as_str()))
    }

    fn words(&self) -> String {
        let parts = self.codes.iter().chain(&self.messages).filter(|part| !part.is_empty());
        parts.map(String::as_str).collect::<Vec<_>>().join(": ")
    }

    fn fault(&self, status: u16, continued: bool) -> Fault {
        match status {
            // A new token was refused too, and not as a token: it is the paging token that is too old.
            401 if continued && !self.codes.is_empty() && !self.is_unauthorized() => {
                Fault::ExpiredLink
            }
            400 | 404 | 410 if continued => Fault::ExpiredLink,
            _ => status_fault(status).unwrap_or(Fault::Unreadable),
        }
    }
}

/// The items of a list, or what stands in its place.
fn listed(value: &Value) -> impl Iterator<Item = &Value> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        Value::Null | Value::Bool(false) => &[],
        Value::String(text) if text.is_empty() => &[],
        Value::Object(members) if members.is_empty() => &[],
        _ => std::slice::from_ref(value),
    };
    items.iter()
}

fn has_code(error: &Value) -> bool {
    error["code"].as_str().is_some_and(|code| !code.is_empty())
}

/// A body that is not JSON comes from something between us and the vendor.
fn foreign_words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    if text.trim_start().starts_with('<') {
        return "a web page instead of JSON".to_owned();
    }
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Refusal {
        Refusal::read(body.as_bytes())
    }

    #[test]
    fn the_four_shapes_are_read() {
        let gateway = read(r#"{"fail":[{"code":"app_forbidden","message":"Forbidden"}]}"#);
        assert_eq!(gateway.words(), "app_forbidden: Forbidden");
        assert_eq!(read(r#"{"fail":[{"code":"unauthorized"}]}"#).words(), "unauthorized");
        let function = read(
            r#"{"meta":{"status":200},"data":[],"fail":[{"key":{},"errors":[{"code":"err_x","message":"m","retryable":true}]}]}"#,
        );
        assert_eq!((function.words().as_str(), function.is_retryable), ("err_x: m", true));
        assert_eq!(read(r#"{"error":{"code":"c","message":"m"}}"#).words(), "c: m");
        assert_eq!(read(r#"{"detail":"Over throttling limit"}"#).words(), "Over throttling limit");
        assert_eq!(read("<html>").words(), "a web page instead of JSON");
        assert_eq!(read("upstream\nreset").words(), "upstream\nreset");
        for nothing in ["", "[]", "7", "{}", r#"{"fail":[],"error":null}"#] {
            assert!(read(nothing).words().is_empty(), "{nothing}");
        }
        assert!(!read(r#"{"fail":[],"data":[]}"#).is_any());
    }

    #[test]
    fn a_failure_that_says_nothing_readable_is_a_failure() {
        for fail in
            ["[{}]", "[null]", r#"[{"code":7}]"#, r#"[{"key":{},"errors":[{}]}]"#, r#""no""#]
        {
            let refusal = read(&format!(r#"{{"fail":{fail},"data":[]}}"#));
            assert!(refusal.is_any() && !refusal.found_nothing(), "{fail}");
        }
        let nothing = r#"{"code":"err_logs_no_result_found"}"#;
        assert!(read(&format!(r#"{{"fail":[{nothing}]}}"#)).found_nothing());
        assert!(read(&format!(r#"{{"fail":[{{"errors":[{nothing}]}}]}}"#)).found_nothing());
        assert!(!read(&format!(r#"{{"fail":[{nothing},{{}}]}}"#)).found_nothing());
        for none in ["[]", "null", "{}", r#""""#, "false"] {
            assert!(!read(&format!(r#"{{"fail":{none}}}"#)).is_any(), "{none}");
        }
    }

    #[test]
    fn a_refused_paging_token_has_run_out_whatever_the_status() {
        let stale = read(r#"{"error":{"code":"err_page_token","message":"old"}}"#);
        for status in [400, 401, 404, 410] {
            assert_eq!(stale.fault(status, true), Fault::ExpiredLink, "{status}");
        }
        assert_eq!(stale.fault(400, false), Fault::BadRequest);
        assert_eq!(stale.fault(404, false), Fault::WrongUrl);
        let refused = read(r#"{"fail":[{"code":"token_expired"}]}"#);
        assert_eq!(refused.fault(401, true), Fault::UnknownKey);
        assert_eq!(read("").fault(401, true), Fault::UnknownKey);
    }
}
