//! The states of all tables, shared by the writer and the readers.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use model::ocsf::Class;

use super::entry::Entry;
use super::log::Log;
use super::state::TableState;
use crate::durable::Durable;
use crate::error::LakeError;

/// Every table of a lake, each at the newest version that this process has seen.
#[derive(Debug)]
pub(crate) struct Tables {
    store: Durable,
    states: HashMap<Class, RwLock<TableState>>,
}

impl Tables {
    /// Reads every log from the start.
    pub(crate) async fn open(store: Durable) -> Result<Self, LakeError> {
        let states = Class::ALL.into_iter().map(|class| (class, RwLock::default())).collect();
        let tables = Self { store, states };
        for class in Class::ALL {
            let log = tables.log(class);
            let Some((oldest, newest)) = log.span().await? else { continue };
            if oldest > 0 {
                return Err(LakeError::Gap { class, version: 0 });
            }
            for (version, entry) in log.entries(0..=newest).await? {
                tables.apply(class, version, &entry);
            }
            log.settle(newest).await?;
        }
        Ok(tables)
    }

    /// The store that the tables lie on.
    pub(crate) fn store(&self) -> &Durable {
        &self.store
    }

    /// The log of a class.
    pub(crate) fn log(&self, class: Class) -> Log {
        Log::new(class, self.store.clone())
    }

    /// The state of a class; do not hold it across an await.
    pub(crate) fn state(&self, class: Class) -> RwLockReadGuard<'_, TableState> {
        self.states[&class].read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an entry into the state of a class.
    pub(crate) fn apply(&self, class: Class, version: u64, entry: &Entry) {
        let mut state = self.states[&class].write().unwrap_or_else(PoisonError::into_inner);
        state.apply(version, entry);
    }

    /// Takes in what other processes have committed since. What is built on it must be durable.
    pub(crate) async fn refresh(&self, class: Class) -> Result<(), LakeError> {
        let log = self.log(class);
        let mut found = None;
        loop {
            let version = self.state(class).next_version();
            let Some(entry) = log.read(version).await? else { break };
            self.apply(class, version, &entry);
            found = Some(version);
        }
        match found {
            Some(version) => log.settle(version).await,
            None => Ok(()),
        }
    }
}
