//! Which web pages may call: the origins of `CLIENT_URL` and our own.

use std::str::FromStr;

use flowcrm_core::error::{Error, ErrorCode};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HOST, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use http::uri::Authority;
use http::{Method, Uri};
use poem::Request;

use crate::client::TrustedProxies;

/// The origins of web pages that may call with credentials.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<String>);

impl FromStr for Origins {
    type Err = String;

    /// Reads a comma list of origins: `https://crm.example.com, http://localhost:3000`.
    fn from_str(list: &str) -> Result<Self, String> {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries
            .map(|entry| spelled(entry).ok_or_else(|| format!("`{entry}` is no origin")))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sender {
    /// No web page, or one that its browser says nothing of.
    Unnamed,
    /// A page that this server serves.
    Own,
    /// A page of a listed origin.
    Listed(HeaderValue),
    /// Any other page.
    Foreign,
}

impl Origins {
    /// Says where a request comes from.
    pub(crate) fn sender(&self, request: &Request, proxies: &TrustedProxies) -> Sender {
        let Some(origin) = request.headers().get(ORIGIN) else {
            return Sender::Unnamed;
        };
        let Some(spelled) = origin.to_str().ok().and_then(spelled) else {
            return Sender::Foreign;
        };
        if self.0.contains(&spelled) {
            Sender::Listed(origin.clone())
        } else if is_own(&spelled, request, proxies.scheme(request)) {
            Sender::Own
        } else {
            Sender::Foreign
        }
    }

    /// Refuses a request of a foreign page: for calls that live by the cookie, which browsers send unasked.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::ForeignOrigin`].
    pub fn check(&self, request: &Request, proxies: &TrustedProxies) -> flowcrm_core::Result<()> {
        match self.sender(request, proxies) {
            Sender::Foreign => Err(foreign()),
            Sender::Unnamed | Sender::Own | Sender::Listed(_) => Ok(()),
        }
    }
}

/// The refusal of a foreign page.
pub(crate) fn foreign() -> Error {
    Error::new(ErrorCode::ForeignOrigin, "Web pages of this origin may not call this server.")
}

/// Whether a browser only asks what it may send (Fetch standard, CORS-preflight request).
pub(crate) fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ORIGIN)
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Lets a listed page read the answer.
pub(crate) fn allow(sender: &Sender, headers: &mut HeaderMap) {
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Sender::Listed(origin) = sender {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
}

/// Says what a page may send; goes with [`allow`].
pub(crate) fn answer_preflight(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ACCEPTED));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
}

const ACCEPTED: &str = "authorization, content-type, idempotency-key, if-match, last-event-id, x-request-id";

/// A wildcard exposes nothing to calls with credentials, so every header is named.
const EXPOSED: &str = "link, etag, x-total-count, x-unread-count, x-request-id, x-ratelimit-limit, \
                       x-ratelimit-remaining, x-ratelimit-reset, retry-after";

/// An origin as browsers spell it: lower case, without the scheme's own port and without a path.
fn spelled(origin: &str) -> Option<String> {
    let uri: Uri = origin.parse().ok()?;
    let scheme = uri.scheme_str()?;
    let own_port = own_port(scheme)?;
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return None;
    }
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let host = authority.host().to_lowercase();
    Some(match authority.port_u16() {
        Some(port) if port != own_port => format!("{scheme}://{host}:{port}"),
        _ => format!("{scheme}://{host}"),
    })
}

/// The port that goes without saying.
fn own_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Whether an origin is where the client sent its request: the same host and port, and the same scheme, as far as it
/// is known.
fn is_own(origin: &str, request: &Request, scheme: Option<&str>) -> bool {
    let Some((its_scheme, _)) = origin.split_once("://") else {
        return false;
    };
    let asked = asked_host(request).and_then(|host| spelled(&format!("{its_scheme}://{host}")));
    scheme.is_none_or(|scheme| scheme == its_scheme) && asked.as_deref() == Some(origin)
}

/// The host that the client has asked for; HTTP/2 names it in the URI.
fn asked_host(request: &Request) -> Option<&str> {
    let named = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    named.or_else(|| request.original_uri().authority().map(Authority::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(list: &str, host: &str, origin: &str) -> Sender {
        let origins: Origins = list.parse().unwrap();
        let request = Request::builder().header(HOST, host).header(ORIGIN, origin).finish();
        origins.sender(&request, &TrustedProxies::default())
    }

    #[test]
    fn listed_pages_and_our_own_may_call() {
        let listed = sender("https://CRM.example.com:443/", "api.example.com", "https://crm.example.com");
        assert_eq!(listed, Sender::Listed(HeaderValue::from_static("https://crm.example.com")));
        assert_eq!(sender("", "localhost:3000", "http://localhost:3000"), Sender::Own);
        assert_eq!(sender("", "crm.example.com", "https://crm.example.com"), Sender::Own);
    }

    #[test]
    fn all_others_are_foreign() {
        for origin in [
            "null",
            "http://localhost:3001",
            "https://localhost.evil.example",
            "http://a@localhost:3000",
            "x",
        ] {
            assert_eq!(
                sender("http://localhost:5173", "localhost:3000", origin),
                Sender::Foreign,
                "{origin}"
            );
        }
        assert_eq!(
            Origins::default().sender(&Request::default(), &TrustedProxies::default()),
            Sender::Unnamed
        );
    }

    #[test]
    fn a_page_on_another_port_or_scheme_of_our_host_is_foreign() {
        assert_eq!(sender("", "crm.example.com:443", "https://crm.example.com"), Sender::Own);
        assert_eq!(sender("", "crm.example.com:80", "http://CRM.example.com:80"), Sender::Own);
        assert_eq!(sender("", "crm.example.com:443", "http://crm.example.com"), Sender::Foreign);
        assert_eq!(sender("", "crm.example.com:80", "https://crm.example.com"), Sender::Foreign);
        assert_eq!(sender("", "crm.example.com", "https://crm.example.com:80"), Sender::Foreign);
        assert_eq!(sender("", "a@crm.example.com", "https://crm.example.com"), Sender::Foreign);

        let request = Request::builder().header(HOST, "crm.example.com").finish();
        let is_own = |origin: &str, scheme| is_own(origin, &request, scheme);
        assert!(is_own("https://crm.example.com", Some("https")));
        assert!(
            !is_own("http://crm.example.com", Some("https")),
            "nobody speaks for the page of another scheme"
        );
        assert!(is_own("http://crm.example.com", None));
    }

    #[test]
    fn a_list_of_anything_else_is_refused() {
        for list in ["localhost:3000", "ftp://a", "https://a/path", "*"] {
            assert!(list.parse::<Origins>().is_err(), "{list}");
        }
    }
}
