//! The template of an AWS account's stack, its link, and its way to S3.
//!
//! Start at `policies`, which holds every variant to least privilege; `lint` has AWS's own rules checked, `upgrade`
//! shows what an update would change, and `stacks` and `publish` try it on a stand-in for AWS.

mod click_path;
mod link;
mod lint;
mod moto;
mod policies;
mod publish;
mod shape;
mod stacks;
mod upgrade;

use connectors::onboarding::{Architecture, Delivery, Placement, Variant, template};
use serde_json::Value;

const VERSION: &str = "1.4.2";

/// The most common kind of stack.
const USUAL: Variant = Variant {
    placement: Placement::NewBucket,
    kms: false,
    delivery: Delivery::Client,
    architecture: Architecture::Arm64,
};

fn parsed(variant: Variant) -> Value {
    serde_json::from_str(&template(variant, VERSION)).unwrap()
}

/// The resources of a template that have a type, with their names.
fn resources<'t>(template: &'t Value, kind: &str) -> Vec<(&'t str, &'t Value)> {
    let resources = template["Resources"].as_object().unwrap().iter();
    let of_kind = resources.filter(|(_, resource)| resource["Type"] == kind);
    of_kind.map(|(name, resource)| (name.as_str(), &resource["Properties"])).collect()
}

/// What stands at every place of a value, with the path that leads there.
fn walk(value: &Value, path: &str, visit: &mut dyn FnMut(&str, &Value)) {
    visit(path, value);
    match value {
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                walk(item, &format!("{path}/{place}"), visit);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                walk(member, &format!("{path}/{name}"), visit);
            }
        }
        _ => {}
    }
}
