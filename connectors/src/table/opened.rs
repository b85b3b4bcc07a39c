//! One file of a table, whatever its format.

use std::path::Path;
use std::sync::Arc;

use hypostyle_functions::{Field, Schema};

use crate::arrow_form::logical_type;
use crate::arrow_ipc::{ArrowFile, ArrowStream};
use crate::csv::{CsvFile, CsvOptions};
use crate::error::{Error, Place, Result};
use crate::input::{LocalFile, is_standard_input, open_stream};
use crate::json::{JsonFile, JsonOptions};
use crate::location::FileFormat;
use crate::parquet::ParquetFile;

/// A format with the options that files of a table are read with.
#[derive(Debug, Clone)]
pub enum Source {
    /// Parquet.
    Parquet,
    /// CSV and its relatives.
    Csv(Box<CsvOptions>),
    /// JSON.
    Json(Box<JsonOptions>),
    /// Arrow IPC.
    Arrow,
}

/// A file whose schema is known.
#[derive(Clone)]
pub enum Opened {
    /// Parquet.
    Parquet(Arc<ParquetFile>),
    /// CSV.
    Csv(Arc<CsvFile>),
    /// JSON.
    Json(Arc<JsonFile>),
    /// An Arrow file with a footer.
    Arrow(Arc<ArrowFile>, Arc<Schema>),
    /// An Arrow stream; its schema was read, and it is opened again to be scanned. Standard input waits, opened.
    ArrowStream(Arc<Schema>, Arc<std::sync::Mutex<Option<ArrowStream>>>),
}

impl Source {
    /// The format.
    pub fn format(&self) -> FileFormat {
        match self {
            Self::Parquet => FileFormat::Parquet,
            Self::Csv(_) => FileFormat::Csv,
            Self::Json(_) => FileFormat::Json,
            Self::Arrow => FileFormat::Arrow,
        }
    }

    /// Opens a file; `like` is another file of the table, whose schema is shared where they agree.
    ///
    /// # Errors
    /// The system's refusal, or bytes that are not of the format.
    pub fn open(&self, path: &Path, like: Option<&Opened>) -> Result<Opened> {
        match self {
            Self::Parquet => {
                if is_standard_input(path) {
                    return Err(Error::Unsupported {
                        place: Box::new(Place::file(path.display().to_string())),
                        what: "Parquet from standard input".into(),
                        right: "its footer is at the end; write it to a file first".into(),
                    });
                }
                let like = match like {
                    Some(Opened::Parquet(file)) => Some(file.as_ref()),
                    _ => None,
                };
                Ok(Opened::Parquet(Arc::new(ParquetFile::open(Arc::new(LocalFile::open(path)?), like)?)))
            }
            Self::Csv(options) => Ok(Opened::Csv(Arc::new(CsvFile::open(path, options)?))),
            Self::Json(options) => Ok(Opened::Json(Arc::new(JsonFile::open(path, options)?))),
            Self::Arrow => open_arrow(path),
        }
    }
}

fn open_arrow(path: &Path) -> Result<Opened> {
    if is_standard_input(path) {
        let stream = ArrowStream::open(open_stream(path, None)?, None)?;
        let schema = Arc::new(arrow_schema(&stream.schema(), path)?);
        return Ok(Opened::ArrowStream(schema, Arc::new(std::sync::Mutex::new(Some(stream)))));
    }
    let local = Arc::new(LocalFile::open(path)?);
    let mut first = [0; 8];
    let read = local.read_at(0, &mut first).map_err(|error| Error::system(path, "read", error))?;
    if ArrowFile::is_file(&first[..read]) {
        let file = Arc::new(ArrowFile::open(local)?);
        let schema = Arc::new(arrow_schema(file.schema(), path)?);
        return Ok(Opened::Arrow(file, schema));
    }
    let stream = ArrowStream::open(open_stream(path, None)?, None)?;
    let schema = Arc::new(arrow_schema(&stream.schema(), path)?);
    Ok(Opened::ArrowStream(schema, Arc::default()))
}

fn arrow_schema(schema: &arrow::datatypes::Schema, path: &Path) -> Result<Schema> {
    let place = |name: &str| Place::file(path.display().to_string()).column(name);
    let fields = schema
        .fields()
        .iter()
        .map(|field| Ok(Field::new(field.name(), logical_type(field.data_type(), || place(field.name()))?)));
    Ok(Schema::new(fields.collect::<Result<_>>()?))
}

impl Opened {
    /// Names and types of the file's own columns.
    pub fn schema(&self) -> &Schema {
        match self {
            Self::Parquet(file) => file.schema(),
            Self::Csv(file) => file.schema(),
            Self::Json(file) => file.schema(),
            Self::Arrow(_, schema) | Self::ArrowStream(schema, _) => schema,
        }
    }

    /// True if the names of its columns mean something: those of a CSV file without a header are made up.
    pub fn has_names(&self) -> bool {
        match self {
            Self::Csv(file) => file.has_header(),
            _ => true,
        }
    }

    /// Number of rows, where it is known without reading them.
    pub fn row_count(&self) -> Option<u64> {
        match self {
            Self::Parquet(file) => Some(file.row_count()),
            _ => None,
        }
    }
}
