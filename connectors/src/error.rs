//! The error of this crate: which file, which place in it, what was wrong, what would be right.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong while finding, reading and writing files.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A path or pattern that names no file.
    #[error("{location}: {problem}")]
    Missing {
        /// The path or pattern as given.
        location: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The operating system refused an operation.
    #[error("{path}: cannot {action}: {source}")]
    System {
        /// The file.
        path: String,
        /// The operation, such as `read`.
        action: &'static str,
        /// The answer of the operating system.
        source: Arc<io::Error>,
    },
    /// Bytes that do not follow their format.
    #[error("{place}: {problem}")]
    Corrupt {
        /// The file and the place in it.
        place: Box<Place>,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// A record of a text file that does not fit the schema or the dialect.
    #[error("{place}: {problem}")]
    Record {
        /// The file, line and column.
        place: Box<Place>,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// Files of one table that do not fit together.
    #[error("{path}: {problem}")]
    Schema {
        /// The file that differs.
        path: String,
        /// How it differs, and what would be right.
        problem: String,
    },
    /// A valid file with a feature that is not supported.
    #[error("{place}: {what} is not supported; {right}")]
    Unsupported {
        /// The file and the place in it.
        place: Box<Place>,
        /// The feature.
        what: String,
        /// What can be done instead.
        right: String,
    },
    /// A refused option of a reader or writer.
    #[error("{function}: option {option}: {problem}")]
    Option {
        /// The table function or `COPY`.
        function: String,
        /// The option's name.
        option: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// What the engine reported, such as a spent memory budget.
    #[error(transparent)]
    Engine(Box<hypostyle_engine::Error>),
    /// A bug of this project.
    #[error("internal error: {0}; please report it")]
    Internal(String),
}

/// Who has to act on an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The query, the data or the arguments.
    User,
    /// The machine: disk, permissions, memory.
    Resource,
    /// This project.
    Internal,
}

/// A place in a file, as precise as the format allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: String,
    /// Line, counted from 1.
    pub line: Option<u64>,
    /// Row group, record batch or block, counted from 0.
    pub part: Option<(&'static str, usize)>,
    /// Name of the column.
    pub column: Option<String>,
    /// Byte offset in the file.
    pub byte: Option<u64>,
}

impl Place {
    /// The whole of a file.
    pub fn file(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// The same place with a line, counted from 1.
    pub fn line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// The same place with a part, such as `("row group", 3)`.
    pub fn part(mut self, name: &'static str, index: usize) -> Self {
        self.part = Some((name, index));
        self
    }

    /// The same place with a column.
    pub fn column(mut self, name: impl Into<String>) -> Self {
        self.column = Some(name.into());
        self
    }

    /// The same place with a byte offset.
    pub fn byte(mut self, offset: u64) -> Self {
        self.byte = Some(offset);
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some((name, index)) = self.part {
            write!(f, ", {name} {index}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column \"{column}\"")?;
        }
        if let Some(byte) = self.byte {
            write!(f, ", byte {byte}")?;
        }
        Ok(())
    }
}

impl Error {
    /// A refusal of the operating system.
    pub fn system(path: &Path, action: &'static str, source: io::Error) -> Self {
        Self::System { path: path.display().to_string(), action, source: Arc::new(source) }
    }

    /// Bytes that do not follow their format.
    pub fn corrupt(place: Place, problem: impl Into<String>) -> Self {
        Self::Corrupt { place: Box::new(place), problem: problem.into() }
    }

    /// A record that does not fit.
    pub fn record(place: Place, problem: impl Into<String>) -> Self {
        Self::Record { place: Box::new(place), problem: problem.into() }
    }

    /// A refused option.
    pub fn option(
        function: impl Into<String>,
        option: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        Self::Option { function: function.into(), option: option.into(), problem: problem.into() }
    }

    /// Who has to act.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::System { source, .. } => match source.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::InvalidInput | io::ErrorKind::IsADirectory => {
                    ErrorKind::User
                }
                _ => ErrorKind::Resource,
            },
            Self::Internal(_) => ErrorKind::Internal,
            _ => ErrorKind::User,
        }
    }
}

impl From<Error> for hypostyle_engine::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Engine(inner) => *inner,
            Error::Internal(text) => Self::Internal(text),
            Error::Option { .. } => Self::User(error.to_string()),
            Error::Missing { location, problem } => Self::Input { location, problem },
            Error::Schema { path, problem } => Self::Input { location: path, problem },
            Error::Corrupt { place, problem } | Error::Record { place, problem } => {
                Self::Input { location: place.to_string(), problem }
            }
            Error::Unsupported { place, what, right } => Self::Input {
                location: place.to_string(),
                problem: format!("{what} is not supported; {right}"),
            },
            Error::System { .. } if error.kind() == ErrorKind::Resource => Self::Resource(error.to_string()),
            Error::System { path, action, source } => {
                Self::Input { location: path, problem: format!("cannot {action}: {source}") }
            }
        }
    }
}

/// Runs a decoder of another crate; a panic in it becomes an error about the file.
///
/// Decoders index by numbers that come from the file. Those of the crates in use check most of them, and
/// the rest end in a slice panic: a corrupt file, not a bug of the query.
pub(crate) fn decoded<T, E: fmt::Display>(
    place: impl Fn() -> Place,
    format: &str,
    body: impl FnOnce() -> Result<T, E>,
) -> Result<T> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            let text = error.to_string();
            Err(Error::corrupt(place(), format!("not valid {format}: {}", without_wrapping(&text))))
        }
        Err(panic) => {
            let reason = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("the decoder gave up");
            Err(Error::corrupt(place(), format!("not valid {format}: {reason}")))
        }
    }
}

/// The text of an error without the names of the layers that it came through.
fn without_wrapping(text: &str) -> &str {
    const LAYERS: [&str; 9] = [
        "External: ",
        "Parquet argument error: ",
        "Parquet error: ",
        "Arrow: ",
        "EOF: ",
        "External error: ",
        "Ipc error: ",
        "Parser error: ",
        "Io error: ",
    ];
    let mut rest = text;
    while let Some(inner) = LAYERS.iter().find_map(|layer| rest.strip_prefix(layer)) {
        rest = inner;
    }
    rest
}
