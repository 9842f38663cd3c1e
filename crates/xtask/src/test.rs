//! `cargo xtask test`: every check, in the order in which a failure is cheapest to find.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::steps::Steps;
use crate::workspace::{Workspace, succeed, works};
use crate::{codegen, moto, prerequisites, pytmv1, schemas, tidy};

/// All targets but benchmarks. Naming examples makes cargo choose the same features of dependencies
/// for every one of the commands below, so that they share what they build.
const TARGETS: &[&str] = &["--workspace", "--lib", "--bins", "--examples"];

/// Tools that are run where they are installed: name, arguments that show it, arguments of the check.
const OPTIONAL: &[(&str, &[&str], &[&str])] = &[
    ("cargo deny", &["deny", "--version"], &["deny", "check"]),
    ("cargo machete", &["machete", "--version"], &["machete"]),
];

/// Runs all checks; the first that fails ends the run.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let cargo = |arguments: &[&str]| succeed(&mut workspace.cargo(arguments));
    let mut steps = Steps::new();
    steps.step("prerequisites", prerequisites::ensure)?;
    steps.step("format", || cargo(&["fmt", "--all", "--check"]))?;
    steps.step("tidy", || tidy::run(workspace))?;
    steps.step("generated files", || codegen::run(&workspace.root, true))?;
    let schemas = steps.step("OCSF schemas", || schemas::ensure(workspace))?;
    let moto = steps.step("moto", || moto::ensure(workspace))?;
    let pytmv1 = steps.step("pytmv1", || pytmv1::ensure(workspace))?;
    steps.step("lints", || {
        cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
    })?;
    steps.step("tests", || {
        let mut tests = tests(workspace);
        tests.env(schemas::VARIABLE, &schemas).env(pytmv1::VARIABLE, &pytmv1);
        succeed(tests.env(moto::VARIABLE, &moto.server).env(moto::LINT_VARIABLE, &moto.lint))
    })?;
    if has_doc_tests(&workspace.root)? {
        steps.step("documentation tests", || {
            let mut command = workspace.cargo(&["test", "--doc", "--workspace"]);
            succeed(command.env(schemas::VARIABLE, &schemas))
        })?;
    }
    steps.step("documentation", || succeed(&mut documentation(workspace)))?;
    for (name, shows, checks) in OPTIONAL {
        if works("cargo", shows) {
            steps.step(name, || cargo(checks))?;
        } else {
            println!("--- {name} is not installed: skipped");
        }
    }
    if works("typos", &["--version"]) {
        steps.step("typos", || succeed(&mut workspace.command("typos")))?;
    } else {
        println!("--- typos is not installed: skipped");
    }
    steps.finish();
    Ok(())
}

/// All tests, also behind one that fails: who reads the result elsewhere cannot quickly run the rest.
fn tests(workspace: &Workspace) -> Command {
    if works("cargo", &["nextest", "--version"]) {
        return workspace.cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]);
    }
    let mut command = workspace.cargo(&["test", "--no-fail-fast"]);
    command.args(TARGETS).arg("--tests");
    command
}

fn documentation(workspace: &Workspace) -> Command {
    let mut command = workspace.cargo(&["doc", "--no-deps"]);
    command.args(TARGETS).env("RUSTDOCFLAGS", "-D warnings");
    command
}

/// Whether some documentation comment holds code that rustdoc would run.
fn has_doc_tests(root: &Path) -> Result<bool> {
    let mut folders = vec![root.join("crates"), root.join("bench")];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("failed to list `{}`", folder.display()))?;
        for entry in entries {
            let path = entry.with_context(|| format!("in `{}`", folder.display()))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && std::fs::read_to_string(&path).is_ok_and(|code| holds_doc_test(&code))
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn holds_doc_test(code: &str) -> bool {
    let mut is_open = false;
    for line in code.lines() {
        let line = line.trim_start();
        let Some(text) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            continue;
        };
        let Some(language) = text.trim().strip_prefix("```") else { continue };
        if !is_open && matches!(language, "" | "rust" | "no_run" | "rust,no_run" | "compile_fail") {
            return true;
        }
        is_open = !is_open;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::holds_doc_test;

    #[test]
    fn code_in_documentation_is_told_from_text() {
        assert!(holds_doc_test("/// Adds.\n/// ```\n/// add(1, 2);\n/// ```\nfn add() {}"));
        assert!(!holds_doc_test("/// Shape:\n/// ```text\n/// a -> b\n/// ```\nfn add() {}"));
    }
}
