//! What holds for every text: no panic; and for every valid query: it is read, in any case.

use proptest::prelude::*;
use query::fields::{Resolution, Scope};

use crate::{parse, sources};

/// Pieces of the language and of its neighbours.
const SOUP: &[&str] = &[
    "FROM",
    "where",
    "AND",
    "or",
    "NOT",
    "IN",
    "IS",
    "NULL",
    "CONTAINS",
    "matches",
    "MATCHES_REGEX",
    "EARLIEST",
    "LATEST",
    "LATEST=true",
    "=",
    "!=",
    ">=",
    "<",
    "!",
    "(",
    ")",
    ",",
    "|",
    "-",
    "@ip",
    "@domain",
    "@",
    "email",
    "detection",
    "file",
    "process",
    "subject",
    "status",
    "message_size",
    "time",
    "severity",
    "sensor_type",
    "trendmicro_cas.message.action",
    "a.b",
    "'x'",
    "'10.0.0.0/8'",
    "e'\\''",
    "e'\\q'",
    "'",
    "\"",
    "`",
    "`k`",
    "-24h",
    "'2026-03-02'",
    "12",
    "-1",
    "0.5",
    "1e9",
    "99999999999999999999",
    "true",
    "head",
    "tail",
    "sort",
    "fields",
    "aggregate",
    "count",
    "sum",
    "by",
    "desc",
    "件名",
    "é",
    "\\",
    "#",
    ";",
    "'(a|b'",
    "\u{3000}",
];

fn look_at(text: &str) {
    if let Err(error) = parse(text) {
        assert!(!error.message.is_empty() && !error.render(text).is_empty());
        assert!(error.span.start <= error.span.end && error.span.end <= text.len(), "{error:?}");
    }
}

fn keyword(word: &'static str) -> impl Strategy<Value = String> {
    any::<bool>().prop_map(
        move |upper| {
            if upper { word.to_uppercase() } else { word.to_lowercase() }
        },
    )
}

fn text() -> impl Strategy<Value = String> {
    "[^'\\x00]{0,12}".prop_map(|text| format!("'{text}'"))
}

fn predicate() -> impl Strategy<Value = String> {
    let field = prop::sample::select(vec![
        "subject",
        "status",
        "from_email_address",
        "email.cc",
        "@user",
        "@domain",
        "@ip",
        "tenantid",
        "sensor_type",
        "original_data",
        "mimecast.aggregateId",
    ]);
    let word = prop_oneof![keyword("contains"), keyword("!contains")];
    prop_oneof![
        (field.clone(), prop_oneof![Just("="), Just("!=")], text())
            .prop_map(|(field, operator, text)| format!("{field}{operator}{text}")),
        (field.clone(), word, text())
            .prop_map(|(field, word, text)| format!("{field} {word}{text}")),
        (field.clone(), keyword("in"), prop::collection::vec(text(), 1..4))
            .prop_map(|(field, word, texts)| format!("{field} {word} ({})", texts.join(","))),
        (field, keyword("is"), any::<bool>()).prop_map(|(field, is, not)| {
            format!("{field} {is} {}NULL", if not { "not " } else { "" })
        }),
        (any::<i64>(), keyword("and")).prop_map(|(number, and)| {
            format!("message_size > {number} {and} event_time_usec<={number}")
        }),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    let leaf = predicate().boxed();
    leaf.prop_recursive(4, 24, 4, |inner| {
        let parts = prop::collection::vec(inner, 1..4);
        (parts, prop_oneof![keyword("and"), keyword("or")])
            .prop_map(|(parts, word)| format!("({})", parts.join(&format!(" {word} "))))
    })
}

fn query() -> impl Strategy<Value = String> {
    let stage = prop::sample::select(vec![
        "",
        "|head 3",
        "| TAIL 1",
        "| aggregate count by subject| sort -count",
        "| fields time,subject",
    ]);
    (keyword("from"), keyword("where"), condition(), keyword("earliest"), 1..99u32, stage).prop_map(
        |(from, where_word, condition, earliest, hours, stage)| {
            format!("{from} email {where_word} {condition} {earliest}=-{hours}h {stage}")
        },
    )
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*") {
        look_at(&text);
    }

    #[test]
    fn no_bytes_of_the_language_make_the_parser_panic(text in "[a-eE'\\\\@.!=<>()|,0-9 \n`-]{0,40}") {
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
    fn soup_behind_a_good_beginning_does_not_either(
        pieces in prop::collection::vec(prop::sample::select(SOUP), 0..12)
    ) {
        look_at(&format!("FROM email WHERE subject = 'x' {}", pieces.join(" ")));
        look_at(&format!("FROM email WHERE {}", pieces.join(" ")));
        look_at(&format!("FROM email | {}", pieces.join(" ")));
    }

    #[test]
    fn a_valid_query_is_read(text in query()) {
        prop_assert!(parse(&text).is_ok(), "{}\n{:?}", text, parse(&text));
    }

    #[test]
    fn the_case_of_keywords_does_not_matter(upper in any::<bool>(), text in text()) {
        let query = "from email where subject contains $ and not (status in ($) or @ip is not null) \
                     earliest=-1d latest=-1h | aggregate count by status | sort count desc | head 2";
        let plain = parse(&query.replace('$', &text)).unwrap();
        let cased = if upper { query.to_uppercase() } else { title_case(query) };
        // Names of columns are kept as written, all else is the same.
        let cased = parse(&cased.replace('$', &text)).unwrap();
        prop_assert_eq!(
            format!("{:?}", plain.query).to_lowercase(),
            format!("{:?}", cased.query).to_lowercase()
        );
    }

    #[test]
    fn any_path_resolves_to_something(path in prop::collection::vec("\\PC{0,6}", 1..5)) {
        let sources = sources();
        let scope = Scope::new(model::ocsf::Class::ALL.to_vec(), &sources);
        let resolution = scope.resolve(&path);
        let name = match resolution {
            Resolution::Known(field) | Resolution::Raw(field) => field.name,
            Resolution::Unknown { .. } => path.join("."),
        };
        prop_assert_eq!(name, path.join("."));
    }
}

fn title_case(text: &str) -> String {
    let words = text.split(' ').map(|word| match word.split_at_checked(1) {
        Some((first, rest)) => format!("{}{rest}", first.to_uppercase()),
        None => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}
