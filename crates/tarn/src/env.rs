//! Every environment variable that Tarn reads, declared once with its meaning.
//!
//! Nothing else reads the environment; the reference page lists what stands here, and a test
//! compares the two.

use model::action::Locale;
use model::secret::Secret;

/// A variable and what it does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: &'static str,
    /// The flag or configuration key that it stands for.
    pub(crate) stands_for: &'static str,
    /// What it does.
    pub(crate) help: &'static str,
}

/// URL of the server that commands talk to.
pub(crate) const SERVER: Variable = Variable {
    name: "TARN_SERVER",
    stands_for: "`--server`",
    help: "URL of the server that commands talk to instead of a data directory.",
};
/// Token for the server.
pub(crate) const TOKEN: Variable = Variable {
    name: "TARN_TOKEN",
    stands_for: "`--token`",
    help: "Access token for the server. Better than the flag, which other users can see.",
};
/// Tenant of every command.
pub(crate) const TENANT: Variable = Variable {
    name: "TARN_TENANT",
    stands_for: "`--tenant`",
    help: "Tenant that commands act in; `default` when nothing is said.",
};
/// Configuration file.
pub(crate) const CONFIG: Variable = Variable {
    name: "TARN_CONFIG",
    stands_for: "`--config`",
    help: "Configuration file, in YAML.",
};
/// Listening address.
pub(crate) const LISTEN: Variable = Variable {
    name: "TARN_LISTEN",
    stands_for: "`listen`",
    help: "Address and port that `serve` and `demo` listen on.",
};
/// Where others reach the server.
pub(crate) const PUBLIC_URL: Variable = Variable {
    name: "TARN_PUBLIC_URL",
    stands_for: "`public_url`",
    help: "URL at which others reach the server; it stands in the links of stacks.",
};
/// Data directory.
pub(crate) const DATA_DIR: Variable = Variable {
    name: "TARN_DATA_DIR",
    stands_for: "`data_dir`",
    help: "Directory of the catalog, the master key and, unless it is set apart, the lake.",
};
/// Lake directory.
pub(crate) const LAKE: Variable = Variable {
    name: "TARN_LAKE",
    stands_for: "`lake`",
    help: "Directory of the lake; several data directories may share one.",
};
/// The language of messages.
pub(crate) const LOCALE: Variable = Variable {
    name: "TARN_LOCALE",
    stands_for: "`--locale`",
    help: "Language of an action's messages: `en` or `ja`.",
};
/// Log filter.
pub(crate) const LOG: Variable = Variable {
    name: "TARN_LOG",
    stands_for: "`log`",
    help: "What is logged to stderr: a level, or directives such as `info,engine=debug`.",
};
/// Log format.
pub(crate) const LOG_FORMAT: Variable = Variable {
    name: "TARN_LOG_FORMAT",
    stands_for: "`log_format`",
    help: "`text`, or `json` for one object per line.",
};
/// Regions beside the manifests'.
pub(crate) const REGIONS: Variable = Variable {
    name: "TARN_REGIONS",
    stands_for: "`regions`",
    help: "The same mapping as in the configuration file, as YAML or JSON on one line.",
};
/// Where responders may send to.
pub(crate) const EGRESS_ALLOW: Variable = Variable {
    name: "TARN_EGRESS_ALLOW",
    stands_for: "`egress.allow`",
    help: "Networks, addresses and hosts that responders may send to beside the public network, separated by commas.",
};
/// Templates of responders.
pub(crate) const TEMPLATES: Variable = Variable {
    name: "TARN_TEMPLATES",
    stands_for: "`templates`",
    help: "Directory of templates of responders beside the built-in ones.",
};
/// The master key.
pub(crate) const MASTER_KEY: Variable = Variable {
    name: "TARN_MASTER_KEY",
    stands_for: "nothing",
    help: "The key that stored secrets are encrypted with: 32 bytes in base64 or hex. Without it the \
           file `master.key` of the data directory is used, and made once.",
};

/// All of them, in the order of the reference page.
#[cfg(test)]
const ALL: [Variable; 15] = [
    SERVER,
    TOKEN,
    TENANT,
    CONFIG,
    LISTEN,
    PUBLIC_URL,
    DATA_DIR,
    LAKE,
    LOCALE,
    LOG,
    LOG_FORMAT,
    REGIONS,
    EGRESS_ALLOW,
    TEMPLATES,
    MASTER_KEY,
];

/// What a variable is set to; `None` when it is not set or empty.
pub(crate) fn read(variable: Variable) -> Option<String> {
    look_up(variable.name)
}

/// The language that the environment asks for.
pub(crate) fn locale() -> Option<Locale> {
    read(LOCALE).and_then(|text| Locale::of_tag(&text))
}

/// As [`read`], for a variable that holds a secret.
pub(crate) fn read_secret(variable: Variable) -> Option<Secret> {
    read(variable).map(Secret::new)
}

/// What a variable that a person named is set to: `env:NAME` in a connector's document.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn look_up(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_page_lists_every_variable_as_declared() {
        let page = include_str!("../../../docs/reference/configuration.md");
        for variable in ALL {
            let Variable { name, stands_for, help } = variable;
            let line = format!("| `{name}` | {stands_for} | {help} |");
            assert!(page.contains(&line), "the page lacks this line:\n{line}");
        }
        let listed = page.lines().filter(|line| line.starts_with("| `TARN_")).count();
        assert_eq!(listed, ALL.len());
    }
}
