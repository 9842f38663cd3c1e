//! No file holds a path that exists only on the machine where it was written.

use super::tree::Tree;

/// Written in two halves, so that this file does not break its own rule.
const FOLDERS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/home/", "runner/")];

pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for file in &tree.files {
        for (number, line) in file.text.lines().enumerate() {
            if let Some(folder) = FOLDERS.iter().find(|folder| starts_a_path(line, folder)) {
                faults.push(format!("{}:{}: `{folder}`", file.path, number + 1));
            }
        }
    }
    faults
}

/// Whether the folder stands at the start of a path, not within one or within a URL.
fn starts_a_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|letter| !letter.is_alphanumeric() && !"._-/}~".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    #[test]
    fn machine_paths_are_told_from_urls() {
        let path = concat!("see `/wo", "rk/notes.md`\n");
        let url = concat!("https://vendor.example/wo", "rk/notes\n");
        let tree = Tree::of(&[("docs/a.md", path), ("docs/b.md", url)]);
        assert_eq!(check(&tree), [concat!("docs/a.md:1: `/wo", "rk/`")]);
    }
}
