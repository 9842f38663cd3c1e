//! The base URL as people write it: a region's name, with or without scheme, slash and API path.

use model::connector::{Region, SettingsError};
use url::{Host, Url};

const SETTING: &str = "parameters.base_url";
/// The path that is pasted along with the host; the client adds its own.
const PASTED_PATH: &str = "/v3.0";
/// Where the vendor runs its service, whatever the region.
const VENDOR_DOMAINS: [&str; 2] = ["xdr.trendmicro.com", "xdr.trendmicro.co.jp"];

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
        .ok_or_else(|| refused("is neither a URL nor a region", regions))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("carries a user name", regions));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("carries a query", regions));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(path.strip_suffix(PASTED_PATH).unwrap_or(&path));
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

/// Whether a URL leads to the vendor itself, not to something that stands in for it.
pub(super) fn is_vendor(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    VENDOR_DOMAINS.iter().any(|domain| host.ends_with(domain))
}

/// Whether a text can be a host rather than a mistyped region: it has a dot, or is the own machine.
fn is_host(host: &str) -> bool {
    host.contains(['.', ':']) || host == "localhost"
}

fn refused(problem: &str, regions: &[Region]) -> SettingsError {
    let names: Vec<_> = regions.iter().map(|region| region.name.as_str()).collect();
    let remedy = format!(
        "write the regional host, such as https://api.eu.xdr.trendmicro.com, or one of {}",
        names.join(", ")
    );
    SettingsError::new(SETTING, problem, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Option<String> {
        let region = |name: &str, url: &str| Region {
            name: name.to_owned(),
            title: String::new(),
            base_url: url.to_owned(),
        };
        let regions = [region("eu", "https://eu.xdr.example"), region("lab", "http://lab:9001/")];
        base_url(text, &regions).ok().map(String::from)
    }

    #[test]
    fn scheme_slash_and_pasted_path_do_not_matter() {
        for text in [
            "https://api.xdr.example",
            "https://api.xdr.example/",
            "api.xdr.example",
            " api.xdr.example// ",
            "https://api.xdr.example/v3.0/",
        ] {
            assert_eq!(base(text).unwrap(), "https://api.xdr.example/", "{text}");
        }
        assert_eq!(base("http://127.0.0.1:9001/gate/").unwrap(), "http://127.0.0.1:9001/gate");
    }

    #[test]
    fn regions_are_known_by_name() {
        assert_eq!(base("EU").unwrap(), "https://eu.xdr.example/");
        assert_eq!(base("lab").unwrap(), "http://lab:9001/");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "mars", "ftp://a.example", "https://u:p@a.example", "a.example/?a=1"] {
            assert_eq!(base(text), None, "{text}");
        }
    }

    #[test]
    fn the_vendors_hosts_are_told_from_others() {
        let is = |text: &str| is_vendor(&Url::parse(text).unwrap());
        assert!(is("https://api.xdr.trendmicro.com") && is("https://api.xdr.trendmicro.co.jp"));
        assert!(is("https://api.eu.xdr.trendmicro.com"));
        assert!(!is("http://127.0.0.1:9001") && !is("https://gate.corp.example"));
    }
}
