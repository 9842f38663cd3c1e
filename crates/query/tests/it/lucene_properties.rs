//! What holds for every text: no panic; and for every text that programs write: it is read as meant.

use proptest::prelude::*;
use query::lucene::quoted;
use query::plan::{Filter, Predicate, Value};

use crate::parse_lucene;

/// Pieces of the language and of its neighbours.
const SOUP: &[&str] = &[
    "AND",
    "OR",
    "NOT",
    "and",
    "&&",
    "||",
    "!",
    "+",
    "-",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "TO",
    "*",
    "?",
    ":",
    "\"",
    "'",
    "/",
    "\\",
    "^",
    "^2",
    "~",
    "~2",
    "<",
    ">",
    ">=",
    "=",
    "IN",
    "IN [",
    ",",
    "|",
    "a",
    "b*",
    "\"a b\"",
    "/re+/",
    "/(/",
    "subject:",
    "status:held",
    "status:(",
    "time:",
    "time:[now-1d TO now]",
    "message_size:[1 TO 5]",
    "message_size:>=3",
    "_exists_:",
    "latest:true",
    "latest=",
    "@ip:",
    "@domain:x",
    "source_address:10.0.0.0/8",
    "10.0.0.1",
    "2026-03-02",
    "-24h",
    "msg_class:mimecast_siem",
    "99999999999999999999",
    "1e9",
    "*:*",
    "件名",
    "é",
    "\u{3000}",
    "\n",
    "::",
    "http://",
    ".",
    "a.b:c",
    "`",
    "$",
    "#",
    ";",
];

fn look_at(text: &str) {
    if let Err(error) = parse_lucene(text) {
        assert!(!error.message.is_empty() && !error.render(text).is_empty());
        assert!(error.hint.is_some(), "{error:?}");
        // What is well ordered is always grouped.
        assert_ne!(error.message, "the terms cannot be grouped", "{text}");
        assert!(error.span.start <= error.span.end && error.span.end <= text.len(), "{error:?}");
        assert!(text.is_char_boundary(error.span.start) && text.is_char_boundary(error.span.end));
    }
}

/// A condition, to be printed with all its parentheses.
#[derive(Debug, Clone)]
enum Tree {
    Term(String),
    Not(Box<Tree>),
    All(Vec<Tree>),
    Any(Vec<Tree>),
}

impl Tree {
    fn print(&self) -> String {
        let join = |trees: &[Self], word: &str| {
            let parts: Vec<String> = trees.iter().map(Self::print).collect();
            format!("({})", parts.join(word))
        };
        match self {
            Self::Term(text) => quoted(text),
            Self::Not(tree) => format!("(NOT {})", tree.print()),
            Self::All(trees) => join(trees, " AND "),
            Self::Any(trees) => join(trees, " OR "),
        }
    }

    fn is_meant(&self, filter: &Filter) -> bool {
        let each = |trees: &[Self], filters: &[Filter]| {
            trees.len() == filters.len()
                && trees.iter().zip(filters).all(|(tree, filter)| tree.is_meant(filter))
        };
        match (self, filter) {
            (Self::Term(text), Filter::Test(_, Predicate::Contains(found))) => text == found,
            (Self::Not(tree), Filter::Not(filter)) => tree.is_meant(filter),
            (Self::All(trees), Filter::And(filters)) => each(trees, filters),
            (Self::Any(trees), Filter::Or(filters)) => each(trees, filters),
            _ => false,
        }
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let term = "\\PC{1,8}".prop_map(Tree::Term);
    term.prop_recursive(5, 32, 4, |inner| {
        let several = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            inner.prop_map(|tree| Tree::Not(Box::new(tree))),
            several.clone().prop_map(Tree::All),
            several.prop_map(Tree::Any),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*") {
        look_at(&text);
    }

    #[test]
    fn no_bytes_of_the_language_make_the_parser_panic(
        text in "[a-cANDORTIN:()\\[\\]{}\"'/\\\\^~*?+!<>=|&,.@0-9 \n-]{0,40}"
    ) {
        look_at(&text);
    }

    #[test]
    fn no_soup_of_tokens_makes_the_parser_panic(
        pieces in prop::collection::vec((prop::sample::select(SOUP), any::<bool>()), 0..24)
    ) {
        let text: String =
            pieces.iter().flat_map(|(piece, space)| [*piece, if *space { " " } else { "" }]).collect();
        look_at(&text);
    }

    #[test]
    fn a_quoted_text_is_that_text(text in "[\\x00-\\u{ffff}]{1,20}") {
        let query = parse_lucene(&quoted(&text)).unwrap().query;
        prop_assert!(
            matches!(&query.filter, Filter::Test(_, Predicate::Contains(found)) if *found == text)
        );
        let query = parse_lucene(&format!("subject:{}", quoted(&text))).unwrap().query;
        let is_same = |value: &Value| *value == Value::Text(text.clone());
        prop_assert!(
            matches!(&query.filter, Filter::Test(_, Predicate::Equals(found)) if is_same(found))
        );
    }

    #[test]
    fn a_printed_condition_is_read_as_meant(tree in tree()) {
        let text = tree.print();
        let parsed = parse_lucene(&text).unwrap();
        prop_assert!(tree.is_meant(&parsed.query.filter), "{}\n{:?}", text, parsed.query.filter);
        prop_assert!(parsed.warnings.is_empty());
    }

    #[test]
    fn escaped_words_are_texts(text in "[a-z*?:()\"+!\\[\\]{}^~/\\\\ -]{1,12}") {
        let escaped: String = text
            .chars()
            .flat_map(|c| if c.is_alphanumeric() { vec![c] } else { vec!['\\', c] })
            .collect();
        let query = parse_lucene(&format!("subject:{escaped}")).unwrap().query;
        let is_same = |value: &Value| *value == Value::Text(text.clone());
        prop_assert!(
            matches!(&query.filter, Filter::Test(_, Predicate::Equals(found)) if is_same(found)),
            "{}: {:?}", escaped, query.filter
        );
    }
}
