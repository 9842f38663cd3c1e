//! Writes the part of each integration's page that its manifest says: what is collected, settings, regions, rights.
//!
//! A page is written by hand but for what stands between the two marks.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::Value;

const FOLDER: &str = "crates/connectors/src";
const PAGES: &str = "docs/integrations";
const BEGIN: &str =
    "<!-- Written by `cargo xtask codegen` from the manifest; do not edit until the end mark. -->";
const END: &str = "<!-- End of what the manifest says. -->";

/// What a page shows of a manifest; the rest is for the program.
#[derive(Deserialize)]
struct Manifest {
    name: String,
    category: String,
    content_types: Vec<ContentType>,
    credential: Vec<Field>,
    parameters: Vec<Field>,
    regions: Vec<Region>,
    quotas: Vec<Quota>,
    permissions: Vec<String>,
    changelog: Vec<Change>,
}

#[derive(Deserialize)]
struct ContentType {
    name: String,
    title: String,
    msg_class: String,
    sensor_type: String,
    classes: Vec<String>,
    interval: String,
    history: String,
    overlap: String,
    lag: String,
    page_size: u32,
}

#[derive(Deserialize)]
struct Field {
    name: String,
    #[serde(default)]
    pooled: bool,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    values: Vec<String>,
    default: Option<Value>,
    help: String,
}

#[derive(Deserialize)]
struct Region {
    name: String,
    title: String,
    base_url: String,
}

#[derive(Deserialize)]
struct Quota {
    requests: u64,
    per: String,
}

#[derive(Deserialize)]
struct Change {
    version: String,
    text: String,
}

/// An action as its own file declares it.
#[derive(Deserialize)]
struct Action {
    name: String,
    title: Text,
    help: Text,
    effect: String,
    #[serde(default)]
    entities: Vec<String>,
    #[serde(default)]
    parameters: Vec<ActionParameter>,
    reverse: Option<String>,
    #[serde(default)]
    permissions: Vec<String>,
}

#[derive(Deserialize)]
struct ActionParameter {
    name: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    values: Vec<String>,
    default: Option<Value>,
    help: Text,
}

/// A text in the language of these pages.
#[derive(Deserialize)]
struct Text {
    en: String,
}

/// The pages of all integrations that have a manifest.
pub(crate) fn render(root: &Path) -> Result<Vec<(PathBuf, String)>> {
    let folder = root.join(FOLDER);
    let entries =
        std::fs::read_dir(&folder).with_context(|| format!("failed to list `{FOLDER}`"))?;
    let mut pages = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("in `{FOLDER}`"))?.path().join("manifest.yaml");
        if path.exists() {
            pages.push(page(root, &path)?);
        }
    }
    pages.sort();
    Ok(pages)
}

fn page(root: &Path, file: &Path) -> Result<(PathBuf, String)> {
    let read = |path: &Path| {
        std::fs::read_to_string(path)
            .with_context(|| format!("failed to read `{}`", path.display()))
    };
    let manifest: Manifest = serde_saphyr::from_str(&read(file)?)
        .with_context(|| format!("failed to read `{}`", file.display()))?;
    let declared = file.with_file_name("actions.yaml");
    let actions: Vec<Action> = if declared.exists() {
        serde_saphyr::from_str(&read(&declared)?)
            .with_context(|| format!("failed to read `{}`", declared.display()))?
    } else {
        Vec::new()
    };
    let path = Path::new(PAGES).join(format!("{}.md", manifest.name));
    let text = read(&root.join(&path))?;
    let told = text.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some(format!("{before}{BEGIN}\n{}\n{END}{after}", section(&manifest, &actions)))
    });
    let marks = || format!("`{}` needs the lines `{BEGIN}` and `{END}`", path.display());
    let text = told.with_context(marks)?;
    Ok((path, text))
}

fn section(manifest: &Manifest, actions: &[Action]) -> String {
    let mut out = String::new();
    putln!(out, "\n### Content types\n\nCategory: {}.\n", manifest.category);
    out.push_str(
        "| source | what | OCSF classes | asked for every | history | read back | behind now | page |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for content in &manifest.content_types {
        let classes: Vec<String> =
            content.classes.iter().map(|class| format!("`{class}`")).collect();
        putln!(
            out,
            "| `{}.{}` | {} | {} | {} | {} | {} | {} | {} |",
            manifest.name,
            content.name,
            content.title,
            classes.join(", "),
            content.interval,
            content.history,
            content.overlap,
            content.lag,
            content.page_size
        );
    }
    out.push_str("\nThe names that searches know them by:\n\n| source | `msg_class` | `sensor_type` |\n|---|---|---|\n");
    for content in &manifest.content_types {
        let ContentType { name, msg_class, sensor_type, .. } = content;
        putln!(out, "| `{}.{name}` | `{msg_class}` | {sensor_type} |", manifest.name);
    }
    fields(&mut out, "Credential", &manifest.credential);
    fields(&mut out, "Parameters", &manifest.parameters);
    if !manifest.regions.is_empty() {
        out.push_str("\n### Regions\n\n| name | region | base URL |\n|---|---|---|\n");
        for Region { name, title, base_url } in &manifest.regions {
            putln!(out, "| `{name}` | {title} | `{base_url}` |");
        }
    }
    list(&mut out, "Permissions", &manifest.permissions);
    if !actions.is_empty() {
        out.push_str(
            "\n### Actions\n\n| action | what it does | works on | parameters | taken back by | rights |\n\
             |---|---|---|---|---|---|\n",
        );
        actions.iter().for_each(|action| row(&mut out, &manifest.name, action));
    }
    let quota = |quota: &Quota| format!("{} requests in {}", quota.requests, quota.per);
    list(&mut out, "Quota for each key", &manifest.quotas.iter().map(quota).collect::<Vec<_>>());
    let change = |change: &Change| format!("{}: {}", change.version, change.text);
    list(&mut out, "Changes", &manifest.changelog.iter().map(change).collect::<Vec<_>>());
    out
}

fn row(out: &mut String, integration: &str, action: &Action) {
    let quoted = |names: &[String]| {
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    let parameter = |parameter: &ActionParameter| {
        let given = match (&parameter.default, parameter.required) {
            (Some(default), _) => {
                let text = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
                format!(" (`{text}`)")
            }
            (None, true) => " (required)".to_owned(),
            (None, false) => String::new(),
        };
        let values = match parameter.values.is_empty() {
            true => String::new(),
            false => format!(" One of {}.", quoted(&parameter.values)),
        };
        let help = parameter.help.en.trim().replace('|', "\\|");
        format!("`{}`{given}: {help}{values}", parameter.name)
    };
    let parameters: Vec<_> = action.parameters.iter().map(parameter).collect();
    putln!(
        out,
        "| `{integration}.{}` | **{}** ({}). {} | {} | {} | {} | {} |",
        action.name,
        action.title.en,
        action.effect,
        action.help.en.trim().replace('|', "\\|"),
        quoted(&action.entities),
        parameters.join("<br>"),
        action.reverse.as_ref().map_or_else(String::new, |name| format!("`{integration}.{name}`")),
        action.permissions.join(", ")
    );
}

fn fields(out: &mut String, title: &str, fields: &[Field]) {
    if fields.is_empty() {
        return;
    }
    put!(out, "\n### {title}\n\n| name | default | what it is |\n|---|---|---|\n");
    for field in fields {
        let default = match (&field.default, field.required) {
            (Some(Value::Array(_)), _) => "all".to_owned(),
            (Some(Value::String(text)), _) => format!("`{text}`"),
            (Some(value), _) => format!("`{value}`"),
            (None, true) => "required".to_owned(),
            (None, false) => String::new(),
        };
        let mut help = field.help.trim().replace('|', "\\|");
        if !field.values.is_empty() {
            let values: Vec<String> =
                field.values.iter().map(|value| format!("`{value}`")).collect();
            let choice = if matches!(field.default, Some(Value::Array(_))) { "Any" } else { "One" };
            put!(help, " {choice} of {}.", values.join(", "));
        }
        if field.pooled {
            help.push_str(" Several may be given and share the work.");
        }
        putln!(out, "| `{}` | {default} | {help} |", field.name);
    }
}

fn list(out: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    put!(out, "\n### {title}\n\n");
    for line in lines {
        putln!(out, "- {}", line.trim());
    }
}
