//! What an API call does, by the leading verb of its name: `DeleteTrail` deletes, `CreateTags` creates.

use model::ocsf::values::api_activity::{CREATE, DELETE, OTHER, READ, UPDATE};

/// Verbs and what they do. A name begins with one of them, and the next letter begins a new word.
const VERBS: &[(&str, i32)] = &[
    ("Get", READ),
    ("Describe", READ),
    ("List", READ),
    ("Head", READ),
    ("Put", UPDATE),
    ("Create", CREATE),
    ("Update", UPDATE),
    ("Delete", DELETE),
    ("Add", UPDATE),
    ("Allocate", CREATE),
    ("Associate", UPDATE),
    ("Attach", UPDATE),
    ("Authorize", UPDATE),
    ("BatchDelete", DELETE),
    ("BatchGet", READ),
    ("BatchPut", UPDATE),
    ("BatchUpdate", UPDATE),
    ("BatchWrite", UPDATE),
    ("BatchCreate", CREATE),
    ("BatchImport", CREATE),
    ("Cancel", UPDATE),
    ("Change", UPDATE),
    ("Copy", CREATE),
    ("Deactivate", UPDATE),
    ("Deregister", DELETE),
    ("Detach", UPDATE),
    ("Disable", UPDATE),
    ("Disassociate", UPDATE),
    ("Discover", READ),
    ("Download", READ),
    ("Enable", UPDATE),
    ("Filter", READ),
    ("Generate", CREATE),
    ("Import", CREATE),
    ("Lookup", READ),
    ("Modify", UPDATE),
    ("Publish", CREATE),
    ("Query", READ),
    ("Read", READ),
    ("Reboot", UPDATE),
    ("Register", CREATE),
    ("Release", DELETE),
    ("Remove", UPDATE),
    ("Replace", UPDATE),
    ("Reset", UPDATE),
    ("Restore", CREATE),
    ("Revoke", UPDATE),
    ("Run", CREATE),
    ("Scan", READ),
    ("Search", READ),
    ("Select", READ),
    ("Send", CREATE),
    ("Set", UPDATE),
    ("Start", UPDATE),
    ("Stop", UPDATE),
    ("Tag", UPDATE),
    ("Terminate", DELETE),
    ("Unassign", UPDATE),
    ("Assign", UPDATE),
    ("Untag", UPDATE),
    ("Upload", CREATE),
    ("View", READ),
    ("Verify", READ),
];

/// The activity of an API call; what has no verb that we know reads when AWS says so.
pub(super) fn activity(operation: &str, is_read_only: bool) -> i32 {
    let is_this = |verb: &str| {
        operation
            .strip_prefix(verb)
            .is_some_and(|rest| rest.bytes().next().is_none_or(|next| !next.is_ascii_lowercase()))
    };
    let found = VERBS.iter().find(|(verb, _)| is_this(verb)).map(|(_, activity)| *activity);
    found.unwrap_or(if is_read_only { READ } else { OTHER })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leading_verb_decides_wherever_others_stand() {
        for (operation, expected) in [
            ("RunInstances", CREATE),
            ("GetCreateStatus", READ),
            ("DeleteCreatedThing", DELETE),
            ("BatchGetSecretValue", READ),
            ("UpdateFunctionConfiguration20150331v2", UPDATE),
            ("StopLogging", UPDATE),
            ("TerminateInstances", DELETE),
            ("Get", READ),
            ("GetawayCar", OTHER),
            ("Invoke", OTHER),
        ] {
            assert_eq!(activity(operation, false), expected, "{operation}");
        }
        assert_eq!(activity("Invoke", true), READ);
        assert_eq!(activity("CreateGrant", true), CREATE);
    }

    #[test]
    fn no_verb_hides_behind_a_shorter_one() {
        for (place, (verb, _)) in VERBS.iter().enumerate() {
            let earlier = VERBS[..place].iter().find(|(other, _)| verb == other);
            assert_eq!(earlier, None);
        }
    }
}
