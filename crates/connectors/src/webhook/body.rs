//! Bodies: a tree whose every text is a template of its own. What comes out is a tree again, so that no
//! value can end the place where it stands.

use serde_json::{Map, Value};

use super::error::WebhookError;
use super::expression::{Expression, Found, Template};
use super::values::{self, Scope};

/// The key of `name in list`.
const FOR: &str = "$for";
/// The key of what stands there for each value of the list.
const ITEM: &str = "$item";

/// A tree of templates.
pub(crate) enum Node {
    /// A number, `true`, `false` or `null`.
    Fixed(Value),
    /// A text.
    Text(Template),
    /// A list.
    List(Vec<Node>),
    /// An object; its keys are templates too.
    Map(Vec<(Template, Node)>),
    /// One element for each value of a list.
    Each { name: String, list: Expression, item: Box<Node>, place: String },
}

impl Node {
    /// Reads a tree.
    pub(crate) fn new(value: &Value, place: &str) -> Result<Self, WebhookError> {
        Ok(match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::Fixed(value.clone()),
            Value::String(text) => Self::Text(Template::new(text, place)?),
            Value::Array(values) => Self::List(
                values
                    .iter()
                    .enumerate()
                    .map(|(index, value)| Self::new(value, &format!("{place}[{index}]")))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Object(map) if map.contains_key(FOR) || map.contains_key(ITEM) => {
                each(map, place)?
            }
            Value::Object(map) => Self::Map(
                map.iter()
                    .map(|(key, value)| {
                        let place = format!("{place}.{key}");
                        Ok((Template::new(key, &place)?, Self::new(value, &place)?))
                    })
                    .collect::<Result<_, _>>()?,
            ),
        })
    }

    /// The tree with the values of a record; `None` where it is left out.
    pub(crate) fn rendered(&self, scope: &Scope) -> Result<Option<Value>, WebhookError> {
        match self {
            Self::Fixed(value) => Ok(Some(value.clone())),
            Self::Text(template) => Ok(match template.find(scope)? {
                Found::Nothing => None,
                Found::Value(value) => Some(value),
            }),
            Self::Each { .. } => self.expanded(scope).map(|values| Some(Value::Array(values))),
            Self::List(nodes) => {
                let mut values = Vec::new();
                for node in nodes {
                    match node {
                        Self::Each { .. } => values.extend(node.expanded(scope)?),
                        _ => values.extend(node.rendered(scope)?),
                    }
                }
                Ok(Some(Value::Array(values)))
            }
            Self::Map(pairs) => {
                let mut map = Map::new();
                for (key, node) in pairs {
                    let key = key.text(scope, |value, _| Ok(value.to_owned()))?;
                    if let Some(value) = node.rendered(scope)?
                        && map.insert(key.clone(), value).is_some()
                    {
                        return Err(WebhookError::at(
                            &key,
                            (
                                "comes twice in one object of the body",
                                "が本文の同じオブジェクトに 2 回あります",
                            ),
                            ("remove one of the keys", "どちらかのキーを削除してください"),
                        ));
                    }
                }
                Ok(Some(Value::Object(map)))
            }
        }
    }

    fn expanded(&self, scope: &Scope) -> Result<Vec<Value>, WebhookError> {
        let Self::Each { name, list, item, place } = self else { return Ok(Vec::new()) };
        let Found::Value(Value::Array(values)) = list.find(scope, place)? else {
            return Err(WebhookError::at(
                place,
                ("goes through something that is no list", "の対象が一覧ではありません"),
                (
                    "name a list such as `tmv1.ioc_url_list`",
                    "`tmv1.ioc_url_list` のような一覧を指定してください",
                ),
            ));
        };
        let mut rendered = Vec::new();
        let mut inner = scope.clone();
        for value in values.into_iter().filter(|value| !values::is_blank(value)) {
            inner.insert(name.clone(), value);
            rendered.extend(item.rendered(&inner)?);
        }
        Ok(rendered)
    }

    /// Calls `visit` with every expression and the names that are bound around it.
    pub(crate) fn visit<'n>(
        &'n self,
        bound: &mut Vec<&'n str>,
        visit: &mut dyn FnMut(&Expression, &[&str]),
    ) {
        match self {
            Self::Fixed(_) => {}
            Self::Text(template) => template.expressions().for_each(|found| visit(found, bound)),
            Self::List(nodes) => nodes.iter().for_each(|node| node.visit(bound, visit)),
            Self::Map(pairs) => {
                for (key, node) in pairs {
                    key.expressions().for_each(|found| visit(found, bound));
                    node.visit(bound, visit);
                }
            }
            Self::Each { name, list, item, .. } => {
                visit(list, bound);
                bound.push(name);
                item.visit(bound, visit);
                bound.pop();
            }
        }
    }
}

fn each(map: &Map<String, Value>, place: &str) -> Result<Node, WebhookError> {
    let wrong = || {
        WebhookError::at(
            place,
            ("has a `$for` that cannot be read", "の `$for` を読めません"),
            (
                "write `{ $for: \"u in tmv1.ioc_url_list\", $item: { url: \"{{ u }}\" } }`",
                "`{ $for: \"u in tmv1.ioc_url_list\", $item: { url: \"{{ u }}\" } }` のように書いてください",
            ),
        )
    };
    let (Some(Value::String(rule)), Some(item), 2) = (map.get(FOR), map.get(ITEM), map.len())
    else {
        return Err(wrong());
    };
    let (name, list) = rule.split_once(" in ").ok_or_else(wrong)?;
    let name = name.trim();
    let is_name = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    if !is_name {
        return Err(wrong());
    }
    Ok(Node::Each {
        name: name.to_owned(),
        list: Expression::new(list, place)?,
        item: Box::new(Node::new(item, place)?),
        place: place.to_owned(),
    })
}

/// The tree of a body: as it stands, or parsed when it was written as text.
pub(crate) fn tree(body: &Value, place: &str) -> Result<Value, WebhookError> {
    let Value::String(text) = body else { return Ok(body.clone()) };
    serde_json::from_str(text).map_err(|error| {
        let detail = error.to_string();
        WebhookError::at(
            place,
            (&format!("is no JSON: {detail}"), &format!("は JSON ではありません: {detail}")),
            (
                "put every expression into quotes, as in `\"ids\": \"{{ tmv1.ioc_url_list }}\"`: it keeps its type",
                "式はすべて引用符で囲んでください (例: `\"ids\": \"{{ tmv1.ioc_url_list }}\"`)。型は保たれます",
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::expression::scope;
    use super::*;

    fn rendered(body: Value, values: Value) -> Result<Value, String> {
        let tree = tree(&body, "body").map_err(|error| error.to_string())?;
        let node = Node::new(&tree, "body").map_err(|error| error.to_string())?;
        let rendered = node.rendered(&scope(values)).map_err(|error| error.to_string())?;
        Ok(rendered.unwrap_or_default())
    }

    #[test]
    fn values_stand_where_they_are_meant_to() {
        let values =
            json!({ "u": ["https://a/", "", "https://b/\",\"x\":\"y"], "k": "url", "box": "" });
        let body = json!([{ "$for": "one in u", "$item": { "{{ k }}": "{{ one }}", "box": "{{ box | optional }}" } }, 1]);
        let expected = json!([{ "url": "https://a/" }, { "url": "https://b/\",\"x\":\"y" }, 1]);
        assert_eq!(rendered(body, values.clone()), Ok(expected));
        assert_eq!(
            rendered(json!("{\"all\": \"{{ u }}\"}"), values),
            Ok(json!({ "all": ["https://a/", "", "https://b/\",\"x\":\"y"] }))
        );
    }

    #[test]
    fn what_cannot_be_a_body_is_told() {
        for (body, expected) in [
            (
                json!("{\"n\": {{ u }}}"),
                "`body` is no JSON: key must be a string at line 1 column 8",
            ),
            (json!({ "$for": "u" , "$item": 1 }), "`body` has a `$for` that cannot be read"),
            (
                json!({ "$for": "u in k", "$item": "{{ u }}" }),
                "`body` goes through something that is no list",
            ),
            (json!({ "a": 1, "{{ k }}": 2 }), "`a` comes twice in one object of the body"),
            (json!(["{{ none }}"]), "field `none` is empty in this record"),
        ] {
            assert_eq!(rendered(body, json!({ "k": "a" })), Err(expected.to_owned()));
        }
    }
}
