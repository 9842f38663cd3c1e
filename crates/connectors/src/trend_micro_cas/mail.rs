//! Mail records: Email Activity, activity Scan.

use std::borrow::Cow;

use model::ocsf::objects::{Email, Url};
use model::ocsf::values::{email_activity, mail_direction, observable_type};
use model::ocsf::{Event, format};

use super::decode::Fields;
use super::identify::Levels;
use super::normalise::{Common, Observables, event, named_file, plain_file};
use super::{text, words};

const SENDER: &str = "mail_message_sender";
const RECIPIENT: &str = "mail_message_recipient";
const USER: &str = "affected_user";

/// Addresses that OCSF takes for some, and the other texts.
#[derive(Debug, Default)]
pub(super) struct Addresses<'a> {
    pub(super) plain: Vec<Cow<'a, str>>,
    pub(super) other: Vec<Cow<'a, str>>,
}

impl<'a> Addresses<'a> {
    /// Takes a field that holds addresses in any form. An address with a display name counts as
    /// both: the address, and the text as written.
    pub(super) fn take(message: &mut Fields<'a>, name: &str) -> Self {
        Self::of(message.texts(name))
    }

    fn of(texts: Vec<Cow<'a, str>>) -> Self {
        let mut found = Self::default();
        for text in texts {
            match split(&text) {
                Some(parts) => parts.into_iter().for_each(|part| found.add(part)),
                None => found.add(text),
            }
        }
        found
    }

    fn add(&mut self, text: Cow<'a, str>) {
        if format::is_email(&text) {
            self.plain.push(text);
            return;
        }
        let bracketed = text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>'));
        if let Some((address, _)) = bracketed.filter(|(address, _)| format::is_email(address)) {
            self.plain.push(Cow::Owned(address.to_owned()));
        }
        self.other.push(text);
    }
}

/// Several addresses in one text. A comma in a display name separates nothing: every part must look
/// like an address.
fn split<'a>(text: &str) -> Option<Vec<Cow<'a, str>>> {
    let parts: Vec<_> =
        text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()).collect();
    let is_list = parts.len() > 1 && parts.iter().all(|part| part.contains('@'));
    is_list.then(|| parts.into_iter().map(|part| Cow::Owned(part.to_owned())).collect())
}

/// Whether a record of an unknown service is about mail.
pub(super) fn has_mail_fields(message: &Fields<'_>) -> bool {
    [SENDER, RECIPIENT, "mail_message_id", "mail_message_subject"]
        .into_iter()
        .any(|name| message.json(name).is_some())
}

/// Whether the class's demand can be met: a sender, a recipient or a mailbox that is an address.
pub(super) fn fits(message: &Fields<'_>) -> bool {
    let has_address = |name: &str| {
        let texts = message.json(name).and_then(text::list).unwrap_or_default();
        !Addresses::of(texts).plain.is_empty()
    };
    has_address(SENDER) || has_address(RECIPIENT) || mailbox(message).is_some()
}

/// The mailbox concerned, when it is an address.
fn mailbox<'a>(message: &Fields<'a>) -> Option<Cow<'a, str>> {
    message.peek(USER).filter(|user| format::is_email(user))
}

/// The event of a mail record.
pub(super) fn event<'a>(mut record: Levels<'a>, mut common: Common<'a>) -> Event<'a> {
    let message = &mut record.message;
    let mut email = addressed(message);
    email.subject = message.text("mail_message_subject");
    email.message_uid = message.text("mail_message_id");
    let mut names = message.texts("mail_message_file_name");
    if names.len() == 1 {
        email.files.extend(names.pop().map(|name| named_file(name, message)));
    } else {
        // With several attachments nobody knows which one the hash belongs to.
        email.files.extend(names.into_iter().map(plain_file));
    }
    if let Some(link) = common.control.risk_details.take_if(|details| words::is_link(details)) {
        email.urls.push(Url { url_string: Some(link), ..Url::default() });
    }
    observe(&email, &mut common.observables);
    if common.control.status_detail.is_some() {
        message.keep("action_result");
    }
    common.control.status_detail = Some(Cow::Borrowed(common.control.delivery));
    event!(EmailActivity, record, common, {
        activity_id: Some(email_activity::SCAN),
        direction_id: Some(mail_direction::UNKNOWN),
        email: Some(email.into()),
    })
}

/// Sender, recipients and the mailbox.
fn addressed<'a>(message: &mut Fields<'a>) -> Email<'a> {
    let senders = Addresses::take(message, SENDER);
    let recipients = Addresses::take(message, RECIPIENT);
    let mut email = Email {
        from: senders.plain.first().cloned(),
        from_mailbox: joined(senders.other),
        to: recipients.plain,
        to_mailboxes: recipients.other,
        ..Email::default()
    };
    if senders.plain.len() > 1 {
        email.from_list = senders.plain;
    }
    let sent_it =
        |user: &str| email.from.as_ref().is_some_and(|from| from.eq_ignore_ascii_case(user));
    // The mailbox received the message or sent it; the sender's own mailbox says nothing new.
    let mailbox = mailbox(message).filter(|user| !sent_it(user));
    if let Some(mailbox) = mailbox {
        message.take(USER);
        if email.from.is_none() && email.to.is_empty() {
            email.to.push(mailbox.clone());
        }
        email.delivered_to_list.push(mailbox);
    }
    email
}

fn joined(texts: Vec<Cow<'_, str>>) -> Option<Cow<'_, str>> {
    let mut texts = texts.into_iter();
    let first = texts.next()?;
    Some(texts.fold(first, |all, text| Cow::Owned(format!("{all}, {text}"))))
}

fn observe<'a>(email: &Email<'a>, observables: &mut Observables<'a>) {
    if let Some(from) = &email.from {
        observables.add("email.from", observable_type::EMAIL_ADDRESS, from.clone());
    }
    for to in &email.to {
        observables.add("email.to", observable_type::EMAIL_ADDRESS, to.clone());
    }
    for mailbox in email.delivered_to_list.iter().filter(|mailbox| !email.to.contains(mailbox)) {
        observables.add("email.delivered_to_list", observable_type::EMAIL_ADDRESS, mailbox.clone());
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
