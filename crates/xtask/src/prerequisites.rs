//! What must be on the machine before anything builds: a C compiler, Python with `venv`, rustfmt, clippy.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::workspace::{succeed, works};

/// Something that is needed, how to see that it is there, and the Debian packages that bring it.
struct Need {
    what: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    packages: &'static [&'static str],
}

const NEEDS: &[Need] = &[
    Need {
        what: "a C compiler",
        program: "cc",
        arguments: &["--version"],
        packages: &["gcc", "libc6-dev"],
    },
    Need { what: "make", program: "make", arguments: &["--version"], packages: &["make"] },
    Need {
        what: "Python 3",
        program: "python3",
        arguments: &["--version"],
        packages: &["python3"],
    },
    Need {
        what: "Python's venv module",
        program: "python3",
        arguments: &["-c", "import venv, ensurepip"],
        packages: &["python3-venv"],
    },
];

/// Components of the Rust toolchain that the checks use.
const COMPONENTS: &[(&str, &str)] = &[("fmt", "rustfmt"), ("clippy", "clippy")];

/// Makes sure that all is there; installs what is missing when it may, else says what to install.
pub(crate) fn ensure() -> Result<()> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !is_met(need)).collect();
    if !missing.is_empty() {
        install_packages(&missing)?;
        if let Some(need) = missing.into_iter().find(|need| !is_met(need)) {
            bail!("{} is still missing after the installation of its packages", need.what);
        }
    }
    for (subcommand, component) in COMPONENTS {
        if !works("cargo", &[subcommand, "--version"]) {
            succeed(Command::new("rustup").args(["component", "add", component])).with_context(
                || format!("`{component}` is missing: run `rustup component add {component}`"),
            )?;
        }
    }
    Ok(())
}

fn is_met(need: &Need) -> bool {
    works(need.program, need.arguments)
}

fn install_packages(missing: &[&Need]) -> Result<()> {
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages).copied().collect();
    let what: Vec<&str> = missing.iter().map(|need| need.what).collect();
    let (what, listed) = (what.join(", "), packages.join(" "));
    if !is_root() || !works("apt-get", &["--version"]) {
        bail!("missing: {what}; install these packages (names of Debian): {listed}");
    }
    println!("missing: {what}; installing {listed}");
    let apt = |arguments: &[&str]| {
        succeed(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update", "--quiet"])?;
    let mut install = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
    install.extend(&packages);
    apt(&install).with_context(|| format!("failed to install {listed}"))
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
