//! Reads saved records from foreign files: a JSON object, a JSON array, NDJSON, `{"Records":[…]}`, a
//! saved page of the vendor, each also gzipped.
//!
//! Everything comes out as records or dead letters; a broken line or item does not take the others
//! along. Memory holds one block of the file, or one line, item or document that is longer, each up to a
//! cap. Items of a list are cut out of the block without copying: also those of `{"Records":[…]}`, when
//! the list is the first that the object holds, as in CloudTrail's files of some hundred megabytes.

mod envelope;
mod source;
mod splitter;

use std::collections::VecDeque;
use std::io::{self, Read};

use bytes::Bytes;
use model::batch::DeadLetter;
use model::record::Record;
use model::vendor::IsForeign;
use serde::de::IgnoredAny;

use crate::cutting::{self, Document, readable};
use envelope::{Opening, opening};
use source::Source;
use splitter::Splitter;

/// Most bytes of one line, item or document.
pub const DOCUMENT_CAP: usize = 256 * 1024 * 1024;
/// Most bytes of something broken that a dead letter keeps.
const LETTER_CAP: usize = 1024 * 1024;
/// The array of CloudTrail's files, which other products use too.
const RECORDS: &str = "Records";
/// After so many broken values the search for their ends is kept short, or a file full of them would
/// be read over and over.
const PATIENCE: u32 = 8;
/// How short.
const IMPATIENT_CAP: usize = 1024 * 1024;
/// White space and names that may stand before the list of an object.
const OPENING_CAP: usize = 16 * 1024;

/// The records of one file, in its order; what cannot be a record comes as a dead letter.
pub struct Records<'r> {
    source: Source<'r>,
    envelope_field: Option<&'static str>,
    cap: usize,
    layout: Layout,
    /// The array is a member of an object.
    is_in_object: bool,
    ready: VecDeque<Result<Record, DeadLetter>>,
    broken_values: u32,
    is_foreign: Option<IsForeign>,
    passed_over: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Nothing is known yet.
    Unknown,
    /// Every line is a document.
    Lines,
    /// Documents follow each other in any way.
    Documents,
    /// Inside a top-level array, or the array at the beginning of an object.
    Array,
    /// Nothing is left.
    End,
}

impl<'r> Records<'r> {
    /// Reads from `input`. `envelope_field` names the array in the vendor's saved pages.
    ///
    /// # Errors
    /// Not even the first bytes can be read.
    pub fn new(input: impl Read + 'r, envelope_field: Option<&'static str>) -> io::Result<Self> {
        Ok(Self {
            source: Source::open(input)?,
            envelope_field,
            cap: DOCUMENT_CAP,
            layout: Layout::Unknown,
            is_in_object: false,
            ready: VecDeque::new(),
            broken_values: 0,
            is_foreign: None,
            passed_over: 0,
        })
    }

    /// Passes over documents that are no records and hold none.
    #[must_use]
    pub fn passing_over(mut self, is_foreign: Option<IsForeign>) -> Self {
        self.is_foreign = is_foreign;
        self
    }

    /// Documents that were passed over so far.
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// The same with another cap on lines, items and documents.
    #[must_use]
    pub fn with_cap(mut self, bytes: usize) -> Self {
        self.cap = bytes;
        self
    }

    fn advance(&mut self) -> io::Result<()> {
        let also = if self.layout == Layout::Array { b",".as_slice() } else { &[] };
        let Some(first) = self.source.skip_space(also)? else {
            if self.layout == Layout::Array {
                self.give_up(Vec::new(), "the file ends inside its list");
            }
            self.layout = Layout::End;
            return Ok(());
        };
        match self.layout {
            Layout::Unknown if first == b'[' => self.enter_array(),
            Layout::Unknown => self.first_document()?,
            Layout::Lines => {
                let (line, is_whole) = self.source.read_line(self.cap)?;
                self.take_line(line, is_whole);
            }
            Layout::Documents if first == b'[' => self.enter_array(),
            Layout::Documents => self.value()?,
            Layout::Array if first == b']' => {
                self.source.consume(1);
                self.leave_array()?;
            }
            Layout::Array if first == b'{' => self.objects()?,
            Layout::Array => self.value()?,
            Layout::End => {}
        }
        Ok(())
    }

    fn enter_array(&mut self) {
        self.source.consume(1);
        self.layout = Layout::Array;
    }

    /// Behind the array of an object only its end is of interest, and whether it comes.
    fn leave_array(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.is_in_object) {
            self.layout = Layout::Documents;
            return Ok(());
        }
        self.layout = Layout::Unknown;
        let (rest, unread) = self.source.read_value(Splitter::inside_object(), self.cap)?;
        if let Some(splitter) = unread {
            self.source.skip_value(splitter)?;
            self.give_up(rest, "what follows the list is longer than the cap");
        } else if rest != b"}" && !is_json(&[b"{\"\":0".as_slice(), &rest].concat()) {
            self.give_up(rest, "what follows the list is not valid JSON");
        }
        Ok(())
    }

    /// Cuts whole objects out of what is ahead. One that is not whole yet is waited for; one that is
    /// broken or too long is taken on its own.
    fn objects(&mut self) -> io::Result<()> {
        let block = self.source.ahead().clone();
        let (text, is_cut_short) = text_of(&block);
        let (mut taken, mut is_incomplete) = (0, false);
        loop {
            let rest =
                text[taken..].trim_start_matches(|c: char| c == ',' || c.is_ascii_whitespace());
            let start = text.len() - rest.len();
            if !rest.starts_with('{') {
                break;
            }
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
            match values.next() {
                Some(Ok(_)) if values.byte_offset() <= self.cap => {
                    taken = start + values.byte_offset();
                    self.ready.push_back(Ok(Record::new(block.slice(start..taken))));
                }
                Some(Err(error)) if error.is_eof() && is_cut_short => {
                    is_incomplete = block.len() < self.cap;
                    break;
                }
                _ => break,
            }
        }
        if taken > 0 {
            self.source.consume_lines(taken);
            return Ok(());
        }
        // What is read again doubles, so that a long value is not looked at over and over.
        if is_incomplete && self.source.read_ahead(block.len() * 2)? {
            return Ok(());
        }
        self.value()
    }

    /// One line that is a document means that all lines are; else documents may have any lay-out.
    fn first_document(&mut self) -> io::Result<()> {
        if let Some(beginning) = self.list_of_object()? {
            self.source.consume_lines(beginning);
            self.layout = Layout::Array;
            self.is_in_object = true;
            return Ok(());
        }
        let (mut line, is_whole) = self.source.read_line(self.cap)?;
        if !is_whole || is_json(&line) {
            self.layout = Layout::Lines;
            self.take_line(line, is_whole);
            return Ok(());
        }
        line.push(b'\n');
        self.source.give_back(line);
        self.layout = Layout::Documents;
        Ok(())
    }

    /// Where the items begin, when an object is ahead whose first member is the list of its records.
    fn list_of_object(&mut self) -> io::Result<Option<usize>> {
        let names = [self.envelope_field.unwrap_or(RECORDS), RECORDS];
        loop {
            let ahead = self.source.ahead();
            match opening(ahead, &names) {
                Opening::List(beginning) => return Ok(Some(beginning)),
                Opening::Unclear if ahead.len() < OPENING_CAP => {
                    let more = ahead.len() + 1;
                    if !self.source.read_ahead(more)? {
                        return Ok(None);
                    }
                }
                Opening::Unclear | Opening::Other => return Ok(None),
            }
        }
    }

    fn take_line(&mut self, line: Vec<u8>, is_whole: bool) {
        if !is_whole {
            self.give_up(line, "the line is longer than the cap");
        } else if is_json(&line) {
            self.expand(line);
        } else {
            self.give_up(line, "the line is not valid JSON");
        }
    }

    /// A value that may span lines: a document, or an item of the array. Of a broken one only the
    /// part up to the next likely beginning is given up.
    fn value(&mut self) -> io::Result<()> {
        let is_patient = self.broken_values < PATIENCE;
        let cap = if is_patient { self.cap } else { self.cap.min(IMPATIENT_CAP) };
        let column = self.source.column();
        let (mut bytes, end) = self.source.read_value(Splitter::default(), cap)?;
        if end.is_none() && is_json(&bytes) {
            match self.layout {
                Layout::Array => self.keep(bytes),
                _ => self.expand(bytes),
            }
            return Ok(());
        }
        self.broken_values = self.broken_values.saturating_add(1);
        let beginning = likely_beginning(&bytes, column);
        if let Some(beginning) = beginning {
            let rest = bytes.split_off(beginning);
            self.source.give_back(rest);
            self.give_up(bytes, "the text is not valid JSON");
        } else if let Some(splitter) = end {
            self.source.skip_value(splitter)?;
            self.give_up(bytes, "the record is longer than the cap");
        } else {
            self.give_up(bytes, "the text is not valid JSON");
        }
        Ok(())
    }

    /// Takes a valid document apart: a page, an object with `Records`, an array, or one record. What
    /// is none of them is passed over.
    fn expand(&mut self, bytes: Vec<u8>) {
        let body = Bytes::from(bytes);
        let text = readable(&body);
        let items = match body.first() {
            Some(b'[') => cutting::items_of(&body, &text, &text),
            Some(b'{') => Document::object(&body, &text).ok().and_then(|document| {
                let fields = self.envelope_field.into_iter().chain([RECORDS]);
                fields.into_iter().find_map(|field| document.items(field))
            }),
            _ => None,
        };
        let Some(items) = items else {
            drop(text);
            if self.is_foreign.is_some_and(|is_foreign| is_foreign(&body)) {
                self.passed_over += 1;
            } else {
                self.keep(body.into());
            }
            return;
        };
        self.ready.extend(items.records.into_iter().map(Ok));
        self.ready.extend(items.unusable.into_iter().map(Err));
    }

    /// A valid value as a record, if it can be one.
    fn keep(&mut self, bytes: Vec<u8>) {
        match cutting::usable(&bytes) {
            Ok(()) => self.ready.push_back(Ok(Record::from(bytes))),
            Err(reason) => self.give_up(bytes, reason),
        }
    }

    fn give_up(&mut self, mut bytes: Vec<u8>, reason: &str) {
        let reason = if bytes.len() > LETTER_CAP {
            format!("{reason}; only its first {LETTER_CAP} bytes are kept")
        } else {
            reason.to_owned()
        };
        bytes.truncate(LETTER_CAP.min(bytes.trim_ascii_end().len()));
        self.ready.push_back(Err(DeadLetter { raw: bytes.into(), reason }));
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, DeadLetter>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && self.layout != Layout::End {
            if let Err(error) = self.advance() {
                self.layout = Layout::End;
                let rest = self.source.unread();
                self.give_up(rest, &format!("the file cannot be read further: {error}"));
            }
        }
        self.ready.pop_front()
    }
}

/// Whether bytes are one JSON value; bytes that are not UTF-8 count as question marks.
fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(&readable(bytes)).is_ok()
}

/// The text at the beginning of a block, and whether it ends only because the block does: a block may
/// end inside a character.
fn text_of(block: &[u8]) -> (&str, bool) {
    let error = match std::str::from_utf8(block) {
        Ok(text) => return (text, true),
        Err(error) => error,
    };
    let text = std::str::from_utf8(&block[..error.valid_up_to()]).unwrap_or_default();
    (text, error.error_len().is_none())
}

/// Where the next value after a broken one is likely to begin: at a line that opens an object or a
/// list and is not indented deeper than the broken one.
fn likely_beginning(bytes: &[u8], column: usize) -> Option<usize> {
    let mut start = 0;
    loop {
        start += bytes[start..].iter().position(|byte| *byte == b'\n')? + 1;
        let line = &bytes[start..];
        let indent = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if indent <= column && matches!(line.get(indent), Some(b'{' | b'[')) {
            return Some(start);
        }
    }
}
