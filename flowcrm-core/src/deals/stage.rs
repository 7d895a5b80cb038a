use crate::input::words;

words! {
    /// Where a deal stands in the pipeline. Every stage may change into every other.
    DealStage {
        /// Is there a need and a budget?
        Qualification = "QUALIFICATION",
        /// What exactly is needed?
        Discovery = "DISCOVERY",
        /// An offer is out.
        Proposal = "PROPOSAL",
        /// Terms are being discussed.
        Negotiation = "NEGOTIATION",
        /// Sold.
        ClosedWon = "CLOSED_WON",
        /// Not sold.
        ClosedLost = "CLOSED_LOST",
    }
}

impl DealStage {
    /// How likely a deal of this stage is to be won, in percent, unless somebody says otherwise.
    pub const fn probability(self) -> i64 {
        match self {
            Self::Qualification => 10,
            Self::Discovery => 25,
            Self::Proposal => 50,
            Self::Negotiation => 75,
            Self::ClosedWon => 100,
            Self::ClosedLost => 0,
        }
    }

    /// Whether the deal has come to its end.
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::ClosedWon | Self::ClosedLost)
    }
}
