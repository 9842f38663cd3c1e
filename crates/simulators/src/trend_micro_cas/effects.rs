//! What actions have changed: mails and accounts, as the protected services now have them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::action::{Action, Item, Service, Target};
use super::mails::Mails;

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Success,
    /// It was so already.
    Skipped,
    Failed,
}

/// Where a mail is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Delivered,
    Deleted,
    Quarantined,
}

/// A mail that an action has changed.
#[derive(Debug)]
struct ChangedMail {
    mailbox: String,
    message_id: String,
    service: Service,
    place: Place,
    /// How many actions changed it.
    effects: u64,
}

/// An account that an action has changed.
#[derive(Debug, Clone, Default)]
struct ChangedAccount {
    disabled: bool,
    mfa_enabled: bool,
    password_resets: u64,
    sessions_revoked: u64,
}

/// Everything that actions have changed.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// By unique id.
    mails: BTreeMap<String, ChangedMail>,
    /// By address, lower case.
    accounts: BTreeMap<String, ChangedAccount>,
}

impl Effects {
    /// Does what an action asks for; nothing changes unless it succeeds.
    pub(super) fn apply(&mut self, item: &Item, mails: &Mails) -> Outcome {
        if item.is_ghost() || !item.is_supported() {
            return Outcome::Failed;
        }
        match &item.target {
            Target::Mail { .. } => self.change_mail(item, mails),
            Target::Account(address) => self.change_account(item.action, address),
        }
    }

    fn change_mail(&mut self, item: &Item, mails: &Mails) -> Outcome {
        let Some(mail) = mails.find(item.service, &item.target) else { return Outcome::Failed };
        let place =
            self.mails.get(&mail.unique_id).map_or_else(Place::default, |changed| changed.place);
        let next = match (item.action, place) {
            (Action::DeleteMail, Place::Delivered | Place::Quarantined) => Place::Deleted,
            (Action::QuarantineMail, Place::Delivered) => Place::Quarantined,
            (Action::RestoreMail, Place::Quarantined) => Place::Delivered,
            (Action::RestoreMail, Place::Deleted) => return Outcome::Failed,
            _ => return Outcome::Skipped,
        };
        let changed = self.mails.entry(mail.unique_id.clone()).or_insert_with(|| ChangedMail {
            mailbox: mail.mailbox.clone(),
            message_id: mail.message.id.clone(),
            service: mail.message.service,
            place,
            effects: 0,
        });
        changed.place = next;
        changed.effects += 1;
        Outcome::Success
    }

    fn change_account(&mut self, action: Action, address: &str) -> Outcome {
        let account = self.accounts.entry(address.to_lowercase()).or_default();
        match action {
            Action::DisableAccount if !account.disabled => account.disabled = true,
            Action::EnableMfa if !account.mfa_enabled => account.mfa_enabled = true,
            Action::ResetPassword => account.password_resets += 1,
            Action::RevokeSessions => account.sessions_revoked += 1,
            _ => return Outcome::Skipped,
        }
        Outcome::Success
    }

    /// The changed mails, by unique id.
    pub(super) fn mails(&self) -> Value {
        let shown = |(unique_id, mail): (&String, &ChangedMail)| {
            let state = match mail.place {
                Place::Delivered => "delivered",
                Place::Deleted => "deleted",
                Place::Quarantined => "quarantined",
            };
            json!({
                "mailbox": mail.mailbox,
                "mail_message_id": mail.message_id,
                "mail_unique_id": unique_id,
                "service": mail.service.name(),
                "state": state,
                "effects": mail.effects,
            })
        };
        self.mails.iter().map(shown).collect()
    }

    /// The changed accounts, by address.
    pub(super) fn accounts(&self) -> Value {
        let shown = |(address, account): (&String, &ChangedAccount)| {
            json!({
                "account_user_email": address,
                "disabled": account.disabled,
                "mfa_enabled": account.mfa_enabled,
                "password_resets": account.password_resets,
                "sessions_revoked": account.sessions_revoked,
            })
        };
        self.accounts.iter().map(shown).collect()
    }
}
