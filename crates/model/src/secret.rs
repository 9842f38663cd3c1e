//! The only carrier of secrets: it cannot print, compare or serialise what it holds.

use std::fmt;

/// A secret text. `Debug` and `Display` show fixed text; only [`Secret::expose`] gives the value.
#[derive(Clone, serde::Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

/// What stands wherever a secret would be printed. In an applied file it means "keep what is stored".
pub const MASK: &str = "********";

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself: for the header that goes to its vendor, and for encryption at rest.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether this is the mask that stands for an unchanged secret.
    pub fn is_mask(&self) -> bool {
        self.0 == MASK
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?}"), "******** ********");
        assert_eq!(secret.expose(), "hunter2");
    }
}
