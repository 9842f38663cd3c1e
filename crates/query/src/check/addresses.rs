//! Networks and ranges of addresses, as they are written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether the text is an address, a slash and a number of leading bits.
pub(super) fn is_network(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let all_bits = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    let is_number = bits.bytes().all(|byte| byte.is_ascii_digit());
    is_number && bits.parse::<u8>().is_ok_and(|bits| bits <= all_bits)
}

/// The first address of the family of another.
pub(super) fn first(family: IpAddr) -> IpAddr {
    match family {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// The last address of the family of another.
pub(super) fn last(family: IpAddr) -> IpAddr {
    match family {
        IpAddr::V4(_) => Ipv4Addr::BROADCAST.into(),
        IpAddr::V6(_) => Ipv6Addr::from(u128::MAX).into(),
    }
}

/// The address after one, if there is any.
pub(super) fn next(address: IpAddr) -> Option<IpAddr> {
    Some(match address {
        IpAddr::V4(address) => Ipv4Addr::from(u32::from(address).checked_add(1)?).into(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address).checked_add(1)?).into(),
    })
}

/// The address before one, if there is any.
pub(super) fn previous(address: IpAddr) -> Option<IpAddr> {
    Some(match address {
        IpAddr::V4(address) => Ipv4Addr::from(u32::from(address).checked_sub(1)?).into(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address).checked_sub(1)?).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn neighbours_stay_in_their_family() {
        assert_eq!(next(address("10.0.0.255")), Some(address("10.0.1.0")));
        assert_eq!(
            previous(address("2001:db8::")),
            Some(address("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"))
        );
        assert_eq!(next(last(address("10.0.0.1"))), None);
        assert_eq!(next(last(address("::1"))), None);
        assert_eq!(previous(first(address("10.0.0.1"))), None);
        assert_eq!(previous(first(address("::1"))), None);
    }

    #[test]
    fn networks_are_an_address_and_a_length() {
        for text in ["10.0.0.0/8", "10.1.2.3/32", "2001:db8::/32", "::/0"] {
            assert!(is_network(text), "{text}");
        }
        for text in ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/+8", "10.0/8", "a/8", "/8", "::/129"] {
            assert!(!is_network(text), "{text}");
        }
    }
}
