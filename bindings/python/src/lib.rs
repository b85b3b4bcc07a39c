//! The native part of the Python package `hypostyle`: what needs Rust, and nothing that Python says as well.
//!
//! Two rules hold everywhere. The interpreter is let go of while the engine works ([`attached`]), and locks of this crate
//! under which it works or Python is called are taken only then, so that a thread that holds the interpreter never waits for one that wants it.
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod array_view;
mod attached;
mod batch;
mod border;
mod error;
mod field;
mod fitting;
mod prepared;
mod row;
mod rows;
mod run;
mod scanned_table;
mod session;
mod shuffle;
mod table;
mod transform;
mod user_function;
mod value;

use pyo3::prelude::*;

/// The native part of `hypostyle`.
#[pymodule]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::array_view::Values;
    #[pymodule_export]
    use crate::batch::{Batch, Column, Schema};
    #[pymodule_export]
    use crate::prepared::Prepared;
    #[pymodule_export]
    use crate::row::RowEvaluator;
    #[pymodule_export]
    use crate::rows::Rows;
    #[pymodule_export]
    use crate::run::Run;
    #[pymodule_export]
    use crate::session::Session;
    #[pymodule_export]
    use crate::table::Table;
    #[pymodule_export]
    use crate::transform::{FitState, Transform};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::attached::remember_main_thread(module.py())?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
