//! Follows batches until every element that was sent is done, or the run's time is over.
//!
//! An element that the vendor does not list yet is not done, nor is one that is `Created` or `Executing`.

use std::collections::BTreeMap;
use std::time::Duration;

use model::action::{Halt, Item, ItemState, Text};
use serde_json::{Map, Value};

use super::Manner;
use super::mitigation::{Fate, Job};
use super::paging::{self, Then, text};
use crate::action::{SHORTEST_WAIT, reason};

/// How long the first look is waited for at most: most actions are done within seconds.
const FIRST_LOOK: Duration = Duration::from_secs(3);

/// What a run shows while it waits; the first time it says what was begun.
pub(super) type Shown<'a> = dyn Fn(&[Fate], bool) -> (Vec<Item>, Text) + Sync + 'a;

/// A line of the case wall while a run waits.
pub(super) fn waiting() -> Text {
    Text::new("Waiting for mitigation actions to finish...", "対処が完了するのを待っています...")
}

impl Job<'_> {
    /// Asks for the results of all batches again and again. Answers the vendor's records as they were at last.
    pub(super) async fn follow(
        &self,
        fates: &mut [Fate],
        shown: &Shown<'_>,
    ) -> Result<Vec<Value>, Halt> {
        let journal = self.desk.journal();
        let mut batches: Vec<String> = Vec::new();
        for fate in fates.iter() {
            if let Some(batch) = fate.batch.as_ref().filter(|batch| !batches.contains(batch)) {
                batches.push(batch.clone());
            }
        }
        if batches.is_empty() {
            return Ok(Vec::new());
        }
        let mut records: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
        let mut failure = None;
        let poll = journal.patience().poll.max(SHORTEST_WAIT);
        let mut span = poll.min(FIRST_LOOK);
        let mut is_first = true;
        loop {
            let (items, message) = shown(fates, is_first);
            journal.progress(&items, &message).await?;
            is_first = false;
            // The last look is taken when the time is over.
            let is_over = !journal.wait(span).await?;
            span = poll;
            for (number, batch) in batches.iter().enumerate() {
                if !has_open(fates, batch) {
                    continue;
                }
                match self.results(number + 1, batch).await? {
                    Ok(found) => {
                        self.settle(fates, batch, &found);
                        failure = None;
                        records.insert(number, found.into_iter().map(Value::Object).collect());
                    }
                    // An outage, or a batch that is not known yet: it is asked for again.
                    Err(why) => failure = Some(why),
                }
            }
            if is_over || !fates.iter().any(|fate| fate.state == ItemState::Accepted) {
                break;
            }
        }
        for fate in fates.iter_mut().filter(|fate| fate.state == ItemState::Accepted) {
            fate.state = ItemState::Expired;
            fate.detail = expired(failure.as_ref());
        }
        Ok(records.into_values().flatten().collect())
    }

    /// All results of a batch as they are now.
    async fn results(
        &self,
        number: usize,
        batch: &str,
    ) -> Result<Result<Vec<Map<String, Value>>, Text>, Halt> {
        let url = self.desk.url(self.kind.path(), &[("batch_id", batch)]);
        let mut found = Vec::new();
        let mut visit = |record| {
            found.push(record);
            Then::Continue
        };
        let step = format!("status/{number}");
        let walked =
            paging::walk(self.desk, &step, url, "actions", Manner::Poll, &mut visit).await?;
        Ok(walked.map(|()| found).map_err(|error| reason(&error)))
    }

    /// Writes the results of a batch into the fates of its elements.
    fn settle(&self, fates: &mut [Fate], batch: &str, found: &[Map<String, Value>]) {
        for (fate, element) in fates.iter_mut().zip(self.elements) {
            if fate.state != ItemState::Accepted || fate.batch.as_deref() != Some(batch) {
                continue;
            }
            let told: Vec<_> =
                found.iter().filter(|record| self.kind.tells_of(record, element)).collect();
            if let Some((state, detail)) = ended(&told) {
                fate.state = state;
                fate.detail = detail;
            }
        }
    }
}

/// How the work on an element ended by all that the vendor tells of it; `None` while it goes on.
fn ended(told: &[&Map<String, Value>]) -> Option<(ItemState, Text)> {
    let mut end = None;
    for record in told {
        let status = text(record, "status");
        let (state, detail) = match &*status.to_ascii_lowercase() {
            "success" => (ItemState::Succeeded, Text::default()),
            "skipped" => (
                ItemState::Already,
                Text::new("the vendor had nothing to do", "すでに適用済みです"),
            ),
            "failed" => return Some((ItemState::Failed, failure(record))),
            _ => return None,
        };
        if end.is_none() || state == ItemState::Succeeded {
            end = Some((state, detail));
        }
    }
    end
}

/// The vendor's words for a failure.
fn failure(record: &Map<String, Value>) -> Text {
    let words = text(record, "error_message").trim();
    match record.get("error_code").filter(|code| !code.is_null()) {
        Some(code) if words.is_empty() => Text::same(format!("error_code {code}")),
        Some(code) => Text::same(format!("{words} (error_code {code})")),
        None => Text::same(words),
    }
}

fn expired(failure: Option<&Text>) -> Text {
    let mut detail = Text::new(
        "accepted, and not done when the run's time was over",
        "受け付けられましたが、待ち時間内に完了しませんでした",
    );
    if let Some(why) = failure {
        detail.push(&Text::new(format!("; last: {}", why.en), format!("。最後の応答: {}", why.ja)));
    }
    detail
}

fn has_open(fates: &[Fate], batch: &str) -> bool {
    let is_open = |fate: &Fate| fate.state == ItemState::Accepted;
    fates.iter().any(|fate| is_open(fate) && fate.batch.as_deref() == Some(batch))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_element_is_done_when_everything_told_of_it_is() {
        let state = |statuses: &[&str]| {
            let records: Vec<Map<String, Value>> = statuses
                .iter()
                .map(|status| json!({ "status": status }).as_object().unwrap().clone())
                .collect();
            ended(&records.iter().collect::<Vec<_>>()).map(|(state, _)| state)
        };
        for (statuses, expected) in [
            (&[][..], None),
            (&["Created"], None),
            (&["Executing"], None),
            (&["Queued"], None),
            (&[""], None),
            (&["Success"], Some(ItemState::Succeeded)),
            (&["skipped"], Some(ItemState::Already)),
            (&["Skipped", "Success"], Some(ItemState::Succeeded)),
            (&["Success", "Executing"], None),
            (&["Success", "Failed"], Some(ItemState::Failed)),
        ] {
            assert_eq!(state(statuses), expected, "{statuses:?}");
        }
    }

    #[test]
    fn a_failure_is_told_in_the_vendors_words() {
        let words = |record: Value| failure(record.as_object().unwrap()).en;
        let record =
            json!({ "error_code": -999, "error_message": "The action for these mails failed." });
        assert_eq!(words(record), "The action for these mails failed. (error_code -999)");
        assert_eq!(words(json!({ "error_code": -1 })), "error_code -1");
        assert_eq!(words(json!({ "error_code": null, "error_message": "x" })), "x");
    }
}
