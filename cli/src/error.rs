//! What can stop the program, and the exit status each of them gives.

use std::process::ExitCode;

/// Result with this crate's [`Error`].
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// What can stop the program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The arguments do not fit together; clap found nothing wrong with each of them alone.
    #[error("{0}")]
    Usage(String),
    /// A query failed; the text already shows the line and the place.
    #[error("{0}")]
    Query(String),
    /// A file or directory could not be read or written.
    #[error("{action} {path}: {source}")]
    File {
        /// What was tried: `cannot write`, `cannot read`.
        action: &'static str,
        /// The path as the user wrote it.
        path: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// Writing to standard output failed.
    #[error("cannot write to standard output: {0}")]
    Output(std::io::Error),
    /// The reader of standard output went away; nothing is left to say.
    #[error("")]
    BrokenPipe,
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// Values could not be encoded or shown.
    #[error("{0}")]
    Encoding(String),
}

impl Error {
    /// The exit status: 2 for wrong usage, 130 for Ctrl-C as shells expect, 0 for a closed pipe, else 1.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Interrupted => ExitCode::from(130),
            Self::BrokenPipe => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        }
    }

    /// An error about a file.
    pub(crate) fn file(action: &'static str, path: &std::path::Path, source: std::io::Error) -> Self {
        Self::File { action, path: path.display().to_string(), source }
    }

    /// An error of writing to standard output; a closed pipe is told apart.
    pub(crate) fn output(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::Output(error),
        }
    }
}

impl From<hypostyle::files::Error> for Error {
    fn from(error: hypostyle::files::Error) -> Self {
        match &error {
            hypostyle::files::Error::System { source, .. }
                if source.kind() == std::io::ErrorKind::BrokenPipe =>
            {
                Self::BrokenPipe
            }
            _ => Self::Encoding(error.to_string()),
        }
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        match error {
            arrow::error::ArrowError::IoError(_, source) => Self::output(source),
            other => Self::Encoding(other.to_string()),
        }
    }
}

impl From<parquet::errors::ParquetError> for Error {
    fn from(error: parquet::errors::ParquetError) -> Self {
        match error {
            parquet::errors::ParquetError::External(source) => match source.downcast::<std::io::Error>() {
                Ok(source) => Self::output(*source),
                Err(source) => Self::Encoding(source.to_string()),
            },
            other => Self::Encoding(other.to_string()),
        }
    }
}
