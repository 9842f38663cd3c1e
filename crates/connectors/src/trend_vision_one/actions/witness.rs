//! Finds the tasks of a request whose answer was lost.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use model::action::{Halt, Text};
use model::time::Timestamp;
use serde_json::{Map, Value};

use super::orders::is_marked;
use super::run::{Run, SKEW, seconds};
use super::tasks::{has_ended, listed};
use crate::action::{Ask, Witness, reason};

/// Finds the tasks of a request whose answer was lost.
///
/// A task is known by the idempotency key at the end of its description. Where the vendor has not kept the
/// description, a task counts that does the same to the same target, carries nobody's key, is no other run's, and
/// has not ended before the request was sent.
pub(super) struct TaskWitness<'a, 'r> {
    run: &'a Run<'r>,
    actions: &'a [&'static str],
    bodies: Vec<Value>,
    /// Since when some tasks were there and others not, for one sending.
    partial: Mutex<Option<(Timestamp, Timestamp)>>,
}

impl<'a, 'r> TaskWitness<'a, 'r> {
    pub(super) fn new(run: &'a Run<'r>, actions: &'a [&'static str], bodies: Vec<Value>) -> Self {
        Self { run, actions, bodies, partial: Mutex::default() }
    }

    /// Whether so much time has passed that what is missing was refused rather than late. Half the time after
    /// which a request counts as not taken: a look that ends with that time must have told before that it was.
    fn is_settled(&self, since: Timestamp, now: Timestamp) -> bool {
        let mut partial = self.partial.lock().unwrap_or_else(PoisonError::into_inner);
        let first = match *partial {
            Some((sent, first)) if sent == since => first,
            _ => now,
        };
        *partial = Some((since, first));
        now.since(first) >= self.run.journal().patience().settle / 2
    }

    fn is_same(&self, body: &Value, task: &Value, since: Timestamp) -> bool {
        let created = task["createdDateTime"].as_str().and_then(|at| Timestamp::parse(at).ok());
        let is_new = created.is_some_and(|at| at.as_millis() / 1_000 >= since.as_millis() / 1_000);
        let described = task["description"].as_str().unwrap_or_default();
        let action = task["action"].as_str().unwrap_or_default();
        (is_new || !has_ended(task))
            && !is_marked(described)
            && self.actions.iter().any(|known| known.eq_ignore_ascii_case(action))
            && body.as_object().is_some_and(|members| is_aimed_alike(members, task))
    }
}

#[async_trait]
impl Witness for TaskWitness<'_, '_> {
    async fn look(&self, since: Timestamp) -> Result<Option<Value>, Halt> {
        let now = self.run.journal().now();
        let url = listed(self.run, &seconds(since - SKEW), None);
        let tasks = match self.run.list("find", &Ask::get(url), Ask::get).await? {
            Ok(tasks) => tasks,
            Err(error) => return Err(Halt::Fatal(reason(&error))),
        };
        let mut found: Vec<Option<String>> = Vec::with_capacity(self.bodies.len());
        for body in &self.bodies {
            found.push(self.find(body, &tasks, &found, since).await?);
        }
        let count = found.iter().flatten().count();
        if count == 0 {
            return Ok(None);
        }
        if count < found.len() && !self.is_settled(since, now) {
            // Not "nothing": all of it would be sent again.
            return Err(Halt::Fatal(Text::new(
                "some of its tasks are not listed yet",
                "一部のタスクがまだ一覧にありません",
            )));
        }
        Ok(Some(found.into()))
    }
}

impl TaskWitness<'_, '_> {
    /// The id of the task of an item, once claimed for this run.
    async fn find(
        &self,
        body: &Value,
        tasks: &[Value],
        taken: &[Option<String>],
        since: Timestamp,
    ) -> Result<Option<String>, Halt> {
        let described = body["description"].as_str().unwrap_or_default();
        let key = described.rfind("[tarn ").map_or("", |start| &described[start..]);
        let is_ours = |task: &&Value| {
            !key.is_empty() && task["description"].as_str().is_some_and(|text| text.contains(key))
        };
        if let Some(id) = tasks.iter().find(is_ours).and_then(|task| task["id"].as_str()) {
            self.run.journal().claim(id).await?;
            return Ok(Some(id.to_owned()));
        }
        for task in tasks.iter().filter(|task| self.is_same(body, task, since)) {
            let Some(id) = task["id"].as_str() else { continue };
            let is_taken = taken.iter().flatten().any(|taken| taken == id);
            if !is_taken && self.run.journal().claim(id).await? {
                return Ok(Some(id.to_owned()));
            }
        }
        Ok(None)
    }
}

/// Whether a task names everything that an item names, at its top or in one of its targets.
fn is_aimed_alike(members: &Map<String, Value>, task: &Value) -> bool {
    let targets = task["tasks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names = |record: &Value, name: &str, wanted: &str| {
        record[name].as_str().is_some_and(|text| text.eq_ignore_ascii_case(wanted))
    };
    members.iter().filter(|(name, _)| *name != "description").all(|(name, value)| {
        let wanted = value.as_str().unwrap_or_default();
        names(task, name, wanted) || targets.iter().any(|target| names(target, name, wanted))
    })
}
