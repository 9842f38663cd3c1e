//! Saved records in every form that people have them in, whole and broken.

use std::io::{self, Read, Write};

use connectors::formats::Records;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

fn read(bytes: &[u8]) -> (Vec<String>, Vec<(String, String)>) {
    let (mut records, mut letters) = (Vec::new(), Vec::new());
    for item in Records::new(bytes, Some("security_events")).unwrap().with_cap(2_000) {
        match item {
            Ok(record) => records.push(String::from_utf8(record.raw().to_vec()).unwrap()),
            Err(letter) => {
                letters.push((String::from_utf8_lossy(&letter.raw).into_owned(), letter.reason));
            }
        }
    }
    (records, letters)
}

fn records(text: &str) -> Vec<String> {
    let (records, letters) = read(text.as_bytes());
    assert_eq!(letters, [], "{text}");
    records
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_form_gives_the_same_records() {
    let expected = [r#"{"a": 1.50}"#, r#"{"b":"]},{\""}"#];
    let [one, two] = expected;
    for text in [
        format!("{one}\n{two}\n"),
        format!("{one}\r\n\r\n{two}"),
        format!("{one} {two}"),
        format!("\u{feff}[{one},\n {two}]\n"),
        format!("[{one},{two}]"),
        format!("  [\n  {one}\n ,\n  {two}\n]"),
        format!(r#"{{"Records":[{one},{two}]}}"#),
        format!("{{\n\"traceId\":\"t\",\n\"security_events\":[{one},\n{two}],\"next_link\":\"\"}}"),
        format!("{{\"security_events\":[{one}]}}\n{{\"security_events\":[{two}]}}\n"),
        format!("[{one}]\n[{two}]"),
    ] {
        assert_eq!(records(&text), expected, "{text}");
        assert_eq!(read(&gzip(text.as_bytes())).0, expected, "gzipped {text}");
    }
    assert!(records("").is_empty() && records(" \n").is_empty() && records("[]").is_empty());
}

#[test]
fn a_document_that_is_foreign_is_passed_over_and_counted() {
    let is_foreign: fn(&[u8]) -> bool = |document| document.starts_with(b"{\"digest");
    let text = "{\"digest\":1}\n{\"Records\":[{\"a\":1}]}\n{\"digest\":2}\n{\"b\":2}\n";
    let mut records = Records::new(text.as_bytes(), None).unwrap().passing_over(Some(is_foreign));
    let read = records.by_ref().map(|item| item.unwrap().raw().to_vec()).collect::<Vec<_>>();
    assert_eq!(read, [&b"{\"a\":1}"[..], b"{\"b\":2}"]);
    assert_eq!(records.passed_over(), 2);
}

#[test]
fn one_document_may_span_lines() {
    let pretty = "{\n  \"a\": {\n    \"b\": 1\n  }\n}";
    assert_eq!(records(pretty), [pretty]);
    assert_eq!(records(&format!("{pretty}\n{pretty}\n")), [pretty, pretty]);
}

#[test]
fn broken_lines_and_items_do_not_stop_the_rest() {
    for text in [
        "{\"a\":1}\n{\"b\":\n{\"c\":2}\n",
        "{\"a\":1}\n{\"b\":\"open\n{\"c\":2}",
        "[{\"a\":1},{\"b\":},{\"c\":2}]",
        "[\n{\"a\":1},\n{\"b\":\"open,\n{\"c\":2}\n]",
        "[\n {\"a\":1},\n {\"b\":{,\n {\"c\":2}\n]",
        "[{\"a\":1},7,{\"c\":2}]",
        "{\"Records\":[{\"a\":1},\"x\",{\"c\":2}]}",
    ] {
        let (records, letters) = read(text.as_bytes());
        assert_eq!(records, ["{\"a\":1}", "{\"c\":2}"], "{text}");
        assert_eq!(letters.len(), 1, "{text}: {letters:?}");
    }
}

#[test]
fn a_broken_first_line_does_not_stop_the_rest() {
    let (records, letters) = read(b"{\"a\":\n{\"b\":1}\n{\"c\":2}\n");
    assert_eq!(records, ["{\"b\":1}", "{\"c\":2}"]);
    assert_eq!(letters[0].0, "{\"a\":");
    let (records, letters) = read(b"not json at all\n{\"b\":1}\n");
    assert_eq!(records, ["{\"b\":1}"]);
    assert!(
        letters
            .iter()
            .map(|letter| letter.0.as_str())
            .collect::<Vec<_>>()
            .join(" ")
            .contains("not json")
    );
}

#[test]
fn inner_parts_of_a_broken_document_are_no_records() {
    let (records, letters) = read(b"{\n  \"a\": {\"x\":1},\n  \"b\" {\"y\":2}\n}\n{\"c\":2}\n");
    assert_eq!(records, ["{\"c\":2}"]);
    assert_eq!(letters.len(), 1, "{letters:?}");
}

#[test]
fn text_that_is_not_utf8_is_a_dead_letter() {
    let (records, letters) = read(b"{\"a\":1}\n{\"b\":\"\xff\"}\n{\"c\":2}\n");
    assert_eq!(records.len(), 2);
    assert!(letters[0].1.contains("UTF-8"));
    assert_eq!(read(b"[{\"a\":\"\xff\"},{\"c\":2}]").0, ["{\"c\":2}"]);
}

#[test]
fn longer_than_the_cap_is_a_dead_letter() {
    let long = format!("{{\"long\":\"{}\"}}", "x".repeat(3_000));
    for text in
        [format!("{{\"a\":1}}\n{long}\n{{\"c\":2}}"), format!("[{{\"a\":1}},{long},{{\"c\":2}}]")]
    {
        let (records, letters) = read(text.as_bytes());
        assert_eq!(records, ["{\"a\":1}", "{\"c\":2}"]);
        assert!(letters[0].1.contains("cap"), "{letters:?}");
    }
}

#[test]
fn a_file_that_breaks_off_says_so() {
    let whole = gzip(&b"{\"a\":1}\n".repeat(500));
    let (records, letters) = read(&whole[..whole.len() - 12]);
    assert!(!records.is_empty());
    assert!(letters.last().unwrap().1.contains("cannot be read further"), "{letters:?}");
    let (records, letters) = read(b"[{\"a\":1},");
    assert_eq!((records.len(), letters.len()), (1, 1));
}

/// Gives one byte at a time.
struct Trickle<'b>(&'b [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
        buffer[0] = *first;
        self.0 = rest;
        Ok(1)
    }
}

proptest! {
    #[test]
    fn any_bytes_end_and_pieces_do_not_matter(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let all = |records: Records<'_>| records.collect::<Vec<_>>();
        let whole = all(Records::new(bytes.as_slice(), None).unwrap().with_cap(100));
        let pieces = all(Records::new(Trickle(&bytes), None).unwrap().with_cap(100));
        prop_assert_eq!(whole, pieces);
    }

    #[test]
    fn json_like_text_ends_and_every_record_is_an_object(text in r#"[\[\]{}",:a1\\ \n]{0,200}"#) {
        for item in Records::new(text.as_bytes(), Some("a")).unwrap().with_cap(50).flatten() {
            let value: serde_json::Value = serde_json::from_slice(item.raw()).unwrap();
            prop_assert!(value.is_object());
        }
    }

    #[test]
    fn ndjson_with_broken_lines_keeps_every_good_one(lines in prop::collection::vec(any::<bool>(), 1..60)) {
        let line = |(number, is_good): (usize, &bool)| {
            if *is_good { format!("{{\"n\":{number}}}") } else { format!("{{\"n\":{number},\"open\":[") }
        };
        let text: Vec<_> = lines.iter().enumerate().map(line).collect();
        let (records, letters) = read(text.join("\n").as_bytes());
        prop_assert_eq!(records.len(), lines.iter().filter(|is_good| **is_good).count());
        prop_assert_eq!(records.len() + letters.len(), lines.len());
    }
}
