//! Where a call came from. `sourceIPAddress` is an address only most of the time: it may be a service's name,
//! `AWS Internal`, two addresses, or an address that was made unreadable on purpose.

use std::borrow::Cow;

use model::ocsf::format;
use model::ocsf::objects::NetworkEndpoint;

use super::fields::Fields;
use super::record::Top;

/// The endpoint of `sourceIPAddress` and `vpcEndpointId`; without both, the service that tells of it.
pub(super) fn endpoint<'a>(
    fields: &mut Fields<'a, Top>,
    service: &Cow<'a, str>,
) -> NetworkEndpoint<'a> {
    let mut endpoint = fields.text(Top::SourceIpAddress).map(placed).unwrap_or_default();
    endpoint.uid = fields.text(Top::VpcEndpointId);
    if endpoint == NetworkEndpoint::default() {
        endpoint.svc_name = Some(service.clone());
    }
    endpoint
}

fn placed(text: Cow<'_, str>) -> NetworkEndpoint<'_> {
    if format::is_ip(&text) {
        return NetworkEndpoint { ip: Some(text), ..NetworkEndpoint::default() };
    }
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    if let [first, others @ ..] = parts.as_slice()
        && parts.iter().all(|part| format::is_ip(part))
    {
        let owned = |part: &&str| Cow::Owned((*part).to_owned());
        return NetworkEndpoint {
            ip: Some(owned(first)),
            intermediate_ips: others.iter().map(owned).collect(),
            ..NetworkEndpoint::default()
        };
    }
    if is_domain(&text) {
        return NetworkEndpoint { domain: Some(text), ..NetworkEndpoint::default() };
    }
    NetworkEndpoint { name: Some(text), ..NetworkEndpoint::default() }
}

/// Whether a text is a dotted name whose last part has a letter: `ec2.amazonaws.com`.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let Some((_, last)) = text.rsplit_once('.') else { return false };
    text.split('.').all(is_label) && last.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> NetworkEndpoint<'_> {
        endpoint(&mut Fields::read(json).unwrap(), &Cow::Borrowed("s3.amazonaws.com"))
    }

    #[test]
    fn only_an_address_is_an_ip() {
        for (text, ip, domain, name) in [
            ("192.0.2.7", Some("192.0.2.7"), None, None),
            ("2001:db8::7", Some("2001:db8::7"), None, None),
            ("ec2.amazonaws.com", None, Some("ec2.amazonaws.com"), None),
            ("AWS Internal", None, None, Some("AWS Internal")),
            ("AWS Internal/#", None, None, Some("AWS Internal/#")),
            ("192.000.002.007", None, None, Some("192.000.002.007")),
            ("192.0.2.7, proxy", None, None, Some("192.0.2.7, proxy")),
        ] {
            let json = format!(r#"{{"sourceIPAddress":"{text}"}}"#);
            let found = of(&json);
            let found = [found.ip, found.domain, found.name];
            assert_eq!(found.each_ref().map(Option::as_deref), [ip, domain, name], "{text}");
        }
    }

    #[test]
    fn of_two_addresses_the_first_is_the_client() {
        let found = of(r#"{"sourceIPAddress":"192.0.2.7, 198.51.100.9","vpcEndpointId":"vpce-1"}"#);
        assert_eq!(found.ip.as_deref(), Some("192.0.2.7"));
        assert_eq!(found.intermediate_ips, ["198.51.100.9"]);
        assert_eq!(found.uid.as_deref(), Some("vpce-1"));
        assert_eq!(found.svc_name, None);
    }

    #[test]
    fn without_any_place_the_service_stands_for_it() {
        assert_eq!(of(r#"{"sourceIPAddress":""}"#).svc_name.as_deref(), Some("s3.amazonaws.com"));
    }
}
