//! Who calls.

use flowcrm_core::Crm;
use flowcrm_core::caller::Caller;
use flowcrm_core::error::{Error, ErrorCode, Result};
use http::header::{AUTHORIZATION, HeaderMap};
use poem::{FromRequest, Request, RequestBody};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::problem::Failure;

/// The caller that the access token names, with where the request comes from and its `Idempotency-Key`.
pub struct Signed(pub Caller);

/// The caller, when a good access token is sent: for signing out, which needs none.
pub struct MaybeSigned(pub Option<Caller>);

impl<'a> FromRequest<'a> for MaybeSigned {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self(authenticated(request).ok()))
    }
}

/// The name of the bearer scheme in the document.
pub(crate) const SCHEME: &str = "bearer";

impl<'a> ApiExtractor<'a> for Signed {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let scheme = MetaSecurityScheme {
            ty: "http",
            description: Some("The access token that signing in answers."),
            name: None,
            key_in: None,
            scheme: Some("bearer"),
            bearer_format: Some("JWT"),
            flows: None,
            openid_connect_url: None,
        };
        registry.create_security_scheme(SCHEME, scheme);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(caller(request).map(Self).map_err(Failure::from)?)
    }
}

fn authenticated(request: &Request) -> Result<Caller> {
    let token = bearer(request.headers())?;
    let crm = request.data::<Crm>().expect("the app puts the CRM on every request");
    Ok(crm.authenticate(token)?.from_origin(super::client::origin(request)))
}

fn caller(request: &Request) -> Result<Caller> {
    let caller = authenticated(request)?;
    match idempotency_key(request.headers())? {
        Some(key) => caller.with_idempotency_key(key),
        None => Ok(caller),
    }
}

/// The token of `Authorization: Bearer` (RFC 6750, section 2.1).
fn bearer(headers: &HeaderMap) -> Result<&str> {
    let refuse =
        || Error::new(ErrorCode::Unauthenticated, "Send the access token as `Authorization: Bearer …`.");
    let credentials = super::single(headers, AUTHORIZATION, refuse)?.ok_or_else(refuse)?;
    let (scheme, token) = credentials.split_once(' ').ok_or_else(refuse)?;
    let token = token.trim();
    let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if scheme.eq_ignore_ascii_case("bearer") && is_token { Ok(token) } else { Err(refuse()) }
}

/// The key as it was sent; the core checks it.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>> {
    let refuse = || Error::field("Idempotency-Key", "must be given once, in ASCII");
    super::single(headers, "idempotency-key", refuse)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        let value = |value: &&str| (name.clone(), HeaderValue::from_str(value).unwrap());
        values.iter().map(value).collect()
    }

    #[test]
    fn a_bearer_token_is_one_word() {
        assert_eq!(bearer(&headers(&AUTHORIZATION, &["bearer a.b.c"])).unwrap(), "a.b.c");
        for values in
            [&[][..], &["a.b.c"], &["Basic YTpi"], &["Bearer "], &["Bearer a b"], &["Bearer a", "Bearer b"]]
        {
            let error = bearer(&headers(&AUTHORIZATION, values)).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Unauthenticated, "{values:?}");
        }
    }

    #[test]
    fn an_idempotency_key_is_given_once() {
        let name = HeaderName::from_static("idempotency-key");
        assert_eq!(idempotency_key(&headers(&name, &["k-1"])).unwrap(), Some("k-1"));
        let error = idempotency_key(&headers(&name, &["a", "b"])).unwrap_err();
        assert_eq!(error.fields()[0].field, "Idempotency-Key");
    }
}
