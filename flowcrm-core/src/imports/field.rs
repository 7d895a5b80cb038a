use super::ImportKind;
use crate::input::words;

words! {
    /// A field that a file can fill.
    ImportField {
        /// A lead's name; the email or external id when no column is mapped to it.
        Name = "name",
        /// A deal's title; the external id when no column is mapped to it.
        Title = "title",
        /// A lead's email address.
        Email = "email",
        /// A lead's phone number.
        Phone = "phone",
        /// Where a lead works.
        Company = "company",
        /// Where a lead came from.
        Source = "source",
        /// Where a lead stands.
        Status = "status",
        /// What it is worth.
        Value = "value",
        /// Where a deal stands.
        Stage = "stage",
        /// How likely a deal is to be won, in percent.
        Probability = "probability",
        /// When a deal should close.
        ExpectedClose = "expectedClose",
        /// When a closed deal was closed; left out of open ones.
        ClosedAt = "closedAt",
        /// The lead that a deal is made with, by its id.
        LeadId = "leadId",
        /// The lead that a deal is made with, by its id in another system.
        LeadExternalId = "leadExternalId",
        /// Anything else.
        Notes = "notes",
        /// Why a lost deal was lost; left out of others.
        LostReason = "lostReason",
        /// The record's id in another system.
        ExternalId = "externalId",
        /// Who answers for it, by id.
        OwnerId = "ownerId",
        /// Who answers for it, by email or name.
        Owner = "owner",
        /// Who works on it, by id.
        AssignedToId = "assignedToId",
        /// Who works on it, by email or name.
        AssignedTo = "assignedTo",
        /// When the record was created.
        CreatedAt = "createdAt",
    }
}

/// Fields that say the same in two ways: a file may fill one of each pair.
pub(super) const ALTERNATIVES: [(ImportField, ImportField); 3] = [
    (ImportField::OwnerId, ImportField::Owner),
    (ImportField::AssignedToId, ImportField::AssignedTo),
    (ImportField::LeadId, ImportField::LeadExternalId),
];

impl ImportField {
    /// The fields that records of a kind have.
    pub(super) const fn of(kind: ImportKind) -> &'static [Self] {
        match kind {
            ImportKind::Leads => &[
                Self::Name,
                Self::Email,
                Self::Phone,
                Self::Company,
                Self::Source,
                Self::Status,
                Self::Value,
                Self::Notes,
                Self::ExternalId,
                Self::OwnerId,
                Self::Owner,
                Self::AssignedToId,
                Self::AssignedTo,
                Self::CreatedAt,
            ],
            ImportKind::Deals => &[
                Self::Title,
                Self::Value,
                Self::Stage,
                Self::Probability,
                Self::ExpectedClose,
                Self::ClosedAt,
                Self::LeadId,
                Self::LeadExternalId,
                Self::Notes,
                Self::LostReason,
                Self::ExternalId,
                Self::OwnerId,
                Self::Owner,
                Self::AssignedToId,
                Self::AssignedTo,
                Self::CreatedAt,
            ],
        }
    }

    /// The fields of which a file must fill one, as a record must be called something; the first is the name itself.
    pub(super) const fn names_of(kind: ImportKind) -> &'static [Self] {
        match kind {
            ImportKind::Leads => &[Self::Name, Self::Email, Self::ExternalId],
            ImportKind::Deals => &[Self::Title, Self::ExternalId],
        }
    }

    /// Whether the field is a moment.
    pub(super) const fn is_date(self) -> bool {
        matches!(self, Self::CreatedAt | Self::ClosedAt | Self::ExpectedClose)
    }

    /// Whether several columns may fill the field, the first that is not empty.
    pub(super) const fn falls_back(self) -> bool {
        matches!(self, Self::Email | Self::Phone | Self::ClosedAt | Self::Stage | Self::Owner | Self::Company)
    }
}

/// A word as words are compared: letters and digits only, without case.
pub(super) fn fold(word: &str) -> String {
    word.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
