//! What somebody asks for: an action, what it shall work on, with which connector, and how patiently.

use std::time::Duration;

use model::action::journal::Patience;
use model::action::{ActionSpec, Input};
use model::hint::Hint;
use model::ids::{RunId, TenantId};
use model::manifest::optional_duration_text;
use model::secret::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::responders::EditedRequest;
use super::target::OnRecord;
use crate::error::EngineError;

/// Between two questions whether the vendor is done, where the action does not say.
const POLL: Duration = Duration::from_secs(10);
/// How long a vendor may take to show what it has just accepted.
const SETTLE: Duration = Duration::from_secs(30);
/// The shortest span between two questions, and the longest that a vendor is given to show what it accepted.
const SHORTEST_POLL: Duration = Duration::from_millis(100);
const LONGEST_SETTLE: Duration = Duration::from_secs(3600);
/// The longest that a run may wait.
const LONGEST: Duration = Duration::from_secs(14 * 24 * 3600);

/// How patiently a run waits; what is left out is the action's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Between two questions whether the vendor is done.
    #[serde(default, with = "optional_duration_text", skip_serializing_if = "Option::is_none")]
    pub poll: Option<Duration>,
    /// After a request without an answer, until the vendor's word that it knows nothing of it is believed.
    #[serde(default, with = "optional_duration_text", skip_serializing_if = "Option::is_none")]
    pub settle: Option<Duration>,
    /// Until the run gives up waiting; at most 14 days.
    #[serde(default, with = "optional_duration_text", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
}

/// Where a run comes from, and the runs that it belongs to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The uid of the record that it was started from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Anything else that whoever asks wants to be remembered: a ticket, an alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What somebody asks for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Whose.
    pub tenant: TenantId,
    /// What: `trend_micro_cas.mitigate_accounts`, `responder.Isolate`.
    pub action: String,
    /// With which connector; may be left out where there is one only.
    pub connector: Option<String>,
    /// What it shall work on.
    pub input: Input,
    /// How patiently.
    pub options: Options,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether changes are only shown.
    pub is_dry_run: bool,
    /// Who asks.
    pub actor: String,
    /// By what the same wish is known when it comes again.
    pub idempotency_key: Option<String>,
    /// What a responder may read of its record, where that is known already.
    pub context: Option<Value>,
    /// What was changed about a responder's request.
    pub edited: EditedRequest,
    /// The run that it takes back.
    pub reverse_of: Option<RunId>,
    /// The run that it does again.
    pub retry_of: Option<RunId>,
}

/// The part of a wish that is kept as one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// What it works on, secrets masked.
    pub input: Input,
    /// How patiently.
    pub options: Options,
    /// Where it comes from.
    pub origin: Origin,
    /// How patiently, worked out.
    pub patience: Patience,
    /// The action that takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverse: Option<String>,
    /// What a responder may read of its record.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub context: Value,
    /// What was changed about a responder's request.
    #[serde(default, skip_serializing_if = "EditedRequest::is_empty")]
    pub edited: EditedRequest,
}

impl Document {
    /// What a responder runs on.
    pub(super) fn on_record(&self) -> OnRecord {
        OnRecord { context: self.context.clone(), edited: self.edited.clone() }
    }
}

impl Wish {
    /// The patience of this wish for an action.
    ///
    /// # Errors
    /// A span cannot be used.
    pub(super) fn patience(&self, spec: &ActionSpec) -> Result<Patience, EngineError> {
        let timeout = self.options.timeout.unwrap_or(spec.timeout);
        if timeout.is_zero() || timeout > LONGEST {
            return Err(EngineError::Invalid {
                problem: "`options.timeout` is not between a moment and 14 days".to_owned(),
                hint: "write for instance 15m, 24h or 14d".to_owned(),
            });
        }
        let poll = self.options.poll.or(spec.poll).unwrap_or(POLL);
        let settle = self.options.settle.unwrap_or(SETTLE);
        Ok(Patience {
            poll: poll.clamp(SHORTEST_POLL, LONGEST),
            settle: settle.min(LONGEST_SETTLE),
            timeout,
        })
    }

    /// What is compared when a wish comes again under the same key. It may hold secrets.
    pub(super) fn text(&self) -> Secret {
        let what: Value = json!([
            self.action,
            self.connector,
            self.input,
            self.options,
            self.is_dry_run,
            self.origin.record,
            self.edited,
        ]);
        Secret::new(what.to_string())
    }
}

/// An input that an action cannot take, in the engine's words.
pub(super) fn refused(action: &str, error: &model::action::InvalidInput) -> EngineError {
    EngineError::Invalid {
        problem: format!("{action}: {error}"),
        hint: error.hint().unwrap_or_default(),
    }
}
