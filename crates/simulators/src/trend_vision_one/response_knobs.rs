//! The settings of the response side, and their faults: names, values, defaults and help.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;

use crate::faults::{Fault, duration, names, whole};

use super::fault_table::{DURATION, fault, one_of, put};
use super::item::ItemRefused;
use super::knobs::Knobs;

/// How long an approver takes when nothing else is said.
const APPROVAL_MS: i64 = 2_000;
const TARGETS: &str = "names, GUIDs, values, message ids, mailboxes or accounts, comma separated";

/// What an approver does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Approval {
    /// Nobody has to approve.
    #[default]
    None,
    /// After so many milliseconds.
    Approves(i64),
    Rejects(i64),
    /// Nothing, until the fault is set otherwise.
    Waits,
}

/// Where tasks stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stuck {
    Queued,
    Running,
}

/// How the name of the header in an item is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Casing {
    #[default]
    Documented,
    Lower,
    Upper,
}

impl Casing {
    /// The header's name.
    pub(super) fn location(self) -> &'static str {
        match self {
            Self::Documented => "Operation-Location",
            Self::Lower => "operation-location",
            Self::Upper => "OPERATION-LOCATION",
        }
    }
}

/// The settings.
#[derive(Debug, Clone, Default)]
pub(super) struct ResponseKnobs {
    pub(super) task_delay_ms: i64,
    pub(super) fail_targets: Vec<String>,
    pub(super) unsupported: Vec<String>,
    pub(super) out_of_scope: Vec<String>,
    pub(super) refuse_items: Option<ItemRefused>,
    pub(super) whole_failure: Option<StatusCode>,
    pub(super) approval: Approval,
    pub(super) stuck_tasks: Option<Stuck>,
    pub(super) task_unknown_status: Option<String>,
    pub(super) headers_as_object: bool,
    pub(super) location_case: Casing,
    /// Whether locations lack the segment `xdr`.
    pub(super) plain_location: bool,
    /// Answers still to be lost; setting the fault starts a count anew.
    pub(super) lost_answers: Arc<AtomicU64>,
    pub(super) sandbox_risk: Option<&'static str>,
}

impl ResponseKnobs {
    /// Whether the answer to an action that took effect is to be lost; counts it.
    pub(super) fn loses_answer(&self) -> bool {
        let less = |left: u64| left.checked_sub(1);
        self.lost_answers.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
    }
}

fn approval(value: &str) -> Option<Approval> {
    let (word, after) = match value.split_once(':') {
        Some((word, after)) => (word, duration(after)?),
        None => (value, APPROVAL_MS),
    };
    match (word, value.contains(':')) {
        ("off", false) => Some(Approval::None),
        ("wait", false) => Some(Approval::Waits),
        ("approve", _) => Some(Approval::Approves(after)),
        ("reject", _) => Some(Approval::Rejects(after)),
        _ => None,
    }
}

fn refused_items(value: &str) -> Option<Option<ItemRefused>> {
    let refused = match value {
        "off" => return Some(None),
        "permissions" => ItemRefused::Denied("Insufficient permissions."),
        "feature" => ItemRefused::Denied("Feature disabled."),
        "promotion" => ItemRefused::Denied("Promotion does not support response action."),
        "not_found" => ItemRefused::NotFound,
        "internal" => ItemRefused::Internal,
        _ => return None,
    };
    Some(Some(refused))
}

/// One word, or nothing.
fn status_word(value: &str) -> Option<Option<String>> {
    let is_word = value.chars().all(|letter| letter.is_ascii_alphanumeric());
    is_word.then(|| (!value.is_empty()).then(|| value.to_owned()))
}

/// The faults of actions and tasks.
pub(super) const RESPONSE_FAULTS: &[Fault<Knobs>] = &[
    fault(
        "task_delay",
        DURATION,
        "2s",
        "time from an accepted action, or its approval, to the end of its task; half of it queued, half running",
        |k, v| put(&mut k.response.task_delay_ms, duration(v)),
    ),
    fault("fail_targets", TARGETS, "", "targets whose tasks fail with number 4009999", |k, v| {
        put(&mut k.response.fail_targets, Some(names(v)))
    }),
    fault("unsupported", TARGETS, "", "targets whose items are refused as NotSupported", |k, v| {
        put(&mut k.response.unsupported, Some(names(v)))
    }),
    fault(
        "out_of_scope",
        TARGETS,
        "",
        "targets outside the user's management scope: their items are refused with 403",
        |k, v| put(&mut k.response.out_of_scope, Some(names(v))),
    ),
    fault(
        "refuse_items",
        "off, permissions, feature, promotion, not_found or internal",
        "off",
        "every item of an action is refused for this reason, under 207",
        |k, v| put(&mut k.response.refuse_items, refused_items(v)),
    ),
    fault(
        "whole_failure",
        "off, 400, 403 or 500",
        "off",
        "actions are refused as a whole, with an object instead of a list",
        |k, v| {
            let choices = [
                ("off", None),
                ("400", Some(StatusCode::BAD_REQUEST)),
                ("403", Some(StatusCode::FORBIDDEN)),
                ("500", Some(StatusCode::INTERNAL_SERVER_ERROR)),
            ];
            put(&mut k.response.whole_failure, one_of(v, &choices))
        },
    ),
    fault(
        "approval",
        "off, wait, approve, reject, approve:DURATION or reject:DURATION",
        "off",
        "new tasks wait for an approver, who decides after 2s or so long; `wait` until this is set otherwise",
        |k, v| put(&mut k.response.approval, approval(v)),
    ),
    fault(
        "stuck_tasks",
        "off, on, queued or running",
        "off",
        "new tasks stay queued or running (on) until this is off",
        |k, v| {
            let running = Some(Stuck::Running);
            let choices = [
                ("off", None),
                ("on", running),
                ("running", running),
                ("queued", Some(Stuck::Queued)),
            ];
            put(&mut k.response.stuck_tasks, one_of(v, &choices))
        },
    ),
    fault(
        "task_unknown_status",
        "one word; empty is none",
        "",
        "the status that tasks show until their end",
        |k, v| put(&mut k.response.task_unknown_status, status_word(v)),
    ),
    fault("headers_as", "array or object", "array", "the form of `headers` in an item", |k, v| {
        let choices = [("array", false), ("object", true)];
        put(&mut k.response.headers_as_object, one_of(v, &choices))
    }),
    fault(
        "location_case",
        "documented, lower or upper",
        "documented",
        "the case of Operation-Location in an item",
        |k, v| {
            let choices = [
                ("documented", Casing::Documented),
                ("lower", Casing::Lower),
                ("upper", Casing::Upper),
            ];
            put(&mut k.response.location_case, one_of(v, &choices))
        },
    ),
    fault(
        "location_path",
        "xdr or plain",
        "xdr",
        "whether the locations of tasks have the segment that the route lacks",
        |k, v| put(&mut k.response.plain_location, one_of(v, &[("xdr", false), ("plain", true)])),
    ),
    fault(
        "lose_answer",
        "a whole number",
        "0",
        "so many of the next POSTs that act take effect, but the connection closes without an answer",
        |k, v| {
            let count = whole(v, 0).map(|count| Arc::new(AtomicU64::new(count)));
            put(&mut k.response.lost_answers, count)
        },
    ),
    fault(
        "sandbox_risk",
        "auto, noRisk, low, medium or high",
        "auto",
        "what the sandbox finds; auto is high for known bad hosts and the EICAR test file, else noRisk",
        |k, v| {
            let choices = [
                ("auto", None),
                ("noRisk", Some("noRisk")),
                ("low", Some("low")),
                ("medium", Some("medium")),
                ("high", Some("high")),
            ];
            put(&mut k.response.sandbox_risk, one_of(v, &choices))
        },
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn approvals_are_read_with_their_time_or_refused() {
        assert_eq!(approval("approve"), Some(Approval::Approves(APPROVAL_MS)));
        assert_eq!(approval("reject:1m"), Some(Approval::Rejects(60_000)));
        assert_eq!(approval("wait"), Some(Approval::Waits));
        for bad in ["wait:2s", "off:2s", "approve:", "on"] {
            assert_eq!(approval(bad), None, "{bad}");
        }
    }

    #[test]
    fn so_many_answers_are_lost_and_no_more() {
        let mut knobs = Knobs::default();
        assert_eq!(knobs.set("lose_answer", "2"), Ok(()));
        let copy = knobs.clone();
        let lost = [&knobs, &copy, &knobs].map(|knobs| knobs.response.loses_answer());
        assert_eq!(lost, [true, true, false], "copies share the count");
    }
}
