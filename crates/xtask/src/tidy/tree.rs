//! The files of the repository, read once for all rules.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Larger files are data, not text that people wrote.
const LARGEST_TEXT_BYTES: u64 = 1024 * 1024;

/// Every file that git knows or would add.
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

/// A file: its path from the root of the repository, and its text unless it is binary or large.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Tree {
    /// Reads the working copy.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .context("failed to start `git`")?;
        ensure!(output.status.success(), "`git ls-files` failed: is this a git checkout?");
        let listed = String::from_utf8(output.stdout).context("a path is not UTF-8")?;
        let mut files = Vec::new();
        for path in listed.split_terminator('\0') {
            let full = root.join(path);
            // A file may be deleted in the working copy and still be listed.
            let Ok(facts) = full.metadata() else { continue };
            let is_text = facts.is_file() && facts.len() <= LARGEST_TEXT_BYTES;
            let text = is_text.then(|| std::fs::read_to_string(&full).ok()).flatten();
            files.push(File { path: path.to_owned(), text: text.unwrap_or_default() });
        }
        Ok(Self { files })
    }

    /// Whether a file or a folder of this path exists.
    pub(crate) fn holds(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        path.is_empty()
            || self.files.iter().any(|file| {
                file.path
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    }

    /// The Rust files of our crates.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        let is_ours = |path: &str| path.starts_with("crates/") || path.starts_with("bench/");
        let is_rust = move |file: &&File| is_ours(&file.path) && file.path.ends_with(".rs");
        self.files.iter().filter(is_rust)
    }

    /// A tree made of paths and texts.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        Self { files: files.iter().map(file).collect() }
    }
}
