//! Budgets of one fetch: a reservation made ahead, and requests that nobody's quota counts.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use model::budget::{Budget, Permit, ReserveError};
use model::vendor::{Fault, FetchError};

/// A budget with at most one reservation made ahead, which the next request uses.
///
/// Who waits for a lock has reserved before, so nobody holds a lock while waiting for room in the quota.
pub(super) struct Prepaid<'b> {
    budget: &'b dyn Budget,
    ahead: Mutex<Option<(String, Permit)>>,
}

impl<'b> Prepaid<'b> {
    /// Nothing is reserved yet.
    pub(super) fn new(budget: &'b dyn Budget) -> Self {
        Self { budget, ahead: Mutex::new(None) }
    }

    /// Reserves the next request at `host`, unless that is done already.
    pub(super) async fn prepay(&self, host: &str) -> Result<(), FetchError> {
        if self.is_paid(host) {
            return Ok(());
        }
        let permit = self.budget.reserve(host).await.map_err(|error| FetchError {
            fault: Fault::Budget,
            detail: format!("request to {host} was not sent"),
            retry_after: None,
            source: Some(Box::new(error)),
        })?;
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        *ahead = Some((host.to_owned(), permit));
        Ok(())
    }

    fn is_paid(&self, host: &str) -> bool {
        let ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.as_ref().is_some_and(|(paid, _)| paid == host)
    }

    fn take(&self, host: &str) -> Option<Permit> {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let (paid, permit) = ahead.take()?;
        if paid == host {
            return Some(permit);
        }
        *ahead = Some((paid, permit));
        None
    }
}

#[async_trait]
impl Budget for Prepaid<'_> {
    async fn reserve(&self, host: &str) -> Result<Permit, ReserveError> {
        match self.take(host) {
            Some(permit) => Ok(permit),
            None => self.budget.reserve(host).await,
        }
    }
}

/// For requests that carry no key: a file host does not know who asks, so no key's quota counts them.
pub(super) struct Keyless;

#[async_trait]
impl Budget for Keyless {
    async fn reserve(&self, _: &str) -> Result<Permit, ReserveError> {
        Ok(Permit::new(|_| ()))
    }
}
