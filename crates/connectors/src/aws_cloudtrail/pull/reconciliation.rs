//! A bucket's objects by the time of their change: history, and what no notification told of.
//!
//! One walk at a time, in a task of its own that reads ahead of the engine's pages. It reads what is not known to
//! be stored; where it stands is behind the last object of which nothing is missing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{StreamExt as _, stream};
use model::time::Interval;
use model::vendor::{Ask, Continuation, FetchError};
use tokio::task::JoinHandle;

use super::address::Bucket;
use super::intake::{Haul, Intake, Taken};
use super::listing::{Place, Walk};
use super::memory::Memory;
use super::notification::Object;
use super::object;
use super::session::Session;

/// Objects that are read side by side.
const SIDE_BY_SIDE: usize = 4;

/// A bucket and the walk over it, if one is under way.
pub(super) struct Reconciliation {
    parts: Arc<Parts>,
    walk: Mutex<Option<Under>>,
}

struct Parts {
    session: Arc<Session>,
    memory: Arc<Memory>,
    bucket: Bucket,
}

/// A walk under way; its task ends with it.
struct Under {
    span: Interval,
    expects: Option<Continuation>,
    pages: u64,
    intake: Arc<Intake>,
    task: JoinHandle<()>,
}

impl Drop for Under {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A page of a walk.
pub(super) struct Walked {
    /// What it holds.
    pub(super) haul: Haul,
    /// Where the walk goes on; `None` at its end.
    pub(super) next: Option<Continuation>,
}

impl Reconciliation {
    /// Nothing is asked yet.
    pub(super) fn new(session: Arc<Session>, memory: Arc<Memory>, bucket: Bucket) -> Self {
        Self { parts: Arc::new(Parts { session, memory, bucket }), walk: Mutex::default() }
    }

    /// The bucket.
    pub(super) fn bucket(&self) -> &Bucket {
        &self.parts.bucket
    }

    /// The next page of what changed in a span.
    ///
    /// # Errors
    /// The bucket or an object of it cannot be read. The walk begins again where the last page ended.
    pub(super) async fn page(&self, ask: &Ask) -> Result<Walked, FetchError> {
        let intake = self.intake(ask);
        match intake.take().await {
            Taken::Haul(haul) => {
                let place = haul.place.clone().or_else(|| ask.next.as_ref().map(Place::read));
                let place = place.unwrap_or_default();
                let next = self.under().as_mut().map(|under| {
                    under.pages += 1;
                    let next = place.written(under.pages);
                    under.expects = Some(next.clone());
                    next
                });
                Ok(Walked { haul, next: Some(next.unwrap_or_else(|| place.written(0))) })
            }
            Taken::Nothing => {
                self.under().take();
                Ok(Walked { haul: Haul::default(), next: None })
            }
            Taken::Failed(error) => {
                self.under().take();
                Err(error)
            }
        }
    }

    /// A page that says only that the walk goes on.
    pub(super) fn later(ask: &Ask) -> Walked {
        let next = Some(ask.next.clone().unwrap_or_else(|| Place::default().written(0)));
        Walked { haul: Haul::default(), next }
    }

    /// The last page is stored.
    pub(super) fn acknowledge(&self) {
        let done = self.under().as_ref().and_then(|under| under.intake.acknowledge());
        done.iter().flat_map(|done| &done.objects).for_each(|object| self.parts.memory.add(object));
    }

    /// The walk under way if it is the one that is asked for, else a new one.
    fn intake(&self, ask: &Ask) -> Arc<Intake> {
        let mut walk = self.under();
        let goes_on = walk.as_ref().filter(|under| {
            under.span == ask.interval && (under.expects == ask.next || under.intake.is_waiting())
        });
        if let Some(under) = goes_on {
            return under.intake.clone();
        }
        let intake = Arc::new(Intake::default());
        let (span, place) = (ask.interval, ask.next.as_ref().map(Place::read));
        let task = tokio::spawn(self.parts.clone().run(intake.clone(), span, place));
        let pages = ask.next.as_ref().map_or(0, Place::page);
        let expects = ask.next.clone();
        *walk = Some(Under { span, expects, pages, intake: intake.clone(), task });
        intake
    }

    fn under(&self) -> MutexGuard<'_, Option<Under>> {
        self.walk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Parts {
    async fn run(self: Arc<Self>, intake: Arc<Intake>, span: Interval, place: Option<Place>) {
        match self.walk(&intake, span, place).await {
            Ok(()) => intake.emptied(),
            Err(error) => intake.stand_still(error),
        }
    }

    async fn walk(
        &self,
        intake: &Intake,
        span: Interval,
        place: Option<Place>,
    ) -> Result<(), FetchError> {
        let region = self.session.region().await;
        let mut walk = Walk::begin(&self.session, &self.bucket, span, place).await?;
        while let Some(objects) = walk.next().await? {
            let new = objects.into_iter().filter(|object| !self.memory.has(object));
            let read = stream::iter(new).map(|object| self.object(intake, object, &region));
            let mut read = std::pin::pin!(read.buffered(SIDE_BY_SIDE));
            while let Some(object) = read.next().await {
                let object = object?;
                let place = Place(object.key.clone());
                intake.complete(vec![object], None, Some(place));
            }
        }
        Ok(())
    }

    async fn object(
        &self,
        intake: &Intake,
        mut object: Object,
        region: &str,
    ) -> Result<Object, FetchError> {
        let take = |piece| intake.push(piece);
        if let Some(tag) = object::read(&self.session, &object, region, take).await? {
            object.tag = Some(tag);
        }
        Ok(object)
    }
}
