//! Writes the description of the classes that code can walk at run time.

use std::path::PathBuf;

use super::table::{Attribute, Format, Kind, Table};
use super::{GENERATED, MODEL_FOLDER};

/// One static per class and object.
pub(crate) fn render(table: &Table) -> Vec<(PathBuf, String)> {
    let mut code = format!(
        "//! Every class and object as data.\n{GENERATED}\nuse super::class::Class;\nuse super::values;\nuse crate::ocsf::schema::{{Attribute, Format, Kind, Object}};\n\n"
    );
    code.push_str("/// The attributes of a class.\npub(crate) fn attributes(class: Class) -> &'static [Attribute] { match class {\n");
    for class in &table.classes {
        putln!(
            code,
            "Class::{} => {},",
            super::names::type_name(&class.name),
            static_name(&class.name)
        );
    }
    code.push_str("}}\n\n");
    for class in &table.classes {
        put!(
            code,
            "static {}: &[Attribute] = &[\n{}];\n\n",
            static_name(&class.name),
            rows(&class.attributes)
        );
    }
    for object in &table.objects {
        put!(
            code,
            "static {}: Object = Object {{ name: {:?}, attributes: &[\n{}] }};\n\n",
            object_static(&object.name),
            object.name,
            rows(&object.attributes)
        );
    }
    vec![(PathBuf::from(MODEL_FOLDER).join("attributes.rs"), code)]
}

fn static_name(class: &str) -> String {
    class.to_ascii_uppercase()
}

fn object_static(object: &str) -> String {
    format!("OBJECT_{}", object.to_ascii_uppercase())
}

fn rows(attributes: &[Attribute]) -> String {
    attributes.iter().map(row).collect()
}

fn row(attribute: &Attribute) -> String {
    let mut row = format!("Attribute::new({:?}, {})", attribute.name, kind(attribute));
    if attribute.list {
        row.push_str(".list()");
    }
    if attribute.required {
        row.push_str(".required()");
    }
    if let Some(values) = &attribute.values {
        put!(row, ".values(values::{values}::ALL)");
    }
    if let Some(text) = &attribute.text {
        put!(row, ".text({text:?})");
    }
    if let Some(profile) = &attribute.profile {
        put!(row, ".profile({profile:?})");
    }
    row + ",\n"
}

fn kind(attribute: &Attribute) -> String {
    match attribute.kind() {
        Kind::String(format) => format!("Kind::String(Format::{})", self::format(format)),
        Kind::Integer => "Kind::Integer".to_owned(),
        Kind::Port => "Kind::Port".to_owned(),
        Kind::Long => "Kind::Long".to_owned(),
        Kind::Timestamp => "Kind::Timestamp".to_owned(),
        Kind::Float => "Kind::Float".to_owned(),
        Kind::Boolean => "Kind::Boolean".to_owned(),
        Kind::Json => "Kind::Json".to_owned(),
        Kind::Object(name) => format!("Kind::Object(&{})", object_static(name)),
    }
}

fn format(format: Format) -> &'static str {
    match format {
        Format::Any => "Any",
        Format::Email => "Email",
        Format::Ip => "Ip",
        Format::Mac => "Mac",
    }
}
