//! Failures of the command line itself, and the one place that prints a chain of causes and a hint.

use std::error::Error;
use std::fmt;

use catalog::CatalogError;
use engine::error::EngineError;
use model::connector::SettingsError;
use model::hint::Hint;
use query::store::StoreError;

/// What the shell learns from a command that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All of it is done.
    Done,
    /// It ran, and what it looked at is not as it should be: a failed test, an unclean lake.
    Failed,
    /// Some of it is done; stderr says what is not.
    Partly,
}

impl Outcome {
    /// The exit code: 0 done, 1 failed, 3 partly done. Wrong usage is 2.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Partly => 3,
        }
    }
}

/// A failure that the command line words itself.
#[derive(Debug)]
pub(crate) struct Failure {
    problem: String,
    hint: Option<String>,
    is_usage: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// Something did not work.
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), hint: None, is_usage: false, source: None }
    }

    /// The command was called in a way that cannot work.
    pub(crate) fn usage(problem: impl Into<String>) -> Self {
        Self { is_usage: true, ..Self::new(problem) }
    }

    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What it came from.
    #[must_use]
    pub(crate) fn cause(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.problem)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Standard output was closed by its reader, as `head` does: no failure, but nothing more to do.
#[derive(Debug)]
pub(crate) struct StdoutClosed;

impl fmt::Display for StdoutClosed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("standard output is closed")
    }
}

impl Error for StdoutClosed {}

/// The exit code of a failed command; 0 when only the reader of the output went away.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    if error.chain().any(|cause| cause.is::<StdoutClosed>()) {
        return 0;
    }
    let is_usage = |cause: &(dyn Error + 'static)| {
        cause.downcast_ref::<Failure>().is_some_and(|failure| failure.is_usage)
    };
    if error.chain().any(is_usage) { 2 } else { 1 }
}

/// What to do about the error, from the outermost cause that knows.
pub(crate) fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(hint_of).filter(|hint| !hint.is_empty())
}

fn hint_of(cause: &(dyn Error + 'static)) -> Option<String> {
    if let Some(failure) = cause.downcast_ref::<Failure>() {
        return failure.hint.clone();
    }
    let known: [Option<&dyn Hint>; 4] = [
        cause.downcast_ref::<EngineError>().map(|error| error as _),
        cause.downcast_ref::<CatalogError>().map(|error| error as _),
        cause.downcast_ref::<StoreError>().map(|error| error as _),
        cause.downcast_ref::<SettingsError>().map(|error| error as _),
    ];
    known.into_iter().flatten().find_map(Hint::hint)
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    fn failed() -> anyhow::Error {
        let cause = std::io::Error::other("no space left");
        let failure = Failure::new("failed to write `x`").hint("make room").cause(cause);
        Err::<(), _>(failure).context("failed to import `y`").expect_err("it is an error")
    }

    #[test]
    fn a_chain_is_one_line_and_its_hint_comes_from_the_cause_that_knows() {
        let error = failed();
        assert_eq!(
            model::causes::chain(error.as_ref()),
            "failed to import `y`: failed to write `x`: no space left"
        );
        assert_eq!(hint(&error).as_deref(), Some("make room"));
        assert_eq!(exit_code(&error), 1);
    }

    #[test]
    fn wrong_usage_is_2_and_a_closed_output_is_no_failure() {
        assert_eq!(exit_code(&Failure::usage("two of them").into()), 2);
        assert_eq!(exit_code(&anyhow::Error::from(StdoutClosed).context("print")), 0);
    }
}
