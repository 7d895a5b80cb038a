//! Files on their way in and out, piece by piece.

use std::sync::Arc;

use flowcrm_core::exports::Export;
use flowcrm_core::imports::{self, Import, RejectedFile, Staging};
use flowcrm_core::{Error, ErrorCode, Result};
use napi::bindgen_prelude::{Buffer, Env, PromiseRaw, Uint8Array};
use napi_derive::napi;
use tokio::sync::Mutex;

use crate::promise::{Cancellation, promise};

/// A file that is being taken in.
#[napi]
pub struct Upload(Arc<Mutex<Option<Staging>>>);

impl Upload {
    pub(crate) fn new(staging: Staging) -> Self {
        Self(Arc::new(Mutex::new(Some(staging))))
    }
}

#[napi]
impl Upload {
    /// Takes the next piece.
    #[napi]
    pub fn push<'env>(
        &self,
        env: &'env Env,
        piece: Uint8Array,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<PromiseRaw<'env, ()>> {
        let (staging, piece) = (Arc::clone(&self.0), piece.to_vec());
        let work = async move { staging.lock().await.as_mut().ok_or_else(ended)?.push(&piece).await };
        promise(env, cancellation, work)
    }

    /// Ends the file, and works on the import; both go on when nobody waits for them any more.
    #[napi]
    pub fn run<'env>(
        &self,
        env: &'env Env,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<PromiseRaw<'env, ImportRun>> {
        let staging = Arc::clone(&self.0);
        promise(env, cancellation, async move {
            let run = staging.lock().await.take().ok_or_else(ended)?.run().await?;
            Ok(ImportRun(Arc::new(Mutex::new(run))))
        })
    }

    /// Throws away what has been taken in.
    #[napi]
    pub fn abandon<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        let staging = Arc::clone(&self.0);
        promise(env, None, async move {
            if let Some(staging) = staging.lock().await.take() {
                staging.abandon().await;
            }
            Ok(())
        })
    }
}

/// An import that is worked on and watched.
#[napi]
pub struct ImportRun(Arc<Mutex<imports::ImportRun>>);

#[napi]
impl ImportRun {
    /// The import as JSON text, as soon as something about it has changed; nothing after it has come to its end.
    #[napi]
    pub fn next<'env>(
        &self,
        env: &'env Env,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<PromiseRaw<'env, Option<String>>> {
        let run = Arc::clone(&self.0);
        promise(
            env,
            cancellation,
            async move { run.lock().await.next().await?.as_ref().map(json).transpose() },
        )
    }
}

/// A CSV file that is being written.
#[napi]
pub struct Chunks(Arc<Mutex<Source>>);

/// What it is written from.
pub(crate) enum Source {
    Export(Box<Export>),
    Rejected(Box<RejectedFile>),
}

impl Chunks {
    pub(crate) fn new(source: Source) -> Self {
        Self(Arc::new(Mutex::new(source)))
    }
}

#[napi]
impl Chunks {
    /// The next piece; nothing after the last.
    #[napi]
    pub fn next<'env>(
        &self,
        env: &'env Env,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<PromiseRaw<'env, Option<Buffer>>> {
        let source = Arc::clone(&self.0);
        promise(env, cancellation, async move {
            let chunk = match &mut *source.lock().await {
                Source::Export(export) => export.next_chunk().await?,
                Source::Rejected(file) => file.next_chunk().await?,
            };
            Ok(chunk.map(Buffer::from))
        })
    }
}

/// An import, which has no money, as JSON text.
fn json(import: &Import) -> Result<String> {
    serde_json::to_string(import).map_err(Error::internal)
}

fn ended() -> Error {
    Error::new(ErrorCode::Conflict, "The file has ended.")
}
