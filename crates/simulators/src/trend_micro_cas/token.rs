//! The token of lists that are paged by key: a JSON array of the last item's time and id, in base64.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;

use super::errors::Refused;

/// The item after which a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Epoch milliseconds.
    pub(super) at_ms: i64,
    pub(super) id: String,
    /// How many empty pages came since; it is written only when there were some.
    pub(super) empty_pages: u64,
}

impl Token {
    pub(super) fn after(at_ms: i64, id: &str) -> Self {
        Self { at_ms, id: id.to_owned(), empty_pages: 0 }
    }

    pub(super) fn encode(&self) -> String {
        let text = match self.empty_pages {
            0 => serde_json::json!([self.at_ms, self.id]),
            pages => serde_json::json!([self.at_ms, self.id, pages]),
        };
        URL_SAFE.encode(text.to_string())
    }

    pub(super) fn decode(text: &str) -> Result<Self, Refused> {
        Self::read(text).ok_or_else(|| Refused::BadParameter("The skiptoken is invalid".to_owned()))
    }

    fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE.decode(text).ok()?;
        if let Ok((at_ms, id)) = serde_json::from_slice(&bytes) {
            return Some(Self { at_ms, id, empty_pages: 0 });
        }
        let (at_ms, id, empty_pages) = serde_json::from_slice(&bytes).ok()?;
        Some(Self { at_ms, id, empty_pages })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tokens_are_the_vendors_array() {
        let token = Token::after(1_772_438_055_000, "AAMkSIM0001=");
        assert_eq!(token.encode(), "WzE3NzI0MzgwNTUwMDAsIkFBTWtTSU0wMDAxPSJd");
        for bad in ["", "%%%", "YWJj", "WzFd", "WyJhIiwxXQ=="] {
            assert!(Token::decode(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn tokens_are_read_as_they_were_written(at_ms: i64, id in "\\PC{0,30}", empty_pages in 0_u64..9) {
            let token = Token { at_ms, id, empty_pages };
            prop_assert_eq!(Token::decode(&token.encode()), Ok(token));
        }

        #[test]
        fn no_text_breaks_the_reading(text in "\\PC{0,40}", bytes: Vec<u8>) {
            drop(Token::decode(&text));
            drop(Token::decode(&URL_SAFE.encode(bytes)));
        }
    }
}
