//! What the stages and statuses of other systems mean here.

use super::ImportField;
use super::field::fold;
use crate::deals::DealStage;
use crate::leads::LeadStatus;

/// What a word of another system means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A word of ours.
    Word(&'static str),
    /// Nothing by itself: of a deal that is merely open, another column says where it stands.
    Nothing,
}

/// What a cell means, where it is a stage or status that other systems start out with: those of `HubSpot`, Salesforce,
/// Pipedrive, Zoho and Odoo.
pub(super) fn meaning(field: ImportField, cell: &str) -> Option<Meaning> {
    match field {
        ImportField::Status => status(&fold(cell)).map(|status| Meaning::Word(status.as_str())),
        ImportField::Stage if fold(cell) == "open" => Some(Meaning::Nothing),
        ImportField::Stage => stage(&fold(cell)).map(|stage| Meaning::Word(stage.as_str())),
        _ => None,
    }
}

fn status(word: &str) -> Option<LeadStatus> {
    Some(match word {
        "open" | "opennotcontacted" | "notcontacted" | "uncontacted" | "unworked" => LeadStatus::New,
        "attemptedtocontact" | "working" | "workingcontacted" | "inprogress" | "connected" | "nurturing"
        | "contactinfuture" | "badtiming" | "contactmade" => LeadStatus::Contacted,
        "prequalified" | "opendeal" => LeadStatus::Qualified,
        "proposition" | "proposalmade" => LeadStatus::Proposal,
        "converted" | "closedconverted" | "customer" | "closedwon" => LeadStatus::Won,
        "unqualified" | "notqualified" | "disqualified" | "closednotconverted" | "junklead" | "lostlead"
        | "junk" | "dead" | "closedlost" => LeadStatus::Lost,
        _ => return None,
    })
}

fn stage(word: &str) -> Option<DealStage> {
    Some(match word {
        "new" | "lead" | "prospecting" | "prospect" | "qualified" | "appointmentscheduled" => {
            DealStage::Qualification
        }
        "qualifiedtobuy"
        | "needsanalysis"
        | "needsdefined"
        | "valueproposition"
        | "iddecisionmakers"
        | "identifydecisionmakers"
        | "perceptionanalysis"
        | "contactmade"
        | "demoscheduled" => DealStage::Discovery,
        "presentationscheduled" | "proposalpricequote" | "proposalmade" | "proposition" => {
            DealStage::Proposal
        }
        "negotiationreview"
        | "negotiationsstarted"
        | "negotiationstarted"
        | "decisionmakerboughtin"
        | "contractsent" => DealStage::Negotiation,
        "won" | "closedwon" => DealStage::ClosedWon,
        "lost" | "closedlost" | "closedlosttocompetition" => DealStage::ClosedLost,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_other_systems_mean_something_here() {
        let said = |field, cell: &str| meaning(field, cell);
        assert_eq!(said(ImportField::Stage, "Proposal/Price Quote"), Some(Meaning::Word("PROPOSAL")));
        assert_eq!(said(ImportField::Stage, "Id. Decision Makers"), Some(Meaning::Word("DISCOVERY")));
        assert_eq!(said(ImportField::Stage, "Decision Maker Bought-In"), Some(Meaning::Word("NEGOTIATION")));
        let of_hubspot = [
            ("appointmentscheduled", "QUALIFICATION"),
            ("qualifiedtobuy", "DISCOVERY"),
            ("presentationscheduled", "PROPOSAL"),
            ("decisionmakerboughtin", "NEGOTIATION"),
            ("contractsent", "NEGOTIATION"),
            ("closedwon", "CLOSED_WON"),
            ("closedlost", "CLOSED_LOST"),
        ];
        for (word, stage) in of_hubspot {
            assert_eq!(said(ImportField::Stage, word), Some(Meaning::Word(stage)), "{word}");
        }
        assert_eq!(said(ImportField::Stage, "Closed - Won"), Some(Meaning::Word("CLOSED_WON")));
        assert_eq!(said(ImportField::Stage, "Open"), Some(Meaning::Nothing));
        assert_eq!(said(ImportField::Status, "Open - Not Contacted"), Some(Meaning::Word("NEW")));
        assert_eq!(said(ImportField::Status, "Closed - Not Converted"), Some(Meaning::Word("LOST")));
        assert_eq!(said(ImportField::Status, "whatever"), None);
        assert_eq!(said(ImportField::Source, "Open"), None);
    }
}
