//! The native half of the Python package `flowcrm`: jobs to wait for, and values on their way in and out.
//!
//! What people see is written in Python, beside it in `python/flowcrm`, and generated from `openapi.yaml`.

mod arrow;
mod caller;
mod crm;
mod error;
mod files;
mod input;
mod job;
mod log;
mod names;
mod output;
mod runtime;

/// What the Python half of the package is made of.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use crate::arrow::ArrowStream;
    #[pymodule_export]
    use crate::caller::Caller;
    #[pymodule_export]
    use crate::crm::{Crm, Worker, open};
    #[pymodule_export]
    use crate::error::codes;
    #[pymodule_export]
    use crate::files::{Chunks, ImportRun, Upload};
    #[pymodule_export]
    use crate::job::Job;
    #[pymodule_export]
    use crate::names::operations;
    #[pymodule_export]
    use crate::runtime::close_gate;
}
