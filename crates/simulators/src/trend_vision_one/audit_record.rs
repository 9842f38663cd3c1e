//! One audit log as the bytes of an answer. The vendor gives it no id, so its digest stands for it here.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::draw::{Draw, fraction};
use crate::release;

use super::VisionOne;
use super::knobs::Knobs;
use super::parameters::seconds;
use super::streams::Stream;
use super::vocabulary as words;

const CONTENT: u64 = 0xa0d1;

impl VisionOne {
    /// The bytes of an audit log.
    pub(super) fn audit_text(&self, number: u64, knobs: &Knobs) -> String {
        self.audit_record(number, knobs).to_string()
    }

    /// What stands for its id.
    pub(super) fn audit_digest(&self, number: u64) -> String {
        hex::encode(Sha256::digest(self.audit_text(number, &self.knobs())))
    }

    /// An audit log as JSON.
    pub(super) fn audit_record(&self, number: u64, knobs: &Knobs) -> Value {
        let number = self.original(number, knobs);
        let lattice = self.population.lattice(Stream::AuditLogs);
        let mut draw = Draw::new(&[self.seed, number, CONTENT]);
        let (user, role) = draw.pick(words::OPERATORS);
        let (category, activity, details) = draw.pick(words::ACTIVITIES);
        let mut record = json!({
            "loggedDateTime": seconds(lattice.time_ms(number)),
            "ingestedDateTime": seconds(lattice.ingested_ms(number, knobs.late)),
            "loggedUser": user,
            "loggedRole": role,
            "accessType": if role == "API" { "API" } else { "Console" },
            "category": category,
            "activity": activity,
            "result": if draw.chance(93) { "Successful" } else { "Unsuccessful" },
            "details": serde_json::from_str(details).unwrap_or(Value::Null),
        });
        if let (true, Some(members)) = (knobs.without_ingested, record.as_object_mut()) {
            members.remove("ingestedDateTime");
        }
        if let (true, Some(members)) =
            (release::is_out(knobs.release_ms, lattice.time_ms(number)), record.as_object_mut())
        {
            release::rewrite(members, "accessType", "loggedRole");
        }
        record
    }

    /// When it was logged and taken in; a twin shares both with its original.
    pub(super) fn audit_times(&self, number: u64, knobs: &Knobs) -> (i64, i64) {
        let number = self.original(number, knobs);
        let lattice = self.population.lattice(Stream::AuditLogs);
        (lattice.time_ms(number), lattice.ingested_ms(number, knobs.late))
    }

    /// The record that this one repeats byte for byte, or itself.
    fn original(&self, number: u64, knobs: &Knobs) -> u64 {
        let is_twin = fraction(&[self.seed, number, CONTENT, 1]) * 100.0 < knobs.twins_percent;
        // An odd number repeats the even one before it, so no chain of twins leads far away.
        if is_twin && number % 2 == 1 { number - 1 } else { number }
    }
}
