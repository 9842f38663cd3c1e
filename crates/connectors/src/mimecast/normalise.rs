//! One record, one event: what is about a link becomes HTTP Activity, what is about a message Email Activity, and
//! what lacks the required attributes of its class a Base Event.
//!
//! Pure and total: odd values stay in `unmapped`, and arbitrary JSON is a Base Event at worst.

use std::borrow::Cow;

use model::mapping::EventSink;
use model::ocsf::objects::{File, Metadata, Observable, Product};
use model::ocsf::values::{base_event, observable_type};
use model::ocsf::{BaseEvent, Event};
use model::time::Timestamp;
use sha2::{Digest, Sha256};

use super::Kind;
use super::control::Control;
use super::fields::Fields;
use super::identify;
use super::mail::Addressed;
use super::words::{self, Type};
use super::{click, mail, text, unmapped};

/// Bytes of the digest that stands for an id.
const UID_BYTES: usize = 16;

/// What every class says alike.
#[derive(Debug)]
pub(super) struct Common<'a> {
    pub(super) event: Type,
    pub(super) time_ms: i64,
    pub(super) metadata: Metadata<'a>,
    pub(super) control: Control<'a>,
    pub(super) observables: Observables<'a>,
    /// What groups all events of one message.
    pub(super) trace: Option<Cow<'a, str>>,
    /// One way of a message through the gateway, or one click.
    pub(super) processing: Option<Cow<'a, str>>,
}

/// The observables of an event in the making.
#[derive(Debug, Default)]
pub(super) struct Observables<'a>(pub(super) Vec<Observable<'a>>);

impl<'a> Observables<'a> {
    /// Adds the value that stands at an attribute.
    pub(super) fn add(&mut self, name: &'static str, type_id: i32, value: Cow<'a, str>) {
        self.0.push(Observable {
            name: Some(Cow::Borrowed(name)),
            type_id: Some(type_id),
            value: Some(value),
            ..Observable::default()
        });
    }

    /// Adds the name and the hashes of a file that stands at an attribute.
    pub(super) fn add_file(&mut self, name: &'static str, hash: &'static str, file: &File<'a>) {
        if let Some(text) = &file.name {
            self.add(name, observable_type::FILE_NAME, text.clone());
        }
        for text in file.hashes.iter().filter_map(|hash| hash.value.as_ref()) {
            self.add(hash, observable_type::HASH, text.clone());
        }
    }
}

/// Builds the struct of a class from its own attributes and the common ones.
macro_rules! event {
    ($class:ident, $fields:expr, $common:expr, { $($name:ident: $value:expr),* $(,)? }) => {{
        $(let $name = $value;)*
        let common = $common;
        let control = common.control;
        model::ocsf::Event::from(model::ocsf::$class {
            severity_id: Some(control.severity_id),
            status_id: control.status_id,
            status_code: control.status_code,
            status_detail: Some(std::borrow::Cow::Borrowed(control.delivery)),
            message: control.message,
            time: Some(common.time_ms),
            metadata: Some(common.metadata.into()),
            observables: common.observables.0,
            action_id: control.action_id,
            action: control.action,
            disposition_id: control.disposition_id,
            disposition: control.disposition,
            is_alert: control.is_alert,
            risk_level_id: control.risk_level_id,
            risk_details: control.risk_details,
            malware: control.malware,
            policy: control.policy.map(Into::into),
            $($name,)*
            unmapped: $crate::mimecast::unmapped::object(&$fields),
            ..model::ocsf::$class::default()
        })
    }};
}
pub(super) use event;

/// Gives the record's event to the sink.
pub(super) fn normalise(kind: Kind, raw: &[u8], sink: &mut dyn EventSink) {
    let json = String::from_utf8_lossy(raw);
    let event = match Fields::read(&json) {
        Ok(fields) => mapped(kind, fields, &json),
        Err(_) => unreadable(&json),
    };
    sink.push(&event.stamped());
}

fn mapped<'a>(kind: Kind, mut fields: Fields<'a>, json: &'a str) -> Event<'a> {
    let event = event_type(kind, &fields);
    let common = common(kind, event, &mut fields, json);
    let is_link = match (kind, event) {
        (Kind::TtpUrl, _) | (Kind::Siem, Type::UrlProtect) => true,
        // A type of the future with a link and nobody's mail is about the link.
        (Kind::Siem, Type::Other) => {
            fields.json("url").is_some() && fields.json("emailSize").is_none()
        }
        _ => false,
    };
    if is_link && click::fits(&fields) {
        click::event(fields, common)
    } else if !is_link && Addressed::fits(&mut fields) {
        mail::event(fields, common)
    } else {
        base(fields, common)
    }
}

fn event_type(kind: Kind, fields: &Fields<'_>) -> Type {
    if kind != Kind::Siem {
        return Type::Other;
    }
    let word = fields.peek("type").or_else(|| fields.peek("eventType"));
    words::event_type(&word.unwrap_or_default())
}

fn common<'a>(kind: Kind, event: Type, fields: &mut Fields<'a>, json: &'a str) -> Common<'a> {
    let (original_time, time) = time(kind, fields);
    let row_id = identify::row_id(kind, fields);
    let uid = match row_id {
        Some(id) => {
            fields.take("id");
            Some(id)
        }
        None => digest(kind, json).map(Cow::Owned),
    };
    let log_name = match kind {
        Kind::Siem => fields.text("type").or_else(|| fields.text("eventType")),
        Kind::TtpUrl => Some(Cow::Borrowed("TTP URL")),
        Kind::TtpAttachment => Some(Cow::Borrowed("TTP Attachment")),
        Kind::TtpImpersonation => Some(Cow::Borrowed("TTP Impersonation")),
    };
    let control = Control::take(fields, kind, event);
    let trace = fields.text("aggregateId");
    let metadata = Metadata {
        uid,
        log_name,
        original_time,
        event_code: fields.text("subtype").or_else(|| fields.text("subType")),
        correlation_uid: trace.clone(),
        tenant_uid: fields.text("accountId"),
        product: Some(product()),
        ..Metadata::default()
    };
    let processing = fields.text("processingId");
    if processing.is_some() && event != Type::UrlProtect {
        // No attribute of a message names one of its ways.
        fields.keep("processingId");
    }
    let observables = Observables::default();
    let time_ms = time.plausible().unwrap_or(Timestamp::EPOCH).as_millis();
    Common { event, time_ms, metadata, control, observables, trace, processing }
}

/// The time as written, and as a point in time.
fn time<'a>(kind: Kind, fields: &mut Fields<'a>) -> (Option<Cow<'a, str>>, Timestamp) {
    for name in identify::times(kind) {
        let found = fields.peek(name).and_then(|text| text::time(&text));
        if let Some(time) = found {
            return (fields.text(name), time);
        }
    }
    (None, Timestamp::EPOCH)
}

/// What stands for the id that the vendor does not give: 128 bits over the record's identity.
fn digest(kind: Kind, json: &str) -> Option<String> {
    let key = identify::key_of(kind, json)?;
    Some(hex::encode(&Sha256::digest(key)[..UID_BYTES]))
}

fn product() -> Product<'static> {
    Product {
        name: Some(Cow::Borrowed("Email Security Cloud Gateway")),
        vendor_name: Some(Cow::Borrowed("Mimecast")),
        ..Product::default()
    }
}

fn base<'a>(mut fields: Fields<'a>, mut common: Common<'a>) -> Event<'a> {
    // Only a request has an attribute for it, and a click without a link is none.
    fields.keep("processingId");
    let name = common.metadata.log_name.clone();
    for (field, type_id) in [
        ("fileName", observable_type::FILE_NAME),
        ("md5", observable_type::HASH),
        ("sha1", observable_type::HASH),
        ("sha256", observable_type::HASH),
        ("messageId", observable_type::MESSAGE_UID),
    ] {
        if let Some(value) = fields.peek(field) {
            common.observables.add("unmapped", type_id, value);
        }
    }
    event!(BaseEvent, fields, common, {
        activity_id: Some(base_event::OTHER),
        activity_name: name,
    })
}

/// The event of a record that is no JSON object; identification has refused it before.
fn unreadable(json: &str) -> Event<'static> {
    let metadata = Metadata { product: Some(product()), ..Metadata::default() };
    Event::from(BaseEvent {
        time: Some(Timestamp::EPOCH.as_millis()),
        metadata: Some(metadata.into()),
        unmapped: Some(unmapped::single("record", json)),
        ..BaseEvent::default()
    })
}
