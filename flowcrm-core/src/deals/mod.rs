//! Deals: what may be sold, on its way through the pipeline.

mod commands;
mod deal;
mod repository;
mod service;
mod stage;

pub use commands::{DealPatch, DealQuery, NewDeal};
pub use deal::{Deal, DealDetail, DealRef, DealSort};
pub use repository::DealRepository;
pub use service::Deals;
pub use stage::DealStage;
