//! Errors of the engine as DataFusion's, with the text of ours.

use datafusion::error::DataFusionError;
use hypostyle::{Category, Error};

/// An error while a plan is made.
pub(crate) fn planning(error: impl Into<Error>) -> DataFusionError {
    let error = error.into();
    kind_of(&error, error.to_string(), DataFusionError::Plan)
}

/// An error while a plan is made of a text, with the line that is at fault.
pub(crate) fn planning_text(error: &Error, sql: &str) -> DataFusionError {
    kind_of(error, error.render(sql), DataFusionError::Plan)
}

/// An error while a plan runs.
pub(crate) fn running(error: impl Into<Error>) -> DataFusionError {
    let error = error.into();
    kind_of(&error, error.to_string(), DataFusionError::Execution)
}

fn kind_of(error: &Error, text: String, user: fn(String) -> DataFusionError) -> DataFusionError {
    match error.category() {
        Category::Memory | Category::Resource => DataFusionError::ResourcesExhausted(text),
        Category::Unsupported => DataFusionError::NotImplemented(text),
        Category::Internal => DataFusionError::Internal(text),
        Category::Input | Category::Cancelled => DataFusionError::Execution(text),
        _ => user(text),
    }
}

/// What cannot happen unless one of the two has a bug.
pub(crate) fn internal(problem: impl std::fmt::Display) -> DataFusionError {
    DataFusionError::Internal(problem.to_string())
}
