//! How errors are told where nobody walks their causes: in logs, states and messages.

use std::error::Error;

/// An error with its causes on one line. A cause that the text before it tells already is not said again.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Link(&'static str, #[source] Option<Box<Link>>);

    #[test]
    fn each_cause_is_said_once() {
        let leaf = Link("disk full", None);
        let middle = Link("failed to write: disk full", Some(Box::new(leaf)));
        let top = Link("failed to save", Some(Box::new(middle)));
        assert_eq!(chain(&top), "failed to save: failed to write: disk full");
    }
}
