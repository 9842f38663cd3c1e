//! Writes a trail's objects as they lie in a bucket: one gzip file each, a folder per account, region and day.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::chance::Chance;
use super::{OBJECT_RECORDS, Trail};
use model::time::Timestamp;

/// Records after which the text so far is given to the compressor.
const PIECE: u64 = 200;

/// Where an object lies below its bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// The key of the trail's object with this number.
    pub fn of(trail: &Trail, number: u64) -> Self {
        let object = trail.object(number);
        let minutes_ms = i64::try_from(OBJECT_RECORDS * trail.step_ms).unwrap_or(0);
        let delivered = Timestamp::from_millis(object.start_ms + minutes_ms).to_chrono();
        let mut unique = Chance::new(&[trail.seed, number, 0x4e7]);
        let (account, region) = (object.account, object.region);
        Self(format!(
            "AWSLogs/{account:012}/CloudTrail/{region}/{}/{account:012}_CloudTrail_{region}_{}_{}.json.gz",
            delivered.format("%Y/%m/%d"),
            delivered.format("%Y%m%dT%H%MZ"),
            super::template::upper(unique.bits(), 16)
        ))
    }

    /// The key as a path below a directory.
    pub fn path(&self, root: &Path) -> PathBuf {
        self.0.split('/').fold(root.to_owned(), |path, part| path.join(part))
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Records.
    pub records: u64,
    /// Bytes of JSON before compression.
    pub json_bytes: u64,
    /// Bytes of the files.
    pub file_bytes: u64,
}

/// Writes the objects with these numbers below a directory, with all cores.
///
/// # Errors
/// A file cannot be written.
pub fn write(trail: Trail, objects: Range<u64>, root: &Path) -> io::Result<Written> {
    let next = AtomicU64::new(objects.start);
    let total = Mutex::new(Ok(Written::default()));
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= objects.end {
                return;
            }
            let written = write_object(&trail, number, root);
            let mut total = total.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match (&mut *total, written) {
                (Ok(total), Ok(written)) => {
                    total.records += written.records;
                    total.json_bytes += written.json_bytes;
                    total.file_bytes += written.file_bytes;
                }
                (Err(_), _) => return,
                (total, Err(error)) => *total = Err(error),
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    total.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn write_object(trail: &Trail, number: u64, root: &Path) -> io::Result<Written> {
    let path = ObjectKey::of(trail, number).path(root);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut gzip = GzEncoder::new(BufWriter::new(File::create(&path)?), Compression::default());
    let mut text = String::from("{\"Records\":[");
    let mut json_bytes = 0;
    for place in 0..OBJECT_RECORDS {
        if place > 0 {
            text.push(',');
        }
        trail.write(number * OBJECT_RECORDS + place, &mut text);
        if place % PIECE == PIECE - 1 {
            gzip.write_all(text.as_bytes())?;
            json_bytes += text.len() as u64;
            text.clear();
        }
    }
    text.push_str("]}");
    gzip.write_all(text.as_bytes())?;
    json_bytes += text.len() as u64;
    gzip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(Written { records: OBJECT_RECORDS, json_bytes, file_bytes: path.metadata()?.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_laid_out_as_a_trail_lays_them_out() {
        let trail = Trail::new(1, Timestamp::from_millis(1_772_438_400_000), 86);
        let key = ObjectKey::of(&trail, 3).0;
        let parts: Vec<&str> = key.split('/').collect();
        assert_eq!(parts.len(), 8);
        assert_eq!((parts[0], parts[2]), ("AWSLogs", "CloudTrail"));
        assert_eq!(parts[4..7], ["2026", "03", "02"]);
        assert!(
            parts[7].starts_with(&format!("{}_CloudTrail_{}_20260302T0828Z_", parts[1], parts[3]))
        );
        assert!(key.ends_with(".json.gz"));
        assert_ne!(ObjectKey::of(&trail, 4), ObjectKey(key));
    }
}
