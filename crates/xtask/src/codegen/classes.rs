//! Writes the enums `Class` and `Event`, and the list of the generated modules.

use std::path::PathBuf;

use super::names::type_name;
use super::table::{Class, Table};
use super::{GENERATED, MODEL_FOLDER};

/// `class.rs`, `event.rs` and `mod.rs`.
pub(crate) fn render(table: &Table) -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(MODEL_FOLDER);
    vec![
        (folder.join("class.rs"), class_file(table)),
        (folder.join("event.rs"), event_file(table)),
        (folder.join("mod.rs"), module_file(table)),
    ]
}

fn module_file(table: &Table) -> String {
    let mut modules: Vec<String> =
        ["attributes", "class", "event", "objects", "values"].map(str::to_owned).to_vec();
    modules.extend(table.classes.iter().map(|class| class.name.clone()));
    modules.sort();
    let mut code =
        format!("//! The part of the model that is generated from the table.\n{GENERATED}\n");
    for module in modules {
        let seen =
            if matches!(module.as_str(), "objects" | "values") { "pub" } else { "pub(crate)" };
        putln!(code, "{seen} mod {module};");
    }
    code
}

fn class_file(table: &Table) -> String {
    let mut code = format!(
        "//! The classes of OCSF that Tarn writes.\n{GENERATED}\nuse serde::{{Deserialize, Serialize}};\n\n"
    );
    put!(
        code,
        "/// Version of OCSF that the model follows.\npub const VERSION: &str = {:?};\n\n",
        table.version
    );
    code.push_str("/// A class of OCSF events: one table of the lake.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]\n#[serde(rename_all = \"snake_case\")]\npub enum Class {\n");
    for class in &table.classes {
        putln!(
            code,
            "/// {} {}: {}\n{},",
            class.uid,
            class.title,
            class.doc,
            type_name(&class.name)
        );
    }
    code.push_str("}\n\nimpl Class {\n/// Every class, in the order of the table.\n");
    let all: Vec<String> =
        table.classes.iter().map(|class| format!("Self::{}", type_name(&class.name))).collect();
    put!(code, "pub const ALL: [Self; {}] = [{}];\n\n", all.len(), all.join(", "));
    getter(
        &mut code,
        table,
        "The name of its table, such as `email_activity`.",
        "name",
        "&'static str",
        |class| format!("{:?}", class.name),
    );
    getter(&mut code, table, "Its number in OCSF.", "uid", "i32", |class| class.uid.to_string());
    getter(
        &mut code,
        table,
        "Its name for people, such as `Email Activity`.",
        "title",
        "&'static str",
        |class| format!("{:?}", class.title),
    );
    getter(&mut code, table, "The number of its category.", "category_uid", "i32", |class| {
        class.category_uid.to_string()
    });
    getter(
        &mut code,
        table,
        "The name of its category for people.",
        "category_name",
        "&'static str",
        |class| format!("{:?}", class.category_name),
    );
    code.push_str("}\n");
    code
}

fn getter(
    code: &mut String,
    table: &Table,
    doc: &str,
    name: &str,
    answer: &str,
    value: impl Fn(&Class) -> String,
) {
    put!(code, "/// {doc}\npub const fn {name}(self) -> {answer} {{ match self {{\n");
    for class in &table.classes {
        putln!(code, "Self::{} => {},", type_name(&class.name), value(class));
    }
    code.push_str("}}\n\n");
}

fn event_file(table: &Table) -> String {
    let mut code = format!(
        "//! An event of any class.\n{GENERATED}\nuse serde::{{Deserialize as _, Serialize}};\nuse serde_json::Value;\n\nuse super::class::Class;\nuse super::objects::Metadata;\nuse crate::ocsf::json::Json;\nuse crate::ocsf::stamp::{{Header, header}};\n"
    );
    for class in &table.classes {
        putln!(code, "use super::{}::{};", class.name, type_name(&class.name));
    }
    code.push_str("\n/// An event: the struct of its class.\n#[derive(Debug, Clone, PartialEq, Serialize)]\n#[serde(untagged)]\npub enum Event<'a> {\n");
    for class in &table.classes {
        let name = type_name(&class.name);
        putln!(code, "/// {}\n{name}(Box<{name}<'a>>),", class.doc);
    }
    code.push_str("}\n\n");
    for class in &table.classes {
        let name = type_name(&class.name);
        put!(
            code,
            "impl<'a> From<{name}<'a>> for Event<'a> {{ fn from(event: {name}<'a>) -> Self {{ Self::{name}(Box::new(event)) }} }}\n\n"
        );
    }
    code.push_str("impl<'a> Event<'a> {\n");
    let mut each = |head: &str, body: &str| {
        put!(code, "{head} {{ match self {{\n");
        for class in &table.classes {
            let name = type_name(&class.name);
            let binding = if body.contains("event") { "event" } else { "_" };
            putln!(code, "Self::{name}({binding}) => {},", body.replace("NAME", &name));
        }
        code.push_str("}}\n\n");
    };
    each("/// The class of the event.\npub const fn class(&self) -> Class", "Class::NAME");
    each(
        "/// About the record itself.\npub fn metadata(&self) -> Option<&Metadata<'a>>",
        "event.metadata.as_deref()",
    );
    each(
        "/// When it happened, in milliseconds since 1970.\npub fn time_ms(&self) -> Option<i64>",
        "event.time",
    );
    each(
        "/// How severe it is; see [`crate::ocsf::values::severity`].\npub fn severity_id(&self) -> Option<i32>",
        "event.severity_id",
    );
    each(
        "/// What the schema has no place for.\npub fn unmapped(&self) -> Option<&Json<'a>>",
        "event.unmapped.as_ref()",
    );
    each("pub(crate) fn header(&mut self) -> Header<'_, 'a>", "header!(event)");
    each("pub(crate) fn stamp_texts(&mut self)", "event.stamp_texts()");
    each("pub(crate) fn used_profiles(&self) -> Vec<&'static str>", "event.used_profiles()");
    code.push_str("}\n\n");
    code.push_str("/// Reads a value that has only attributes of the class, each of its type.\npub(crate) fn read(class: Class, value: &Value) -> Result<Event<'static>, serde_json::Error> { match class {\n");
    for class in &table.classes {
        let name = type_name(&class.name);
        putln!(code, "Class::{name} => {name}::deserialize(value).map(Event::from),");
    }
    code.push_str("}}\n\n/// An event of the class that says nothing.\npub(crate) fn empty(class: Class) -> Event<'static> { match class {\n");
    for class in &table.classes {
        let name = type_name(&class.name);
        putln!(code, "Class::{name} => {name}::default().into(),");
    }
    code.push_str("}}\n");
    code
}
