use flowcrm_core::ids::OrgId;

/// The two walls between tenants. Tests take one away to see that the other holds; nobody else has a reason to.
#[derive(Debug, Clone, Copy)]
pub struct Walls {
    /// Whether Postgres transactions take the roles that row-level security binds.
    pub row_security: bool,
    /// The organization that statements are bound to, instead of the transaction's own.
    pub bound_to: Option<OrgId>,
}

impl Walls {
    /// Both walls stand.
    pub const UP: Self = Self { row_security: true, bound_to: None };
}
