use super::plan::Naming;
use super::{Plan, RejectedRow, RejectionQuery};
use crate::access::Action;
use crate::caller::Caller;
use crate::error::Result;
use crate::exports::Sheet;
use crate::ids::ImportId;
use crate::page::Page;

/// How many rows are read in one transaction.
const AT_ONCE: usize = 100;

/// What spreadsheets want to see to take a file for UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// An import's rejected rows as a CSV file on its way out, chunk by chunk: the mapped columns under their own names,
/// then the line that the row began on and the reason. Put right, it can be imported with the same options.
///
/// Columns that are mapped by their places stand there again, with empty ones between them. Of a row that could not be
/// taken apart there are no cells.
#[derive(Debug)]
pub struct RejectedFile {
    caller: Caller,
    import: ImportId,
    plan: Plan,
    query: RejectionQuery,
    is_begun: bool,
    is_ended: bool,
}

impl RejectedFile {
    pub(super) fn new(caller: Caller, import: ImportId, plan: Plan) -> Self {
        let mut query = RejectionQuery::default();
        query.list.limit = AT_ONCE;
        Self { caller, import, plan, query, is_begun: false, is_ended: false }
    }

    /// The next piece of the file, which ends with a whole row; none after the last.
    ///
    /// # Errors
    ///
    /// `unauthenticated` or `forbidden` when the caller has lost the right meanwhile; `unavailable`.
    pub async fn next_chunk(&mut self) -> Result<Option<Vec<u8>>> {
        if self.is_ended {
            return Ok(None);
        }
        let mut work = self.caller.read().await?;
        work.actor().require(Action::Import)?;
        let rows = work.imports().rejections(self.import, &self.query).await?;
        let page = Page::cut(rows, &self.query.list, None);
        let mut sheet = Sheet::new();
        if !self.is_begun && self.plan.naming != Naming::PlacesWithoutHeader {
            self.header(&mut sheet);
        }
        for row in &page.items {
            self.row(row, &mut sheet);
        }
        let (rows, _) = sheet.into_parts();
        let bytes = if self.is_begun { rows } else { [BYTE_ORDER_MARK, &rows].concat() };
        self.is_begun = true;
        self.is_ended = page.next.is_none();
        self.query.list.cursor = page.next;
        Ok(Some(bytes))
    }

    fn header(&self, sheet: &mut Sheet) {
        let names: Vec<&str> = self.plan.columns.iter().map(String::as_str).collect();
        let own = |name, other| if names.contains(&name) { other } else { name };
        let last = [own("line", "rejected line"), own("reason", "rejected reason")];
        sheet.line(self.placed(&names).into_iter().chain(last));
    }

    fn row(&self, row: &RejectedRow, sheet: &mut Sheet) {
        let rejection = &row.rejection;
        let cells: Vec<&str> = rejection.cells.iter().flatten().map(String::as_str).collect();
        let line = rejection.line.to_string();
        let last = [line.as_str(), rejection.reason.as_str()];
        sheet.line(self.placed(&cells).into_iter().chain(last));
    }

    /// The cells of mapped columns where their mapping looks for them.
    fn placed<'a>(&self, cells: &[&'a str]) -> Vec<&'a str> {
        let columns = 0..self.plan.columns.len();
        match self.plan.naming {
            Naming::Header => columns.map(|place| cells.get(place).copied().unwrap_or_default()).collect(),
            Naming::Places | Naming::PlacesWithoutHeader => {
                let width = self.plan.positions.iter().max().map_or(0, |last| last + 1);
                let mut row = vec![""; width];
                for (position, cell) in self.plan.positions.iter().zip(cells) {
                    row[*position] = cell;
                }
                row
            }
        }
    }
}
