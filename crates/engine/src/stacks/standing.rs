//! How a stack stands: what its client is told, and what people are.

use std::time::Duration;

use catalog::{SignOfLife, StackRow};
use model::time::Timestamp;
use serde::Serialize;

use super::token::Sender;
use crate::app::App;
use crate::error::EngineError;

/// How often a client says that it lives.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(60);
/// So many heartbeats may be missing.
const MISSED: u32 = 3;
/// How often a client changes its token.
const ROTATION: Duration = Duration::from_secs(7 * 86_400);
const DAY: Duration = Duration::from_secs(86_400);
/// Days before its end from which on people are told.
pub const ALARM_DAYS: u64 = 14;

/// What a client is told about its stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The stack.
    pub stack_id: String,
    /// Seconds between heartbeats.
    pub heartbeat_seconds: u64,
    /// Seconds after which a token is old.
    pub rotate_after_seconds: u64,
    /// From when on the stack is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// What a stack is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has exchanged its code.
    Pending,
    /// It has enrolled, and no object came yet, or its heartbeats stopped.
    Connecting,
    /// Objects came, and it lives.
    Connected,
    /// Its time is over.
    Expired,
    /// Somebody took it back.
    Revoked,
}

impl Status {
    /// Every status, in the order of a stack's life.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Connecting, Self::Connected, Self::Expired, Self::Revoked];

    /// The word that is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// The status of a stack at a time.
    pub(super) fn of(row: &StackRow, now: Timestamp) -> Self {
        if row.revoked_at.is_some() {
            return Self::Revoked;
        }
        if row.expires_at.is_some_and(|end| end <= now) {
            return Self::Expired;
        }
        if row.enrolled_at.is_none() {
            return Self::Pending;
        }
        if row.first_object_at.is_some() && lives(row, now) {
            Self::Connected
        } else {
            Self::Connecting
        }
    }
}

impl Standing {
    pub(super) fn of(row: &StackRow) -> Self {
        Self {
            stack_id: row.id.to_string(),
            heartbeat_seconds: HEARTBEAT.as_secs(),
            rotate_after_seconds: ROTATION.as_secs(),
            expires_at: row.expires_at,
        }
    }
}

/// Whether a stack's client gave a sign of life not long ago.
pub(super) fn lives(row: &StackRow, now: Timestamp) -> bool {
    row.last_heartbeat_at.is_some_and(|last| now.since(last) < HEARTBEAT * MISSED)
}

/// Days until a stack expires; one that has begun counts.
pub(super) fn expires_in_days(row: &StackRow, now: Timestamp) -> Option<u64> {
    row.expires_at.map(|end| end.since(now).as_millis().div_ceil(DAY.as_millis()) as u64)
}

/// What somebody should do something about.
pub(super) fn problem(row: &StackRow, now: Timestamp) -> Option<String> {
    let days = expires_in_days(row, now).filter(|days| *days <= ALARM_DAYS);
    match (Status::of(row, now), days) {
        (Status::Revoked, _) if lives(row, now) => {
            Some("revoked, but its client is still deployed: delete the stack in AWS".to_owned())
        }
        (Status::Revoked, _) => None,
        (Status::Expired, _) => Some("expired: renew it, or delete the stack in AWS".to_owned()),
        (_, Some(days)) => Some(format!("expires in {days} days: renew it")),
        (Status::Pending, None) => row.refusal.clone().or_else(|| {
            let end = row.code_expires_at.filter(|end| *end <= now)?;
            Some(format!("its link expired at {end}: make a new one"))
        }),
        (Status::Connecting, None) if !lives(row, now) => {
            Some("its client gives no sign of life".to_owned())
        }
        (_, None) => row.refusal.clone(),
    }
}

impl App {
    /// Notes a heartbeat with what the client says about itself.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub async fn heartbeat(
        &self,
        sender: &Sender,
        says: &SignOfLife,
    ) -> Result<Standing, EngineError> {
        let now = self.services.clock.now();
        self.services.catalog.note_sign_of_life(sender.0.id, Some(says), now).await?;
        Ok(Standing::of(&sender.0))
    }
}
