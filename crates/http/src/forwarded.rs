//! The client's address behind proxies.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

/// The address that the outermost believed proxy saw: with `hops` proxies in front, the entry
/// `hops` from the right of `X-Forwarded-For`. Entries further left are the client's own words.
pub(crate) fn client_address(headers: &HeaderMap, peer: IpAddr, hops: usize) -> IpAddr {
    if hops == 0 {
        return peer;
    }
    let entries: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    entries.len().checked_sub(hops).and_then(|place| address(entries[place])).unwrap_or(peer)
}

/// `1.2.3.4`, `::1` or `[::1]`, each with or without a port, as proxies write it.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_believed_entries_count() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "1.1.1.1, 2.2.2.2".parse().unwrap());
        headers.append("x-forwarded-for", "3.3.3.3".parse().unwrap());
        let peer: IpAddr = "9.9.9.9".parse().unwrap();
        let seen = |hops| client_address(&headers, peer, hops).to_string();
        assert_eq!(seen(0), "9.9.9.9");
        assert_eq!(seen(1), "3.3.3.3");
        assert_eq!(seen(2), "2.2.2.2");
        assert_eq!(seen(4), "9.9.9.9");
    }

    #[test]
    fn an_entry_may_have_a_port() {
        let seen = |entry: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", entry.parse().unwrap());
            client_address(&headers, [9, 9, 9, 9].into(), 1).to_string()
        };
        assert_eq!(seen("1.2.3.4:5678"), "1.2.3.4");
        assert_eq!(seen("7.7.7.7, [2001:db8::1]:80"), "2001:db8::1");
        assert_eq!(seen("[2001:db8::1]"), "2001:db8::1");
        assert_eq!(seen("2001:db8::1"), "2001:db8::1");
        for nonsense in ["unknown", "", "1.2.3.4:port", "[1.2.3.4", "1.2.3.4]"] {
            assert_eq!(seen(nonsense), "9.9.9.9", "{nonsense}");
        }
    }
}
