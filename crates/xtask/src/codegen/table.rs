//! The OCSF table of `content/ocsf/` as types: read once, resolved, and checked for contradictions.
//!
//! Every writer of generated code is a pure function of [`Table`]; none of them reads a file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The whole table, with every class's attributes resolved.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Table {
    /// Version of the schema, as `metadata.version` says it.
    pub(crate) version: String,
    /// What each profile is for, by name.
    pub(crate) profiles: BTreeMap<String, String>,
    /// The classes in the order of the table.
    pub(crate) classes: Vec<Class>,
    /// The objects by name.
    pub(crate) objects: Vec<Object>,
    /// What ids mean, by the name that attributes refer to.
    pub(crate) values: BTreeMap<String, Values>,
}

/// id → caption.
pub(crate) type Values = BTreeMap<i32, String>;

/// A class of events.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Class {
    pub(crate) name: String,
    pub(crate) uid: i32,
    pub(crate) title: String,
    pub(crate) category_uid: i32,
    pub(crate) category_name: String,
    pub(crate) doc: String,
    /// Common attributes, the class's own, those of profiles: in the order of the struct's fields.
    pub(crate) attributes: Vec<Attribute>,
}

/// An object that attributes hold.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) doc: String,
    pub(crate) attributes: Vec<Attribute>,
}

/// One attribute of a class or an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attribute {
    /// Name in OCSF.
    pub(crate) name: String,
    /// Scalar type or name of an object.
    pub(crate) r#type: String,
    /// Whether it holds a list.
    #[serde(default)]
    pub(crate) list: bool,
    /// Whether OCSF demands it.
    #[serde(default)]
    pub(crate) required: bool,
    /// The attribute that says this id as text.
    #[serde(default)]
    pub(crate) text: Option<String>,
    /// Name of the table of what the ids mean.
    #[serde(default)]
    pub(crate) values: Option<String>,
    /// The profile that must be listed where this attribute is used.
    #[serde(default)]
    pub(crate) profile: Option<String>,
    /// One sentence about it.
    pub(crate) doc: String,
}

/// What an attribute holds, once its type is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'t> {
    String(Format),
    Integer,
    Port,
    Long,
    Timestamp,
    Float,
    Boolean,
    Json,
    Object(&'t str),
}

/// The form that OCSF demands of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Any,
    Email,
    Ip,
    Mac,
}

impl Attribute {
    /// Looks the type up: every name that is not a scalar is an object's.
    pub(crate) fn kind(&self) -> Kind<'_> {
        match self.r#type.as_str() {
            "string" | "url_t" | "hostname_t" | "username_t" | "file_name_t" | "file_path_t"
            | "file_hash_t" | "resource_uid_t" | "process_name_t" => Kind::String(Format::Any),
            "email_t" => Kind::String(Format::Email),
            "ip_t" => Kind::String(Format::Ip),
            "mac_t" => Kind::String(Format::Mac),
            "integer" => Kind::Integer,
            "port_t" => Kind::Port,
            "long" => Kind::Long,
            "timestamp" => Kind::Timestamp,
            "float" => Kind::Float,
            "boolean" => Kind::Boolean,
            "json" => Kind::Json,
            object => Kind::Object(object),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventFile {
    version: String,
    classes: Vec<String>,
    categories: BTreeMap<String, Category>,
    profiles: BTreeMap<String, String>,
    common: Vec<Attribute>,
    profile_attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Category {
    uid: i32,
    title: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassFile {
    name: String,
    uid: i32,
    title: String,
    category: String,
    doc: String,
    activities: Values,
    attributes: Vec<Attribute>,
    /// Shared attributes that the class does not have.
    #[serde(default)]
    without: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ObjectBody {
    title: String,
    doc: String,
    attributes: Vec<Attribute>,
}

impl Table {
    /// Reads the folder and checks that the table makes sense.
    pub(crate) fn load(folder: &Path) -> Result<Self> {
        let event: EventFile = read(&folder.join("event.yaml"))?;
        let objects: BTreeMap<String, ObjectBody> = read(&folder.join("objects.yaml"))?;
        let mut values: BTreeMap<String, Values> = read(&folder.join("enums.yaml"))?;
        let mut classes = Vec::new();
        for name in &event.classes {
            let file: ClassFile = read(&folder.join("classes").join(format!("{name}.yaml")))?;
            ensure!(&file.name == name, "classes/{name}.yaml calls itself `{}`", file.name);
            values.insert(file.name.clone(), file.activities.clone());
            classes.push(resolve(&event, file)?);
        }
        let objects = objects
            .into_iter()
            .map(|(name, body)| Object {
                name,
                title: body.title,
                doc: body.doc,
                attributes: body.attributes,
            })
            .collect();
        let table =
            Self { version: event.version, profiles: event.profiles, classes, objects, values };
        table.check()?;
        Ok(table.without_spare_objects())
    }

    /// The table may hold objects that wait for their class; the code does not.
    fn without_spare_objects(mut self) -> Self {
        let mut names = BTreeSet::new();
        for class in &self.classes {
            self.reach(&class.attributes, &mut names);
        }
        self.objects.retain(|object| names.contains(&object.name));
        self
    }

    fn reach(&self, attributes: &[Attribute], names: &mut BTreeSet<String>) {
        for attribute in attributes {
            if let Kind::Object(name) = attribute.kind()
                && names.insert(name.to_owned())
                && let Some(object) = self.object(name)
            {
                self.reach(&object.attributes, names);
            }
        }
    }

    /// The object of this name; the check at loading made sure that there is one.
    pub(crate) fn object(&self, name: &str) -> Option<&Object> {
        self.objects.iter().find(|object| object.name == name)
    }

    /// Every list of attributes with the name of its owner.
    pub(crate) fn owners(&self) -> impl Iterator<Item = (&str, &[Attribute])> {
        let classes = self.classes.iter().map(|class| (class.name.as_str(), &class.attributes[..]));
        let objects =
            self.objects.iter().map(|object| (object.name.as_str(), &object.attributes[..]));
        classes.chain(objects)
    }

    fn check(&self) -> Result<()> {
        for (owner, attributes) in self.owners() {
            for attribute in attributes {
                self.check_attribute(attribute, attributes)
                    .with_context(|| format!("attribute `{owner}.{}`", attribute.name))?;
            }
            let names: BTreeSet<&str> = attributes.iter().map(|a| a.name.as_str()).collect();
            ensure!(names.len() == attributes.len(), "`{owner}` has an attribute twice");
        }
        for object in &self.objects {
            self.check_depth(&object.name, &mut Vec::new())?;
            let profiled = object.attributes.iter().find(|attribute| attribute.profile.is_some());
            ensure!(profiled.is_none(), "`{}`: only classes may use profiles", object.name);
        }
        Ok(())
    }

    fn check_attribute(&self, attribute: &Attribute, siblings: &[Attribute]) -> Result<()> {
        if let Kind::Object(name) = attribute.kind() {
            ensure!(self.object(name).is_some(), "there is no type or object `{name}`");
        }
        if let Some(profile) = &attribute.profile {
            ensure!(self.profiles.contains_key(profile), "there is no profile `{profile}`");
        }
        ensure!(
            attribute.text.is_some() == attribute.values.is_some(),
            "`text` and `values` go together"
        );
        if let Some(values) = &attribute.values {
            ensure!(self.values.contains_key(values), "there are no values `{values}`");
            ensure!(attribute.kind() == Kind::Integer, "only integers have values");
        }
        if let Some(text) = &attribute.text {
            let Some(sibling) = siblings.iter().find(|sibling| &sibling.name == text) else {
                bail!("its text `{text}` is missing beside it");
            };
            ensure!(
                sibling.kind() == Kind::String(Format::Any) && sibling.list == attribute.list,
                "its text `{text}` is of another shape"
            );
        }
        Ok(())
    }

    /// Columns cannot be recursive, so neither may the objects be.
    fn check_depth<'t>(&'t self, name: &'t str, path: &mut Vec<&'t str>) -> Result<()> {
        ensure!(!path.contains(&name), "object `{name}` contains itself: {}", path.join(" > "));
        path.push(name);
        for attribute in self.object(name).map_or(&[][..], |object| &object.attributes) {
            if let Kind::Object(inner) = attribute.kind() {
                self.check_depth(inner, path)?;
            }
        }
        path.pop();
        Ok(())
    }
}

/// Joins a class's attributes with the common ones; what the class states again, wins in place, and
/// what it goes without is left out.
fn resolve(event: &EventFile, file: ClassFile) -> Result<Class> {
    let ClassFile { name, uid, title, category, doc, attributes: own, without, .. } = file;
    let Some(category) = event.categories.get(&category) else {
        bail!("class `{name}` is in category `{category}`, which event.yaml does not have");
    };
    let is_shared = |wanted: &str| {
        event.common.iter().chain(&event.profile_attributes).any(|shared| shared.name == wanted)
    };
    let restated = |shared: &Attribute| {
        own.iter().find(|attribute| attribute.name == shared.name).unwrap_or(shared).clone()
    };
    let mut attributes: Vec<Attribute> = event.common.iter().map(restated).collect();
    attributes.extend(own.iter().filter(|attribute| !is_shared(&attribute.name)).cloned());
    attributes.extend(event.profile_attributes.iter().map(restated));
    for left_out in &without {
        ensure!(is_shared(left_out), "class `{name}` cannot go without `{left_out}`");
        attributes.retain(|attribute| attribute.name != *left_out);
    }
    for attribute in &mut attributes {
        if attribute.values.as_deref() == Some("activity") {
            attribute.values = Some(name.clone());
        }
    }
    Ok(Class {
        name,
        uid,
        title,
        category_uid: category.uid,
        category_name: category.title.clone(),
        doc,
        attributes,
    })
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("failed to read `{}`", path.display()))?;
    serde_saphyr::from_str(&text)
        .with_context(|| format!("failed to understand `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{Attribute, Category, ClassFile, EventFile, Object, Table, resolve};

    fn attribute(name: &str, r#type: &str) -> Attribute {
        Attribute {
            name: name.to_owned(),
            r#type: r#type.to_owned(),
            list: false,
            required: false,
            text: None,
            values: None,
            profile: None,
            doc: "Sample.".to_owned(),
        }
    }

    /// What is wrong with a table of one object named `user`.
    fn fault(attributes: Vec<Attribute>) -> String {
        let object = Object {
            name: "user".to_owned(),
            title: "User".to_owned(),
            doc: "Sample.".to_owned(),
            attributes,
        };
        let table = Table {
            version: "1.8.0".to_owned(),
            profiles: [].into(),
            classes: Vec::new(),
            objects: vec![object],
            values: [("severity".to_owned(), [].into())].into(),
        };
        table.check().map_or_else(|error| format!("{error:#}"), |()| String::new())
    }

    /// The attributes of a class that goes without one of two shared ones, `policy` and `actor`.
    fn resolved(without: &str) -> Result<Vec<String>, String> {
        let event = EventFile {
            version: "1.8.0".to_owned(),
            classes: Vec::new(),
            categories: [("iam".to_owned(), Category { uid: 3, title: "IAM".to_owned() })].into(),
            profiles: [].into(),
            common: vec![attribute("actor", "string")],
            profile_attributes: vec![attribute("policy", "string")],
        };
        let file = ClassFile {
            name: "account_change".to_owned(),
            uid: 3001,
            title: "Account Change".to_owned(),
            category: "iam".to_owned(),
            doc: "Sample.".to_owned(),
            activities: [].into(),
            attributes: vec![attribute("user", "string")],
            without: vec![without.to_owned()],
        };
        let class = resolve(&event, file).map_err(|error| error.to_string())?;
        Ok(class.attributes.into_iter().map(|attribute| attribute.name).collect())
    }

    #[test]
    fn a_class_may_go_without_a_shared_attribute_but_not_without_its_own() {
        assert_eq!(resolved("policy").unwrap(), ["actor", "user"]);
        assert!(resolved("user").unwrap_err().contains("cannot go without `user`"));
    }

    #[test]
    fn contradictions_in_the_table_are_refused() {
        assert_eq!(fault(vec![attribute("name", "string")]), "");
        assert!(fault(vec![attribute("manager", "user")]).contains("contains itself"));
        assert!(fault(vec![attribute("name", "text")]).contains("no type or object `text`"));
        let twice = vec![attribute("name", "string"), attribute("name", "string")];
        assert!(fault(twice).contains("an attribute twice"));
        let id = Attribute {
            text: Some("severity".to_owned()),
            values: Some("severity".to_owned()),
            ..attribute("severity_id", "integer")
        };
        assert!(fault(vec![id]).contains("its text `severity` is missing"));
    }
}
