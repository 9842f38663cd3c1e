//! Names and sizes of the generated Rust: how an OCSF name and type are written in code.

use super::table::{Attribute, Kind, Object, Table};

/// Above this size an object is kept behind a pointer, so that events stay cheap to move.
const BOXED_ABOVE_BYTES: usize = 256;

/// `email_activity` → `EmailActivity`.
pub(crate) fn type_name(name: &str) -> String {
    name.split('_').map(capitalised).collect()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// `MTA Relay` → `MTA_RELAY`.
pub(crate) fn constant_name(caption: &str) -> String {
    let mut name = String::new();
    for letter in caption.chars() {
        if letter.is_ascii_alphanumeric() {
            name.push(letter.to_ascii_uppercase());
        } else if !name.ends_with('_') && !name.is_empty() {
            name.push('_');
        }
    }
    let name = name.trim_end_matches('_').to_owned();
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("N{name}") } else { name }
}

/// The field of an attribute: its own name, escaped where Rust has a keyword of that name.
pub(crate) fn field_name(name: &str) -> String {
    if matches!(name, "type" | "ref" | "match" | "use" | "mod" | "in" | "loop" | "where") {
        format!("r#{name}")
    } else {
        name.to_owned()
    }
}

/// The field's type. Lists are empty and all else is `None` when the event has nothing to say.
pub(crate) fn field_type(table: &Table, attribute: &Attribute) -> String {
    let inner = match attribute.kind() {
        Kind::String(_) => "Cow<'a, str>".to_owned(),
        Kind::Integer | Kind::Port => "i32".to_owned(),
        Kind::Long | Kind::Timestamp => "i64".to_owned(),
        Kind::Float => "f64".to_owned(),
        Kind::Boolean => "bool".to_owned(),
        Kind::Json => "Json<'a>".to_owned(),
        Kind::Object(name) => {
            let object = format!("{}<'a>", type_name(name));
            if !attribute.list && is_boxed(table, name) { format!("Box<{object}>") } else { object }
        }
    };
    if attribute.list { format!("Vec<{inner}>") } else { format!("Option<{inner}>") }
}

/// Whether a single object of this name is kept behind a pointer.
pub(crate) fn is_boxed(table: &Table, name: &str) -> bool {
    table.object(name).is_some_and(|object| size_bytes(table, object) > BOXED_ABOVE_BYTES)
}

fn size_bytes(table: &Table, object: &Object) -> usize {
    let field = |attribute: &Attribute| match attribute.kind() {
        _ if attribute.list => 24,
        Kind::String(_) | Kind::Json => 24,
        Kind::Integer | Kind::Port => 8,
        Kind::Long | Kind::Timestamp | Kind::Float => 16,
        Kind::Boolean => 1,
        Kind::Object(name) if is_boxed(table, name) => 8,
        Kind::Object(name) => table.object(name).map_or(0, |inner| size_bytes(table, inner)),
    };
    object.attributes.iter().map(field).sum()
}

#[cfg(test)]
mod tests {
    use super::{constant_name, type_name};

    #[test]
    fn ocsf_names_become_rust_names() {
        assert_eq!(type_name("data_security_finding"), "DataSecurityFinding");
        assert_eq!(constant_name("MTA Relay"), "MTA_RELAY");
        assert_eq!(constant_name("SHA-256"), "SHA_256");
        assert_eq!(constant_name("Data (at rest)"), "DATA_AT_REST");
    }
}
