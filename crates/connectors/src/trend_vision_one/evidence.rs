//! Indicators and highlighted objects as evidence: the attribute that OCSF has for a kind of value, and the vendor's
//! own object beside it.
//!
//! The list of kinds is open. What has no attribute, or not the form that its attribute demands, stays in `data`.

use model::ocsf::format;
use model::ocsf::objects::{
    Device, Email, Evidences, File, Fingerprint, NetworkEndpoint, Process, Url, User,
};
use model::ocsf::values::{file_type, hash_algorithm, observable_type};
use serde_json::Value;

use super::fields::{Fields, texts};
use super::observables::Observables;

/// Where the value of an indicator stands whatever its kind.
const DATA_VALUE: &str = "evidences.data.value";

/// What an alert says about its mail as a whole, for indicators that need a sender or a recipient beside them.
#[derive(Debug, Default)]
pub(super) struct MailContext {
    pub(super) sender: Option<String>,
    pub(super) mailbox: Option<String>,
}

impl MailContext {
    /// The only sender among indicators, if there is just one, and the only mailbox.
    pub(super) fn of(indicators: &[Fields], mailboxes: &[String]) -> Self {
        let senders =
            indicators.iter().filter(|found| found.peek("type").as_deref() == Some("email_sender"));
        let senders: Vec<String> = senders.filter_map(|found| found.peek("value")).collect();
        let only = |values: &[String]| match values {
            [only] if format::is_email(only) => Some(only.clone()),
            _ => None,
        };
        Self { sender: only(&senders), mailbox: only(mailboxes) }
    }

    fn email(&self) -> Option<Email<'static>> {
        let email = Email {
            from: self.sender.clone().map(Into::into),
            to: self.mailbox.clone().map(Into::into).into_iter().collect(),
            ..Email::default()
        };
        (email.from.is_some() || !email.to.is_empty()).then_some(email)
    }
}

/// The evidence of one indicator: `type`, `value`, and where the value was found (`field`, or `fields` of sweeps).
pub(super) fn of_indicator(
    indicator: &Fields,
    mail: &MailContext,
    observables: &mut Observables,
) -> Evidences<'static> {
    let kind = indicator.peek("type").unwrap_or_default();
    let mut evidence = Evidences {
        name: Some(kind.clone().into()).filter(|_| !kind.is_empty()),
        uid: indicator.peek("id").map(Into::into),
        data: Some(indicator.whole()),
        ..Evidences::default()
    };
    let Some(value) = indicator.0.get("value") else { return evidence };
    if let Value::Object(members) = value {
        machine(&Fields(members.clone()), &mut evidence, observables);
        return evidence;
    }
    // Several values in one object: the data holds them all, attributes hold one each.
    let values = texts(value).unwrap_or_default();
    if let [only] = values.as_slice() {
        let field = indicator.peek("field").unwrap_or_default();
        let maker = Maker { value: only, field: &field, mail };
        if maker.make(&kind, &mut evidence, observables) {
            return evidence;
        }
    }
    if let Some(type_id) = observable_of(&kind) {
        values.iter().for_each(|value| observables.add(DATA_VALUE, type_id, value));
    }
    evidence
}

/// A machine given as `{guid,name,ips}`.
fn machine(value: &Fields, evidence: &mut Evidences<'static>, observables: &mut Observables) {
    let ips = value.0.get("ips").and_then(texts).unwrap_or_default();
    let ip = ips.into_iter().find(|ip| format::is_ip(ip));
    let device = device(value.peek("guid"), value.peek("name"), ip);
    if let Some(device) = device {
        if let Some(name) = &device.hostname {
            observables.add("evidences.device.hostname", observable_type::HOSTNAME, name);
        }
        if let Some(ip) = &device.ip {
            observables.add("evidences.device.ip", observable_type::IP_ADDRESS, ip);
        }
        evidence.device = Some(device.into());
    }
}

/// A device with at least one of its names; what kind of machine it is, nobody says.
pub(super) fn device(
    guid: Option<String>,
    name: Option<String>,
    ip: Option<String>,
) -> Option<Device<'static>> {
    if guid.is_none() && name.is_none() && ip.is_none() {
        return None;
    }
    Some(Device {
        uid: guid.map(Into::into),
        name: name.clone().map(Into::into),
        hostname: name.map(Into::into),
        ip: ip.map(Into::into),
        type_id: Some(model::ocsf::values::device_type::UNKNOWN),
        ..Device::default()
    })
}

/// One value on its way to its attribute.
struct Maker<'v> {
    value: &'v str,
    field: &'v str,
    mail: &'v MailContext,
}

impl Maker<'_> {
    /// Puts the value into the attribute of its kind; `false` when there is none for it.
    fn make(
        &self,
        kind: &str,
        evidence: &mut Evidences<'static>,
        observables: &mut Observables,
    ) -> bool {
        match kind {
            "url" => self.url(evidence, observables),
            "domain" | "ip" => self.endpoint(kind, evidence, observables),
            "fullpath" | "filename" => self.file(kind, evidence, observables),
            "file_sha1" | "file_sha256" | "file_md5" => self.hash(kind, evidence, observables),
            "user_account" => self.user(evidence, observables),
            "host" => self.host(evidence, observables),
            "process_id" => return self.process(evidence, observables),
            "email_sender" | "email_recipient" => return self.address(kind, evidence, observables),
            "email_message_id" | "email_message_unique_id" | "email_subject" => {
                return self.message(kind, evidence, observables);
            }
            _ => return false,
        }
        true
    }

    fn url(&self, evidence: &mut Evidences<'static>, observables: &mut Observables) {
        let parsed = url::Url::parse(self.value).ok();
        let hostname = parsed.and_then(|url| url.host_str().map(str::to_owned));
        observables.add("evidences.url.url_string", observable_type::URL_STRING, self.value);
        evidence.url = Some(Url {
            url_string: Some(self.value.to_owned().into()),
            hostname: hostname.map(Into::into),
            ..Url::default()
        });
    }

    /// An address or a domain at one end of something: where the field speaks of the source, the source.
    fn endpoint(
        &self,
        kind: &str,
        evidence: &mut Evidences<'static>,
        observables: &mut Observables,
    ) {
        let is_source = self.field.to_ascii_lowercase().starts_with("src");
        let mut endpoint = NetworkEndpoint::default();
        let value = Some(self.value.to_owned().into());
        let (path, type_id) = match (kind, format::is_ip(self.value), is_source) {
            ("ip", true, true) => ("evidences.src_endpoint.ip", observable_type::IP_ADDRESS),
            ("ip", true, false) => ("evidences.dst_endpoint.ip", observable_type::IP_ADDRESS),
            ("ip", false, true) => ("evidences.src_endpoint.name", observable_type::IP_ADDRESS),
            ("ip", false, false) => ("evidences.dst_endpoint.name", observable_type::IP_ADDRESS),
            (_, _, true) => ("evidences.src_endpoint.domain", observable_type::HOSTNAME),
            (_, _, false) => ("evidences.dst_endpoint.domain", observable_type::HOSTNAME),
        };
        match path.rsplit_once('.') {
            Some((_, "ip")) => endpoint.ip = value,
            Some((_, "name")) => endpoint.name = value,
            _ => endpoint.domain = value,
        }
        observables.add(path, type_id, self.value);
        let place = if is_source { &mut evidence.src_endpoint } else { &mut evidence.dst_endpoint };
        *place = Some(endpoint.into());
    }

    fn file(&self, kind: &str, evidence: &mut Evidences<'static>, observables: &mut Observables) {
        let name = self.value.rsplit(['/', '\\']).find(|part| !part.is_empty());
        let name = name.unwrap_or(self.value).to_owned();
        observables.add("evidences.file.name", observable_type::FILE_NAME, &name);
        let mut file = named_file(name);
        if kind == "fullpath" {
            observables.add("evidences.file.path", observable_type::FILE_PATH, self.value);
            file.path = Some(self.value.to_owned().into());
        }
        evidence.file = Some(file.into());
    }

    /// A digest alone: OCSF's file demands a name, and the digest is all that the file is known by.
    fn hash(&self, kind: &str, evidence: &mut Evidences<'static>, observables: &mut Observables) {
        let algorithm_id = match kind {
            "file_sha1" => hash_algorithm::SHA_1,
            "file_sha256" => hash_algorithm::SHA_256,
            _ => hash_algorithm::MD5,
        };
        observables.add("evidences.file.hashes.value", observable_type::HASH, self.value);
        let mut file = named_file(self.value.to_owned());
        file.hashes.push(Fingerprint {
            algorithm_id: Some(algorithm_id),
            value: Some(self.value.to_owned().into()),
            ..Fingerprint::default()
        });
        evidence.file = Some(file.into());
    }

    fn user(&self, evidence: &mut Evidences<'static>, observables: &mut Observables) {
        observables.add("evidences.user.name", observable_type::USER_NAME, self.value);
        evidence.user = Some(user(self.value).into());
    }

    fn host(&self, evidence: &mut Evidences<'static>, observables: &mut Observables) {
        observables.add("evidences.device.hostname", observable_type::HOSTNAME, self.value);
        evidence.device = device(None, Some(self.value.to_owned()), None).map(Into::into);
    }

    fn process(&self, evidence: &mut Evidences<'static>, observables: &mut Observables) -> bool {
        let Ok(pid) = self.value.trim().parse() else { return false };
        let process = Process { pid: Some(pid), ..Process::default() };
        observables.add("evidences.process.pid", observable_type::PROCESS_ID, &pid.to_string());
        evidence.process = Some(process);
        true
    }

    fn address(
        &self,
        kind: &str,
        evidence: &mut Evidences<'static>,
        observables: &mut Observables,
    ) -> bool {
        if !format::is_email(self.value) {
            return false;
        }
        let mut email = Email::default();
        let path = if kind == "email_sender" {
            email.from = Some(self.value.to_owned().into());
            "evidences.email.from"
        } else {
            email.to.push(self.value.to_owned().into());
            "evidences.email.to"
        };
        observables.add(path, observable_type::EMAIL_ADDRESS, self.value);
        evidence.email = Some(email.into());
        true
    }

    /// What names a message; OCSF's mail demands a sender or a recipient beside it.
    fn message(
        &self,
        kind: &str,
        evidence: &mut Evidences<'static>,
        observables: &mut Observables,
    ) -> bool {
        let Some(mut email) = self.mail.email() else { return false };
        let value = Some(self.value.to_owned().into());
        let (path, type_id) = match kind {
            "email_message_id" => {
                email.message_uid = value;
                ("evidences.email.message_uid", observable_type::MESSAGE_UID)
            }
            "email_message_unique_id" => {
                email.uid = value;
                ("evidences.email.uid", observable_type::EMAIL_OBJECT_UID)
            }
            _ => {
                email.subject = value;
                ("evidences.email.subject", observable_type::EMAIL_OBJECT_SUBJECT)
            }
        };
        observables.add(path, type_id, self.value);
        evidence.email = Some(email.into());
        true
    }
}

/// What kind of value a kind of indicator is, where the value stands in `data` only.
fn observable_of(kind: &str) -> Option<i32> {
    let type_id = match kind {
        "command_line" => observable_type::COMMAND_LINE,
        "port" => observable_type::PORT,
        "process_id" => observable_type::PROCESS_ID,
        "registry_key" => observable_type::REGISTRY_KEY_PATH,
        "registry_value" => observable_type::REGISTRY_VALUE_OBJECT_NAME,
        "url" => observable_type::URL_STRING,
        "domain" | "host" => observable_type::HOSTNAME,
        "ip" => observable_type::IP_ADDRESS,
        "filename" => observable_type::FILE_NAME,
        "fullpath" => observable_type::FILE_PATH,
        "file_sha1" | "file_sha256" | "file_md5" => observable_type::HASH,
        "user_account" => observable_type::USER_NAME,
        "email_sender" | "email_recipient" => observable_type::EMAIL_ADDRESS,
        "email_message_id" => observable_type::MESSAGE_UID,
        "email_message_unique_id" => observable_type::EMAIL_OBJECT_UID,
        "email_subject" => observable_type::EMAIL_OBJECT_SUBJECT,
        _ => return None,
    };
    Some(type_id)
}

fn named_file(name: String) -> File<'static> {
    File { name: Some(name.into()), type_id: Some(file_type::REGULAR_FILE), ..File::default() }
}

/// An account, and its mail address where its name is one.
pub(super) fn user(name: &str) -> User<'static> {
    let email_addr = format::is_email(name).then(|| name.to_owned().into());
    User { name: Some(name.to_owned().into()), email_addr, ..User::default() }
}
