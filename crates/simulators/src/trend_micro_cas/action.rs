//! The words of mitigation: kinds of action, actions, services, and one element of a request.

/// What an action is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mails,
    Accounts,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Mails => "mails",
            Self::Accounts => "accounts",
        }
    }
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    DeleteMail,
    QuarantineMail,
    RestoreMail,
    DisableAccount,
    EnableMfa,
    ResetPassword,
    RevokeSessions,
}

const ACTIONS: [(Kind, &str, Action); 7] = [
    (Kind::Mails, "MAIL_DELETE", Action::DeleteMail),
    (Kind::Mails, "MAIL_QUARANTINE", Action::QuarantineMail),
    (Kind::Mails, "MAIL_RESTORE", Action::RestoreMail),
    (Kind::Accounts, "ACCOUNT_DISABLE", Action::DisableAccount),
    (Kind::Accounts, "ACCOUNT_ENABLE_MFA", Action::EnableMfa),
    (Kind::Accounts, "ACCOUNT_RESET_PASSWORD", Action::ResetPassword),
    (Kind::Accounts, "ACCOUNT_REVOKE_SIGNIN_SESSIONS", Action::RevokeSessions),
];

impl Action {
    /// The action of a kind with this `action_type`.
    pub(super) fn named(kind: Kind, name: &str) -> Option<Self> {
        let found = ACTIONS.iter().find(|(of, listed, _)| *of == kind && *listed == name)?;
        Some(found.2)
    }

    pub(super) fn name(self) -> &'static str {
        ACTIONS.iter().find(|(.., action)| *action == self).map_or("", |(_, name, _)| name)
    }
}

/// Where mailboxes and accounts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Exchange,
    Gmail,
}

impl Service {
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Exchange, Self::Gmail].into_iter().find(|service| service.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::Gmail => "gmail",
        }
    }

    /// The `account_provider` that goes with it.
    pub(super) fn provider(self) -> &'static str {
        match self {
            Self::Exchange => "office365",
            Self::Gmail => "google",
        }
    }
}

/// Whom or what an action is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Mail {
        mailbox: String,
        message_id: Option<String>,
        unique_id: Option<String>,
        delivery_ms: i64,
    },
    Account(String),
}

/// One checked element of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) action: Action,
    pub(super) service: Service,
    pub(super) target: Target,
}

impl Item {
    /// The mailbox or account.
    pub(super) fn address(&self) -> &str {
        match &self.target {
            Target::Mail { mailbox, .. } => mailbox,
            Target::Account(address) => address,
        }
    }

    /// Whether a list of lower-case names has its address or one of its ids.
    pub(super) fn is_named_in(&self, names: &[String]) -> bool {
        let is_listed = |name: &str| names.contains(&name.to_lowercase());
        let ids = match &self.target {
            Target::Mail { message_id, unique_id, .. } => {
                [message_id, unique_id].map(Option::as_deref)
            }
            Target::Account(_) => [None, None],
        };
        is_listed(self.address()) || ids.into_iter().flatten().any(is_listed)
    }

    /// Whether the vendor does such a thing there: Gmail deletes mails, and nothing else.
    pub(super) fn is_supported(&self) -> bool {
        self.service == Service::Exchange || self.action == Action::DeleteMail
    }

    /// Whether the tenant has no such mailbox or account: `ghost…@…`.
    pub(super) fn is_ghost(&self) -> bool {
        self.address().to_lowercase().starts_with("ghost")
    }
}
