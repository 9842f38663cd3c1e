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
    pub(super) resources: Vec<Resource<'a>>,
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
