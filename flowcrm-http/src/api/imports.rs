use std::io;

use flowcrm_core::Caller;
use flowcrm_core::ids::ImportId;
use flowcrm_core::imports::{
    Import, ImportKind, ImportOptions, ImportQuery, RejectedFile, Rejection, RejectionQuery,
};
use futures_util::TryStreamExt as _;
use futures_util::stream::try_unfold;
use http::header::{ACCEPT, CONTENT_DISPOSITION};
use poem::web::Data;
use poem::{Body, IntoResponse, Request, Response};
use poem_openapi::param::Path;
use poem_openapi::registry::{MetaMediaType, MetaResponses, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::{ApiResponse, OpenApi};
use tracing::Span;

use super::Chapter;
use crate::answer::{Accepted, Answer, ListAnswer};
use crate::extract::{Query, Signed, Upload};
use crate::problem::Result;
use crate::worker::Wake;

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

    /// Reads how far an import is, and how it ended.
    #[oai(path = "/imports/:id", method = "get", operation_id = "getImport")]
    async fn get(&self, caller: Signed, id: Path<ImportId>) -> Result<Answer<Import>> {
        Ok(Answer(caller.0.imports().get(id.0).await?))
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
        if wants_csv(request) {
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

/// Whether a CSV file is what the client names first, or alone.
fn wants_csv(request: &Request) -> bool {
    let accepted = request.header(ACCEPT).unwrap_or_default();
    let first = accepted.split([',', ';']).next().unwrap_or_default();
    first.trim().eq_ignore_ascii_case("text/csv")
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
        let mut meta = ListAnswer::<Rejection>::meta();
        let schema = MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")));
        for response in &mut meta.responses {
            response
                .content
                .push(MetaMediaType { content_type: "text/csv; charset=utf-8", schema: schema.clone() });
        }
        meta
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
