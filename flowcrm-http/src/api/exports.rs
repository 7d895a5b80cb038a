use std::borrow::Cow;
use std::io;

use flowcrm_core::deals::DealQuery;
use flowcrm_core::exports::{Export, ExportKind, PAGING};
use flowcrm_core::leads::LeadQuery;
use flowcrm_core::tasks::TaskQuery;
use futures_util::TryStreamExt as _;
use futures_util::stream::try_unfold;
use http::StatusCode;
use http::header::CONTENT_DISPOSITION;
use poem::{Body, IntoResponse, Response};
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, OpenApi};
use tracing::Span;

use super::Chapter;
use crate::extract::{Query, Signed};
use crate::problem::Result;

pub(super) struct Exports;

#[OpenApi(prefix_path = "/api", tag = "Chapter::Export")]
impl Exports {
    /// Answers all leads that the filters select among those that you may list, as a CSV file that an import takes
    /// back. A lead without an `externalId` shows its id there; a cell that a spreadsheet would run as a formula has an
    /// apostrophe in front.
    #[oai(path = "/leads/export", method = "get", operation_id = "exportLeads")]
    async fn leads(&self, caller: Signed, filters: Query<Filters<LeadQuery>>) -> Result<CsvFile> {
        let export = caller.0.exports().leads(filters.0).await?;
        Ok(CsvFile { kind: ExportKind::Leads, export })
    }

    /// Answers all deals that the filters select, as a CSV file that an import takes back. A deal names its lead by
    /// what stands in the lead's column `externalId`.
    #[oai(path = "/deals/export", method = "get", operation_id = "exportDeals")]
    async fn deals(&self, caller: Signed, filters: Query<Filters<DealQuery>>) -> Result<CsvFile> {
        let export = caller.0.exports().deals(filters.0).await?;
        Ok(CsvFile { kind: ExportKind::Deals, export })
    }

    /// Answers all tasks that the filters select among those that you may list, as a CSV file.
    #[oai(path = "/tasks/export", method = "get", operation_id = "exportTasks")]
    async fn tasks(&self, caller: Signed, filters: Query<Filters<TaskQuery>>) -> Result<CsvFile> {
        let export = caller.0.exports().tasks(filters.0).await?;
        Ok(CsvFile { kind: ExportKind::Tasks, export })
    }
}

/// 200 with a CSV file, written while it is read. When that fails in the middle, the connection is cut, so that
/// nobody takes a part for the whole.
struct CsvFile {
    kind: ExportKind,
    export: Export,
}

impl IntoResponse for CsvFile {
    fn into_response(self) -> Response {
        let (kind, span) = (self.kind, Span::current());
        let chunks = try_unfold(self.export, async |mut export| {
            Ok(export.next_chunk().await?.map(|chunk| (chunk, export)))
        });
        let chunks = chunks.map_err(move |error: flowcrm_core::Error| {
            let _entered = span.enter();
            let cause = &error as &dyn std::error::Error;
            tracing::error!(export.kind = kind.as_str(), error = cause, "export cut off");
            io::Error::other(error)
        });
        Response::builder()
            .content_type("text/csv; charset=utf-8")
            .header(CONTENT_DISPOSITION, format!("attachment; filename=\"{kind}.csv\""))
            .body(Body::from_bytes_stream(chunks))
    }
}

impl ApiResponse for CsvFile {
    fn meta() -> MetaResponses {
        let schema = MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")));
        let disposition = MetaHeader {
            name: "Content-Disposition".to_owned(),
            description: Some("Says that it is a file, and its name.".to_owned()),
            required: true,
            deprecated: false,
            schema: schema.clone(),
        };
        let response = MetaResponse {
            description: "A CSV file (RFC 4180), UTF-8, with a header.",
            status: Some(StatusCode::OK.as_u16()),
            status_range: None,
            content: vec![MetaMediaType { content_type: "text/csv; charset=utf-8", schema }],
            headers: vec![disposition],
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}

/// The query `Q` of a list, described without what pages it.
struct Filters<Q>(Q);

impl<Q: Type> Type for Filters<Q> {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        format!("Filters_{}", Q::name()).into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(Self::name().into_owned())
    }

    fn register(registry: &mut Registry) {
        Q::register(registry);
        let mut schema = registry.schemas.get(&*Q::name()).cloned().unwrap_or(MetaSchema::ANY);
        schema.properties.retain(|(name, _)| !PAGING.contains(name));
        registry.create_schema::<Self, _>(Self::name().into_owned(), |_| schema);
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}
