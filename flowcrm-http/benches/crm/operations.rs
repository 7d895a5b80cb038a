//! What is measured: one list, which every door shares.

/// One call that is made again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Lead,
    Page,
    FilteredPage,
    Search,
    Create,
    Move,
    Bulk,
    Stats,
    StatsAfterWrite,
    Pipeline,
    SignIn,
}

/// Clients at once, each with a connection of its own.
pub(crate) const CONNECTIONS: usize = 16;

impl Operation {
    /// In the order of the table.
    pub(crate) const ALL: [Self; 11] = [
        Self::Lead,
        Self::Page,
        Self::FilteredPage,
        Self::Search,
        Self::Create,
        Self::Move,
        Self::Bulk,
        Self::Stats,
        Self::StatsAfterWrite,
        Self::Pipeline,
        Self::SignIn,
    ];

    /// What it is called in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lead => "lead by id",
            Self::Page => "page of 25 leads",
            Self::FilteredPage => "filtered page",
            Self::Search => "search",
            Self::Create => "create a lead",
            Self::Move => "move a deal",
            Self::Bulk => "change 500 leads",
            Self::Stats => "stats",
            Self::StatsAfterWrite => "stats after a write",
            Self::Pipeline => "pipeline",
            Self::SignIn => "sign in",
        }
    }

    /// How many clients ask at once. Bulk changes and sign-ins are long by nature: two at once fill both cores. Stats
    /// after a write are a question of latency.
    pub(crate) const fn connections(self) -> usize {
        match self {
            Self::StatsAfterWrite => 1,
            Self::Bulk | Self::SignIn => 2,
            _ => CONNECTIONS,
        }
    }

    /// What is done, unmeasured, before each call, so that no figure can be answered from a cache.
    pub(crate) const fn before(self) -> Option<Self> {
        match self {
            Self::StatsAfterWrite => Some(Self::Move),
            _ => None,
        }
    }
}
