//! cfn-lint, which knows the types of resources, their properties and circles between them, finds nothing.

use std::path::Path;
use std::process::{Command, Output};

use connectors::onboarding::{Variant, template};

use super::{USUAL, VERSION, parsed};

fn lint(files: &[std::path::PathBuf]) -> Output {
    Command::new(program()).args(files).output().unwrap()
}

/// A folder of the test's own, removed at the end.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[test]
fn every_variant_is_clean() {
    let folder = Folder::new("lint");
    let write = |variant: Variant| {
        let file = folder.0.join(format!("{}.json", variant.name()));
        std::fs::write(&file, template(variant, VERSION)).unwrap();
        file
    };
    let files: Vec<_> = Variant::all().map(write).collect();
    assert_eq!(files.len(), 18);
    let Output { status, stdout, stderr } = lint(&files);
    let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    assert!(status.success() && said.trim().is_empty(), "{status}: {said}");
}

#[test]
fn a_template_with_a_fault_is_not() {
    let folder = Folder::new("lint-fault");
    let file = folder.0.join("fault.json");
    let mut broken = parsed(USUAL);
    broken["Resources"]["Client"]["Properties"]["Runtime"] = "go1.x".into();
    broken["Resources"]["Queue"]["Properties"]["Visibility"] = 1.into();
    std::fs::write(&file, broken.to_string()).unwrap();
    let output = lint(&[file]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        !output.status.success() && said.contains("go1.x") && said.contains("Visibility"),
        "{said}"
    );
}

fn program() -> std::ffi::OsString {
    std::env::var_os("TARN_CFN_LINT").unwrap_or_else(|| {
        panic!("TARN_CFN_LINT is not set: run `cargo xtask test`, or `cargo xtask moto` and name its program")
    })
}
