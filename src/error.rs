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
    Sql(planner::Error),
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

/// What an error is about, for hosts that give each its own type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Category {
    /// The text of the query: syntax, names, types.
    Sql,
    /// SQL that this engine does not run.
    Unsupported,
    /// A value in the data: a cast, an overflow, an argument that a function refuses.
    Data,
    /// A file, a stream or a table could not be read or written.
    Input,
    /// The memory limit.
    Memory,
    /// Disk, time or another resource.
    Resource,
    /// The host or the user stopped the run.
    Cancelled,
    /// A request to the session itself.
    Usage,
    /// A bug of this project.
    Internal,
}

fn function_category(error: &functions::Error) -> Category {
    use functions::Error as E;
    match error {
        E::Placed { error, .. } => function_category(error),
        E::NoOverload { .. } | E::UnknownFunction { .. } | E::DimensionMismatch { .. } => Category::Sql,
        E::Unsupported { .. } => Category::Unsupported,
        E::Resource(_) => Category::Resource,
        E::Internal(_) => Category::Internal,
        _ => Category::Data,
    }
}

impl Error {
    /// Whose fault it is.
    pub fn class(&self) -> ErrorClass {
        match self.category() {
            Category::Memory | Category::Resource => ErrorClass::Resource,
            Category::Cancelled => ErrorClass::Cancelled,
            Category::Internal => ErrorClass::Internal,
            _ => ErrorClass::User,
        }
    }

    /// What the error is about.
    pub fn category(&self) -> Category {
        use engine::Error as E;
        use planner::ErrorKind as K;
        match self {
            Self::Sql(error) => match error.kind() {
                K::Unsupported(_) => Category::Unsupported,
                K::Function(error) => function_category(error),
                K::Source(_) => Category::Input,
                K::Run(ended) => match &**ended {
                    E::Function(error) => function_category(error),
                    _ => Category::Sql,
                },
                K::Internal(_) => Category::Internal,
                _ => Category::Sql,
            },
            Self::Engine(error) => match error {
                E::Function(error) => function_category(error),
                E::Input { .. } => Category::Input,
                E::OutOfMemory { .. } => Category::Memory,
                E::Resource(_) => Category::Resource,
                E::Cancelled => Category::Cancelled,
                E::Internal(_) => Category::Internal,
                _ => Category::Usage,
            },
            Self::Substrait(_) => Category::Unsupported,
            Self::User(_) => Category::Usage,
        }
    }

    /// The error of the host's own function that failed, if one did: what `functions::Error::host` was given.
    pub fn cause(&self) -> Option<&functions::error::Cause> {
        use planner::ErrorKind as K;
        match self {
            Self::Engine(engine::Error::Function(error)) => error.cause(),
            Self::Sql(error) => match error.kind() {
                K::Function(error) => error.cause(),
                K::Run(ended) => match &**ended {
                    engine::Error::Function(error) => error.cause(),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// Line and column of the text where the fault begins, both counted from 1, where they are known.
    pub fn place(&self) -> Option<(u32, u32)> {
        match self {
            Self::Sql(error) if error.span().is_known() => {
                let start = error.span().start;
                Some((start.line, start.column))
            }
            _ => None,
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

impl From<planner::Error> for Error {
    /// What ended a run on the way to a plan, other than the text or the data, stays what it is.
    fn from(error: planner::Error) -> Self {
        match error.kind() {
            planner::ErrorKind::Run(ended)
                if !matches!(**ended, engine::Error::Function(_) | engine::Error::User(_)) =>
            {
                Self::Engine(engine::Error::clone(ended))
            }
            _ => Self::Sql(error),
        }
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
