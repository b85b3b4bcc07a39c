//! What goes wrong while a page is decoded, before its place in the file is known.

use parquet::errors::ParquetError;

/// A damaged page, or a budget that is spent.
#[derive(Debug)]
pub enum Fault {
    /// Bytes that do not follow the format.
    Damaged(String),
    /// What the engine refused.
    Engine(hypostyle_engine::Error),
}

/// Result with a [`Fault`].
pub type Result<T, E = Fault> = std::result::Result<T, E>;

impl Fault {
    /// Bytes that do not follow the format.
    pub fn damaged(problem: impl Into<String>) -> Self {
        Self::Damaged(problem.into())
    }
}

impl From<ParquetError> for Fault {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(source) => match source.downcast::<hypostyle_engine::Error>() {
                Ok(engine) => Self::Engine(*engine),
                Err(other) => Self::Damaged(other.to_string()),
            },
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<hypostyle_engine::Error> for Fault {
    fn from(error: hypostyle_engine::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<hypostyle_functions::Error> for Fault {
    fn from(error: hypostyle_functions::Error) -> Self {
        match error {
            hypostyle_functions::Error::User(problem) => Self::Damaged(problem),
            other => Self::Engine(other.into()),
        }
    }
}

impl From<arrow::error::ArrowError> for Fault {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Damaged(error.to_string())
    }
}
