//! The refresh token of calls that live by the cookie.

use http::header::COOKIE;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::problem::Failure;

/// The refresh token, if the cookie is there. A web page of a foreign origin is refused.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshCookie(pub Option<String>);

impl RefreshCookie {
    /// The cookie's name.
    pub const NAME: &'static str = "refreshToken";
}

impl<'a> ApiExtractor<'a> for RefreshCookie {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let scheme = MetaSecurityScheme {
            ty: "apiKey",
            description: Some("Set by signing in; HttpOnly and rotated by each refresh."),
            name: Some(Self::NAME),
            key_in: Some("cookie"),
            scheme: None,
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        };
        registry.create_security_scheme("refreshCookie", scheme);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec!["refreshCookie"]
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let settings = super::settings(request);
        settings.origins.check(request, &settings.trusted_proxies).map_err(Failure::from)?;
        let lines = request.headers().get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut cookies =
            lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
        let token = cookies
            .find(|(name, _)| *name == Self::NAME)
            .map(|(_, token)| token.trim_matches('"').to_owned());
        Ok(Self(token))
    }
}
