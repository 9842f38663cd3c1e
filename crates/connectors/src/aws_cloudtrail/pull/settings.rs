//! A connector's settings: whom to ask as, which queues and buckets, and how far to look back.

use std::collections::BTreeSet;
use std::time::Duration;

use model::connector::{Settings, SettingsError};
use model::manifest::Manifest;

use super::address::{Bucket, Queue};
use super::session::Access;
use crate::parameters::Parameters;

/// The shortest time that messages are hidden: extending it must not become a burden.
const SHORTEST_VISIBILITY: Duration = Duration::from_secs(3);
/// The longest that the service knows.
const LONGEST_VISIBILITY: Duration = Duration::from_secs(12 * 3600);

/// The settings, checked.
pub(super) struct PullSettings {
    pub(super) access: Access,
    pub(super) queues: Vec<Queue>,
    pub(super) buckets: Vec<Bucket>,
    /// How far each listing reads back.
    pub(super) look_back: Duration,
    /// How long an object may take to be announced.
    pub(super) look_after: Duration,
    /// How long a message is hidden from other readers of its queue at a time.
    pub(super) visibility: Duration,
}

impl PullSettings {
    /// Reads them.
    ///
    /// # Errors
    /// Names the setting that cannot be used, and what to write instead.
    pub(super) fn read(manifest: &Manifest, settings: &Settings) -> Result<Self, SettingsError> {
        let parameters = Parameters::new(manifest, settings)?;
        if settings.proxy.is_some() {
            let remedy = "leave it out, and reach AWS through VPC endpoints or a NAT gateway";
            return Err(SettingsError::new("proxy", "is not supported for AWS", remedy));
        }
        if !settings.verify_tls {
            let remedy = "leave it out: AWS has certificates that every system trusts";
            return Err(SettingsError::new("verify_tls", "cannot be off for AWS", remedy));
        }
        let access = access(&parameters)?;
        let region = access.region.as_deref().unwrap_or(super::session::REGION);
        let endpoint = access.endpoint.as_deref();
        let queues = each(&parameters, "queues", |text| Queue::read(text, region, endpoint))?;
        let buckets = each(&parameters, "buckets", Bucket::read)?;
        if queues.is_empty() && buckets.is_empty() {
            let remedy =
                "name a queue that hears of the bucket's new objects, or at least a bucket to list";
            return Err(SettingsError::new("parameters.queues", "is missing", remedy));
        }
        let visibility = parameters.span("visibility_timeout")?;
        if !(SHORTEST_VISIBILITY..=LONGEST_VISIBILITY).contains(&visibility) {
            let problem = "is shorter than 3 seconds or longer than 12 hours";
            return Err(SettingsError::new(
                "parameters.visibility_timeout",
                problem,
                "write 2m or so",
            ));
        }
        let (look_back, look_after) =
            (parameters.span("look_back")?, parameters.span("look_after")?);
        Ok(Self { access, queues, buckets, look_back, look_after, visibility })
    }
}

fn access(parameters: &Parameters<'_>) -> Result<Access, SettingsError> {
    let (id, secret) =
        (parameters.secret("access_key_id")?, parameters.secret("secret_access_key")?);
    let token = parameters.secret("session_token")?;
    let keys = match (id, secret) {
        (Some(id), Some(secret)) => Some((id, secret, token)),
        (None, None) if token.is_none() => None,
        (Some(_), _) => return Err(alone("secret_access_key")),
        (None, _) => return Err(alone("access_key_id")),
    };
    let external_id = parameters.secret("external_id")?;
    let role = match (parameters.secret("role_arn")?, external_id) {
        (Some(role), external_id) if role.expose().starts_with("arn:") => {
            Some((role.expose().to_owned(), external_id))
        }
        (Some(_), _) => {
            let remedy = "write arn:aws:iam::<account>:role/<name>";
            return Err(SettingsError::new("credential.role_arn", "is no ARN", remedy));
        }
        (None, Some(_)) => return Err(alone("role_arn")),
        (None, None) => None,
    };
    let given = |name: &str| Ok(parameters.text(name)?.filter(|text: &String| !text.is_empty()));
    Ok(Access { keys, role, region: given("region")?, endpoint: given("endpoint_url")? })
}

fn alone(missing: &str) -> SettingsError {
    let setting = format!("credential.{missing}");
    SettingsError::new(setting, "is missing", "give it beside the other one, or leave both out")
}

/// Every text of a list, read; the same one twice is a mistake.
fn each<T: Clone + PartialEq>(
    parameters: &Parameters<'_>,
    name: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, SettingsError> {
    let setting = format!("parameters.{name}");
    let remedy = match name {
        "queues" => "write each queue's ARN or its URL: arn:aws:sqs:eu-west-1:111122223333:trail",
        _ => "write each one as s3://bucket or s3://bucket/prefix",
    };
    let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
    for text in parameters.texts(name)? {
        let wrong = |what: &str| SettingsError::new(&setting, format!("{what} `{text}`"), remedy);
        if !seen.insert(text.clone()) {
            return Err(wrong("names twice"));
        }
        all.push(read(&text).ok_or_else(|| wrong("has the unreadable"))?);
    }
    Ok(all)
}
