//! Calls as promises: with what was refused as text that the other half makes an error of, and with an end to waiting.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use flowcrm_core::operations::Datum;
use flowcrm_core::worker::panic_message;
use flowcrm_core::{Error, Result};
use futures_util::FutureExt as _;
use napi::bindgen_prelude::{Env, PromiseRaw, ToNapiValue};
use napi_derive::napi;
use serde_json::json;
use tokio::sync::Notify;

/// What gives up one call: the other half of an `AbortSignal`.
#[napi]
#[derive(Default)]
pub struct Cancellation(Arc<Notify>);

#[napi]
impl Cancellation {
    /// One that has not happened.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the call up; a command that has not been committed is undone.
    #[napi]
    pub fn cancel(&self) {
        self.0.notify_one();
    }
}

/// A promise of what a call comes to. A panic is an `internal_error`, which carries its cause.
pub(crate) fn promise<'env, T: ToNapiValue + Send + 'static>(
    env: &'env Env,
    cancellation: Option<&Cancellation>,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> napi::Result<PromiseRaw<'env, T>> {
    let cancelled = cancellation.map(|cancellation| Arc::clone(&cancellation.0));
    env.spawn_future(async move {
        let outcome = AssertUnwindSafe(work).catch_unwind();
        let outcome = match cancelled {
            None => outcome.await,
            Some(cancelled) => tokio::select! {
                biased;
                () = cancelled.notified() => return Err(napi::Error::from_reason("")),
                outcome = outcome => outcome,
            },
        };
        let outcome = outcome.unwrap_or_else(|panic| Err(Error::internal(panic_message(&*panic))));
        outcome.map_err(|error| refusal(&error))
    })
}

/// What was refused, as the text of an error that the other half reads.
pub(crate) fn refusal(error: &Error) -> napi::Error {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    let described = json!({
        "code": error.code().slug(),
        "status": error.code().status(),
        "message": error.to_string(),
        "errors": error.fields(),
        "cause": cause,
    });
    napi::Error::from_reason(described.to_string())
}

/// How money is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MoneyAs {
    Number,
    Text,
}

impl MoneyAs {
    pub(crate) const fn of(is_text: bool) -> Self {
        if is_text { Self::Text } else { Self::Number }
    }

    /// A value as JSON text.
    pub(crate) fn json(self, datum: Datum) -> Result<String> {
        let told = if self == Self::Text { spelled(datum) } else { datum };
        serde_json::to_string(&told).map_err(Error::internal)
    }
}

/// The value with its money as text.
fn spelled(datum: Datum) -> Datum {
    match datum {
        Datum::Money(amount) => Datum::Text(amount.into()),
        Datum::List(items) => Datum::List(items.into_iter().map(spelled).collect()),
        Datum::Record(fields) => {
            Datum::Record(fields.into_iter().map(|(name, value)| (name, spelled(value))).collect())
        }
        other => other,
    }
}
