//! The CloudTrail client as Lambda runs it: a binary called `bootstrap` in a zip, one for each architecture.
//!
//! The runtime `provided.al2023` has the C library 2.34, which is older than most machines' own, so zig links against
//! that version. A test reads what the binary needs (`forwarder/tests/it/bootstrap.rs`).
//!
//! It takes as long as all other builds of a test run together, so a test run has the client as cargo builds it, unless
//! it is told where this one lies.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::python;
use crate::workspace::{Workspace, succeed, variable};

/// Variable that tells tests where the binary lies.
const VARIABLE: &str = "TARN_FORWARDER_BOOTSTRAP";

/// Every package with its version and the digests of its files.
const REQUIREMENTS: &str = "tools/forwarder-requirements.txt";
/// Packs a binary.
const ZIP: &str = "tools/bootstrap-zip.py";
/// Cargo's profile, without what only a debugger reads.
const PROFILE: &str = "bootstrap";
/// The C library of the runtime.
const GLIBC: &str = "2.34";

/// Lambda's name of an architecture, and the compiler's of its target.
const ARCHITECTURES: &[(&str, &str)] =
    &[("x86_64", "x86_64-unknown-linux-gnu"), ("arm64", "aarch64-unknown-linux-gnu")];

/// Builds the zips of all architectures that the toolchain has the standard library of.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    for (architecture, target) in ARCHITECTURES {
        if has_standard_library(workspace, target)? {
            build(workspace, architecture, target)?;
        } else {
            println!(
                "--- no zip for {architecture}: the toolchain lacks its standard library; \
                 `rustup target add {target}` brings it"
            );
        }
    }
    Ok(())
}

fn build(workspace: &Workspace, architecture: &str, target: &str) -> Result<()> {
    let tools = python::ensure(workspace, "zig", REQUIREMENTS, &["cargo-zigbuild", "python"])?;
    let versioned = format!("{target}.{GLIBC}");
    let mut cargo = workspace.cargo(&["zigbuild", "--profile", PROFILE, "--package", "forwarder"]);
    cargo.args(["--bin", "forwarder", "--target", &versioned]);
    cargo.env("PATH", with_tools(&tools)?);
    cargo.env("CARGO_ZIGBUILD_PYTHON_PATH", tools.join("python"));
    succeed(&mut cargo).with_context(|| format!("failed to build for {architecture}"))?;
    let built = workspace.target.join(target).join(PROFILE).join("forwarder");
    let place = workspace.target.join("forwarder").join(env!("CARGO_PKG_VERSION"));
    let place = place.join(architecture);
    std::fs::create_dir_all(&place)
        .with_context(|| format!("failed to create `{}`", place.display()))?;
    let (binary, zip) = (place.join("bootstrap"), place.join("bootstrap.zip"));
    std::fs::copy(&built, &binary)
        .with_context(|| format!("failed to copy `{}`", built.display()))?;
    let mut pack = workspace.command(tools.join("python"));
    succeed(pack.arg(workspace.root.join(ZIP)).arg(&binary).arg(&zip))?;
    println!("{architecture}: `{}`", zip.display());
    let again = "cargo nextest run --workspace -E package(forwarder)";
    println!("its tests: `{VARIABLE}={} {again}`", binary.display());
    Ok(())
}

/// Cargo finds its subcommand by the path.
fn with_tools(tools: &Path) -> Result<std::ffi::OsString> {
    let path = variable("PATH").unwrap_or_default();
    let all = [tools.to_path_buf()].into_iter().chain(std::env::split_paths(&path));
    std::env::join_paths(all).context("failed to put the tools first")
}

fn has_standard_library(workspace: &Workspace, target: &str) -> Result<bool> {
    let mut rustc: Command = workspace.command("rustc");
    let output = rustc.args(["--print", "target-libdir", "--target", target]).output();
    let output = output.context("failed to ask rustc where its libraries lie")?;
    let folder = String::from_utf8_lossy(&output.stdout);
    Ok(output.status.success() && Path::new(folder.trim()).is_dir())
}
