//! One observed attack technique as the bytes of an answer.

use serde_json::{Value, json};

use crate::draw::{Draw, mix, push_uuid};
use crate::release;

use super::VisionOne;
use super::inventory::guid_of;
use super::knobs::Knobs;
use super::mailboxes::one_in;
use super::parameters::seconds;
use super::streams::Stream;
use super::vocabulary::{self as words, TechniqueFilter};

const CONTENT: u64 = 0x0a70;

/// The key of a record.
pub(super) fn uuid(seed: u64, number: u64) -> String {
    let mut text = String::with_capacity(36);
    push_uuid(&mut text, mix(&[seed, number, CONTENT, 1]), mix(&[seed, number, CONTENT, 2]));
    text
}

impl VisionOne {
    /// The bytes of a record. `shows_ingestion` as the vendor does it: only when asked for by ingestion.
    pub(super) fn technique_text(&self, number: u64, shows_ingestion: bool) -> String {
        self.technique(number, shows_ingestion, &self.knobs()).to_string()
    }

    /// A record as JSON.
    pub(super) fn technique(&self, number: u64, shows_ingestion: bool, knobs: &Knobs) -> Value {
        let lattice = self.population.lattice(Stream::Techniques);
        let detected_ms = lattice.time_ms(number);
        let uuid = uuid(self.seed, number);
        let mut draw = Draw::new(&[self.seed, number, CONTENT]);
        let (source, entity, product) = draw.pick(words::SIGHTS);
        let mut filters = vec![filter(&mut draw)];
        if draw.chance(20) {
            filters.push(filter(&mut draw));
        }
        let mut record = json!({ "source": source, "uuid": uuid, "filters": filters });
        let (name, address) = draw.pick(words::HOSTS);
        let mailbox = draw.pick(words::MAILBOXES);
        let mut detail = json!({
            "uuid": uuid, "eventTime": detected_ms.to_string(), "eventId": draw.below(90).to_string(),
            "eventSubId": draw.below(9), "productCode": product,
        });
        if entity == "endpoint" {
            let guid = guid_of(self.seed, name);
            record["endpoint"] = json!({ "endpointName": name, "agentGuid": guid, "ips": [address, "2001:db8::12"] });
            record["entityName"] = Value::from(format!("{name} ({address})"));
            detail["endpointHostName"] = Value::from(name);
            detail["endpointIp"] = json!([address]);
            detail["processCmd"] = Value::from(draw.pick(words::COMMANDS));
        } else if entity == "mailbox" {
            record["entityName"] = Value::from(mailbox);
            detail["mailbox"] = Value::from(mailbox);
            if let Some(mail) = one_in(mailbox, draw.bits()) {
                detail["mailMsgId"] = Value::from(mail.message_id);
                detail["msgUuid"] = Value::from(mail.unique_id);
            }
        } else {
            record["entityName"] = Value::from(name);
            // Sometimes one, sometimes several: the name of the field changes with it.
            if draw.chance(50) {
                detail["request"] = Value::from(draw.pick(words::LINKS));
            } else {
                detail["requests"] = json!(words::LINKS);
            }
        }
        record["entityType"] = Value::from(entity);
        record["detectedDateTime"] = Value::from(seconds(detected_ms));
        if shows_ingestion {
            record["ingestedDateTime"] =
                Value::from(seconds(lattice.ingested_ms(number, knobs.late)));
        }
        record["detail"] = detail;
        if let (true, Some(members)) =
            (release::is_out(knobs.release_ms, detected_ms), record.as_object_mut())
        {
            release::rewrite(members, "source", "entityName");
        }
        record
    }
}

fn filter(draw: &mut Draw) -> Value {
    let place = usize::try_from(draw.below(words::FILTERS.len() as u64)).unwrap_or(0);
    let TechniqueFilter { id, name, risk, tactics, techniques } = &words::FILTERS[place];
    let value = match draw.below(3) {
        0 => json!(443),
        1 => json!([draw.pick(words::COMMANDS)]),
        _ => json!(draw.pick(words::COMMANDS)),
    };
    let kind = if value.is_number() { "port" } else { "command_line" };
    json!({
        "id": id, "name": name, "description": format!("{name}, as seen by a sensor"),
        "mitreTacticIds": tactics, "mitreTechniqueIds": techniques,
        "highlightedObjects": [{ "type": kind, "field": "objectCmd", "value": value }],
        "riskLevel": risk, "type": "preset",
    })
}
