//! What is wrong with a responder or with what it is to work on, in every language, with the remedy.

use model::action::{Halt, Text};
use model::hint::Hint;

/// A document, a record or a place on the network that a responder cannot use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .said.en)]
pub struct WebhookError {
    /// What is wrong, naming the thing.
    pub said: Text,
    /// What to do about it.
    pub remedy: Text,
}

impl WebhookError {
    /// Says what is wrong and what to do, each in English and Japanese.
    pub(crate) fn new(said: (String, String), remedy: (&str, &str)) -> Self {
        Self { said: Text::new(said.0, said.1), remedy: Text::new(remedy.0, remedy.1) }
    }

    /// What is wrong at a place of the document.
    pub(crate) fn at(place: &str, problem: (&str, &str), remedy: (&str, &str)) -> Self {
        let (english, japanese) = problem;
        Self::new((format!("`{place}` {english}"), format!("`{place}` {japanese}")), remedy)
    }

    /// The fields that an expression needs and the record has not.
    pub(crate) fn empty(fields: &[String]) -> Self {
        let names: Vec<_> = fields.iter().map(|name| format!("`{name}`")).collect();
        let english = match names.len() {
            1 => format!("field {} is empty in this record", names[0]),
            _ => format!("fields {} are empty in this record", names.join(", ")),
        };
        Self::new(
            (english, format!("このレコードではフィールド {} が空です", names.join("、"))),
            (
                "choose a record that has it, or write `| default(…)` or `| optional` into the expression",
                "この値のあるレコードを選ぶか、式に `| default(…)` または `| optional` を書いてください",
            ),
        )
    }

    /// The end of a run that cannot go on, with the remedy.
    pub(crate) fn halt(self) -> Halt {
        let mut said = self.said;
        if !self.remedy.is_empty() {
            said.push(&Text::new(format!("; {}", self.remedy.en), format!("。{}", self.remedy.ja)));
        }
        Halt::Fatal(said)
    }
}

impl Hint for WebhookError {
    fn hint(&self) -> Option<String> {
        Some(self.remedy.en.clone()).filter(|remedy| !remedy.is_empty())
    }
}
