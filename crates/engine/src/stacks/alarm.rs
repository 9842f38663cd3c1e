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

#[cfg(test)]
mod tests {
    use model::ids::TenantId;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_772_438_400_000);

    fn row(days: u64) -> StackRow {
        StackRow {
            id: ConnectorId::generate(),
            tenant: TenantId::default(),
            name: String::new(),
            account: None,
            region: String::new(),
            variant: String::new(),
            code_expires_at: None,
            code_used_at: None,
            template_version: None,
            client_version: None,
            is_paused: false,
            queue_visible: None,
            refusal: None,
            lifetime_days: None,
            created_at: NOW,
            enrolled_at: Some(NOW),
            first_object_at: None,
            last_record_at: None,
            last_heartbeat_at: None,
            expires_at: Some(NOW + DAY * u32::try_from(days).unwrap()),
            revoked_at: None,
        }
    }

    #[test]
    fn people_are_told_once_a_day_from_two_weeks_before_the_end() {
        let warned = Mutex::default();
        let revoked = StackRow { revoked_at: Some(NOW), ..row(3) };
        let rows = [row(15), row(14), revoked, StackRow { expires_at: None, ..row(1) }];
        let days = |now| due(&rows, &warned, now).iter().map(|(_, days)| *days).collect::<Vec<_>>();
        assert_eq!(days(NOW), [14]);
        assert!(days(NOW + DAY / 2).is_empty());
        assert_eq!(days(NOW + DAY), [14, 13]);
    }
}
