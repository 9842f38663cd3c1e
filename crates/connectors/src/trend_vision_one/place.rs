//! Where paging stands, as the engine keeps it: the vendor's link, and what was counted on the way there.
//!
//! The lists of alerts page by offset, so a row that moves meanwhile makes another one slip through between two
//! pages. The first page's total tells: who ends with fewer rows walks again. Audit logs have no total: there a walk
//! that ends with a full page is walked again.

use model::vendor::Continuation;
use serde::{Deserialize, Serialize};

/// A place in a walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// Go on here.
    Link {
        /// The vendor's link, as served.
        link: String,
        /// What the first page said about the whole walk.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total: Option<u64>,
        /// Rows so far.
        seen: u64,
        /// How often in a row this link answered an empty page with itself as the next.
        #[serde(default)]
        stalled: u32,
    },
    /// The last page linked to itself; its records are kept.
    Circle,
    /// The walk ended with fewer rows than there must be; its records are kept.
    Short {
        /// What the first page promised; `None` when it said nothing, and the last page was full.
        total: Option<u64>,
        /// What came.
        seen: u64,
    },
}

impl Place {
    /// Reads what [`Place::written`] wrote. A bare link counts too.
    pub(super) fn read(continuation: &Continuation) -> Self {
        serde_json::from_str(&continuation.0).unwrap_or_else(|_| Self::Link {
            link: continuation.0.clone(),
            total: None,
            seen: 0,
            stalled: 0,
        })
    }

    /// The form that the engine keeps.
    pub(super) fn written(&self) -> Continuation {
        Continuation(serde_json::to_string(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_back_and_bare_links_are_places() {
        for place in [
            Place::Link {
                link: "https://a/?t=\"+/=".to_owned(),
                total: Some(3),
                seen: 2,
                stalled: 1,
            },
            Place::Circle,
            Place::Short { total: Some(3), seen: 2 },
        ] {
            assert_eq!(Place::read(&place.written()), place);
        }
        let bare = Place::read(&Continuation("https://a/b".to_owned()));
        let link = "https://a/b".to_owned();
        assert_eq!(bare, Place::Link { link, total: None, seen: 0, stalled: 0 });
    }
}
