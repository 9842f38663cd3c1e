//! Tasks: read from their records, and followed until nothing is open.

use std::collections::BTreeMap;
use std::time::Duration;

use model::action::{Halt, ItemState, Text};
use serde_json::Value;
use url::Url;

use super::response::Work;
use super::run::{Run, passes, seconds};
use super::words::Words;
use crate::action::{Ask, Board, SHORTEST_WAIT, reason};

/// How far before the run a task may lie that it follows: another's task may wait for approval for weeks. The
/// vendor lists at most 180 days.
const REACH: Duration = Duration::from_secs(90 * 24 * 3600);
/// The vendor's limit of a filter, in characters.
const FILTER: usize = 2_048;

/// Where work is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Desk {
    /// The task list: many at once, and it needs no right to download results.
    Response,
    /// The sandbox: one by one.
    Sandbox,
}

/// How far a task is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Course {
    Open(Text),
    Succeeded,
    Failed(Text),
}

/// The vendor's records by the id of the work.
pub(super) type Records = BTreeMap<String, Value>;

/// Follows the work of one run.
pub(super) struct Follower<'a, 'r> {
    pub(super) run: &'a Run<'r>,
    pub(super) desk: Desk,
    pub(super) words: &'a Words,
}

impl Follower<'_, '_> {
    /// Asks until all work has ended, or the run's time is over; answers the last record of each.
    pub(super) async fn follow(&self, board: &mut Board, works: &[Work]) -> Result<Records, Halt> {
        let journal = self.run.journal();
        let mut records = Records::new();
        let mut shown = None;
        loop {
            let open = open(board, works);
            if open.is_empty() {
                return Ok(records);
            }
            if let Some(why) = self.ask(&open, &mut records).await? {
                board.set_all(ItemState::Accepted, ItemState::Unknown, &why);
                return Ok(records);
            }
            for work in works {
                advance(board, work, records.get(&work.id));
            }
            if shown.as_ref().is_none_or(|shown| shown != board.items()) {
                journal.progress(board.items(), &self.words.waiting(board.items())).await?;
                shown = Some(board.items().to_vec());
            }
            let is_waiting = board.items().iter().any(|item| item.state == ItemState::Accepted);
            if is_waiting && !journal.wait(journal.patience().poll.max(SHORTEST_WAIT)).await? {
                expire(board);
                return Ok(records);
            }
        }
    }

    /// Asks for what the list of tasks does not tell of those that succeeded: the first of these members.
    pub(super) async fn complete(
        &self,
        records: &mut Records,
        tells: &[(&str, &str)],
    ) -> Result<(), Halt> {
        for (id, record) in records.iter_mut() {
            let is_whole = tells.first().is_none_or(|(name, _)| record.get(*name).is_some());
            if !is_whole && course(record) == Course::Succeeded {
                let ask = Ask::get(self.run.url_of("response/tasks", id, &[]));
                if let Ok(reply) = self.run.exchange.inquire("task", &ask).await? {
                    *record = reply.body;
                }
            }
        }
        Ok(())
    }

    /// Puts the records of these ids among the others. Why they cannot be had, when asking again is no use.
    async fn ask(&self, ids: &[String], records: &mut Records) -> Result<Option<Text>, Halt> {
        let mut missing: Vec<&String> = ids.iter().collect();
        if self.desk == Desk::Response {
            for filter in filters(ids) {
                let since = seconds(self.run.journal().started_at() - REACH);
                let url = listed(self.run, &since, Some(&filter));
                match self.run.list("tasks", &Ask::get(url), Ask::get).await? {
                    Ok(found) => keep(records, found),
                    Err(error) if passes(&error.fault) => return Ok(None),
                    Err(error) => return Ok(Some(unfollowed(&reason(&error)))),
                }
            }
            missing.retain(|id| !records.contains_key(*id));
        }
        let path = if self.desk == Desk::Response { "response/tasks" } else { "sandbox/tasks" };
        for id in missing {
            let ask = Ask::get(self.run.url_of(path, id, &[]));
            match self.run.exchange.inquire("task", &ask).await? {
                Ok(reply) => drop(records.insert(id.clone(), reply.body)),
                Err(error) if passes(&error.fault) || self.desk == Desk::Response => {}
                Err(error) => return Ok(Some(unfollowed(&reason(&error)))),
            }
        }
        Ok(None)
    }
}

/// The list of tasks from a time on.
pub(super) fn listed(run: &Run<'_>, since: &str, filter: Option<&str>) -> Url {
    let mut url = run.url("response/tasks");
    url.query_pairs_mut().append_pair("startDateTime", since).append_pair("top", "200");
    if let Some(filter) = filter {
        url.query_pairs_mut().append_pair("filter", filter);
    }
    url
}

/// The ids, each once, whose items are still open.
fn open(board: &Board, works: &[Work]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for work in works {
        let is_open = board
            .items()
            .iter()
            .any(|item| item.entity == work.entity && item.state == ItemState::Accepted);
        if is_open && !ids.contains(&work.id) {
            ids.push(work.id.clone());
        }
    }
    ids
}

/// Filters over all ids, each within the vendor's limit.
fn filters(ids: &[String]) -> Vec<String> {
    let mut filters: Vec<String> = Vec::new();
    for id in ids.iter().filter(|id| !id.contains('\'')) {
        let term = format!("id eq '{id}'");
        match filters.last_mut() {
            Some(filter) if filter.len() + term.len() + 4 <= FILTER => {
                filter.push_str(" or ");
                filter.push_str(&term);
            }
            _ => filters.push(term),
        }
    }
    filters
}

fn keep(records: &mut Records, found: Vec<Value>) {
    for record in found {
        if let Some(id) = record["id"].as_str() {
            records.insert(id.to_owned(), record);
        }
    }
}

/// Sets the item of some work by its record.
fn advance(board: &mut Board, work: &Work, record: Option<&Value>) {
    let Some(item) = board.item(&work.entity) else { return };
    let Some(record) = record.filter(|_| item.state == ItemState::Accepted) else { return };
    match course(record) {
        // What was said of a task that somebody else began stays; that it waits for approval does not.
        Course::Open(detail) if !detail.is_empty() => item.detail = detail,
        Course::Open(_) if item.detail != approval() => {}
        Course::Open(_) => item.detail = Text::default(),
        Course::Succeeded => {
            item.state = ItemState::Succeeded;
            if item.detail == approval() {
                item.detail = Text::default();
            }
        }
        Course::Failed(why) => {
            item.state = ItemState::Failed;
            item.detail = why;
        }
    }
}

fn approval() -> Text {
    Text::new("waits for approval", "承認待ちです")
}

/// Whether a task is done with, whatever came of it.
pub(super) fn has_ended(record: &Value) -> bool {
    !matches!(course(record), Course::Open(_))
}

/// How far a task is: its worst target counts, and it has ended when every target has.
fn course(record: &Value) -> Course {
    let targets = record["tasks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let courses: Vec<Course> = targets.iter().map(own_course).collect();
    let whole = own_course(record);
    let is_open = |course: &&Course| matches!(course, Course::Open(_));
    if let Course::Open(_) | Course::Failed(_) = whole {
        // The targets say better what went wrong.
        return match (&whole, told_failures(targets, &courses)) {
            (Course::Failed(_), Some(told)) => Course::Failed(told),
            _ => whole,
        };
    }
    if let Some(open) = courses.iter().find(is_open) {
        return open.clone();
    }
    told_failures(targets, &courses).map_or(Course::Succeeded, Course::Failed)
}

/// The failures of targets, with their names when there are several targets.
fn told_failures(targets: &[Value], courses: &[Course]) -> Option<Text> {
    let mut told = Text::default();
    for (target, course) in targets.iter().zip(courses) {
        let Course::Failed(why) = course else { continue };
        if !told.is_empty() {
            told.push(&Text::same("; "));
        }
        let names = ["endpointName", "mailBox", "iam", "uniqueId", "accountName"];
        let name = names.iter().find_map(|name| target[*name].as_str());
        if let Some(name) = name.filter(|_| targets.len() > 1) {
            told.push(&Text::same(format!("{name}: ")));
        }
        told.push(why);
    }
    (!told.is_empty()).then_some(told)
}

fn own_course(record: &Value) -> Course {
    let words = record["error"]["message"].as_str().filter(|words| !words.is_empty());
    let because = |en: &str, ja: &str| match words {
        Some(words) => Course::Failed(Text::same(words)),
        None => Course::Failed(Text::new(en, ja)),
    };
    match record["status"].as_str().unwrap_or_default() {
        "succeeded" => Course::Succeeded,
        "failed" => because("the task failed", "タスクが失敗しました"),
        "rejected" => because("an approver rejected it", "承認者が却下しました"),
        "canceled" => because("it was canceled", "取り消されました"),
        "pendingApproval" => Course::Open(approval()),
        // Whatever else there is, it is not an end.
        _ => Course::Open(Text::default()),
    }
}

/// What was open when the time was over keeps saying what it waited for.
fn expire(board: &mut Board) {
    let open = board.entities(ItemState::Accepted);
    for entity in open {
        if let Some(item) = board.item(&entity) {
            item.state = ItemState::Expired;
        }
    }
}

fn unfollowed(why: &Text) -> Text {
    Text::new(
        format!("accepted, but its status cannot be read: {}", why.en),
        format!("受け付けられましたが、状態を確認できません: {}", why.ja),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_task_is_as_good_as_its_worst_target_and_ends_with_its_last() {
        let failed = |words: &str| Course::Failed(Text::same(words));
        let inner = |status: &str| json!({ "endpointName": status, "status": status });
        for (status, targets, expected) in [
            ("succeeded", json!([]), Course::Succeeded),
            ("queued", json!([inner("succeeded")]), Course::Open(Text::default())),
            ("notStarted", json!([]), Course::Open(Text::default())),
            ("pendingApproval", json!([]), Course::Open(approval())),
            (
                "succeeded",
                json!([inner("succeeded"), inner("running")]),
                Course::Open(Text::default()),
            ),
            (
                "succeeded",
                json!([inner("failed"), inner("running")]),
                Course::Open(Text::default()),
            ),
            ("succeeded", json!([inner("succeeded"), inner("succeeded")]), Course::Succeeded),
            (
                "succeeded",
                json!([
                    inner("succeeded"),
                    { "mailBox": "a@b", "status": "failed", "error": { "message": "gone" } },
                ]),
                failed("a@b: gone"),
            ),
            (
                "failed",
                json!([{ "accountName": "a", "status": "failed", "error": { "message": "no" } }]),
                failed("no"),
            ),
            (
                "canceled",
                json!([]),
                Course::Failed(Text::new("it was canceled", "取り消されました")),
            ),
        ] {
            let record = json!({ "status": status, "tasks": targets });
            assert_eq!(course(&record), expected, "{record}");
        }
        assert!(!has_ended(&json!({})) && has_ended(&json!({ "status": "rejected" })));
    }

    #[test]
    fn filters_hold_every_id_within_the_limit() {
        let ids: Vec<String> = (0..250).map(|id| format!("{id:08}")).collect();
        let filters = filters(&ids);
        assert!(filters.iter().all(|filter| filter.len() <= FILTER));
        assert_eq!(filters.len(), 3);
        assert!(filters[0].starts_with("id eq '00000000' or id eq '00000001' or "));
    }
}
