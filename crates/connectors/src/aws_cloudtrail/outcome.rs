//! How a call ended. Success has no word: it is the absence of `errorCode`. A sign-in says it elsewhere, under its own
//! name: `responseElements.ConsoleLogin`, or `serviceEventDetails.UserAuthentication` of the Identity Center.

use std::borrow::Cow;

use model::ocsf::values::activity_status;

use super::text;

/// What some services write as the code of an error when there was none.
const HTTP_OK: &str = "200";

/// How it ended, in OCSF's ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome<'a> {
    pub(super) status_id: i32,
    /// AWS's word where OCSF has no id for it.
    pub(super) status: Option<Cow<'a, str>>,
}

impl<'a> Outcome<'a> {
    /// The outcome of a call by its `errorCode`.
    pub(super) fn of_code(code: Option<&str>) -> Self {
        let is_success = code.is_none_or(|code| code == HTTP_OK);
        let status_id =
            if is_success { activity_status::SUCCESS } else { activity_status::FAILURE };
        Self { status_id, status: None }
    }

    /// The outcome that one of the objects tells under the name of the operation.
    pub(super) fn told(operation: &str, objects: [Option<&'a str>; 2]) -> Option<Self> {
        let found = objects.into_iter().flatten().find_map(|json| member(json, operation))?;
        let word = text::scalar(found)?;
        let status_id = match word.to_ascii_lowercase().as_str() {
            "success" => activity_status::SUCCESS,
            "failure" | "failed" => activity_status::FAILURE,
            _ => activity_status::OTHER,
        };
        Some(Self { status_id, status: (status_id == activity_status::OTHER).then_some(word) })
    }
}

/// The JSON of a member that says something.
fn member<'a>(json: &'a str, wanted: &str) -> Option<&'a str> {
    let found = sonic_rs::to_object_iter(json)
        .map_while(Result::ok)
        .find_map(|(name, value)| (name == wanted).then(|| value.as_raw_cow()))?;
    match found {
        Cow::Borrowed(json) if !text::says_nothing(json) => Some(json),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(response: Option<&str>, details: Option<&str>) -> Option<(i32, Option<String>)> {
        let outcome = Outcome::told("ConsoleLogin", [response, details])?;
        Some((outcome.status_id, outcome.status.map(Cow::into_owned)))
    }

    #[test]
    fn no_code_is_success_and_so_is_the_number_of_http() {
        let id = |code| Outcome::of_code(code).status_id;
        assert_eq!(id(None), activity_status::SUCCESS);
        assert_eq!(id(Some("200")), activity_status::SUCCESS);
        assert_eq!(id(Some("AccessDenied")), activity_status::FAILURE);
    }

    #[test]
    fn a_sign_in_tells_its_outcome_under_its_own_name() {
        let success = Some((activity_status::SUCCESS, None));
        assert_eq!(told(Some(r#"{"ConsoleLogin":"Success"}"#), None), success);
        assert_eq!(
            told(Some(r#"{"ConsoleLogin":"failure"}"#), None),
            Some((activity_status::FAILURE, None))
        );
        assert_eq!(told(None, Some(r#"{"a":1,"ConsoleLogin":"Success"}"#)), success);
        assert_eq!(
            told(Some(r#"{"ConsoleLogin":"Challenge"}"#), None),
            Some((activity_status::OTHER, Some("Challenge".to_owned())))
        );
        for silent in [None, Some("null"), Some("{}"), Some(r#"{"ConsoleLogin":null}"#)] {
            assert_eq!(told(silent, None), None);
        }
    }
}
