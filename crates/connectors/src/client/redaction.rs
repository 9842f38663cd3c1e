//! Keeps secrets and noise out of the vendor's words before they reach an error or a log.

use model::secret::{MASK, Secret};

/// Longest excerpt of a body in an error.
const EXCERPT_CHARS: usize = 200;

/// The text with every occurrence of the secret masked.
pub fn redact(text: &str, secret: &Secret) -> String {
    let secret = secret.expose().trim();
    if secret.is_empty() { text.to_owned() } else { text.replace(secret, MASK) }
}

/// What may be told of a vendor's words: its beginning, without the secret. Masked first, for a piece of a secret that
/// was cut would not be found.
pub fn quote(words: &str, secret: &Secret) -> String {
    excerpt(&redact(words, secret))
}

/// The beginning of a foreign text in one line, without control characters.
fn excerpt(text: &str) -> String {
    let mut words =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let mut line = String::new();
    while line.len() < EXCERPT_CHARS * 4
        && let Some(word) = words.next()
    {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    match line.char_indices().nth(EXCERPT_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_masked_wherever_it_stands() {
        let secret = Secret::new("k3y");
        assert_eq!(
            redact("token k3y, again k3y.", &secret),
            format!("token {MASK}, again {MASK}.")
        );
        assert_eq!(redact("untouched", &Secret::new("")), "untouched");
    }

    #[test]
    fn excerpts_are_one_short_line() {
        assert_eq!(excerpt(" a\r\n\tb\u{0}c  d "), "a b c d");
        let long = excerpt(&"語".repeat(1_000));
        assert_eq!(long.chars().count(), EXCERPT_CHARS + 1);
    }
}
