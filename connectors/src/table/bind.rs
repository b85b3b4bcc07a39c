//! A table over files: which files, which columns, and what each file gives of them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use hypostyle_engine::Context;
use hypostyle_engine::plan::Expression;
use hypostyle_engine::table::{
    ColumnStatistics, FilterSupport, Scan, ScanRequest, Statistics, TableProvider,
};
use hypostyle_functions::{Field, Literal, Schema, Type, Value};

use super::condition::tested_column;
use super::filter::{bound_of, predicate_of};
use super::opened::{Opened, Source};
use super::scan::FileScan;
use super::unify::{position_in, united, widened};
use crate::csv::distinct_names;
use crate::error::Result;
use crate::location::{FileFormat, PartitionValue, partition_type, partition_value, partitions_of};
use crate::prune::{ColumnPlace, ColumnRange, Predicate};

/// Files that are opened while a table is bound, to find types that hold the values of all.
const FILES_OPENED_AT_BIND: usize = 10;
/// Name of the column that holds the path of each row's file.
const FILENAME_COLUMN: &str = "filename";

/// What a user can state of a table over several files.
#[derive(Debug, Clone, Default)]
pub struct TableOptions {
    /// Whether the columns are those of all files, by name; a file without one gives nulls.
    pub union_by_name: bool,
    /// Name of a column with the path of each row's file, if there is to be one.
    pub filename: Option<String>,
    /// Whether names of directories are columns; if not stated, where all paths have the same.
    pub hive_partitioning: Option<bool>,
    /// Types of partition columns.
    pub hive_types: Vec<(String, Type)>,
    /// Positions of the row groups that are read of each Parquet file; if not stated, all.
    pub row_groups: Option<Vec<usize>>,
}

impl TableOptions {
    /// The filename column under its usual name.
    pub fn with_filename(mut self) -> Self {
        self.filename = Some(FILENAME_COLUMN.into());
        self
    }
}

/// A table over files of one format.
pub struct FileTable {
    shared: Arc<TableFiles>,
}

/// What a table and its scans share.
pub(super) struct TableFiles {
    pub(super) source: Source,
    pub(super) files: Vec<TableFile>,
    pub(super) columns: Vec<TableColumn>,
    schema: Schema,
    pub(super) options: TableOptions,
    /// Files opened so far, in the order of `files`.
    opened: Mutex<Vec<Option<Opened>>>,
}

/// One file of a table.
pub(super) struct TableFile {
    pub(super) path: PathBuf,
    partitions: Vec<PartitionValue>,
    stored_bytes: u64,
}

/// Where a column of the table comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TableColumn {
    /// A column of the files, by its position among theirs and its name there.
    File(usize, String),
    /// A partition column.
    Partition(String),
    /// The path.
    Filename,
}

/// What a file gives of one asked column.
#[derive(Debug, Clone)]
pub(super) enum Given {
    /// A column of the file, by its position in it.
    Column(usize),
    /// One value for all rows.
    Constant(Literal),
}

impl FileTable {
    /// Opens the first of the files, or all of them to unite their columns, and makes one schema.
    ///
    /// # Errors
    /// A file that cannot be opened, or files that do not fit together.
    pub fn bind(paths: Vec<PathBuf>, source: Source, options: TableOptions) -> Result<Self> {
        let mut opened: Vec<Option<Opened>> = vec![None; paths.len()];
        let count = if options.union_by_name { paths.len() } else { paths.len().min(FILES_OPENED_AT_BIND) };
        let mut known: Vec<(String, Opened)> = Vec::with_capacity(count);
        for (slot, path) in opened.iter_mut().zip(&paths).take(count) {
            let file = source.open(path, known.first().map(|(_, file)| file))?;
            *slot = Some(file.clone());
            known.push((path.display().to_string(), file));
        }
        let own = if options.union_by_name { united(&known)? } else { widened(&known)? };
        let files: Vec<TableFile> = paths
            .into_iter()
            .map(|path| TableFile {
                partitions: partitions_of(&path),
                stored_bytes: std::fs::metadata(&path).map_or(0, |metadata| metadata.len()),
                path,
            })
            .collect();
        let (columns, schema) = with_extra_columns(own, &files, &options);
        let shared = TableFiles { source, files, columns, schema, options, opened: Mutex::new(opened) };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Paths of the files, in order.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.shared.files.iter().map(|file| file.path.as_path())
    }
}

impl TableFiles {
    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The file at a position, opened once.
    ///
    /// # Errors
    /// What keeps it from being opened.
    pub(super) fn open(&self, index: usize) -> Result<Opened> {
        let (known, first) = {
            let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            (opened[index].clone(), opened.first().cloned().flatten())
        };
        if let Some(file) = known {
            return Ok(file);
        }
        let file = self.source.open(&self.files[index].path, first.as_ref())?;
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(file.clone());
        Ok(file)
    }

    /// What a file gives of a column of the table.
    ///
    /// # Errors
    /// A column that the file lacks, unless columns are united by name.
    pub(super) fn given(&self, index: usize, file: &Opened, column: usize) -> Result<Given> {
        let field = &self.schema.fields[column];
        match &self.columns[column] {
            TableColumn::File(position, name) => match position_in(file, name, *position) {
                Some(position) => Ok(Given::Column(position)),
                None if self.options.union_by_name => {
                    Ok(Given::Constant(Literal::null(field.data_type.clone())))
                }
                None => Err(crate::error::Error::Schema {
                    path: self.files[index].path.display().to_string(),
                    problem: format!(
                        "no column \"{}\", which the first file has; union_by_name => true gives nulls for it",
                        field.name
                    ),
                }),
            },
            _ => Ok(Given::Constant(Literal {
                data_type: field.data_type.clone(),
                value: self.constant(index, column),
            })),
        }
    }

    /// The value of a partition or filename column in a file.
    fn constant(&self, index: usize, column: usize) -> Value {
        let file = &self.files[index];
        match &self.columns[column] {
            TableColumn::Partition(name) => {
                let value = file.partitions.iter().find(|value| value.name.eq_ignore_ascii_case(name));
                let text = value.and_then(|value| value.text.as_deref());
                partition_value(text, &self.schema.fields[column].data_type)
            }
            TableColumn::Filename => Value::text(file.path.display().to_string()),
            TableColumn::File(..) => Value::Null,
        }
    }

    /// True unless the partition values and path of a file refute a predicate.
    pub(super) fn may_match(&self, index: usize, predicate: &Predicate) -> bool {
        predicate.may_match(&|place| match self.columns.get(place.column)? {
            TableColumn::File(..) => None,
            _ => {
                let column = place.column;
                let value = self.constant(index, column);
                if value.is_null() {
                    return Some(ColumnRange::constant(None, 1));
                }
                Some(ColumnRange::constant(Some(bound_of(&value, &self.schema.fields[column].data_type)?), 1))
            }
        })
    }

    pub(super) fn stored_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.stored_bytes).sum()
    }

    pub(super) fn file_bytes(&self, index: usize) -> u64 {
        self.files[index].stored_bytes
    }
}

/// Adds partition and filename columns; a partition column takes the place of a file's column of its name.
fn with_extra_columns(
    own: Schema,
    files: &[TableFile],
    options: &TableOptions,
) -> (Vec<TableColumn>, Schema) {
    let names: Vec<String> = own.fields.iter().map(|field| field.name.clone()).collect();
    let mut schema = own;
    for (field, name) in schema.fields.iter_mut().zip(distinct_names(names.iter().cloned())) {
        field.name = name;
    }
    let mut columns: Vec<TableColumn> =
        names.into_iter().enumerate().map(|(position, name)| TableColumn::File(position, name)).collect();
    for name in partition_names(files, options) {
        let stated = options.hive_types.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name));
        let data_type =
            stated.map_or_else(|| inferred_partition_type(files, &name), |(_, data_type)| data_type.clone());
        let column = TableColumn::Partition(name.clone());
        match schema.index_of(&name) {
            Some(position) => {
                columns[position] = column;
                schema.fields[position].data_type = data_type;
            }
            None => {
                columns.push(column);
                schema.fields.push(Field::new(name, data_type));
            }
        }
    }
    if let Some(name) = &options.filename {
        columns.push(TableColumn::Filename);
        schema.fields.push(Field::new(name, Type::Text));
    }
    (columns, schema)
}

/// Names of the partition columns: those that every path has.
fn partition_names(files: &[TableFile], options: &TableOptions) -> Vec<String> {
    if options.hive_partitioning == Some(false) {
        return Vec::new();
    }
    let Some((first, others)) = files.split_first() else { return Vec::new() };
    let has = |file: &TableFile, name: &str| file.partitions.iter().any(|value| value.name == name);
    let names = first.partitions.iter().map(|value| value.name.clone());
    names.filter(|name| others.iter().all(|file| has(file, name))).collect()
}

fn inferred_partition_type(files: &[TableFile], name: &str) -> Type {
    let values = files.iter().map(|file| {
        let value = file.partitions.iter().find(|value| value.name == name);
        value.and_then(|value| value.text.as_deref())
    });
    partition_type(values)
}

/// Most columns whose bounds are looked up: the footer of a wide table costs more than its order of joins.
const BOUNDED_COLUMNS_MAX: usize = 256;

impl FileTable {
    /// Bounds of the columns of a table of one Parquet file; nothing is said of other tables.
    fn column_statistics(&self, opened: &[Option<Opened>]) -> Vec<ColumnStatistics> {
        let ([Some(Opened::Parquet(file))], true) =
            (opened, self.shared.columns.len() <= BOUNDED_COLUMNS_MAX)
        else {
            return Vec::new();
        };
        let bounds = file.bounds();
        let columns = self.shared.columns.iter().map(|column| {
            let found = match column {
                TableColumn::File(position, _) => bounds.get(*position).cloned().flatten(),
                _ => None,
            };
            let (minimum, maximum) = found.unzip();
            ColumnStatistics { minimum, maximum, ..ColumnStatistics::default() }
        });
        columns.collect()
    }
}

impl TableProvider for FileTable {
    fn schema(&self) -> &Schema {
        self.shared.schema()
    }

    fn statistics(&self) -> Statistics {
        let bytes = self.shared.stored_bytes();
        let opened = self.shared.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known_rows = 0u64;
        let mut known_bytes = 0u64;
        for (file, stored) in opened.iter().zip(&self.shared.files) {
            if let Some(rows) = file.as_ref().and_then(Opened::row_count) {
                known_rows += rows;
                known_bytes += stored.stored_bytes;
            }
        }
        // Files that were not opened are taken to be as dense as those that were.
        let rows = (known_bytes > 0)
            .then(|| (u128::from(known_rows) * u128::from(bytes) / u128::from(known_bytes)) as u64);
        let columns = self.column_statistics(&opened);
        Statistics { rows, bytes: Some(bytes), columns }
    }

    fn filter_support(&self, filter: &Expression) -> FilterSupport {
        if self.shared.source.format() == FileFormat::Parquet && tested_column(filter).is_some() {
            return FilterSupport::Exact;
        }
        let Some(predicate) = predicate_of(filter) else { return FilterSupport::None };
        let mut columns = Vec::new();
        predicate.collect_columns(&mut columns);
        let prunes = |place: &ColumnPlace| match self.shared.columns.get(place.column) {
            Some(TableColumn::File(..)) => self.shared.source.format() == FileFormat::Parquet,
            Some(_) => true,
            None => false,
        };
        if columns.iter().any(prunes) { FilterSupport::Inexact } else { FilterSupport::None }
    }

    fn reads_fields(&self) -> bool {
        matches!(self.shared.source.format(), FileFormat::Parquet | FileFormat::Json)
    }

    fn reader_bytes(&self, request: &ScanRequest) -> usize {
        // Other formats hold a block of text, which is small.
        let opened = self.shared.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = opened.first().cloned().flatten() else { return 0 };
        drop(opened);
        let mut columns: Vec<usize> = Vec::with_capacity(request.projection.len());
        let tested = request.filters.iter().filter_map(tested_column);
        for column in request.projection.iter().copied().chain(tested) {
            // A column that the first file lacks is one of another file, which is like it in size.
            if let Ok(Given::Column(position)) = self.shared.given(0, &file, column) {
                columns.push(position);
            }
        }
        columns.sort_unstable();
        columns.dedup();
        match file {
            Opened::Parquet(file) => file.largest_footprint(&columns).bytes(),
            _ => 0,
        }
    }

    fn description(&self) -> String {
        let first = self.shared.files.first().map(|file| file.path.display().to_string()).unwrap_or_default();
        match self.shared.files.len() {
            0 | 1 => first,
            files => format!("{first} and {} more files", files - 1),
        }
    }

    fn scan(&self, request: ScanRequest, context: &Arc<Context>) -> hypostyle_engine::Result<Arc<dyn Scan>> {
        Ok(Arc::new(FileScan::new(Arc::clone(&self.shared), request, context)?))
    }
}
