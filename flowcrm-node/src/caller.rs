//! A caller: one user, by whose rights everything is done.

use std::sync::Arc;

use flowcrm_core::exports::ExportKind;
use flowcrm_core::ids::ImportId;
use flowcrm_core::imports::ImportKind;
use flowcrm_core::input::Body;
use flowcrm_core::operations::{Arguments, Datum, OPERATIONS};
use flowcrm_core::{Error, Result};
use napi::bindgen_prelude::{Env, PromiseRaw};
use napi_derive::napi;

use crate::files::{Chunks, Source, Upload};
use crate::promise::{Cancellation, MoneyAs, promise};

/// One user, and through them everything that they may do.
#[napi]
pub struct Caller {
    caller: Arc<flowcrm_core::Caller>,
    money: MoneyAs,
}

impl Caller {
    pub(crate) fn new(caller: flowcrm_core::Caller, money: MoneyAs) -> Self {
        Self { caller: Arc::new(caller), money }
    }
}

/// What an operation is asked with, besides its fields.
#[napi(object)]
pub struct Asked {
    /// The record's id.
    pub id: Option<String>,
    /// The version that the caller knows of it.
    pub version: Option<i64>,
    /// Makes an operation that creates safe to repeat.
    pub idempotency_key: Option<String>,
}

#[napi]
impl Caller {
    /// The user's id.
    #[napi(getter)]
    pub fn user_id(&self) -> String {
        self.caller.user_id().to_string()
    }

    /// Asks for an operation, with its fields as JSON text; answers `{value, next, total}` as JSON text.
    #[napi]
    pub fn call<'env>(
        &self,
        env: &'env Env,
        operation: String,
        fields: String,
        asked: Asked,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<PromiseRaw<'env, String>> {
        let (caller, money) = (Arc::clone(&self.caller), self.money);
        promise(env, cancellation, async move {
            let found = OPERATIONS.iter().find(|known| known.id == operation);
            let operation = found.ok_or_else(|| Error::not_found("operation"))?;
            let Asked { id, version, idempotency_key } = asked;
            let fields = Body::parse(fields.as_bytes())?;
            let answer = operation.call(&caller, Arguments { id, fields, version, idempotency_key }).await?;
            let text = |text: Option<String>| text.map_or(Datum::Null, |text| Datum::Text(text.into()));
            let total =
                answer.total.and_then(|total| i64::try_from(total).ok()).map_or(Datum::Null, Datum::Integer);
            money.json(Datum::Record(vec![
                ("value".into(), answer.value),
                ("next".into(), text(answer.next)),
                ("total".into(), total),
            ]))
        })
    }

    /// Begins to take in a file of leads or deals.
    #[napi]
    pub fn begin_import<'env>(
        &self,
        env: &'env Env,
        kind: String,
        file_name: String,
        options: String,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<PromiseRaw<'env, Upload>> {
        let caller = Arc::clone(&self.caller);
        promise(env, cancellation, async move {
            let kind: ImportKind = kind.parse().map_err(unknown)?;
            let options = Body::parse(options.as_bytes())?;
            Ok(Upload::new(caller.imports().begin(kind, options, file_name).await?))
        })
    }

    /// Begins to write the rejected rows of an import as a CSV file.
    #[napi]
    pub fn rejected_file<'env>(
        &self,
        env: &'env Env,
        id: String,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<PromiseRaw<'env, Chunks>> {
        let caller = Arc::clone(&self.caller);
        promise(env, cancellation, async move {
            let file = caller.imports().rejected_file(import_id(&id)?).await?;
            Ok(Chunks::new(Source::Rejected(Box::new(file))))
        })
    }

    /// Begins to write leads, deals or tasks as a CSV file.
    #[napi]
    pub fn export<'env>(
        &self,
        env: &'env Env,
        kind: String,
        filters: String,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<PromiseRaw<'env, Chunks>> {
        let caller = Arc::clone(&self.caller);
        promise(env, cancellation, async move {
            let kind: ExportKind = kind.parse().map_err(unknown)?;
            let export = caller.exports().begin(kind, Body::parse(filters.as_bytes())?).await?;
            Ok(Chunks::new(Source::Export(Box::new(export))))
        })
    }
}

fn import_id(id: &str) -> Result<ImportId> {
    id.parse().map_err(|_| Error::not_found("import"))
}

fn unknown(message: String) -> Error {
    Error::field("kind", message)
}
