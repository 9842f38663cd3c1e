//! The classes as data, for code that walks events by name: reading JSON, checking fields of queries.

use super::Class;
use super::generated;

/// One attribute of a class or an object.
#[derive(Debug)]
pub struct Attribute {
    /// Name in OCSF.
    pub name: &'static str,
    /// What it holds; when `list` is set, what each item is.
    pub kind: Kind,
    /// Whether it holds a list.
    pub list: bool,
    /// Whether OCSF demands it (within a profile, when the profile is used).
    pub required: bool,
    /// The attribute beside it that says this id as text.
    pub text: Option<&'static str>,
    /// What the ids mean; empty where the attribute is no id.
    pub values: &'static [(i32, &'static str)],
    /// The profile that must be listed where this attribute is used.
    pub profile: Option<&'static str>,
}

impl Attribute {
    pub(crate) const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, list: false, required: false, text: None, values: &[], profile: None }
    }

    pub(crate) const fn list(self) -> Self {
        Self { list: true, ..self }
    }

    pub(crate) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(crate) const fn text(self, name: &'static str) -> Self {
        Self { text: Some(name), ..self }
    }

    pub(crate) const fn values(self, values: &'static [(i32, &'static str)]) -> Self {
        Self { values, ..self }
    }

    pub(crate) const fn profile(self, name: &'static str) -> Self {
        Self { profile: Some(name), ..self }
    }

    /// What an id means, as OCSF writes it.
    pub fn caption(&self, id: i64) -> Option<&'static str> {
        self.values.iter().find(|(value, _)| i64::from(*value) == id).map(|(_, caption)| *caption)
    }
}

/// What an attribute holds.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text, in a form that OCSF may demand.
    String(Format),
    /// A number of 32 bits.
    Integer,
    /// A port, from 0 to 65535.
    Port,
    /// A number of 64 bits.
    Long,
    /// Milliseconds since 1970.
    Timestamp,
    /// A number with a fraction.
    Float,
    /// True or false.
    Boolean,
    /// Any JSON value.
    Json,
    /// An object with attributes of its own.
    Object(&'static Object),
}

/// The form that OCSF demands of a string; [`super::format`] has the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// No form.
    Any,
    /// A mail address.
    Email,
    /// An IP address.
    Ip,
    /// A hardware address.
    Mac,
}

/// An object that attributes hold. Objects never contain themselves.
#[derive(Debug)]
pub struct Object {
    /// Name in OCSF.
    pub name: &'static str,
    /// Its attributes, in the order of the struct's fields.
    pub attributes: &'static [Attribute],
}

/// The attributes of a class, in the order of the struct's fields.
pub fn attributes(class: Class) -> &'static [Attribute] {
    generated::attributes::attributes(class)
}

/// Whether a path leads to one value: it exists, holds no object, and passes no list.
pub fn holds_one(class: Class, path: &str) -> bool {
    let steps = path.match_indices('.').map(|(end, _)| &path[..end]);
    let is_single = |path: &str| attribute(class, path).is_some_and(|found| !found.list);
    let is_value = |path: &str| {
        attribute(class, path).is_some_and(|found| !matches!(found.kind, Kind::Object(_)))
    };
    steps.chain([path]).all(is_single) && is_value(path)
}

/// The attribute at a path such as `actor.user.name`; lists are walked like objects.
pub fn attribute(class: Class, path: &str) -> Option<&'static Attribute> {
    let mut siblings = attributes(class);
    let mut steps = path.split('.').peekable();
    loop {
        let step = steps.next()?;
        let found = siblings.iter().find(|attribute| attribute.name == step)?;
        if steps.peek().is_none() {
            return Some(found);
        }
        let Kind::Object(object) = found.kind else { return None };
        siblings = object.attributes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_holds_one_value_when_it_passes_no_list_and_ends_at_no_object() {
        for path in ["time", "api.operation", "api.request.data", "actor.user.uid"] {
            assert!(holds_one(Class::ApiActivity, path), "{path}");
        }
        for path in ["resources.uid", "metadata.profiles", "api", "api.nothing", ""] {
            assert!(!holds_one(Class::ApiActivity, path), "{path}");
        }
    }
}
