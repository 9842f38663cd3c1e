//! Where a run stands.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::outcome::{ItemState, Outcome};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Written down, and not begun.
    Waiting,
    /// Under way, or waiting for the vendor.
    InProgress,
    /// Under way, with little of its time left.
    Expiring,
    /// Every item succeeded, or there was nothing to fail.
    Succeeded,
    /// Some items succeeded, some did not.
    Partial,
    /// No item succeeded, or a reason stopped all of it.
    Failed,
    /// Something was sent, and nobody can say what came of it: a person must look.
    Unknown,
    /// Its time was over before the vendor was done.
    Expired,
    /// Somebody stopped it.
    Cancelled,
    /// A dry run that shows what would be sent.
    Planned,
}

impl RunState {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Waiting, "waiting"),
        (Self::InProgress, "in_progress"),
        (Self::Expiring, "expiring"),
        (Self::Succeeded, "succeeded"),
        (Self::Partial, "partial"),
        (Self::Failed, "failed"),
        (Self::Unknown, "unknown"),
        (Self::Expired, "expired"),
        (Self::Cancelled, "cancelled"),
        (Self::Planned, "planned"),
    ];

    /// The state as it is written: `in_progress`.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }

    /// Whether nothing further happens.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::InProgress | Self::Expiring)
    }

    /// Where a run stands that came to this outcome. The worst news about an item counts first: what nobody
    /// can confirm, then what was not done in time, then what failed.
    pub fn of(outcome: &Outcome) -> Self {
        let has = |state: ItemState| outcome.items.iter().any(|item| item.state == state);
        let tried = |state: ItemState| state != ItemState::Skipped;
        let missed = outcome.items.iter().any(|item| tried(item.state) && !item.state.is_success());
        if has(ItemState::Unknown) {
            Self::Unknown
        } else if has(ItemState::Expired) {
            Self::Expired
        } else if has(ItemState::Planned) {
            Self::Planned
        } else if missed && outcome.items.iter().any(|item| item.state.is_success()) {
            Self::Partial
        } else if !outcome.is_success {
            Self::Failed
        } else {
            Self::Succeeded
        }
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A word that names no state of a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no state of a run; known are {known}", known = RunState::ALL.map(|(_, name)| name).join(", "))]
pub struct UnknownState(String);

impl FromStr for RunState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        let found = Self::ALL.iter().find(|(_, name)| *name == text);
        found.map(|(state, _)| *state).ok_or_else(|| UnknownState(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::{Entity, EntityKind, Item, Text};

    #[test]
    fn the_worst_news_about_an_item_is_the_runs() {
        use ItemState as I;
        let state = |is_success: bool, states: &[ItemState]| {
            let item = |state: &ItemState| Item::new(Entity::new(EntityKind::Ip, "::1"), *state);
            let items = states.iter().map(item).collect();
            RunState::of(&Outcome { items, ..Outcome::said(is_success, Text::default()) })
        };
        for (is_success, items, expected) in [
            (true, &[I::Succeeded, I::Already, I::Skipped][..], RunState::Succeeded),
            (true, &[], RunState::Succeeded),
            (true, &[I::Succeeded, I::Failed], RunState::Partial),
            (false, &[I::Succeeded, I::Failed], RunState::Partial),
            (true, &[I::Succeeded, I::Protected], RunState::Partial),
            (false, &[I::Failed], RunState::Failed),
            (false, &[], RunState::Failed),
            (true, &[I::Succeeded, I::Expired, I::Failed], RunState::Expired),
            (true, &[I::Succeeded, I::Unknown, I::Expired], RunState::Unknown),
            (false, &[I::Planned, I::Invalid], RunState::Planned),
        ] {
            assert_eq!(state(is_success, items), expected, "{items:?}");
        }
        for (state, name) in RunState::ALL {
            assert_eq!(name.parse::<RunState>().unwrap(), state);
        }
    }
}
