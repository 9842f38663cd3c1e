//! What a run works on: the targets that a record names, and the names that expressions may read.

use std::net::IpAddr;

use model::action::spec::ActionParameterKind;
use model::action::{Entity, EntityKind, Input};
use model::ocsf::format;
use model::secret::Secret;
use serde_json::{Map, Value};

use super::auth::Auth;
use super::document::ResponderDocument;
use super::error::WebhookError;
use super::expression::{Found, Template, scope};
use super::masking::Masks;
use super::plan::Plan;
use super::sign;
use super::values::{self, Scope};

/// A record and an input, ready for the request's expressions.
pub(crate) struct Prepared {
    /// The record, its helpers, and the parameters.
    pub(crate) scope: Scope,
    /// What it works on.
    pub(crate) targets: Vec<Entity>,
    /// Other names of the same things.
    pub(crate) known_as: Vec<Entity>,
}

impl Prepared {
    /// Reads the targets of a record. Without a rule in the document, the input's entities are the targets.
    pub(crate) fn new(plan: &Plan, record: &Value, input: &Input) -> Result<Self, WebhookError> {
        let mut names = scope(record.clone());
        let parameters = values::pruned(Value::Object(input.parameters.clone()));
        names.insert("parameters".to_owned(), parameters);
        let Some(target) = &plan.target else {
            // Only what the request is made of is worked on: a guard over anything else guards nothing.
            let targets = if plan.names_targets() { input.entities.clone() } else { Vec::new() };
            return Ok(Self { scope: names, targets, known_as: Vec::new() });
        };
        let kind = target.kind.text(&names, |value, _| Ok(value.to_owned()))?;
        let kind: EntityKind = kind.parse().map_err(|_| {
            WebhookError::at(
                "target.type",
                (
                    &format!("comes to `{kind}`, which is no kind of entity"),
                    &format!("の値 `{kind}` はエンティティの種類ではありません"),
                ),
                ("mend the expression", "式を直してください"),
            )
        })?;
        let targets = entities(kind, &target.value, &names)?;
        if targets.is_empty() {
            return Err(WebhookError::at(
                "target.value",
                ("is empty in this record", "はこのレコードでは空です"),
                (
                    "choose a record that names something to work on",
                    "対象のあるレコードを選んでください",
                ),
            ));
        }
        let mut known_as = Vec::new();
        for (kind, template) in &target.known_as {
            for entity in entities(*kind, template, &names)? {
                if !targets.iter().chain(&known_as).any(|known: &Entity| known.is_same(&entity)) {
                    known_as.push(entity);
                }
            }
        }
        Ok(Self { scope: names, targets, known_as })
    }

    /// The names with the targets that the request is for.
    pub(crate) fn with_targets(&self, permitted: &[Entity]) -> Scope {
        let mut names = self.scope.clone();
        let values: Vec<Value> =
            permitted.iter().map(|entity| entity.value.clone().into()).collect();
        if let Some(first) = values.first() {
            names.insert("target".to_owned(), first.clone());
            names.insert("targets".to_owned(), Value::Array(values));
        }
        names
    }
}

/// The things that an expression names, each once.
fn entities(
    kind: EntityKind,
    value: &Template,
    names: &Scope,
) -> Result<Vec<Entity>, WebhookError> {
    let values = match value.find(names)? {
        Found::Nothing => Vec::new(),
        Found::Value(Value::Array(values)) => values,
        Found::Value(value) => vec![value],
    };
    let mut entities: Vec<Entity> = Vec::new();
    for text in values.iter().filter_map(values::text) {
        let entity = Entity::new(kind, text.trim());
        if !entity.value.is_empty() && !entities.iter().any(|known| known.is_same(&entity)) {
            entities.push(entity);
        }
    }
    Ok(entities)
}

/// Whether a value can be what its kind says.
pub(crate) fn is_valid(entity: &Entity) -> bool {
    let value = &*entity.value;
    let is_line = !value.chars().any(char::is_control);
    let is_word = is_line && !value.chars().any(char::is_whitespace);
    match entity.kind {
        EntityKind::Url | EntityKind::Domain => {
            is_word && value.contains('.') || value.parse::<url::Url>().is_ok()
        }
        EntityKind::Ip => value.parse::<IpAddr>().is_ok(),
        EntityKind::Hash => {
            matches!(value.len(), 40 | 64) && value.bytes().all(|byte| byte.is_ascii_hexdigit())
        }
        EntityKind::EmailAddress => format::is_email(value),
        EntityKind::MessageId => is_word,
        _ => is_line,
    }
}

/// Everything that must not be seen of a run.
pub(crate) fn masks(document: &ResponderDocument, parameters: &Map<String, Value>) -> Masks {
    let mut masks = Masks::default();
    if let Some((_, secret)) = document.auth.secret() {
        masks.add(secret);
    }
    if let Auth::Basic { user, password } = &document.auth {
        masks.add(&Secret::new(sign::basic(user, password).trim_start_matches("Basic ")));
    }
    let is_secret = |name: &str| {
        let found = document.parameters.iter().find(|known| known.name == name);
        found.is_some_and(|known| known.kind == ActionParameterKind::Secret)
    };
    for (_, value) in parameters.iter().filter(|(name, _)| is_secret(name)) {
        if let Some(text) = values::text(value) {
            masks.add(&Secret::new(text));
        }
    }
    masks
}
