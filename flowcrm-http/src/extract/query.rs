//! The query string.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use flowcrm_core::error::{FieldError, Result};
use flowcrm_core::input::{Body, Command, Fields, recognizable};
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

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
        Ok(Self(read(query), PhantomData))
    }
}

/// Refuses every parameter: for calls that take none.
///
/// # Errors
///
/// [`ErrorCode::Invalid`](flowcrm_core::ErrorCode::Invalid), naming them all.
pub(crate) fn refuse_any(query: &str) -> Result<()> {
    read(query).decode().map(|NoParameters| ())
}

struct NoParameters;

impl Command for NoParameters {
    fn decode(_: &mut Fields) -> Self {
        Self
    }
}

/// Reads a query string as browsers write it (URL standard, `application/x-www-form-urlencoded`), but strictly.
fn read(query: &str) -> Body {
    let mut pairs = Vec::new();
    let mut malformed = BTreeSet::new();
    // Said in full, as poem's `Type` has an `is_empty` too, which is nearer to `&&str`.
    for pair in query.split('&').filter(|pair| !str::is_empty(pair)) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (decoded(name), decoded(value)) {
            (Some(name), Some(value)) => pairs.push((name, value)),
            (readable, _) => {
                malformed.insert(recognizable(readable.as_deref().unwrap_or(name)));
            }
        }
    }
    let refuse = |name| FieldError::new(name, "must be percent-encoded UTF-8");
    Body::from_query(pairs).refusing(malformed.into_iter().map(refuse))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_browsers_write_it() {
        let expected = [("q", "Zoë & co"), ("sort", "-name"), ("flag", ""), ("x", "a=b")];
        assert_eq!(read("q=Zo%C3%AB+%26+co&&sort=-name&flag&x=a=b"), Body::from_query(expected));
    }

    #[test]
    fn what_is_no_encoding_is_refused_by_name() {
        for query in ["q=%zz", "q=%", "q=%f", "q=%ff", "q=%+1", "%71=%zz", "q=%zz&q=%"] {
            assert_eq!(refused(query), ["q"], "{query}");
        }
        assert_eq!(refused("a=1&a=2&%zz=1&q=%&c=1"), ["a", "%zz", "q", "c"]);
    }

    fn refused(query: &str) -> Vec<String> {
        refuse_any(query).unwrap_err().fields().iter().map(|field| field.field.clone()).collect()
    }

    #[test]
    fn a_call_without_parameters_refuses_them_all() {
        assert!(refuse_any("").is_ok());
        assert_eq!(refused("a=1&b%0a=2"), ["a", "b"]);
    }
}
