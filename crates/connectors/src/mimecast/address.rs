//! The base URL as people write it: a gateway's name, with or without scheme, slash and path.

use model::connector::{Region, SettingsError};
use url::{Host, Url};

const SETTING: &str = "parameters.base_url";
/// Paths that are pasted along with the host; the client adds its own.
const PASTED_PATHS: [&str; 3] = ["/oauth/token", "/oauth", "/api"];
/// How the hosts of API 1.0 end; they do not know the credentials of API 2.0.
const OLD_HOSTS: &str = "-api.mimecast.com";

/// The base URL that a text means, without a trailing slash in its path.
pub(super) fn base_url(text: &str, regions: &[Region]) -> Result<Url, SettingsError> {
    let text = text.trim();
    let named = regions.iter().find(|region| region.name.eq_ignore_ascii_case(text));
    let written = named.map_or(text, |region| region.base_url.as_str());
    let complete =
        if written.contains("://") { written.to_owned() } else { format!("https://{written}") };
    let mut url = Url::parse(&complete)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .filter(|url| url.host_str().is_some_and(|host| named.is_some() || is_host(host)))
        .ok_or_else(|| refused("is neither a URL nor a gateway", regions))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("carries a user name", regions));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("carries a query", regions));
    }
    if url.host_str().is_some_and(|host| host.ends_with(OLD_HOSTS)) {
        return Err(refused("is a host of API 1.0", regions));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    let pasted = PASTED_PATHS.iter().find_map(|pasted| path.strip_suffix(pasted));
    url.set_path(pasted.unwrap_or(&path));
    Ok(url)
}

/// Whether a URL leads to this machine, as those of simulators do.
pub(super) fn is_own_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The URL of a path below the base.
pub(super) fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

/// Whether a text can be a host rather than a mistyped gateway: it has a dot, or is the own machine.
fn is_host(host: &str) -> bool {
    host.contains(['.', ':']) || host == "localhost"
}

fn refused(problem: &str, regions: &[Region]) -> SettingsError {
    let names: Vec<_> = regions.iter().map(|region| region.name.as_str()).collect();
    let remedy = format!(
        "write https://api.services.mimecast.com, or one of {}, or leave it out",
        names.join(", ")
    );
    SettingsError::new(SETTING, problem, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Result<String, String> {
        let region = Region {
            name: "uk".to_owned(),
            title: String::new(),
            base_url: "https://uk.gate.example".to_owned(),
        };
        base_url(text, &[region]).map(String::from).map_err(|error| error.problem)
    }

    #[test]
    fn scheme_slash_and_pasted_path_do_not_matter() {
        for text in [
            "https://api.gate.example",
            "api.gate.example/",
            " https://API.gate.example:443/oauth/token/ ",
        ] {
            assert_eq!(base(text).unwrap(), "https://api.gate.example/", "{text}");
        }
        assert_eq!(base("UK").unwrap(), "https://uk.gate.example/");
        let behind = Url::parse(&base("http://127.0.0.1:9001/gate/").unwrap()).unwrap();
        assert_eq!(
            below(&behind, "/oauth/token").as_str(),
            "http://127.0.0.1:9001/gate/oauth/token"
        );
    }

    #[test]
    fn hosts_of_the_old_api_are_told() {
        assert_eq!(base("https://eu-api.mimecast.com").unwrap_err(), "is a host of API 1.0");
        assert!(base("https://uk-api.services.mimecast.com").is_ok());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "mars",
            "ftp://a.example",
            "https://",
            "https://u:p@a.example",
            "https://a.example?x",
        ] {
            assert!(base(text).is_err(), "{text}");
        }
    }
}
