//! The table of bad requests, by what they are about.

#[macro_use]
mod row;
mod bulk;
mod deals;
mod frame;
mod headers;
mod imports;
mod leads;
mod organizations;
mod paths;
mod queries;
mod sign_in;
mod tasks;
mod users;
mod world;

pub(crate) use row::Row;
pub(crate) use world::World;

/// All rows.
pub(crate) fn rows() -> Vec<Row> {
    [
        leads::rows(),
        deals::rows(),
        tasks::rows(),
        users::rows(),
        organizations::rows(),
        sign_in::rows(),
        bulk::rows(),
        queries::rows(),
        paths::rows(),
        headers::rows(),
        frame::rows(),
        imports::rows(),
    ]
    .concat()
}
