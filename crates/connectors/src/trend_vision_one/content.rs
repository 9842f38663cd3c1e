//! The content types as data: where each is asked for, with which parameters and permission, and who turns its
//! records into events.

use model::identity::Identity;
use model::ocsf::Event;
use model::time::Timestamp;
use model::vendor::{Ask, Stream};

use super::fields::Fields;
use super::filters::Filters;
use super::{alerts, audit_logs, techniques};

/// One content type.
pub(super) struct Content {
    /// Its name in the manifest, also the name of its only stream.
    pub(super) name: &'static str,
    /// The path of its list.
    pub(super) path: &'static str,
    /// The permission that a key needs, as the console words it.
    pub(super) permission: &'static str,
    /// The query of the first page, given the vendor's time as far as it is known.
    pub(super) query: fn(&Ask, Option<Timestamp>) -> String,
    /// How many records a full page of that query has.
    pub(super) page_size: fn(&Ask) -> u32,
    /// Whether that time matters enough to ask for it.
    pub(super) asks_the_time: bool,
    /// The filter header, the same on every page; `None` when everything is wanted.
    pub(super) filter: fn(&Filters) -> Option<String>,
    /// Who a record is, given its fields and its bytes.
    pub(super) identify: fn(&Fields, &[u8]) -> Identity,
    /// What a record becomes; `None` when it lacks what makes it one of these.
    pub(super) event: fn(&mut Fields, &[u8]) -> Option<Event<'static>>,
    /// The part of the product that reports.
    pub(super) feature: &'static str,
}

impl Content {
    /// All of them, in the manifest's order.
    pub(super) const ALL: [&'static Self; 3] =
        [&alerts::ALERTS, &audit_logs::AUDIT_LOGS, &techniques::TECHNIQUES];

    /// The content type of this name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.into_iter().find(|content| content.name == name)
    }

    /// Its only stream.
    pub(super) fn stream(&self) -> Stream {
        let id = self.name.parse().expect("the manifest's words are short and printable");
        Stream { id, content_type: self.name.to_owned() }
    }
}
