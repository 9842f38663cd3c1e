//! What the end of a task does to its targets.

use serde_json::{Map, Value, json};

use crate::times::DAY_MS;

use super::action::Action;
use super::books::{Blocked, Books, MailPlace};
use super::digests::digests;
use super::parameters::seconds;
use super::targets::Target;
use super::tasks::Task;

/// How long a collected file is kept.
const KEPT_MS: i64 = 7 * DAY_MS;

impl Books {
    /// Does a task's action to one of its targets.
    ///
    /// # Errors
    /// The target is not in the state that the action needs.
    pub(super) fn apply(
        &mut self,
        task: &Task,
        target: &Target,
        at_ms: i64,
    ) -> Result<(), &'static str> {
        match target {
            Target::Endpoint { guid, name } => self.apply_to_endpoint(task, guid, name, at_ms),
            Target::Object(kind, value) => self.apply_to_object(task, kind, value, at_ms),
            Target::Mail(mail) => self.apply_to_mail(task.action, *mail),
            Target::Account { name, .. } => {
                self.apply_to_account(task.action, name);
                Ok(())
            }
        }
    }

    fn apply_to_endpoint(
        &mut self,
        task: &Task,
        guid: &str,
        name: &'static str,
        at_ms: i64,
    ) -> Result<(), &'static str> {
        let mut done = json!({ "agentGuid": guid, "endpointName": name, "taskId": task.id, "at": seconds(at_ms) });
        task.details.iter().for_each(|(name, value)| done[name] = value.clone());
        match task.action {
            Action::CollectFile => self.collected.push(done),
            Action::TerminateProcess => self.terminated.push(done),
            Action::RunScript => self.scripts.push(done),
            Action::Isolate | Action::RestoreIsolate => {
                let isolates = task.action == Action::Isolate;
                let is_isolated = self.endpoints.get(guid).is_some_and(|fate| fate.is_isolated);
                if !isolates && !is_isolated {
                    return Err("The endpoint is not isolated by this action.");
                }
                let fate = self.endpoints.entry(guid.to_owned()).or_default();
                fate.name = name;
                fate.is_isolated = isolates;
                fate.effects += 1;
            }
            _ => {}
        }
        Ok(())
    }

    fn apply_to_object(
        &mut self,
        task: &Task,
        kind: &'static str,
        value: &str,
        at_ms: i64,
    ) -> Result<(), &'static str> {
        let place =
            self.objects.iter().position(|known| known.kind == kind && known.value == value);
        if task.action == Action::RestoreBlock {
            let place = place.ok_or("The object was not added by this action.")?;
            self.objects.remove(place);
            return Ok(());
        }
        let description = task.description.clone();
        let object = Blocked { kind, value: value.to_owned(), description, modified_ms: at_ms };
        match place {
            Some(place) => self.objects[place] = object,
            None => self.objects.push(object),
        }
        Ok(())
    }

    fn apply_to_mail(&mut self, action: Action, mail: usize) -> Result<(), &'static str> {
        let now = self.mails.get(&mail).map_or(MailPlace::Delivered, |fate| fate.place);
        let place = match (action, now) {
            (_, MailPlace::Deleted) => return Err("The message is not there any more."),
            (Action::RestoreMessage, MailPlace::Delivered) => {
                return Err("The message is not in quarantine.");
            }
            (Action::QuarantineMessage, _) => MailPlace::Quarantined,
            (Action::RestoreMessage, _) => MailPlace::Delivered,
            _ => MailPlace::Deleted,
        };
        let fate = self.mails.entry(mail).or_default();
        fate.place = place;
        fate.effects += 1;
        Ok(())
    }

    fn apply_to_account(&mut self, action: Action, name: &'static str) {
        let fate = self.accounts.entry(name).or_default();
        match action {
            Action::DisableAccount => fate.is_disabled = true,
            Action::EnableAccount => fate.is_disabled = false,
            Action::ForceSignOut => fate.sign_outs += 1,
            _ => fate.password_resets += 1,
        }
    }
}

/// What collecting a file brings back: the file is its path.
pub(super) fn collected_file(task: &Task, at_ms: i64) -> Map<String, Value> {
    let path = task.details.get("filePath").and_then(Value::as_str).unwrap_or_default();
    let digests = digests(path.as_bytes());
    let location = format!("https://storage.example/collected/{}.7z", task.id);
    [
        ("fileSha1", digests["sha1"].clone()),
        ("fileSha256", digests["sha256"].clone()),
        ("fileSize", Value::from(path.len())),
        ("resourceLocation", Value::from(location)),
        ("expiredDateTime", Value::from(seconds(at_ms + KEPT_MS))),
        ("password", Value::from(format!("pw-{}", task.id))),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
