//! A connector's pool of keys: which may be used now, and the claims that wait at their gates.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use catalog::{Catalog, CatalogError, KeyOutcome};
use connectors::client::backoff;
use model::budget::Priority;
use model::time::Timestamp;
use model::vendor::{FetchError, Key};

use super::target::Target;
use crate::budget::Budgets;
use crate::budget::gate::{Gate, Grant};

/// The first and the longest wait before a refused key is tried again.
const RETRY: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(600));
/// A working key's health is written down this often.
const NOTE_EVERY: Duration = Duration::from_secs(300);

/// The keys of one connector.
pub struct KeyPool {
    keys: Vec<PooledKey>,
}

/// A place in the queue at a gate.
type Claim = Pin<Box<dyn Future<Output = Grant> + Send>>;

struct PooledKey {
    key: Key,
    gate: Arc<Gate>,
    refusals: u32,
    usable_from: Timestamp,
    noted_ok: Option<Timestamp>,
    claim: Option<(Priority, Claim)>,
}

impl KeyPool {
    /// Opens the gates of all keys.
    ///
    /// # Errors
    /// The catalog cannot say what was sent with a key before.
    pub async fn open(target: &Target, budgets: &Budgets) -> Result<Self, CatalogError> {
        let mut keys = Vec::new();
        for key in target.connection.keys() {
            let gate = budgets.gate(&key.host, &key.secret, target.id, &target.quotas).await?;
            keys.push(PooledKey {
                key: key.clone(),
                gate,
                refusals: 0,
                usable_from: Timestamp::EPOCH,
                noted_ok: None,
                claim: None,
            });
        }
        Ok(Self { keys })
    }

    /// The key at a place in the pool.
    pub fn key(&self, place: usize) -> &Key {
        &self.keys[place].key
    }

    /// Requests per minute that all usable keys allow together.
    pub fn rate_per_minute(&self, now: Timestamp) -> f64 {
        let usable = self.keys.iter().filter(|pooled| pooled.usable_from <= now);
        usable.map(|pooled| pooled.gate.rate_per_minute()).sum()
    }

    /// Queues at the gate of every usable key with this urgency; `None` leaves all queues.
    pub fn claim(&mut self, urgency: Option<Priority>, now: Timestamp) {
        for pooled in &mut self.keys {
            let wanted = urgency.filter(|_| pooled.usable_from <= now);
            if pooled.claim.as_ref().map(|(priority, _)| *priority) != wanted {
                pooled.claim = wanted.map(|priority| {
                    let gate = pooled.gate.clone();
                    (priority, Box::pin(async move { gate.claim(priority).await }) as _)
                });
            }
        }
    }

    /// Waits until a gate lets a claim through; for ever when there is no claim.
    pub fn granted(&mut self) -> impl Future<Output = (usize, Priority, Grant)> {
        std::future::poll_fn(move |context| self.poll_granted(context))
    }

    fn poll_granted(&mut self, context: &mut Context<'_>) -> Poll<(usize, Priority, Grant)> {
        for (place, pooled) in self.keys.iter_mut().enumerate() {
            let Some((priority, claim)) = &mut pooled.claim else { continue };
            if let Poll::Ready(grant) = claim.as_mut().poll(context) {
                let priority = *priority;
                pooled.claim = None;
                return Poll::Ready((place, priority, grant));
            }
        }
        Poll::Pending
    }

    /// Whether the vendor accepted a key, and has not refused it since.
    pub fn works(&self, place: usize) -> bool {
        self.keys[place].noted_ok.is_some()
    }

    /// Lets refused keys be tried again at once: somebody has reason to think that they work.
    pub fn retry(&mut self, now: Timestamp) {
        for pooled in &mut self.keys {
            pooled.usable_from = pooled.usable_from.min(now);
        }
    }

    /// When the earliest refused key may be tried again, if any is refused.
    pub fn wakes_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.keys.iter().map(|pooled| pooled.usable_from).filter(|from| *from > now).min()
    }

    /// Notes that the vendor accepted a key.
    pub async fn accepted(&mut self, place: usize, catalog: &Catalog, now: Timestamp) {
        let pooled = &mut self.keys[place];
        pooled.refusals = 0;
        pooled.usable_from = now;
        if pooled.noted_ok.is_none_or(|noted| now.since(noted) >= NOTE_EVERY) {
            pooled.noted_ok = Some(now);
            let (gate, label) = (pooled.gate.clone(), pooled.key.label.clone());
            note(catalog, gate, label, &KeyOutcome::Ok, now).await;
        }
    }

    /// Notes that the vendor refused a key: it leaves the pool for a while.
    pub async fn refused(
        &mut self,
        place: usize,
        error: &FetchError,
        catalog: &Catalog,
        now: Timestamp,
    ) {
        let pooled = &mut self.keys[place];
        let (base, cap) = RETRY;
        let jitter = backoff::delay(pooled.refusals, base, cap, rand::random()) / 2;
        let wait = (base.saturating_mul(1 << pooled.refusals.min(6))).min(cap) / 2 + jitter;
        pooled.refusals += 1;
        pooled.usable_from = now + wait;
        pooled.noted_ok = None;
        let outcome = KeyOutcome::Fault(error.fault.to_string());
        note(catalog, pooled.gate.clone(), pooled.key.label.clone(), &outcome, now).await;
    }

    /// Leaves the gates: the connector stops.
    pub fn leave(&mut self, target: &Target) {
        for pooled in &mut self.keys {
            pooled.claim = None;
            pooled.gate.forget(target.id);
        }
    }
}

async fn note(
    catalog: &Catalog,
    gate: Arc<Gate>,
    label: String,
    outcome: &KeyOutcome,
    now: Timestamp,
) {
    if let Err(error) = catalog.key_used(gate.key(), &label, outcome, now).await {
        tracing::warn!(key = label, %error, "failed to note a key's health");
    }
}
