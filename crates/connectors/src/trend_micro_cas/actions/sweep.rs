//! The search over the mail of the last days: records as the vendor serves them, and mails to act on.

use model::action::Halt;
use model::vendor::FetchError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::paging::{self, Then, text};
use super::{Desk, Manner};

pub(super) const PATH: &str = "/v1/sweeping/mails";
/// How many days the vendor keeps what it knows of mails.
pub(super) const KEPT_DAYS: i64 = 90;
/// The most records of a page.
const FULL_PAGE: usize = 1_000;

/// One thing to search for: a parameter of the vendor's and its value.
pub(super) struct Criterion {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// Shows the mails that meet a criterion, oldest first, until `visit` has enough; `enough` is how many that may
/// be at most, so that no larger page is asked for.
pub(super) async fn search(
    desk: &Desk<'_>,
    step: &str,
    criterion: &Criterion,
    days: i64,
    enough: usize,
    visit: &mut (dyn FnMut(Map<String, Value>) -> Then + Send),
) -> Result<Result<(), FetchError>, Halt> {
    let limit = enough.clamp(1, FULL_PAGE).to_string();
    let days = days.to_string();
    let query = [(criterion.name, &*criterion.value), ("lastndays", &*days), ("limit", &*limit)];
    paging::walk(desk, step, desk.url(PATH, &query), "value", Manner::Ask, visit).await
}

/// One message in one mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mail {
    pub(super) mailbox: String,
    pub(super) unique_id: String,
    pub(super) message_id: String,
    /// As the vendor writes it.
    pub(super) delivered_at: String,
    /// Where the mailbox is; empty where the vendor does not say.
    pub(super) service: String,
}

impl Mail {
    /// Reads a record; `None` when the vendor could not be told which mail it is.
    pub(super) fn read(record: &Map<String, Value>) -> Option<Self> {
        let owned = |name| text(record, name).trim().to_owned();
        let mail = Self {
            mailbox: owned("mailbox"),
            unique_id: owned("mail_unique_id"),
            message_id: owned("mail_message_id"),
            delivered_at: owned("mail_message_delivery_time"),
            service: owned("service").to_lowercase(),
        };
        let has_id = !mail.unique_id.is_empty() || !mail.message_id.is_empty();
        (has_id && !mail.mailbox.is_empty() && !mail.delivered_at.is_empty()).then_some(mail)
    }

    /// Whether it is of this message; one without an id of its own is what was asked for.
    pub(super) fn is_of(&self, message_id: &str) -> bool {
        let bare = |id: &str| id.trim().trim_matches(['<', '>']).to_lowercase();
        self.message_id.is_empty() || bare(&self.message_id) == bare(message_id)
    }
}
