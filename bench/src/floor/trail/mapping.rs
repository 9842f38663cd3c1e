//! From a record to a row, for records as the corpus has them: what the product writes into each
//! column, with no care for anything that AWS might send instead.

use anyhow::{Context as _, Result};
use model::identity::Uid;
use model::ids::TenantId;
use model::ocsf::Class;
use sonic_rs::LazyValue;

use super::super::column::Column as _;
use super::record::{Console, Details, Identity, Record, Resource as RecordResource};
use super::row::{
    Account, Actor, Api, Cloud, Credential, Endpoint, Feature, HttpRequest, Metadata, Policy,
    Product, Request, Resource, Response, Row, RowColumns, Session, User,
};
use super::seconds;
use crate::source::START;

const SOURCE: &str = "aws_cloudtrail.records";
const NOTHING: &str = "null";

/// What stands on every row and in no record.
pub(super) struct Origin {
    tenant: TenantId,
    connector_uid: String,
}

impl Origin {
    pub(super) fn new(tenant: &TenantId) -> Self {
        Self { tenant: tenant.clone(), connector_uid: uuid::Uuid::nil().to_string() }
    }
}

/// What a record becomes.
pub(super) fn class(record: &Record<'_>) -> Class {
    match (record.event_source, record.event_name) {
        ("sts.amazonaws.com", name) if name.starts_with("AssumeRole") => Class::Authentication,
        ("signin.amazonaws.com", _) => Class::Authentication,
        ("iam.amazonaws.com", _) if !record.read_only => Class::AccountChange,
        _ => Class::ApiActivity,
    }
}

/// Puts a record into the columns of its class.
pub(super) fn put(
    class: Class,
    record: &Record<'_>,
    raw: &str,
    time: i64,
    origin: &Origin,
    columns: &mut RowColumns,
) -> Result<()> {
    let key = format!("{}\n{}", record.recipient_account_id, record.event_id);
    let uid = Uid::of(&origin.tenant, SOURCE, key.as_bytes()).to_string();
    let own = Row {
        tenant: Some(origin.tenant.as_str()),
        time: Some(time),
        uid: Some(&uid),
        source: Some(SOURCE),
        connector_uid: Some(&origin.connector_uid),
        connector_name: Some("import"),
        ingest_time: Some(START.as_micros()),
        raw_data: Some(raw),
        ..Row::default()
    };
    match class {
        Class::Authentication => sign_in(record, own, columns),
        Class::AccountChange => change(record, own, columns),
        _ => call(record, own, columns),
    }
}

fn call(record: &Record<'_>, own: Row<'_>, columns: &mut RowColumns) -> Result<()> {
    let (activity_id, activity_name) = activity(record.event_name, record.read_only);
    let items: Vec<RecordResource<'_>> = match &record.resources {
        Some(resources) => sonic_rs::from_str(resources.as_raw_str())?,
        None => Vec::new(),
    };
    let resources: Vec<Resource<'_>> = items.iter().map(resource).collect();
    let row = Row {
        activity_id: Some(activity_id),
        activity_name: Some(activity_name),
        resources: Some(&resources),
        ..own
    };
    finish(Class::ApiActivity, record, row, &unmapped(record, false, None), columns);
    Ok(())
}

/// Somebody signs in to the console, or takes on a role.
fn sign_in(record: &Record<'_>, own: Row<'_>, columns: &mut RowColumns) -> Result<()> {
    let row = Row {
        activity_id: Some(1),
        activity_name: Some("Logon"),
        service: Some(Feature { name: Some(record.event_source) }),
        ..own
    };
    if record.event_source == "signin.amazonaws.com" {
        let additional = record.additional_event_data.as_ref().context("a sign-in without data")?;
        let console: Console<'_> = sonic_rs::from_str(additional.as_raw_str())?;
        let row = Row {
            user: user(&record.user_identity, &[]),
            is_mfa: Some(console.mfa_used == "Yes"),
            dst_endpoint: Some(Endpoint {
                svc_name: Some(console.login_to),
                ..Endpoint::default()
            }),
            ..row
        };
        let rest = format!("{{\"MobileVersion\":\"{}\"}}", console.mobile_version);
        finish(Class::Authentication, record, row, &unmapped(record, true, Some(&rest)), columns);
        return Ok(());
    }
    let request: Details<'_> = sonic_rs::from_str(record.request_parameters.as_raw_str())?;
    let response = details(&record.response_elements)?;
    let is_web = record.event_name == "AssumeRoleWithWebIdentity";
    let role = request.role_arn.context("a role without a name")?;
    let row = Row {
        user: Some(User {
            name: role.rsplit('/').next(),
            uid: Some(role),
            type_id: Some(99),
            kind: Some("Role"),
            account: role.split(':').nth(4).map(account),
            ..User::default()
        }),
        session: Some(Session {
            uid: request.role_session_name,
            issuer: Some(role),
            credential_uid: response.credentials.map(|key| key.access_key_id),
            ..Session::default()
        }),
        auth_protocol_id: is_web.then_some(4),
        auth_protocol: is_web.then_some("OpenID"),
        ..row
    };
    finish(Class::Authentication, record, row, &unmapped(record, true, None), columns);
    Ok(())
}

/// An account is changed.
fn change(record: &Record<'_>, own: Row<'_>, columns: &mut RowColumns) -> Result<()> {
    let request: Details<'_> = sonic_rs::from_str(record.request_parameters.as_raw_str())?;
    let response = details(&record.response_elements)?;
    let (activity_id, activity_name) = match record.event_name {
        "CreateUser" => (1, "Create"),
        "DeleteUser" => (6, "Delete"),
        "AttachRolePolicy" | "PutUserPolicy" => (7, "Attach Policy"),
        other => (99, other),
    };
    let key = response.access_key.map(|key| Credential { uid: Some(key.access_key_id) });
    let of_arn = || request.policy_arn.and_then(|arn| arn.rsplit('/').next());
    let name = request.policy_name.or_else(of_arn);
    let policy = name.map(|name| Policy { name: Some(name), uid: request.policy_arn });
    let row = Row {
        activity_id: Some(activity_id),
        activity_name: Some(activity_name),
        user: Some(User {
            name: request.user_name.or(request.role_name),
            uid: response.user.as_ref().map(|user| user.arn),
            uid_alt: response.user.as_ref().map(|user| user.user_id),
            type_id: Some(99),
            kind: Some(if request.role_name.is_some() { "Role" } else { "User" }),
            account: Some(account(record.recipient_account_id)),
            programmatic_credentials: Some(key.as_slice()),
        }),
        policies: Some(policy.as_slice()),
        ..own
    };
    finish(Class::AccountChange, record, row, &unmapped(record, false, None), columns);
    Ok(())
}

fn details<'v>(json: &'v LazyValue<'_>) -> Result<Details<'v>> {
    let json = json.as_raw_str();
    Ok(if json == NOTHING { Details::default() } else { sonic_rs::from_str(json)? })
}

/// Fills what all classes say alike, and puts the row.
fn finish(
    class: Class,
    record: &Record<'_>,
    row: Row<'_>,
    unmapped: &str,
    columns: &mut RowColumns,
) {
    let activity = (row.activity_id.unwrap_or(0), row.activity_name.unwrap_or_default());
    let type_name = format!("{}: {}", class.title(), activity.1);
    let has_failed = record.error_code.is_some();
    let credentials = record.user_identity.access_key_id.map(|uid| Credential { uid: Some(uid) });
    columns.put(Row {
        category_uid: Some(class.category_uid()),
        category_name: Some(class.category_name()),
        class_uid: Some(class.uid()),
        class_name: Some(class.title()),
        type_uid: Some(i64::from(class.uid() * 100 + activity.0)),
        type_name: Some(&type_name),
        severity_id: Some(1),
        severity: Some("Informational"),
        status_id: Some(if has_failed { 2 } else { 1 }),
        status: Some(if has_failed { "Failure" } else { "Success" }),
        status_code: record.error_code,
        status_detail: record.error_message,
        metadata: Some(Metadata {
            version: Some(model::ocsf::VERSION),
            product: Some(Product {
                name: Some("CloudTrail"),
                vendor_name: Some("AWS"),
                version: Some(record.event_version),
                feature: Some(Feature { name: Some(record.event_category) }),
            }),
            uid: Some(record.event_id),
            event_code: Some(record.event_type),
            profiles: Some(&["cloud"]),
        }),
        unmapped: Some(unmapped),
        api: Some(api(record)),
        src_endpoint: Some(endpoint(record.source_ip_address)),
        http_request: Some(HttpRequest { user_agent: Some(record.user_agent) }),
        actor: Some(actor(&record.user_identity, credentials.as_slice())),
        cloud: Some(Cloud {
            provider: Some("AWS"),
            region: Some(record.aws_region),
            account: Some(account(record.recipient_account_id)),
        }),
        ..row
    });
}

fn activity(name: &str, is_read_only: bool) -> (i32, &str) {
    const VERBS: [(&str, i32, &str); 22] = [
        ("Get", 2, "Read"),
        ("Describe", 2, "Read"),
        ("List", 2, "Read"),
        ("Put", 3, "Update"),
        ("Create", 1, "Create"),
        ("Update", 3, "Update"),
        ("Delete", 4, "Delete"),
        ("Attach", 3, "Update"),
        ("Authorize", 3, "Update"),
        ("BatchGet", 2, "Read"),
        ("Generate", 1, "Create"),
        ("Lookup", 2, "Read"),
        ("Run", 1, "Create"),
        ("Search", 2, "Read"),
        ("Start", 3, "Update"),
        ("Stop", 3, "Update"),
        ("Tag", 3, "Update"),
        ("Terminate", 4, "Delete"),
        ("Add", 3, "Update"),
        ("Remove", 3, "Update"),
        ("Modify", 3, "Update"),
        ("Register", 1, "Create"),
    ];
    let found = VERBS.iter().find(|(verb, ..)| name.starts_with(verb));
    match found {
        Some((_, id, caption)) => (*id, *caption),
        None if is_read_only => (2, "Read"),
        None => (99, name),
    }
}

fn api<'v>(record: &'v Record<'_>) -> Api<'v> {
    let says = |json: &'v str| (json != NOTHING && json != "{}").then_some(json);
    let data = says(record.response_elements.as_raw_str());
    let has_response = data.is_some() || record.error_code.is_some();
    Api {
        operation: Some(record.event_name),
        service: Some(Feature { name: Some(record.event_source) }),
        request: Some(Request {
            uid: Some(record.request_id),
            data: says(record.request_parameters.as_raw_str()),
        }),
        response: has_response.then_some(Response {
            error: record.error_code,
            message: record.error_message,
            data,
        }),
    }
}

fn actor<'v>(identity: &'v Identity<'_>, credentials: &'v [Credential<'v>]) -> Actor<'v> {
    let context = identity.session_context.as_ref();
    let session = context.map(|context| Session {
        uid: identity.principal_id.and_then(|id| Some(id.split_once(':')?.1)),
        created_time: seconds(context.attributes.creation_date).map(|seconds| seconds * 1_000_000),
        is_mfa: Some(context.attributes.mfa_authenticated == "true"),
        issuer: Some(context.session_issuer.arn),
        credential_uid: None,
    });
    Actor { user: user(identity, credentials), session, app_name: identity.invoked_by }
}

fn user<'v>(identity: &'v Identity<'_>, credentials: &'v [Credential<'v>]) -> Option<User<'v>> {
    let role = identity.session_context.as_ref().map(|context| context.session_issuer.user_name);
    Some(User {
        name: identity.user_name.or(role).or(identity.invoked_by),
        uid: identity.arn,
        uid_alt: identity.principal_id,
        type_id: Some(99),
        kind: Some(identity.kind),
        account: identity.account_id.map(account),
        programmatic_credentials: Some(credentials),
    })
}

fn account(uid: &str) -> Account<'_> {
    Account { uid: Some(uid), type_id: Some(10), kind: Some("AWS Account") }
}

fn resource<'v>(resource: &'v RecordResource<'_>) -> Resource<'v> {
    Resource {
        uid: Some(resource.arn),
        kind: resource.kind,
        owner: resource
            .account_id
            .map(|uid| User { account: Some(account(uid)), ..User::default() }),
    }
}

fn endpoint(address: &str) -> Endpoint<'_> {
    if address.parse::<std::net::IpAddr>().is_ok() {
        Endpoint { ip: Some(address), ..Endpoint::default() }
    } else if address.contains(' ') {
        Endpoint { name: Some(address), ..Endpoint::default() }
    } else {
        Endpoint { domain: Some(address), ..Endpoint::default() }
    }
}

/// What no column has a place for; `additional` is what is left of the additional data of a sign-in.
fn unmapped(record: &Record<'_>, is_sign_in: bool, additional: Option<&str>) -> String {
    let mut text = String::new();
    let mut put = |name: &str, quote: &str, json: &str| {
        text.push(if text.is_empty() { '{' } else { ',' });
        text.extend(["\"", name, "\":", quote, json, quote]);
    };
    if let Some(data) = record.additional_event_data.as_ref().filter(|_| !is_sign_in) {
        put("additionalEventData", "", data.as_raw_str());
    }
    put("readOnly", "", if record.read_only { "true" } else { "false" });
    if let Some(resources) = record.resources.as_ref().filter(|_| is_sign_in) {
        put("resources", "", resources.as_raw_str());
    }
    if let Some(id) = record.shared_event_id {
        put("sharedEventID", "\"", id);
    }
    if let Some(details) = &record.tls_details {
        put("tlsDetails", "", details.as_raw_str());
    }
    if let Some(console) = record.session_credential_from_console {
        put("sessionCredentialFromConsole", "\"", console);
    }
    if let Some(additional) = additional {
        put("additionalEventData", "", additional);
    }
    let context = record.user_identity.session_context.as_ref();
    if let Some(delivery) = context.and_then(|context| context.ec2_role_delivery) {
        let json = ["{\"sessionContext\":{\"ec2RoleDelivery\":\"", delivery, "\"}}"].concat();
        put("userIdentity", "", &json);
    }
    text.push('}');
    text
}
