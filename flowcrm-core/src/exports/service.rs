use super::export::Walk;
use super::{Export, ExportKind};
use crate::access::Action;
use crate::caller::Caller;
use crate::deals::DealQuery;
use crate::error::Result;
use crate::input::{Asked, Body, Command};
use crate::leads::LeadQuery;
use crate::money::Currency;
use crate::tasks::TaskQuery;

/// Parameters of lists that an export refuses: it has no pages.
pub const PAGING: [&str; 4] = ["limit", "sort", "cursor", "count"];

/// What a caller may take out.
#[derive(Debug)]
pub struct Exports<'a> {
    caller: &'a Caller,
}

impl<'a> Exports<'a> {
    pub(crate) const fn new(caller: &'a Caller) -> Self {
        Self { caller }
    }

    /// Begins a file of all leads that a query selects among those that the caller may list. Its columns are `id`,
    /// the fields that a client may write, `createdAt` and `updatedAt`; people are named by email, or by name to a
    /// caller who may not read emails. A lead without an `externalId` shows its id there.
    ///
    /// # Errors
    ///
    /// `forbidden`; `validation_failed` for a bad query, and for one that asks for a page.
    pub async fn leads(&self, query: impl Into<Asked<LeadQuery>>) -> Result<Export> {
        let query = self.read(query.into()).await?;
        Ok(Export::new(self.caller.clone(), Walk::of_leads(query)))
    }

    /// Begins a file of all deals that a query selects, like [`Exports::leads`]. A deal names its lead by what stands
    /// in the lead's column `externalId`.
    ///
    /// # Errors
    ///
    /// As [`Exports::leads`].
    pub async fn deals(&self, query: impl Into<Asked<DealQuery>>) -> Result<Export> {
        let query = self.read(query.into()).await?;
        Ok(Export::new(self.caller.clone(), Walk::of_deals(query)))
    }

    /// Begins a file of all tasks that a query selects among those that the caller may list, like
    /// [`Exports::leads`].
    ///
    /// # Errors
    ///
    /// As [`Exports::leads`].
    pub async fn tasks(&self, query: impl Into<Asked<TaskQuery>>) -> Result<Export> {
        let query = self.read(query.into()).await?;
        Ok(Export::new(self.caller.clone(), Walk::of_tasks(query)))
    }

    /// Begins a file of one kind, by filters that are still to be read.
    ///
    /// # Errors
    ///
    /// As [`Exports::leads`].
    pub async fn begin(&self, kind: ExportKind, filters: Body) -> Result<Export> {
        match kind {
            ExportKind::Leads => self.leads(filters).await,
            ExportKind::Deals => self.deals(filters).await,
            ExportKind::Tasks => self.tasks(filters).await,
        }
    }

    async fn read<Q: Command>(&self, query: Asked<Q>) -> Result<Q> {
        let work = self.caller.read().await?;
        work.actor().require(Action::Export)?;
        filters(query, work.actor().currency)
    }
}

/// Reads a query that asks for no page.
fn filters<Q: Command>(query: Asked<Q>, currency: Currency) -> Result<Q> {
    let Asked::Sent(body) = query else {
        return query.read(currency);
    };
    let filters = body.refusing_any_of(&PAGING, "is not a parameter here: an export has no pages");
    Asked::<Q>::Sent(filters).read(currency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_takes_filters_but_no_page() {
        let read = |pairs: &[(&str, &str)]| {
            let body = Body::from_query(pairs.iter().copied());
            filters::<LeadQuery>(Asked::Sent(body), Currency::USD)
        };
        assert!(read(&[("status", "NEW"), ("minValue", "5")]).is_ok());
        let refused =
            read(&[("limit", "x"), ("cursor", ""), ("status", "new"), ("colour", "red")]).unwrap_err();
        let fields: Vec<&str> = refused.fields().iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["limit", "cursor", "status", "colour"]);
    }
}
