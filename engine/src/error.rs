//! The error of the engine.

use hypostyle_functions as functions;
use hypostyle_functions::Place;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong while a plan is made ready or run.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A function or value is at fault; its text says where and why.
    #[error(transparent)]
    Function(#[from] functions::Error),
    /// The query, the data or the arguments are at fault.
    #[error("{0}")]
    User(String),
    /// A file or stream could not be read, written or understood.
    #[error("{location}: {problem}")]
    Input {
        /// Path, and row group, line or byte where it is known.
        location: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The memory budget is spent and nothing is left to spill.
    #[error(
        "out of memory: {requested} bytes for {operator} do not fit the limit of {limit} bytes; {holders}"
    )]
    OutOfMemory {
        /// Bytes asked for.
        requested: usize,
        /// Who asked.
        operator: String,
        /// The budget.
        limit: usize,
        /// Who holds what.
        holders: String,
    },
    /// Disk, time or another resource ran out.
    #[error("{0}")]
    Resource(String),
    /// The host or the user stopped the run.
    #[error("cancelled")]
    Cancelled,
    /// A bug of this project.
    #[error("internal error: {0}; please report it")]
    Internal(String),
}

impl Error {
    /// A user error with this text.
    pub fn user(message: impl Into<String>) -> Self {
        Self::User(message.into())
    }

    /// An internal error with this text.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal(message.into())
    }

    /// The same error with this place, where a function is at fault and has none.
    #[must_use]
    pub fn at(self, place: Place) -> Self {
        match self {
            Self::Function(error) => Self::Function(error.at(place)),
            other => other,
        }
    }

    /// A file or stream at fault.
    pub fn input(location: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Input { location: location.into(), problem: problem.into() }
    }
}

impl From<functions::arrow::error::ArrowError> for Error {
    fn from(error: functions::arrow::error::ArrowError) -> Self {
        Self::Internal(error.to_string())
    }
}
