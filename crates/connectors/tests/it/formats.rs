//! Saved records in every form that people have them in, whole and broken.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::rc::Rc;

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

#[test]
fn what_is_around_a_long_list_is_judged_too() {
    for end in ["}", " , \"next\": [1, {\"a\": \"]}\"}] }", "}\n{\"c\":2}", "} {\"c\":2}", "\n}\n"]
    {
        let (found, letters) =
            read(format!("{{ \"Records\" : [{{\"a\":1}},\n{{\"b\":[]}}]{end}").as_bytes());
        assert_eq!(found[..2], [r#"{"a":1}"#, r#"{"b":[]}"#], "{end}");
        assert_eq!((found.len() > 2, letters.len()), (end.contains('c'), 0), "{end}: {letters:?}");
    }
    for (end, reason) in [
        ("", "what follows the list is not valid JSON"),
        (",", "what follows the list is not valid JSON"),
        (" \"x\":1}\n{\"c\":2}", "what follows the list is not valid JSON"),
    ] {
        let (found, letters) = read(format!("{{\"Records\":[{{\"a\":1}}]{end}").as_bytes());
        assert_eq!(found[0], r#"{"a":1}"#);
        assert_eq!(found.len() > 1, end.contains('c'));
        assert_eq!(letters.len(), 1, "{end}: {letters:?}");
        assert_eq!(letters[0].1, reason);
    }
    let (found, letters) = read(br#"{"Records":[{"a":1},{"b":"#);
    assert_eq!(
        (found.len(), letters.len()),
        (1, 2),
        "the cut item, and the list's end: {letters:?}"
    );
}

/// An object of CloudTrail that is made while it is read: records of about 1.5 KB, all on one line.
struct Endless {
    left: u64,
    rest: Vec<u8>,
    made: Rc<Cell<u64>>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() && self.left > 0 {
            let before = if self.made.get() == 0 { "{\"Records\":[" } else { "," };
            self.left -= 1;
            let number = self.left;
            let end = if number == 0 { "]}" } else { "" };
            let text = "a\\n]}{[".repeat(180);
            self.rest = format!("{before}{{\"n\":{number},\"t\":\"{text}\"}}{end}").into_bytes();
            self.made.set(self.made.get() + self.rest.len() as u64);
        }
        let count = buffer.len().min(self.rest.len());
        buffer[..count].copy_from_slice(&self.rest[..count]);
        self.rest.drain(..count);
        Ok(count)
    }
}

#[test]
fn an_object_of_any_length_is_read_with_some_blocks_in_memory() {
    const RECORDS: u64 = 100_000;
    let made = Rc::new(Cell::new(0));
    let input = Endless { left: RECORDS, rest: Vec::new(), made: Rc::clone(&made) };
    let (mut count, mut taken, mut most_ahead) = (0, 0, 0);
    for record in Records::new(input, None).unwrap() {
        let record = record.unwrap();
        (count, taken) = (count + 1, taken + record.raw().len() as u64 + 1);
        most_ahead = most_ahead.max(made.get() - taken);
    }
    assert_eq!(count, RECORDS);
    assert!(made.get() > 120_000_000, "{}", made.get());
    assert!(most_ahead < 1 << 20, "{most_ahead} bytes were in memory at once");
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
