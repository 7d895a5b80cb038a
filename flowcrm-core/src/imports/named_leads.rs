//! The leads that the deals of a file name.

use std::collections::{HashMap, HashSet};

use super::row::{Draft, RowReader};
use super::{ImportField, Rejection};
use crate::deals::{DealPatch, NewDeal};
use crate::error::Result;
use crate::ids::LeadId;
use crate::patch::Patch;
use crate::work::Work;

pub(super) type DealDraft = Draft<NewDeal, DealPatch>;

/// The leads that deals name, as far as they are there.
pub(super) struct NamedLeads {
    by_external_id: HashMap<String, LeadId>,
    by_id: HashSet<LeadId>,
}

impl NamedLeads {
    pub(super) async fn look_up(work: &mut Work, drafts: &[DealDraft]) -> Result<Self> {
        let external_ids: Vec<String> = drafts.iter().filter_map(|draft| draft.lead.clone()).collect();
        let ids: Vec<LeadId> = drafts.iter().filter_map(lead_id).collect();
        let by_external_id = work.imports().leads_by_external_id(&external_ids).await?.into_iter().collect();
        let by_id = work.imports().present_leads(&ids).await?.into_iter().collect();
        Ok(Self { by_external_id, by_id })
    }

    /// The draft with its lead.
    pub(super) fn find(
        &self,
        mut draft: DealDraft,
        reader: &RowReader<'_>,
    ) -> Result<DealDraft, Box<Rejection>> {
        if let Some(external_id) = &draft.lead {
            let Some(lead) = self.by_external_id.get(external_id) else {
                let message = "is not the external id of a lead";
                return Err(Box::new(reader.reject(&draft.row, ImportField::LeadExternalId, message)));
            };
            if let Some(patch) = &mut draft.patch {
                patch.lead_id = Patch::Set(*lead);
            }
            if let Ok(new) = &mut draft.new {
                new.lead_id = Some(*lead);
            }
        }
        let named = lead_id(&draft).filter(|_| draft.lead.is_none());
        if named.is_some_and(|lead| !self.by_id.contains(&lead)) {
            let message = "is not the id of a lead";
            return Err(Box::new(reader.reject(&draft.row, ImportField::LeadId, message)));
        }
        Ok(draft)
    }
}

/// The lead that a deal names by its id.
fn lead_id(draft: &DealDraft) -> Option<LeadId> {
    match &draft.patch {
        Some(patch) => patch.lead_id.value().copied(),
        None => draft.new.as_ref().ok()?.lead_id,
    }
}
