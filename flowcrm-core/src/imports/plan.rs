use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::field::fold;
use super::options::own_word;
use super::probability::Scale;
use super::vocabulary::{Meaning, meaning};
use super::{
    DateOrder, DecimalMark, ImportField, ImportOptions, OnDuplicate, Source, StagedRow, amounts, dates,
    probability,
};
use crate::deals::DealStage;
use crate::exports::taken_back;
use crate::leads::LeadStatus;
use crate::money::Currency;

/// How staged rows become records: kept with the import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The names of the mapped columns; a staged row holds their cells in this order.
    pub(super) columns: Vec<String>,
    /// Where the mapped columns stand in the file.
    pub(super) positions: Vec<usize>,
    /// What separates the file's columns.
    #[serde(default = "comma")]
    pub(super) delimiter: u8,
    /// How the file's columns are named by those who send it again.
    pub(super) naming: Naming,
    pub(super) fields: BTreeMap<ImportField, Reading>,
    /// The columns that may say in which currency the value is, the first that is not empty.
    #[serde(default)]
    pub(super) currencies: Vec<usize>,
    /// The columns that say of deals whether they are open, won or lost, beside others that say where they stand.
    #[serde(default)]
    pub(super) statuses: BTreeSet<usize>,
    /// For each field, folded words of the file and what they mean here.
    values: BTreeMap<ImportField, BTreeMap<String, String>>,
    /// Cells that mean nothing, in lower case.
    empty_values: BTreeSet<String>,
    /// The order of the dates in a column, where they need one.
    pub(super) date_orders: BTreeMap<usize, DateOrder>,
    /// The decimal mark of the amounts in a column.
    pub(super) decimal_marks: BTreeMap<usize, DecimalMark>,
    /// The scale of the probabilities in a column; percent where there is none.
    #[serde(default)]
    pub(super) scales: BTreeMap<usize, Scale>,
    /// What happens to rows whose record is there already.
    pub(super) on_duplicate: OnDuplicate,
}

/// What separated the columns of every file before plans told.
const fn comma() -> u8 {
    b','
}

/// How the columns of a file are named by its mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Naming {
    /// By their names in the header.
    Header,
    /// By their places, at least some of them, below a header.
    Places,
    /// By their places; there is no header.
    PlacesWithoutHeader,
}

/// How a field is read from the cells of a staged row, named by their places in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Reading {
    FirstOf(Vec<usize>),
    Join(Vec<usize>),
}

impl Reading {
    pub(super) fn places(&self) -> &[usize] {
        match self {
            Self::FirstOf(places) | Self::Join(places) => places,
        }
    }
}

/// What a row says of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell<'a> {
    /// The column's place in a staged row; of several that are joined the first.
    pub(super) place: usize,
    /// What the file says.
    pub(super) written: Cow<'a, str>,
    /// What that means here.
    pub(super) text: Cow<'a, str>,
}

impl Plan {
    pub(super) fn empty(options: &ImportOptions) -> Self {
        let is_placed = options.mapping.iter().flat_map(BTreeMap::values).any(Source::has_index);
        Self {
            columns: Vec::new(),
            positions: Vec::new(),
            delimiter: comma(),
            naming: match (options.header, is_placed) {
                (false, _) => Naming::PlacesWithoutHeader,
                (true, true) => Naming::Places,
                (true, false) => Naming::Header,
            },
            fields: BTreeMap::new(),
            currencies: Vec::new(),
            statuses: BTreeSet::new(),
            values: folded(options),
            empty_values: options.empty_values.iter().map(|word| word.to_lowercase()).collect(),
            date_orders: BTreeMap::new(),
            decimal_marks: BTreeMap::new(),
            scales: BTreeMap::new(),
            on_duplicate: options.on_duplicate,
        }
    }

    /// The fields that the file fills.
    pub(super) fn fields(&self) -> impl Iterator<Item = ImportField> {
        self.fields.keys().copied()
    }

    /// Whether the file fills a field.
    pub(super) fn has(&self, field: ImportField) -> bool {
        self.fields.contains_key(&field)
    }

    /// What a staged row says of a field; nothing when that is blank, or the file does not fill the field.
    pub(super) fn cell<'a>(&'a self, field: ImportField, row: &'a StagedRow) -> Option<Cell<'a>> {
        let filled = |place: &usize| self.filled(*place, row);
        match self.fields.get(&field)? {
            Reading::FirstOf(places) => places.iter().filter_map(filled).find_map(|(place, text)| {
                let text_here = self.meaning(field, Cow::Borrowed(text))?;
                Some(Cell { place, written: Cow::Borrowed(text), text: text_here })
            }),
            Reading::Join(places) => {
                let texts: Vec<(usize, &str)> = places.iter().filter_map(filled).collect();
                let place = texts.first()?.0;
                let written = texts.iter().map(|(_, text)| *text).collect::<Vec<_>>().join(" ");
                let text = self.meaning(field, Cow::Owned(written.clone()))?;
                Some(Cell { place, written: Cow::Owned(written), text })
            }
        }
    }

    /// A cell as it can be sent again without the others of its column: what only these have told of it, it tells then
    /// itself. Where a column fills a field of text as well, that takes over how it is told: `1,2340`, and not another
    /// amount.
    pub(super) fn told<'a>(&self, place: usize, cell: &'a str, currency: Currency) -> Cow<'a, str> {
        let text = taken_back(cell.trim());
        let readers = self.fields.iter().filter(|(_, reading)| reading.places().contains(&place));
        let readers: Vec<ImportField> = readers.map(|(field, _)| *field).collect();
        let word = text.to_lowercase();
        let is_chosen =
            |field: &ImportField| self.values.get(field).is_some_and(|known| known.contains_key(&word));
        if self.empty_values.contains(&word) || readers.iter().any(is_chosen) {
            return text.into();
        }
        if let Some(order) = self.date_orders.get(&place)
            && readers.iter().any(|field| field.is_date())
        {
            return dates::told(text, *order);
        }
        let fills = |field| readers.contains(&field);
        match (self.decimal_marks.get(&place), self.scales.get(&place)) {
            (Some(mark), _) if fills(ImportField::Value) => amounts::told(text, *mark, currency),
            (_, Some(scale)) if fills(ImportField::Probability) => probability::told(text, *scale),
            _ => text.into(),
        }
    }

    /// The column that says in which currency a row's value is, and what it says.
    pub(super) fn currency<'a>(&'a self, row: &'a StagedRow) -> Option<(&'a str, &'a str)> {
        let (place, text) = self.currencies.iter().find_map(|place| self.filled(*place, row))?;
        Some((&self.columns[place], text))
    }

    /// A cell of a staged row, if it says anything, and its place.
    fn filled<'a>(&self, place: usize, row: &'a StagedRow) -> Option<(usize, &'a str)> {
        let text = taken_back(row.cells.get(place)?.trim());
        let is_empty = text.is_empty()
            || !self.empty_values.is_empty() && self.empty_values.contains(&text.to_lowercase());
        (!is_empty).then_some((place, text))
    }

    /// What a cell of a field means here, if anything: by the options, by our own words, by those of other systems.
    fn meaning<'a>(&'a self, field: ImportField, written: Cow<'a, str>) -> Option<Cow<'a, str>> {
        let chosen = self.values.get(&field).and_then(|meanings| meanings.get(&written.to_lowercase()));
        if let Some(word) = chosen {
            return Some(Cow::Borrowed(word.as_str())).filter(|word| !word.is_empty());
        }
        let is_own = match field {
            ImportField::Status => own_word(&written).parse::<LeadStatus>().is_ok(),
            ImportField::Stage => own_word(&written).parse::<DealStage>().is_ok(),
            // Google joins several addresses of a person.
            ImportField::Email => {
                return Some(match written.split_once(" ::: ") {
                    Some((first, _)) => Cow::Owned(first.to_owned()),
                    None => written,
                });
            }
            _ => true,
        };
        match meaning(field, &written).filter(|_| !is_own) {
            Some(Meaning::Word(word)) => Some(Cow::Borrowed(word)),
            Some(Meaning::Nothing) => None,
            None => Some(written),
        }
    }

    /// Whether a deal's stage was read in a column that is to say only whether it is open, won or lost, and says something
    /// else: whether the stage beside it holds then, nobody knows.
    pub(super) fn is_strange_status(&self, cell: &Cell<'_>) -> bool {
        let meanings = self.values.get(&ImportField::Stage);
        self.statuses.contains(&cell.place)
            && !matches!(fold(&cell.written).as_str(), "won" | "lost" | "closedwon" | "closedlost")
            && meanings.is_none_or(|meanings| !meanings.contains_key(&cell.written.to_lowercase()))
    }

    /// The column that a cell of a field stands in, or the columns that it is joined from, as the file names them.
    pub(super) fn column_of(&self, field: ImportField, cell: &Cell<'_>) -> Option<String> {
        match self.fields.get(&field)? {
            Reading::FirstOf(_) => Some(self.columns[cell.place].clone()),
            Reading::Join(_) => self.column(field),
        }
    }

    /// The column or columns of a field, as the file names them.
    pub(super) fn column(&self, field: ImportField) -> Option<String> {
        let name = |place: &usize| self.columns[*place].as_str();
        match self.fields.get(&field)? {
            Reading::FirstOf(places) => places.first().map(name).map(str::to_owned),
            Reading::Join(places) => Some(places.iter().map(name).collect::<Vec<_>>().join(" + ")),
        }
    }
}

fn folded(options: &ImportOptions) -> BTreeMap<ImportField, BTreeMap<String, String>> {
    let fold = |(word, meaning): (&String, &String)| (word.trim().to_lowercase(), meaning.trim().to_owned());
    options.values.iter().map(|(field, meanings)| (*field, meanings.iter().map(fold).collect())).collect()
}
