//! Stacks: clients in other people's AWS accounts that send what CloudTrail wrote there.
//!
//! A [`stack`] begins with a link ([`publication`]), its client exchanges the code of the link for a token
//! ([`enrolment`]) and shows that from then on ([`token`]). What it [`push`]es takes the same road as collected
//! records. How it is doing is in [`standing`]. The protocol is in `docs/decisions/0011-stacks-and-their-client.md`.

mod alarm;
mod body;
pub mod enrolment;
pub mod publication;
pub mod push;
mod refusal;
mod room;
pub mod stack;
pub mod standing;
pub mod token;

use std::collections::BTreeMap;
use std::sync::Mutex;

use model::ids::ConnectorId;
use model::time::Timestamp;

use self::push::UnderWay;
pub use self::refusal::Refusal;
use self::room::Room;
use crate::collect::Services;
use crate::error::EngineError;

pub use catalog::{SignOfLife, StackRow};

/// What all requests of all stacks share in this process.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    /// Memory for what is on its way in.
    room: Room,
    /// Pushes that are being stored.
    under_way: UnderWay,
    /// When somebody was last told that a stack expires.
    warned: Mutex<BTreeMap<ConnectorId, Timestamp>>,
}

impl Desk {
    /// Does what is to be done from time to time: tells of stacks that come to their end, forgets old pushes.
    pub(crate) async fn tend(&self, services: &Services) -> Result<(), EngineError> {
        push::forget_old(services).await?;
        let rows = services.catalog.stacks(None).await?;
        for (row, days) in alarm::due(&rows, &self.warned, services.clock.now()) {
            tracing::warn!(
                stack.id = %row.id, tenant.id = %row.tenant, days, "a stack expires: renew it"
            );
        }
        Ok(())
    }
}
