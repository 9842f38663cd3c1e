//! Responders as people write and see them.

use engine::actions::responders::{
    EditedRequest, ResponderChange as EngineChange, ResponderView, Template as EngineTemplate,
};
use model::action::journal::ShownRequest;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

/// Documents of responders: a list in `responders`, or one document.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Documents {
    /// One document, or several in `responders`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub(crate) documents: Map<String, Value>,
}

/// How documents are applied.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ApplyParameters {
    /// Only say what would change.
    pub(crate) dry_run: Option<bool>,
}

/// What applying a document does to one responder.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Change {
    /// Its tenant, or `all`.
    tenant: String,
    /// Its name.
    name: String,
    /// `create`, `update` or `unchanged`.
    kind: &'static str,
}

impl From<EngineChange> for Change {
    fn from(change: EngineChange) -> Self {
        Self { tenant: change.tenant, name: change.name, kind: change.kind }
    }
}

/// A webhook that somebody made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResponderShown {
    /// Its name.
    name: String,
    /// What its runs are called: `responder.NAME`.
    action: String,
    /// The tenant that may use it; `all` for every one.
    tenant: String,
    /// The template that it was made from.
    template: Option<String>,
    /// What it does to the world.
    #[schema(value_type = String)]
    effect: Value,
    /// The responder that takes it back.
    reverse: Option<String>,
    /// The document, secrets masked.
    #[schema(value_type = Object)]
    document: Value,
    /// Grows by one with every change.
    revision: i64,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<ResponderView> for ResponderShown {
    fn from(view: ResponderView) -> Self {
        Self {
            name: view.name,
            action: view.action,
            tenant: view.tenant,
            template: view.template,
            effect: serde_json::json!(view.effect),
            reverse: view.reverse,
            document: view.document,
            revision: view.revision,
            updated_at: view.updated_at,
        }
    }
}

/// A template that responders can be made from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResponderTemplate {
    /// Its name, as a document's `template` gives it.
    template: String,
    /// For people, in both languages.
    #[schema(value_type = Object)]
    title: Value,
    /// What it does, in both languages.
    #[schema(value_type = Object)]
    help: Value,
    /// What it fills in.
    #[schema(value_type = Object)]
    responder: Value,
}

impl From<EngineTemplate> for ResponderTemplate {
    fn from(template: EngineTemplate) -> Self {
        Self {
            title: serde_json::json!(template.title),
            help: serde_json::json!(template.help),
            responder: Value::Object(template.responder),
            template: template.template,
        }
    }
}

/// What a responder shall be previewed for. Everything may be left out, and so may the body.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewWanted {
    /// The uid of the record.
    pub(crate) record: Option<String>,
    /// Its parameters by name.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(crate) parameters: Map<String, Value>,
    /// What is changed about its request.
    #[serde(default)]
    pub(crate) edited: Edited,
}

/// What is changed about a responder's request; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EditedRequest)]
pub(crate) struct Edited {
    /// The path, with expressions.
    path: Option<String>,
    /// The query, with expressions.
    #[schema(value_type = Option<Object>)]
    query: Option<Map<String, Value>>,
    /// The body, with expressions: JSON, or JSON as text.
    #[schema(value_type = Option<Object>)]
    body: Option<Value>,
}

impl Edited {
    /// Whether nothing is changed.
    pub(crate) fn is_empty(&self) -> bool {
        self.path.is_none() && self.query.is_none() && self.body.is_none()
    }
}

impl From<Edited> for EditedRequest {
    fn from(edited: Edited) -> Self {
        Self { path: edited.path, query: edited.query, body: edited.body }
    }
}

/// A request as it would be sent, secrets masked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewedRequest {
    /// The method.
    method: String,
    /// The whole URL.
    url: String,
    /// The headers by name in lower case.
    #[schema(value_type = Object)]
    headers: std::collections::BTreeMap<String, String>,
    /// The body.
    #[schema(value_type = Object)]
    body: Value,
}

impl From<ShownRequest> for PreviewedRequest {
    fn from(shown: ShownRequest) -> Self {
        Self { method: shown.method, url: shown.url, headers: shown.headers, body: shown.body }
    }
}
