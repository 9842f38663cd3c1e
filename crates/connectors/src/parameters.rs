//! Reads a connector's parameters against its manifest, so that every refusal names the setting, what
//! is wrong, and what to write instead.

use std::time::Duration;

use model::connector::{OneOrMany, Settings, SettingsError};
use model::manifest::{Manifest, Parameter, ParameterKind, duration_text};
use model::secret::Secret;
use serde_json::Value;

/// The parameters of one connector beside the manifest that declares them.
#[derive(Debug)]
pub(crate) struct Parameters<'a> {
    manifest: &'a Manifest,
    settings: &'a Settings,
}

impl<'a> Parameters<'a> {
    /// Binds settings to a manifest.
    ///
    /// # Errors
    /// A parameter, a credential field or a content type is unknown, or a required one is missing.
    pub(crate) fn new(
        manifest: &'a Manifest,
        settings: &'a Settings,
    ) -> Result<Self, SettingsError> {
        let known: Vec<_> = manifest.parameters.iter().map(|known| known.name.as_str()).collect();
        for name in settings.parameters.keys() {
            require_known(&format!("parameters.{name}"), name, &known)?;
        }
        let known: Vec<_> = manifest.credential.iter().map(|known| known.name.as_str()).collect();
        for name in settings.credential.0.keys() {
            require_known(&format!("credential.{name}"), name, &known)?;
        }
        let known: Vec<_> =
            manifest.content_types.iter().map(|known| known.name.as_str()).collect();
        for name in &settings.content_types {
            require_known("content_types", name, &known)?;
        }
        let parameters = Self { manifest, settings };
        for parameter in manifest.parameters.iter().filter(|parameter| parameter.required) {
            if parameters.value(parameter).is_none() {
                let setting = format!("parameters.{}", parameter.name);
                return Err(SettingsError::new(setting, "is missing", parameter.help.as_str()));
            }
        }
        Ok(parameters)
    }

    /// The text of a parameter of kind text or URL, without white space around it.
    ///
    /// # Errors
    /// The value is no text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, SettingsError> {
        let Some((parameter, value)) = self.find(name) else { return Ok(None) };
        match value {
            Value::String(text) => Ok(Some(text.trim().to_owned())),
            other => Err(wrong_type(parameter, "a text", other)),
        }
    }

    /// The chosen values of a list parameter in the manifest's order, each once.
    ///
    /// # Errors
    /// The value is no list of texts, is empty, or names a value that the manifest does not list.
    pub(crate) fn choices(&self, name: &str) -> Result<Vec<String>, SettingsError> {
        let Some((parameter, value)) = self.find(name) else { return Ok(Vec::new()) };
        let setting = format!("parameters.{name}");
        let allowed = parameter.values.join(", ");
        let given = match value {
            Value::Array(items) => items.as_slice(),
            text @ Value::String(_) => std::slice::from_ref(text),
            other => return Err(wrong_type(parameter, "a list of texts", other)),
        };
        if given.is_empty() {
            let remedy = format!("name at least one of {allowed}, or leave it out for all");
            return Err(SettingsError::new(setting, "is an empty list", remedy));
        }
        let mut chosen = Vec::with_capacity(given.len());
        for item in given {
            let Some(text) = item.as_str() else {
                return Err(wrong_type(parameter, "a list of texts", item));
            };
            let text = text.trim().to_ascii_lowercase();
            if !parameter.values.contains(&text) {
                let problem = format!("has the unknown value `{text}`");
                return Err(SettingsError::new(setting, problem, format!("use {allowed}")));
            }
            chosen.push(text);
        }
        Ok(parameter.values.iter().filter(|value| chosen.contains(value)).cloned().collect())
    }

    /// The texts of a list parameter whose values nobody can list, without white space around them.
    ///
    /// # Errors
    /// The value is neither a text nor a list of texts.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, SettingsError> {
        let Some((parameter, value)) = self.find(name) else { return Ok(Vec::new()) };
        let given = match value {
            Value::Array(items) => items.as_slice(),
            text => std::slice::from_ref(text),
        };
        let text = |item: &Value| {
            let text =
                item.as_str().ok_or_else(|| wrong_type(parameter, "a list of texts", item))?;
            Ok(text.trim().to_owned())
        };
        given.iter().map(text).collect()
    }

    /// A span of time as people write it: `6h`. Nothing where the manifest has no default either.
    ///
    /// # Errors
    /// The value is no span of time.
    pub(crate) fn span(&self, name: &str) -> Result<Duration, SettingsError> {
        let Some((parameter, value)) = self.find(name) else { return Ok(Duration::ZERO) };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        duration_text::parse(&text).map_err(|problem| {
            let setting = format!("parameters.{name}");
            SettingsError::new(setting, format!("cannot be read: {problem}"), &parameter.help)
        })
    }

    /// The one secret of a credential field that may be left out.
    ///
    /// # Errors
    /// There are several.
    pub(crate) fn secret(&self, name: &str) -> Result<Option<Secret>, SettingsError> {
        if !self.settings.credential.0.contains_key(name) {
            return Ok(None);
        }
        Ok(self.secrets(name)?.pop().map(|(_, secret)| secret))
    }

    /// The chosen values of a list parameter; `None` when they are all that there are.
    ///
    /// # Errors
    /// As [`Parameters::choices`].
    pub(crate) fn choices_short_of_all(
        &self,
        name: &str,
    ) -> Result<Option<Vec<String>>, SettingsError> {
        let chosen = self.choices(name)?;
        let known = self.manifest.parameters.iter().find(|known| known.name == name);
        let is_all = known.is_none_or(|known| known.values == chosen);
        Ok((!is_all).then_some(chosen))
    }

    /// The secrets of a credential field, equal ones once, each with its label for people.
    ///
    /// # Errors
    /// The field is missing or empty, or has several secrets where one is expected.
    pub(crate) fn secrets(&self, name: &str) -> Result<Vec<(String, Secret)>, SettingsError> {
        let field = self.manifest.credential.iter().find(|field| field.name == name);
        let help = field.map_or("", |field| field.help.as_str());
        let setting = format!("credential.{name}");
        let Some(given) = self.settings.credential.0.get(name) else {
            return Err(SettingsError::new(setting, "is missing", help));
        };
        let is_pooled = field.is_some_and(|field| field.pooled);
        if let (OneOrMany::Many(many), false) = (given, is_pooled)
            && many.len() > 1
        {
            return Err(SettingsError::new(setting, "takes one secret only", help));
        }
        let mut secrets: Vec<(String, Secret)> = Vec::new();
        for (place, secret) in given.iter().enumerate() {
            if secrets.iter().all(|(_, known)| known.expose() != secret.expose()) {
                secrets.push((format!("{name}[{place}]"), secret.clone()));
            }
        }
        if secrets.is_empty() {
            return Err(SettingsError::new(setting, "is an empty list", help));
        }
        Ok(secrets)
    }

    fn find(&self, name: &str) -> Option<(&'a Parameter, &'a Value)> {
        let parameter = self.manifest.parameters.iter().find(|known| known.name == name)?;
        Some((parameter, self.value(parameter)?))
    }

    fn value(&self, parameter: &'a Parameter) -> Option<&'a Value> {
        let given = self.settings.parameters.get(&parameter.name).filter(|value| !value.is_null());
        given.or(parameter.default.as_ref())
    }
}

fn require_known(setting: &str, name: &str, known: &[&str]) -> Result<(), SettingsError> {
    if known.contains(&name) {
        return Ok(());
    }
    let remedy = format!("remove it, or use {}", known.join(", "));
    Err(SettingsError::new(setting, format!("names the unknown `{name}`"), remedy))
}

fn wrong_type(parameter: &Parameter, expected: &str, found: &Value) -> SettingsError {
    let found = match found {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    };
    let problem = format!("must be {expected}, not {found}");
    let remedy = match parameter.kind {
        ParameterKind::List if !parameter.values.is_empty() => {
            format!("write it as a list: [{}]", parameter.values.join(", "))
        }
        _ => parameter.help.clone(),
    };
    SettingsError::new(format!("parameters.{}", parameter.name), problem, remedy)
}
