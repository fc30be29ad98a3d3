//! The rules of the list options: hosts, origins, networks. For the names of claims see `claims`.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use crate::host::host;
use crate::invalid_value::InvalidValue;
use crate::url::{self, Origin};

/// Checks the items of `hosts`.
pub(crate) fn hosts(items: &[&str]) -> Result<Vec<String>, InvalidValue> {
    let checked = |text: &&str| {
        if text.contains("://") {
            return Err(InvalidValue::with_part(
                "expected a host without a scheme, such as `app.example.com`",
                *text,
            ));
        }
        if text.contains('*') {
            return Err(InvalidValue::with_part(
                "there are no wildcards: name each host, such as `app.example.com`",
                *text,
            ));
        }
        host(text)
    };
    items.iter().map(checked).collect()
}

/// Checks the items of `cors.origins`.
pub(crate) fn cors_origins(items: &[&str]) -> Result<Vec<Origin>, InvalidValue> {
    origins(
        items,
        "credentials are allowed, so any page could act as the visitor: name the origins in place of `*`",
    )
}

/// Checks the items of `upstream.public_origins`.
pub(crate) fn public_origins(items: &[&str]) -> Result<Vec<Origin>, InvalidValue> {
    origins(
        items,
        "every redirect to another site would become one to this app: name the origins in place of `*`",
    )
}

fn origins(items: &[&str], why_no_wildcard: &str) -> Result<Vec<Origin>, InvalidValue> {
    let origin = |text: &&str| match *text {
        "*" => Err(InvalidValue::new(why_no_wildcard)),
        text => url::origin(text),
    };
    items.iter().map(origin).collect()
}

/// Checks the items of `trusted_proxies`: addresses and CIDR blocks.
pub(crate) fn networks(items: &[&str]) -> Result<Vec<IpNet>, InvalidValue> {
    items.iter().map(|text| network(text)).collect()
}

fn network(text: &str) -> Result<IpNet, InvalidValue> {
    let network =
        text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
            InvalidValue::with_part(
                "expected an address or a block of them, such as `10.0.0.7` or `10.0.0.0/8`",
                text,
            )
        })?;
    let network = without_ipv4_mapping(network);
    if network.prefix_len() == 0 {
        return Err(InvalidValue::with_part(
            "this trusts every peer, so any client could claim any address",
            text,
        ));
    }
    Ok(network)
}

/// Turns an IPv4-mapped IPv6 block (`::ffff:10.0.0.0/104`, RFC 4291, section 2.5.5.2) into the IPv4 block: peer
/// addresses are compared in their IPv4 form.
fn without_ipv4_mapping(network: IpNet) -> IpNet {
    const MAPPED_PREFIX: u8 = 96;
    let IpNet::V6(v6) = network else { return network };
    let (Some(v4), Some(length)) = (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(MAPPED_PREFIX))
    else {
        return network;
    };
    Ipv4Net::new(v4, length).map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv4_mapped_networks_become_ipv4_networks() {
        assert_eq!(networks(&["::ffff:10.0.0.0/104"]), networks(&["10.0.0.0/8"]));
        assert_eq!(networks(&["10.0.0.7"]), networks(&["10.0.0.7/32"]));
    }

    #[test]
    fn networks_that_include_every_address_are_refused() {
        for text in ["0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96"] {
            assert!(networks(&[text]).is_err(), "{text}");
        }
    }

    #[test]
    fn wildcard_hosts_and_origins_are_refused() {
        for text in ["*", "*.a.b", "https://a", "a,b"] {
            assert!(hosts(&[text]).is_err(), "{text}");
        }
        assert!(cors_origins(&["https://a", "*"]).unwrap_err().message().contains("credentials"));
        assert!(public_origins(&["*"]).unwrap_err().message().contains("redirect"));
    }
}
