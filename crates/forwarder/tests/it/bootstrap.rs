//! The binary that is shipped runs on `provided.al2023`, whose C library is 2.34 (AWS Lambda, "Lambda runtimes").
//!
//! `cargo xtask forwarder` builds it and says how to run these tests on it. A binary that was built for this machine only is none to ship: without that
//! variable the rule is tried on a made-up list alone.

use object::read::elf::{ElfFile64, FileHeader as _};
use object::{Endianness, elf};

const NEWEST: (u32, u32) = (2, 34);

/// Versions of the C library that a program needs.
fn needed(program: &[u8]) -> Vec<String> {
    let header = elf::FileHeader64::<Endianness>::parse(program).unwrap();
    let endian = header.endian().unwrap();
    let sections = header.sections(endian, program).unwrap();
    let Some((mut needs, link)) = sections.gnu_verneed(endian, program).unwrap() else {
        return Vec::new();
    };
    let strings = sections.strings(endian, program, link).unwrap();
    let mut versions = Vec::new();
    while let Some((_, mut auxiliaries)) = needs.next().unwrap() {
        while let Some(auxiliary) = auxiliaries.next().unwrap() {
            let name = auxiliary.name(endian, strings).unwrap();
            versions.push(String::from_utf8_lossy(name).into_owned());
        }
    }
    versions
}

/// Those that are too new.
fn too_new(versions: &[String]) -> Vec<&str> {
    let is_too_new = |version: &&str| {
        let Some(number) = version.strip_prefix("GLIBC_") else { return false };
        let mut parts = number.split('.').map(str::parse);
        match (parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => (major, minor) > NEWEST,
            // GLIBC_PRIVATE and whatever else has no number promises nothing.
            _ => true,
        }
    };
    versions.iter().map(String::as_str).filter(is_too_new).collect()
}

#[test]
fn versions_are_compared_as_numbers() {
    let versions =
        ["GLIBC_2.2.5", "GLIBC_2.34", "GLIBC_2.35", "GCC_3.0", "GLIBC_3.1", "GLIBC_PRIVATE"];
    let versions = versions.map(str::to_owned);
    assert_eq!(too_new(&versions), ["GLIBC_2.35", "GLIBC_3.1", "GLIBC_PRIVATE"]);
}

#[test]
fn the_shipped_binary_needs_no_newer_c_library_than_the_runtime_has() {
    let path = std::env::var_os("TARN_FORWARDER_BOOTSTRAP")
        .unwrap_or_else(|| env!("CARGO_BIN_EXE_forwarder").into());
    let program = std::fs::read(&path).unwrap();
    assert!(ElfFile64::<Endianness>::parse(&*program).is_ok());
    let versions = needed(&program);
    assert!(versions.iter().any(|version| version.starts_with("GLIBC_")), "{versions:?}");
    if std::env::var_os("TARN_FORWARDER_BOOTSTRAP").is_some() {
        assert_eq!(too_new(&versions), [""; 0], "of {}", path.display());
    }
}
