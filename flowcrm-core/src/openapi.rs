//! Descriptions for the OpenAPI document; present with the feature `openapi` only.

/// Describes a type that serde writes as one JSON value.
///
/// `write_only` is for a type that JSON alone cannot give back, `secret` for one that is never written at all.
macro_rules! scalar {
    (secret $name:ty, $kind:literal, $format:literal) => {
        $crate::openapi::scalar!(@name $name, $kind, $format);

        impl poem_openapi::types::ToJSON for $name {
            fn to_json(&self) -> Option<serde_json::Value> {
                None
            }
        }

        impl poem_openapi::types::ParseFromJSON for $name {
            fn parse_from_json(_: Option<serde_json::Value>) -> poem_openapi::types::ParseResult<Self> {
                Err(poem_openapi::types::ParseError::custom("is read by the core"))
            }
        }
    };
    (write_only $name:ty, $kind:literal, $format:literal) => {
        $crate::openapi::scalar!(@describe $name, $kind, $format);

        impl poem_openapi::types::ParseFromJSON for $name {
            fn parse_from_json(_: Option<serde_json::Value>) -> poem_openapi::types::ParseResult<Self> {
                Err(poem_openapi::types::ParseError::custom("is read by the core"))
            }
        }
    };
    ($name:ty, $kind:literal, $format:literal) => {
        $crate::openapi::scalar!(@describe $name, $kind, $format);

        impl poem_openapi::types::ParseFromJSON for $name {
            fn parse_from_json(value: Option<serde_json::Value>) -> poem_openapi::types::ParseResult<Self> {
                serde_json::from_value(value.unwrap_or_default()).map_err(poem_openapi::types::ParseError::custom)
            }
        }

        impl poem_openapi::types::ParseFromParameter for $name {
            fn parse_from_parameter(text: &str) -> poem_openapi::types::ParseResult<Self> {
                text.parse().map_err(poem_openapi::types::ParseError::custom)
            }
        }
    };
    (@describe $name:ty, $kind:literal, $format:literal) => {
        $crate::openapi::scalar!(@name $name, $kind, $format);

        impl poem_openapi::types::ToJSON for $name {
            fn to_json(&self) -> Option<serde_json::Value> {
                serde_json::to_value(self).ok()
            }
        }
    };
    (@name $name:ty, $kind:literal, $format:literal) => {
        impl poem_openapi::types::Type for $name {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> std::borrow::Cow<'static, str> {
                concat!($kind, "_", $format).into()
            }

            fn schema_ref() -> poem_openapi::registry::MetaSchemaRef {
                poem_openapi::registry::MetaSchemaRef::Inline(Box::new(
                    poem_openapi::registry::MetaSchema::new_with_format($kind, $format),
                ))
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::once(self))
            }
        }
    };
}

pub(crate) use scalar;
