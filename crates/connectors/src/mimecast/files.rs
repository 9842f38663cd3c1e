//! Files of events: fetched from the file host without any credential, unpacked up to a cap, and cut into lines.
//!
//! A broken line, or a file that breaks off, costs only itself: the rest goes on, and what is broken is set aside
//! with its bytes.

use bytes::Bytes;
use model::batch::DeadLetter;
use model::record::Record;
use model::vendor::{Fault, FetchError};

use super::patience::Blame;
use super::prepaid::Keyless;
use super::siem::Listed;
use crate::client::{self, Request, VendorClient, gunzip, is_gzip};
use crate::cutting::usable;

/// Most bytes of a file's events.
const FILE_CAP: usize = 256 * 1024 * 1024;
/// Most bytes of a broken file that a dead letter keeps.
const LETTER_CAP: usize = 1024 * 1024;

/// What the file host answered.
pub(super) enum Fetched {
    /// The file.
    File(Lines),
    /// Something else.
    Failed(Failure),
}

/// Why there is no file.
#[derive(Debug)]
pub(super) struct Failure {
    /// What is to blame.
    pub(super) blame: Blame,
    /// The failure in words. Its fault never begins a walk again: a file is not the page that lists it.
    pub(super) error: FetchError,
}

/// The lines of a file.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) records: Vec<Record>,
    pub(super) unusable: Vec<DeadLetter>,
    /// Bytes of the lines.
    pub(super) bytes: usize,
}

impl Lines {
    /// Nothing but the letter that stands for a lost file.
    pub(super) fn lost(letter: DeadLetter) -> Self {
        Self { unusable: vec![letter], ..Self::default() }
    }
}

/// Fetches a file.
///
/// # Errors
/// The file host cannot be reached, or wants to be left alone for a while.
pub(super) async fn fetch(http: &VendorClient, file: &Listed) -> Result<Fetched, FetchError> {
    let request = Request::get(file.url.clone()).confidential();
    let answer = match http.send(&Keyless, request).await {
        Ok(answer) => answer,
        Err(error) => return unread(error).map(Fetched::Failed),
    };
    let host = client::host(&file.url);
    let (blame, fault, words) = match answer.status {
        200..300 => return Ok(Fetched::File(lines(&answer.body, &file.object))),
        403 | 404 | 410 => (Blame::Link, Fault::Unreadable, " to a fresh link"),
        429 => return Err(answer.refused(Fault::Outage, "the file host")),
        500..600 => (Blame::Unclear, Fault::Outage, ""),
        _ => (Blame::File, Fault::Unreadable, ""),
    };
    let detail = format!("the file host {host} answered {}{words}", answer.status);
    let error = FetchError { fault, detail, retry_after: answer.retry_after, source: None };
    Ok(Fetched::Failed(Failure { blame, error }))
}

/// The failure of an answer that could not be read, where that may be the file's own fault.
fn unread(error: FetchError) -> Result<Failure, FetchError> {
    let (blame, fault) = match error.fault {
        Fault::TooLarge => (Blame::File, Fault::Unreadable),
        Fault::Unreadable => (Blame::Unclear, Fault::Unreadable),
        Fault::Timeout => (Blame::Unclear, Fault::Timeout),
        _ => return Err(error),
    };
    Ok(Failure { blame, error: FetchError { fault, ..error } })
}

/// The letter that stands for a file that nobody can fetch.
pub(super) fn lost(file: &Listed, why: &str) -> DeadLetter {
    let reason = format!("the file {} {why}", file.object);
    let raw = serde_json::json!({ "object": file.object, "host": file.url.host_str() });
    DeadLetter { raw: Bytes::from(raw.to_string()), reason }
}

/// The letter that stands for a file that was tried often enough.
pub(super) fn given_up(file: &Listed, failure: &Failure) -> DeadLetter {
    let FetchError { detail, source, .. } = &failure.error;
    let cause = source.as_ref().map(|source| format!(": {source}")).unwrap_or_default();
    let what = if failure.blame == Blame::Link { "is gone" } else { "cannot be had" };
    lost(file, &format!("{what}: {detail}{cause}"))
}

/// Cuts a file, packed or not, into its lines.
fn lines(body: &Bytes, object: &str) -> Lines {
    let mut lines = Lines::default();
    // Where the file host says so, HTTP has unpacked the file already.
    let text = if is_gzip(body) {
        let unpacked = gunzip(body, FILE_CAP);
        if let Some(problem) = unpacked.problem {
            let kept = unpacked.bytes.len();
            let reason =
                format!("the file {object} breaks off after {kept} bytes of events: {problem}");
            let raw = body.slice(..body.len().min(LETTER_CAP));
            lines.unusable.push(DeadLetter { raw, reason });
        }
        Bytes::from(unpacked.bytes)
    } else {
        body.clone()
    };
    lines.bytes = text.len();
    for line in text.split(|byte| *byte == b'\n') {
        let line = text.slice_ref(line.trim_ascii());
        if line.is_empty() {
            continue;
        }
        match usable(&line) {
            Ok(()) => lines.records.push(Record::new(line)),
            Err(reason) => {
                let reason = format!("a line of {object}: {reason}");
                lines.unusable.push(DeadLetter { raw: line, reason });
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn cut(body: &[u8]) -> (Vec<Bytes>, Vec<String>) {
        let lines = lines(&Bytes::copy_from_slice(body), "/cg/1.json.gz");
        let records = lines.records.iter().map(|record| record.raw().clone()).collect();
        (records, lines.unusable.into_iter().map(|letter| letter.reason).collect())
    }

    #[test]
    fn lines_are_cut_with_their_bytes_and_bad_ones_set_aside() {
        let text =
            b"{\"a\": 1.50}\r\n\n \n{\"b\":\"\xe8\xaa\x9e\"}\nnot json\n{\"c\":\"\xff\"}\n{}";
        let (records, letters) = cut(&packed(text));
        assert_eq!(records, [&b"{\"a\": 1.50}"[..], "{\"b\":\"語\"}".as_bytes(), b"{}"]);
        assert_eq!(letters.len(), 2);
        assert!(
            letters[1].contains("/cg/1.json.gz") && letters[1].contains("UTF-8"),
            "{letters:?}"
        );
        assert_eq!(cut(text).0.len(), 3, "a file that HTTP has unpacked");
    }

    #[test]
    fn several_members_are_one_file() {
        let body = [packed(b"{\"a\":1}\n"), packed(b"{\"a\":2}\n")].concat();
        assert_eq!(cut(&body).0.len(), 2);
    }

    #[test]
    fn a_file_that_breaks_off_keeps_what_it_had() {
        let whole = packed(b"{\"a\":1}\n{\"a\":2}\n");
        let (records, letters) = cut(&whole[..whole.len() - 6]);
        assert_eq!((records.len(), letters.len()), (2, 1));
        assert!(letters[0].contains("breaks off after 16 bytes"), "{letters:?}");
        let (records, letters) = cut(&[whole, b"\x1f\x8b\x07rubbish".to_vec()].concat());
        assert_eq!((records.len(), letters.len()), (2, 1));
        assert_eq!(cut(b"\x1f\x8brubbish").1.len(), 1);
    }
}
