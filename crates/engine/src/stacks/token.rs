//! A stack's token: who shows it is that stack's client, and nothing else.

use catalog::StackRow;
use model::secret::Secret;
use model::time::Timestamp;

use super::refusal::Refusal;
use super::standing::{HEARTBEAT, Standing};
use crate::app::App;
use crate::error::EngineError;

/// Lengths of a token: at least 32 random bytes in any usual spelling.
const LENGTHS: std::ops::RangeInclusive<usize> = 32..=256;

/// A stack's client that showed a token which opens its stack now.
#[derive(Debug, Clone)]
pub struct Sender(pub(super) StackRow);

impl App {
    /// Whose token this is. A stack that is not wanted is refused, and that its client asked is noted all the same,
    /// so that people see that it is still deployed.
    ///
    /// # Errors
    /// The token is unknown, its stack revoked or expired, or the catalog cannot be read.
    pub async fn sender(&self, token: &Secret) -> Result<Sender, EngineError> {
        let catalog = &self.services.catalog;
        let row = catalog.stack_of_token(token).await?.ok_or(Refusal::UnknownToken)?;
        let now = self.services.clock.now();
        let Err(refusal) = usable(&row, now) else { return Ok(Sender(row)) };
        if row.last_heartbeat_at.is_none_or(|last| now.since(last) >= HEARTBEAT / 2) {
            catalog.note_sign_of_life(row.id, None, now).await?;
        }
        Err(refusal.into())
    }

    /// Gives a stack's client its next token. The present one is valid until the next one is used.
    ///
    /// # Errors
    /// The token cannot be one, another stack has it, or the catalog cannot be written.
    pub async fn rotate(&self, sender: &Sender, next: &Secret) -> Result<Standing, EngineError> {
        check(next)?;
        self.services.catalog.rotate_stack_token(sender.0.id, next).await?;
        Ok(Standing::of(&sender.0))
    }
}

/// Whether a stack is wanted now.
pub(super) fn usable(row: &StackRow, now: Timestamp) -> Result<(), Refusal> {
    if let Some(at) = row.revoked_at {
        return Err(Refusal::Revoked(at));
    }
    match row.expires_at.filter(|end| *end <= now) {
        Some(end) => Err(Refusal::Expired(end)),
        None => Ok(()),
    }
}

/// Whether a text can be a token: long enough that nobody guesses it, and fit for a header.
pub(super) fn check(token: &Secret) -> Result<(), EngineError> {
    let text = token.expose();
    if LENGTHS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(EngineError::Invalid {
        problem: "`token`: is no token".to_owned(),
        hint: "a token is 32 random bytes as text, 32 to 256 visible ASCII characters".to_owned(),
    })
}
