//! Validates events against OCSF's JSON Schema and the checks that a schema cannot make.
//!
//! The schemas are made by `cargo xtask schemas`; without them the tests say so and fail.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::Value;

static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Panics with everything that is wrong with an event.
#[track_caller]
pub(crate) fn assert_valid(event: &Value) {
    let mut faults = model::ocsf::check::check(event);
    let validator = validator(&schema_name(event));
    faults.extend(
        validator.iter_errors(event).map(|error| format!("{} at {}", error, error.instance_path())),
    );
    let printed = || serde_json::to_string_pretty(event).unwrap();
    assert!(faults.is_empty(), "{}\n{}", faults.join("\n"), printed());
}

fn schema_name(event: &Value) -> String {
    let uid = event["class_uid"].as_i64().and_then(|uid| i32::try_from(uid).ok()).unwrap();
    let class = model::ocsf::Class::from_uid(uid).unwrap();
    let profiles = event["metadata"].get("profiles").and_then(Value::as_array);
    let mut names: Vec<_> = profiles.into_iter().flatten().filter_map(Value::as_str).collect();
    names.sort_unstable();
    format!("{}__{}.json", class.name(), names.join("+"))
}

fn validator(name: &str) -> Arc<Validator> {
    let mut validators = VALIDATORS.lock().unwrap();
    let made = validators.entry(name.to_owned()).or_insert_with(|| {
        let path = folder().join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; run `cargo xtask schemas`", path.display())
        });
        let schema: Value = serde_json::from_str(&text).unwrap();
        Arc::new(jsonschema::validator_for(&schema).unwrap())
    });
    made.clone()
}

fn folder() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from);
    if let Some(folder) = set("TARN_OCSF_SCHEMAS") {
        return folder;
    }
    let below = |target: PathBuf| target.join("ocsf").join(model::ocsf::VERSION);
    let own = set("CARGO_TARGET_DIR").map(below).filter(|folder| folder.is_dir());
    own.unwrap_or_else(|| below(set("HOME").unwrap_or_default().join(".cache/tarn/target")))
}
