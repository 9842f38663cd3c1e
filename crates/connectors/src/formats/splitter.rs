//! Finds the end of a JSON value by its brackets and quotes, in pieces of any size.
//!
//! It does not judge the value: that is left to a parser, once the bytes are together.

/// Where a value ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Not in these bytes.
    More,
    /// After so many of these bytes.
    Ends(usize),
}

/// A value on its way in.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    depth: usize,
    in_text: bool,
    is_escaped: bool,
    has_begun: bool,
}

impl Splitter {
    /// Looks for the end of an object whose beginning was read already.
    pub(super) fn inside_object() -> Self {
        Self { depth: 1, has_begun: true, ..Self::default() }
    }

    /// Looks at the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Step {
        for (place, byte) in bytes.iter().enumerate() {
            if let Some(is_part) = self.take(*byte) {
                return Step::Ends(place + usize::from(is_part));
            }
        }
        Step::More
    }

    /// Whether the value ends at this byte, and if so, whether the byte belongs to it.
    fn take(&mut self, byte: u8) -> Option<bool> {
        if self.in_text {
            return self.take_text(byte);
        }
        match byte {
            b'"' => {
                self.in_text = true;
                self.has_begun = true;
            }
            b'{' | b'[' => {
                self.depth += 1;
                self.has_begun = true;
            }
            b'}' | b']' if self.depth > 1 => self.depth -= 1,
            b'}' | b']' if self.depth == 1 => return Some(true),
            // A bracket that closes what is around the value; alone it is a piece of its own.
            b'}' | b']' => return Some(!self.has_begun),
            b',' if self.depth == 0 => return Some(!self.has_begun),
            _ if self.depth == 0 && byte.is_ascii_whitespace() && self.has_begun => {
                return Some(false);
            }
            _ if !byte.is_ascii_whitespace() => self.has_begun = true,
            _ => {}
        }
        None
    }

    fn take_text(&mut self, byte: u8) -> Option<bool> {
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' => self.is_escaped = true,
            b'"' => {
                self.in_text = false;
                return (self.depth == 0).then_some(true);
            }
            // No JSON text spans lines: a quote is missing, and the next line is a new chance.
            b'\n' => return Some(false),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn end(text: &str) -> Step {
        Splitter::default().feed(text.as_bytes())
    }

    #[test]
    fn a_value_ends_with_its_last_bracket_or_quote() {
        assert_eq!(end(r#"{"a":"}\"]","b":[1,{}]},{"#), Step::Ends(23));
        assert_eq!(end(r#""a]",2"#), Step::Ends(4));
        assert_eq!(end("12,3"), Step::Ends(2));
        assert_eq!(end("12]"), Step::Ends(2));
        assert_eq!(end("null "), Step::Ends(4));
        assert_eq!(end(r#"{"a":1"#), Step::More);
    }

    #[test]
    fn broken_values_end_too() {
        assert_eq!(end("{\"a\":\"open\n{\"b\":1}"), Step::Ends(10));
        assert_eq!(end("]"), Step::Ends(1));
        assert_eq!(end(","), Step::Ends(1));
    }

    proptest! {
        #[test]
        fn pieces_do_not_change_the_end(text in ".{0,60}", cut in 0_usize..60) {
            let bytes = text.as_bytes();
            let cut = cut.min(bytes.len());
            let mut pieces = Splitter::default();
            let in_pieces = match pieces.feed(&bytes[..cut]) {
                Step::Ends(at) => Step::Ends(at),
                Step::More => match pieces.feed(&bytes[cut..]) {
                    Step::Ends(at) => Step::Ends(at + cut),
                    Step::More => Step::More,
                },
            };
            prop_assert_eq!(in_pieces, end(&text));
        }
    }
}
