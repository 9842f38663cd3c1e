//! Writes the ids of OCSF as constants, with the captions that stand beside them in events.

use std::path::PathBuf;

use super::names::constant_name;
use super::table::{Table, Values};
use super::{GENERATED, MODEL_FOLDER};

/// One module per table of values, and one per class for its activities.
pub(crate) fn render(table: &Table) -> Vec<(PathBuf, String)> {
    let mut code = format!(
        "//! What the ids of OCSF mean: one module per list of ids, and one per class with its activities.\n{GENERATED}\n"
    );
    for (name, values) in &table.values {
        module(&mut code, name, values);
    }
    vec![(PathBuf::from(MODEL_FOLDER).join("values.rs"), code)]
}

fn module(code: &mut String, name: &str, values: &Values) {
    put!(code, "/// Ids of `{name}`.\npub mod {name} {{\n");
    for (id, caption) in values {
        putln!(code, "/// {caption}.\npub const {}: i32 = {id};", constant_name(caption));
    }
    code.push_str("\n/// Every id with its caption.\npub static ALL: &[(i32, &str)] = &[\n");
    for (id, caption) in values {
        putln!(code, "({id}, {caption:?}),");
    }
    code.push_str("];\n}\n\n");
}
