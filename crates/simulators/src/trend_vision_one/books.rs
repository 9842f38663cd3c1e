//! What actions have done: the tasks, and their effects, which come when a task's end has come by the clock.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::VisionOne;
use super::action::Action;
use super::effects::collected_file;
use super::parameters::seconds;
use super::response_knobs::ResponseKnobs;
use super::sandbox::Submission;
use super::tasks::{Part, Phase, Task};

/// The number of the first task, so that ids are not those of a list's places.
const FIRST_TASK: usize = 41;

/// A machine that an action touched.
#[derive(Debug, Clone, Default)]
pub(super) struct EndpointFate {
    pub(super) name: &'static str,
    pub(super) is_isolated: bool,
    pub(super) effects: u64,
}

/// An object that an action put on the list.
#[derive(Debug, Clone)]
pub(super) struct Blocked {
    pub(super) kind: &'static str,
    pub(super) value: String,
    pub(super) description: Option<String>,
    pub(super) modified_ms: i64,
}

/// Where a mail is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum MailPlace {
    #[default]
    Delivered,
    Quarantined,
    Deleted,
}

/// A mail that an action touched.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MailFate {
    pub(super) place: MailPlace,
    pub(super) effects: u64,
}

/// An account that an action touched.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AccountFate {
    pub(super) is_disabled: bool,
    pub(super) sign_outs: u64,
    pub(super) password_resets: u64,
}

/// Everything that actions have done.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) tasks: Vec<Task>,
    /// By GUID.
    pub(super) endpoints: BTreeMap<String, EndpointFate>,
    pub(super) objects: Vec<Blocked>,
    /// By number of the copy.
    pub(super) mails: BTreeMap<usize, MailFate>,
    pub(super) accounts: BTreeMap<&'static str, AccountFate>,
    pub(super) scripts: Vec<Value>,
    pub(super) collected: Vec<Value>,
    pub(super) terminated: Vec<Value>,
    pub(super) submissions: Vec<Submission>,
}

/// The books behind their lock.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    books: Mutex<Books>,
}

impl VisionOne {
    /// The books as they stand at this time.
    pub(super) fn books(&self, now_ms: i64, knobs: &ResponseKnobs) -> MutexGuard<'_, Books> {
        let mut books = self.ledger.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.settle(now_ms, knobs);
        books
    }
}

impl Books {
    /// The id of the next task: digits with leading zeros, or those of a scan.
    pub(super) fn next_id(&self, action: Action, now_ms: i64) -> String {
        let is_scan = |task: &&Task| task.action == Action::MalwareScan;
        let scans = self.tasks.iter().filter(is_scan).count();
        if action == Action::MalwareScan {
            let day = seconds(now_ms)[..10].replace('-', "");
            format!("RM-{day}-{:05}", scans + 1)
        } else {
            format!("{:08}", FIRST_TASK + self.tasks.len() - scans)
        }
    }

    /// Whether a copy of a mail was deleted.
    pub(super) fn is_deleted(&self, mail: usize) -> bool {
        self.mails.get(&mail).is_some_and(|fate| fate.place == MailPlace::Deleted)
    }

    /// Lets every effect come whose time has come, in the order of time.
    fn settle(&mut self, now_ms: i64, knobs: &ResponseKnobs) {
        for task in &mut self.tasks {
            task.course.revise(now_ms, knobs);
        }
        for submission in &mut self.submissions {
            submission.course.revise(now_ms, knobs);
        }
        let due = self.tasks.iter().enumerate().filter(|(_, task)| !task.is_settled);
        let due = due.filter_map(|(place, task)| match task.course.phase(now_ms) {
            (Phase::Ended, end_ms) => Some((end_ms, place)),
            _ => None,
        });
        let mut due: Vec<(i64, usize)> = due.collect();
        due.sort_unstable();
        for (end_ms, place) in due {
            let mut task = self.tasks[place].clone();
            let outcome = |part: &Part| {
                if part.is_doomed {
                    Some("Internal server error.")
                } else {
                    self.apply(&task, &part.target, end_ms).err()
                }
            };
            let failures: Vec<_> = task.parts.iter().map(outcome).collect();
            if task.action == Action::CollectFile && failures.contains(&None) {
                task.details.extend(collected_file(&task, end_ms));
            }
            for (part, failure) in task.parts.iter_mut().zip(failures) {
                part.failure = failure;
            }
            task.is_settled = true;
            self.tasks[place] = task;
        }
    }
}
