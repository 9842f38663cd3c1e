//! Time as a port, so that three days of collection can be tested in seconds.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::time::Timestamp;

/// A future that ends when the clock reaches a point in time.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where time comes from.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Waits until the clock reads `deadline` or later.
    fn sleep_until(&self, deadline: Timestamp) -> Sleep;

    /// Says that work is under way until the guard is dropped. Real clocks do not care;
    /// a virtual clock stands still meanwhile. Work that may itself sleep goes into [`working`].
    fn busy(&self) -> Busy {
        Busy(None)
    }
}

/// Work under way; see [`Clock::busy`].
#[must_use = "the work ends when the guard is dropped"]
pub struct Busy(Option<Arc<Mutex<State>>>);

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(state) = &self.0 {
            lock(state).busy -= 1;
        }
    }
}

thread_local! {
    /// Whether a sleep on a virtual clock was found pending since this was last cleared.
    static SLEEPS: Cell<bool> = const { Cell::new(false) };
}

/// Work that keeps a virtual clock from moving, except while it sleeps on that clock itself. Answers
/// what the work gives, with a guard that holds the clock until the answer is dealt with.
pub fn working<T>(
    clock: Arc<dyn Clock>,
    work: impl Future<Output = T> + Send + 'static,
) -> Working<T> {
    let busy = Some(clock.busy());
    Working { clock, work: Box::pin(work), busy }
}

/// See [`working`].
pub struct Working<T> {
    clock: Arc<dyn Clock>,
    work: Pin<Box<dyn Future<Output = T> + Send>>,
    busy: Option<Busy>,
}

impl<T> Future for Working<T> {
    type Output = (T, Busy);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let busy = self.busy.take().unwrap_or_else(|| self.clock.busy());
        SLEEPS.set(false);
        match self.work.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready((answer, busy)),
            Poll::Pending => {
                self.busy = (!SLEEPS.get()).then_some(busy);
                Poll::Pending
            }
        }
    }
}

/// A clock that moves only when it is told to, and refuses while work is under way.
#[derive(Clone)]
pub struct VirtualClock(Arc<Mutex<State>>);

struct State {
    now: Timestamp,
    busy: usize,
    next_sleeper: u64,
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
}

impl VirtualClock {
    /// A clock that stands at `now`.
    pub fn starting_at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(State {
            now,
            busy: 0,
            next_sleeper: 0,
            sleepers: BTreeMap::new(),
        })))
    }

    /// Whether no work is under way.
    pub fn is_idle(&self) -> bool {
        lock(&self.0).busy == 0
    }

    /// Moves to the earliest deadline that somebody sleeps for, but not past `limit`, and wakes the
    /// sleepers there. Does nothing and answers `false` while work is under way.
    pub fn advance_to_next(&self, limit: Timestamp) -> bool {
        let mut state = lock(&self.0);
        if state.busy > 0 {
            return false;
        }
        let next = state.sleepers.keys().next().map_or(limit, |(deadline, _)| *deadline).min(limit);
        state.now = state.now.max(next);
        let now = state.now;
        let later = state.sleepers.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut state.sleepers, later);
        drop(state);
        due.into_values().for_each(Waker::wake);
        true
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        lock(&self.0).now
    }

    fn sleep_until(&self, deadline: Timestamp) -> Sleep {
        Box::pin(VirtualSleep { state: self.0.clone(), deadline, key: None })
    }

    fn busy(&self) -> Busy {
        lock(&self.0).busy += 1;
        Busy(Some(self.0.clone()))
    }
}

struct VirtualSleep {
    state: Arc<Mutex<State>>,
    deadline: Timestamp,
    key: Option<(Timestamp, u64)>,
}

impl Future for VirtualSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let shared = self.state.clone();
        let mut state = lock(&shared);
        if state.now >= self.deadline {
            return Poll::Ready(());
        }
        let key = self.key.unwrap_or_else(|| {
            state.next_sleeper += 1;
            (self.deadline, state.next_sleeper)
        });
        self.key = Some(key);
        state.sleepers.insert(key, context.waker().clone());
        SLEEPS.set(true);
        Poll::Pending
    }
}

impl Drop for VirtualSleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            lock(&self.state).sleepers.remove(&key);
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn it_moves_to_the_earliest_sleeper_and_stands_still_while_work_is_under_way() {
        let start = Timestamp::from_millis(1_000);
        let clock = VirtualClock::starting_at(start);
        let mut nap = clock.sleep_until(start + Duration::from_secs(5));
        assert!(futures_poll(&mut nap).is_pending());

        let busy = clock.busy();
        assert!(!clock.advance_to_next(start + Duration::from_secs(60)));
        assert_eq!(clock.now(), start);
        drop(busy);

        assert!(clock.advance_to_next(start + Duration::from_secs(60)));
        assert_eq!(clock.now(), start + Duration::from_secs(5));
        nap.await;
    }

    fn futures_poll(sleep: &mut Sleep) -> Poll<()> {
        sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn work_holds_the_clock_except_while_it_sleeps_on_it() {
        let start = Timestamp::parse("2026-03-02T08:00:00Z").unwrap();
        let clock = VirtualClock::starting_at(start);
        let nap = clock.sleep_until(start + Duration::from_secs(5));
        let (wake, woken) = std::sync::mpsc::channel::<()>();
        let io = std::future::poll_fn(move |_| match woken.try_recv() {
            Ok(()) => Poll::Ready(7),
            Err(_) => Poll::Pending,
        });
        let work = async move {
            nap.await;
            io.await
        };
        let mut work = working(Arc::new(clock.clone()), work);
        assert!(!clock.is_idle());
        assert!(poll(&mut work).is_pending());
        assert!(clock.advance_to_next(start + Duration::from_secs(60)), "it sleeps");
        assert!(poll(&mut work).is_pending());
        assert!(!clock.advance_to_next(start + Duration::from_secs(60)), "it waits for I/O");
        wake.send(()).unwrap();
        let Poll::Ready((answer, busy)) = poll(&mut work) else { panic!("not done") };
        assert_eq!((answer, clock.is_idle()), (7, false));
        drop(busy);
        assert!(clock.is_idle());
    }

    fn poll<T>(work: &mut Working<T>) -> Poll<(T, Busy)> {
        Pin::new(work).poll(&mut Context::from_waker(Waker::noop()))
    }
}
