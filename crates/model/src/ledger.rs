//! The completeness ledger: for each stream and interval, what came in and what became of it.

use serde::{Deserialize, Serialize};

use crate::batch::Receipt;

/// Counts of records. Balanced when `served = stored + duplicate + filtered + dead_lettered`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Records in the vendor's answers, counted where the page is decoded.
    pub served: u64,
    /// Rows added to the lake.
    pub stored: u64,
    /// Records that the lake already held.
    pub duplicate: u64,
    /// Records that a transform dropped.
    pub filtered: u64,
    /// Records set aside with a reason.
    pub dead_lettered: u64,
}

impl Counts {
    /// The counts of one page: what was served, what could not be identified, what the lake said.
    pub fn of_page(served: u64, unusable: u64, receipt: Option<&Receipt>) -> Self {
        let mut counts = Self { served, dead_lettered: unusable, ..Self::default() };
        if let Some(receipt) = receipt {
            counts.stored = receipt.stored;
            counts.duplicate = receipt.duplicate;
            counts.filtered = receipt.filtered;
            counts.dead_lettered += receipt.dead_letters.len() as u64;
        }
        counts
    }

    /// Served less everything accounted for: zero when the ledger balances.
    pub fn imbalance(&self) -> i128 {
        let accounted = i128::from(self.stored)
            + i128::from(self.duplicate)
            + i128::from(self.filtered)
            + i128::from(self.dead_lettered);
        i128::from(self.served) - accounted
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.served += other.served;
        self.stored += other.stored;
        self.duplicate += other.duplicate;
        self.filtered += other.filtered;
        self.dead_lettered += other.dead_lettered;
    }
}

impl std::fmt::Display for Counts {
    /// The ledger line: `served=3 stored=2 duplicate=1 filtered=0 dead_lettered=0`.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { served, stored, duplicate, filtered, dead_lettered } = self;
        write!(
            out,
            "served={served} stored={stored} duplicate={duplicate} filtered={filtered} \
             dead_lettered={dead_lettered}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_every_count_and_the_imbalance_shows_a_lost_record() {
        let mut counts = Counts { served: 3, stored: 1, duplicate: 1, ..Counts::default() };
        assert_eq!(counts.to_string(), "served=3 stored=1 duplicate=1 filtered=0 dead_lettered=0");
        assert_eq!(counts.imbalance(), 1);
        counts += Counts { filtered: 1, ..Counts::default() };
        assert_eq!(counts.imbalance(), 0);
    }
}
