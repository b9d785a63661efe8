//! The client's address behind proxies.

use std::net::IpAddr;

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
    entries.len().checked_sub(hops).and_then(|place| entries[place].parse().ok()).unwrap_or(peer)
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
}
