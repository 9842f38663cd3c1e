//! Digests: the files by which AWS proves that log files are whole. They lie in the same bucket, end in `.json.gz` too,
//! and hold no records. Both the import of files and the reading of a bucket ask here.

use super::fields::Known as _;
use super::record::Top;

/// Members that every digest has and no record.
const MARKS: [&str; 2] = ["digestStartTime", "digestEndTime"];
/// The array of a log file.
const LOG: &str = "Records";

/// Whether a document is a digest. A log file and a record are told from one by their first member.
pub(super) fn is_digest(document: &[u8]) -> bool {
    let Ok(json) = std::str::from_utf8(document) else { return false };
    let mut found = [false; MARKS.len()];
    for member in sonic_rs::to_object_iter(json) {
        let Ok((name, _)) = member else { return false };
        if name == LOG || Top::of(&name).is_some() {
            return false;
        }
        if let Some(place) = MARKS.iter().position(|mark| *mark == name) {
            found[place] = true;
        }
    }
    found == [true; MARKS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_told_from_logs_and_records() {
        let quiet_hour = br#"{"awsAccountId":"111122223333","digestStartTime":"2026-10-01T08:00:00Z","digestEndTime":"2026-10-01T09:00:00Z","logFiles":[],"new":1}"#;
        assert!(is_digest(quiet_hour));
        for other in [
            &br#"{"Records":[]}"#[..],
            br#"{"digestStartTime":"x","digestEndTime":"y","Records":[]}"#,
            br#"{"eventVersion":"1.08","digestStartTime":"x","digestEndTime":"y"}"#,
            br#"{"digestEndTime":"y"}"#,
            br#"{"digestStartTime":"x","digestEndTime":"y""#,
            b"[]",
            b"",
            b"{\"digestStartTime\":\"\xff\"}",
        ] {
            assert!(!is_digest(other), "{}", String::from_utf8_lossy(other));
        }
    }
}
