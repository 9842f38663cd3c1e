//! `cargo xtask tidy`: rules of this repository that no other tool checks.
//!
//! Each rule is a file with a function from the [`tree::Tree`] to the places that break it.

mod changelog;
mod floors;
mod headers;
mod length;
mod links;
mod machine_paths;
mod names;
mod tree;

use anyhow::{Result, bail};

use crate::workspace::Workspace;
use tree::Tree;

type Rule = fn(&Tree) -> Vec<String>;

const RULES: &[(&str, Rule)] = &[
    ("every Rust file opens with what it is for (`//!`)", headers::check),
    ("crates name only what lies below them", floors::check),
    ("files stay short", length::check),
    ("files are named by a noun that says what is in them", names::check),
    ("documents cite only what exists", links::check),
    ("no paths of one machine", machine_paths::check),
    ("changelog fragments are named `<slug>.<kind>.md`", changelog::check),
];

/// Applies all rules and lists every place that breaks one.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let tree = Tree::read(&workspace.root)?;
    let mut count = 0;
    for (title, rule) in RULES {
        let faults = rule(&tree);
        if !faults.is_empty() {
            println!("{title}:");
        }
        for fault in &faults {
            println!("  {fault}");
        }
        count += faults.len();
    }
    if count > 0 {
        bail!("{count} places break a rule of this repository");
    }
    println!("tidy: {} files, {} rules", tree.files.len(), RULES.len());
    Ok(())
}
