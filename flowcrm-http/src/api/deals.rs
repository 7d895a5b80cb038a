use flowcrm_core::bulk::BulkOutcome;
use flowcrm_core::deals::{Deal, DealDetail, DealPatch, DealQuery, NewDeal};
use flowcrm_core::ids::DealId;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::bulk::BulkDeals;
use super::{Chapter, Deleted};
use crate::answer::{Answer, Created, ListAnswer, Versioned};
use crate::extract::{IfMatch, JsonBody, Query, Signed};
use crate::problem::Result;

pub(super) struct Deals;

#[OpenApi(prefix_path = "/api/deals", tag = "Chapter::Deals")]
impl Deals {
    /// Lists deals.
    #[oai(path = "/", method = "get", operation_id = "listDeals")]
    async fn list(&self, caller: Signed, query: Query<DealQuery>) -> Result<ListAnswer<Deal>> {
        Ok(ListAnswer(caller.0.deals().list(query.0).await?))
    }

    /// Creates a deal.
    #[oai(path = "/", method = "post", operation_id = "createDeal")]
    async fn create(&self, caller: Signed, body: JsonBody<NewDeal>) -> Result<Created<Deal>> {
        Ok(Created(caller.0.deals().create(body.0).await?))
    }

    /// Changes or deletes up to 500 deals, each by your right on it.
    #[oai(path = "/bulk", method = "post", operation_id = "bulkDeals")]
    async fn bulk(&self, caller: Signed, body: JsonBody<BulkDeals>) -> Result<Answer<Vec<BulkOutcome>>> {
        Ok(Answer(caller.0.deals().bulk(body.0).await?))
    }

    /// Reads a deal with its lead, its people and its tasks.
    #[oai(path = "/:id", method = "get", operation_id = "getDeal")]
    async fn get(&self, caller: Signed, id: Path<DealId>) -> Result<Versioned<DealDetail>> {
        let record = caller.0.deals().get(id.0).await?;
        Ok(Versioned { version: Some(record.deal.version), record })
    }

    /// Changes a deal: absent fields stay, null clears; a new `stage` moves it.
    #[oai(path = "/:id", method = "put", operation_id = "updateDeal")]
    async fn update(
        &self,
        caller: Signed,
        id: Path<DealId>,
        if_match: IfMatch,
        body: JsonBody<DealPatch>,
    ) -> Result<Versioned<Deal>> {
        let record = caller.0.deals().update(id.0, body.0, if_match.0).await?;
        Ok(Versioned { version: Some(record.version), record })
    }

    /// Deletes a deal; its tasks stay, without it.
    #[oai(path = "/:id", method = "delete", operation_id = "deleteDeal")]
    async fn delete(&self, caller: Signed, id: Path<DealId>) -> Result<Answer<Deleted>> {
        caller.0.deals().delete(id.0).await?;
        Ok(Answer(Deleted::of(id.0)))
    }
}
