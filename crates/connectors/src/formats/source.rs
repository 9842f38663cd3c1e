//! The bytes of a file: decompressed where needed, looked at before they are used, and given back.
//!
//! They come in blocks that records are slices of. What is ahead is one block, or more of them when
//! a value is longer.

use std::io::{self, BufRead, BufReader, Read};

use bytes::{Buf as _, Bytes};
use flate2::bufread::MultiGzDecoder;

use super::splitter::{Splitter, Step};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];
/// Bytes that are read of a file at once, before they are decompressed.
const BUFFER: usize = 64 * 1024;
/// Bytes of a block.
pub(super) const BLOCK: usize = 256 * 1024;

/// A file on its way in.
pub(super) struct Source<'r> {
    input: Box<dyn Read + 'r>,
    /// What was read and not taken yet.
    ahead: Bytes,
    /// Bytes since the last line break.
    column: usize,
}

impl<'r> Source<'r> {
    /// Looks at the first bytes for gzip and a byte order mark.
    #[expect(clippy::disallowed_methods, reason = "readers take a block at a time")]
    pub(super) fn open(input: impl Read + 'r) -> io::Result<Self> {
        let mut input: Box<dyn BufRead + 'r> = Box::new(BufReader::with_capacity(BUFFER, input));
        let mut first = [0; 2];
        let count = read_up_to(&mut input, &mut first)?;
        let again = Read::chain(io::Cursor::new(first[..count].to_vec()), input);
        let mut input: Box<dyn Read + 'r> = if first == GZIP_MAGIC {
            Box::new(MultiGzDecoder::new(again))
        } else {
            Box::new(again)
        };
        let mut mark = [0; 3];
        let count = read_up_to(&mut input, &mut mark)?;
        let is_mark = mark == BYTE_ORDER_MARK;
        let ahead = if is_mark { Bytes::new() } else { Bytes::copy_from_slice(&mark[..count]) };
        Ok(Self { input, ahead, column: 0 })
    }

    /// Bytes since the last line break.
    pub(super) fn column(&self) -> usize {
        self.column
    }

    /// What was read and not taken yet.
    pub(super) fn ahead(&self) -> &Bytes {
        &self.ahead
    }

    /// Reads on until so many bytes are ahead, at least a few more; false when the file has no more.
    pub(super) fn read_ahead(&mut self, count: usize) -> io::Result<bool> {
        let before = self.ahead.len();
        let mut block = Vec::with_capacity(before + BLOCK.max(count.saturating_sub(before)));
        block.extend_from_slice(&self.ahead);
        block.resize(block.capacity(), 0);
        let mut length = before;
        let read = loop {
            match self.input.read(&mut block[length..]) {
                Ok(0) => break Ok(()),
                Ok(more) => length += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
            if length >= count {
                break Ok(());
            }
        };
        block.truncate(length);
        self.ahead = block.into();
        read.map(|()| length > before)
    }

    fn buffer(&mut self) -> io::Result<&[u8]> {
        if self.ahead.is_empty() {
            self.read_ahead(1)?;
        }
        Ok(&self.ahead)
    }

    /// Takes bytes from the front.
    pub(super) fn consume(&mut self, count: usize) {
        self.column += count;
        self.ahead.advance(count);
    }

    /// Takes bytes from the front that may hold line breaks.
    pub(super) fn consume_lines(&mut self, count: usize) {
        let taken = &self.ahead[..count];
        // Most blocks hold no line break, and to find that out is far cheaper than to look for the last.
        let line_break = taken.contains(&b'\n').then(|| taken.iter().rposition(|b| *b == b'\n'));
        match line_break.flatten() {
            Some(line_break) => self.column = count - line_break - 1,
            None => self.column += count,
        }
        self.ahead.advance(count);
    }

    /// Puts bytes back to the front; they begin a line or end one that was read.
    pub(super) fn give_back(&mut self, mut bytes: Vec<u8>) {
        bytes.extend_from_slice(&self.ahead);
        self.ahead = bytes.into();
        self.column = 0;
    }

    /// What was read and not taken yet; it is taken now.
    pub(super) fn unread(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ahead).into()
    }

    /// Skips white space and the bytes of `also`; the byte after it, or `None` at the end.
    pub(super) fn skip_space(&mut self, also: &[u8]) -> io::Result<Option<u8>> {
        loop {
            let buffer = self.buffer()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let is_space = |byte: &u8| byte.is_ascii_whitespace() || also.contains(byte);
            let skipped = buffer.iter().take_while(|byte| is_space(byte)).count();
            let found = buffer.get(skipped).copied();
            self.consume_lines(skipped);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// The rest of the line without white space at its end, and whether it is all of it: of a line
    /// longer than the cap only the beginning is kept.
    pub(super) fn read_line(&mut self, cap: usize) -> io::Result<(Vec<u8>, bool)> {
        let mut line = Vec::new();
        let mut is_whole = true;
        loop {
            let buffer = match self.buffer() {
                Ok(buffer) => buffer,
                Err(error) => return self.interrupted(line, error),
            };
            if buffer.is_empty() {
                break;
            }
            let line_break = buffer.iter().position(|byte| *byte == b'\n');
            let text = line_break.unwrap_or(buffer.len());
            let room = cap.saturating_sub(line.len());
            is_whole = is_whole && text <= room;
            line.extend_from_slice(&buffer[..text.min(room)]);
            self.consume(text + usize::from(line_break.is_some()));
            if line_break.is_some() {
                self.column = 0;
                break;
            }
        }
        line.truncate(line.trim_ascii_end().len());
        Ok((line, is_whole))
    }

    /// The bytes up to where the splitter sees the end, up to the cap or the end of the file. When
    /// the cap was reached first, the splitter that goes on.
    pub(super) fn read_value(
        &mut self,
        mut splitter: Splitter,
        cap: usize,
    ) -> io::Result<(Vec<u8>, Option<Splitter>)> {
        let mut bytes = Vec::new();
        loop {
            let buffer = match self.buffer() {
                Ok(buffer) => buffer,
                Err(error) => return self.interrupted(bytes, error),
            };
            if buffer.is_empty() {
                return Ok((bytes, None));
            }
            let room = cap.saturating_sub(bytes.len());
            if room == 0 {
                return Ok((bytes, Some(splitter)));
            }
            let buffer = &buffer[..buffer.len().min(room)];
            let step = splitter.feed(buffer);
            let count = match step {
                Step::More => buffer.len(),
                Step::Ends(count) => count,
            };
            bytes.extend_from_slice(&buffer[..count]);
            self.consume(count);
            if matches!(step, Step::Ends(_)) {
                return Ok((bytes, None));
            }
        }
    }

    /// Skips the rest of a value.
    pub(super) fn skip_value(&mut self, mut splitter: Splitter) -> io::Result<()> {
        loop {
            let buffer = self.buffer()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let step = splitter.feed(buffer);
            let count = match step {
                Step::More => buffer.len(),
                Step::Ends(count) => count,
            };
            self.consume(count);
            if matches!(step, Step::Ends(_)) {
                return Ok(());
            }
        }
    }

    /// Keeps what was read before the failure, so that it can still be shown.
    fn interrupted<T>(&mut self, bytes: Vec<u8>, error: io::Error) -> io::Result<T> {
        self.give_back(bytes);
        Err(error)
    }
}

fn read_up_to(input: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < bytes.len() {
        match input.read(&mut bytes[count..]) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}
