//! Records about links: HTTP Activity. A link was clicked through the gateway, or the gateway looked at it while the
//! message came in; the class has no id for either, so the activity is Other with the vendor's word.

use std::borrow::Cow;

use model::ocsf::objects::{Actor, HttpRequest, NetworkEndpoint, Url, User};
use model::ocsf::values::{http_activity, observable_type, url_category};
use model::ocsf::{Event, format};

use super::addresses::Addresses;
use super::fields::Fields;
use super::mail::endpoint;
use super::normalise::{Common, Observables, event};
use super::words::{self, Type};

/// What a blocked click is called: events of such clicks do not say how they came about.
const CLICK: &str = "User Click";
/// Who clicked, or would have.
const PERSON: &[&str] = &["userEmailAddress", "recipients", "recipient"];

/// Whether the class's demand can be met: a link.
pub(super) fn fits(fields: &Fields<'_>) -> bool {
    fields.peek("url").is_some()
}

/// The event of a record that [`fits`].
pub(super) fn event<'a>(mut fields: Fields<'a>, mut common: Common<'a>) -> Event<'a> {
    let link = fields.text("url").unwrap_or_default();
    common.observables.add(
        "http_request.url.url_string",
        observable_type::URL_STRING,
        link.clone(),
    );
    let mut url = taken_apart(link);
    if let Some(word) = fields.text("urlCategory").or_else(|| fields.text("category")) {
        let id = words::category(&word);
        if id != url_category::OTHER {
            // OCSF's own words replace the vendor's, which stay.
            fields.keep("urlCategory");
            fields.keep("category");
        } else {
            url.categories.push(word);
        }
        url.category_ids.push(id);
    }
    if let Some(host) = &url.hostname {
        common.observables.add(
            "http_request.url.hostname",
            observable_type::HOSTNAME,
            host.clone(),
        );
    }
    let target = url.hostname.clone().map(|host| {
        let ip = format::is_ip(&host).then(|| host.clone());
        NetworkEndpoint { hostname: Some(host), ip, port: url.port, ..NetworkEndpoint::default() }
    });
    let clicker = person(&mut fields, &mut common.observables);
    let source = endpoint(&mut fields, &["sourceIp"], None);
    if let Some(ip) = source.as_ref().and_then(|side| side.ip.clone()) {
        common.observables.add("src_endpoint.ip", observable_type::IP_ADDRESS, ip);
    }
    let request =
        HttpRequest { url: Some(url), uid: common.processing.take(), ..HttpRequest::default() };
    let is_click = common.event == Type::UrlProtect;
    let name = fields.text("creationMethod").or(is_click.then_some(Cow::Borrowed(CLICK)));
    let activity_id = if name.is_some() { http_activity::OTHER } else { http_activity::UNKNOWN };
    event!(HttpActivity, fields, common, {
        activity_id: Some(activity_id),
        activity_name: name,
        http_request: Some(request.into()),
        src_endpoint: source.map(Into::into),
        dst_endpoint: target.map(Into::into),
        actor: clicker,
    })
}

/// Who clicked.
fn person<'a>(fields: &mut Fields<'a>, observables: &mut Observables<'a>) -> Option<Actor<'a>> {
    let found = Addresses::take(fields, PERSON);
    let address = found.plain.first().cloned();
    // Further addresses have no place beside the first.
    if found.plain.len() + found.other.len() > 1 {
        PERSON.iter().for_each(|name| fields.keep(name));
    }
    let name = address.clone().or_else(|| found.other.first().cloned())?;
    observables.add("actor.user.name", observable_type::USER_NAME, name.clone());
    if let Some(address) = &address {
        observables.add("actor.user.email_addr", observable_type::EMAIL_ADDRESS, address.clone());
    }
    let user = User { name: Some(name), email_addr: address, ..User::default() };
    Some(Actor { user: Some(user.into()), ..Actor::default() })
}

/// A link with its parts, as far as it is one. The vendor leaves the scheme out now and then.
fn taken_apart(link: Cow<'_, str>) -> Url<'_> {
    let has_scheme = link.contains("://");
    let complete = if has_scheme { link.to_string() } else { format!("http://{link}") };
    let mut found = Url { url_string: Some(link), ..Url::default() };
    let Ok(parsed) = url::Url::parse(complete.trim()) else { return found };
    let owned = |text: &str| Some(Cow::Owned(text.to_owned()));
    found.hostname = parsed.host_str().filter(|host| !host.is_empty()).and_then(owned);
    if found.hostname.is_none() {
        return found;
    }
    found.scheme = has_scheme.then(|| Cow::Owned(parsed.scheme().to_owned()));
    found.port = parsed.port().map(i32::from);
    found.path = owned(parsed.path());
    found.query_string = parsed.query().and_then(owned);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_taken_apart_with_and_without_scheme() {
        let url = taken_apart("https://cdn.evil.example:8443/a/b.exe?id=7".into());
        assert_eq!(url.hostname.as_deref(), Some("cdn.evil.example"));
        assert_eq!(url.port, Some(8443));
        assert_eq!(url.path.as_deref(), Some("/a/b.exe"));
        assert_eq!(url.query_string.as_deref(), Some("id=7"));
        let url = taken_apart("login.bad.example/o365".into());
        assert_eq!((url.hostname.as_deref(), url.scheme), (Some("login.bad.example"), None));
        let url = taken_apart("not a link".into());
        assert_eq!((url.hostname, url.url_string.as_deref()), (None, Some("not a link")));
    }
}
