//! Recognises the beginning of an object whose first member is the list of its records, so that the
//! list can be read item by item however long it is.

/// What the first bytes of a document say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// The list's items begin behind so many bytes.
    List(usize),
    /// It is something else.
    Other,
    /// There are too few bytes to tell.
    Unclear,
}

/// Looks for `{"name":[` with any white space, for one of the names.
pub(super) fn opening(bytes: &[u8], names: &[&str]) -> Opening {
    let all = names.iter().map(|name| of_name(bytes, name));
    all.fold(Opening::Other, |found, opening| match (found, opening) {
        (Opening::List(_), _) | (_, Opening::Other) => found,
        _ => opening,
    })
}

fn of_name(bytes: &[u8], name: &str) -> Opening {
    // Each part, and whether white space may stand before it.
    let parts =
        [("{", false), ("\"", true), (name, false), ("\"", false), (":", true), ("[", true)];
    let mut rest = bytes;
    for (part, may_follow_space) in parts {
        if may_follow_space {
            rest = rest.trim_ascii_start();
        }
        let known = rest.len().min(part.len());
        if rest[..known] != part.as_bytes()[..known] {
            return Opening::Other;
        }
        if known < part.len() {
            return Opening::Unclear;
        }
        rest = &rest[known..];
    }
    Opening::List(bytes.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_the_first_member_is_recognised_and_nothing_else() {
        let of = |text: &str| opening(text.as_bytes(), &["events", "Records"]);
        assert_eq!(of(r#"{"Records":[{"#), Opening::List(12));
        assert_eq!(of("{ \n\"events\" : [ 1"), Opening::List(15));
        for other in [
            r#"{"Records":{"#,
            r#"{"records":["#,
            r#"{"Records2":["#,
            r#"{"a":1,"Records":["#,
            r#"{" Records":["#,
            r#"{"Records ":["#,
            "{}",
            "7",
        ] {
            assert_eq!(of(other), Opening::Other, "{other}");
        }
        for unclear in ["", "{", "{ ", "{\"", "{\"Rec", "{\"Records\"", "{\"Records\" :"] {
            assert_eq!(of(unclear), Opening::Unclear, "{unclear}");
        }
    }
}
