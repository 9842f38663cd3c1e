//! The files that `ingest` and `normalize` are pointed at.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::error::Failure;

/// Something to read records from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl Input {
    /// What it is called in the ledger and in messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "stdin".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Its size, where that is known.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Self::Stdin => None,
            Self::File(path) => path.metadata().ok().map(|metadata| metadata.len()),
        }
    }

    /// Opens it.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(crate) fn open(&self) -> Result<Box<dyn Read + Send>> {
        match self {
            Self::Stdin => Ok(Box::new(io::stdin())),
            Self::File(path) => {
                let file = File::open(path)
                    .with_context(|| format!("failed to open `{}`", path.display()))?;
                Ok(Box::new(file))
            }
        }
    }
}

/// Every file that the arguments mean: files as they are, directories with all that is in them,
/// `-` for standard input. Hidden files in directories are left out.
///
/// # Errors
/// A path does not exist or cannot be listed, or is a URL.
pub(crate) fn expand(arguments: &[String]) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for argument in arguments {
        if argument == "-" {
            inputs.push(Input::Stdin);
            continue;
        }
        if let Some((scheme, _)) = argument.split_once("://") {
            return Err(Failure::usage(format!("`{scheme}://` URLs cannot be read yet"))
                .hint("download the files first and name their directory")
                .into());
        }
        let path = Path::new(argument);
        let metadata = path.metadata().with_context(|| format!("failed to read `{argument}`"))?;
        if metadata.is_dir() {
            list(path, &mut inputs)?;
        } else {
            inputs.push(Input::File(path.to_owned()));
        }
    }
    Ok(inputs)
}

/// Adds the files below a directory in the order of their names. Links to directories are not
/// followed, so that no circle is walked.
fn list(directory: &Path, inputs: &mut Vec<Input>) -> Result<()> {
    let doing = || format!("failed to list `{}`", directory.display());
    let mut entries = std::fs::read_dir(directory)
        .and_then(Iterator::collect::<io::Result<Vec<_>>>)
        .with_context(doing)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        if is_hidden(&entry.file_name()) {
            continue;
        }
        let path = entry.path();
        if entry.file_type().with_context(doing)?.is_dir() {
            list(&path, inputs)?;
        } else if path.is_file() {
            inputs.push(Input::File(path));
        }
    }
    Ok(())
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error;

    #[test]
    fn a_directory_is_walked_in_order_without_hidden_files() -> Result<()> {
        let root = tempfile::tempdir()?;
        std::fs::create_dir(root.path().join("b"))?;
        for name in ["c.json", "b/2.json", "b/1.json.gz", ".hidden", "a"] {
            std::fs::write(root.path().join(name), "")?;
        }
        let found = expand(&[root.path().display().to_string(), "-".to_owned()])?;
        let names: Vec<String> = found
            .iter()
            .map(|input| input.name().replace(&format!("{}/", root.path().display()), ""))
            .collect();
        assert_eq!(names, ["a", "b/1.json.gz", "b/2.json", "c.json", "stdin"]);
        Ok(())
    }

    #[test]
    fn a_url_is_wrong_usage_and_a_missing_path_is_named() {
        let refused = expand(&["s3://bucket/key".to_owned()]).expect_err("not yet");
        assert_eq!(error::exit_code(&refused), 2);
        let missing = expand(&["no/such/file".to_owned()]).expect_err("missing");
        assert!(error::chain(&missing).contains("no/such/file"));
    }
}
