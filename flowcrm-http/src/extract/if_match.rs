//! The version that a change is made to.

use flowcrm_core::error::{Error, Result};
use http::header::{HeaderMap, IF_MATCH};
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaParamIn, MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::problem::Failure;

/// The version of `If-Match: "3"` (RFC 9110, section 13.1.1), if one is given; `*` is any.
///
/// As an argument it is called `if_match`: the document takes the header's name from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub Option<i64>);

impl<'a> ApiExtractor<'a> for IfMatch {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        let description =
            Some("The `ETag` of the record as it was read; a record changed since is not written.");
        Some(MetaSchemaRef::Inline(Box::new(MetaSchema { description, ..MetaSchema::new("string") })))
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(version(request.headers()).map(Self).map_err(Failure::from)?)
    }
}

fn version(headers: &HeaderMap) -> Result<Option<i64>> {
    let refuse = || Error::field("If-Match", "must be one version as its ETag says it, like \"3\"");
    let Some(value) = super::single(headers, IF_MATCH, refuse)?.map(str::trim).filter(|value| *value != "*")
    else {
        return Ok(None);
    };
    let tag = value.strip_prefix("W/").unwrap_or(value);
    let digits = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let version = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
    version.and_then(|digits| digits.parse().ok()).map(Some).ok_or_else(refuse)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(value: &'static str) -> Result<Option<i64>> {
        version(&HeaderMap::from_iter([(IF_MATCH, HeaderValue::from_static(value))]))
    }

    #[test]
    fn a_version_is_an_entity_tag() {
        assert_eq!(of("\"3\"").unwrap(), Some(3));
        assert_eq!(of("W/\"12\"").unwrap(), Some(12));
        assert_eq!(of("*").unwrap(), None);
        assert_eq!(version(&HeaderMap::new()).unwrap(), None);
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        for value in
            ["3", "\"x\"", "\"\"", "\"-1\"", "\"+1\"", "\"1\", \"2\"", "\"99999999999999999999\"", "\""]
        {
            assert_eq!(of(value).unwrap_err().fields()[0].field, "If-Match", "{value}");
        }
    }
}
