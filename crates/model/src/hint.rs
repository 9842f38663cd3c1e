//! Hints stand apart from errors: the error says what failed, the hint says what to do about it.

/// An error that can say how to mend what it reports.
pub trait Hint {
    /// One sentence for the operator, or `None` when there is nothing useful to say.
    fn hint(&self) -> Option<String>;
}
