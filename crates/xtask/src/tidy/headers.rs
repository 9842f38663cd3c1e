//! Every Rust file opens with a module comment.

use super::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let lacks = |text: &str| !text.trim_start().starts_with("//!");
    tree.rust().filter(|file| lacks(&file.text)).map(|file| file.path.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    #[test]
    fn a_file_without_a_header_is_named() {
        let tree = Tree::of(&[
            ("crates/model/src/lib.rs", "//! The ground floor.\n"),
            ("crates/model/src/ids.rs", "use std::fmt;\n"),
            ("content/example.rs", "fn main() {}\n"),
        ]);
        assert_eq!(check(&tree), ["crates/model/src/ids.rs"]);
    }
}
