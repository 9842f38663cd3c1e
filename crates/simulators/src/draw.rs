//! Repeatable chance: the same seed and coordinates always draw the same values.
//!
//! Not for anything secret; the mixing function is splitmix64.

/// Mixes several coordinates into one well-spread number.
pub(crate) fn mix(coordinates: &[u64]) -> u64 {
    coordinates.iter().fold(0x243f_6a88_85a3_08d3, |state, part| scramble(state ^ part))
}

fn scramble(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A sequence of draws.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    state: u64,
}

impl Draw {
    /// Starts the sequence that belongs to these coordinates.
    pub(crate) fn new(coordinates: &[u64]) -> Self {
        Self { state: mix(coordinates) }
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.state = scramble(self.state);
        self.state
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.bits().checked_rem(bound).unwrap_or(0)
    }

    /// True in `percent` of all draws.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the choices, which must not be empty.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        debug_assert!(!choices.is_empty(), "a choice needs something to choose from");
        let count = u64::try_from(choices.len()).unwrap_or(1);
        choices[usize::try_from(self.below(count)).unwrap_or(0)]
    }
}

/// A number in `0.0..1.0` for these coordinates.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
pub(crate) fn fraction(coordinates: &[u64]) -> f64 {
    (mix(coordinates) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Appends the low `digits` hexadecimal digits of `value`.
pub(crate) fn push_hex(out: &mut String, value: u64, digits: u32) {
    for place in (0..digits).rev() {
        let nibble = (value >> (place * 4)) & 0xf;
        out.push(char::from(b"0123456789abcdef"[usize::try_from(nibble).unwrap_or(0)]));
    }
}

/// Appends a version 4 shaped UUID made of the two halves.
pub(crate) fn push_uuid(out: &mut String, high: u64, low: u64) {
    push_hex(out, high >> 32, 8);
    out.push('-');
    push_hex(out, high >> 16, 4);
    out.push_str("-4");
    push_hex(out, high, 3);
    out.push('-');
    push_hex(out, (low >> 48) & 0x3fff | 0x8000, 4);
    out.push('-');
    push_hex(out, low, 12);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_coordinates_draw_the_same_values_and_others_do_not() {
        let draws = |seed| {
            let mut draw = Draw::new(&[seed, 7]);
            (draw.bits(), draw.below(1_000_000))
        };
        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
    }

    #[test]
    fn uuids_have_the_usual_shape() {
        let mut out = String::new();
        push_uuid(&mut out, 0x0123_4567_89ab_cdef, u64::MAX);
        assert_eq!(out, "01234567-89ab-4def-bfff-ffffffffffff");
    }

    #[test]
    fn fractions_stay_below_one() {
        assert!((0..1_000).map(|n| fraction(&[n])).all(|f| (0.0..1.0).contains(&f)));
    }
}
