//! The actions: their paths, their names in a task, and the permissions that they need.

use super::access::Area;

/// What can be done to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Isolate,
    RestoreIsolate,
    CollectFile,
    TerminateProcess,
    RunScript,
    MalwareScan,
    Block,
    RestoreBlock,
    QuarantineMessage,
    RestoreMessage,
    DeleteMessage,
    DisableAccount,
    EnableAccount,
    ForceSignOut,
    ResetPassword,
}

/// What an action is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Endpoint,
    Object,
    Mail,
    Account,
}

impl Action {
    /// The action behind `/v3.0/response/FAMILY/STEP`, or `/v3.0/response/FAMILY`.
    pub(super) fn of(family: &str, step: Option<&str>) -> Option<Self> {
        let action = match (family, step) {
            ("endpoints", Some("isolate")) => Self::Isolate,
            ("endpoints", Some("restore")) => Self::RestoreIsolate,
            ("endpoints", Some("collectFile")) => Self::CollectFile,
            ("endpoints", Some("terminateProcess")) => Self::TerminateProcess,
            ("endpoints", Some("runScript")) => Self::RunScript,
            ("endpoints", Some("startMalwareScan")) => Self::MalwareScan,
            ("suspiciousObjects", None) => Self::Block,
            ("suspiciousObjects", Some("delete")) => Self::RestoreBlock,
            ("emails", Some("quarantine")) => Self::QuarantineMessage,
            ("emails", Some("restore")) => Self::RestoreMessage,
            ("emails", Some("delete")) => Self::DeleteMessage,
            ("domainAccounts", Some("disable")) => Self::DisableAccount,
            ("domainAccounts", Some("enable")) => Self::EnableAccount,
            ("domainAccounts", Some("signOut")) => Self::ForceSignOut,
            ("domainAccounts", Some("resetPassword")) => Self::ResetPassword,
            _ => return None,
        };
        Some(action)
    }

    /// The name in a task. The contract has none for a malware scan, and pytmv1 that of a script.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Isolate => "isolate",
            Self::RestoreIsolate => "restoreIsolate",
            Self::CollectFile => "collectFile",
            Self::TerminateProcess => "terminateProcess",
            Self::RunScript => "runCustomScript",
            Self::MalwareScan => "malwareScan",
            Self::Block => "block",
            Self::RestoreBlock => "restoreBlock",
            Self::QuarantineMessage => "quarantineMessage",
            Self::RestoreMessage => "restoreMessage",
            Self::DeleteMessage => "deleteMessage",
            Self::DisableAccount => "disableAccount",
            Self::EnableAccount => "enableAccount",
            Self::ForceSignOut => "forceSignOut",
            Self::ResetPassword => "resetPassword",
        }
    }

    /// The name in a task over several machines, for those actions that have one.
    pub(super) fn name_for_many(self) -> Option<&'static str> {
        match self {
            Self::Isolate => Some("isolateForMultiple"),
            Self::RestoreIsolate => Some("restoreIsolateForMultiple"),
            Self::RunScript => Some("runCustomScriptForMultiple"),
            _ => None,
        }
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Isolate
            | Self::RestoreIsolate
            | Self::CollectFile
            | Self::TerminateProcess
            | Self::RunScript
            | Self::MalwareScan => Kind::Endpoint,
            Self::Block | Self::RestoreBlock => Kind::Object,
            Self::QuarantineMessage | Self::RestoreMessage | Self::DeleteMessage => Kind::Mail,
            Self::DisableAccount
            | Self::EnableAccount
            | Self::ForceSignOut
            | Self::ResetPassword => Kind::Account,
        }
    }

    /// The permissions that a key needs for it, all of them.
    pub(super) fn areas(self) -> &'static [Area] {
        match self {
            Self::Isolate | Self::RestoreIsolate => &[Area::Response, Area::Isolation],
            Self::CollectFile | Self::TerminateProcess | Self::RunScript | Self::MalwareScan => {
                &[Area::Response, Area::EndpointActions]
            }
            Self::Block | Self::RestoreBlock => {
                &[Area::Response, Area::BlockList, Area::SuspiciousObjects]
            }
            Self::QuarantineMessage | Self::RestoreMessage => &[Area::Response, Area::MailActions],
            Self::DeleteMessage => &[Area::Response, Area::MailDeletion],
            Self::DisableAccount
            | Self::EnableAccount
            | Self::ForceSignOut
            | Self::ResetPassword => &[Area::Response, Area::AccountActions],
        }
    }
}
