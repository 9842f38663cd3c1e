//! Many measurements of the same thing, and what is said about them.

/// Measurements in rising order.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Sorts the measurements; those that are no numbers are dropped. `None` when none is left.
    pub fn new(measured: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = measured.into_iter().filter(|value| !value.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        (!sorted.is_empty()).then_some(Self(sorted))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The smallest.
    pub fn least(&self) -> f64 {
        self.0[0]
    }

    /// The largest.
    pub fn most(&self) -> f64 {
        self.0[self.0.len() - 1]
    }

    /// Their sum divided by their number.
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// The middle one; of an even number the mean of the two in the middle.
    pub fn median(&self) -> f64 {
        let upper = self.0.len() / 2;
        if self.0.len().is_multiple_of(2) {
            self.0[upper - 1].midpoint(self.0[upper])
        } else {
            self.0[upper]
        }
    }

    /// The smallest measurement that at least `percent` of all do not exceed (nearest rank).
    pub fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0[rank.clamp(1, self.0.len()) - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::Samples;

    fn of(measured: &[f64]) -> Samples {
        Samples::new(measured.iter().copied()).unwrap()
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "measurements come back as they are")]
    fn percentiles_are_measurements_by_nearest_rank() {
        let samples = of(&[15.0, 50.0, 35.0, 20.0, 40.0]);
        let found = [5, 30, 40, 50, 100].map(|percent| samples.percentile(percent));
        assert_eq!(found, [15.0, 20.0, 20.0, 35.0, 50.0]);
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(of(&hundred).percentile(95), 95.0);
        assert_eq!(of(&[7.0]).percentile(95), 7.0);
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "measurements come back as they are")]
    fn median_mean_and_ends_are_what_they_say() {
        assert_eq!(of(&[3.0, 1.0, 2.0]).median(), 2.0);
        assert_eq!(of(&[4.0, 1.0, 2.0, 3.0]).median(), 2.5);
        assert_eq!(of(&[4.0, 1.0, 1.0]).mean(), 2.0);
        assert_eq!((of(&[2.0, 1.0]).least(), of(&[2.0, 1.0]).most()), (1.0, 2.0));
    }

    #[test]
    fn nothing_measured_is_no_sample() {
        assert_eq!(Samples::new([]), None);
        assert_eq!(Samples::new([f64::NAN]), None);
    }
}
