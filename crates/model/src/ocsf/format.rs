//! The forms that OCSF demands of some strings. A value that fails belongs in another attribute.

use std::net::{IpAddr, Ipv6Addr};

use super::schema::Format;

/// Whether a string has the form.
pub fn fits(format: Format, text: &str) -> bool {
    match format {
        Format::Any => true,
        Format::Email => is_email(text),
        Format::Ip => is_ip(text),
        Format::Mac => is_mac(text),
    }
}

/// Whether OCSF takes the text for a mail address (`email_t`): ASCII, no display name, a dotted domain.
pub fn is_email(text: &str) -> bool {
    // OCSF's expression is greedy: the last `@` whose right side is a domain divides the address.
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let Some((first, rest)) = domain.split_once('.') else { return false };
    !local.is_empty()
        && local.bytes().all(is_local_byte)
        && !first.is_empty()
        && first.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !rest.is_empty()
        && rest.bytes().all(is_domain_byte)
}

/// The class of OCSF's expression, whose `+-/` is a range and so lets the comma through.
fn is_local_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+,-./=?^_`{|}~".contains(&byte)
}

/// The class `[a-zA-Z0-9-.]`.
fn is_domain_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.'
}

/// Whether the text is an IP address (`ip_t`), at most 40 bytes long; an octet with leading zeros
/// makes it none, a zone (`%eth0`) may follow version 6.
pub fn is_ip(text: &str) -> bool {
    let is_address = match text.split_once('%') {
        Some((address, zone)) => !zone.is_empty() && address.parse::<Ipv6Addr>().is_ok(),
        None => text.parse::<IpAddr>().is_ok(),
    };
    is_address && text.len() <= 40
}

/// Whether the text is a hardware address (`mac_t`): six pairs of hex digits.
pub fn is_mac(text: &str) -> bool {
    let pairs: Vec<&str> = text.split([':', '-']).collect();
    let is_pair = |pair: &&str| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
    pairs.len() == 6 && pairs.iter().all(is_pair)
}

#[cfg(test)]
mod tests {
    use super::{is_email, is_ip, is_mac};

    #[test]
    fn addresses_are_told_from_other_text() {
        assert!(is_email("mina@corp.example"));
        assert!(is_email("o'neil+tag@mail.corp.example"));
        for odd in ["", "mina", "mina@localhost", "Mina <mina@corp.example>", "経理@corp.example"]
        {
            assert!(!is_email(odd), "{odd}");
        }
        assert!(is_ip("192.0.2.1") && is_ip("2001:db8::1") && is_ip("fe80::1%eth0"));
        assert!(!is_ip("192.0.02.1") && !is_ip("corp.example") && !is_ip(" 192.0.2.1"));
        assert!(is_mac("00:00:5E:00:53:01") && !is_mac("00:00:5E:00:53"));
    }
}
