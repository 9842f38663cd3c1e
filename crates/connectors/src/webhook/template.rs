//! Templates: responders with everything filled in but the place and the secret. Files, with tests.

use std::path::Path;

use model::action::Text;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::document::ResponderDocument;
use super::error::WebhookError;

/// A template.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its name, as a responder's `template` gives it: `Trend Vision One Isolate Endpoint`.
    pub template: String,
    /// For people.
    pub title: Text,
    /// What it does and what it needs.
    pub help: Text,
    /// What it fills in.
    pub responder: Map<String, Value>,
}

const BUILT_IN: [&str; 5] = [
    include_str!("../../../../content/responders/trend_vision_one_add_to_block_list.yaml"),
    include_str!("../../../../content/responders/trend_vision_one_isolate_endpoint.yaml"),
    include_str!("../../../../content/responders/trend_vision_one_quarantine_email_message.yaml"),
    include_str!("../../../../content/responders/trend_vision_one_remove_from_block_list.yaml"),
    include_str!(
        "../../../../content/responders/trend_vision_one_restore_endpoint_connection.yaml"
    ),
];

/// The templates of this build.
pub fn templates() -> Vec<Template> {
    let read = |text: &&str| serde_saphyr::from_str::<Template>(text);
    BUILT_IN.iter().filter_map(|text| read(text).ok()).collect()
}

/// The templates of a user's folder: every `.yaml`, `.yml` and `.json` file, in the order of their names.
///
/// # Errors
/// The folder cannot be read, or a file of it is no template.
pub fn load(folder: &Path) -> Result<Vec<Template>, WebhookError> {
    let unreadable = |path: &Path, detail: String| {
        let path = path.display();
        WebhookError::new(
            (
                format!("failed to read the template `{path}`: {detail}"),
                format!("テンプレート `{path}` を読めません: {detail}"),
            ),
            ("mend or remove the file", "ファイルを直すか削除してください"),
        )
    };
    let entries =
        std::fs::read_dir(folder).map_err(|error| unreadable(folder, error.to_string()))?;
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let is_document = |path: &&std::path::PathBuf| {
        path.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json")
    };
    let mut templates = Vec::new();
    for path in paths.iter().filter(is_document) {
        let text =
            std::fs::read_to_string(path).map_err(|error| unreadable(path, error.to_string()))?;
        templates.push(
            serde_saphyr::from_str(&text).map_err(|error| unreadable(path, error.to_string()))?,
        );
    }
    Ok(templates)
}

impl ResponderDocument {
    /// Reads a document from YAML or JSON, over the template that it names.
    ///
    /// # Errors
    /// It cannot be read, names an unknown template, or says something that no responder has.
    pub fn read(text: &str, templates: &[Template]) -> Result<Self, WebhookError> {
        let value: Value =
            serde_saphyr::from_str(text).map_err(|error| unusable(&error.to_string()))?;
        Self::from_value(value, templates)
    }

    /// Reads a document from JSON, over the template that it names.
    ///
    /// # Errors
    /// As for [`ResponderDocument::read`].
    pub fn from_value(value: Value, templates: &[Template]) -> Result<Self, WebhookError> {
        let name = value.get("template").and_then(Value::as_str).map(str::to_owned);
        let value = match name {
            None => value,
            Some(name) => over(template(&name, templates)?, value),
        };
        let document: Self =
            serde_json::from_value(value).map_err(|error| unusable(&error.to_string()))?;
        super::check::shape(&document)?;
        Ok(document)
    }
}

/// The template of this name, however its letters are cased.
fn template<'t>(name: &str, templates: &'t [Template]) -> Result<&'t Template, WebhookError> {
    let same =
        |template: &&Template| template.template.to_lowercase() == name.trim().to_lowercase();
    templates.iter().find(same).ok_or_else(|| {
        let known: Vec<_> = templates.iter().map(|template| &*template.template).collect();
        let known = known.join(", ");
        WebhookError::at(
            "template",
            (&format!("`{name}` is not known"), &format!("`{name}` は見つかりません")),
            (&format!("use one of: {known}"), &format!("次のどれかを使ってください: {known}")),
        )
    })
}

/// A document over its template: maps are merged, everything else is replaced.
fn over(template: &Template, document: Value) -> Value {
    let mut base = Value::Object(template.responder.clone());
    if let Value::Object(map) = &mut base {
        for (key, text) in [("title", &template.title), ("help", &template.help)] {
            map.entry(key).or_insert_with(|| serde_json::to_value(text).unwrap_or_default());
        }
    }
    merge(&mut base, document, "");
    base
}

/// Bodies and queries are replaced whole: half of one and half of another is nobody's.
fn merge(base: &mut Value, over: Value, key: &str) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) if !matches!(key, "body" | "query") => {
            if key == "auth" && over.get("type").is_some_and(|kind| base.get("type") != Some(kind))
            {
                *base = over;
                return;
            }
            for (key, value) in over {
                merge(base.entry(key.clone()).or_insert(Value::Null), value, &key);
            }
        }
        (base, over) => *base = over,
    }
}

fn unusable(detail: &str) -> WebhookError {
    let detail = detail.lines().next().unwrap_or_default();
    WebhookError::new(
        (
            format!("responder document cannot be used: {detail}"),
            format!("レスポンダーの文書を使えません: {detail}"),
        ),
        ("mend the field that is named", "示された項目を直してください"),
    )
}
