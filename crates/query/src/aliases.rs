//! The names by which Taegis and Interflow know our columns, as tables: one per kind of class.
//!
//! A name stands for the columns listed, first the one that gives the value. An empty list is a name
//! that those platforms have and OCSF has no place for: it is known, and never there. An OCSF path
//! needs no entry. A new vendor that uses names of its own adds them here and nowhere else.

mod cloud;
pub(crate) mod cloudtrail;
mod email;
mod every_class;
mod files;
mod findings;
mod http;
pub(crate) mod schemas;

/// A name and the columns that it stands for.
pub(crate) type Alias = (&'static str, &'static [&'static str]);

/// The names of a class, and what the logical types cover in it.
pub(crate) struct Names {
    /// Names beside the OCSF paths; lower case.
    pub(crate) aliases: &'static [Alias],
    /// Addresses: `@ip`.
    pub(crate) ip: &'static [&'static str],
    /// Domain and host names that are one for themselves: `@domain`.
    pub(crate) domain: &'static [&'static str],
    /// Mail addresses, whose part behind the `@` belongs to `@domain`.
    pub(crate) mail: &'static [&'static str],
    /// Digests: `@hash`.
    pub(crate) hash: &'static [&'static str],
    /// Machines: `@host`.
    pub(crate) host: &'static [&'static str],
    /// People and accounts: `@user`.
    pub(crate) user: &'static [&'static str],
}

/// No names at all; the tables below fill in what they have.
const NOTHING: Names =
    Names { aliases: &[], ip: &[], domain: &[], mail: &[], hash: &[], host: &[], user: &[] };

/// The names of one vendor in a class, and the `msg_origin.source` whose records they belong to: they
/// hold where its records may be meant.
pub(crate) fn of_vendor(class: &str) -> (&'static str, &'static Names) {
    (cloudtrail::ORIGIN, cloudtrail::of(class))
}

/// Tops of raw records that tell by themselves whose they are: `msg_origin.source` and its names.
pub(crate) const TOPS: &[(&str, &[&str])] = &[(cloudtrail::ORIGIN, cloudtrail::TOPS)];

/// Tops of raw records that do not tell whose they are.
pub(crate) const COMMON_TOPS: &[&str] = cloudtrail::COMMON_TOPS;

/// The tables that hold for a class, the more special first.
pub(crate) fn of(class: &str) -> [&'static Names; 2] {
    let special = match class {
        "email_activity" => &email::NAMES,
        "http_activity" => &http::NAMES,
        "file_hosting" => &files::NAMES,
        "data_security_finding" => &findings::DATA_SECURITY,
        "detection_finding" => &findings::DETECTION,
        "api_activity" => &cloud::API,
        "entity_management" => &cloud::ENTITY,
        "authentication" | "account_change" => &cloud::NAMES,
        _ => &NOTHING,
    };
    [special, &every_class::NAMES]
}

#[cfg(test)]
mod tests {
    use model::ocsf::Class;

    use crate::fields::kind;

    fn all(class: Class) -> impl Iterator<Item = &'static super::Names> {
        let [special, every] = super::of(class.name());
        [special, super::of_vendor(class.name()).1, every].into_iter()
    }

    #[test]
    fn every_column_in_the_tables_is_one_of_its_class() {
        for class in Class::ALL {
            for names in all(class) {
                let aliased = names.aliases.iter().flat_map(|(_, columns)| columns.iter());
                let typed =
                    [names.ip, names.domain, names.mail, names.hash, names.host, names.user];
                for column in aliased.chain(typed.into_iter().flatten()) {
                    // Below what has no place the paths are the record's own.
                    if column.starts_with("unmapped.") {
                        continue;
                    }
                    assert!(kind(class, column).is_some(), "{class} has no `{column}`");
                }
            }
        }
    }

    #[test]
    fn names_are_lower_case_and_stand_once_in_their_table() {
        for class in Class::ALL {
            for names in all(class) {
                let mut seen = std::collections::HashSet::new();
                for (name, _) in names.aliases {
                    assert_eq!(*name, name.to_ascii_lowercase());
                    assert!(seen.insert(name), "{class}: `{name}` twice");
                }
            }
        }
    }
}
