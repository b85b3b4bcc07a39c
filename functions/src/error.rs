//! The error of this crate: what went wrong, where in the call, and what would be right.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::place::Place;
use crate::types::Type;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong while binding or calling a function.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The query, the data or the arguments are at fault.
    #[error("{0}")]
    User(String),
    /// One argument of a function has a value or type that the function refuses.
    #[error("{function}: argument {position} {problem}")]
    Argument {
        /// SQL name of the function.
        function: String,
        /// Position, counted from 1.
        position: usize,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// Two embeddings that must agree in dimension do not.
    #[error(
        "{function}: argument {position} has dimension {actual}; expected {expected}, the dimension of argument 1"
    )]
    DimensionMismatch {
        /// SQL name of the function.
        function: String,
        /// Position of the second embedding, counted from 1.
        position: usize,
        /// Dimension found.
        actual: usize,
        /// Dimension wanted.
        expected: usize,
    },
    /// No overload of the function takes these argument types.
    #[error("{function}: no form takes ({actual}); {expected}")]
    NoOverload {
        /// SQL name of the function.
        function: String,
        /// Argument types as given.
        actual: String,
        /// The forms there are.
        expected: String,
    },
    /// There is no such function.
    #[error("no function \"{name}\"{suggestion}")]
    UnknownFunction {
        /// The name as written.
        name: String,
        /// Either empty or a sentence that names the nearest function.
        suggestion: String,
    },
    /// A value does not fit its target type.
    #[error("cannot cast {value} from {from} to {to}{reason}")]
    Cast {
        /// The offending value as text.
        value: String,
        /// Source type.
        from: Type,
        /// Target type.
        to: Type,
        /// Either empty or a clause that says why.
        reason: &'static str,
    },
    /// A number left the range of its type.
    #[error("{operation}: {detail} is out of range for {target}")]
    OutOfRange {
        /// Operation or function.
        operation: &'static str,
        /// The operands or value.
        detail: String,
        /// Type whose range was left.
        target: Type,
    },
    /// Division or remainder by zero where that is an error.
    #[error("{operation}: division by zero")]
    DivisionByZero {
        /// Operation or function.
        operation: &'static str,
    },
    /// A type that is not supported at this border.
    #[error("type {what} is not supported; {right}")]
    Unsupported {
        /// The type or feature.
        what: String,
        /// What can be used instead.
        right: String,
    },
    /// The error of a row, and the place of the call or cast that gave it.
    #[error("{error}")]
    Placed {
        /// What went wrong.
        error: Box<Error>,
        /// Where in the text of the query.
        place: Place,
    },
    /// A function of a host failed.
    #[error("{message}")]
    Host {
        /// The function, and what its own error says.
        message: String,
        /// That error.
        cause: Cause,
    },
    /// Memory, time or input and output ran out.
    #[error("{0}")]
    Resource(String),
    /// A bug of this project.
    #[error("internal error: {0}; please report it")]
    Internal(String),
}

impl Error {
    /// A user error with this text.
    pub fn user(message: impl Into<String>) -> Self {
        Self::User(message.into())
    }

    /// The same error with this place, unless it has one, none is known, or the expression is not at fault.
    #[must_use]
    pub fn at(self, place: Place) -> Self {
        match self {
            Self::Placed { .. } | Self::Resource(_) | Self::Internal(_) => self,
            error if place.is_known() => Self::Placed { error: Box::new(error), place },
            error => error,
        }
    }

    /// A failed function of a host, with the host's own error.
    pub fn host(message: impl Into<String>, cause: Cause) -> Self {
        Self::Host { message: message.into(), cause }
    }

    /// The host's own error, if a function of a host has failed.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Placed { error, .. } => error.cause(),
            Self::Host { cause, .. } => Some(cause),
            _ => None,
        }
    }

    /// An internal error with this text.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal(message.into())
    }

    /// A refused argument; `position` counts from 1.
    pub fn argument(function: impl Into<String>, position: usize, problem: impl Into<String>) -> Self {
        Self::Argument { function: function.into(), position, problem: problem.into() }
    }
}

/// An error of a host, such as an exception of its language, on its way through the engine to whoever called.
#[derive(Clone)]
pub struct Cause(Arc<dyn Any + Send + Sync>);

impl Cause {
    /// A host's error.
    pub fn new<T: Any + Send + Sync>(error: T) -> Self {
        Self(Arc::new(error))
    }

    /// The error, if it has this type.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Cause")
    }
}

impl PartialEq for Cause {
    /// True for the same error, not for an equal one.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Internal(error.to_string())
    }
}
