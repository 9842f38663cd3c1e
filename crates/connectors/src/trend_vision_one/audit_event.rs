//! An audit log as API Activity, or as Entity Management where it changes a user, a group, a device or a policy that
//! it names.

use model::ocsf::objects::{
    Actor, Api, Group, ManagedEntity, Metadata, NetworkEndpoint, ResourceDetails, Service,
};
use model::ocsf::values::{
    activity_status, api_activity, entity_management, managed_entity_type, observable_type,
    resource_role, severity,
};
use model::ocsf::{ApiActivity, EntityManagement, Event, format};
use model::time::Timestamp;

use super::audit_logs::{AUDIT_LOGS, TIMES};
use super::evidence::user;
use super::fields::{Fields, product};
use super::observables::Observables;

/// The service where the record does not name one.
const PRODUCT: &str = "Vision One";
/// Where details name the thing that an activity is about, best first.
const NAMES: [&str; 5] = ["name", "endpointName", "userName", "accountName", "groupName"];
/// Where details name the address that an activity came from.
const ADDRESSES: [&str; 4] = ["ipAddress", "ip", "sourceIp", "clientIp"];

/// The event of an audit log; `None` when the record names no activity.
pub(super) fn event(fields: &mut Fields, _: &[u8]) -> Option<Event<'static>> {
    let activity = fields.text("activity")?;
    let found = fields.first_time(&TIMES);
    let time = found.and_then(|(time, _)| time.plausible()).unwrap_or(Timestamp::EPOCH);
    let original_time = found.and_then(|(_, name)| fields.peek(name));
    fields.time("loggedDateTime");
    let ingested = fields.time("ingestedDateTime");
    let category = fields.text("category");
    let mut observables = Observables::default();
    let common = Common {
        verb: Verb::of(&activity),
        actor: actor(fields, &mut observables),
        status: Status::take(fields),
        source: source(fields, &mut observables),
        metadata: Metadata {
            product: Some(product(AUDIT_LOGS.feature)),
            log_name: Some(AUDIT_LOGS.name.into()),
            event_code: Some(activity.clone().into()),
            original_time: original_time.map(Into::into),
            logged_time: ingested.map(Timestamp::as_millis),
            ..Metadata::default()
        },
        time_ms: time.as_millis(),
        activity,
        category,
    };
    let kind = common.category.as_deref().and_then(entity_kind);
    let subject = subject(fields);
    Some(match (kind, subject, common.verb.entity) {
        (Some(kind), Some(name), Some(activity_id)) => {
            managed(fields, common, observables, kind, name, activity_id)
        }
        (_, subject, _) => called(fields, common, observables, subject),
    })
}

/// What both classes say alike.
struct Common {
    verb: Verb,
    activity: String,
    category: Option<String>,
    actor: Actor<'static>,
    status: Status,
    source: NetworkEndpoint<'static>,
    metadata: Metadata<'static>,
    time_ms: i64,
}

/// What a leading verb means in each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Verb {
    api: i32,
    /// `None` where the verb says nothing about a managed thing.
    entity: Option<i32>,
}

impl Verb {
    fn of(activity: &str) -> Self {
        let verb = activity.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        let (api, entity) = match verb.as_str() {
            "add" | "create" | "generate" | "register" | "import" | "new" | "invite" => {
                (api_activity::CREATE, Some(entity_management::CREATE))
            }
            "view" | "get" | "search" | "list" | "query" | "export" | "download" | "read" => {
                (api_activity::READ, Some(entity_management::READ))
            }
            "delete" | "remove" | "revoke" | "uninstall" => {
                (api_activity::DELETE, Some(entity_management::DELETE))
            }
            "update" | "edit" | "modify" | "change" | "set" | "save" | "rename" | "assign"
            | "unassign" | "reset" | "configure" => {
                (api_activity::UPDATE, Some(entity_management::UPDATE))
            }
            "enable" => (api_activity::UPDATE, Some(entity_management::ENABLE)),
            "disable" => (api_activity::UPDATE, Some(entity_management::DISABLE)),
            "move" => (api_activity::UPDATE, Some(entity_management::MOVE)),
            "enroll" => (api_activity::UPDATE, Some(entity_management::ENROLL)),
            "unenroll" => (api_activity::UPDATE, Some(entity_management::UNENROLL)),
            "activate" => (api_activity::UPDATE, Some(entity_management::ACTIVATE)),
            "deactivate" => (api_activity::UPDATE, Some(entity_management::DEACTIVATE)),
            "suspend" => (api_activity::UPDATE, Some(entity_management::SUSPEND)),
            "resume" => (api_activity::UPDATE, Some(entity_management::RESUME)),
            _ => (api_activity::OTHER, None),
        };
        Self { api, entity }
    }
}

/// How it ended.
#[derive(Debug, Default)]
struct Status {
    id: Option<i32>,
    /// The vendor's word where OCSF has no id for it.
    word: Option<String>,
}

impl Status {
    fn take(fields: &mut Fields) -> Self {
        let Some(word) = fields.text("result") else { return Self::default() };
        let id = match word.to_ascii_lowercase().as_str() {
            "successful" | "success" => activity_status::SUCCESS,
            "unsuccessful" | "failed" | "failure" => activity_status::FAILURE,
            _ => activity_status::OTHER,
        };
        Self { id: Some(id), word: (id == activity_status::OTHER).then_some(word) }
    }
}

/// Who did it, in which role, through what. Without a person it was the product itself.
fn actor(fields: &mut Fields, observables: &mut Observables) -> Actor<'static> {
    let role = fields.text("loggedRole");
    let app_name = fields.text("accessType");
    let Some(name) = fields.text("loggedUser") else {
        if let Some(role) = role {
            fields.put_back("loggedRole", role);
        }
        let app_name = app_name.unwrap_or_else(|| PRODUCT.to_owned());
        return Actor { app_name: Some(app_name.into()), ..Actor::default() };
    };
    observables.add("actor.user.name", observable_type::USER_NAME, &name);
    let mut user = user(&name);
    if let Some(address) = &user.email_addr {
        observables.add("actor.user.email_addr", observable_type::EMAIL_ADDRESS, address);
    }
    user.groups.extend(role.map(|role| Group {
        name: Some(role.into()),
        r#type: Some("role".into()),
        ..Group::default()
    }));
    Actor { user: Some(user.into()), app_name: app_name.map(Into::into), ..Actor::default() }
}

/// Where it came from, if the details say so, else the product.
fn source(fields: &mut Fields, observables: &mut Observables) -> NetworkEndpoint<'static> {
    let mut endpoint =
        NetworkEndpoint { svc_name: Some(PRODUCT.into()), ..NetworkEndpoint::default() };
    let Some(details) = fields.object("details") else { return endpoint };
    let found = ADDRESSES.iter().find_map(|name| details.peek(name).filter(|ip| format::is_ip(ip)));
    if let Some(ip) = found {
        observables.add("src_endpoint.ip", observable_type::IP_ADDRESS, &ip);
        endpoint.ip = Some(ip.into());
    }
    endpoint
}

/// The thing that the details name. The details stay as they are: no key of them has a fixed type.
fn subject(fields: &Fields) -> Option<String> {
    let details = fields.object("details")?;
    NAMES.iter().find_map(|name| details.peek(name))
}

/// The kind of managed thing that a category is about.
fn entity_kind(category: &str) -> Option<i32> {
    let category = category.to_ascii_lowercase();
    let table = [
        ("user account", managed_entity_type::USER),
        ("user role", managed_entity_type::GROUP),
        ("group", managed_entity_type::GROUP),
        ("polic", managed_entity_type::POLICY),
        ("endpoint", managed_entity_type::DEVICE),
        ("device", managed_entity_type::DEVICE),
    ];
    table.into_iter().find(|(part, _)| category.contains(part)).map(|(_, kind)| kind)
}

fn managed(
    fields: &mut Fields,
    common: Common,
    observables: Observables,
    kind: i32,
    name: String,
    activity_id: i32,
) -> Event<'static> {
    let entity =
        ManagedEntity { name: Some(name.into()), type_id: Some(kind), ..ManagedEntity::default() };
    if let Some(category) = common.category {
        fields.put_back("category", category);
    }
    Event::from(EntityManagement {
        activity_id: Some(activity_id),
        severity_id: Some(severity::INFORMATIONAL),
        status_id: common.status.id,
        status: common.status.word.map(Into::into),
        message: Some(common.activity.into()),
        time: Some(common.time_ms),
        metadata: Some(common.metadata.into()),
        actor: Some(common.actor),
        src_endpoint: Some(common.source.into()),
        entity: Some(entity.into()),
        observables: observables.0,
        unmapped: std::mem::take(fields).unmapped(),
        ..EntityManagement::default()
    })
}

fn called(
    fields: &mut Fields,
    common: Common,
    observables: Observables,
    subject: Option<String>,
) -> Event<'static> {
    let api = Api {
        operation: Some(common.activity.clone().into()),
        service: common
            .category
            .clone()
            .map(|name| Service { name: Some(name.into()), ..Service::default() }),
        ..Api::default()
    };
    let resource = subject.map(|name| ResourceDetails {
        name: Some(name.into()),
        r#type: common.category.map(Into::into),
        role_id: Some(resource_role::TARGET),
        ..ResourceDetails::default()
    });
    let is_other = common.verb.api == api_activity::OTHER;
    Event::from(ApiActivity {
        activity_id: Some(common.verb.api),
        activity_name: is_other.then(|| common.activity.clone().into()),
        severity_id: Some(severity::INFORMATIONAL),
        status_id: common.status.id,
        status: common.status.word.map(Into::into),
        message: Some(common.activity.into()),
        time: Some(common.time_ms),
        metadata: Some(common.metadata.into()),
        actor: Some(common.actor),
        src_endpoint: Some(common.source.into()),
        api: Some(api.into()),
        resources: resource.into_iter().collect(),
        observables: observables.0,
        unmapped: std::mem::take(fields).unmapped(),
        ..ApiActivity::default()
    })
}
