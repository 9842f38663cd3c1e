//! Who may do what: tokens and their rights.

use catalog::TokenRow;
use model::ids::TenantId;
use model::secret::Secret;

use crate::app::App;
use crate::error::EngineError;

/// A right that a route asks for. Scoped tokens and roles will hold some of these; the first token
/// holds `admin`, which implies all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Look at connectors, status, ledger.
    ConnectorsRead,
    /// Create, change, enable, delete, test and run connectors.
    ConnectorsWrite,
    /// Search events.
    EventsRead,
    /// Import events.
    EventsWrite,
    /// Statistics and verification of the lake.
    LakeRead,
    /// Merging and clean-up of the lake, retention and legal holds.
    LakeWrite,
    /// Replay and discard dead letters.
    DeadLettersWrite,
    /// Look at stacks.
    StacksRead,
    /// Make, renew and revoke stacks, and say where their templates are published.
    StacksWrite,
    /// Look at actions, their history and what guards entities from them.
    ActionsRead,
    /// Run, take back, repeat and stop actions.
    ActionsRun,
    /// Protect entities, set caps, make responders.
    ActionsWrite,
    /// Everything.
    Admin,
}

impl Right {
    /// The word that a token carries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConnectorsRead => "connectors:read",
            Self::ConnectorsWrite => "connectors:write",
            Self::EventsRead => "events:read",
            Self::EventsWrite => "events:write",
            Self::LakeRead => "lake:read",
            Self::LakeWrite => "lake:write",
            Self::DeadLettersWrite => "dead_letters:write",
            Self::StacksRead => "stacks:read",
            Self::StacksWrite => "stacks:write",
            Self::ActionsRead => "actions:read",
            Self::ActionsRun => "actions:run",
            Self::ActionsWrite => "actions:write",
            Self::Admin => "admin",
        }
    }
}

/// Somebody who showed a valid token.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The token's name, for the audit log.
    pub name: String,
    /// The only tenant that it may act in; `None` for all.
    pub tenant: Option<TenantId>,
    rights: Vec<String>,
}

impl Caller {
    /// Whether it may do this in this tenant.
    pub fn may(&self, right: Right, tenant: &TenantId) -> bool {
        let here = self.tenant.as_ref().is_none_or(|own| own == tenant);
        let held = |wanted: Right| self.rights.iter().any(|right| right == wanted.as_str());
        here && (held(right) || held(Right::Admin))
    }
}

impl From<TokenRow> for Caller {
    fn from(row: TokenRow) -> Self {
        Self { name: row.name, tenant: row.tenant, rights: row.rights }
    }
}

impl App {
    /// The first token, made when there has never been one; `None` afterwards.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub async fn first_token(&self) -> Result<Option<Secret>, EngineError> {
        if self.services.catalog.has_tokens().await? {
            return Ok(None);
        }
        let rights = [Right::Admin.as_str().to_owned()];
        let now = self.services.clock.now();
        Ok(Some(self.services.catalog.create_token("admin", None, &rights, now, None).await?))
    }

    /// Who holds this token; `None` when it is unknown, revoked or expired.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn caller(&self, token: &Secret) -> Result<Option<Caller>, EngineError> {
        let row = self.services.catalog.token(token, self.services.clock.now()).await?;
        Ok(row.map(Caller::from))
    }
}
