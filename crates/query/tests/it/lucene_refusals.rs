//! What is no Lucene-style query, and what people are told then.

use model::hint::Hint;

use crate::parse_lucene;

const WRONG: &[&str] = &[
    "invoice^2",
    "\"a b\"^1",
    "(a OR b)^3",
    "/a/^2",
    "roam~",
    "roam~2",
    "roam~0.8 AND x",
    "\"a b\"~4",
    "\"a b\"~0",
    "\"a b\"*",
    "\"open",
    "subject:'open",
    "“invoice”",
    "abc\"def\"",
    "subject:",
    "subject: AND x",
    "(subject:)",
    "_exists_:",
    "_exists_:a*",
    "email.*:x",
    "email..subject:x",
    "a: b: c",
    "srcip: 2001:db8::1",
    "https://bad.example/x",
    ":x",
    "(a OR b",
    "a OR b)",
    "()",
    "subject:()",
    "AND a",
    "a AND",
    "a AND OR b",
    "a OR (AND b)",
    "(a OR) b",
    "NOT",
    "a NOT",
    "+",
    "a - b",
    "--a",
    "+-a",
    "NOT -a",
    "-NOT a",
    "+a b",
    "+a OR b",
    "+a (b OR c) -d",
    "[1 TO 5]",
    "{\"type\":\"x\"}",
    "message_size:[1 5]",
    "message_size:[1 to 5]",
    "message_size:[1 TO 5",
    "message_size:[TO 5]",
    "message_size:[1* TO 5]",
    "message_size:[5 TO 1]",
    "message_size:{5 TO 5]",
    "message_size:[1 TO 5]^2",
    "message_size:[a TO b]",
    "message_size:>",
    "message_size:>*",
    "message_size:1*",
    "message_size:/1+/",
    "message_size:large",
    "time:[2026-10-02 TO 2026-10-01]",
    "time:noon",
    "time:[now-1y TO now]",
    "time:[now/d TO now]",
    "subject:[a TO b]",
    "subject:<script>",
    "email:x",
    "email:[1 TO 2]",
    "source_address:[10.0.0.1 TO x]",
    "source_address:[10.0.0.9 TO 10.0.0.1]",
    "source_address:[10.0.0.1 TO 2001:db8::1]",
    "source_address:10.0.0.0/99",
    "severity_id:enormous",
    "email.is_read:perhaps",
    "subject:/(unclosed/",
    "subject:/(?=look)/",
    "/[/",
    "file.hashes.value: IN []",
    "file.hashes.value: IN [a b",
    "file.hashes.value: IN (a b)",
    "file.hashes.value: IN [a* b]",
    "file.hashes.value: IN [a (b)]",
    "@mail:x",
    "status = held",
    "status != held",
    "status:held | head 10",
    "earliest=-24h status:held",
    "latest:soon",
    "latest:true OR a",
    "a OR latest:true",
    "a OR b AND latest:true",
    "-latest:true",
    "(latest:true)",
    "latest:true latest:true",
    r"subject:a\qb",
    r#""C:\Users\new""#,
    r"a\",
    "\"\"",
    "subject:x\nAND status:(held OR\n  bounced~1)",
    "件名:請求 AND 件名:請求^2",
];

#[test]
fn a_mistake_is_named_shown_and_mended() {
    let told: Vec<String> = WRONG
        .iter()
        .map(|text| match parse_lucene(text) {
            Ok(parsed) => panic!("`{text}` should be refused: {parsed:?}"),
            Err(error) => {
                let hint = error.hint().unwrap_or_else(|| panic!("`{text}`: no hint"));
                format!("{}\nhint: {hint}", error.render(text))
            }
        })
        .collect();
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn depth_width_and_length_are_bounded() {
    let refusal = |text: &str| parse_lucene(text).unwrap_err();
    let nested = |levels: usize| format!("{}subject:x{}", "(".repeat(levels), ")".repeat(levels));
    assert!(parse_lucene(&nested(64)).is_ok());
    assert!(refusal(&nested(65)).message.contains("too deeply"));
    assert!(refusal(&nested(50_000)).message.contains("too deeply"));
    let grouped = |levels: usize| format!("{}x{}", "subject:(".repeat(levels), ")".repeat(levels));
    assert!(parse_lucene(&grouped(64)).is_ok());
    assert!(refusal(&grouped(10_000)).message.contains("too deeply"));
    assert!(refusal(&format!("{}x", "NOT ".repeat(10_000))).message.contains("too deeply"));
    assert!(refusal(&format!("{}x", "NOT (".repeat(10_000))).message.contains("too deeply"));
    assert!(parse_lucene(&["(NOT a)"; 1000].join(" AND ")).is_ok());
    assert!(parse_lucene(&["a"; 1024].join(" OR ")).is_ok());
    assert!(refusal(&["a"; 1025].join(" OR ")).message.contains("1024 terms"));
    let list = format!("file_hash: IN [{}]", "ab ".repeat(20_000));
    assert!(parse_lucene(&list).is_ok());
    assert!(refusal(&"x".repeat(200_000)).message.contains("longer than"));
    assert!(refusal(&"語".repeat(100_000)).message.contains("longer than"));
}

#[test]
fn the_deepest_query_needs_little_stack() {
    let text = format!("{}x{}", "NOT (subject:(".repeat(21), "))".repeat(21));
    let small = std::thread::Builder::new().stack_size(1 << 20);
    let parsed = small.spawn(move || parse_lucene(&text).is_ok()).unwrap();
    assert!(parsed.join().unwrap());
}
