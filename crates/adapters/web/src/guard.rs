//! Which addresses are on the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks of IPv4 that are not: first address, length of the prefix, and what they are.
const V4: [([u8; 4], u32, &str); 16] = [
    ([0, 0, 0, 0], 8, "this host"),
    ([10, 0, 0, 0], 8, "a private network"),
    ([100, 64, 0, 0], 10, "a carrier's own network"),
    ([127, 0, 0, 0], 8, "this host"),
    ([168, 63, 129, 16], 32, "a cloud's metadata"),
    ([169, 254, 0, 0], 16, "a local link or a cloud's metadata"),
    ([172, 16, 0, 0], 12, "a private network"),
    ([192, 0, 0, 0], 24, "a reserved network"),
    ([192, 0, 2, 0], 24, "a network for examples"),
    ([192, 88, 99, 0], 24, "a reserved network"),
    ([192, 168, 0, 0], 16, "a private network"),
    ([198, 18, 0, 0], 15, "a network for benchmarks"),
    ([198, 51, 100, 0], 24, "a network for examples"),
    ([203, 0, 113, 0], 24, "a network for examples"),
    ([224, 0, 0, 0], 4, "many hosts at once"),
    ([240, 0, 0, 0], 4, "a reserved network"),
];

/// Blocks within 2000::/3 that are not; outside of it nothing is.
const V6: [([u16; 2], u32, &str); 4] = [
    ([0x2001, 0], 23, "a reserved network or a tunnel"),
    ([0x2001, 0xdb8], 32, "a network for examples"),
    ([0x2002, 0], 16, "a tunnel to an IPv4 address"),
    ([0x3fff, 0], 20, "a network for examples"),
];

/// Why nothing may be sent to this address; `None` when it is on the public internet.
pub fn refusal(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => v6(address),
    }
}

fn v4(address: Ipv4Addr) -> Option<&'static str> {
    let bits = address.to_bits();
    let within = |(first, length, _): &&([u8; 4], u32, &str)| {
        (bits ^ u32::from_be_bytes(*first)) >> (32 - length) == 0
    };
    V4.iter().find(within).map(|(_, _, what)| *what)
}

fn v6(address: Ipv6Addr) -> Option<&'static str> {
    let parts = address.segments();
    if address.to_ipv4_mapped().is_some() {
        return Some("an IPv4 address in disguise");
    }
    if parts[0] >> 13 != 1 {
        return Some("no address of the public internet");
    }
    let bits = (u32::from(parts[0]) << 16) | u32::from(parts[1]);
    let within = |([first, second], length, _): &&([u16; 2], u32, &str)| {
        (bits ^ ((u32::from(*first) << 16) | u32::from(*second))) >> (32 - length) == 0
    };
    V6.iter().find(within).map(|(_, _, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(address: &str) -> bool {
        refusal(address.parse().unwrap()).is_some()
    }

    #[test]
    fn addresses_of_this_host_and_of_private_networks_are_refused() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "239.255.255.250",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::a9fe:a9fe",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(is_refused(address), "{address}");
        }
    }

    #[test]
    fn their_neighbours_on_the_public_internet_are_not() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "168.63.129.15",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "192.169.0.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2606:4700::1111",
        ] {
            assert!(!is_refused(address), "{address}");
        }
    }
}
