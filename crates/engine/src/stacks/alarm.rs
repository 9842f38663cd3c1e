//! Telling people in the log, once a day, that a stack comes to its end.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use catalog::StackRow;
use model::ids::ConnectorId;
use model::time::Timestamp;

use super::standing::{ALARM_DAYS, Status, expires_in_days};

const DAY: Duration = Duration::from_secs(86_400);

/// The stacks that somebody has to be told of now, with the days that they have left. They are told of.
pub(super) fn due<'a>(
    rows: &'a [StackRow],
    warned: &Mutex<BTreeMap<ConnectorId, Timestamp>>,
    now: Timestamp,
) -> Vec<(&'a StackRow, u64)> {
    let mut warned = warned.lock().unwrap_or_else(PoisonError::into_inner);
    let mut due = Vec::new();
    for row in rows {
        let Some(days) = expires_in_days(row, now).filter(|days| *days <= ALARM_DAYS) else {
            continue;
        };
        let is_told = warned.get(&row.id).is_some_and(|last| now.since(*last) < DAY);
        if Status::of(row, now) != Status::Revoked && !is_told {
            warned.insert(row.id, now);
            due.push((row, days));
        }
    }
    due
}
