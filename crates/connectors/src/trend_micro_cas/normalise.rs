//! One record, one event: DLP becomes a Data Security Finding, mail Email Activity, files File Hosting
//! Activity, and what lacks the required attributes of its class a Base Event.
//!
//! Pure and total: odd values stay in `unmapped`, and arbitrary JSON is a Base Event at worst.

use std::borrow::Cow;

use model::mapping::EventSink;
use model::ocsf::objects::{
    Actor, Feature, File, Fingerprint, Metadata, Observable, Product, User,
};
use model::ocsf::values::{file_type, hash_algorithm, observable_type};
use model::ocsf::{BaseEvent, Event, format, values};
use model::time::Timestamp;

use super::control::Control;
use super::decode::Fields;
use super::identify::Levels;
use super::words::{self, Family, Kind};
use super::{dlp, file, mail, text, unmapped};

/// What activities of a scanner are called where OCSF has no id for them.
pub(super) const SCAN: &str = "Scan";

/// What every class says alike.
#[derive(Debug)]
pub(super) struct Common<'a> {
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) service: Option<Cow<'a, str>>,
    pub(super) family: Family,
    pub(super) time_ms: i64,
    pub(super) metadata: Metadata<'a>,
    pub(super) control: Control<'a>,
    pub(super) observables: Observables<'a>,
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
    ($class:ident, $record:expr, $common:expr, { $($name:ident: $value:expr),* $(,)? }) => {{
        let common = $common;
        let control = common.control;
        model::ocsf::Event::from(model::ocsf::$class {
            severity_id: Some(control.severity_id),
            status_id: control.status_id,
            status: control.status,
            status_detail: control.status_detail,
            time: Some(common.time_ms),
            metadata: Some(common.metadata.into()),
            observables: common.observables.0,
            action_id: control.action_id,
            action: control.action,
            disposition_id: control.disposition_id,
            disposition: control.disposition,
            is_alert: control.is_alert,
            risk_level_id: control.risk_level_id,
            risk_level: control.risk_level,
            risk_details: control.risk_details,
            malware: control.malware,
            malware_scan_info: control.malware_scan_info,
            policy: control.policy.map(Into::into),
            $($name: $value,)*
            unmapped: $crate::trend_micro_cas::unmapped::object(&$record.top, &$record.message),
            ..model::ocsf::$class::default()
        })
    }};
}
pub(super) use event;

/// Gives the record's event to the sink.
pub(super) fn normalise(raw: &[u8], sink: &mut dyn EventSink) {
    let json = String::from_utf8_lossy(raw);
    let event = match Levels::read(&json) {
        Ok(record) => mapped(record, raw),
        Err(_) => unreadable(&json),
    };
    sink.push(&event.stamped());
}

fn mapped<'a>(mut record: Levels<'a>, raw: &[u8]) -> Event<'a> {
    let kind = kind(&record);
    let common = common(&mut record, kind);
    let is_mail = match common.family {
        Family::Mail => true,
        Family::File => false,
        Family::Other => mail::has_mail_fields(&record.message),
    };
    if kind == Kind::Dlp {
        dlp::event(record, common, raw)
    } else if is_mail && mail::fits(&record.message) {
        mail::event(record, common)
    } else if !is_mail && file::fits(&record.message) {
        file::event(record, common)
    } else {
        base(record, common)
    }
}

/// The event type: the record's word for it, else what only one type has.
fn kind(record: &Levels<'_>) -> Kind {
    let word = record.top.peek("event").unwrap_or_default();
    match words::kind(&word) {
        Kind::Other if record.message.json("triggered_dlp_template").is_some() => Kind::Dlp,
        Kind::Other if record.message.json("ransomware_name").is_some() => Kind::Ransomware,
        kind => kind,
    }
}

fn common<'a>(record: &mut Levels<'a>, kind: Kind) -> Common<'a> {
    let id = record.id();
    for level in [&mut record.top, &mut record.message] {
        // The same id on both levels is one fact, two different ids are two.
        if level.peek("log_item_id") == id {
            level.take("log_item_id");
        }
    }
    let found = record.time();
    let time = found.and_then(|(time, _)| time.plausible()).unwrap_or(Timestamp::EPOCH);
    let service = record.top.text("service");
    let metadata = Metadata {
        uid: id.clone(),
        log_name: record.top.text("event"),
        original_time: original_time(record, found.map(|(_, name)| name)),
        product: Some(Product {
            name: Some(Cow::Borrowed("Cloud App Security")),
            vendor_name: Some(Cow::Borrowed("Trend Micro")),
            feature: service.clone().map(|name| Feature { name: Some(name), ..Feature::default() }),
            ..Product::default()
        }),
        ..Metadata::default()
    };
    Common {
        id,
        family: service.as_deref().map_or(Family::Other, words::family),
        service,
        time_ms: time.as_millis(),
        metadata,
        control: Control::take(&mut record.message, kind),
        observables: Observables::default(),
    }
}

/// The detection time as written, or the text that the time was read from instead.
fn original_time<'a>(record: &mut Levels<'a>, name: Option<&'static str>) -> Option<Cow<'a, str>> {
    let detected =
        record.message.text("detection_time").or_else(|| record.top.text("detection_time"));
    detected.or_else(|| record.message.peek(name?).or_else(|| record.top.peek(name?)))
}

fn base<'a>(mut record: Levels<'a>, mut common: Common<'a>) -> Event<'a> {
    let actor =
        record.message.text("affected_user").map(|name| actor(name, &mut common.observables));
    event!(BaseEvent, record, common, {
        activity_id: Some(values::base_event::OTHER),
        activity_name: Some(Cow::Borrowed(SCAN)),
        actor: actor,
    })
}

/// The event of a record that is no JSON object; identification has refused it before.
fn unreadable(json: &str) -> Event<'static> {
    Event::from(BaseEvent {
        time: Some(Timestamp::EPOCH.as_millis()),
        metadata: Some(
            Metadata {
                product: Some(Product {
                    name: Some(Cow::Borrowed("Cloud App Security")),
                    vendor_name: Some(Cow::Borrowed("Trend Micro")),
                    ..Product::default()
                }),
                ..Metadata::default()
            }
            .into(),
        ),
        unmapped: Some(unmapped::single("record", json)),
        ..BaseEvent::default()
    })
}

/// The account that the vendor calls the affected user.
pub(super) fn actor<'a>(name: Cow<'a, str>, observables: &mut Observables<'a>) -> Actor<'a> {
    observables.add("actor.user.name", observable_type::USER_NAME, name.clone());
    let email_addr = format::is_email(&name).then(|| name.clone());
    if let Some(address) = &email_addr {
        observables.add("actor.user.email_addr", observable_type::EMAIL_ADDRESS, address.clone());
    }
    let user = User { name: Some(name), email_addr, ..User::default() };
    Actor { user: Some(user.into()), ..Actor::default() }
}

/// A file of this name with those of the message's hashes that are some; the others stay.
pub(super) fn named_file<'a>(name: Cow<'a, str>, message: &mut Fields<'a>) -> File<'a> {
    let mut file = plain_file(name);
    for (field, digits, algorithm_id) in
        [("file_sha1", 40, hash_algorithm::SHA_1), ("file_sha256", 64, hash_algorithm::SHA_256)]
    {
        let is_hash =
            |text: &str| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if message.peek(field).is_some_and(|text| is_hash(&text)) {
            file.hashes.push(Fingerprint {
                algorithm_id: Some(algorithm_id),
                value: message.text(field),
                ..Fingerprint::default()
            });
        }
    }
    file
}

/// A file of this name.
pub(super) fn plain_file(name: Cow<'_, str>) -> File<'_> {
    File { name: Some(name), type_id: Some(file_type::REGULAR_FILE), ..File::default() }
}

/// Milliseconds of a field that holds a likely time; another stays.
pub(super) fn time_ms(message: &mut Fields<'_>, name: &str) -> Option<i64> {
    let time = text::time(&message.peek(name)?)?.plausible()?;
    message.take(name);
    Some(time.as_millis())
}
