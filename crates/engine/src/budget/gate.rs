//! A key's gate: claims wait here, and whenever the key has room the most urgent one passes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use catalog::KeyId;
use model::budget::{Answer, Priority, Quota};
use model::clock::Clock;
use model::ids::ConnectorId;
use model::time::Timestamp;
use tokio::sync::Notify;

use super::window::{Window, slack};

/// Whoever cannot know when its turn comes looks again after this long, changes apart.
const QUEUE_LOOK: Duration = Duration::from_secs(3600);

/// The gate of one key at one host, shared by collection, tests and actions.
pub struct Gate {
    key: KeyId,
    clock: Arc<dyn Clock>,
    changed: Notify,
    state: Mutex<State>,
    /// When requests of an earlier process were reserved.
    earlier: Vec<Timestamp>,
    opened: Timestamp,
}

struct State {
    windows: Vec<Window>,
    quotas: BTreeMap<ConnectorId, Vec<Quota>>,
    closed_until: Option<Timestamp>,
    waiting: BTreeMap<(Priority, u64), ()>,
    next_ticket: u64,
}

impl Gate {
    /// A gate for whose key an earlier process reserved requests at these times, oldest first.
    pub(super) fn new(
        key: KeyId,
        clock: Arc<dyn Clock>,
        earlier: Vec<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let state = State {
            windows: Vec::new(),
            quotas: BTreeMap::new(),
            closed_until: None,
            waiting: BTreeMap::new(),
            next_ticket: 0,
        };
        let state = Mutex::new(state);
        Self { key, clock, changed: Notify::new(), state, earlier, opened: now }
    }

    /// Whose gate it is.
    pub fn key(&self) -> &KeyId {
        &self.key
    }

    /// How long a reservation matters to a process that starts later.
    pub(super) fn memory(&self) -> Duration {
        memory(self.state().windows.iter().map(Window::quota))
    }

    /// Sets what one connector says about the key's quota. Where connectors that share a key
    /// disagree, all their quotas hold at once.
    pub fn set_quotas(&self, owner: ConnectorId, quotas: &[Quota]) {
        let mut state = self.state();
        if state.quotas.get(&owner).is_some_and(|known| known == quotas) {
            return;
        }
        state.quotas.insert(owner, quotas.to_vec());
        state.apply_quotas(&self.earlier, self.opened);
        self.changed.notify_waiters();
    }

    /// Forgets what a connector that no longer uses the key said about it.
    pub fn forget(&self, owner: ConnectorId) {
        let mut state = self.state();
        if state.quotas.len() > 1 && state.quotas.remove(&owner).is_some() {
            state.apply_quotas(&self.earlier, self.opened);
            self.changed.notify_waiters();
        }
    }

    /// Requests per minute that the quotas allow in the long run.
    pub fn rate_per_minute(&self) -> f64 {
        let state = self.state();
        let rates = state.windows.iter().map(Window::rate_per_minute);
        rates.fold(f64::INFINITY, f64::min)
    }

    /// Waits for room and for every more urgent claim to pass first.
    pub async fn claim(self: &Arc<Self>, priority: Priority) -> Grant {
        let ticket = Ticket::take(self.clone(), priority);
        loop {
            // Registered before the look, so that a change in between is not missed.
            let changed = self.changed.notified();
            let opens_at = match self.pass(&ticket) {
                Ok(()) => return Grant { gate: self.clone(), used: false },
                Err(opens_at) => opens_at,
            };
            // Whoever stands behind others waits for time too, as the first of them does; a clock
            // that counts work must not count this.
            let time = opens_at.unwrap_or_else(|| self.clock.now() + QUEUE_LOOK);
            tokio::select! {
                () = changed => {}
                () = self.clock.sleep_until(time) => {}
            }
        }
    }

    /// Passes the gate if it is this ticket's turn and there is room; else says when to look again
    /// (`None`: when something changes).
    fn pass(&self, ticket: &Ticket) -> Result<(), Option<Timestamp>> {
        let now = self.clock.now();
        let mut state = self.state();
        if state.waiting.keys().next() != Some(&ticket.place) {
            return Err(None);
        }
        match state.opens_at(now) {
            Some(time) if time <= now => {
                state.windows.iter_mut().for_each(Window::sent);
                Ok(())
            }
            later => Err(later),
        }
    }

    fn answered(&self, answer: Answer) {
        let now = self.clock.now();
        let mut state = self.state();
        for window in &mut state.windows {
            window.answered(now);
            if answer.throttled {
                window.refused(now);
            }
        }
        if answer.throttled {
            let shortest = state.windows.iter().map(|window| window.quota().per).min();
            let wait = answer.retry_after.or(shortest).unwrap_or_default();
            state.closed_until = state.closed_until.max(Some(now + wait));
        }
        drop(state);
        self.changed.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long after it was reserved a request may count in one of these quotas.
pub(super) fn memory(quotas: impl Iterator<Item = Quota>) -> Duration {
    quotas.map(|quota| quota.per + slack(quota.per)).max().unwrap_or_default()
}

impl State {
    fn opens_at(&mut self, now: Timestamp) -> Option<Timestamp> {
        let mut opens = self.closed_until.filter(|until| *until > now).unwrap_or(now);
        for window in &mut self.windows {
            opens = opens.max(window.opens_at(now)?);
        }
        Some(opens)
    }

    /// Keeps the windows of quotas still in force, with what they count, and adds new ones.
    fn apply_quotas(&mut self, earlier: &[Timestamp], opened: Timestamp) {
        let mut wanted: Vec<Quota> = self.quotas.values().flatten().copied().collect();
        wanted.sort_by_key(|quota| (quota.per, quota.requests));
        wanted.dedup_by_key(|quota| quota.per);
        let before = std::mem::take(&mut self.windows);
        let longest = before.iter().max_by_key(|window| window.quota().per);
        let missing: Vec<Window> = wanted
            .iter()
            .filter(|quota| !before.iter().any(|window| window.quota() == **quota))
            .map(|quota| match longest {
                Some(other) => Window::succeeding(*quota, other),
                None => Window::new(*quota, earlier, opened),
            })
            .collect();
        self.windows = before;
        self.windows.retain(|window| wanted.contains(&window.quota()));
        self.windows.extend(missing);
    }
}

/// A place in the queue, given up when dropped.
struct Ticket {
    gate: Arc<Gate>,
    place: (Priority, u64),
}

impl Ticket {
    fn take(gate: Arc<Gate>, priority: Priority) -> Self {
        let mut state = gate.state();
        state.next_ticket += 1;
        let place = (priority, state.next_ticket);
        state.waiting.insert(place, ());
        drop(state);
        Self { gate, place }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.gate.state().waiting.remove(&self.place);
        self.gate.changed.notify_waiters();
    }
}

/// Room for one request. Given back unused when it is dropped without becoming a permit.
#[must_use = "a grant holds room in the quota"]
pub struct Grant {
    gate: Arc<Gate>,
    used: bool,
}

impl Grant {
    /// The gate that gave it.
    pub fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    pub(super) fn answered(mut self, answer: Answer) {
        self.used = true;
        self.gate.answered(answer);
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        if !self.used {
            self.gate.state().windows.iter_mut().for_each(Window::given_back);
            self.gate.changed.notify_waiters();
        }
    }
}
