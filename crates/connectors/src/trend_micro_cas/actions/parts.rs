//! A long list of things to send, cut into requests: so many at once, and halves of a request that was refused.
//!
//! The vendor refuses a request whole for one bad element. Halving finds it, and the others are done.

use std::ops::Range;

use model::vendor::{Fault, FetchError};

/// One request: the name of its step and which things are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) step: String,
    pub(super) range: Range<usize>,
}

/// The requests that are still to be sent, the next one last.
#[derive(Debug)]
pub(super) struct Parts(Vec<Part>);

impl Parts {
    /// Cuts `total` things into requests of at most `most`: `post/1`, `post/2`, …
    pub(super) fn of(total: usize, most: usize) -> Self {
        let starts = (0..total).step_by(most.max(1));
        let part = |(number, start)| Part {
            step: format!("post/{number}"),
            range: start..total.min(start + most),
        };
        let mut parts: Vec<_> = (1_usize..).zip(starts).map(part).collect();
        parts.reverse();
        Self(parts)
    }

    /// The next request.
    pub(super) fn pop(&mut self) -> Option<Part> {
        self.0.pop()
    }

    /// Whether everything was sent.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts the halves of a refused request in its place, `post/1.1` and `post/1.2`; `false` when it cannot be
    /// halved, or halves would be refused for the same reason.
    pub(super) fn halve(&mut self, part: &Part, error: &FetchError) -> bool {
        let is_about_content = matches!(error.fault, Fault::BadRequest | Fault::TooLarge);
        if part.range.len() < 2 || !is_about_content {
            return false;
        }
        let Range { start, end } = part.range;
        let middle = start + (end - start).div_ceil(2);
        self.0.push(Part { step: format!("{}.2", part.step), range: middle..end });
        self.0.push(Part { step: format!("{}.1", part.step), range: start..middle });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::failed;
    use super::*;

    #[test]
    fn a_list_is_cut_in_order_and_a_refused_part_is_halved_until_one_is_left() {
        let mut parts = Parts::of(5, 3);
        let bad = failed(Fault::BadRequest, "no");
        let mut sent = Vec::new();
        while let Some(part) = parts.pop() {
            // The third thing is what the vendor does not take.
            let is_refused = part.range.contains(&2);
            if is_refused && parts.halve(&part, &bad) {
                continue;
            }
            sent.push((part.step, part.range, is_refused));
        }
        let shown: Vec<_> =
            sent.iter().map(|(step, range, no)| (&**step, range.clone(), *no)).collect();
        assert_eq!(
            shown,
            [("post/1.1", 0..2, false), ("post/1.2", 2..3, true), ("post/2", 3..5, false)]
        );
        let part = Part { step: "post/1".to_owned(), range: 0..4 };
        assert!(!parts.halve(&part, &failed(Fault::Outage, "down")));
        assert!(Parts::of(0, 3).pop().is_none());
    }
}
