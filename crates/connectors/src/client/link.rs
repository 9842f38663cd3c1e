//! Next links: a vendor's own "go on here", checked before the key is sent there.
//!
//! A link must lead to the configured scheme, host and port. Everything else is foreign, whoever
//! wrote it into the answer.

use url::Url;

/// A link that leads away from the configured base.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("next link leads to `{found}` instead of `{expected}`")]
pub struct ForeignLink {
    /// Where it leads, without path and query.
    pub found: String,
    /// Where it may lead.
    pub expected: String,
}

/// The URL of a next link as it was served. A missing scheme is completed from the base; a path
/// alone stays on the base's host.
///
/// # Errors
/// The link leads to another scheme, host or port, carries a user name, or is no URL.
pub fn resolve(base: &Url, link: &str) -> Result<Url, ForeignLink> {
    let link = link.trim();
    let foreign = |found: String| ForeignLink { found, expected: origin(base) };
    let url = complete(base, link).ok_or_else(|| foreign("no URL".to_owned()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(foreign("a URL with a user name".to_owned()));
    }
    let is_same = url.scheme() == base.scheme()
        && url.host_str().is_some()
        && url.host_str() == base.host_str()
        && url.port_or_known_default() == base.port_or_known_default();
    if is_same { Ok(url) } else { Err(foreign(origin(&url))) }
}

fn complete(base: &Url, link: &str) -> Option<Url> {
    if link.is_empty() {
        return None;
    }
    if link.starts_with("//") {
        return Url::parse(&format!("{}:{link}", base.scheme())).ok();
    }
    if link.starts_with('/') {
        return base.join(link).ok();
    }
    if has_scheme(link) {
        return Url::parse(link).ok();
    }
    Url::parse(&format!("{}://{link}", base.scheme())).ok()
}

/// Whether the text begins with `word://`; `host:9001/path` does not.
fn has_scheme(link: &str) -> bool {
    link.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// Scheme, host and port of a URL, for people.
pub fn origin(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(link: &str) -> Result<String, String> {
        let base = Url::parse("https://api.cas.example/").unwrap();
        resolve(&base, link).map(String::from).map_err(|error| error.found)
    }

    #[test]
    fn links_of_the_same_host_are_taken_as_they_are() {
        let link = "https://api.cas.example/v1/x?a=1&skiptoken=WzE3XQ==";
        assert_eq!(resolved(link).as_deref(), Ok(link));
        assert_eq!(
            resolved("https://API.cas.example:443/v1").unwrap(),
            "https://api.cas.example/v1"
        );
    }

    #[test]
    fn a_missing_scheme_is_completed() {
        assert_eq!(
            resolved("api.cas.example/v1?u=http://a.b").unwrap(),
            "https://api.cas.example/v1?u=http://a.b"
        );
        assert_eq!(resolved("//api.cas.example/v1").unwrap(), "https://api.cas.example/v1");
        assert_eq!(resolved("/v1?a=1").unwrap(), "https://api.cas.example/v1?a=1");
        let base = Url::parse("http://127.0.0.1:9001").unwrap();
        assert_eq!(
            resolve(&base, "127.0.0.1:9001/v1").unwrap().as_str(),
            "http://127.0.0.1:9001/v1"
        );
        assert!(resolve(&base, "127.0.0.1:9002/v1").is_err());
    }

    #[test]
    fn other_schemes_hosts_ports_and_user_names_are_foreign() {
        for link in [
            "http://api.cas.example/v1",
            "https://api.cas.example:8443/v1",
            "https://evil.example/v1?next=https://api.cas.example/",
            "https://api.cas.example.evil.example/v1",
            "https://api.cas.example@evil.example/v1",
            "https://user@api.cas.example/v1",
            "evil.example/api.cas.example",
            "//evil.example/v1",
            "/\\evil.example/v1",
            "ftp://api.cas.example/v1",
            "javascript:alert(1)",
            "",
            "null",
        ] {
            assert!(resolved(link).is_err(), "{link}");
        }
    }
}
