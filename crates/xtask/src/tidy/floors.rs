//! Crates name only what lies below them, and each heavy thing stays behind one crate's wall.

use super::tree::Tree;

/// Our crates and those that each may name; development dependencies may add the simulators.
const FLOORS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("query", &["model"]),
    ("detect", &["model", "query"]),
    ("connectors", &["model", "query"]),
    ("lake", &["model", "query"]),
    ("catalog", &["model", "query"]),
    ("engine", &["model", "query", "detect", "connectors", "catalog"]),
    ("api", &["model", "query", "engine"]),
    (
        "tarn",
        &[
            "model",
            "query",
            "detect",
            "connectors",
            "lake",
            "catalog",
            "engine",
            "api",
            "simulators",
        ],
    ),
    ("simulators", &[]),
    ("forwarder", &["model", "connectors"]),
    ("xtask", &[]),
    (
        "bench",
        &[
            "model",
            "query",
            "detect",
            "connectors",
            "lake",
            "catalog",
            "engine",
            "api",
            "simulators",
        ],
    ),
];

/// What tests alone may name besides, to wire an app as the binary does.
const FLOORS_IN_TESTS: &[(&str, &str)] = &[("api", "catalog"), ("api", "connectors")];

/// Names of libraries, by their first word, and the only crates that may name them.
const WALLS: &[(&str, &[&str])] = &[
    ("datafusion", &["lake"]),
    ("deltalake", &["lake"]),
    ("arrow", &["lake", "bench"]),
    ("parquet", &["lake", "bench"]),
    ("object_store", &["lake"]),
    ("sqlx", &["catalog"]),
    ("reqwest", &["connectors", "tarn", "forwarder"]),
    ("axum", &["api", "simulators", "bench"]),
    ("vrl", &["connectors"]),
    ("clap", &["tarn", "forwarder", "xtask", "bench"]),
    ("anyhow", &["tarn", "xtask", "bench"]),
];

/// What tests alone may name besides: fake servers.
const WALLS_IN_TESTS: &[(&str, &[&str])] =
    &[("axum", &["connectors", "tarn", "forwarder"]), ("reqwest", &["api", "simulators"])];

pub(crate) fn check(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for file in &tree.files {
        let Some(name) = crate_name(&file.path) else { continue };
        let Some((_, below)) = FLOORS.iter().find(|(floor, _)| *floor == name) else {
            faults.push(format!("{}: `{name}` has no floor in the rule", file.path));
            continue;
        };
        for dependency in dependencies(&file.text) {
            if let Some(reason) = refusal(name, below, &dependency) {
                faults.push(format!("{}: {reason}", file.path));
            }
        }
    }
    faults
}

/// The crate of a manifest: those under `crates/`, and the benchmarks beside them.
fn crate_name(path: &str) -> Option<&str> {
    let name = path.strip_prefix("crates/").unwrap_or(path).strip_suffix("/Cargo.toml")?;
    (!name.contains('/')).then_some(name)
}

#[derive(Debug, PartialEq, Eq)]
struct Dependency {
    name: String,
    for_tests: bool,
}

fn refusal(name: &str, below: &[&str], dependency: &Dependency) -> Option<String> {
    let wanted = dependency.name.as_str();
    if FLOORS.iter().any(|(floor, _)| *floor == wanted) {
        let wired_in_tests = FLOORS_IN_TESTS.contains(&(name, wanted));
        let in_tests =
            dependency.for_tests && (wanted == "simulators" || wanted == name || wired_in_tests);
        let may = below.contains(&wanted) || in_tests;
        return (!may)
            .then(|| format!("`{name}` may not name `{wanted}`, which is no floor below it"));
    }
    let first = wanted.split(['-', '_']).next().unwrap_or(wanted);
    let allows = |walls: &[(&str, &[&str])]| {
        let wall = walls.iter().find(|(wall, _)| *wall == wanted || *wall == first);
        wall.map(|(_, owners)| owners.contains(&name))
    };
    let in_tests = dependency.for_tests && allows(WALLS_IN_TESTS) == Some(true);
    (allows(WALLS) == Some(false) && !in_tests)
        .then(|| format!("`{name}` may not name `{wanted}`, which stays behind another crate"))
}

/// The names in the tables of dependencies of a manifest.
fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut table = String::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            table = header.trim_end_matches(']').to_owned();
            let (tables, name) = table.rsplit_once('.').unwrap_or(("", ""));
            if tables.ends_with("dependencies") {
                found.push(dependency(name, tables));
            }
            continue;
        }
        if !table.ends_with("dependencies") || line.starts_with('#') {
            continue;
        }
        if let Some((key, value)) = line.split_once('=') {
            let name = key.split('.').next().unwrap_or(key);
            found.push(dependency(renamed(value).unwrap_or(name), &table));
        }
    }
    found
}

fn dependency(name: &str, table: &str) -> Dependency {
    let name = name.trim().trim_matches('"').to_owned();
    Dependency { name, for_tests: table.ends_with("dev-dependencies") }
}

/// The library's own name in `alias = { package = "name" }`.
fn renamed(value: &str) -> Option<&str> {
    value.split_once("package")?.1.split('"').nth(1)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    fn faults(name: &str, manifest: &str) -> usize {
        check(&Tree::of(&[(&format!("crates/{name}/Cargo.toml"), manifest)])).len()
    }

    #[test]
    fn arrows_go_down_only() {
        assert_eq!(faults("query", "[dependencies]\nmodel.workspace = true\n"), 0);
        assert_eq!(faults("model", "[dependencies]\nquery.workspace = true\n"), 1);
        assert_eq!(
            faults("lake", "[dependencies]\nconnectors = { path = \"../connectors\" }\n"),
            1
        );
        assert_eq!(faults("engine", "[dev-dependencies]\nlake.workspace = true\n"), 1);
        assert_eq!(faults("connectors", "[dev-dependencies]\nsimulators.workspace = true\n"), 0);
        assert_eq!(faults("connectors", "[dependencies]\nsimulators.workspace = true\n"), 1);
        assert_eq!(faults("attic", ""), 1);
    }

    #[test]
    fn benchmarks_may_name_our_crates_and_nobody_may_name_them() {
        let manifest = "[dependencies]\nlake.workspace = true\nparquet.workspace = true\n";
        assert_eq!(check(&Tree::of(&[("bench/Cargo.toml", manifest)])).len(), 0);
        let manifest = "[dependencies]\ndatafusion.workspace = true\n";
        assert_eq!(check(&Tree::of(&[("bench/Cargo.toml", manifest)])).len(), 1);
        assert_eq!(faults("tarn", "[dev-dependencies]\nbench.workspace = true\n"), 1);
    }

    #[test]
    fn heavy_things_stay_behind_their_wall() {
        assert_eq!(faults("lake", "[dependencies]\ndatafusion = \"55\"\n"), 0);
        assert_eq!(faults("engine", "[dependencies]\narrow-array = \"59\"\n"), 1);
        assert_eq!(faults("engine", "[dependencies.reqwest]\nversion = \"0.13\"\n"), 1);
        assert_eq!(faults("api", "[target.'cfg(unix)'.dependencies]\nsqlx.workspace = true\n"), 1);
        assert_eq!(faults("query", "[dependencies]\nhttp = { package = \"reqwest\" }\n"), 1);
        assert_eq!(faults("connectors", "[dev-dependencies]\naxum.workspace = true\n"), 0);
    }
}
