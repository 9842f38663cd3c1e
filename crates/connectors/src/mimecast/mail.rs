//! Records about messages: Email Activity.

use std::borrow::Cow;

use model::ocsf::objects::{Email, EmailAuth, File, Fingerprint, NetworkEndpoint, Url};
use model::ocsf::values::{
    email_activity, file_type, hash_algorithm, mail_direction, observable_type,
};
use model::ocsf::{Event, format};

use super::addresses::Addresses;
use super::control::{number, quoted_names, spam_detail};
use super::fields::Fields;
use super::normalise::{Common, Observables, event};
use super::words::{self, Type};

const ENVELOPE: &[&str] = &["senderEnvelope", "senderAddress"];
const HEADER: &[&str] = &["senderHeader"];
const RECIPIENTS: &[&str] = &["recipients", "recipient", "recipientAddress"];

/// The addresses of a message.
#[derive(Debug)]
pub(super) struct Addressed<'a> {
    envelope: Addresses<'a>,
    header: Addresses<'a>,
    recipients: Addresses<'a>,
}

impl<'a> Addressed<'a> {
    /// Takes them.
    pub(super) fn take(fields: &mut Fields<'a>) -> Self {
        Self {
            envelope: Addresses::take(fields, ENVELOPE),
            header: Addresses::take(fields, HEADER),
            recipients: Addresses::take(fields, RECIPIENTS),
        }
    }

    /// Whether the class's demand can be met: one address of any side.
    pub(super) fn fits(fields: &mut Fields<'a>) -> bool {
        let found = Self::take(fields);
        for name in ENVELOPE.iter().chain(HEADER).chain(RECIPIENTS) {
            fields.keep(name);
        }
        [found.envelope, found.header, found.recipients].iter().any(|side| !side.plain.is_empty())
    }
}

/// The event of a record that [`Addressed::fits`].
pub(super) fn event<'a>(mut fields: Fields<'a>, mut common: Common<'a>) -> Event<'a> {
    let Addressed { envelope, header, recipients } = Addressed::take(&mut fields);
    let envelope_from = envelope.plain.first().cloned();
    let mut email = Email {
        from: header.plain.first().cloned().or_else(|| envelope_from.clone()),
        return_path: envelope_from.clone(),
        to: recipients.plain.clone(),
        to_mailboxes: recipients.other,
        from_mailbox: joined(header.other.into_iter().chain(envelope.other)),
        subject: fields.text("subject"),
        message_uid: fields.text("messageId"),
        size: number(&mut fields, "emailSize"),
        ..Email::default()
    };
    if header.plain.len() > 1 || envelope.plain.len() > 1 {
        email.from_list = header.plain.into_iter().chain(envelope.plain).collect();
    }
    email.files = files(&mut fields);
    let link = fields.text("url").map(|link| Url { url_string: Some(link), ..Url::default() });
    email.urls.extend(link);
    observe(&email, &mut common.observables);
    let source = endpoint(&mut fields, &["senderIp", "senderIpAddress"], None);
    let target = endpoint(&mut fields, &["destinationIp"], Some("Hostname"));
    for (name, side) in [("src_endpoint.ip", &source), ("dst_endpoint.ip", &target)] {
        if let Some(ip) = side.as_ref().and_then(|side| side.ip.clone()) {
            common.observables.add(name, observable_type::IP_ADDRESS, ip);
        }
    }
    let direction_id = direction(&mut fields, common.event);
    event!(EmailActivity, fields, common, {
        activity_id: Some(activity(common.event)),
        direction_id: Some(direction_id),
        email: Some(email.into()),
        email_auth: authentication(&fields),
        from: envelope_from,
        to: recipients.plain,
        src_endpoint: source.map(Into::into),
        dst_endpoint: target.map(Into::into),
        message_trace_uid: common.trace.clone(),
        attempt: number(&mut fields, "deliveryAttempts"),
        duration: number(&mut fields, "deliveryTime"),
    })
}

/// Texts that are no addresses, in one.
fn joined<'a>(mut texts: impl Iterator<Item = Cow<'a, str>>) -> Option<Cow<'a, str>> {
    let first = texts.next()?;
    Some(texts.fold(first, |all, text| Cow::Owned(format!("{all}, {text}"))))
}

fn activity(event: Type) -> i32 {
    match event {
        Type::Receipt => email_activity::RECEIVE,
        Type::Delivery => email_activity::MTA_RELAY,
        Type::Journal => email_activity::TRACE,
        _ => email_activity::SCAN,
    }
}

/// The way of the message: of deliveries, `route` is the name of a definition and stays.
fn direction(fields: &mut Fields<'_>, event: Type) -> i32 {
    let names: &[&str] =
        if event == Type::Delivery { &["direction"] } else { &["direction", "route"] };
    for name in names {
        if let Some(id) = fields.peek(name).and_then(|text| words::direction(&text)) {
            fields.take(name);
            return id;
        }
    }
    mail_direction::UNKNOWN
}

/// Attachments: the one that the record is about, or the names that it lists.
fn files<'a>(fields: &mut Fields<'a>) -> Vec<File<'a>> {
    let plain =
        |name| File { name: Some(name), type_id: Some(file_type::REGULAR_FILE), ..File::default() };
    let Some(name) = fields.text("fileName") else {
        let names = fields.text("attachments");
        return names.iter().flat_map(quoted_names).map(plain).collect();
    };
    let mut file = File {
        ext: fields.text("fileExtension"),
        mime_type: fields.text("fileMime").or_else(|| fields.text("fileType")),
        size: number(fields, "sizeAttachment"),
        ..plain(name)
    };
    for (field, digits, algorithm_id) in [
        ("md5", 32, hash_algorithm::MD5),
        ("sha1", 40, hash_algorithm::SHA_1),
        ("sha256", 64, hash_algorithm::SHA_256),
        ("fileHash", 64, hash_algorithm::SHA_256),
    ] {
        let is_hash =
            |text: &str| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if fields.peek(field).is_some_and(|text| is_hash(&text)) {
            file.hashes.push(Fingerprint {
                algorithm_id: Some(algorithm_id),
                value: fields.text(field),
                ..Fingerprint::default()
            });
        }
    }
    vec![file]
}

/// One end of the connection; an address that OCSF does not take for one stays.
pub(super) fn endpoint<'a>(
    fields: &mut Fields<'a>,
    addresses: &[&str],
    host: Option<&str>,
) -> Option<NetworkEndpoint<'a>> {
    let is_ip = |name: &&&str| fields.peek(name).is_some_and(|text| format::is_ip(&text));
    let found = addresses.iter().find(is_ip).copied();
    let ip = found.and_then(|name| fields.text(name));
    let hostname = host.and_then(|name| fields.text(name));
    if ip.is_none() && hostname.is_none() {
        return None;
    }
    Some(NetworkEndpoint { ip, hostname, ..NetworkEndpoint::default() })
}

/// What sender authentication said, out of what the spam filter says. All of it stays, for the rest
/// has no place.
fn authentication<'a>(fields: &Fields<'_>) -> Option<EmailAuth<'a>> {
    let detail = spam_detail(fields);
    let said = |name: &str| {
        let text = detail[name]["info"].as_str().filter(|text| !text.is_empty())?;
        Some(Cow::Owned(text.to_owned()))
    };
    let auth = EmailAuth {
        spf: said("spf"),
        dkim: said("dkim"),
        dmarc: said("dmarc"),
        ..EmailAuth::default()
    };
    let is_any = auth.spf.is_some() || auth.dkim.is_some() || auth.dmarc.is_some();
    is_any.then_some(auth)
}

fn observe<'a>(email: &Email<'a>, observables: &mut Observables<'a>) {
    if let Some(from) = &email.from {
        observables.add("email.from", observable_type::EMAIL_ADDRESS, from.clone());
    }
    if let Some(from) = email.return_path.as_ref().filter(|path| email.from.as_ref() != Some(*path))
    {
        observables.add("email.return_path", observable_type::EMAIL_ADDRESS, from.clone());
    }
    for to in &email.to {
        observables.add("email.to", observable_type::EMAIL_ADDRESS, to.clone());
    }
    if let Some(subject) = &email.subject {
        observables.add("email.subject", observable_type::EMAIL_OBJECT_SUBJECT, subject.clone());
    }
    if let Some(id) = &email.message_uid {
        observables.add("email.message_uid", observable_type::MESSAGE_UID, id.clone());
    }
    for file in &email.files {
        observables.add_file("email.files.name", "email.files.hashes.value", file);
    }
    for link in email.urls.iter().filter_map(|url| url.url_string.as_ref()) {
        observables.add("email.urls.url_string", observable_type::URL_STRING, link.clone());
    }
}
