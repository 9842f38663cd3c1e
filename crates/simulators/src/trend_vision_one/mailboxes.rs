//! The mail that the product protects: a few fixed messages, some of them in several mailboxes.

/// The organisation that every mailbox belongs to.
pub(super) const ORGANIZATION: &str = "0f7c2a52-7a0e-4c0f-9d7a-1f6c2b6f9a11";

/// One message in one mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mail {
    /// The same in every mailbox that has it; the angle brackets belong to it.
    pub(super) message_id: &'static str,
    /// This copy's own.
    pub(super) unique_id: &'static str,
    pub(super) mailbox: &'static str,
    pub(super) subject: &'static str,
    pub(super) sender: &'static str,
    pub(super) link: &'static str,
}

const fn mail(
    message_id: &'static str,
    unique_id: &'static str,
    mailbox: &'static str,
    subject: &'static str,
    sender: &'static str,
    link: &'static str,
) -> Mail {
    Mail { message_id, unique_id, mailbox, subject, sender, link }
}

/// All copies; a copy's place is its number.
#[rustfmt::skip]
pub(super) const MAILS: &[Mail] = &[
    mail("<invoice-4711@mx.bad.example>", "AAMkAD-4711-01", "haruka.mori@tarn.example", "Rechnung 4711", "billing@lookalike.example", "http://cdn.bad.example/a.ps1"),
    mail("<invoice-4711@mx.bad.example>", "AAMkAD-4711-02", "lena.fischer@tarn.example", "Rechnung 4711", "billing@lookalike.example", "http://cdn.bad.example/a.ps1"),
    mail("<invoice-4711@mx.bad.example>", "AAMkAD-4711-03", "keiri@tarn.example", "Rechnung 4711", "billing@lookalike.example", "http://cdn.bad.example/a.ps1"),
    mail("<parcel-0815@mx.bad.example>", "AAMkAD-0815-01", "rafael.duarte@tarn.example", "Your parcel", "no-reply@parcel.example", "http://203.0.113.66/i"),
    mail("<parcel-0815@mx.bad.example>", "AAMkAD-0815-02", "o'neil@tarn.example", "Your parcel", "no-reply@parcel.example", "http://203.0.113.66/i"),
    mail("<payroll-2203@mx.bad.example>", "AAMkAD-2203-01", "lena.fischer@tarn.example", "Payroll change", "ceo.office@bad.example", "https://login.lookalike.example/o365?id=77"),
    mail("<wire-77@mx.bad.example>", "AAMkAD-0077-01", "keiri@tarn.example", "至急 振込のお願い", "ceo.office@bad.example", "https://login.lookalike.example/o365?id=77"),
    mail("<news-9@list.storage.example>", "AAMkAD-0009-01", "haruka.mori@tarn.example", "News of the week", "news@storage.example", "https://storage.example/news"),
];

/// One of the copies in a mailbox.
pub(super) fn one_in(mailbox: &str, choice: u64) -> Option<&'static Mail> {
    let here: Vec<&Mail> = MAILS.iter().filter(|mail| mail.mailbox == mailbox).collect();
    let count = u64::try_from(here.len()).ok().filter(|count| *count > 0)?;
    usize::try_from(choice % count).ok().and_then(|place| here.get(place).copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trend_vision_one::vocabulary;

    #[test]
    fn every_mailbox_has_mail_and_copies_have_ids_of_their_own() {
        for mailbox in vocabulary::MAILBOXES {
            assert!(one_in(mailbox, 5).is_some_and(|mail| mail.mailbox == *mailbox), "{mailbox}");
        }
        assert_eq!(one_in("nobody@tarn.example", 0), None);
        let unique: std::collections::BTreeSet<_> =
            MAILS.iter().map(|mail| mail.unique_id).collect();
        assert_eq!(unique.len(), MAILS.len());
    }
}
