use std::borrow::Cow;

use super::field::fold;
use super::plan::Naming;
use super::{Plan, Rejection, RejectionQuery};
use crate::access::Action;
use crate::caller::Caller;
use crate::error::Result;
use crate::exports::Sheet;
use crate::ids::ImportId;
use crate::money::Currency;
use crate::page::Page;

/// How many rows are read in one transaction.
const AT_ONCE: usize = 100;

/// What spreadsheets want to see to take a file for UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// What the last two columns are called; otherwise where a column of the file is called so.
const LINE: [&str; 2] = ["line", "rejected line"];
const REASON: [&str; 2] = ["reason", "rejected reason"];

/// Whether a header is that of rejected rows: none of its columns was left out before, so none may be now.
pub(super) fn is_of_rejected_rows(header: &[&str]) -> bool {
    matches!(header, [_, .., line, reason] if LINE.contains(line) && REASON.contains(reason))
}

/// An import's rejected rows as a CSV file on its way out, chunk by chunk: the mapped columns under their own names,
/// then the line that the row began on and the reason. Put right, it can be imported with the same options: it has the
/// delimiter of the first file, and a byte order mark, which beats a named encoding.
///
/// A cell says what it said in the first file. Where only its whole column told what a date, an amount or a probability
/// is, it is written so that it tells by itself: `1,234` with a decimal comma as `1,2340`. Columns that are mapped by their
/// places stand there again, with empty ones between them. Of a row that could not be taken apart there are no cells.
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
        let writer = Writer { plan: &self.plan, currency: work.actor().currency };
        let mut sheet = Sheet::separated_by(self.plan.delimiter);
        if !self.is_begun && self.plan.naming != Naming::PlacesWithoutHeader {
            writer.header(&mut sheet);
        }
        for row in &page.items {
            writer.row(&row.rejection, &mut sheet);
        }
        let (rows, _) = sheet.into_parts();
        let bytes = if self.is_begun { rows } else { [BYTE_ORDER_MARK, &rows].concat() };
        self.is_begun = true;
        self.is_ended = page.next.is_none();
        self.query.list.cursor = page.next;
        Ok(Some(bytes))
    }
}

/// Writes rejected rows by the plan of their import.
struct Writer<'a> {
    plan: &'a Plan,
    currency: Currency,
}

impl Writer<'_> {
    fn header(&self, sheet: &mut Sheet) {
        let names: Vec<&str> = self.plan.columns.iter().map(String::as_str).collect();
        let is_taken = |name: &str| names.iter().any(|column| fold(column) == name);
        let own = |[name, other]: [&'static str; 2]| if is_taken(name) { other } else { name };
        let last = [own(LINE), own(REASON)];
        sheet.line(self.placed(&names).into_iter().chain(last));
    }

    fn row(&self, rejection: &Rejection, sheet: &mut Sheet) {
        let cells = rejection.cells.iter().flatten().enumerate();
        let cells: Vec<Cow<'_, str>> =
            cells.map(|(place, cell)| self.plan.told(place, cell, self.currency)).collect();
        let cells: Vec<&str> = cells.iter().map(Cow::as_ref).collect();
        let line = rejection.line.to_string();
        let last = [line.as_str(), rejection.reason.as_str()];
        sheet.line(self.placed(&cells).into_iter().chain(last));
    }

    /// The cells of mapped columns where their mapping looks for them.
    fn placed<'b>(&self, cells: &[&'b str]) -> Vec<&'b str> {
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::ImportKind;
    use super::super::trial::Trial;
    use super::*;

    /// The file of what was rejected.
    fn file_of(trial: &Trial) -> String {
        let writer = Writer { plan: &trial.plan, currency: Currency::USD };
        let mut sheet = Sheet::separated_by(trial.plan.delimiter);
        if trial.plan.naming != Naming::PlacesWithoutHeader {
            writer.header(&mut sheet);
        }
        trial.rejections.iter().for_each(|rejection| writer.row(rejection, &mut sheet));
        let bytes = [BYTE_ORDER_MARK, &sheet.into_parts().0].concat();
        String::from_utf8(bytes).unwrap()
    }

    /// Why each row was rejected, by column.
    fn reasons(trial: &Trial) -> Vec<(Option<String>, String)> {
        let said = |rejection: &Rejection| (rejection.column.clone(), rejection.reason.clone());
        trial.rejections.iter().map(said).collect()
    }

    /// Demands that what a file's rejected rows say is rejected again, for the same reasons, with the same options.
    fn comes_back(kind: ImportKind, options: &Value, file: &str) {
        let first = Trial::of(kind, options, file.as_bytes()).unwrap();
        assert!(!first.rejections.is_empty(), "{file}");
        let rejected = file_of(&first);
        let again = Trial::of(kind, options, rejected.as_bytes()).unwrap();
        assert_eq!((reasons(&again), again.records.len()), (reasons(&first), 0), "{rejected}");
        let further = Trial::of(kind, options, file_of(&again).as_bytes()).unwrap();
        assert_eq!(file_of(&further).len(), file_of(&again).len(), "nothing piles up");
    }

    #[test]
    fn what_decided_in_the_whole_file_decides_in_its_rejected_rows() {
        let deals = [
            "Deal - Title,Deal - Stage,Deal - Status\nA,Demo Scheduled,Won\nLoom,Demo Scheduled,Deleted\n",
            "Deal - Title,Deal - Stage,Deal - Status\nLoom,Demo Scheduled,Deleted\nA,Demo Scheduled,Won\n",
            "title;amount\nA;0,50\nLoom;1,234\nMill;1.500,007\n",
            "title,amount\nA,\"1,234,567\"\nLoom,\"1,234 EUR\"\n",
            "title,probability\nA,33\nLoom,0.5\nMill,33.27\n",
            "title,probability\nA,0.25\nLoom,0.333\n",
            "title,probability\nLoom,1.0\nMill,1\n",
            "title,amount,currency\nA,5,USD\nLoom,5,EUR\n",
        ];
        for file in deals {
            comes_back(ImportKind::Deals, &json!({}), file);
        }
        let of_users = [
            ("Owner ID", "00000000-0000-0000-0000-000000000003", "max"),
            ("Owner ID", "", "00000000-0000-0000-0000-00000000000z"),
            ("User ID", "max@x.org", "12"),
        ];
        for (column, common, odd) in of_users {
            let file = format!("name,{column}\n{}Ada,{odd}\n", format!("A,{common}\n").repeat(150));
            comes_back(ImportKind::Leads, &json!({}), &file);
        }
    }

    #[test]
    fn rejected_rows_are_taken_with_the_options_of_their_file() {
        let files = [
            (
                json!({"encoding": "windows-1252"}),
                "Name,E-Mail,Phone\nZoe,z @x.org,'+49 1\nZoe,z @x.org,''+49 1\n",
            ),
            (json!({"delimiter": "pipe"}), "name|email|notes\nZoe|z @x.org|\"a|b, c;d\"\n"),
            (
                json!({"mapping": {"name": "Name", "notes": "reason", "email": "E-Mail", "phone": "LINE"}}),
                "Name,Reason,E-Mail,Line\nZoe,why,z @x.org,3\n",
            ),
            (json!({"mapping": {"name": 1, "email": "E-Mail"}}), "No,Name,Secret,E-Mail\n1,Zoe,x,z @x.org\n"),
            (json!({"header": false, "mapping": {"name": 1, "email": 3}}), "1,Zoe,x,z @x.org\n"),
        ];
        for (options, file) in files {
            comes_back(ImportKind::Leads, &options, file);
        }
    }

    #[test]
    fn rejected_rows_that_are_put_right_say_what_they_said_in_their_file() {
        let leads = "name,email,created,value,phone\nA,,31/01/2026,\"1.234,5\",\n\
                     Zoe,z @x.org,01/02/2026,1.500,''+49 30\n";
        let fractions = "title,stage,probability\nA,,0.5\nLoom,Gone,1\n";
        let percents = "title,stage,probability\nA,,50\nLoom,Gone,1\n";
        let none = json!({});
        let values = json!({"values": {"stage": {"1": "CLOSED_WON"}}});
        let shared = json!({"mapping": {
            "title": "title", "value": "amount", "notes": "amount", "createdAt": "day", "lostReason": "day", "stage": "stage",
        }});
        let of_shared = "title,amount,day,stage\nA,\"0,50\",31/01/2026,\nLoom,1.500,01/02/2026,Gone\n";
        let expected_shared = json!({"value": 1500, "createdAt": "2026-02-01T00:00:00.000Z"});
        for (kind, options, file, wrong, right, expected) in [
            (ImportKind::Leads, &none, leads, "z @x", "z@x", json!({"value": 1500, "phone": "'+49 30"})),
            (ImportKind::Deals, &none, fractions, "Gone", "won", json!({"probability": 100})),
            (ImportKind::Deals, &values, fractions, "Gone", "won", json!({"probability": 100})),
            (ImportKind::Deals, &none, percents, "Gone", "won", json!({"probability": 1})),
            (ImportKind::Deals, &shared, of_shared, "Gone", "won", expected_shared),
        ] {
            let first = Trial::of(kind, options, file.as_bytes()).unwrap();
            assert_eq!(first.rejections.len(), 1, "{file}");
            let righted = file_of(&first).replace(wrong, right);
            let again = Trial::of(kind, options, righted.as_bytes()).unwrap();
            assert_eq!(again.records.len(), 1, "{righted} {:?}", again.rejections);
            for (field, value) in expected.as_object().unwrap() {
                assert_eq!(&again.records[0][field], value, "{righted}");
            }
            assert!(kind == ImportKind::Deals || righted.contains("2026-02-01"), "{righted}");
        }
    }

    #[test]
    fn a_plan_that_was_kept_before_is_still_read() {
        let trial = Trial::of(ImportKind::Leads, &json!({}), b"name;value\nAda;5\n").unwrap();
        let mut kept = serde_json::to_value(&trial.plan).unwrap();
        assert_eq!(serde_json::from_value::<Plan>(kept.clone()).unwrap(), trial.plan);
        for later in ["delimiter", "currencies", "statuses", "scales"] {
            assert!(kept.as_object_mut().unwrap().remove(later).is_some(), "{later}");
        }
        assert_eq!(serde_json::from_value::<Plan>(kept).unwrap().delimiter, b',');
    }
}
