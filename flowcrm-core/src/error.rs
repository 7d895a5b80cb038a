//! Everything that can go wrong, in one table.

use std::fmt;

use serde::Serialize;

/// What every fallible function of FlowCRM answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $slug:literal $status:literal $class:literal $title:literal)*) => {
        /// The kinds of errors; each has a stable slug, an HTTP status, a Python class and a title.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)*
        }

        impl ErrorCode {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable slug that clients may match on.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug,)* }
            }

            /// The HTTP status (RFC 9110).
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The class of the Python package.
            pub const fn python_class(self) -> &'static str {
                match self { $(Self::$variant => $class,)* }
            }

            /// A short summary that does not change from one occurrence to the next.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    /// A field is missing, of the wrong type, out of range or unknown, or names a record that is not there.
    Invalid              "validation_failed"      400 "ValidationError"     "Some fields are not valid"
    /// The body is no JSON object.
    Malformed            "malformed_body"         400 "ValidationError"     "The body could not be read"
    /// A current password or code was wrong.
    WrongCredential      "wrong_credential"       400 "ValidationError"     "The password or code is wrong"
    /// There is no good access token.
    Unauthenticated      "unauthenticated"        401 "AuthenticationError" "Sign in first"
    /// Email and password do not match, or the user may not sign in.
    SignInFailed         "sign_in_failed"         401 "AuthenticationError" "Sign-in failed"
    /// The refresh token is missing, unknown, expired or revoked.
    SessionEnded         "session_ended"          401 "AuthenticationError" "The session has ended"
    /// The record is visible, the action is not allowed.
    Forbidden            "forbidden"              403 "PermissionDenied"    "Not allowed"
    /// The request comes from an origin that is not listed.
    ForeignOrigin        "foreign_origin"         403 "PermissionDenied"    "This origin is not allowed"
    /// There is no such record, or none that the caller may see.
    NotFound             "not_found"              404 "NotFound"            "Not found"
    /// There is no such route.
    NoRoute              "no_such_route"          404 "NotFound"            "No such route"
    /// The route exists, this method on it does not.
    MethodNotAllowed     "method_not_allowed"     405 "FlowCrmError"        "Method not allowed"
    /// The request contradicts the present state.
    Conflict             "conflict"               409 "Conflict"            "Conflict"
    /// An idempotency key was used before with another body.
    IdempotencyMismatch  "idempotency_mismatch"   409 "Conflict"            "The idempotency key was used for something else"
    /// `If-Match` names a version that is no longer the record's.
    Stale                "stale_version"          412 "Conflict"            "The record has changed"
    /// The body is larger than the route takes.
    TooLarge             "body_too_large"         413 "ValidationError"     "The body is too large"
    /// The body is of a type that the route does not take.
    UnsupportedMediaType "unsupported_media_type" 415 "ValidationError"     "Unsupported content type"
    /// A defect of FlowCRM; details are in the log only.
    Internal             "internal_error"         500 "FlowCrmError"        "Something went wrong"
    /// The database is away or overloaded; the same request may succeed later.
    Unavailable          "unavailable"            503 "Unavailable"         "Temporarily unavailable"
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's name on the wire; of a nested field with dots, `options.mapping.name`.
    pub field: String,
    /// A sentence without its subject: "must be at most 200 characters".
    pub message: String,
}

impl FieldError {
    /// Says `message` of `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// An error of any door: a code, a sentence for people, and all bad fields.
///
/// The cause is kept for the log and never shown: not in [`fmt::Display`], not on the wire.
#[derive(Debug)]
pub struct Error {
    code: ErrorCode,
    detail: String,
    fields: Vec<FieldError>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of this code with a sentence for people.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), fields: Vec::new(), cause: None }
    }

    /// [`ErrorCode::Invalid`] for all of these fields.
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        let named: Vec<&str> = fields.iter().map(|error| error.field.as_str()).take(5).collect();
        let more = if fields.len() > named.len() { ", …" } else { "" };
        let detail = format!("Not valid: {}{more}", named.join(", "));
        Self { fields, ..Self::new(ErrorCode::Invalid, detail) }
    }

    /// [`ErrorCode::Invalid`] for one field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(field, message)])
    }

    /// [`ErrorCode::WrongCredential`] for the field that held it.
    pub fn wrong_credential(field: &str, detail: &str) -> Self {
        let fields = vec![FieldError::new(field, "is wrong")];
        Self { fields, ..Self::new(ErrorCode::WrongCredential, detail) }
    }

    /// [`ErrorCode::NotFound`] for a kind of record: "lead".
    pub fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("There is no such {what}, or you may not see it."))
    }

    /// [`ErrorCode::Forbidden`] with the reason.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(ErrorCode::Forbidden, detail)
    }

    /// [`ErrorCode::Conflict`] with the reason.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(ErrorCode::Conflict, detail)
    }

    /// [`ErrorCode::Internal`], keeping the cause for the log.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let shown =
            Self::new(ErrorCode::Internal, "The server could not do this. The failure is in its log.");
        Self { cause: Some(cause.into()), ..shown }
    }

    /// [`ErrorCode::Unavailable`], keeping the cause for the log.
    pub fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let shown = Self::new(ErrorCode::Unavailable, "The database cannot answer now. Try again shortly.");
        Self { cause: Some(cause.into()), ..shown }
    }

    /// The same error about fields inside of `outer`: `name` becomes `set.name`.
    #[must_use]
    pub fn inside(self, outer: &str) -> Self {
        if self.fields.is_empty() {
            return self;
        }
        let nested = |error: FieldError| FieldError { field: format!("{outer}.{}", error.field), ..error };
        Self::invalid(self.fields.into_iter().map(nested).collect())
    }

    /// The kind of error.
    pub const fn code(&self) -> ErrorCode {
        self.code
    }

    /// The sentence for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// All bad fields; empty when the error is not about fields.
    pub fn fields(&self) -> &[FieldError] {
        &self.fields
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.detail)?;
        for FieldError { field, message } in &self.fields {
            write!(formatter, "; {field} {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// Turns the absence of a record into [`ErrorCode::NotFound`].
pub trait OrNotFound<T> {
    /// The record, or [`Error::not_found`] for this kind of record.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::NotFound`] when there is none.
    fn or_not_found(self, what: &str) -> Result<T>;
}

impl<T> OrNotFound<T> for Option<T> {
    fn or_not_found(self, what: &str) -> Result<T> {
        self.ok_or_else(|| Error::not_found(what))
    }
}
