//! What counts as success: the status of the answer, a rule over it, or one status for each item.

use serde::{Deserialize, Serialize};

/// The rule of a responder.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Success {
    /// The statuses of an answer that took the request; any 2xx when it is left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<u16>,
    /// Holds beside the status: an expression over `response`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// What the host says when it refuses: an expression over `response`, and over `item` for one item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How to read an answer with one status for each item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Items>,
}

/// An answer with one status for each item.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Items {
    /// Where the list stands in the body: `$`, or keys such as `$.results`.
    pub path: String,
    /// The key of an item's status.
    pub status_field: String,
    /// The statuses of items that were taken.
    pub ok: Vec<u16>,
    /// What the host says of an item that was taken before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also_ok: Option<String>,
}

impl Default for Items {
    fn default() -> Self {
        Self {
            path: "$".to_owned(),
            status_field: "status".to_owned(),
            ok: vec![200, 201, 202, 204],
            also_ok: None,
        }
    }
}

impl Success {
    /// Whether an answer of this status took the request.
    pub(crate) fn takes(&self, status: u16) -> bool {
        match self.status.is_empty() {
            true => (200..300).contains(&status),
            false => self.status.contains(&status),
        }
    }
}
