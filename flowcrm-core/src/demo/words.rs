//! The words that demo data is made of. None of these people and companies exist.

use crate::activities::ActivityType::{self, Call, Email, Meeting, Note};
use crate::leads::LeadStatus;

const FIRST_NAMES: [&str; 24] = [
    "Amelia", "Bruno", "Chiara", "Daniel", "Elif", "Farid", "Grace", "Hugo", "Ingrid", "Jonas", "Keiko",
    "Liam", "Mei", "Noah", "Oksana", "Pedro", "Quinn", "Rosa", "Sofia", "Tomás", "Uma", "Victor", "Wanda",
    "Yusuf",
];

const LAST_NAMES: [&str; 23] = [
    "Abbott",
    "Bergström",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ivanova",
    "Jensen",
    "Kim",
    "Lopez",
    "Moreau",
    "Novak",
    "Okafor",
    "Patel",
    "Rossi",
    "Schmidt",
    "Tanaka",
    "Ueda",
    "Varga",
    "Walsh",
    "Zhang",
];

const STEMS: [&str; 20] = [
    "Alderway",
    "Brightwater",
    "Cobalt",
    "Driftwood",
    "Eastfield",
    "Fernhill",
    "Granite",
    "Harborside",
    "Ironbridge",
    "Juniper",
    "Kestrel",
    "Lakeshore",
    "Meridian",
    "Northgate",
    "Oakline",
    "Pinecrest",
    "Quarry",
    "Redwood",
    "Silverleaf",
    "Tidewater",
];

const TRADES: [&str; 11] = [
    "Logistics",
    "Health",
    "Energy",
    "Foods",
    "Robotics",
    "Textiles",
    "Insurance",
    "Media",
    "Construction",
    "Travel",
    "Software",
];

const PRODUCTS: [&str; 7] =
    ["annual licence", "pilot", "support plan", "migration", "training", "team rollout", "renewal"];

const TASKS: [&str; 8] = [
    "Call {} back",
    "Send the proposal to {}",
    "Prepare the demo for {}",
    "Follow up with {}",
    "Review the contract with {}",
    "Book a meeting with {}",
    "Send references to {}",
    "Update the forecast for {}",
];

pub(super) const SOURCES: [&str; 7] =
    ["Website", "Referral", "LinkedIn", "Cold Call", "Trade Show", "Email Campaign", "Partner"];

pub(super) const LOST_REASONS: [&str; 3] = ["Chose a competitor", "No budget this year", "Stopped answering"];

/// A person: first and last name.
pub(super) fn person(number: usize) -> (&'static str, &'static str) {
    (FIRST_NAMES[number * 7 % FIRST_NAMES.len()], LAST_NAMES[number * 11 % LAST_NAMES.len()])
}

/// A company: its two words.
pub(super) fn company(number: usize) -> (&'static str, &'static str) {
    (STEMS[number * 3 % STEMS.len()], TRADES[number * 2 % TRADES.len()])
}

/// What a company may buy.
pub(super) fn deal_title(company: &str, number: usize) -> String {
    format!("{company}: {}", PRODUCTS[number * 5 % PRODUCTS.len()])
}

/// Something to do for a company.
pub(super) fn task_title(company: &str, number: usize) -> String {
    TASKS[number * 3 % TASKS.len()].replace("{}", company)
}

/// What somebody writes down when a lead comes to a status.
pub(super) fn activity(status: LeadStatus, number: usize) -> (ActivityType, &'static str) {
    let choices = match status {
        LeadStatus::New | LeadStatus::Contacted => [
            (Call, "Introduced ourselves; they asked for an overview by email."),
            (Email, "Sent the overview and three times for a call."),
            (Call, "Left a message with the front desk, called back in the afternoon."),
        ],
        LeadStatus::Qualified => [
            (Meeting, "Went through their process. Budget is there, decision this quarter."),
            (Call, "Spoke with the head of operations, who wants to replace spreadsheets."),
            (Meeting, "Demo with five people; reporting went down well."),
        ],
        LeadStatus::Proposal => [
            (Email, "Sent the proposal with two options."),
            (Meeting, "Walked them through the proposal; legal will look at it next."),
            (Email, "Sent the revised offer, now with training."),
        ],
        LeadStatus::Won => [
            (Call, "They agreed by phone, paperwork follows."),
            (Note, "Signed. Start with the sales team, others later."),
            (Email, "Order confirmed by email."),
        ],
        LeadStatus::Lost => [
            (Note, "Went with another vendor. Ask again next year."),
            (Call, "Project is on hold, no budget."),
            (Note, "No answer after four attempts."),
        ],
    };
    choices[number % choices.len()]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_hundred_people_and_companies_are_all_different() {
        assert_eq!((0..100).map(person).collect::<BTreeSet<_>>().len(), 100);
        assert_eq!((0..100).map(company).collect::<BTreeSet<_>>().len(), 100);
    }
}
