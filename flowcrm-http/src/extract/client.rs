//! Where a request comes from.

use flowcrm_core::caller::Origin;
use http::header::USER_AGENT;
use poem::{FromRequest, Request, RequestBody, Result};

/// The client's address and program: for calls without a caller, like signing in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client(pub Origin);

impl<'a> FromRequest<'a> for Client {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
        Ok(Self(origin(request)))
    }
}

pub(super) fn origin(request: &Request) -> Origin {
    let user_agent = request.headers().get(USER_AGENT).map(|name| String::from_utf8_lossy(name.as_bytes()));
    Origin {
        ip: super::settings(request).trusted_proxies.client(request),
        user_agent: user_agent.map(|name| name.chars().take(300).collect()),
    }
}
