//! Fields as people name them, and the columns that they stand for in each class.
//!
//! A name is, in this order: a name fixed per source (`sensor_type`), an alias of another platform or of a
//! vendor, an OCSF path or a column of our own, a path in the raw record behind its source's prefix
//! (`trendmicro_cas.message.action`), and such a path without prefix where its top tells whose it is
//! (`requestParameters.bucketName`) or only one source feeds the chosen classes.

use std::sync::OnceLock;

use model::ocsf::Class;
use model::ocsf::schema::{self, Attribute, Format, Kind};
use model::source::{Source, Sources};

use crate::aliases::{self, Names};
use crate::near;

/// A field of a query, resolved as far as that is possible without knowing the class.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// As the person wrote it; also the name of its output column.
    pub name: String,
    /// What it reads.
    pub reads: Reads,
}

/// What a field reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Reads {
    /// Columns by class: the first that is there in a row gives the value; in a filter any of them
    /// may hold. Paths are OCSF attribute paths or our own top-level columns. A class that is not
    /// listed has no such field.
    Columns(Vec<(Class, Vec<String>)>),
    /// A path in the raw record: keys from the top, for rows of these sources only.
    Raw {
        /// Source ids.
        sources: Vec<String>,
        /// Keys from the top of the record.
        path: Vec<String>,
    },
    /// A name that is fixed for each source (`sensor_type`, `msg_class` …): source id and its value.
    SourceName(Vec<(String, String)>),
    /// An output column of the stage before (an aggregate, or chosen fields), by the field's name.
    Output,
}

/// What a column holds, as far as queries care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text.
    Text,
    /// Text that is an IP address.
    Ip,
    /// A whole number; with the captions of its values where it is an id.
    Integer(&'static [(i32, &'static str)]),
    /// A number with a fraction.
    Float,
    /// True or false.
    Boolean,
    /// A point in time.
    Time,
    /// JSON of any shape.
    Json,
    /// An object with attributes of its own, or a list of such.
    Object,
}

/// The columns that are ours and not OCSF's.
const OWN: &[(&str, ColumnKind)] = &[
    ("tenant_uid", ColumnKind::Text),
    ("uid", ColumnKind::Text),
    ("source", ColumnKind::Text),
    ("connector_uid", ColumnKind::Text),
    ("connector_name", ColumnKind::Text),
    ("ingest_time", ColumnKind::Time),
    ("day", ColumnKind::Text),
    ("raw_data", ColumnKind::Text),
];

/// Fields of raw records that Interflow calls otherwise: prefix, its name, the vendor's.
const RAW_NAMES: &[(&str, &str, &str)] = &[("trendmicro_visionone", "workbenchId", "id")];

/// What the column at a path holds in a class; `None` when the class has no such column.
pub fn kind(class: Class, path: &str) -> Option<ColumnKind> {
    if let Some((_, kind)) = OWN.iter().find(|(name, _)| *name == path) {
        return Some(*kind);
    }
    schema::attribute(class, path).map(attribute_kind)
}

fn attribute_kind(attribute: &'static Attribute) -> ColumnKind {
    match attribute.kind {
        Kind::String(Format::Ip) => ColumnKind::Ip,
        Kind::String(_) => ColumnKind::Text,
        Kind::Integer | Kind::Port | Kind::Long => ColumnKind::Integer(attribute.values),
        Kind::Timestamp => ColumnKind::Time,
        Kind::Float => ColumnKind::Float,
        Kind::Boolean => ColumnKind::Boolean,
        Kind::Json => ColumnKind::Json,
        Kind::Object(_) => ColumnKind::Object,
    }
}

/// What a vendor's own name stands for where all other names are columns already: in SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Own {
    /// A column that holds one value and exactly what the record says.
    Column(String),
    /// A path in the raw record: keys from the top.
    Raw(Vec<String>),
}

/// What a name that some vendor gives a field of its records stands for in a class. `None` when no vendor
/// that feeds the class has such a field, or the name is a column.
pub fn own(class: Class, path: &[String]) -> Option<Own> {
    let (_, names) = aliases::of_vendor(class.name());
    if names.aliases.is_empty() {
        return None;
    }
    let key = path.join(".").to_ascii_lowercase();
    if let Some((_, [column])) = names.aliases.iter().find(|(name, _)| *name == key)
        && schema::holds_one(class, column)
    {
        return Some(Own::Column((*column).to_owned()));
    }
    own_path(path).map(Own::Raw)
}

/// The path in the raw record that a vendor's own name means.
pub fn own_path(path: &[String]) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    let mut tops = aliases::TOPS.iter().flat_map(|(_, tops)| *tops).chain(aliases::COMMON_TOPS);
    let top = tops.find(|top| top.eq_ignore_ascii_case(first))?;
    Some(std::iter::once((*top).to_owned()).chain(rest.iter().cloned()).collect())
}

/// The logical types, which cover every field of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logical {
    /// Addresses.
    Ip,
    /// Domain and host names that stand for themselves.
    Domain,
    /// Mail addresses, whose domain counts for [`Logical::Domain`].
    MailDomain,
    /// Digests.
    Hash,
    /// Machines.
    Host,
    /// People and accounts.
    User,
}

/// What became of a name.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolution {
    /// The field, beyond doubt.
    Known(Field),
    /// No column; taken for a path in the records of the only source that feeds the classes.
    Raw(Field),
    /// Nothing that we know.
    Unknown {
        /// Names that may have been meant.
        near: Vec<String>,
        /// Prefixes of raw paths that would work here.
        prefixes: Vec<String>,
    },
}

/// The classes that a query looks in, and the sources that are known.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    classes: Vec<Class>,
    sources: &'a Sources,
    /// The only sources whose records are looked for, where the query says so.
    chosen: Option<Vec<String>>,
    /// Every name that the classes know, aliases first; gathered when a name is not found.
    names: OnceLock<Vec<String>>,
}

impl<'a> Scope<'a> {
    /// A scope of these classes; none at all makes every name a field that is never there.
    pub fn new(classes: Vec<Class>, sources: &'a Sources) -> Self {
        Self { classes, sources, chosen: None, names: OnceLock::new() }
    }

    /// Says that only records of these sources are looked for: fields of their records need no prefix
    /// where there is one such source.
    pub(crate) fn choose(&mut self, sources: Vec<String>) {
        self.chosen = Some(sources);
    }

    /// The field of a name, which is given as the parts between its dots.
    pub fn resolve(&self, path: &[String]) -> Resolution {
        let name = path.join(".");
        let known = |reads| Resolution::Known(Field { name: name.clone(), reads });
        let key = name.to_ascii_lowercase();
        if let Some(reads) = self.source_name(&key) {
            return known(reads);
        }
        let dotted_part = path.iter().any(|part| part.contains('.'));
        if !dotted_part && let Some(reads) = self.columns(&key) {
            return known(reads);
        }
        if let Some(reads) = self.prefixed(path) {
            return known(reads);
        }
        if let Some(reads) = self.topped(path) {
            return known(reads);
        }
        self.bare(name, &key, path)
    }

    /// The field of a logical type; without columns where no class has any.
    pub fn logical(&self, name: &str, logical: Logical) -> Field {
        let columns = self.classes.iter().map(|class| {
            let covered = aliases::of(class.name()).into_iter().flat_map(|names| match logical {
                Logical::Ip => names.ip,
                Logical::Domain => names.domain,
                Logical::MailDomain => names.mail,
                Logical::Hash => names.hash,
                Logical::Host => names.host,
                Logical::User => names.user,
            });
            (*class, covered.map(|column| (*column).to_owned()).collect::<Vec<_>>())
        });
        let columns = columns.filter(|(_, columns)| !columns.is_empty()).collect();
        Field { name: name.to_owned(), reads: Reads::Columns(columns) }
    }

    fn source_name(&self, key: &str) -> Option<Reads> {
        let value = source_text(key).filter(|_| SOURCE_NAMES.contains(&key))?;
        let pairs = self.feeding().map(|source| (source.id.clone(), value(source).clone()));
        Some(Reads::SourceName(pairs.collect()))
    }

    /// The sources whose records can become one of the classes.
    fn feeding(&self) -> impl Iterator<Item = &'a Source> {
        let sources = self.sources.iter().map(AsRef::as_ref);
        sources.filter(|source| source.classes.iter().any(|class| self.classes.contains(class)))
    }

    fn columns(&self, key: &str) -> Option<Reads> {
        if self.classes.is_empty() {
            return Some(Reads::Columns(Vec::new()));
        }
        let by_class: Vec<(Class, Vec<String>)> = self
            .classes
            .iter()
            .filter_map(|class| self.columns_of(*class, key).map(|columns| (*class, columns)))
            .collect();
        let known = !by_class.is_empty();
        let filled = by_class.into_iter().filter(|(_, columns)| !columns.is_empty()).collect();
        known.then_some(Reads::Columns(filled))
    }

    /// The columns that a lower-case name stands for in a class.
    fn columns_of(&self, class: Class, key: &str) -> Option<Vec<String>> {
        let aliased = self.aliases(class).find_map(|names| {
            let (_, columns) = names.aliases.iter().find(|(name, _)| *name == key)?;
            Some(columns.iter().map(|column| (*column).to_owned()).collect())
        });
        aliased.or_else(|| kind(class, key).map(|_| vec![key.to_owned()]))
    }

    /// The tables of a class, the more special first; a vendor's own only where its records may be meant.
    fn aliases(&self, class: Class) -> impl Iterator<Item = &'static Names> {
        let [special, every] = aliases::of(class.name());
        let (origin, vendor) = aliases::of_vendor(class.name());
        let is_meant = || self.meant().any(|source| source.msg_origin.source == origin);
        let vendor = (!vendor.aliases.is_empty() && is_meant()).then_some(vendor);
        [Some(special), vendor, Some(every)].into_iter().flatten()
    }

    /// The feeding sources whose records the query can be about.
    fn meant(&self) -> impl Iterator<Item = &'a Source> {
        self.feeding()
            .filter(|source| self.chosen.as_ref().is_none_or(|chosen| chosen.contains(&source.id)))
    }

    /// A path in raw records whose top tells whose they are.
    fn topped(&self, path: &[String]) -> Option<Reads> {
        let (first, rest) = path.split_first()?;
        let (origin, top) = aliases::TOPS.iter().find_map(|(origin, tops)| {
            Some((*origin, *tops.iter().find(|top| top.eq_ignore_ascii_case(first))?))
        })?;
        let sources: Vec<String> = self
            .meant()
            .filter(|source| source.msg_origin.source == origin)
            .map(|source| source.id.clone())
            .collect();
        let path = std::iter::once(top.to_owned()).chain(rest.iter().cloned()).collect();
        (!sources.is_empty()).then_some(Reads::Raw { sources, path })
    }

    fn prefixed(&self, path: &[String]) -> Option<Reads> {
        let (prefix, rest) = path.split_first().filter(|(_, rest)| !rest.is_empty())?;
        let is_meant = |source: &&Source| {
            let integration = source.id.split('.').next().unwrap_or_default();
            let names = [source.msg_origin.source.as_str(), integration];
            names.iter().any(|name| name.eq_ignore_ascii_case(prefix))
        };
        let sources: Vec<String> =
            self.feeding().filter(is_meant).map(|source| source.id.clone()).collect();
        if sources.is_empty() {
            let known_elsewhere = self.sources.iter().any(|source| is_meant(&source.as_ref()));
            return known_elsewhere.then_some(Reads::Columns(Vec::new()));
        }
        let mut path = rest.to_vec();
        let renamed = RAW_NAMES.iter().find(|(source, name, _)| {
            source.eq_ignore_ascii_case(prefix) && path[0].eq_ignore_ascii_case(name)
        });
        if let Some((_, _, name)) = renamed {
            path[0] = (*name).to_owned();
        }
        Some(Reads::Raw { sources, path })
    }

    /// A name that is no column: a path in the records of the only source, unless it looks like a slip.
    fn bare(&self, name: String, key: &str, path: &[String]) -> Resolution {
        let known = self.names.get_or_init(|| self.all_names());
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let feeding: Vec<&Source> = self.meant().collect();
        if let [only] = feeding[..]
            && near::slips(key, known.iter().copied()).is_empty()
        {
            let reads = Reads::Raw { sources: vec![only.id.clone()], path: path.to_vec() };
            return Resolution::Raw(Field { name, reads });
        }
        let near = near::similar(key, &known).into_iter().map(str::to_owned).collect();
        let mut prefixes: Vec<String> =
            feeding.iter().map(|source| source.msg_origin.source.clone()).collect();
        prefixes.sort();
        prefixes.dedup();
        Resolution::Unknown { near, prefixes }
    }

    fn all_names(&self) -> Vec<String> {
        let mut names: Vec<String> = SOURCE_NAMES.map(str::to_owned).to_vec();
        for class in &self.classes {
            for table in self.aliases(*class) {
                names.extend(table.aliases.iter().map(|(name, _)| (*name).to_owned()));
            }
        }
        names.extend(OWN.iter().map(|(name, _)| (*name).to_owned()));
        for class in &self.classes {
            add_paths("", schema::attributes(*class), &mut names);
        }
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }
}

/// The names that are fixed per source.
const SOURCE_NAMES: [&str; 5] =
    ["sensor_type", "msg_class", "msg_origin.source", "msg_origin.vendor", "msg_origin.category"];

/// The text that a name fixed per source stands for; also that of the column `source` itself.
pub(crate) fn source_text(key: &str) -> Option<fn(&Source) -> &String> {
    Some(match key {
        "sensor_type" => |source| &source.sensor_type,
        "msg_class" => |source| &source.msg_class,
        "msg_origin.source" => |source| &source.msg_origin.source,
        "msg_origin.vendor" => |source| &source.msg_origin.vendor,
        "msg_origin.category" => |source| &source.msg_origin.category,
        "source" => |source| &source.id,
        _ => return None,
    })
}

fn add_paths(prefix: &str, attributes: &[Attribute], names: &mut Vec<String>) {
    for attribute in attributes {
        let path = format!("{prefix}{}", attribute.name);
        if let Kind::Object(object) = attribute.kind {
            add_paths(&format!("{path}."), object.attributes, names);
        }
        names.push(path);
    }
}
