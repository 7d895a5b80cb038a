use std::collections::BTreeMap;

use super::amounts::AmountEvidence;
use super::dates::DateEvidence;
use super::probability::ScaleEvidence;
use super::{ImportField, ImportOptions, Plan, StagedRow};
use crate::error::{Error, FieldError, Result};
use crate::money::Currency;

/// What the rows so far tell of how each column writes dates, amounts and probabilities.
pub(super) struct Evidence {
    currency: Currency,
    /// By the column's place in a staged row.
    dates: BTreeMap<usize, DateEvidence>,
    amounts: BTreeMap<usize, AmountEvidence>,
    scales: BTreeMap<usize, ScaleEvidence>,
}

impl Evidence {
    pub(super) const fn new(currency: Currency) -> Self {
        Self { currency, dates: BTreeMap::new(), amounts: BTreeMap::new(), scales: BTreeMap::new() }
    }

    /// Takes a row into account.
    pub(super) fn observe(&mut self, plan: &Plan, row: &StagedRow) {
        for field in plan.fields().filter(|field| field.is_date()) {
            if let Some(cell) = plan.cell(field, row) {
                self.dates.entry(cell.place).or_default().observe(&cell.text);
            }
        }
        if let Some(cell) = plan.cell(ImportField::Value, row) {
            self.amounts.entry(cell.place).or_default().observe(&cell.text, self.currency);
        }
        if let Some(cell) = plan.cell(ImportField::Probability, row) {
            self.scales.entry(cell.place).or_default().observe(&cell.text);
        }
    }

    /// Completes a plan with what the options say, or else all rows together.
    ///
    /// # Errors
    ///
    /// A field error for each option that has to be named, as the rows leave it open.
    pub(super) fn decide(&self, plan: &mut Plan, options: &ImportOptions) -> Result<()> {
        let mut errors = Vec::new();
        let open = |option: &str, plan: &Plan, place: usize, message: String| {
            FieldError::new(
                format!("options.{option}"),
                format!("is needed: the column \"{}\" {message}", plan.columns[place]),
            )
        };
        for (place, evidence) in &self.dates {
            match options.date_order.map_or_else(|| evidence.decide(), |order| Ok(Some(order))) {
                Ok(None) => {}
                Ok(Some(order)) => {
                    plan.date_orders.insert(*place, order);
                }
                Err(message) => errors.push(open("dateOrder", plan, *place, message)),
            }
        }
        for (place, evidence) in &self.amounts {
            match options.decimal_mark.map_or_else(|| evidence.decide(), Ok) {
                Ok(mark) => {
                    plan.decimal_marks.insert(*place, mark);
                }
                Err(message) => errors.push(open("decimalMark", plan, *place, message)),
            }
        }
        plan.scales.extend(self.scales.iter().map(|(place, evidence)| (*place, evidence.decide())));
        if errors.is_empty() { Ok(()) } else { Err(Error::invalid(errors)) }
    }
}
