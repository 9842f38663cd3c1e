//! Repeatable chance: the same coordinates always give the same draws. The mixing is splitmix64.

/// A sequence of draws that belongs to its coordinates.
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    /// Starts the sequence of these coordinates.
    pub(super) fn new(coordinates: &[u64]) -> Self {
        Self(coordinates.iter().fold(0x51_7c_c1_b7, |state, part| mixed(state ^ part)))
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = mixed(self.0);
        self.0
    }

    /// A number below `bound`, each as likely.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound.max(1)
    }

    /// A number below `bound`, small ones far more likely: the first one has about `1 / √bound` of all.
    pub(super) fn skewed(&mut self, bound: u64) -> u64 {
        let (one, other) = (self.bits() >> 32, self.bits() >> 32);
        // A product of two fractions, which falls off as names and hosts in mail do.
        let product = (u128::from(one) * u128::from(other)) >> 32;
        u64::try_from((product * u128::from(bound)) >> 32).unwrap_or(0)
    }

    /// True in `percent` of all draws.
    pub(super) fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the choices, each as likely.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.place(choices.len())]
    }

    /// One of the choices, the first ones more likely.
    pub(super) fn favour<T: Copy>(&mut self, choices: &[T]) -> T {
        let place = self.skewed(choices.len() as u64);
        choices[usize::try_from(place).unwrap_or(0)]
    }

    /// One of the weighted choices.
    pub(super) fn weigh<T: Copy>(&mut self, choices: &[(u64, T)]) -> T {
        let mut left = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            if left < *weight {
                return *choice;
            }
            left -= weight;
        }
        choices[0].1
    }

    fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }
}

fn mixed(value: u64) -> u64 {
    let mut bits = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn the_same_coordinates_draw_the_same_and_others_do_not() {
        let draws = |seed| {
            let mut chance = Chance::new(&[seed, 3]);
            [chance.bits(), chance.skewed(1_000_000), chance.below(1_000_000)]
        };
        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
    }

    #[test]
    fn skewed_draws_stay_below_the_bound_and_favour_the_first() {
        let mut chance = Chance::new(&[1]);
        let draws: Vec<u64> = (0..10_000).map(|_| chance.skewed(1_000)).collect();
        assert!(draws.iter().all(|draw| *draw < 1_000));
        let first_tenth = draws.iter().filter(|draw| **draw < 100).count();
        assert!((2_800..3_800).contains(&first_tenth), "{first_tenth}");
    }
}
