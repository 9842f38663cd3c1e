//! Writes the lake's column builders: one struct per object and class, and the choice among classes.

use std::path::PathBuf;

use super::GENERATED;
use super::names::{field_name, is_boxed, type_name};
use super::table::{Attribute, Kind, Table};

/// Folder of the generated part of the lake.
pub(crate) const COLUMNS_FOLDER: &str = "crates/lake/src/columns/generated";

/// The lake writes this attribute itself, from the record's identity.
const OWN: &str = "time";

/// One file for all objects, one per class, and the module that joins them.
pub(crate) fn render(table: &Table) -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(COLUMNS_FOLDER);
    let mut files = vec![
        (folder.join("mod.rs"), module_file(table)),
        (folder.join("objects.rs"), objects_file(table)),
    ];
    for class in &table.classes {
        let attributes: Vec<&Attribute> =
            class.attributes.iter().filter(|attribute| attribute.name != OWN).collect();
        let mut code =
            format!("//! Columns of OCSF {} ({}).\n{GENERATED}\n", class.title, class.uid);
        code.push_str("use arrow::array::ArrayRef;\nuse model::ocsf::");
        put!(code, "{};\n\n", type_name(&class.name));
        code.push_str("use super::objects::*;\nuse crate::columns::nested::List;\nuse crate::columns::scalar::*;\nuse crate::columns::Column as _;\n\n");
        struct_item(&mut code, &class.name, &attributes, false);
        class_methods(&mut code, table, &class.name, &attributes);
        files.push((folder.join(format!("{}.rs", class.name)), code));
    }
    files
}

fn module_file(table: &Table) -> String {
    let mut code = format!("//! Columns of every class.\n{GENERATED}\n");
    let names: Vec<(&str, String)> =
        table.classes.iter().map(|class| (class.name.as_str(), type_name(&class.name))).collect();
    for (module, _) in &names {
        putln!(code, "mod {module};");
    }
    code.push_str(
        "mod objects;\n\nuse arrow::array::ArrayRef;\nuse model::ocsf::{Class, Event};\n\n",
    );
    code.push_str("/// Columns of events of one class.\npub(crate) enum EventColumns {\n");
    for (module, name) in &names {
        putln!(code, "/// Of `{module}`.\n{name}(Box<{module}::{name}Columns>),");
    }
    code.push_str("}\n\nimpl EventColumns {\n");
    code.push_str(
        "/// Empty columns of a class.\npub(crate) fn new(class: Class) -> Self { match class {\n",
    );
    for (_, name) in &names {
        putln!(code, "Class::{name} => Self::{name}(Box::default()),");
    }
    code.push_str(
        "} }\n\n/// Puts an event into a row; one of another class leaves the row empty.\n",
    );
    code.push_str(
        "pub(crate) fn put(&mut self, row: usize, event: &Event<'_>) { match (self, event) {\n",
    );
    for (_, name) in &names {
        putln!(code, "(Self::{name}(columns), Event::{name}(event)) => columns.put(row, event),");
    }
    code.push_str("_ => debug_assert!(false, \"an event of another class\"),\n} }\n\n");
    code.push_str(
        "/// The columns by attribute, `None` where no row has a value; empty again afterwards.\n",
    );
    code.push_str("pub(crate) fn finish(&mut self, rows: usize) -> Vec<(&'static str, Option<ArrayRef>)> { match self {\n");
    for (_, name) in &names {
        putln!(code, "Self::{name}(columns) => columns.finish(rows),");
    }
    code.push_str("} }\n}\n");
    code
}

fn objects_file(table: &Table) -> String {
    let mut code = format!("//! Columns of the objects that events are made of.\n{GENERATED}\n");
    code.push_str("use arrow::array::ArrayRef;\nuse model::ocsf::objects::*;\n\n");
    code.push_str("use crate::columns::nested::{List, Presence};\nuse crate::columns::scalar::*;\nuse crate::columns::Column;\n\n");
    for object in &table.objects {
        let attributes: Vec<&Attribute> = object.attributes.iter().collect();
        struct_item(&mut code, &object.name, &attributes, true);
        let name = type_name(&object.name);
        put!(
            code,
            "impl Column for {name}Columns {{ type Value<'v> = &'v {name}<'v>;\n\n\
             fn put(&mut self, row: usize, value: &{name}<'_>) {{ self.present.put(row);\n"
        );
        put_lines(&mut code, table, &attributes);
        code.push_str("}\n\nfn finish(&mut self, rows: usize) -> Option<ArrayRef> {\n");
        code.push_str("let attributes = [\n");
        finish_lines(&mut code, &attributes);
        code.push_str("];\nself.present.object(rows, attributes)\n} }\n\n");
    }
    code
}

fn struct_item(code: &mut String, name: &str, attributes: &[&Attribute], nullable: bool) {
    put!(
        code,
        "/// Columns of `{name}`.\n#[derive(Default)]\npub(crate) struct {}Columns {{\n",
        type_name(name)
    );
    if nullable {
        code.push_str("present: Presence,\n");
    }
    for attribute in attributes {
        putln!(code, "{}: {},", field_name(&attribute.name), column_type(attribute));
    }
    code.push_str("}\n\n");
}

fn class_methods(code: &mut String, table: &Table, name: &str, attributes: &[&Attribute]) {
    let name = type_name(name);
    put!(
        code,
        "impl {name}Columns {{ /// Puts an event into a row.\n\
         pub(super) fn put(&mut self, row: usize, value: &{name}<'_>) {{\n"
    );
    put_lines(code, table, attributes);
    code.push_str("}\n\n/// The columns by attribute, `None` where no row has a value.\n");
    code.push_str("pub(super) fn finish(&mut self, rows: usize) -> Vec<(&'static str, Option<ArrayRef>)> { vec![\n");
    finish_lines(code, attributes);
    code.push_str("] }\n}\n");
}

fn put_lines(code: &mut String, table: &Table, attributes: &[&Attribute]) {
    for attribute in attributes {
        let field = field_name(&attribute.name);
        let line = if attribute.list {
            format!("self.{field}.put_all(row, value.{field}.iter(){});", item_access(attribute))
        } else {
            format!("self.{field}.put_some(row, value.{field}{});", value_access(table, attribute))
        };
        code.push_str(&line);
        code.push('\n');
    }
}

/// How an optional field is lent to its column.
fn value_access(table: &Table, attribute: &Attribute) -> &'static str {
    match attribute.kind() {
        Kind::String(_) => ".as_deref()",
        Kind::Json => ".as_ref().map(|json| json.as_str())",
        Kind::Object(name) if is_boxed(table, name) => ".as_deref()",
        Kind::Object(_) => ".as_ref()",
        _ => "",
    }
}

/// How the items of a list are lent to their column.
fn item_access(attribute: &Attribute) -> &'static str {
    match attribute.kind() {
        Kind::String(_) => ".map(|text| &**text)",
        Kind::Json => ".map(|json| json.as_str())",
        Kind::Object(_) => "",
        _ => ".copied()",
    }
}

fn finish_lines(code: &mut String, attributes: &[&Attribute]) {
    for attribute in attributes {
        let field = field_name(&attribute.name);
        putln!(code, "(\"{}\", self.{field}.finish(rows)),", attribute.name);
    }
}

fn column_type(attribute: &Attribute) -> String {
    let inner = match attribute.kind() {
        Kind::String(_) | Kind::Json => "Text".to_owned(),
        Kind::Integer | Kind::Port => "Integer".to_owned(),
        Kind::Long => "Long".to_owned(),
        Kind::Timestamp => "Millis".to_owned(),
        Kind::Float => "Float".to_owned(),
        Kind::Boolean => "Boolean".to_owned(),
        Kind::Object(name) => format!("{}Columns", type_name(name)),
    };
    if attribute.list { format!("List<{inner}>") } else { inner }
}
