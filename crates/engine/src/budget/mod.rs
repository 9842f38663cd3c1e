//! One request budget per key (invariant I4).
//!
//! [`window`] says when a key has room, [`gate`] lets the most urgent claim through, and
//! [`Budgets`] holds one gate per key, writes every request into the catalog before it is sent, and
//! hands out the rights as [`model::budget::Budget`].

pub mod gate;
pub mod window;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use catalog::{Catalog, KeyId};
use model::budget::{Answer, Budget, Permit, Priority, Quota, ReserveError};
use model::clock::Clock;
use model::ids::ConnectorId;
use model::secret::Secret;

use gate::{Gate, Grant};

/// The gates of every key that this process uses.
#[derive(Clone)]
pub struct Budgets {
    catalog: Catalog,
    clock: Arc<dyn Clock>,
    gates: Arc<tokio::sync::Mutex<HashMap<KeyId, Arc<Gate>>>>,
}

impl Budgets {
    /// No gates yet; each is made, with what the catalog remembers of it, when it is first needed.
    pub fn new(catalog: Catalog, clock: Arc<dyn Clock>) -> Self {
        Self { catalog, clock, gates: Arc::default() }
    }

    /// The gate of a key at a host.
    ///
    /// # Errors
    /// The catalog cannot say what was sent with it before.
    pub async fn gate(
        &self,
        host: &str,
        secret: &Secret,
        owner: ConnectorId,
        quotas: &[Quota],
    ) -> Result<Arc<Gate>, catalog::CatalogError> {
        let key = self.catalog.key_fingerprint(host, secret);
        let mut gates = self.gates.lock().await;
        if let Some(gate) = gates.get(&key) {
            gate.set_quotas(owner, quotas);
            return Ok(gate.clone());
        }
        let now = self.clock.now();
        let since = now - gate::memory(quotas.iter().copied());
        let earlier = self.catalog.reservations(&key, ENDPOINT, since).await?;
        let gate = Arc::new(Gate::new(key.clone(), self.clock.clone(), earlier, now));
        gate.set_quotas(owner, quotas);
        gates.insert(key, gate.clone());
        Ok(gate)
    }

    /// The right to send requests for `owner`, beginning with a grant that was already given.
    pub fn sender(
        &self,
        secret: &Secret,
        owner: ConnectorId,
        quotas: Vec<Quota>,
        priority: Priority,
        granted: Option<Grant>,
    ) -> Sender {
        Sender {
            budgets: self.clone(),
            secret: secret.clone(),
            owner,
            quotas,
            priority,
            granted: Mutex::new(granted),
        }
    }

    /// Writes the request down, then turns the grant into a permit to send it.
    async fn reserve(&self, grant: Grant) -> Result<Permit, ReserveError> {
        let now = self.clock.now();
        let gate = grant.gate().clone();
        let forget_before = now - gate.memory();
        self.catalog
            .reserve(gate.key(), ENDPOINT, now, forget_before)
            .await
            .map_err(|error| ReserveError(Box::new(error)))?;
        Ok(Permit::new(move |answer: Answer| grant.answered(answer)))
    }
}

/// The endpoint class that requests are counted under; vendors that count classes apart come later.
const ENDPOINT: &str = "default";

/// One connector's right to send with one key at one priority.
pub struct Sender {
    budgets: Budgets,
    secret: Secret,
    owner: ConnectorId,
    quotas: Vec<Quota>,
    priority: Priority,
    granted: Mutex<Option<Grant>>,
}

#[async_trait]
impl Budget for Sender {
    async fn reserve(&self, host: &str) -> Result<Permit, ReserveError> {
        let wanted = self.budgets.catalog.key_fingerprint(host, &self.secret);
        let granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(grant) = granted.filter(|grant| *grant.gate().key() == wanted) {
            return self.budgets.reserve(grant).await;
        }
        let gate = self
            .budgets
            .gate(host, &self.secret, self.owner, &self.quotas)
            .await
            .map_err(|error| ReserveError(Box::new(error)))?;
        let grant = gate.claim(self.priority).await;
        self.budgets.reserve(grant).await
    }
}
