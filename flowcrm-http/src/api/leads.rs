use flowcrm_core::activities::{Activity, ActivityQuery, NewActivity};
use flowcrm_core::bulk::BulkOutcome;
use flowcrm_core::ids::LeadId;
use flowcrm_core::leads::{
    AssignLead, Conversion, ConvertLead, Lead, LeadDetail, LeadPatch, LeadQuery, NewLead,
};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::bulk::BulkLeads;
use super::{Chapter, Deleted};
use crate::answer::{Answer, Created, ListAnswer, Versioned};
use crate::extract::{IfMatch, JsonBody, Query, Signed};
use crate::problem::Result;

pub(super) struct Leads;

#[OpenApi(prefix_path = "/api/leads", tag = "Chapter::Leads")]
impl Leads {
    /// Lists the leads that you may see.
    #[oai(path = "/", method = "get", operation_id = "listLeads")]
    async fn list(&self, caller: Signed, query: Query<LeadQuery>) -> Result<ListAnswer<Lead>> {
        Ok(ListAnswer(caller.0.leads().list(query.0).await?))
    }

    /// Creates a lead.
    #[oai(path = "/", method = "post", operation_id = "createLead")]
    async fn create(&self, caller: Signed, body: JsonBody<NewLead>) -> Result<Created<Lead>> {
        Ok(Created(caller.0.leads().create(body.0).await?))
    }

    /// Changes or deletes up to 500 leads, each by your right on it.
    #[oai(path = "/bulk", method = "post", operation_id = "bulkLeads")]
    async fn bulk(&self, caller: Signed, body: JsonBody<BulkLeads>) -> Result<Answer<Vec<BulkOutcome>>> {
        Ok(Answer(caller.0.leads().bulk(body.0).await?))
    }

    /// Reads a lead with its people, its 20 newest activities and its deals.
    #[oai(path = "/:id", method = "get", operation_id = "getLead")]
    async fn get(&self, caller: Signed, id: Path<LeadId>) -> Result<Versioned<LeadDetail>> {
        let record = caller.0.leads().get(id.0).await?;
        Ok(Versioned { version: Some(record.lead.version), record })
    }

    /// Changes a lead: absent fields stay, null clears.
    #[oai(path = "/:id", method = "put", operation_id = "updateLead")]
    async fn update(
        &self,
        caller: Signed,
        id: Path<LeadId>,
        if_match: IfMatch,
        body: JsonBody<LeadPatch>,
    ) -> Result<Versioned<Lead>> {
        let record = caller.0.leads().update(id.0, body.0, if_match.0).await?;
        Ok(Versioned { version: Some(record.version), record })
    }

    /// Deletes a lead with its activities; its deals and tasks stay, without it.
    #[oai(path = "/:id", method = "delete", operation_id = "deleteLead")]
    async fn delete(&self, caller: Signed, id: Path<LeadId>) -> Result<Answer<Deleted>> {
        caller.0.leads().delete(id.0).await?;
        Ok(Answer(Deleted::of(id.0)))
    }

    /// Gives a lead to somebody, or to nobody.
    #[oai(path = "/:id/assign", method = "post", operation_id = "assignLead")]
    async fn assign(
        &self,
        caller: Signed,
        id: Path<LeadId>,
        body: JsonBody<AssignLead>,
    ) -> Result<Versioned<Lead>> {
        let record = caller.0.leads().assign(id.0, body.0).await?;
        Ok(Versioned { version: Some(record.version), record })
    }

    /// Makes a deal of a lead, and sets the lead WON.
    #[oai(path = "/:id/convert", method = "post", operation_id = "convertLead")]
    async fn convert(
        &self,
        caller: Signed,
        id: Path<LeadId>,
        body: JsonBody<ConvertLead>,
    ) -> Result<Created<Conversion>> {
        Ok(Created(caller.0.leads().convert(id.0, body.0).await?))
    }

    /// Lists a lead's activities, newest first.
    #[oai(path = "/:id/activities", method = "get", operation_id = "listLeadActivities")]
    async fn activities(
        &self,
        caller: Signed,
        id: Path<LeadId>,
        query: Query<ActivityQuery>,
    ) -> Result<ListAnswer<Activity>> {
        Ok(ListAnswer(caller.0.leads().activities(id.0, query.0).await?))
    }

    /// Adds an activity to a lead.
    #[oai(path = "/:id/activities", method = "post", operation_id = "addLeadActivity")]
    async fn add_activity(
        &self,
        caller: Signed,
        id: Path<LeadId>,
        body: JsonBody<NewActivity>,
    ) -> Result<Created<Activity>> {
        Ok(Created(caller.0.leads().add_activity(id.0, body.0).await?))
    }
}
