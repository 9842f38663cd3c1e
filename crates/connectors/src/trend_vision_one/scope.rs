//! The entities that an alert concerns: machines, accounts, mail boxes, and whatever else the vendor names.

use model::ocsf::format;
use model::ocsf::objects::{Device, Evidences, ResourceDetails};
use model::ocsf::values::{observable_type, resource_role};
use serde_json::Value;

use super::evidence::{device, user};
use super::fields::{Fields, scalar, texts};
use super::observables::Observables;

/// What marks an entity of the alert itself, beside those that were found around it.
const OF_THE_ALERT: &str = "Alert";

/// The entities of an alert.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// Each entity, with the vendor's own object.
    pub(super) resources: Vec<ResourceDetails<'static>>,
    /// Further addresses of machines: a resource has room for one.
    pub(super) addresses: Vec<Evidences<'static>>,
    /// The first machine of the alert itself, or the first one.
    pub(super) device: Option<Device<'static>>,
    /// Mail boxes.
    pub(super) mailboxes: Vec<String>,
    /// Entities that have neither a name nor an id.
    pub(super) nameless: Vec<Value>,
    /// Whether `device` is of the alert itself.
    is_device_of_alert: bool,
}

impl Scope {
    /// Reads the entities of an impact scope.
    pub(super) fn of(entities: Vec<Fields>, observables: &mut Observables) -> Self {
        let mut scope = Self::default();
        for entity in entities {
            if !scope.add(&entity, observables) {
                scope.nameless.push(Value::Object(entity.0));
            }
        }
        scope
    }

    /// Adds an entity; `false` when it has no name that a resource could go by.
    fn add(&mut self, entity: &Fields, observables: &mut Observables) -> bool {
        let kind = entity.peek("entityType").unwrap_or_default();
        let provenance = entity.0.get("provenance").and_then(texts).unwrap_or_default();
        let is_of_alert = provenance.is_empty() || provenance.iter().any(|p| p == OF_THE_ALERT);
        let role = if is_of_alert { resource_role::AFFECTED } else { resource_role::RELATED };
        let mut resource = ResourceDetails {
            r#type: Some(kind.clone().into()).filter(|_| !kind.is_empty()),
            role_id: Some(role),
            data: Some(entity.whole()),
            ..ResourceDetails::default()
        };
        let value = entity.0.get("entityValue").unwrap_or(&Value::Null);
        if kind == "host" || value.is_object() {
            self.machine(entity, value, is_of_alert, &mut resource, observables);
        } else {
            self.named(&kind, entity, value, &mut resource, observables);
        }
        let has_name = resource.name.is_some() || resource.uid.is_some();
        if has_name {
            self.resources.push(resource);
        }
        has_name
    }

    fn machine(
        &mut self,
        entity: &Fields,
        value: &Value,
        is_of_alert: bool,
        resource: &mut ResourceDetails<'static>,
        observables: &mut Observables,
    ) {
        let members = value.as_object().cloned().map(Fields).unwrap_or_default();
        let ids = entity.0.get("entityId").and_then(texts).unwrap_or_default();
        let name = members.peek("name").or_else(|| scalar(value));
        let guid = members.peek("guid");
        // Machines without a better key are known by their addresses.
        let known = members.0.get("ips").and_then(texts).unwrap_or_else(|| ids.clone());
        let mut ips = known.into_iter().filter(|ip| format::is_ip(ip));
        let ip = ips.next();
        resource.uid = guid.clone().or_else(|| ids.first().cloned()).map(Into::into);
        resource.name = name.clone().or_else(|| ip.clone()).map(Into::into);
        resource.hostname = name.clone().map(Into::into);
        resource.ip = ip.clone().map(Into::into);
        if let Some(name) = &name {
            observables.add("resources.hostname", observable_type::HOSTNAME, name);
        }
        if let Some(ip) = &ip {
            observables.add("resources.ip", observable_type::IP_ADDRESS, ip);
        }
        for ip in ips {
            observables.add("evidences.device.ip", observable_type::IP_ADDRESS, &ip);
            let device = device(guid.clone(), name.clone(), Some(ip));
            self.addresses.push(Evidences {
                name: Some("address".into()),
                device: device.map(Into::into),
                ..Evidences::default()
            });
        }
        if self.device.is_none() || (is_of_alert && !self.is_device_of_alert) {
            self.device = device(guid, name, ip);
            self.is_device_of_alert = is_of_alert;
        }
    }

    fn named(
        &mut self,
        kind: &str,
        entity: &Fields,
        value: &Value,
        resource: &mut ResourceDetails<'static>,
        observables: &mut Observables,
    ) {
        // The id of a mail box is an upper-case copy; it says nothing more.
        let id = entity.peek("entityId").filter(|_| kind != "emailAddress");
        resource.uid = id.map(Into::into);
        let Some(name) = scalar(value) else { return };
        match kind {
            "account" => {
                observables.add("resources.owner.name", observable_type::USER_NAME, &name);
                resource.owner = Some(user(&name).into());
            }
            "emailAddress" => {
                let owner = user(&name);
                if let Some(address) = &owner.email_addr {
                    let path = "resources.owner.email_addr";
                    observables.add(path, observable_type::EMAIL_ADDRESS, address);
                    self.mailboxes.push(name.clone());
                }
                resource.owner = Some(owner.into());
            }
            _ => observables.add(
                "resources.name",
                observable_type::RESOURCE_DETAILS_OBJECT_NAME,
                &name,
            ),
        }
        resource.name = Some(name.into());
    }
}
