//! Changelog fragments are named `<slug>.<kind>.md`, so that they can be gathered at a release.

use super::tree::Tree;

const FOLDER: &str = "changelog.d/";
/// The headings of Keep a Changelog.
const KINDS: &[&str] = &["added", "changed", "deprecated", "removed", "fixed", "security"];

pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let fragments = tree.files.iter().filter(|file| file.path.starts_with(FOLDER));
    fragments
        .filter(|file| !is_fragment(&file.path[FOLDER.len()..]))
        .map(|file| format!("{}: the kind is one of {}", file.path, KINDS.join(", ")))
        .collect()
}

fn is_fragment(name: &str) -> bool {
    if name == "README.md" {
        return true;
    }
    let parts: Vec<&str> = name.split('.').collect();
    let [slug, kind, "md"] = parts.as_slice() else { return false };
    let is_slug_byte =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !slug.is_empty() && slug.bytes().all(is_slug_byte) && KINDS.contains(kind)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    #[test]
    fn fragments_need_a_slug_and_a_kind() {
        let tree = Tree::of(&[
            ("changelog.d/README.md", ""),
            ("changelog.d/cas-connector.added.md", ""),
            ("changelog.d/cas-connector.md", ""),
            ("changelog.d/CAS connector.fixed.md", ""),
            ("changelog.d/cas.feature.md", ""),
        ]);
        assert_eq!(check(&tree).len(), 3);
    }
}
