//! A task: what it is doing by the simulator's clock, and its record.

use serde_json::{Map, Value, json};

use super::action::{Action, Kind};
use super::parameters::seconds;
use super::response_knobs::{Approval, ResponseKnobs, Stuck};
use super::targets::Target;

/// The number of a task that failed.
const FAILURE: u32 = 4_009_999;

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    PendingApproval,
    Queued,
    Running,
    /// The management server has answered.
    Ended,
    Rejected,
    Canceled,
}

/// When a task may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    /// From then on, epoch milliseconds; until then it waits for approval.
    Opens(i64),
    Rejects(i64),
    /// Until somebody decides.
    Waits,
}

/// The course of a task in time.
#[derive(Debug, Clone)]
pub(super) struct Course {
    created_ms: i64,
    gate: Gate,
    delay_ms: i64,
    stuck: Option<Stuck>,
    canceled_ms: Option<i64>,
}

impl Course {
    /// A course that begins now, as the faults have it.
    pub(super) fn begin(now_ms: i64, knobs: &ResponseKnobs) -> Self {
        Self {
            created_ms: now_ms,
            gate: gate(knobs.approval, now_ms),
            delay_ms: knobs.task_delay_ms,
            stuck: knobs.stuck_tasks,
            canceled_ms: None,
        }
    }

    /// A course that nobody has to approve.
    pub(super) fn begin_unasked(now_ms: i64, knobs: &ResponseKnobs) -> Self {
        Self { gate: Gate::Opens(now_ms), ..Self::begin(now_ms, knobs) }
    }

    /// Where it stands, and since when.
    pub(super) fn phase(&self, now_ms: i64) -> (Phase, i64) {
        if let Some(at_ms) = self.canceled_ms {
            return (Phase::Canceled, at_ms);
        }
        let from_ms = match self.gate {
            Gate::Opens(at_ms) if now_ms >= at_ms => at_ms,
            Gate::Rejects(at_ms) if now_ms >= at_ms => return (Phase::Rejected, at_ms),
            _ => return (Phase::PendingApproval, self.created_ms),
        };
        let sent_ms = from_ms + self.delay_ms / 2;
        let end_ms = from_ms + self.delay_ms;
        if self.stuck == Some(Stuck::Queued) || now_ms < sent_ms {
            (Phase::Queued, from_ms)
        } else if self.stuck == Some(Stuck::Running) || now_ms < end_ms {
            (Phase::Running, sent_ms)
        } else {
            (Phase::Ended, end_ms)
        }
    }

    /// Whether nothing can change any more.
    pub(super) fn is_final(&self, now_ms: i64) -> bool {
        matches!(self.phase(now_ms).0, Phase::Ended | Phase::Rejected | Phase::Canceled)
    }

    /// Lets a task go on that waits for a fault to be taken back.
    pub(super) fn revise(&mut self, now_ms: i64, knobs: &ResponseKnobs) {
        if self.gate == Gate::Waits && knobs.approval != Approval::Waits {
            self.gate = gate(knobs.approval, now_ms);
        }
        let is_held = matches!(self.phase(now_ms).0, Phase::Queued | Phase::Running);
        if self.stuck.is_some() && knobs.stuck_tasks.is_none() && is_held {
            self.stuck = None;
            self.gate = Gate::Opens(now_ms);
        }
    }

    /// Stops it.
    pub(super) fn cancel(&mut self, now_ms: i64) {
        self.canceled_ms.get_or_insert(now_ms);
    }
}

fn gate(approval: Approval, now_ms: i64) -> Gate {
    match approval {
        Approval::None => Gate::Opens(now_ms),
        Approval::Approves(after_ms) => Gate::Opens(now_ms + after_ms),
        Approval::Rejects(after_ms) => Gate::Rejects(now_ms + after_ms),
        Approval::Waits => Gate::Waits,
    }
}

/// One target of a task, and how it went.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) target: Target,
    /// Whether a fault lets it fail.
    pub(super) is_doomed: bool,
    /// Why it failed, once the task has ended.
    pub(super) failure: Option<&'static str>,
}

/// A task.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) action: Action,
    pub(super) description: Option<String>,
    pub(super) account: String,
    pub(super) created_ms: i64,
    pub(super) course: Course,
    pub(super) parts: Vec<Part>,
    /// The action's own fields, and what it brought back.
    pub(super) details: Map<String, Value>,
    /// Whether its effects have come.
    pub(super) is_settled: bool,
}

impl Task {
    /// Whether it does all of this.
    pub(super) fn covers(
        &self,
        action: Action,
        targets: &[Target],
        details: &Map<String, Value>,
    ) -> bool {
        let is_in = |target: &Target| self.parts.iter().any(|part| part.target == *target);
        self.action == action && self.details == *details && targets.iter().all(is_in)
    }

    fn status(&self, phase: Phase, has_failed: bool, knobs: &ResponseKnobs) -> String {
        let name = match phase {
            Phase::PendingApproval => "pendingApproval",
            Phase::Queued => "queued",
            Phase::Running => "running",
            Phase::Ended if has_failed => "failed",
            Phase::Ended => "succeeded",
            Phase::Rejected => "rejected",
            Phase::Canceled => "canceled",
        };
        let is_open = matches!(phase, Phase::PendingApproval | Phase::Queued | Phase::Running);
        let other = knobs.task_unknown_status.as_ref().filter(|_| is_open);
        other.cloned().unwrap_or_else(|| name.to_owned())
    }

    /// The record. A task over several targets has failed when all of them have.
    pub(super) fn record(&self, now_ms: i64, knobs: &ResponseKnobs) -> Value {
        let (phase, since_ms) = self.course.phase(now_ms);
        let failure = self.parts.iter().map(|part| part.failure).collect::<Option<Vec<_>>>();
        let failure = failure.and_then(|failures| failures.first().copied());
        let lists = self.lists_targets();
        let name = self.action.name_for_many().filter(|_| lists).unwrap_or(self.action.name());
        let mut record = json!({
            "id": self.id,
            "status": self.status(phase, failure.is_some(), knobs),
            "createdDateTime": seconds(self.created_ms),
            "lastActionDateTime": seconds(since_ms),
            "action": name,
        });
        let description = self.description.clone().map(Value::from);
        let error = failure.map(error);
        for (member, value) in [
            ("description", description),
            ("account", Some(Value::from(self.account.clone()))),
            ("error", error),
        ] {
            if let Some(value) = value {
                record[member] = value;
            }
        }
        if lists {
            let inner = self.parts.iter().map(|part| self.inner(part, phase, since_ms, knobs));
            record["tasks"] = inner.collect();
        } else if let Some(part) = self.parts.first() {
            part.target.members().into_iter().for_each(|(name, value)| record[name] = value);
        }
        self.details.iter().for_each(|(name, value)| record[name] = value.clone());
        record
    }

    fn inner(&self, part: &Part, phase: Phase, since_ms: i64, knobs: &ResponseKnobs) -> Value {
        let mut inner = part.target.members();
        let status = self.status(phase, part.failure.is_some(), knobs);
        inner.insert("status".to_owned(), Value::from(status));
        inner.insert("lastActionDateTime".to_owned(), Value::from(seconds(since_ms)));
        inner.extend(part.failure.map(|failure| ("error".to_owned(), error(failure))));
        Value::Object(inner)
    }

    /// Whether the record has its targets in `tasks`: always for mail, accounts and scans.
    fn lists_targets(&self) -> bool {
        matches!(self.action.kind(), Kind::Mail | Kind::Account)
            || self.action == Action::MalwareScan
            || self.parts.len() > 1
    }
}

fn error(message: &str) -> Value {
    json!({ "code": "TaskError", "number": FAILURE, "message": message })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phases(knobs: &ResponseKnobs, times: &[i64]) -> Vec<(Phase, i64)> {
        let course = Course::begin(1_000, knobs);
        times.iter().map(|now_ms| course.phase(*now_ms)).collect()
    }

    fn knobs(approval: Approval, stuck_tasks: Option<Stuck>) -> ResponseKnobs {
        ResponseKnobs { task_delay_ms: 2_000, approval, stuck_tasks, ..ResponseKnobs::default() }
    }

    #[test]
    fn a_course_goes_through_its_phases_by_the_clock() {
        use Phase::{Ended, PendingApproval, Queued, Rejected, Running};
        for (knobs, expected) in [
            (knobs(Approval::None, None), [(Queued, 1_000), (Running, 2_000), (Ended, 3_000)]),
            (
                knobs(Approval::Approves(1_000), None),
                [(PendingApproval, 1_000), (Queued, 2_000), (Running, 3_000)],
            ),
            (
                knobs(Approval::Rejects(1_500), None),
                [(PendingApproval, 1_000), (PendingApproval, 1_000), (Rejected, 2_500)],
            ),
            (knobs(Approval::Waits, None), [(PendingApproval, 1_000); 3]),
            (knobs(Approval::None, Some(Stuck::Queued)), [(Queued, 1_000); 3]),
            (
                knobs(Approval::None, Some(Stuck::Running)),
                [(Queued, 1_000), (Running, 2_000), (Running, 2_000)],
            ),
        ] {
            assert_eq!(phases(&knobs, &[1_000, 2_000, 3_500]), expected, "{knobs:?}");
        }
    }

    #[test]
    fn what_waited_goes_on_when_the_fault_is_taken_back() {
        for held in [knobs(Approval::Waits, None), knobs(Approval::None, Some(Stuck::Running))] {
            let mut course = Course::begin(1_000, &held);
            course.revise(60_000, &knobs(Approval::None, None));
            assert_eq!(course.phase(60_000).0, Phase::Queued);
            assert_eq!(course.phase(62_000), (Phase::Ended, 62_000));
        }
        let mut course = Course::begin(1_000, &knobs(Approval::Waits, None));
        course.revise(9_000, &knobs(Approval::Rejects(0), None));
        assert_eq!(course.phase(9_000), (Phase::Rejected, 9_000));
        let mut course = Course::begin(1_000, &knobs(Approval::None, None));
        course.cancel(1_500);
        assert_eq!((course.phase(9_000), course.is_final(1_500)), ((Phase::Canceled, 1_500), true));
    }
}
