//! What somebody asks of an action, and the check of it before anything is sent.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::entity::Entity;
use super::spec::{ActionParameter, ActionParameterKind, ActionSpec};
use crate::hint::Hint;
use crate::secret::MASK;

/// What a run works on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The things to work on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<Entity>,
    /// Settings by name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
}

/// An input that an action cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{subject}` {problem}")]
pub struct InvalidInput {
    /// What is wrong: `parameters.service`, `entities`.
    pub subject: String,
    /// How, as the end of the sentence that starts with the subject.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

impl Hint for InvalidInput {
    fn hint(&self) -> Option<String> {
        Some(self.remedy.clone())
    }
}

impl Input {
    /// The input as the action declares it: parameters by their names, defaults filled in, values in their
    /// declared spelling and type. Entities of kinds that the action does not work on stay: each is told
    /// apart as skipped.
    ///
    /// # Errors
    /// Names what cannot be used, and what to write instead.
    pub fn checked(&self, spec: &ActionSpec) -> Result<Self, InvalidInput> {
        let mut parameters = Map::new();
        for (name, value) in &self.parameters {
            let Some(parameter) = spec.parameter(name) else {
                let known: Vec<_> = spec.parameters.iter().map(|known| &*known.name).collect();
                let remedy = match known.is_empty() {
                    true => format!("`{}` takes no parameters", spec.name),
                    false => format!("`{}` takes {}", spec.name, known.join(", ")),
                };
                return Err(invalid(format!("parameters.{name}"), "is not known", remedy));
            };
            if !value.is_null() {
                parameters.insert(parameter.name.clone(), parameter.checked(value)?);
            }
        }
        for parameter in &spec.parameters {
            if let Some(default) = &parameter.default {
                parameters.entry(&*parameter.name).or_insert_with(|| default.clone());
            } else if parameter.required && !parameters.contains_key(&parameter.name) {
                let subject = format!("parameters.{}", parameter.name);
                return Err(invalid(subject, "is missing", parameter.help.en.clone()));
            }
        }
        if self.entities.is_empty() && self.parameters.is_empty() && !spec.entities.is_empty() {
            let kinds: Vec<_> = spec.entities.iter().map(|kind| kind.as_str()).collect();
            let remedy = format!("give at least one entity of {}", kinds.join(", "));
            return Err(invalid("entities".to_owned(), "is empty", remedy));
        }
        let mut entities: Vec<Entity> = Vec::new();
        for entity in &self.entities {
            let entity = Entity::new(entity.kind, entity.value.trim());
            if !entities.iter().any(|known| known.is_same(&entity)) {
                entities.push(entity);
            }
        }
        Ok(Self { entities, parameters })
    }

    /// A text parameter; empty when it was not given.
    pub fn text(&self, name: &str) -> &str {
        self.parameters.get(name).and_then(Value::as_str).unwrap_or_default().trim()
    }

    /// The values of a list parameter, each once, in the order of their first mention.
    pub fn list(&self, name: &str) -> Vec<String> {
        let Some(Value::Array(values)) = self.parameters.get(name) else { return Vec::new() };
        let mut list: Vec<String> = Vec::new();
        for value in values.iter().filter_map(Value::as_str) {
            if !list.iter().any(|known| known.eq_ignore_ascii_case(value)) {
                list.push(value.to_owned());
            }
        }
        list
    }

    /// An integer parameter.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.parameters.get(name).and_then(Value::as_i64)
    }

    /// The input without what must not be shown.
    #[must_use]
    pub fn masked(&self, spec: &ActionSpec) -> Self {
        let mut shown = self.clone();
        for parameter in &spec.parameters {
            if parameter.kind == ActionParameterKind::Secret
                && let Some(value) = shown.parameters.get_mut(&parameter.name)
            {
                *value = Value::String(MASK.to_owned());
            }
        }
        shown
    }
}

impl ActionParameter {
    fn checked(&self, value: &Value) -> Result<Value, InvalidInput> {
        let wrong = |problem: &str, remedy: String| {
            Err(invalid(format!("parameters.{}", self.name), problem, remedy))
        };
        let checked = match (self.kind, value) {
            (ActionParameterKind::Text, Value::Number(number)) => Value::String(number.to_string()),
            (ActionParameterKind::Text | ActionParameterKind::Secret, Value::String(_))
            | (ActionParameterKind::Boolean, Value::Bool(_))
            | (ActionParameterKind::Json, _) => value.clone(),
            (ActionParameterKind::Boolean, Value::String(text)) => match text.trim() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => return wrong("is neither true nor false", "write `true` or `false`".into()),
            },
            (ActionParameterKind::Integer, Value::Number(number)) if number.is_i64() => {
                value.clone()
            }
            (ActionParameterKind::Integer, Value::String(text)) => match text.trim().parse::<i64>()
            {
                Ok(number) => Value::from(number),
                Err(_) => return wrong("is not a whole number", "write digits only".into()),
            },
            (ActionParameterKind::List, Value::String(text)) => parts(text),
            (ActionParameterKind::List, Value::Array(values))
                if values.iter().all(Value::is_string) =>
            {
                values
                    .iter()
                    .filter_map(Value::as_str)
                    .map(|text| Value::from(text.trim()))
                    .collect()
            }
            _ => {
                let remedy = format!("it takes {}", self.kind.words());
                return wrong("has a value of the wrong type", remedy);
            }
        };
        if self.required && is_blank(&checked) {
            return wrong("is empty", self.help.en.clone());
        }
        let Some(text) = checked.as_str().filter(|_| !self.values.is_empty()) else {
            return Ok(checked);
        };
        match self.values.iter().find(|known| known.eq_ignore_ascii_case(text.trim())) {
            Some(known) => Ok(Value::String(known.clone())),
            None => wrong("is not a possible value", format!("use {}", self.values.join(", "))),
        }
    }
}

impl ActionParameterKind {
    fn words(self) -> &'static str {
        match self {
            Self::Text | Self::Secret => "text",
            Self::List => "a list of texts, or one text with commas",
            Self::Integer => "a whole number",
            Self::Boolean => "true or false",
            Self::Json => "any JSON",
        }
    }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::String(text) => text.trim().is_empty(),
        Value::Array(values) => values.is_empty(),
        _ => false,
    }
}

/// The parts of a text between commas, without those that are empty.
fn parts(text: &str) -> Value {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Value::from).collect()
}

fn invalid(subject: String, problem: &str, remedy: String) -> InvalidInput {
    InvalidInput { subject, problem: problem.to_owned(), remedy }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::action::entity::EntityKind;

    fn spec() -> ActionSpec {
        serde_saphyr::from_str(
            "
            name: sort
            version: 1
            title: { en: Sort, ja: 並べる }
            help: { en: Sorts., ja: 並べる。 }
            effect: reads
            parameters:
              - { name: message_ids, title: { en: Message IDs, ja: メッセージ ID }, type: list,
                  required: true, help: { en: say which, ja: 指定 } }
              - { name: service, title: { en: Service, ja: サービス }, type: text,
                  values: [Gmail, Exchange], default: Gmail, help: { en: where, ja: どこ } }
              - { name: days, title: { en: Days, ja: 日数 }, type: integer, help: { en: d, ja: 日 } }
            ",
        )
        .unwrap()
    }

    fn checked(parameters: Value) -> Result<Value, String> {
        let input: Input = serde_json::from_value(json!({ "parameters": parameters })).unwrap();
        let checked = input.checked(&spec());
        checked.map(|input| Value::Object(input.parameters)).map_err(|error| error.to_string())
    }

    #[test]
    fn names_titles_defaults_and_types_come_out_as_declared() {
        assert_eq!(
            checked(
                json!({ "Message IDs": " <a@x>, ,<b@x> ", "SERVICE": "exchange", "days": "30" })
            ),
            Ok(json!({ "message_ids": ["<a@x>", "<b@x>"], "service": "Exchange", "days": 30 }))
        );
        assert_eq!(
            checked(json!({ "メッセージ ID": ["<a@x>"], "days": null })),
            Ok(json!({ "message_ids": ["<a@x>"], "service": "Gmail" }))
        );
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (parameters, problem) in [
            (json!({}), "`parameters.message_ids` is missing"),
            (json!({ "message_ids": " , " }), "`parameters.message_ids` is empty"),
            (
                json!({ "message_ids": [1] }),
                "`parameters.message_ids` has a value of the wrong type",
            ),
            (json!({ "message_ids": "a", "to": 1 }), "`parameters.to` is not known"),
            (json!({ "message_ids": "a", "days": "x" }), "`parameters.days` is not a whole number"),
            (
                json!({ "message_ids": "a", "days": 1.5 }),
                "`parameters.days` has a value of the wrong type",
            ),
            (
                json!({ "message_ids": "a", "service": "box" }),
                "`parameters.service` is not a possible value",
            ),
        ] {
            assert_eq!(checked(parameters), Err(problem.to_owned()));
        }
    }

    #[test]
    fn entities_are_taken_once_however_they_are_cased() {
        let mut spec = spec();
        spec.parameters.retain(|parameter| parameter.name == "days");
        spec.entities = vec![EntityKind::Url];
        let entity = |value: &str| Entity::new(EntityKind::Url, value);
        let input = Input {
            entities: vec![entity("http://a.example/"), entity(" HTTP://A.example/ ")],
            ..Input::default()
        };
        assert_eq!(input.checked(&spec).unwrap().entities, [entity("http://a.example/")]);
        assert!(Input::default().checked(&spec).is_err());
    }

    #[test]
    fn the_input_schema_names_what_is_required() {
        let schema = spec().input_schema();
        assert_eq!(schema["required"], json!(["parameters"]));
        assert_eq!(schema["properties"]["parameters"]["required"], json!(["message_ids"]));
        assert_eq!(
            schema["properties"]["parameters"]["properties"]["service"]["enum"],
            json!(["Gmail", "Exchange"])
        );
    }
}
