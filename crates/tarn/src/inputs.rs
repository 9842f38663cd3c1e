//! The files that `ingest` and `normalize` are pointed at: on this machine, or in a bucket.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use connectors::{S3File, S3Files};
use model::hint::Hint as _;
use model::vendor::FetchError;

use crate::error::Failure;

/// Something to read records from.
#[derive(Clone)]
pub(crate) enum Input {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
    /// An object in a bucket.
    S3(S3Files, S3File),
}

impl Input {
    /// What it is called in the ledger and in messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "stdin".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::S3(_, file) => file.url(),
        }
    }

    /// Its size, where that is known.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Self::Stdin => None,
            Self::File(path) => path.metadata().ok().map(|metadata| metadata.len()),
            Self::S3(_, file) => Some(file.size_bytes()),
        }
    }

    /// Opens it.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(crate) async fn open(&self) -> Result<Box<dyn Read + Send>> {
        match self {
            Self::Stdin => Ok(Box::new(io::stdin())),
            Self::File(path) => {
                let file = File::open(path)
                    .with_context(|| format!("failed to open `{}`", path.display()))?;
                Ok(Box::new(file))
            }
            Self::S3(files, file) => files.open(file).await.map_err(refused),
        }
    }
}

/// Every file that the arguments mean: files as they are, directories with all that is in them, the
/// objects of a bucket whose keys begin as an `s3://` URL says, `-` for standard input. Hidden files
/// in directories are left out.
///
/// # Errors
/// A path does not exist or cannot be listed, or is a URL of another kind.
pub(crate) async fn expand(arguments: &[String]) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    let bucket = S3Files::new();
    for argument in arguments {
        if S3Files::is_url(argument) {
            let found = bucket.list(argument).await.map_err(refused)?;
            if found.is_empty() {
                return Err(Failure::new(format!("nothing lies below `{argument}`")).into());
            }
            inputs.extend(found.into_iter().map(|file| Input::S3(bucket.clone(), file)));
            continue;
        }
        if argument == "-" {
            inputs.push(Input::Stdin);
            continue;
        }
        if let Some((scheme, _)) = argument.split_once("://") {
            return Err(Failure::usage(format!("`{scheme}://` URLs cannot be read yet"))
                .hint("download the files first and name their directory, or write s3://bucket/prefix")
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

/// What AWS refused, with what to do about it.
fn refused(error: FetchError) -> anyhow::Error {
    let hint = S3Files::remedy(&error).or_else(|| error.hint()).unwrap_or_default();
    Failure::new(error.to_string()).hint(hint).into()
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

    #[tokio::test]
    async fn a_directory_is_walked_in_order_without_hidden_files() -> Result<()> {
        let root = tempfile::tempdir()?;
        std::fs::create_dir(root.path().join("b"))?;
        for name in ["c.json", "b/2.json", "b/1.json.gz", ".hidden", "a"] {
            std::fs::write(root.path().join(name), "")?;
        }
        let found = expand(&[root.path().display().to_string(), "-".to_owned()]).await?;
        let names: Vec<String> = found
            .iter()
            .map(|input| input.name().replace(&format!("{}/", root.path().display()), ""))
            .collect();
        assert_eq!(names, ["a", "b/1.json.gz", "b/2.json", "c.json", "stdin"]);
        Ok(())
    }

    #[tokio::test]
    async fn a_url_of_another_kind_is_wrong_usage_and_a_missing_path_is_named() {
        for url in ["gs://bucket/key", "s3://", "https://bucket.example/key"] {
            let refused = expand(&[url.to_owned()]).await.err().expect("cannot be read");
            assert_eq!(error::exit_code(&refused), 2, "{url}");
        }
        let missing = expand(&["no/such/file".to_owned()]).await.err().expect("missing");
        assert!(model::causes::chain(missing.as_ref()).contains("no/such/file"));
    }
}
