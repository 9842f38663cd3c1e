//! A record of the corpus, read in one pass with borrowed texts.

use serde::Deserialize;
use sonic_rs::LazyValue;

/// A record.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record<'a> {
    pub(super) event_version: &'a str,
    #[serde(borrow)]
    pub(super) user_identity: Identity<'a>,
    pub(super) event_time: &'a str,
    pub(super) event_source: &'a str,
    pub(super) event_name: &'a str,
    pub(super) aws_region: &'a str,
    #[serde(rename = "sourceIPAddress")]
    pub(super) source_ip_address: &'a str,
    pub(super) user_agent: &'a str,
    #[serde(default)]
    pub(super) error_code: Option<&'a str>,
    #[serde(default)]
    pub(super) error_message: Option<&'a str>,
    #[serde(borrow)]
    pub(super) request_parameters: LazyValue<'a>,
    #[serde(borrow)]
    pub(super) response_elements: LazyValue<'a>,
    #[serde(borrow, default)]
    pub(super) additional_event_data: Option<LazyValue<'a>>,
    #[serde(rename = "requestID")]
    pub(super) request_id: &'a str,
    #[serde(rename = "eventID")]
    pub(super) event_id: &'a str,
    pub(super) read_only: bool,
    #[serde(borrow, default)]
    pub(super) resources: Option<LazyValue<'a>>,
    pub(super) event_type: &'a str,
    pub(super) recipient_account_id: &'a str,
    #[serde(rename = "sharedEventID", default)]
    pub(super) shared_event_id: Option<&'a str>,
    pub(super) event_category: &'a str,
    #[serde(borrow, default)]
    pub(super) tls_details: Option<LazyValue<'a>>,
    #[serde(default)]
    pub(super) session_credential_from_console: Option<&'a str>,
}

/// Who called.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identity<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    #[serde(default)]
    pub(super) principal_id: Option<&'a str>,
    #[serde(default)]
    pub(super) arn: Option<&'a str>,
    #[serde(default)]
    pub(super) account_id: Option<&'a str>,
    #[serde(default)]
    pub(super) access_key_id: Option<&'a str>,
    #[serde(default)]
    pub(super) user_name: Option<&'a str>,
    #[serde(borrow, default)]
    pub(super) session_context: Option<SessionContext<'a>>,
    #[serde(default)]
    pub(super) invoked_by: Option<&'a str>,
}

/// The session of a role.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionContext<'a> {
    #[serde(borrow)]
    pub(super) session_issuer: Issuer<'a>,
    #[serde(borrow)]
    pub(super) attributes: Attributes<'a>,
    #[serde(default)]
    pub(super) ec2_role_delivery: Option<&'a str>,
}

/// The role.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Issuer<'a> {
    pub(super) arn: &'a str,
    pub(super) user_name: &'a str,
}

/// When the session began.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attributes<'a> {
    pub(super) creation_date: &'a str,
    pub(super) mfa_authenticated: &'a str,
}

/// What a call was about.
#[derive(Deserialize)]
pub(super) struct Resource<'a> {
    #[serde(rename = "ARN", alias = "ARNPrefix")]
    pub(super) arn: &'a str,
    #[serde(rename = "accountId", default)]
    pub(super) account_id: Option<&'a str>,
    #[serde(rename = "type", default)]
    pub(super) kind: Option<&'a str>,
}

/// `requestParameters` and `responseElements` of calls that sign in or change an account.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Details<'a> {
    #[serde(default)]
    pub(super) role_arn: Option<&'a str>,
    #[serde(default)]
    pub(super) role_session_name: Option<&'a str>,
    #[serde(default)]
    pub(super) user_name: Option<&'a str>,
    #[serde(default)]
    pub(super) role_name: Option<&'a str>,
    #[serde(default)]
    pub(super) policy_arn: Option<&'a str>,
    #[serde(default)]
    pub(super) policy_name: Option<&'a str>,
    #[serde(borrow, default)]
    pub(super) credentials: Option<Key<'a>>,
    #[serde(borrow, default)]
    pub(super) access_key: Option<Key<'a>>,
    #[serde(borrow, default)]
    pub(super) user: Option<Made<'a>>,
}

/// A key.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Key<'a> {
    pub(super) access_key_id: &'a str,
}

/// A user that was made.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Made<'a> {
    pub(super) arn: &'a str,
    pub(super) user_id: &'a str,
}

/// `additionalEventData` of a sign-in to the console.
#[derive(Deserialize)]
pub(super) struct Console<'a> {
    #[serde(rename = "LoginTo")]
    pub(super) login_to: &'a str,
    #[serde(rename = "MobileVersion")]
    pub(super) mobile_version: &'a str,
    #[serde(rename = "MFAUsed")]
    pub(super) mfa_used: &'a str,
}
