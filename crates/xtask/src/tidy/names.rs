//! No file or folder is named by a word that fits everything.

use super::tree::Tree;

const EMPTY_WORDS: &[&str] =
    &["utils", "util", "helpers", "helper", "common", "misc", "manager", "shared", "stuff"];

pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let is_ours = |path: &str| {
        ["crates/", "bench/", "tools/"].into_iter().any(|folder| path.starts_with(folder))
    };
    let ours = tree.files.iter().filter(|file| is_ours(&file.path));
    ours.filter(|file| file.path.split('/').any(is_empty_word))
        .map(|file| file.path.clone())
        .collect()
}

fn is_empty_word(step: &str) -> bool {
    let stem = step.split('.').next().unwrap_or(step);
    EMPTY_WORDS.contains(&stem)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    #[test]
    fn words_that_fit_everything_are_named() {
        let tree = Tree::of(&[
            ("crates/lake/src/utils.rs", ""),
            ("crates/api/src/common/mod.rs", ""),
            ("crates/api/src/commons.rs", ""),
            ("bench/src/helper.rs", ""),
            ("docs/misc.md", ""),
        ]);
        assert_eq!(
            check(&tree),
            ["crates/lake/src/utils.rs", "crates/api/src/common/mod.rs", "bench/src/helper.rs"]
        );
    }
}
