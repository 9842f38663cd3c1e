//! Fields as people name them, and the columns that they stand for in each class.

use model::ocsf::Class;

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
}
