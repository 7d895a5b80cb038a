use std::io;
use std::time::Duration;

use flowcrm_core::Caller;
use flowcrm_core::ids::ImportId;
use flowcrm_core::imports::{
    Import, ImportKind, ImportOptions, ImportQuery, KeptQuery, KeptRecord, Progress, RejectedFile, Rejection,
    RejectionQuery,
};
use flowcrm_core::worker::Wake;
use futures_util::TryStreamExt as _;
use futures_util::stream::{try_unfold, unfold};
use http::header::{ACCEPT, CONTENT_DISPOSITION};
use poem::web::Data;
use poem::web::sse::{Event, SSE};
use poem::{Body, IntoResponse, Request, Response};
use poem_openapi::param::Path;
use poem_openapi::registry::{MetaMediaType, MetaResponses, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::{ApiResponse, OpenApi};
use serde_json::json;
use tracing::Span;

use super::Chapter;
use crate::answer::{Accepted, Answer, ListAnswer};
use crate::extract::{Query, Signed, Upload};
use crate::problem::Result;

/// A connection on which nothing moves may be cut by what lies between.
const BETWEEN_SIGNS_OF_LIFE: Duration = Duration::from_secs(15);

pub(super) struct Imports;

#[OpenApi(prefix_path = "/api", tag = "Chapter::Import")]
impl Imports {
    /// Takes a CSV file of leads; it is imported in the background.
    #[oai(path = "/leads/import", method = "post", operation_id = "importLeads")]
    async fn leads(
        &self,
        caller: Signed,
        wake: Data<&Wake>,
        upload: Upload<ImportOptions>,
    ) -> Result<Accepted<Import>> {
        take(&caller.0, ImportKind::Leads, upload, &wake).await
    }

    /// Takes a CSV file of deals; it is imported in the background.
    #[oai(path = "/deals/import", method = "post", operation_id = "importDeals")]
    async fn deals(
        &self,
        caller: Signed,
        wake: Data<&Wake>,
        upload: Upload<ImportOptions>,
    ) -> Result<Accepted<Import>> {
        take(&caller.0, ImportKind::Deals, upload, &wake).await
    }

    /// Lists imports, newest first.
    #[oai(path = "/imports", method = "get", operation_id = "listImports")]
    async fn list(&self, caller: Signed, query: Query<ImportQuery>) -> Result<ListAnswer<Import>> {
        Ok(ListAnswer(caller.0.imports().list(query.0).await?))
    }

    /// Reads how far an import is, and how it ended. With `Accept: text/event-stream` it stays open, and sends the
    /// import as an event `progress` at once and after each change, until it has ended or has been undone.
    #[oai(path = "/imports/:id", method = "get", operation_id = "getImport")]
    async fn get(&self, caller: Signed, id: Path<ImportId>, request: &Request) -> Result<Watched> {
        if wants(request, "text/event-stream") {
            return Ok(Watched::Progress(Box::new(caller.0.imports().progress(id.0).await?)));
        }
        Ok(Watched::Import(Answer(caller.0.imports().get(id.0).await?)))
    }

    /// Undoes an import, in the background: what it created is deleted, what it updated becomes what it was before.
    /// Records that somebody has changed since, or that activities, deals or tasks refer to, are kept and listed. An
    /// import that still runs is stopped. Asking again takes up anew what was kept; a dry run cannot be undone.
    #[oai(path = "/imports/:id", method = "delete", operation_id = "undoImport")]
    async fn undo(&self, caller: Signed, wake: Data<&Wake>, id: Path<ImportId>) -> Result<Accepted<Import>> {
        let import = caller.0.imports().undo(id.0).await?;
        wake.wake();
        Ok(Accepted(import))
    }

    /// Lists the records that undoing an import has left as they are, by line, with the reason.
    #[oai(path = "/imports/:id/kept", method = "get", operation_id = "listKeptRecords")]
    async fn kept(
        &self,
        caller: Signed,
        id: Path<ImportId>,
        query: Query<KeptQuery>,
    ) -> Result<ListAnswer<KeptRecord>> {
        Ok(ListAnswer(caller.0.imports().kept(id.0, query.0).await?))
    }

    /// Lists the rows that were rejected, by line, with column and reason. With `Accept: text/csv` it answers all of
    /// them as a CSV file that can be put right and imported again with the same options: the mapped columns, then the
    /// line and the reason.
    #[oai(path = "/imports/:id/rejected", method = "get", operation_id = "listRejectedRows")]
    async fn rejected(
        &self,
        caller: Signed,
        id: Path<ImportId>,
        query: Query<RejectionQuery>,
        request: &Request,
    ) -> Result<Rejected> {
        if wants(request, "text/csv") {
            return Ok(Rejected::File(Box::new(caller.0.imports().rejected_file(id.0).await?)));
        }
        Ok(Rejected::List(ListAnswer(caller.0.imports().rejected(id.0, query.0).await?)))
    }
}

/// 200 with a page of rejected rows, or with all of them as a file.
enum Rejected {
    List(ListAnswer<Rejection>),
    File(Box<RejectedFile>),
}

/// 200 with an import, or with events as it goes on.
enum Watched {
    Import(Answer<Import>),
    Progress(Box<Progress>),
}

/// Whether this is the media type that the client names first, or alone.
fn wants(request: &Request, media_type: &str) -> bool {
    let accepted = request.header(ACCEPT).unwrap_or_default();
    let first = accepted.split([',', ';']).next().unwrap_or_default();
    first.trim().eq_ignore_ascii_case(media_type)
}

impl IntoResponse for Watched {
    fn into_response(self) -> Response {
        let progress = match self {
            Self::Import(import) => return import.into_response(),
            Self::Progress(progress) => progress,
        };
        let span = Span::current();
        let events = unfold(Some(progress), move |progress| next_event(progress, span.clone()));
        SSE::new(events).keep_alive(BETWEEN_SIGNS_OF_LIFE).into_response()
    }
}

/// The next event of a watched import. A failure ends the stream with an event `error` that says no more than its
/// code; the client may read the import to learn the rest.
async fn next_event(progress: Option<Box<Progress>>, span: Span) -> Option<(Event, Option<Box<Progress>>)> {
    let mut progress = progress?;
    let event = |name: &str, data: &serde_json::Value| Event::message(data.to_string()).event_type(name);
    match progress.next().await.and_then(|import| {
        import.map(serde_json::to_value).transpose().map_err(flowcrm_core::Error::internal)
    }) {
        Ok(Some(import)) => Some((event("progress", &import), Some(progress))),
        Ok(None) => None,
        Err(error) => {
            let _entered = span.enter();
            tracing::warn!(error = &error as &dyn std::error::Error, "progress cut off");
            Some((event("error", &json!({"code": error.code().slug()})), None))
        }
    }
}

impl ApiResponse for Watched {
    fn meta() -> MetaResponses {
        also_as("text/event-stream", Answer::<Import>::meta())
    }

    fn register(registry: &mut Registry) {
        Answer::<Import>::register(registry);
    }
}

/// The same answers, whose bodies come as text of another media type too.
fn also_as(media_type: &'static str, mut meta: MetaResponses) -> MetaResponses {
    for response in &mut meta.responses {
        let schema = MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")));
        response.content.push(MetaMediaType { content_type: media_type, schema });
    }
    meta
}

impl IntoResponse for Rejected {
    fn into_response(self) -> Response {
        let file = match self {
            Self::List(list) => return list.into_response(),
            Self::File(file) => file,
        };
        let span = Span::current();
        let chunks =
            try_unfold(file, async |mut file| Ok(file.next_chunk().await?.map(|chunk| (chunk, file))));
        let chunks = chunks.map_err(move |error: flowcrm_core::Error| {
            let _entered = span.enter();
            tracing::error!(error = &error as &dyn std::error::Error, "rejected rows cut off");
            io::Error::other(error)
        });
        Response::builder()
            .content_type("text/csv; charset=utf-8")
            .header(CONTENT_DISPOSITION, "attachment; filename=\"rejected.csv\"")
            .body(Body::from_bytes_stream(chunks))
    }
}

impl ApiResponse for Rejected {
    fn meta() -> MetaResponses {
        also_as("text/csv; charset=utf-8", ListAnswer::<Rejection>::meta())
    }

    fn register(registry: &mut Registry) {
        ListAnswer::<Rejection>::register(registry);
    }
}

async fn take(
    caller: &Caller,
    kind: ImportKind,
    upload: Upload<ImportOptions>,
    wake: &Wake,
) -> Result<Accepted<Import>> {
    let (options, file) = upload.open().await?;
    let mut staging = caller.imports().begin(kind, options, file.file_name.clone()).await?;
    let mut pieces = file.into_pieces();
    loop {
        match pieces.next().await {
            Ok(Some(piece)) => staging.push(piece).await?,
            Ok(None) => break,
            Err(error) => {
                staging.abandon().await;
                return Err(error.into());
            }
        }
    }
    let import = staging.finish().await?;
    wake.wake();
    Ok(Accepted(import))
}
