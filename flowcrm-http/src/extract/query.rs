//! The query string.

use std::marker::PhantomData;

use flowcrm_core::error::{Error, FieldError, Result};
use flowcrm_core::input::Body;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::problem::Failure;

/// Marks a described body as being the query string; the document turns it into parameters.
pub(crate) const MARKER: &str = "application/x-www-form-urlencoded";

/// The query string, described as `T` and not read yet. A call takes this or a body.
#[derive(Debug)]
pub struct Query<T>(pub Body, PhantomData<fn() -> T>);

impl<'a, T: Type> ApiExtractor<'a> for Query<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = MetaMediaType { content_type: MARKER, schema: T::schema_ref() };
        Some(MetaRequest { description: None, content: vec![content], required: false })
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let query = request.uri().query().unwrap_or_default();
        let body = pairs(query).and_then(Body::from_query).map_err(Failure::from)?;
        Ok(Self(body, PhantomData))
    }
}

/// Refuses every parameter: for calls that take none.
///
/// # Errors
///
/// [`ErrorCode::Invalid`](flowcrm_core::ErrorCode::Invalid), naming them all.
pub(crate) fn refuse_any(query: &str) -> Result<()> {
    let refuse =
        |(name, _): (String, String)| FieldError::new(recognizable(&name), "is not a parameter here");
    let errors: Vec<FieldError> = pairs(query)?.into_iter().map(refuse).collect();
    if errors.is_empty() { Ok(()) } else { Err(Error::invalid(errors)) }
}

/// Reads a query string as browsers write it (URL standard, `application/x-www-form-urlencoded`), but strictly.
fn pairs(query: &str) -> Result<Vec<(String, String)>> {
    let read = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let refuse = || Error::field(recognizable(name), "must be percent-encoded UTF-8");
        Ok((decoded(name).ok_or_else(refuse)?, decoded(value).ok_or_else(refuse)?))
    };
    // Said in full, as poem's `Type` has an `is_empty` too, which is nearer to `&&str`.
    query.split('&').filter(|pair| !str::is_empty(pair)).map(read).collect()
}

/// Undoes the percent-encoding of a name or value, if it is one.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Enough of a name that may be anything to recognize it.
fn recognizable(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_browsers_write_it() {
        let read = pairs("q=Zo%C3%AB+%26+co&&sort=-name&flag&x=a=b").unwrap();
        let expected = [("q", "Zoë & co"), ("sort", "-name"), ("flag", ""), ("x", "a=b")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn what_is_no_encoding_is_refused_by_name() {
        for query in ["q=%zz", "q=%", "q=%f", "q=%ff", "a=1&q=%+1"] {
            let error = pairs(query).unwrap_err();
            assert_eq!(error.fields()[0].field, "q", "{query}");
        }
    }

    #[test]
    fn a_call_without_parameters_refuses_them_all() {
        assert!(refuse_any("").is_ok());
        let error = refuse_any("a=1&b%0a=2").unwrap_err();
        assert_eq!(error.fields().iter().map(|field| field.field.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }
}
