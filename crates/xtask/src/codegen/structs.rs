//! Writes the structs of classes and objects, with what they can do by themselves.

use std::path::PathBuf;

use super::names::{field_name, field_type, type_name};
use super::table::{Attribute, Class, Kind, Table};
use super::{GENERATED, MODEL_FOLDER};

/// One file per class and one for all objects.
pub(crate) fn render(table: &Table) -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(MODEL_FOLDER);
    let mut files: Vec<(PathBuf, String)> = table
        .classes
        .iter()
        .map(|class| (folder.join(format!("{}.rs", class.name)), class_file(table, class)))
        .collect();
    files.push((folder.join("objects.rs"), objects_file(table)));
    files
}

fn class_file(table: &Table, class: &Class) -> String {
    let mut code = format!(
        "//! OCSF {} ({}): {}\n{GENERATED}\nuse std::borrow::Cow;\n\nuse serde::{{Deserialize, Serialize}};\n\n",
        class.title, class.uid, class.doc
    );
    code.push_str("use super::class::Class;\nuse super::objects::*;\nuse super::values;\nuse crate::ocsf::json::Json;\nuse crate::ocsf::stamp;\n\n");
    struct_item(&mut code, table, &class.name, &class.doc, &class.attributes);
    put!(
        code,
        "impl {0}<'_> {{ /// The class of these events.\npub const CLASS: Class = Class::{0};\n\n",
        type_name(&class.name)
    );
    code.push_str("pub(crate) fn stamp_texts(&mut self) {\n");
    for line in stamp_lines(table, &class.attributes) {
        code.push_str(&line);
    }
    code.push_str("}\n\n");
    used_profiles(&mut code, table, class);
    code.push_str("}\n\n");
    code
}

fn objects_file(table: &Table) -> String {
    let mut code = format!(
        "//! The objects that OCSF events are made of.\n{GENERATED}\nuse std::borrow::Cow;\n\nuse serde::{{Deserialize, Serialize}};\n\n"
    );
    code.push_str("use super::values;\nuse crate::ocsf::json::Json;\nuse crate::ocsf::stamp;\n\n");
    for object in &table.objects {
        struct_item(&mut code, table, &object.name, &object.doc, &object.attributes);
        let lines = stamp_lines(table, &object.attributes);
        if lines.is_empty() {
            continue;
        }
        let name = type_name(&object.name);
        put!(
            code,
            "impl {name}<'_> {{ pub(crate) fn stamp_texts(&mut self) {{ {} }} }}\n\n",
            lines.concat()
        );
    }
    code
}

fn struct_item(code: &mut String, table: &Table, name: &str, doc: &str, attributes: &[Attribute]) {
    put!(
        code,
        "/// {doc}\n#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]\n#[serde(default)]\npub struct {}<'a> {{\n",
        type_name(name)
    );
    for attribute in attributes {
        let empty = if attribute.list { "Vec::is_empty" } else { "Option::is_none" };
        put!(
            code,
            "/// {}{}\n#[serde(skip_serializing_if = \"{empty}\")]\npub {}: {},\n",
            attribute.doc,
            meaning(attribute),
            field_name(&attribute.name),
            field_type(table, attribute)
        );
    }
    code.push_str("}\n\n");
}

/// What the reader must know beyond the sentence of the table.
fn meaning(attribute: &Attribute) -> String {
    let mut more = String::new();
    if let Some(values) = &attribute.values {
        put!(more, " See [`values::{values}`].");
    }
    if attribute.kind() == Kind::Timestamp && attribute.name != "time" {
        more.push_str(" Milliseconds since 1970.");
    }
    if let Some(profile) = &attribute.profile {
        put!(more, " Profile `{profile}`.");
    }
    if attribute.required {
        more.push_str(" Required.");
    }
    more
}

/// Statements that fill the texts beside ids, here and in the objects below.
fn stamp_lines(table: &Table, attributes: &[Attribute]) -> Vec<String> {
    attributes.iter().filter_map(|attribute| stamp_line(table, attribute)).collect()
}

fn stamp_line(table: &Table, attribute: &Attribute) -> Option<String> {
    let field = field_name(&attribute.name);
    if let (Some(text), Some(values)) = (&attribute.text, &attribute.values) {
        let text = field_name(text);
        return Some(if attribute.list {
            format!("stamp::texts(&self.{field}, &mut self.{text}, values::{values}::ALL);\n")
        } else {
            format!("stamp::text(self.{field}, &mut self.{text}, values::{values}::ALL);\n")
        });
    }
    let Kind::Object(name) = attribute.kind() else { return None };
    let inner = table.object(name)?;
    if stamp_lines(table, &inner.attributes).is_empty() {
        return None;
    }
    let looped = if attribute.list {
        format!("for item in &mut self.{field} {{ item.stamp_texts(); }}\n")
    } else {
        format!("if let Some(item) = &mut self.{field} {{ item.stamp_texts(); }}\n")
    };
    Some(looped)
}

fn used_profiles(code: &mut String, table: &Table, class: &Class) {
    code.push_str(
        "pub(crate) fn used_profiles(&self) -> Vec<&'static str> { let mut used = Vec::new();\n",
    );
    for profile in table.profiles.keys() {
        let conditions: Vec<String> = class
            .attributes
            .iter()
            .filter(|attribute| attribute.profile.as_ref() == Some(profile))
            .map(|attribute| {
                let field = field_name(&attribute.name);
                if attribute.list {
                    format!("!self.{field}.is_empty()")
                } else {
                    format!("self.{field}.is_some()")
                }
            })
            .collect();
        if !conditions.is_empty() {
            putln!(code, "if {} {{ used.push(\"{profile}\"); }}", conditions.join(" || "));
        }
    }
    code.push_str("used }\n");
}
