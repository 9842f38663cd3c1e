//! The key that every stored secret is sealed under: given as text, or kept in a file that is made
//! once and that only its owner can read.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use model::secret::{MASK, Secret};
use uuid::Uuid;

use crate::database::sync_directory_of;
use crate::error::{CatalogError, Result};

const LENGTH: usize = 32;
/// More than any spelling of a key; a larger file is something else.
const LARGEST_FILE: u64 = 4096;
const OTHERS_MAY_READ: u32 = 0o077;

/// 32 secret bytes and where they came from.
#[derive(Clone)]
pub struct MasterKey {
    bytes: [u8; LENGTH],
    origin: String,
}

impl MasterKey {
    /// Takes the key from the text of `TARN_MASTER_KEY`: 32 bytes in base64 or hex.
    ///
    /// # Errors
    /// The text is something else.
    pub fn from_text(text: &Secret) -> Result<Self> {
        Self::parse(text.expose(), "TARN_MASTER_KEY".to_owned())
    }

    /// Reads the key from a file; makes the file with a new random key when there is none.
    ///
    /// # Errors
    /// The file cannot be read or made, or holds something else.
    pub fn load_or_create(path: &Path) -> Result<Self> {
        if let Some(key) = Self::load(path)? {
            return Ok(key);
        }
        make(path)?;
        // Another process may have won the race to make it: what counts is what the file holds.
        Self::load(path)?.ok_or_else(|| failed("read", path)(io::ErrorKind::NotFound.into()))
    }

    fn load(path: &Path) -> Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", path)(error)),
        };
        let mode = file.metadata().map_err(failed("read", path))?.mode();
        if mode & OTHERS_MAY_READ != 0 {
            tracing::warn!(path = %path.display(), "other users may read the master key file");
        }
        let mut text = String::new();
        file.take(LARGEST_FILE).read_to_string(&mut text).map_err(failed("read", path))?;
        Self::parse(&text, format!("`{}`", path.display())).map(Some)
    }

    fn parse(text: &str, origin: String) -> Result<Self> {
        match decode(text.trim()) {
            Some(bytes) => Ok(Self { bytes, origin }),
            None => Err(CatalogError::MalformedMasterKey { origin }),
        }
    }

    /// The bytes, for deriving the keys that seal and open.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the key came from, for people.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "MasterKey({MASK} from {})", self.origin)
    }
}

fn decode(text: &str) -> Option<[u8; LENGTH]> {
    if text.len() == 2 * LENGTH {
        return hex::decode(text).ok()?.try_into().ok();
    }
    let spellings = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    spellings.iter().find_map(|spelling| spelling.decode(text).ok()?.try_into().ok())
}

/// Makes the file whole: written and synced beside its place, then linked into it, so that a crash
/// leaves either no key or a complete one, and an existing key is never overwritten.
fn make(path: &Path) -> Result<()> {
    let draft = draft_path(path);
    let written = write_draft(&draft).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = fs::remove_file(&draft);
    written.map_err(failed("make", path))?;
    removed.map_err(failed("make", path))?;
    sync_directory_of(path).map_err(failed("sync the directory of", path))
}

fn draft_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", Uuid::new_v4()));
    PathBuf::from(name)
}

fn write_draft(draft: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    let key: [u8; LENGTH] = rand::random();
    file.write_all(STANDARD.encode(key).as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CatalogError {
    let path = path.to_owned();
    move |source| CatalogError::MasterKeyFile { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_32_bytes_is_the_same_key() {
        let bytes: [u8; 32] = std::array::from_fn(|index| 255 - u8::try_from(index).unwrap());
        let spellings = [
            hex::encode(bytes),
            hex::encode_upper(bytes),
            STANDARD.encode(bytes),
            STANDARD_NO_PAD.encode(bytes),
            URL_SAFE.encode(bytes),
            format!("  {}\n", URL_SAFE_NO_PAD.encode(bytes)),
        ];
        for text in spellings {
            assert_eq!(MasterKey::from_text(&Secret::new(text)).unwrap().bytes, bytes);
        }
    }

    #[test]
    fn a_text_of_another_length_is_refused_without_showing_it() {
        for text in ["", "hunter2", &"ab".repeat(31), &"zz".repeat(32), &STANDARD.encode([7; 33])] {
            let error = MasterKey::from_text(&Secret::new(text)).unwrap_err();
            assert!(error.to_string().contains("TARN_MASTER_KEY"), "{error}");
            assert!(text.is_empty() || !format!("{error:?}").contains(text));
        }
    }

    #[test]
    fn a_key_does_not_print() {
        let text = "ab".repeat(32);
        let key = MasterKey::from_text(&Secret::new(&*text)).unwrap();
        assert_eq!(format!("{key:?}"), "MasterKey(******** from TARN_MASTER_KEY)");
    }
}
