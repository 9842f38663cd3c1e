//! A variant's template: its parts laid over each other, as JSON.
//!
//! Maps of parts become one map and lists are appended, so that a part can add a statement to a policy that another
//! one began. The parts refer to each other by the names of parameters and resources: `TrailBucket` is a parameter in
//! one and a resource in another, and `Ref` means its name in both.

use serde_json::{Map, Value};

use super::variant::{Architecture, Delivery, Placement, Variant};

const FRAME: &str = include_str!("parts/frame.yaml");
const QUEUE: &str = include_str!("parts/queue.yaml");
const NEW_BUCKET: &str = include_str!("parts/new-bucket.yaml");
const ORGANIZATION: &str = include_str!("parts/organization.yaml");
const EXISTING_BUCKET: &str = include_str!("parts/existing-bucket.yaml");
const NEW_KEY: &str = include_str!("parts/new-key.yaml");
const EXISTING_KEY: &str = include_str!("parts/existing-key.yaml");
const READER: &str = include_str!("parts/reader.yaml");
const CLIENT: &str = include_str!("parts/client.yaml");
const PULL_ONLY: &str = include_str!("parts/pull-only.yaml");

/// The text of a variant's template, in JSON, for a version of Tarn.
pub fn template(variant: Variant, version: &str) -> String {
    serde_json::to_string_pretty(&rendered(variant, version)).expect("names are texts")
}

/// The names of the parameters that a variant's template asks for.
pub fn parameters(variant: Variant) -> Vec<String> {
    let template = rendered(variant, "");
    let names = template["Parameters"].as_object().map(Map::keys);
    names.into_iter().flatten().cloned().collect()
}

fn rendered(variant: Variant, version: &str) -> Value {
    let mut template = Value::Object(Map::new());
    for part in parts(variant) {
        let part = serde_saphyr::from_str(part)
            .expect("the parts are part of the build and a test reads every variant");
        lay_over(&mut template, part);
    }
    fill(&mut template, &fillings(variant, version));
    // A section that is there may not be empty.
    if let Value::Object(sections) = &mut template {
        sections.retain(|_, section| section.as_object().is_none_or(|names| !names.is_empty()));
    }
    template
}

fn parts(variant: Variant) -> Vec<&'static str> {
    let mut parts = vec![FRAME, QUEUE];
    match variant.placement {
        Placement::NewBucket => parts.push(NEW_BUCKET),
        Placement::Organization => parts.extend([NEW_BUCKET, ORGANIZATION]),
        Placement::ExistingBucket => parts.push(EXISTING_BUCKET),
    }
    parts.push(READER);
    match variant.placement {
        _ if !variant.kms => {}
        Placement::NewBucket | Placement::Organization => parts.push(NEW_KEY),
        Placement::ExistingBucket => parts.push(EXISTING_KEY),
    }
    parts.push(match variant.delivery {
        Delivery::Client => CLIENT,
        Delivery::PullOnly => PULL_ONLY,
    });
    parts
}

/// What the parts leave open, and what it becomes.
fn fillings(variant: Variant, version: &str) -> [(&'static str, String); 4] {
    let architecture: Architecture = variant.architecture;
    let prefix = match variant.placement {
        Placement::ExistingBucket => "${TrailPrefix}",
        Placement::NewBucket | Placement::Organization => "",
    };
    [
        ("@VERSION@", version.to_owned()),
        ("@VARIANT@", variant.name()),
        ("@ARCHITECTURE@", architecture.to_string()),
        ("@PREFIX@", prefix.to_owned()),
    ]
}

fn lay_over(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (name, value) in above {
                match below.get_mut(&name) {
                    Some(member) => lay_over(member, value),
                    None => {
                        below.insert(name, value);
                    }
                }
            }
        }
        (Value::Array(below), Value::Array(above)) => below.extend(above),
        (below, above) => *below = above,
    }
}

fn fill(value: &mut Value, fillings: &[(&str, String)]) {
    match value {
        Value::String(text) => {
            for (open, filling) in fillings {
                if text.contains(open) {
                    *text = text.replace(open, filling);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, fillings)),
        Value::Object(members) => members.values_mut().for_each(|member| fill(member, fillings)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn maps_become_one_and_lists_are_appended() {
        let mut below = json!({"a": {"list": [1], "kept": true}, "word": "old"});
        lay_over(&mut below, json!({"a": {"list": [2], "more": 0}, "word": "new"}));
        assert_eq!(below, json!({"a": {"list": [1, 2], "kept": true, "more": 0}, "word": "new"}));
    }

    #[test]
    fn a_version_is_text_whatever_stands_in_it() {
        let variant = Variant::all().next().unwrap();
        let template: Value = serde_json::from_str(&template(variant, "1\"}\n")).unwrap();
        assert_eq!(template["Outputs"]["TemplateVersion"]["Value"], "1\"}\n");
    }
}
