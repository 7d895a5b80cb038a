use flowcrm_core::Caller;
use flowcrm_core::ids::ImportId;
use flowcrm_core::imports::{Import, ImportKind, ImportOptions, ImportQuery, Rejection, RejectionQuery};
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;

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

    /// Lists the rows that were rejected, by line, with column and reason.
    #[oai(path = "/imports/:id/rejected", method = "get", operation_id = "listRejectedRows")]
    async fn rejected(
        &self,
        caller: Signed,
        id: Path<ImportId>,
        query: Query<RejectionQuery>,
    ) -> Result<ListAnswer<Rejection>> {
        Ok(ListAnswer(caller.0.imports().rejected(id.0, query.0).await?))
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
    while let Some(piece) = pieces.next().await? {
        staging.push(piece).await?;
    }
    let import = staging.finish().await?;
    wake.wake();
    Ok(Accepted(import))
}
