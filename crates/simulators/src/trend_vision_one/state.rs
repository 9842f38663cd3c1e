//! What actions have changed, for those who test from outside: only what an action touched.

use serde_json::{Value, json};

use super::VisionOne;
use super::alerts::etag;
use super::books::{Books, MailPlace};
use super::mailboxes::MAILS;

impl VisionOne {
    /// Everything that actions have changed by now.
    pub(super) fn changed(&self) -> Value {
        let knobs = self.knobs();
        let now_ms = self.clock.now_ms();
        let mut state = self.books(now_ms, &knobs.response).changed();
        let books = self.books(now_ms, &knobs.response);
        let tasks = books.tasks.iter().map(|task| task.record(now_ms, &knobs.response));
        state["tasks"] = tasks.collect();
        let submissions = books.submissions.iter().map(|submission| {
            json!({
                "id": submission.id, "type": if submission.is_file { "file" } else { "url" },
                "name": submission.name, "digest": submission.digest, "arguments": submission.arguments,
                "status": submission.status(now_ms),
            })
        });
        state["sandbox"] = submissions.collect();
        drop(books);
        state["alerts"] = self.patched_alerts(now_ms);
        let notes = self.notes.written().into_iter().map(|(alert, id, content)| {
            json!({ "alertId": self.alert_id(alert), "id": id, "content": content })
        });
        state["notes"] = notes.collect();
        state
    }

    /// The alerts that clients changed, as they are now; one that was taken back has no version.
    fn patched_alerts(&self, now_ms: i64) -> Value {
        let knobs = self.knobs();
        let patched = self.interventions.patched().into_iter().filter_map(|alert| {
            let history = self.history(alert, &knobs);
            let position = history.current(now_ms)?;
            let record = self.alert(alert, &history, position);
            Some(json!({
                "id": record["id"], "status": record["status"],
                "investigationResult": record["investigationResult"],
                "etag": etag(&knobs, alert, history.updated_ms(position), position),
            }))
        });
        patched.collect()
    }
}

impl Books {
    fn changed(&self) -> Value {
        let objects = self.objects.iter().map(|object| {
            json!({ "type": object.kind, "value": object.value, "description": object.description })
        });
        let endpoints = self.endpoints.iter().map(|(guid, fate)| {
            json!({
                "agentGuid": guid, "endpointName": fate.name, "isolated": fate.is_isolated,
                "effects": fate.effects,
            })
        });
        let mails = self.mails.iter().filter_map(|(place, fate)| {
            let mail = MAILS.get(*place)?;
            let state = match fate.place {
                MailPlace::Delivered => "delivered",
                MailPlace::Quarantined => "quarantined",
                MailPlace::Deleted => "deleted",
            };
            Some(json!({
                "messageId": mail.message_id, "mailBox": mail.mailbox, "uniqueId": mail.unique_id,
                "state": state, "effects": fate.effects,
            }))
        });
        let accounts = self.accounts.iter().map(|(name, fate)| {
            json!({
                "accountName": name, "enabled": !fate.is_disabled, "sign_outs": fate.sign_outs,
                "password_resets": fate.password_resets,
            })
        });
        json!({
            "suspicious_objects": objects.collect::<Value>(),
            "endpoints": endpoints.collect::<Value>(),
            "mails": mails.collect::<Value>(),
            "accounts": accounts.collect::<Value>(),
            "scripts": self.scripts,
            "collected_files": self.collected,
            "terminated": self.terminated,
        })
    }
}
