//! A token gives way to its successor: kept first, then told to the server, which takes both, and then used.

use crate::deadline::{Deadline, since_epoch};
use crate::enrolment::{ROUNDS, TokenError};
use crate::refusal::Refusal;
use crate::secret::{Kept, Vault};
use crate::service::Service;

/// Replaces the token when it is older than the server wants, and finishes what another invocation began. Answers
/// whether there is another token now.
///
/// # Errors
/// The token stays the one it was; a repetition goes on where this stopped.
pub async fn rotate(
    vault: &dyn Vault,
    service: &Service,
    rotate_after_seconds: u64,
    deadline: Deadline,
) -> Result<bool, TokenError> {
    let mut before = None;
    for _ in 0..ROUNDS {
        let kept = vault.read().await?;
        let Some(token) = &kept.content.token else { return Ok(false) };
        let is_other =
            before.as_ref().is_some_and(|before: &String| before.as_str() != token.expose());
        before.get_or_insert_with(|| token.expose().to_owned());
        let Some(next) = &kept.content.next else {
            if is_other || !is_due(&kept, rotate_after_seconds) {
                return Ok(is_other);
            }
            vault.replace(&kept, &kept.content.with_next()).await?;
            continue;
        };
        match service.rotate(token, next, deadline).await {
            Ok(_) => {}
            // Another invocation may use the next token already, and then this one is over.
            Err(Refusal::Unwanted(_)) if vault.read().await?.version != kept.version => continue,
            Err(refusal) => return Err(refusal.into()),
        }
        if vault.replace(&kept, &kept.content.promoted(since_epoch().as_secs())).await? {
            tracing::info!("the token was replaced");
        }
    }
    Err(TokenError::Crowded)
}

fn is_due(kept: &Kept, rotate_after_seconds: u64) -> bool {
    since_epoch().as_secs() >= kept.content.since.saturating_add(rotate_after_seconds)
}
