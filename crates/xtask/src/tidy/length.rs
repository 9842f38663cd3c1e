//! The production part of a file is at most 800 lines long; generated files are exempt.

use super::tree::{File, Tree};

const MOST_LINES: usize = 800;

pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let lengths = tree.rust().filter(|file| counts(file)).map(|file| (file, length(&file.text)));
    lengths
        .filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(file, lines)| format!("{}: {lines} lines, at most {MOST_LINES}", file.path))
        .collect()
}

fn counts(file: &File) -> bool {
    let is_test = file.path.contains("/tests/") || file.path.ends_with("/tests.rs");
    !is_test && !file.path.contains("/generated/")
}

/// Lines before the tests at the end of the file.
fn length(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tests =
        lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod "));
    tests.unwrap_or(lines.len())
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    #[test]
    fn only_long_production_code_is_named() {
        let long = "fn a() {}\n".repeat(801);
        let tests = format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
        let tree = Tree::of(&[
            ("crates/lake/src/long.rs", &long),
            ("crates/lake/src/tested.rs", &tests),
            ("crates/lake/src/generated/columns.rs", &long),
            ("crates/lake/tests/it/main.rs", &long),
        ]);
        assert_eq!(check(&tree), ["crates/lake/src/long.rs: 801 lines, at most 800"]);
    }
}
