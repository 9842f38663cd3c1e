//! The ledger's totals.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::counts::Counts;

/// Which lines are added up.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LedgerParameters {
    /// Only this connector, by its name.
    pub(crate) connector: Option<String>,
}

/// The ledger's totals.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ledger {
    /// The tenant.
    pub(crate) tenant: String,
    /// The connector; null for all of the tenant, imports included.
    pub(crate) connector: Option<String>,
    /// The totals.
    pub(crate) counts: Counts,
    /// Whether every served record is accounted for.
    pub(crate) balanced: bool,
}
