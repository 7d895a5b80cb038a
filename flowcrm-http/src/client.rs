//! Who is at the other end of a request, also behind proxies.

use std::net::IpAddr;
use std::str::FromStr;

use http::HeaderMap;
use ipnet::IpNet;
use poem::Request;

/// The proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. None by default.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl FromStr for TrustedProxies {
    type Err = String;

    /// Reads a comma list of networks or addresses: `10.0.0.0/8, ::1`.
    fn from_str(list: &str) -> Result<Self, String> {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let read = |entry: &str| {
            let address = || entry.parse::<IpAddr>().map(IpNet::from);
            entry
                .parse::<IpNet>()
                .or_else(|_| address())
                .map_err(|_| format!("`{entry}` is no network or address"))
        };
        entries.map(read).collect::<Result<_, _>>().map(Self)
    }
}

impl TrustedProxies {
    /// The client's address: the peer's, or what trusted proxies say of it.
    pub(crate) fn client(&self, request: &Request) -> Option<IpAddr> {
        let peer = request.remote_addr().as_socket_addr()?.ip().to_canonical();
        Some(self.behind(peer, request.headers()))
    }

    /// The scheme that the client used, `http` or `https`, as far as a trusted proxy says it in `X-Forwarded-Proto`.
    pub(crate) fn scheme(&self, request: &Request) -> Option<&'static str> {
        let peer = request.remote_addr().as_socket_addr()?.ip().to_canonical();
        if self.trusts(peer) { forwarded_scheme(request.headers()) } else { None }
    }

    /// Goes from proxy to proxy, nearest first, for as long as they are trusted.
    fn behind(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let lines: Vec<&str> =
            headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
        let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
        let mut client = peer;
        while self.trusts(client) {
            match hops.next().and_then(address) {
                Some(hop) => client = hop,
                None => break,
            }
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// What the header says in one plain word; several proxies that contradict each other say nothing.
fn forwarded_scheme(headers: &HeaderMap) -> Option<&'static str> {
    let mut lines = headers.get_all("x-forwarded-proto").iter();
    let (line, None) = (lines.next()?, lines.next()) else { return None };
    ["http", "https"].into_iter().find(|scheme| line.as_bytes().eq_ignore_ascii_case(scheme.as_bytes()))
}

/// Reads `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let alone = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    let with_port = || hop.parse::<std::net::SocketAddr>().map(|address| address.ip());
    alone.parse::<IpAddr>().or_else(|_| with_port()).ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, forwarded: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", http::HeaderValue::from_static(line));
        }
        let trusted: TrustedProxies = trusted.parse().unwrap();
        trusted.behind(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_stranger_cannot_claim_another_address() {
        assert_eq!(client("", "192.0.2.9", &["1.1.1.1"]), "192.0.2.9");
        assert_eq!(client("10.0.0.0/8", "192.0.2.9", &["1.1.1.1"]), "192.0.2.9");
    }

    #[test]
    fn the_last_hop_that_is_not_trusted_is_the_client() {
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["6.6.6.6, 192.0.2.9", "10.0.0.2"]), "192.0.2.9");
        assert_eq!(client("10.0.0.0/8, ::1", "::1", &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(client("127.0.0.1", "127.0.0.1", &["::ffff:192.0.2.1"]), "192.0.2.1");
    }

    #[test]
    fn a_scheme_is_one_plain_word() {
        let said = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-proto", http::HeaderValue::from_static(line));
            }
            forwarded_scheme(&headers)
        };
        assert_eq!(said(&["HTTPS"]), Some("https"));
        assert_eq!(said(&["http"]), Some("http"));
        for lines in [&[][..], &["https, http"], &["https", "http"], &["wss"]] {
            assert_eq!(said(lines), None, "{lines:?}");
        }
    }

    #[test]
    fn nonsense_ends_the_walk() {
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["192.0.2.9, unknown"]), "10.0.0.1");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &[]), "10.0.0.1");
        assert!("10.0.0.0/8; x".parse::<TrustedProxies>().is_err());
    }
}
