//! Between the reading of objects and the engine's pages: what is read gathers here while a page is being stored,
//! so that many small objects become one commit, and waits when there is enough.
//!
//! A page that was handed out stays here until it is acknowledged, and is handed out again if it was not: its
//! records are in the lake before anything that follows them, and before a queue hears that they are.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::batch::DeadLetter;
use model::record::Record;
use model::vendor::FetchError;
use tokio::sync::Notify;
use tokio::time;

use super::listing::Place;
use super::notification::Object;
use super::object::Piece;

/// Records and bytes that gather before reading waits.
const ENOUGH_RECORDS: usize = 10_000;
const ENOUGH_BYTES: usize = 8 << 20;

/// How long a page waits for more, so that the first small object does not become a commit of its own.
const PATIENCE: Duration = Duration::from_secs(1);

/// What has been read and not been stored yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Haul {
    /// The records.
    pub(super) records: Vec<Record>,
    /// What cannot be a record.
    pub(super) unusable: Vec<DeadLetter>,
    /// Objects of which nothing is missing.
    pub(super) objects: Vec<Object>,
    /// Receipts of the messages of which nothing is missing.
    pub(super) receipts: Vec<String>,
    /// Where a listing goes on behind it.
    pub(super) place: Option<Place>,
    bytes: usize,
}

impl Haul {
    fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.unusable.is_empty()
            && self.objects.is_empty()
            && self.receipts.is_empty()
    }

    fn is_full(&self) -> bool {
        self.records.len() >= ENOUGH_RECORDS || self.bytes >= ENOUGH_BYTES
    }
}

/// What the engine gets.
#[derive(Debug)]
pub(super) enum Taken {
    /// Some of what was read.
    Haul(Haul),
    /// There is nothing further.
    Nothing,
    /// Reading failed.
    Failed(FetchError),
}

/// The gathering of one stream.
#[derive(Debug, Default)]
pub(super) struct Intake {
    state: Mutex<State>,
    news: Notify,
    room: Notify,
}

#[derive(Debug, Default)]
struct State {
    haul: Haul,
    handed: Option<Haul>,
    /// Reading found nothing further.
    is_emptied: bool,
    /// A failure that reading goes on behind.
    setback: Option<FetchError>,
    /// A failure that reading waits behind until somebody was told.
    standstill: Option<FetchError>,
}

impl State {
    fn has_something(&self) -> bool {
        self.handed.is_some() || !self.haul.is_empty()
    }

    fn has_enough(&self) -> bool {
        let is_over = self.is_emptied || self.standstill.is_some();
        self.handed.is_some() || self.haul.is_full() || is_over
    }
}

impl Intake {
    /// Adds a piece of an object when there is room.
    pub(super) async fn push(&self, piece: Piece) {
        self.wait_for_room().await;
        let mut state = self.state();
        state.haul.records.extend(piece.records);
        state.haul.unusable.extend(piece.unusable);
        state.haul.bytes += piece.bytes;
        state.is_emptied = false;
        drop(state);
        self.news.notify_one();
    }

    /// Notes objects of which every piece was added, the message that announced them, and where a listing goes
    /// on behind them.
    pub(super) fn complete(
        &self,
        objects: Vec<Object>,
        receipt: Option<String>,
        place: Option<Place>,
    ) {
        let mut state = self.state();
        state.haul.objects.extend(objects);
        state.haul.receipts.extend(receipt);
        state.haul.place = place.or_else(|| state.haul.place.take());
        drop(state);
        self.news.notify_one();
    }

    /// Notes that there is nothing further at this time.
    pub(super) fn emptied(&self) {
        self.state().is_emptied = true;
        self.news.notify_one();
    }

    /// Notes a failure of one message; the others go on, and it is told when they are done.
    pub(super) fn set_back(&self, error: FetchError) {
        self.state().setback = Some(error);
    }

    /// Notes a failure of everything, told as soon as what was read before it is stored.
    pub(super) fn stand_still(&self, error: FetchError) {
        self.state().standstill = Some(error);
        self.news.notify_one();
    }

    /// Waits until more may be read: there is room, and no failure waits to be told.
    pub(super) async fn wait_for_room(&self) {
        loop {
            let room = self.room.notified();
            {
                let state = self.state();
                if !state.haul.is_full() && state.standstill.is_none() {
                    return;
                }
            }
            room.await;
        }
    }

    /// What is ready, or what comes first, with what follows at once. A page that was not acknowledged comes again.
    pub(super) async fn take(&self) -> Taken {
        loop {
            let news = self.news.notified();
            if self.state().has_something() {
                // In any case there is something: whether it is enough does not matter then.
                drop(time::timeout(PATIENCE, self.enough()).await);
            }
            if let Some(taken) = self.try_take() {
                return taken;
            }
            news.await;
        }
    }

    /// Waits until there is no reason to wait for more.
    async fn enough(&self) {
        loop {
            let news = self.news.notified();
            if self.state().has_enough() {
                return;
            }
            news.await;
        }
    }

    fn try_take(&self) -> Option<Taken> {
        let mut state = self.state();
        if let Some(handed) = &state.handed {
            return Some(Taken::Haul(handed.clone()));
        }
        if !state.haul.is_empty() {
            let haul = std::mem::take(&mut state.haul);
            state.handed = Some(haul.clone());
            drop(state);
            self.room.notify_waiters();
            return Some(Taken::Haul(haul));
        }
        if let Some(error) = state.standstill.take() {
            drop(state);
            self.room.notify_waiters();
            return Some(Taken::Failed(error));
        }
        if state.is_emptied {
            state.is_emptied = false;
            return Some(state.setback.take().map_or(Taken::Nothing, Taken::Failed));
        }
        None
    }

    /// Whether a page was handed out and not acknowledged.
    pub(super) fn is_waiting(&self) -> bool {
        self.state().handed.is_some()
    }

    /// What the last page held, now that it is stored.
    pub(super) fn acknowledge(&self) -> Option<Haul> {
        self.state().handed.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use model::vendor::Fault;

    use super::*;

    fn piece(records: usize) -> Piece {
        let record = Record::from(b"{}".to_vec());
        Piece { records: vec![record; records], bytes: records * 2, ..Piece::default() }
    }

    fn error(detail: &str) -> FetchError {
        let detail = detail.to_owned();
        FetchError { fault: Fault::MissingScope, detail, retry_after: None, source: None }
    }

    async fn records(intake: &Intake) -> usize {
        match intake.take().await {
            Taken::Haul(haul) => haul.records.len(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_page_comes_again_until_it_is_acknowledged_and_its_messages_wait_for_it() {
        let intake = Intake::default();
        intake.push(piece(3)).await;
        intake.complete(Vec::new(), Some("m1".to_owned()), None);
        assert_eq!(records(&intake).await, 3);
        intake.push(piece(4)).await;
        assert_eq!(records(&intake).await, 3, "the first was not stored");
        assert_eq!(intake.acknowledge().unwrap().receipts, ["m1"]);
        assert_eq!(records(&intake).await, 4);
        assert!(intake.acknowledge().unwrap().receipts.is_empty(), "the second object goes on");
    }

    #[tokio::test]
    async fn reading_waits_when_there_is_enough() {
        let intake = Intake::default();
        intake.push(piece(ENOUGH_RECORDS)).await;
        let mut more = std::pin::pin!(intake.push(piece(1)));
        assert!(futures::poll!(&mut more).is_pending());
        assert_eq!(records(&intake).await, ENOUGH_RECORDS);
        more.await;
    }

    #[tokio::test]
    async fn one_messages_failure_is_told_behind_the_others_and_everyones_at_once() {
        let intake = Intake::default();
        intake.set_back(error("one"));
        intake.push(piece(1)).await;
        assert_eq!(records(&intake).await, 1);
        intake.acknowledge();
        assert!(futures::poll!(std::pin::pin!(intake.take())).is_pending(), "others may come");
        intake.emptied();
        assert!(matches!(intake.take().await, Taken::Failed(error) if error.detail == "one"));
        intake.stand_still(error("all"));
        assert!(futures::poll!(std::pin::pin!(intake.wait_for_room())).is_pending());
        assert!(matches!(intake.take().await, Taken::Failed(error) if error.detail == "all"));
        intake.wait_for_room().await;
        intake.emptied();
        assert!(matches!(intake.take().await, Taken::Nothing));
    }
}
