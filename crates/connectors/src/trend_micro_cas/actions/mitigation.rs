//! Mitigation of mails and accounts: the requests that open batches, and the witness of a batch whose answer was
//! lost. [`super::waiting`] follows the batches to their end.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use model::action::{Entity, Halt, ItemState, Text};
use model::time::Timestamp;
use model::vendor::{Fault, FetchError};
use serde_json::{Map, Value, json};

use super::paging::{self, Then, text};
use super::parts::{Part, Parts};
use super::waiting::Shown;
use super::{Desk, Manner, failed, messages};
use crate::action::{Change, Taken, Witness, reason};

/// Most elements of a request. The vendor's pages name no limit; a request is refused or lost whole, so it is
/// kept small.
const MOST_ELEMENTS: usize = 100;
/// How far back the vendor tells of actions.
const REACH: Duration = Duration::from_secs(72 * 3600);
/// How far the vendor's clock may be from ours.
const SKEW: Duration = Duration::from_secs(5 * 60);
/// How far from the end of its reach the vendor is not asked: the question takes time to arrive.
const MARGIN: Duration = Duration::from_secs(60);

/// What is acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mails,
    Accounts,
}

impl Kind {
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Mails => "/v1/mitigation/mails",
            Self::Accounts => "/v1/mitigation/accounts",
        }
    }

    /// Whether a record of the vendor's tells of an element that was sent.
    pub(super) fn tells_of(self, record: &Map<String, Value>, element: &Value) -> bool {
        let sent = |name: &str| element[name].as_str().unwrap_or_default();
        let is_same = |name: &str| text(record, name).eq_ignore_ascii_case(sent(name));
        if text(record, "action_type") != sent("action_type") {
            return false;
        }
        match self {
            Self::Accounts => is_same("account_user_email"),
            Self::Mails => {
                let id = text(record, "mail_unique_id");
                if !id.is_empty() && !sent("mail_unique_id").is_empty() {
                    return id == sent("mail_unique_id");
                }
                let mailbox = [text(record, "mailbox"), text(record, "account_user_email")];
                mailbox.iter().any(|own| own.eq_ignore_ascii_case(sent("mailbox")))
                    && is_same("mail_message_id")
            }
        }
    }
}

/// How far the work on one element is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) state: ItemState,
    pub(super) detail: Text,
    pub(super) batch: Option<String>,
}

impl Fate {
    fn new(state: ItemState, detail: Text) -> Self {
        Self { state, detail, batch: None }
    }

    fn may_have_effects(&self) -> bool {
        matches!(self.state, ItemState::Accepted | ItemState::Unknown)
    }
}

/// Elements to send, each with the entity that was permitted for it.
pub(super) struct Job<'a> {
    pub(super) desk: &'a Desk<'a>,
    pub(super) kind: Kind,
    pub(super) elements: &'a [Value],
    pub(super) targets: &'a [Entity],
}

impl Job<'_> {
    /// Sends all elements; the fate of each, in their order. What ends the sending after something was accepted
    /// fails for the rest only, so that what is under way is followed.
    pub(super) async fn submit(&self, shown: &Shown<'_>) -> Result<Vec<Fate>, Halt> {
        let mut fates = vec![Fate::new(ItemState::Pending, Text::default()); self.elements.len()];
        match self.submit_parts(&mut fates, shown).await {
            Err(Halt::Fatal(why)) if fates.iter().any(Fate::may_have_effects) => {
                for fate in fates.iter_mut().filter(|fate| fate.state == ItemState::Pending) {
                    *fate = Fate::new(ItemState::Failed, why.clone());
                }
            }
            ended => ended?,
        }
        Ok(fates)
    }

    async fn submit_parts(&self, fates: &mut [Fate], shown: &Shown<'_>) -> Result<(), Halt> {
        let mut parts = Parts::of(self.elements.len(), MOST_ELEMENTS);
        while let Some(part) = parts.pop() {
            let fate = match self.send(&part).await? {
                Submitted::Batch(id) => {
                    Fate { batch: Some(id), ..Fate::new(ItemState::Accepted, Text::default()) }
                }
                Submitted::Planned => Fate::new(ItemState::Planned, Text::default()),
                Submitted::Unknown(detail) => {
                    Fate::new(ItemState::Unknown, messages::unknown(&detail))
                }
                Submitted::Refused(error) if parts.halve(&part, &error) => continue,
                Submitted::Refused(error) if error.fault == Fault::WrongUrl => {
                    return Err(Halt::Fatal(reason(&error)));
                }
                Submitted::Refused(error) => Fate::new(ItemState::Failed, reason(&error)),
            };
            fates[part.range].fill(fate);
            if !parts.is_empty() {
                let (items, message) = shown(fates, false);
                self.desk.journal().progress(&items, &message).await?;
            }
        }
        Ok(())
    }

    /// When a request was answered, as the life says that heard the answer.
    async fn answered_at(&self, step: &str) -> Result<Timestamp, Halt> {
        let name = format!("{step}/answered_at");
        if let Some(time) = self.desk.recall(&name).await? {
            return Ok(time);
        }
        let now = self.desk.journal().now();
        self.desk.keep(&name, &now).await?;
        Ok(now)
    }

    async fn send(&self, part: &Part) -> Result<Submitted, Halt> {
        let elements = &self.elements[part.range.clone()];
        let mut targets: Vec<Entity> = Vec::new();
        for target in &self.targets[part.range.clone()] {
            if !targets.contains(target) {
                targets.push(target.clone());
            }
        }
        let ask = self.desk.post(self.kind.path(), Value::from(elements));
        let change = Change { step: &part.step, targets: &targets, ask };
        let mut witness = BatchWitness {
            desk: self.desk,
            kind: self.kind,
            elements,
            near: None,
            partial: Mutex::default(),
        };
        let mut taken = self.desk.exchange.change(&change, Some(&witness)).await?;
        if let Taken::Answered(reply) = &taken {
            match self.desk.object(reply) {
                Ok(members) if !text(&members, "batch_id").is_empty() => {
                    let batch = text(&members, "batch_id").to_owned();
                    // So that no other run takes it for its own. It is ours whoever claimed it before.
                    self.desk.journal().claim(&batch).await?;
                    return Ok(Submitted::Batch(batch));
                }
                Err(error) if reply.body.is_object() => return Ok(Submitted::Refused(error)),
                // Accepted, and unreadable.
                _ => {
                    witness.near = Some(self.answered_at(&part.step).await?);
                    taken = self.desk.confirm(&part.step, &witness).await?;
                }
            }
        }
        Ok(match taken {
            Taken::Found(value) => {
                Submitted::Batch(value["batch_id"].as_str().unwrap_or_default().to_owned())
            }
            Taken::Planned => Submitted::Planned,
            Taken::Refused(error) => Submitted::Refused(error),
            Taken::Unknown(detail) => Submitted::Unknown(detail),
            Taken::Answered(_) => Submitted::Refused(failed(Fault::Unreadable, "no answer")),
        })
    }
}

/// How one request ended.
enum Submitted {
    Batch(String),
    Planned,
    Refused(FetchError),
    Unknown(String),
}

/// Finds the batch of a request by what is in it: the vendor takes no name of ours for it.
struct BatchWitness<'a> {
    desk: &'a Desk<'a>,
    kind: Kind,
    elements: &'a [Value],
    /// When it was taken, where that is known better than since when it may have been.
    near: Option<Timestamp>,
    /// Since when a batch was there with a part of the elements.
    partial: Mutex<Option<Timestamp>>,
}

#[async_trait]
impl Witness for BatchWitness<'_> {
    async fn look(&self, since: Timestamp) -> Result<Option<Value>, Halt> {
        let oldest = self.desk.journal().now() - (REACH - MARGIN);
        if since < oldest {
            return Err(Halt::fatal("the vendor tells of the actions of the last 72 hours only"));
        }
        let batches = self.batches((since - SKEW).max(oldest)).await?;
        let near = self.near.unwrap_or(since);
        let mine = self.claimed(&batches, near, |records| self.is_whole(records)).await?;
        if mine.is_some() {
            return Ok(mine);
        }
        // The vendor may list a batch element by element. One that stays a part is another run's, or ours with
        // elements that the vendor has dropped: those are never heard of, and nothing is sent twice.
        if !batches.values().any(|records| self.is_part(records)) {
            return Ok(None);
        }
        if self.is_settled() {
            return self.claimed(&batches, near, |records| self.is_part(records)).await;
        }
        Err(Halt::Fatal(Text::new(
            "some of its elements are not listed yet",
            "一部の項目がまだ一覧にありません",
        )))
    }
}

type Records = Vec<Map<String, Value>>;

impl BatchWitness<'_> {
    /// All batches that were asked for since then, by their ids.
    async fn batches(&self, start: Timestamp) -> Result<BTreeMap<String, Records>, Halt> {
        let now = self.desk.journal().now();
        let start = start.to_rfc3339_millis();
        // The vendor's clock may be ahead; where it takes no time that has not come yet, it is asked until now.
        let mut failure = None;
        for end in [now + SKEW, now] {
            let query = [("start", &*start), ("end", &*end.to_rfc3339_millis())];
            let url = self.desk.url(self.kind.path(), &query);
            let mut batches: BTreeMap<String, Records> = BTreeMap::new();
            let mut visit = |record: Map<String, Value>| {
                let batch = text(&record, "batch_id").to_owned();
                batches.entry(batch).or_default().push(record);
                Then::Continue
            };
            match paging::walk(self.desk, "witness", url, "actions", Manner::Ask, &mut visit)
                .await?
            {
                Ok(()) => {
                    batches.remove("");
                    return Ok(batches);
                }
                Err(error) => {
                    let is_last = error.fault != Fault::BadRequest;
                    failure = Some(error);
                    if is_last {
                        break;
                    }
                }
            }
        }
        let why = failure.map_or_else(Text::default, |error| reason(&error));
        Err(Halt::Fatal(why))
    }

    /// The batch that a condition holds for, once claimed for this run.
    async fn claimed(
        &self,
        batches: &BTreeMap<String, Records>,
        near: Timestamp,
        holds: impl Fn(&Records) -> bool,
    ) -> Result<Option<Value>, Halt> {
        let mut matching: Vec<_> = batches
            .iter()
            .filter(|(_, records)| holds(records))
            .map(|(batch, records)| (distance(records, near), batch))
            .collect();
        // Of several that are alike, the one that was asked for at the time.
        matching.sort();
        for (_, batch) in matching {
            // Another run may have asked for the very same.
            if self.desk.journal().claim(batch).await? {
                return Ok(Some(json!({ "batch_id": batch })));
            }
        }
        Ok(None)
    }

    /// Whether a batch has exactly the elements of the request.
    fn is_whole(&self, records: &Records) -> bool {
        let is_told =
            |element: &Value| records.iter().any(|record| self.kind.tells_of(record, element));
        self.elements.iter().all(is_told) && self.is_part(records)
    }

    /// Whether a batch has elements of the request, and no others.
    fn is_part(&self, records: &Records) -> bool {
        let is_asked =
            |record| self.elements.iter().any(|element| self.kind.tells_of(record, element));
        records.iter().all(is_asked)
    }

    /// Whether so much time has passed since a part was seen that the rest does not come any more.
    fn is_settled(&self) -> bool {
        let now = self.desk.journal().now();
        let mut partial = self.partial.lock().unwrap_or_else(PoisonError::into_inner);
        let first = *partial.get_or_insert(now);
        now.since(first) >= self.desk.journal().patience().settle
    }
}

/// How far from a time a batch was asked for, in microseconds; one that does not say is the last choice.
fn distance(records: &Records, since: Timestamp) -> u64 {
    let asked_at = records
        .iter()
        .find_map(|record| Timestamp::parse(text(record, "action_requested_at")).ok());
    asked_at.map_or(u64::MAX, |time| time.as_micros().abs_diff(since.as_micros()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_apart_by_action_and_target() {
        let tells = |kind: Kind, record: Value, element: Value| {
            kind.tells_of(record.as_object().unwrap(), &element)
        };
        let account = |action: &str, address: &str| json!({ "action_type": action, "account_user_email": address });
        let disable = account("ACCOUNT_DISABLE", "A@b.example");
        assert!(tells(Kind::Accounts, account("ACCOUNT_DISABLE", "a@B.example"), disable.clone()));
        assert!(!tells(
            Kind::Accounts,
            account("ACCOUNT_ENABLE_MFA", "a@b.example"),
            disable.clone()
        ));
        assert!(!tells(Kind::Accounts, account("ACCOUNT_DISABLE", "c@b.example"), disable));
        let mail = |mailbox: &str, unique: &str, message: &str| {
            json!({ "action_type": "MAIL_DELETE", "mailbox": mailbox, "mail_unique_id": unique,
                "mail_message_id": message })
        };
        let sent = mail("a@b.example", "U1", "<m@x>");
        assert!(tells(Kind::Mails, mail("", "U1", ""), sent.clone()));
        assert!(!tells(Kind::Mails, mail("a@b.example", "u1", "<m@x>"), sent.clone()));
        assert!(tells(Kind::Mails, mail("A@b.example", "", "<m@x>"), sent.clone()));
        assert!(!tells(Kind::Mails, mail("c@b.example", "", "<m@x>"), sent));
    }
}
