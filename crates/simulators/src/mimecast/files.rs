//! The file host: gzip files of events behind links that run out. It takes no credentials at all.

use std::io::{self, Write};

use axum::http::{Method, StatusCode};
use flate2::{Compression, write::GzEncoder};
use url::form_urlencoded;

use crate::answer::Answer;
use crate::draw::mix;

use super::Mimecast;
use super::access::seal;
use super::batch::REACH_MS;
use super::knobs::{Knobs, Order};
use super::service::{Moment, strikes};
use super::siem_records::Transport;
use super::streams::Stream;

/// Where files lie.
pub(super) const PREFIX: &str = "/sim-files/";
/// What a file is.
pub(super) const MEDIA_TYPE: &str = "application/gzip";
/// A line that broke while it was written.
const BAD_LINE: &[u8] = b"{\"type\":\"receipt\",\"subty";
/// A line of bytes that are no text.
const BAD_UTF8: &[u8] = b"{\"type\":\"receipt\",\"subject\":\"\xff\xfe\"}";
/// What follows the last member of a corrupt file.
const NO_MEMBER: &[u8] = b"\x1f\x8b\x07\xffthis is no gzip member";
/// Bytes that a truncated file lacks: they are part of the checksum, not of the events.
const LACKING: usize = 6;

/// A file: the events of one type that became visible in one span of time, or a part of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    pub(super) stream: Stream,
    pub(super) span: i64,
    pub(super) part: u64,
}

impl FileId {
    /// The path of the object.
    fn object(self) -> String {
        let kind = self.stream.siem_type().unwrap_or_default().replace(' ', "_");
        format!("cg/{kind}/{}-{}.json.gz", self.span, self.part)
    }

    fn parse(object: &str) -> Option<Self> {
        let (kind, rest) = object.strip_prefix("cg/")?.split_once('/')?;
        let (span, part) = rest.strip_suffix(".json.gz")?.split_once('-')?;
        let stream = Stream::of_type(&kind.replace('_', " "))?;
        Some(Self { stream, span: span.parse().ok()?, part: part.parse().ok()? })
    }

    /// Whether a fault of every Nth file strikes at this one: always or never.
    fn is_struck(self, every: u64) -> bool {
        let ordinal = self.span.cast_unsigned() + self.stream.coordinate() + self.part;
        strikes(ordinal, every)
    }
}

impl Mimecast {
    /// A fresh link to a file; a dead one is refused.
    pub(super) fn link(&self, file: FileId, moment: &Moment<'_>, is_dead: bool) -> String {
        let knobs = moment.knobs;
        let host = knobs.file_host.as_deref().unwrap_or(&moment.asked.host);
        let base = knobs.public_url.clone().unwrap_or_else(|| format!("http://{host}"));
        let (object, date_ms) = (file.object(), moment.now_ms);
        let expires_s = knobs.link_life_ms / 1_000;
        let signature = if is_dead { 0 } else { signature(&object, date_ms, self.seed) };
        format!(
            "{base}{PREFIX}{object}?X-Amz-Date={date_ms}&X-Amz-Expires={expires_s}&X-Amz-Signature={signature:x}"
        )
    }

    /// Answers a request to the file host; says too whether HTTP is to unpack the body.
    pub(super) fn file(&self, moment: &Moment<'_>, object: &str) -> (Answer, bool) {
        let refused = |status, code| (storage_error(status, code), false);
        if moment.asked.is_authorized {
            // Object stores refuse two ways of authentication at once.
            return refused(StatusCode::BAD_REQUEST, "InvalidArgument");
        }
        if moment.asked.method != Method::GET {
            return refused(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed");
        }
        if !self.is_signed(moment, object) {
            return refused(StatusCode::FORBIDDEN, "AccessDenied");
        }
        let knobs = moment.knobs;
        let is_there = |file: &FileId| {
            let start_ms = file.span * knobs.file_ms;
            let is_kept = start_ms >= moment.now_ms - REACH_MS;
            is_kept
                && start_ms + knobs.file_ms <= moment.now_ms
                && !file.is_struck(knobs.gone_file_every)
        };
        let Some(file) = FileId::parse(object).filter(is_there) else {
            return refused(StatusCode::NOT_FOUND, "NoSuchKey");
        };
        let numbers = ordered(self.file_numbers(file, knobs), knobs.order);
        let body = self.packed(file, &numbers, knobs).unwrap_or_default();
        let mut answer = Answer { content_type: MEDIA_TYPE, ..Answer::json(StatusCode::OK, body) };
        answer.records = Some((file.stream.number(), numbers));
        (answer, knobs.file_encoding)
    }

    fn is_signed(&self, moment: &Moment<'_>, object: &str) -> bool {
        let field = |wanted: &str| {
            form_urlencoded::parse(moment.asked.query.as_bytes())
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.into_owned())
        };
        let number = |name: &str| field(name)?.parse::<i64>().ok();
        let (Some(date_ms), Some(expires_s)) = (number("X-Amz-Date"), number("X-Amz-Expires"))
        else {
            return false;
        };
        let expected = format!("{:x}", signature(object, date_ms, self.seed));
        field("X-Amz-Signature") == Some(expected) && moment.now_ms <= date_ms + expires_s * 1_000
    }

    /// The compressed lines of a file, with what is wrong with it.
    fn packed(&self, file: FileId, numbers: &[u64], knobs: &Knobs) -> io::Result<Vec<u8>> {
        let mut lines: Vec<Vec<u8>> = Vec::with_capacity(numbers.len() + 2);
        for number in numbers {
            let mut line = String::new();
            self.write(file.stream, *number, Transport::Batch, knobs, &mut line);
            lines.push(line.into_bytes());
        }
        let middle = lines.len() / 2;
        if file.is_struck(knobs.bad_line_every) {
            lines.insert(middle, BAD_LINE.to_vec());
        }
        if file.is_struck(knobs.bad_utf8_every) {
            lines.insert(middle, BAD_UTF8.to_vec());
        }
        let ending: &[u8] = if knobs.blank_lines { b"\n\r\n \n" } else { b"\n" };
        let members = usize::try_from(knobs.members).unwrap_or(1);
        let per_member = lines.len().div_ceil(members).max(1);
        let mut packed = Vec::new();
        for chunk in lines.chunks(per_member) {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            for line in chunk {
                encoder.write_all(line)?;
                encoder.write_all(ending)?;
            }
            packed.extend(encoder.finish()?);
        }
        if file.is_struck(knobs.corrupt_every) {
            packed.extend_from_slice(NO_MEMBER);
        } else if file.is_struck(knobs.truncated_every) {
            packed.truncate(packed.len().saturating_sub(LACKING));
        }
        Ok(packed)
    }
}

/// The events in the order of a page or a file.
pub(super) fn ordered(mut numbers: Vec<u64>, order: Order) -> Vec<u64> {
    match order {
        Order::Ascending => {}
        Order::Descending => numbers.reverse(),
        Order::Shuffled => numbers.sort_by_key(|number| mix(&[*number, 0x0d])),
    }
    numbers
}

fn signature(object: &str, date_ms: i64, seed: u64) -> u64 {
    seal(&format!("{object} {date_ms}"), seed)
}

fn storage_error(status: StatusCode, code: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{code}</Message></Error>"
    );
    Answer { content_type: "application/xml", ..Answer::json(status, body) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_name_their_file() {
        let stream = Stream::of_type("internal email protect").unwrap();
        let file = FileId { stream, span: 1_989_821, part: 2 };
        assert_eq!(file.object(), "cg/internal_email_protect/1989821-2.json.gz");
        assert_eq!(FileId::parse(&file.object()), Some(file));
        for odd in ["", "cg/av/7.json.gz", "cg/nothing/7-0.json.gz", "../cg/av/7-0.json.gz"] {
            assert_eq!(FileId::parse(odd), None, "{odd}");
        }
    }
}
