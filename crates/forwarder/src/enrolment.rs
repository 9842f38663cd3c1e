//! A code becomes a token: the client makes the token and keeps it before it gives the code away for it, so that a
//! crash anywhere costs a repetition and nothing else.

use model::secret::Secret;

use crate::deadline::{Deadline, since_epoch};
use crate::refusal::Refusal;
use crate::secret::{Vault, VaultError};
use crate::service::{Home, Service};

/// Others may write at the same time; each loss against one of them is a step of theirs.
pub(crate) const ROUNDS: u32 = 8;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Where it is kept is out of reach.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The server does not take it.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// There is none yet, and no code.
    #[error("the client has no token and no enrolment code: set TARN_ENROLMENT_CODE")]
    NoCode,
    /// It is not known where the client runs.
    #[error("it is not known which AWS account the client runs in: {0}")]
    Homeless(String),
    /// Others write without end.
    #[error("others write the secret all the time")]
    Crowded,
}

/// What a client enrols with.
pub struct Enrolment<'a> {
    /// The code.
    pub code: Option<&'a Secret>,
    /// Where it runs.
    pub home: &'a Home,
    /// Its template's version.
    pub template_version: &'a str,
}

impl Enrolment<'_> {
    /// The token, exchanged for the code if there is none yet.
    ///
    /// # Errors
    /// Says why there is none.
    pub async fn token(
        &self,
        vault: &dyn Vault,
        service: &Service,
        deadline: Deadline,
    ) -> Result<Secret, TokenError> {
        for _ in 0..ROUNDS {
            let kept = vault.read().await?;
            if let Some(token) = kept.content.token {
                return Ok(token);
            }
            let Some(next) = &kept.content.next else {
                // Won or lost: whatever stands there now is what everybody goes on with.
                vault.replace(&kept, &kept.content.with_next()).await?;
                continue;
            };
            let code = self.code.ok_or(TokenError::NoCode)?;
            let standing =
                service.enrol(code, next, self.home, self.template_version, deadline).await?;
            tracing::info!(stack = standing.stack_id, "the stack is enrolled");
            vault.replace(&kept, &kept.content.promoted(since_epoch().as_secs())).await?;
        }
        Err(TokenError::Crowded)
    }
}
