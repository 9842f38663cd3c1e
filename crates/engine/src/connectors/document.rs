//! The connector document: what people write, apply, read back and compare.

use std::collections::BTreeMap;
use std::time::Duration;

use model::budget::Quota;
use model::connector::{Credential, OneOrMany, SettingsError};
use model::ids::{ConnectorName, TenantId};
use model::manifest::duration_text;
use model::secret::{MASK, Secret};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A file of connectors.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectorFile {
    /// The connectors, each on its own.
    pub connectors: Vec<ConnectorDocument>,
}

/// One connector as people write it: its plan, with the secrets that never leave again.
#[derive(Debug, Clone)]
pub struct ConnectorDocument {
    /// Everything but the secrets.
    pub plan: Plan,
    /// The secrets.
    pub credential: Credential,
}

/// Everything that a connector document says, except its secrets. Rests in the catalog as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Any Unicode text, unique per tenant.
    pub name: ConnectorName,
    /// The owner of what it collects.
    #[serde(default)]
    pub tenant: TenantId,
    /// `trend_micro_cas`.
    pub integration: String,
    /// The integration's own settings, as its manifest declares them.
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// What to collect; empty means everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content_types: Vec<String>,
    /// How often to ask, for all content types or for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<PollInterval>,
    /// How much history the first run reads; at most what the vendor keeps.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_duration")]
    pub backfill: Option<Duration>,
    /// One or several limits in place of the manifest's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quotas>,
    /// A VRL program over each event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<String>,
    /// Whether the vendor's certificate is checked.
    #[serde(default = "yes")]
    pub verify_tls: bool,
    /// The proxy on the way to the vendor; its password rests with the secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxyPlan>,
    /// Whether it collects.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// A proxy as people write it, without its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyPlan {
    /// `http://proxy.corp.example:3128`.
    pub address: String,
    /// Who asks, where the proxy wants to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// The name under which the proxy's password rests among the secrets.
pub const PROXY_PASSWORD: &str = "proxy.password";

/// How often to ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PollInterval {
    /// For every content type.
    All(#[serde(with = "duration_text")] Duration),
    /// For each content type by name.
    Each(BTreeMap<String, DurationText>),
}

/// A duration in the way people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DurationText(#[serde(with = "duration_text")] pub Duration);

/// One limit or several that hold at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Quotas {
    /// One.
    One(Quota),
    /// Several.
    Many(Vec<Quota>),
}

impl Quotas {
    /// All of them.
    pub fn to_vec(&self) -> Vec<Quota> {
        match self {
            Self::One(quota) => vec![*quota],
            Self::Many(quotas) => quotas.clone(),
        }
    }
}

impl<'de> Deserialize<'de> for ConnectorDocument {
    /// Takes the secrets out of the mapping and reads the rest as the plan, so that unknown keys are
    /// refused by name.
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let mut fields = Map::<String, Value>::deserialize(input)?;
        let mut credential = match fields.remove("credential") {
            None | Some(Value::Null) => Credential::default(),
            // The error of this step would quote the value, which is a secret.
            Some(value) => serde_json::from_value(value).map_err(|_| {
                D::Error::custom("`credential` must hold texts or lists of texts by name")
            })?,
        };
        if credential.0.contains_key(PROXY_PASSWORD) {
            return Err(D::Error::custom("`credential` holds the password of `proxy`"));
        }
        // The error of the next step would quote a text, which may be a password.
        if fields.get("proxy").is_some_and(|proxy| !proxy.is_object() && !proxy.is_null()) {
            return Err(D::Error::custom("`proxy` must hold `address`, `user` and `password`"));
        }
        let proxy = fields.get_mut("proxy").and_then(Value::as_object_mut);
        match proxy.and_then(|proxy| proxy.remove("password")) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => {
                let password = OneOrMany::One(Secret::new(text));
                credential.0.insert(PROXY_PASSWORD.to_owned(), password);
            }
            Some(_) => return Err(D::Error::custom("`proxy.password` must be a text")),
        }
        let plan = serde_json::from_value(Value::Object(fields)).map_err(D::Error::custom)?;
        Ok(Self { plan, credential })
    }
}

impl ConnectorFile {
    /// Reads YAML (or JSON, which is YAML).
    ///
    /// # Errors
    /// Says where the text is not a file of connectors.
    pub fn read(text: &str) -> Result<Self, SettingsError> {
        // Without a snippet: the lines around the fault may hold plain secrets.
        let options = serde_saphyr::options! { with_snippet: false };
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            SettingsError::new(
                "connectors",
                format!("cannot be read: {error}"),
                "see `tarn connector types` for the settings of each integration",
            )
        })
    }
}

impl ConnectorDocument {
    /// The document as people may see it: every secret is the mask.
    pub fn masked(&self) -> Value {
        let mut value = serde_json::to_value(&self.plan).unwrap_or_default();
        if self.credential.0.contains_key(PROXY_PASSWORD)
            && let Some(proxy) = value.get_mut("proxy").and_then(Value::as_object_mut)
        {
            proxy.insert("password".to_owned(), Value::from(MASK));
        }
        let secrets = self.credential.0.iter().filter(|(name, _)| *name != PROXY_PASSWORD);
        let secrets: Vec<_> = secrets.collect();
        if let (Value::Object(fields), false) = (&mut value, secrets.is_empty()) {
            let masked = secrets.into_iter().map(|(name, secrets)| {
                let mask = match secrets {
                    OneOrMany::One(_) => Value::from(MASK),
                    OneOrMany::Many(all) => vec![MASK; all.len()].into(),
                };
                (name.clone(), mask)
            });
            fields.insert("credential".to_owned(), Value::Object(masked.collect()));
        }
        value
    }

    /// Replaces every mask by the secret that is stored in its place.
    ///
    /// # Errors
    /// A mask stands where nothing is stored.
    pub fn keep_masked(&mut self, stored: Option<&Credential>) -> Result<(), SettingsError> {
        for (name, secrets) in &mut self.credential.0 {
            let before: Vec<Secret> = stored
                .and_then(|credential| credential.0.get(name))
                .map(|kept| kept.iter().cloned().collect())
                .unwrap_or_default();
            let places: Vec<&mut Secret> = match secrets {
                OneOrMany::One(secret) => vec![secret],
                OneOrMany::Many(all) => all.iter_mut().collect(),
            };
            for (index, secret) in places.into_iter().enumerate().filter(|(_, s)| s.is_mask()) {
                *secret = before.get(index).cloned().ok_or_else(|| {
                    SettingsError::new(
                        setting_of(name),
                        "is masked, but nothing is stored to keep",
                        "give the secret itself, or `env:NAME` or `file:PATH`",
                    )
                })?;
            }
        }
        Ok(())
    }

    /// Reads `env:NAME` and `file:PATH` where they stand for a secret.
    ///
    /// # Errors
    /// The variable is not set, or the file cannot be read.
    pub fn resolve(
        &mut self,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), SettingsError> {
        for (name, secrets) in &mut self.credential.0 {
            let places: Vec<&mut Secret> = match secrets {
                OneOrMany::One(secret) => vec![secret],
                OneOrMany::Many(all) => all.iter_mut().collect(),
            };
            for secret in places {
                *secret = resolve(&setting_of(name), secret, variable)?;
            }
        }
        Ok(())
    }
}

/// Where a secret stands in the document.
fn setting_of(name: &str) -> String {
    if name == PROXY_PASSWORD { name.to_owned() } else { format!("credential.{name}") }
}

/// The secret that a document means: `env:NAME` and `file:PATH` are read by the process that applies it.
///
/// # Errors
/// The variable is not set, or the file cannot be read.
pub fn resolve(
    setting: &str,
    secret: &Secret,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Secret, SettingsError> {
    if let Some(name) = secret.expose().strip_prefix("env:") {
        return variable(name).map(Secret::new).ok_or_else(|| {
            SettingsError::new(
                setting,
                format!("names the environment variable `{name}`, which is not set"),
                format!("set {name} where this command runs"),
            )
        });
    }
    if let Some(path) = secret.expose().strip_prefix("file:") {
        let text = std::fs::read_to_string(path).map_err(|error| {
            SettingsError::new(
                setting,
                format!("names the file `{path}`, which cannot be read: {error}"),
                "check the path and its permissions where this command runs",
            )
        })?;
        return Ok(Secret::new(text.trim_end_matches(['\r', '\n'])));
    }
    Ok(secret.clone())
}

fn yes() -> bool {
    true
}

/// Optional durations in documents.
mod optional_duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::DurationText;

    pub(super) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        duration.map(DurationText).serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<DurationText>::deserialize(input)?.map(|text| text.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
connectors:
  - name: 経理 CAS
    integration: trend_micro_cas
    credential: { api_keys: ["env:CAS_KEY", "plain"] }
    parameters: { base_url: "http://127.0.0.1:9001", services: [sharepoint] }
    interval: 5m
    backfill: 72h
    quota: { requests: 20, per: 60s }
    proxy: null
"#;

    #[test]
    fn a_document_reads_resolves_and_prints_masked() {
        let mut file = ConnectorFile::read(FILE).unwrap();
        let document = &mut file.connectors[0];
        document.resolve(&|name| (name == "CAS_KEY").then(|| "k1".to_owned())).unwrap();
        let secrets: Vec<&str> =
            document.credential.0["api_keys"].iter().map(Secret::expose).collect();
        assert_eq!(secrets, ["k1", "plain"]);
        let shown = document.masked();
        assert_eq!(shown["credential"]["api_keys"], serde_json::json!([MASK, MASK]));
        assert_eq!(shown["interval"], "5m");
        assert!(!shown.to_string().contains("plain"));
    }

    #[test]
    fn a_mask_keeps_what_is_stored_and_is_refused_where_nothing_is() {
        let mut shown =
            ConnectorFile::read(&FILE.replace("plain", MASK)).unwrap().connectors.remove(0);
        let stored = ConnectorFile::read(FILE).unwrap().connectors.remove(0).credential;
        assert!(shown.keep_masked(None).unwrap_err().to_string().contains("api_keys"));
        shown.keep_masked(Some(&stored)).unwrap();
        assert_eq!(shown.credential.0["api_keys"].iter().nth(1).unwrap().expose(), "plain");
    }

    #[test]
    fn the_proxys_password_is_a_secret_and_the_rest_is_not() {
        let proxy =
            "proxy: { address: \"http://p.example:3128\", user: tarn, password: \"env:PW\" }";
        let text = FILE.replace("proxy: null", proxy);
        let mut document = ConnectorFile::read(&text).unwrap().connectors.remove(0);
        document.resolve(&|name| Some(format!("the value of {name}"))).unwrap();
        let password = document.credential.0[PROXY_PASSWORD].iter().next().unwrap();
        assert_eq!(password.expose(), "the value of PW");
        let shown = document.masked();
        assert_eq!(
            shown["proxy"],
            serde_json::json!({"address": "http://p.example:3128", "user": "tarn", "password": MASK})
        );
        assert_eq!(shown["credential"].as_object().unwrap().len(), 1);
        let plan = serde_json::to_string(&document.plan).unwrap();
        assert!(plan.contains("p.example") && !plan.contains("password"), "{plan}");
        // What was shown can be applied again and keeps the password.
        let mut again: ConnectorDocument = serde_json::from_value(shown).unwrap();
        assert!(again.keep_masked(None).is_err());
        again.keep_masked(Some(&document.credential)).unwrap();
        let kept = again.credential.0[PROXY_PASSWORD].iter().next().unwrap();
        assert_eq!(kept.expose(), "the value of PW");
    }

    #[test]
    fn a_proxy_that_cannot_be_read_is_refused_without_its_password() {
        for proxy in [
            "proxy: { address: a, password: [s3cret] }",
            "proxy: { password: s3cret }",
            "proxy: { address: a, pasword: s3cret }",
            "proxy: s3cret",
        ] {
            let error = ConnectorFile::read(&FILE.replace("proxy: null", proxy)).unwrap_err();
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = ConnectorFile::read(&FILE.replace("interval", "intervall")).unwrap_err();
        assert!(error.to_string().contains("intervall"), "{error}");
    }

    #[test]
    fn a_fault_in_the_file_is_told_without_the_lines_around_it() {
        let error = ConnectorFile::read(&FILE.replace("interval: 5m", "interval: [")).unwrap_err();
        assert!(!error.to_string().contains("plain"), "{error}");
    }

    #[test]
    fn an_unset_variable_is_named() {
        let mut document = ConnectorFile::read(FILE).unwrap().connectors.remove(0);
        let error = document.resolve(&|_| None).unwrap_err();
        assert!(error.to_string().contains("CAS_KEY"), "{error}");
    }
}
