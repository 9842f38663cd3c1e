//! The settings of the response side, typed: investigation, mitigation and block lists.

use super::blocklist::List;

/// Whose answers are lost, counted over the POSTs that took effect since it was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LostAnswers {
    /// Those of the next ones.
    Next(u64),
    /// That of every Nth one.
    Every(u64),
}

impl Default for LostAnswers {
    fn default() -> Self {
        Self::Next(0)
    }
}

impl LostAnswers {
    /// Whether the answer to the POST of this count, from 1, is lost.
    pub(super) fn covers(self, count: u64) -> bool {
        match self {
            Self::Next(most) => count <= most,
            Self::Every(every) => count.is_multiple_of(every),
        }
    }
}

/// How an empty block list is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum EmptyLists {
    #[default]
    Empty,
    Null,
    Absent,
}

/// All settings; the defaults are those of the table of faults.
#[derive(Debug, Clone, Default)]
pub(super) struct ActionKnobs {
    /// How many messages there are.
    pub(super) mails: u64,
    /// From the request of an action to its end.
    pub(super) delay_ms: i64,
    /// How far the shown time of execution is from the real one.
    pub(super) executed_skew_ms: i64,
    /// Targets whose actions fail, lower case.
    pub(super) fail_items: Vec<String>,
    /// Targets and entries whose requests are refused, lower case.
    pub(super) refuse_items: Vec<String>,
    pub(super) lose_answer: LostAnswers,
    /// How long a new batch is invisible.
    pub(super) status_lag_ms: i64,
    /// How many of the first polls of a batch are empty.
    pub(super) empty_polls: u64,
    /// Whether an unknown batch is an empty list instead of a 404.
    pub(super) unknown_is_empty: bool,
    /// Whether actions stay `Executing` for ever.
    pub(super) status_stuck: bool,
    /// Whether Gmail accepts what it cannot do, and fails at it.
    pub(super) gmail_fails: bool,
    /// Whether a changed block list is a 201.
    pub(super) blocklist_created: bool,
    /// Whether URLs of a host alone end with a slash.
    pub(super) trailing_slash: bool,
    /// Block lists that this deployment does not know.
    pub(super) absent_lists: Vec<List>,
    pub(super) empty_lists: EmptyLists,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_lost_by_count() {
        let lost = |lost: LostAnswers| (1..7).filter(|count| lost.covers(*count)).collect();
        let (next, every): (Vec<u64>, Vec<u64>) =
            (lost(LostAnswers::Next(2)), lost(LostAnswers::Every(3)));
        assert_eq!((next, every), (vec![1, 2], vec![3, 6]));
    }
}
