//! What the footer of a Parquet file says, as tables: its chunks, its schema, the file as a whole, its keys and values.

mod bound_text;
mod chunks;
mod schema_elements;

use std::path::PathBuf;
use std::sync::Arc;

use hypostyle_functions::{Field, Schema, Type, Value};
use parquet::basic::ColumnOrder;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader};

use super::chunk_reader::WholeFile;
use super::schema::FileSchema;
use crate::error::{Place, Result, decoded};
use crate::input::LocalFile;

/// What is told of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Description {
    /// A row for each column chunk.
    Chunks,
    /// A row for each element of the schema.
    Schema,
    /// A row for each file.
    File,
    /// A row for each key that the writer left.
    KeyValues,
}

/// A row of a description.
pub(super) type Row = Vec<Value>;

/// A file that is described.
struct Described {
    name: String,
    place: Place,
    file_bytes: u64,
    footer_bytes: u64,
    metadata: ParquetMetaData,
}

impl Description {
    /// Names and types of the columns.
    pub fn schema(self) -> Schema {
        let fields = match self {
            Self::Chunks => chunks::fields(),
            Self::Schema => schema_elements::fields(),
            Self::File => vec![
                ("file_name", Type::Text),
                ("created_by", Type::Text),
                ("num_rows", Type::Int64),
                ("num_row_groups", Type::Int64),
                ("format_version", Type::Int64),
                ("encryption_algorithm", Type::Text),
                ("footer_signing_key_metadata", Type::Text),
                ("file_size_bytes", Type::UInt64),
                ("footer_size", Type::UInt64),
                ("column_orders", Type::list(Type::Text)),
            ],
            Self::KeyValues => {
                vec![("file_name", Type::Text), ("key", Type::Binary), ("value", Type::Binary)]
            }
        };
        Schema::new(fields.into_iter().map(|(name, data_type)| Field::new(name, data_type)).collect())
    }

    /// The rows that tell of these files, column by column.
    ///
    /// # Errors
    /// A file that cannot be read, or that is not Parquet.
    pub fn columns(self, paths: &[PathBuf]) -> Result<Vec<Vec<Value>>> {
        let mut columns: Vec<Vec<Value>> = vec![Vec::new(); self.schema().fields.len()];
        for path in paths {
            let described = Described::open(path)?;
            let rows = match self {
                Self::Chunks => chunks::rows(&described),
                Self::Schema => schema_elements::rows(&described)?,
                Self::File => vec![described.file_row()],
                Self::KeyValues => described.key_values(),
            };
            for row in rows {
                columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
            }
        }
        Ok(columns)
    }
}

impl Described {
    fn open(path: &std::path::Path) -> Result<Self> {
        let local = Arc::new(LocalFile::open(path)?);
        let place = local.place();
        let metadata = decoded(
            || place.clone(),
            "Parquet",
            || {
                let options = ParquetMetaDataOptions::new().with_encoding_stats_as_mask(false);
                ParquetMetaDataReader::new()
                    .with_metadata_options(Some(options))
                    .parse_and_finish(&WholeFile(Arc::clone(&local)))
            },
        )?;
        // Before the last four bytes stands the length of the footer.
        let mut length = [0; 4];
        local
            .fill_at(local.len().saturating_sub(8), &mut length)
            .map_err(|error| crate::error::Error::system(path, "read", error))?;
        Ok(Self {
            name: path.display().to_string(),
            place,
            file_bytes: local.len(),
            footer_bytes: u64::from(u32::from_le_bytes(length)),
            metadata,
        })
    }

    /// The columns as they would be read; `None` for types that are not.
    fn read_schema(&self) -> Option<Schema> {
        let file = self.metadata.file_metadata();
        let read = || FileSchema::new(file.schema_descr(), file.key_value_metadata(), &self.place);
        decoded(|| self.place.clone(), "Parquet", read).ok().map(|schema| schema.logical)
    }

    /// The type of each leaf, in the order of the chunks; none if the file would not be read.
    fn leaf_types(&self) -> Vec<Type> {
        let mut types = Vec::new();
        for field in self.read_schema().into_iter().flat_map(|schema| schema.fields) {
            add_leaf_types(&field.data_type, &mut types);
        }
        types
    }

    fn file_row(&self) -> Row {
        let file = self.metadata.file_metadata();
        let order = |order: &ColumnOrder| {
            Value::text(match order {
                ColumnOrder::TYPE_DEFINED_ORDER(_) => "TYPE_ORDER",
                ColumnOrder::IEEE_754_TOTAL_ORDER => "IEEE_754_TOTAL_ORDER",
                ColumnOrder::INT96_TIMESTAMP_ORDER => "INT96_TIMESTAMP_ORDER",
                _ => "UNKNOWN",
            })
        };
        let orders = file
            .column_orders()
            .map_or(Value::Null, |orders| Value::List(Type::Text, orders.iter().map(order).collect()));
        vec![
            Value::text(&self.name),
            file.created_by().map_or(Value::Null, Value::text),
            Value::Int64(file.num_rows()),
            count(self.metadata.num_row_groups()),
            Value::Int64(i64::from(file.version())),
            Value::Null,
            Value::Null,
            Value::UInt64(self.file_bytes),
            Value::UInt64(self.footer_bytes),
            orders,
        ]
    }

    fn key_values(&self) -> Vec<Row> {
        let pairs = self.metadata.file_metadata().key_value_metadata();
        let row = |pair: &parquet::file::metadata::KeyValue| {
            let value =
                pair.value.as_ref().map_or(Value::Null, |value| Value::Binary(value.clone().into_bytes()));
            vec![Value::text(&self.name), Value::Binary(pair.key.clone().into_bytes()), value]
        };
        pairs.into_iter().flatten().map(row).collect()
    }
}

fn add_leaf_types(data_type: &Type, types: &mut Vec<Type>) {
    match data_type {
        Type::Struct(fields) => fields.iter().for_each(|field| add_leaf_types(&field.data_type, types)),
        Type::List(element) | Type::FixedList(element, _) => add_leaf_types(element, types),
        Type::Map(key, value) => {
            add_leaf_types(key, types);
            add_leaf_types(value, types);
        }
        leaf => types.push(leaf.clone()),
    }
}

fn count(number: usize) -> Value {
    Value::Int64(i64::try_from(number).unwrap_or(i64::MAX))
}
