//! The way out through a proxy: reqwest's own support, with our setting's words.

use model::connector::Proxy;
use url::Url;

use super::ClientError;

/// A proxy's address as people write it, as a URL; the scheme may be left out.
///
/// # Errors
/// What is wrong with it, as the end of a sentence that begins with its name.
pub fn proxy_address(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let complete = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&complete)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
        .ok_or("is no URL of a proxy")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("carries a user name, which has a place of its own");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// reqwest's proxy for a setting.
///
/// # Errors
/// The address is no URL.
pub(super) fn way_out(proxy: &Proxy) -> Result<reqwest::Proxy, ClientError> {
    let way = reqwest::Proxy::all(&proxy.address).map_err(ClientError)?;
    Ok(match &proxy.login {
        Some(login) => way.basic_auth(&login.user, login.password.expose()),
        None => way,
    })
}
