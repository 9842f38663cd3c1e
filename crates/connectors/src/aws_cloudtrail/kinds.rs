//! Which calls are sign-ins and which change an account; all others are API Activity.
//!
//! A name counts only together with its service: Cognito, ElastiCache and others have users of their own.

use model::ocsf::values::{account_change as change, auth_protocol, authentication as logon};

/// What a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Somebody signs in, or takes on a role.
    SignIn(SignIn),
    /// An account is changed.
    Change(Change),
    /// Anything else.
    Call,
}

/// A sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SignIn {
    pub(super) activity_id: i32,
    pub(super) protocol_id: Option<i32>,
    /// Whether the caller becomes somebody else: the role that the request names.
    pub(super) assumes_role: bool,
}

/// A change of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) activity_id: i32,
    pub(super) target: Target,
}

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// An IAM user: the one that the request names, else the caller.
    User,
    Role,
    Group,
    InstanceProfile,
    /// The AWS account itself.
    Account,
    /// Whoever signs in.
    Caller,
}

/// The kind of a call by its service, such as `iam.amazonaws.com`, and its name.
pub(super) fn kind(service: &str, operation: &str) -> Kind {
    let service = service.split_once('.').map_or(service, |(name, _)| name);
    match service {
        "iam" => iam(operation).map_or(Kind::Call, Kind::Change),
        "sts" => assumed(operation).map_or(Kind::Call, Kind::SignIn),
        "signin" => signed_in(operation),
        _ => Kind::Call,
    }
}

fn assumed(operation: &str) -> Option<SignIn> {
    let protocol_id = match operation {
        "AssumeRole" | "AssumeRoot" => None,
        "AssumeRoleWithSAML" => Some(auth_protocol::SAML),
        "AssumeRoleWithWebIdentity" => Some(auth_protocol::OPENID),
        _ => return None,
    };
    Some(SignIn { activity_id: logon::LOGON, protocol_id, assumes_role: true })
}

fn signed_in(operation: &str) -> Kind {
    let sign_in =
        |activity_id| Kind::SignIn(SignIn { activity_id, protocol_id: None, assumes_role: false });
    let change = |activity_id| Kind::Change(Change { activity_id, target: Target::Caller });
    match operation {
        "ConsoleLogin" | "ExternalIdPDirectoryLogin" => sign_in(logon::LOGON),
        "SwitchRole" => sign_in(logon::ACCOUNT_SWITCH),
        "CheckMfa" | "CredentialChallenge" | "CredentialVerification" | "UserAuthentication" => {
            sign_in(logon::OTHER)
        }
        "PasswordUpdated" => change(change::PASSWORD_CHANGE),
        "PasswordRecoveryCompleted" => change(change::PASSWORD_RESET),
        "PasswordRecoveryRequested" | "EmailUpdated" | "AccountNameUpdated" => {
            change(change::OTHER)
        }
        _ => Kind::Call,
    }
}

fn iam(operation: &str) -> Option<Change> {
    let target = match operation {
        "CreateUser"
        | "DeleteUser"
        | "UpdateUser"
        | "TagUser"
        | "UntagUser"
        | "AttachUserPolicy"
        | "DetachUserPolicy"
        | "PutUserPolicy"
        | "DeleteUserPolicy"
        | "PutUserPermissionsBoundary"
        | "DeleteUserPermissionsBoundary"
        | "AddUserToGroup"
        | "RemoveUserFromGroup"
        | "ChangePassword"
        | "CreateLoginProfile"
        | "UpdateLoginProfile"
        | "DeleteLoginProfile"
        | "CreateAccessKey"
        | "UpdateAccessKey"
        | "DeleteAccessKey"
        | "EnableMFADevice"
        | "DeactivateMFADevice"
        | "ResyncMFADevice"
        | "UploadSSHPublicKey"
        | "UpdateSSHPublicKey"
        | "DeleteSSHPublicKey"
        | "CreateServiceSpecificCredential"
        | "UpdateServiceSpecificCredential"
        | "DeleteServiceSpecificCredential"
        | "ResetServiceSpecificCredential"
        | "UploadSigningCertificate"
        | "UpdateSigningCertificate"
        | "DeleteSigningCertificate" => Target::User,
        "CreateRole"
        | "DeleteRole"
        | "UpdateRole"
        | "UpdateRoleDescription"
        | "UpdateAssumeRolePolicy"
        | "CreateServiceLinkedRole"
        | "DeleteServiceLinkedRole"
        | "TagRole"
        | "UntagRole"
        | "AttachRolePolicy"
        | "DetachRolePolicy"
        | "PutRolePolicy"
        | "DeleteRolePolicy"
        | "PutRolePermissionsBoundary"
        | "DeleteRolePermissionsBoundary"
        | "AddRoleToInstanceProfile"
        | "RemoveRoleFromInstanceProfile" => Target::Role,
        "CreateGroup" | "DeleteGroup" | "UpdateGroup" | "AttachGroupPolicy"
        | "DetachGroupPolicy" | "PutGroupPolicy" | "DeleteGroupPolicy" => Target::Group,
        "CreateInstanceProfile"
        | "DeleteInstanceProfile"
        | "TagInstanceProfile"
        | "UntagInstanceProfile" => Target::InstanceProfile,
        "CreateAccountAlias"
        | "DeleteAccountAlias"
        | "UpdateAccountPasswordPolicy"
        | "DeleteAccountPasswordPolicy" => Target::Account,
        _ => return None,
    };
    Some(Change { activity_id: activity(operation), target })
}

/// What a change of IAM does. Keys, certificates, tags and memberships have no activity of their own.
fn activity(operation: &str) -> i32 {
    match operation {
        "CreateUser"
        | "CreateRole"
        | "CreateServiceLinkedRole"
        | "CreateGroup"
        | "CreateInstanceProfile" => change::CREATE,
        "DeleteUser"
        | "DeleteRole"
        | "DeleteServiceLinkedRole"
        | "DeleteGroup"
        | "DeleteInstanceProfile" => change::DELETE,
        "ChangePassword" => change::PASSWORD_CHANGE,
        "UpdateLoginProfile" => change::PASSWORD_RESET,
        "EnableMFADevice" => change::MFA_FACTOR_ENABLE,
        "DeactivateMFADevice" => change::MFA_FACTOR_DISABLE,
        "AttachUserPolicy"
        | "AttachRolePolicy"
        | "AttachGroupPolicy"
        | "PutUserPolicy"
        | "PutRolePolicy"
        | "PutGroupPolicy"
        | "PutUserPermissionsBoundary"
        | "PutRolePermissionsBoundary" => change::ATTACH_POLICY,
        "DetachUserPolicy"
        | "DetachRolePolicy"
        | "DetachGroupPolicy"
        | "DeleteUserPolicy"
        | "DeleteRolePolicy"
        | "DeleteGroupPolicy"
        | "DeleteUserPermissionsBoundary"
        | "DeleteRolePermissionsBoundary" => change::DETACH_POLICY,
        _ => change::OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(operation: &str) -> Option<(i32, Target)> {
        match kind("iam.amazonaws.com", operation) {
            Kind::Change(change) => Some((change.activity_id, change.target)),
            _ => None,
        }
    }

    #[test]
    fn changes_of_accounts_are_told_by_service_and_name() {
        for (operation, activity, target) in [
            ("CreateUser", change::CREATE, Target::User),
            ("DeleteRole", change::DELETE, Target::Role),
            ("CreateGroup", change::CREATE, Target::Group),
            ("DeleteInstanceProfile", change::DELETE, Target::InstanceProfile),
            ("PutRolePolicy", change::ATTACH_POLICY, Target::Role),
            ("DeleteUserPermissionsBoundary", change::DETACH_POLICY, Target::User),
            ("ChangePassword", change::PASSWORD_CHANGE, Target::User),
            ("UpdateLoginProfile", change::PASSWORD_RESET, Target::User),
            ("EnableMFADevice", change::MFA_FACTOR_ENABLE, Target::User),
            ("DeactivateMFADevice", change::MFA_FACTOR_DISABLE, Target::User),
            ("CreateAccessKey", change::OTHER, Target::User),
            ("UpdateAccountPasswordPolicy", change::OTHER, Target::Account),
        ] {
            assert_eq!(change(operation), Some((activity, target)), "{operation}");
        }
        // A policy of its own is nobody's account, and reading changes nothing.
        assert_eq!((change("CreatePolicy"), change("GetUser")), (None, None));
        assert_eq!(kind("cognito-idp.amazonaws.com", "CreateUser"), Kind::Call);
        assert_eq!(kind("elasticache.amazonaws.com", "DeleteUser"), Kind::Call);
    }

    #[test]
    fn sign_ins_are_told_by_service_and_name() {
        let sign_in = |service, operation| match kind(service, operation) {
            Kind::SignIn(SignIn { activity_id, protocol_id, assumes_role }) => {
                Some((activity_id, protocol_id, assumes_role))
            }
            _ => None,
        };
        for (service, operation, expected) in [
            ("signin.amazonaws.com", "ConsoleLogin", (logon::LOGON, None, false)),
            ("signin.amazonaws.com", "ExternalIdPDirectoryLogin", (logon::LOGON, None, false)),
            ("signin.amazonaws.com", "SwitchRole", (logon::ACCOUNT_SWITCH, None, false)),
            ("signin.amazonaws.com", "CheckMfa", (logon::OTHER, None, false)),
            ("signin.amazonaws.com", "UserAuthentication", (logon::OTHER, None, false)),
            ("sts.amazonaws.com", "AssumeRole", (logon::LOGON, None, true)),
            (
                "sts.amazonaws.com.cn",
                "AssumeRoleWithSAML",
                (logon::LOGON, Some(auth_protocol::SAML), true),
            ),
            (
                "sts.amazonaws.com",
                "AssumeRoleWithWebIdentity",
                (logon::LOGON, Some(auth_protocol::OPENID), true),
            ),
        ] {
            assert_eq!(sign_in(service, operation), Some(expected), "{operation}");
        }
        assert_eq!(sign_in("sts.amazonaws.com", "GetCallerIdentity"), None);
        assert!(matches!(
            kind("signin.amazonaws.com", "PasswordUpdated"),
            Kind::Change(Change { activity_id: change::PASSWORD_CHANGE, target: Target::Caller })
        ));
    }
}
