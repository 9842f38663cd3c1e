//! Memory for bodies on their way in: what does not fit is refused at once, before it is read.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::refusal::Refusal;

/// Bytes of all bodies together, packed and unpacked.
const BYTES: usize = 128 << 20;
/// What memory is counted in.
const UNIT: usize = 1 << 10;
/// Bodies that are unpacked at the same time, each up to the cap whatever it turns out to be.
const UNPACKED_AT_ONCE: usize = 2;

/// The memory that is set aside.
#[derive(Debug)]
pub(super) struct Room {
    units: Arc<Semaphore>,
    unpacking: Semaphore,
}

impl Default for Room {
    fn default() -> Self {
        let units = Arc::new(Semaphore::new(BYTES / UNIT));
        Self { units, unpacking: Semaphore::new(UNPACKED_AT_ONCE) }
    }
}

impl Room {
    /// A place for so many bytes, given back when it is dropped.
    ///
    /// # Errors
    /// There is none now.
    pub(super) fn place(&self, bytes: usize) -> Result<Place, Refusal> {
        let units = u32::try_from(bytes.div_ceil(UNIT).max(1)).map_err(|_| Refusal::Busy)?;
        let permit = self.units.clone().try_acquire_many_owned(units);
        permit.map(Place).map_err(|_| Refusal::Busy)
    }

    /// A turn to unpack. Those who wait have a place already, so there are not many.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.unpacking.acquire().await.ok()
    }
}

/// Memory for a body; given back when it is dropped.
#[derive(Debug)]
pub struct Place(
    #[expect(dead_code, reason = "held until the body is done with")] OwnedSemaphorePermit,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_until_there_is_room_again() {
        let room = Room::default();
        let half = room.place(BYTES / 2).unwrap();
        let other = room.place(BYTES / 2).unwrap();
        assert_eq!(room.place(1).unwrap_err(), Refusal::Busy);
        drop(half);
        assert!(room.place(1).is_ok());
        drop(other);
    }
}
