//! The error of the facade: where in the text, what was wrong, what would be right.

use hypostyle_engine as engine;
use hypostyle_functions as functions;
use hypostyle_planner as planner;
use hypostyle_substrait as substrait;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a session can report.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The SQL text is at fault; the place in it is known.
    #[error(transparent)]
    Sql(#[from] planner::Error),
    /// The plan could not be made ready or run: data, files, memory, cancellation.
    #[error(transparent)]
    Engine(engine::Error),
    /// A Substrait plan could not be written or read.
    #[error(transparent)]
    Substrait(#[from] substrait::Error),
    /// A request to the session itself is at fault.
    #[error("{0}")]
    User(String),
}

/// Whose fault an error is, for hosts that have an exception or a code for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The query, the data or an argument.
    User,
    /// Memory, disk or another resource ran out.
    Resource,
    /// The run was stopped on request.
    Cancelled,
    /// A bug of this project.
    Internal,
}

impl Error {
    /// Whose fault it is.
    pub fn class(&self) -> ErrorClass {
        use functions::Error as Function;
        match self {
            Self::Engine(engine::Error::Cancelled) => ErrorClass::Cancelled,
            Self::Engine(
                engine::Error::OutOfMemory { .. }
                | engine::Error::Resource(_)
                | engine::Error::Function(Function::Resource(_)),
            ) => ErrorClass::Resource,
            Self::Engine(engine::Error::Internal(_) | engine::Error::Function(Function::Internal(_))) => {
                ErrorClass::Internal
            }
            Self::Sql(error) => match error.kind() {
                planner::ErrorKind::Internal(_) | planner::ErrorKind::Function(Function::Internal(_)) => {
                    ErrorClass::Internal
                }
                planner::ErrorKind::Function(Function::Resource(_)) => ErrorClass::Resource,
                _ => ErrorClass::User,
            },
            _ => ErrorClass::User,
        }
    }

    /// A user error with this text.
    pub fn user(message: impl Into<String>) -> Self {
        Self::User(message.into())
    }

    /// The message, and below it the line of `sql` with carets under what is at fault, where that is known.
    /// `sql` must be the text that the session was given.
    pub fn render(&self, sql: &str) -> String {
        match self {
            Self::Sql(error) => error.render(sql),
            other => other.to_string(),
        }
    }

    /// True if the run was stopped on request.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Engine(engine::Error::Cancelled))
    }
}

impl From<engine::Error> for Error {
    /// The error of a row says in which expression of the text it arose.
    fn from(error: engine::Error) -> Self {
        match error {
            engine::Error::Function(error @ functions::Error::Placed { .. }) => {
                Self::Sql(planner::Error::from(error))
            }
            other => Self::Engine(other),
        }
    }
}

impl From<functions::Error> for Error {
    fn from(error: functions::Error) -> Self {
        Self::from(engine::Error::from(error))
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Engine(error.into())
    }
}
