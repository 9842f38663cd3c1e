//! The token in a file that only its owner can read, for a daemon outside of AWS.
//!
//! The file is replaced as a whole, so that a crash leaves the former one. A lock beside it keeps two daemons apart.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};

use crate::secret::{Content, Kept, Vault, VaultError};

/// Read and written by its owner only.
const MODE: u32 = 0o600;

/// The file.
#[derive(Debug)]
pub struct TokenFile(PathBuf);

impl TokenFile {
    /// The file at a path; its directory is there already.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.0.as_os_str().to_owned();
        name.push(ending);
        name.into()
    }

    fn kept(&self) -> io::Result<Kept> {
        let text = match fs::read_to_string(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Kept::default()),
            read => read?,
        };
        Ok(Kept { version: hex::encode(Sha256::digest(&text)), content: Content::read(&text) })
    }

    fn write(&self, over: &Kept, content: &Content) -> io::Result<bool> {
        let lock = private(&self.beside(".lock"))?;
        lock.lock()?;
        if self.kept()?.version != over.version {
            return Ok(false);
        }
        let draft = self.beside(".new");
        let mut file = private(&draft)?;
        file.set_len(0)?;
        file.write_all(content.text().as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &self.0)?;
        let directory = self.0.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(true)
    }
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(MODE).open(path)
}

#[async_trait]
impl Vault for TokenFile {
    async fn read(&self) -> Result<Kept, VaultError> {
        let what = "read the token's file";
        self.kept().map_err(|error| VaultError { what, detail: error.to_string() })
    }

    async fn replace(&self, over: &Kept, content: &Content) -> Result<bool, VaultError> {
        let what = "write the token's file";
        self.write(over, content).map_err(|error| VaultError { what, detail: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn only_the_first_writing_over_a_version_counts_and_nobody_else_can_read_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("token");
        let file = TokenFile::new(path.clone());
        let before = file.read().await.unwrap();
        let first = before.content.with_next();
        assert!(file.replace(&before, &first).await.unwrap());
        assert!(!file.replace(&before, &before.content.with_next()).await.unwrap());
        assert_eq!(file.read().await.unwrap().content.text(), first.text());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        let after = file.read().await.unwrap();
        assert!(file.replace(&after, &first.promoted(7)).await.unwrap());
        assert_eq!(file.read().await.unwrap().content.since, 7);
    }
}
