//! Documents cite only files and folders that exist: in links, and as paths in back-ticks.

use super::tree::{File, Tree};

/// What a path in back-ticks starts with when it means a place in this repository.
const ROOTS: &[&str] =
    &["crates/", "bench/", "content/", "docs/", "tools/", "changelog.d/", ".ci/", "console/"];

pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let documents = tree.files.iter().filter(|file| file.path.ends_with(".md"));
    documents.flat_map(|document| faults(tree, document)).collect()
}

fn faults(tree: &Tree, document: &File) -> Vec<String> {
    let mut faults = Vec::new();
    let mut in_code = false;
    for (number, line) in document.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        let linked = links(line).into_iter().filter(|link| !link_exists(tree, document, link));
        let cited = citations(line).into_iter().filter(|path| !tree.holds(path));
        for path in linked.chain(cited) {
            faults.push(format!("{}:{}: `{path}` does not exist", document.path, number + 1));
        }
    }
    faults
}

/// Targets of `[text](target)` that are not on the web.
fn links(line: &str) -> Vec<&str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    targets.filter(|target| !target.contains(':') && !target.starts_with('#')).collect()
}

fn link_exists(tree: &Tree, document: &File, link: &str) -> bool {
    let target = link.split('#').next().unwrap_or(link);
    let mut steps: Vec<&str> = document.path.split('/').collect();
    steps.pop();
    if target.starts_with('/') {
        steps.clear();
    }
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            name => steps.push(name),
        }
    }
    tree.holds(&steps.join("/"))
}

/// Words in back-ticks that are paths of this repository, without patterns such as `<name>` or `*`.
fn citations(line: &str) -> Vec<&str> {
    let quoted = line.split('`').skip(1).step_by(2);
    let is_path = |word: &&str| {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/".contains(letter);
        ROOTS.iter().any(|root| word.starts_with(root)) && word.chars().all(is_plain)
    };
    quoted.filter(is_path).collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    #[test]
    fn what_is_not_there_is_named() {
        let page = "See [the lake](../crates/lake/) and [the moon](moon.md#far).\n\
                    Code: `crates/lake/src/lib.rs`, `crates/lake/src/gone.rs`, `crates/<name>/`.\n\
                    ```\n[not](a-link.md)\n```\nWeb: [OCSF](https://ocsf.example/).\n";
        let tree = Tree::of(&[("docs/page.md", page), ("crates/lake/src/lib.rs", "")]);
        assert_eq!(
            check(&tree),
            [
                "docs/page.md:1: `moon.md#far` does not exist",
                "docs/page.md:2: `crates/lake/src/gone.rs` does not exist",
            ]
        );
    }
}
