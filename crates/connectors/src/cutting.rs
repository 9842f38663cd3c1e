//! Cuts a JSON document into its records without copying: every record is a slice of the document.
//!
//! What cannot be a record becomes a dead letter with its bytes; the others go on.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use model::batch::DeadLetter;
use model::record::Record;
use serde_json::value::RawValue;

/// The items of an array in a document.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Items {
    /// Those that are objects.
    pub(crate) records: Vec<Record>,
    /// The others.
    pub(crate) unusable: Vec<DeadLetter>,
}

/// A document whose members can be looked up and cut.
pub(crate) struct Document<'b> {
    body: &'b Bytes,
    text: &'b str,
    members: BTreeMap<String, &'b RawValue>,
}

/// The text of a body, of the same length: a byte that is not UTF-8 becomes a question mark.
pub(crate) fn readable(body: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(body) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(body.len());
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    Cow::Owned(text)
}

impl<'b> Document<'b> {
    /// Reads the members of an object. `text` is what [`readable`] made of the body.
    ///
    /// # Errors
    /// The text is not one JSON object.
    pub(crate) fn object(body: &'b Bytes, text: &'b str) -> Result<Self, serde_json::Error> {
        debug_assert_eq!(body.len(), text.len(), "places in the text are places in the body");
        Ok(Self { body, text, members: serde_json::from_str(text)? })
    }

    /// The JSON text of a member.
    pub(crate) fn member(&self, name: &str) -> Option<&'b str> {
        self.members.get(name).map(|raw| raw.get())
    }

    /// The items of a member that is an array; `None` when there is no such array. `outer.inner` means
    /// the arrays `inner` of all objects in the array `outer`, of which at least one must have it.
    pub(crate) fn items(&self, name: &str) -> Option<Items> {
        let Some((outer, inner)) = name.split_once('.') else {
            return items_of(self.body, self.text, self.members.get(name)?.get());
        };
        let array = self.members.get(outer)?.get();
        let objects: Vec<BTreeMap<String, &RawValue>> = serde_json::from_str(array).ok()?;
        let is_empty = objects.iter().all(BTreeMap::is_empty);
        let mut found = is_empty.then(Items::default);
        for array in objects.iter().filter_map(|object| object.get(inner)) {
            let items = items_of(self.body, self.text, array.get())?;
            let all = found.get_or_insert_default();
            all.records.extend(items.records);
            all.unusable.extend(items.unusable);
        }
        found
    }
}

/// The items of an array that stands in the body; `None` when `array` is not the text of one.
pub(crate) fn items_of(body: &Bytes, text: &str, array: &str) -> Option<Items> {
    let values: Vec<&RawValue> = serde_json::from_str(array).ok()?;
    let mut items = Items::default();
    for value in values {
        let start = value.get().as_ptr().addr() - text.as_ptr().addr();
        let raw = body.slice(start..start + value.get().len());
        match usable(&raw) {
            Ok(()) => items.records.push(Record::new(raw)),
            Err(reason) => items.unusable.push(DeadLetter { raw, reason: reason.to_owned() }),
        }
    }
    Some(items)
}

/// Deepest nesting of a record. Readers call themselves for each level, and a stack is finite.
const MOST_NESTED: usize = 1_000;

/// Whether the bytes of a JSON value can be a record.
///
/// # Errors
/// Says why not.
pub(crate) fn usable(raw: &[u8]) -> Result<(), &'static str> {
    if std::str::from_utf8(raw).is_err() {
        return Err("the record is not valid UTF-8");
    }
    match raw.first() {
        Some(b'{') if is_nested_deeper(raw, MOST_NESTED) => {
            Err("the record is nested too deeply to be read")
        }
        Some(b'{') => Ok(()),
        Some(b'[') => Err("the record is a list, not an object"),
        Some(b'"') => Err("the record is a text, not an object"),
        Some(b'n') => Err("the record is null, not an object"),
        Some(b't' | b'f') => Err("the record is a truth value, not an object"),
        _ => Err("the record is a number, not an object"),
    }
}

/// Whether a JSON value nests deeper than so many levels. Brackets are counted first: that is quick,
/// and hardly a record has that many.
fn is_nested_deeper(json: &[u8], levels: usize) -> bool {
    let is_opening = |byte: &u8| matches!(byte, b'{' | b'[');
    if json.iter().filter(|byte| is_opening(byte)).count() <= levels {
        return false;
    }
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut is_escaped) = (false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_text,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest > levels
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(body: &[u8]) -> (Vec<Bytes>, Vec<Bytes>) {
        let body = Bytes::copy_from_slice(body);
        let text = readable(&body);
        let items = Document::object(&body, &text).unwrap().items("items").unwrap();
        for record in &items.records {
            let range = body.as_ptr_range();
            assert!(range.contains(&record.raw().as_ptr()), "a record is a slice of its page");
        }
        let records = items.records.iter().map(|record| record.raw().clone()).collect();
        (records, items.unusable.into_iter().map(|letter| letter.raw).collect())
    }

    #[test]
    fn records_are_the_bytes_as_served() {
        let (records, unusable) =
            cut(br#"{"items": [ {"a": 1.50,"b":"\u00e9"} ,{}, 7, "x", null, [1]], "n":""}"#);
        assert_eq!(records, [&br#"{"a": 1.50,"b":"\u00e9"}"#[..], b"{}"]);
        assert_eq!(unusable, [&b"7"[..], b"\"x\"", b"null", b"[1]"]);
    }

    #[test]
    fn one_record_that_is_not_utf8_does_not_take_the_others_along() {
        let (records, unusable) = cut(
            b"{\"items\":[{\"a\":\"\xc3\xa9\"},{\"a\":\"\xff\xfe\"},{\"a\":\"\xe8\xaa\x9e\"}]}",
        );
        assert_eq!(records, [&b"{\"a\":\"\xc3\xa9\"}"[..], b"{\"a\":\"\xe8\xaa\x9e\"}"]);
        assert_eq!(unusable, [&b"{\"a\":\"\xff\xfe\"}"[..]]);
    }

    #[test]
    fn a_record_that_would_exhaust_the_stack_is_no_record() {
        let nested = |levels: usize| {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            usable(format!(r#"{{"a":{open}{close}}}"#).as_bytes())
        };
        assert_eq!(nested(MOST_NESTED - 1), Ok(()));
        assert_eq!(nested(MOST_NESTED), Err("the record is nested too deeply to be read"));
        // Many brackets side by side, or in a text, are not deep.
        let wide =
            format!(r#"{{"a":[{}[]],"b":"\\\"{}"}}"#, "[],".repeat(2_000), "[".repeat(2_000));
        assert_eq!(usable(wide.as_bytes()), Ok(()));
        assert!(serde_json::from_str::<serde::de::IgnoredAny>(&wide).is_ok());
    }

    #[test]
    fn arrays_in_the_objects_of_an_array_are_one_list() {
        let cut = |body: &'static str| {
            let body = Bytes::from_static(body.as_bytes());
            let text = readable(&body);
            let items = Document::object(&body, &text).unwrap().items("data.logs")?;
            Some(items.records.iter().map(|r| r.raw().clone()).collect::<Vec<_>>())
        };
        assert_eq!(
            cut(r#"{"data":[{"logs":[{"a":1}]},{"logs":[ {"b":2}],"n":1},{}]}"#).unwrap(),
            [&br#"{"a":1}"#[..], br#"{"b":2}"#]
        );
        for empty in [r#"{"data":[]}"#, r#"{"data":[{}]}"#, r#"{"data":[{"logs":[]}]}"#] {
            assert_eq!(cut(empty), Some(Vec::new()), "{empty}");
        }
        for other in [r#"{"data":7}"#, r#"{"data":[{"x":[]}]}"#, r#"{"data":[{"logs":{}}]}"#, "{}"]
        {
            assert_eq!(cut(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn readable_text_has_the_length_of_its_bytes(body: Vec<u8>) {
            prop_assert_eq!(readable(&body).len(), body.len());
        }
    }
}
