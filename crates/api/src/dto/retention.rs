//! Retention rules and legal holds.

use engine::retention::{LegalHold, RetentionRule};
use model::ocsf::Class;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;

/// How long events are kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Retention {
    /// The table's OCSF class; all tables without a rule of their own when it is null.
    #[schema(example = "email_activity")]
    class: Option<String>,
    /// Days: a day goes when all of it is older.
    days: u32,
}

/// A new rule, in the place of the one before.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRetention {
    /// The table's OCSF class; all tables without a rule of their own when it is left out.
    #[schema(example = "email_activity")]
    pub(crate) class: Option<String>,
    /// Days, from 1 to 36500.
    #[schema(minimum = 1, maximum = 36500)]
    pub(crate) days: u32,
}

/// Events that must not go.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Hold {
    /// The table's OCSF class; every table when it is null.
    class: Option<String>,
    /// Why.
    reason: Option<String>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

/// A new hold, in the place of the one before.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewHold {
    /// The table's OCSF class; every table when it is left out.
    pub(crate) class: Option<String>,
    /// Why.
    #[schema(example = "case 2026-17")]
    pub(crate) reason: Option<String>,
}

impl From<RetentionRule> for Retention {
    fn from(rule: RetentionRule) -> Self {
        Self { class: rule.class.map(|class| class.to_string()), days: rule.days }
    }
}

impl From<LegalHold> for Hold {
    fn from(hold: LegalHold) -> Self {
        let class = hold.class.map(|class| class.to_string());
        Self { class, reason: hold.reason, since: hold.since }
    }
}

/// The table in a body; none stands for all.
pub(crate) fn class(name: Option<&str>) -> Result<Option<Class>, Problem> {
    let Some(name) = name else { return Ok(None) };
    Class::from_name(name).map(Some).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> Problem {
    let tables: Vec<&str> = Class::ALL.into_iter().map(Class::name).collect();
    Problem::invalid(format!("`class`: there is no table `{name}`"))
        .with_hint(format!("the tables are {}", tables.join(", ")))
}
