//! One Parquet file: its footer read once, its row groups handed out after pruning.

use std::sync::Arc;

use hypostyle_functions::{Schema, Type, Value};
use parquet::file::metadata::{
    ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader,
    ParquetStatisticsPolicy,
};

use super::chunk_reader::WholeFile;
use super::decode::SharedDictionaries;
use super::footprint::{Footprint, PageSizes};
use super::parts::parts;
use super::prune;
use super::row_group::{ColumnFilter, RowGroupReader};
use super::schema::FileSchema;
use crate::error::{Error, Place, Result, decoded};
use crate::input::{BufferPool, LocalFile};
use crate::prune::{Bound, Predicate};

/// An open Parquet file with its footer.
#[derive(Debug)]
pub struct ParquetFile {
    pub(super) local: Arc<LocalFile>,
    pub(super) metadata: Arc<ParquetMetaData>,
    pub(super) schema: Arc<FileSchema>,
    pub(super) page_sizes: PageSizes,
}

/// The row groups of one file that a scan has to read, and how.
pub struct ScanPlan {
    file: Arc<ParquetFile>,
    columns: Vec<usize>,
    /// Those of them that may come as codes whatever their type.
    coded: Vec<usize>,
    filters: Vec<ColumnFilter>,
    morsels: Vec<RowGroupMorsel>,
    pool: Arc<BufferPool>,
}

/// A row group, or a range of its rows.
#[derive(Debug, Clone)]
pub struct RowGroupMorsel {
    /// Position of the row group in the file.
    pub row_group: usize,
    /// Ranges of rows within the group that are to be read; `None` reads them all.
    pub ranges: Option<Vec<std::ops::Range<usize>>>,
    /// Rows to be read.
    pub rows: usize,
    /// Position of the morsel's first row in the row group.
    pub first_row: usize,
    /// Its number among the parts of the row group.
    pub part: usize,
    /// What the readers of all parts share; `None` if the row group is read as a whole.
    pub(super) dictionaries: Option<Arc<SharedDictionaries>>,
}

impl ParquetFile {
    /// Opens a file and reads its footer, without column statistics.
    ///
    /// `like` is a file of the same table: where the schemas agree, this one shares the other's.
    ///
    /// # Errors
    /// The system's refusal, or a footer that is not valid.
    pub fn open(local: Arc<LocalFile>, like: Option<&ParquetFile>) -> Result<Self> {
        let place = || local.place();
        let options = ParquetMetaDataOptions::new()
            .with_column_stats_policy(ParquetStatisticsPolicy::SkipAll)
            .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll);
        let metadata = decoded(place, "Parquet", || {
            ParquetMetaDataReader::new()
                .with_metadata_options(Some(options))
                .with_prefetch_hint(Some(64 << 10))
                .parse_and_finish(&WholeFile(Arc::clone(&local)))
        })?;
        check_ranges(&metadata, &local.place())?;
        let schema = match like.filter(|other| other.agrees_with(&metadata)) {
            Some(other) => Arc::clone(&other.schema),
            None => Arc::new(decoded(place, "Parquet", || {
                let file = metadata.file_metadata();
                FileSchema::new(file.schema_descr(), file.key_value_metadata(), &local.place())
            })?),
        };
        Ok(Self { local, metadata: Arc::new(metadata), schema, page_sizes: PageSizes::default() })
    }

    /// The columns in their logical form.
    pub fn schema(&self) -> &Schema {
        &self.schema.logical
    }

    /// Number of rows, as the footer says.
    pub fn row_count(&self) -> u64 {
        u64::try_from(self.metadata.file_metadata().num_rows()).unwrap_or(0)
    }

    /// Least and greatest value of each whole-number and date column, where the footer tells them.
    pub fn bounds(&self) -> Vec<Option<(Value, Value)>> {
        let fields = &self.schema().fields;
        let has_bounds = |data_type: &Type| data_type.is_integer() || *data_type == Type::Date;
        let columns: Vec<usize> = (0..fields.len()).filter(|&at| has_bounds(&fields[at].data_type)).collect();
        let mut bounds = vec![None; fields.len()];
        for (&column, found) in columns.iter().zip(prune::file_bounds(self, &columns)) {
            let value = |bound: &Bound| match (bound, &fields[column].data_type) {
                (Bound::Integer(days), Type::Date) => i32::try_from(*days).ok().map(Value::Date),
                (Bound::Integer(number), _) => i64::try_from(*number).ok().map(Value::Int64),
                _ => None,
            };
            bounds[column] = found.and_then(|(lower, upper)| value(&lower).zip(value(&upper)));
        }
        bounds
    }

    /// The same file, of whose columns at these positions only the fields of a type are read.
    ///
    /// # Errors
    /// A type that cannot be made of the column.
    pub fn narrowed(self: &Arc<Self>, parts: &[(usize, Type)]) -> Result<Arc<Self>> {
        if parts.is_empty() {
            return Ok(Arc::clone(self));
        }
        let place = self.place();
        let schema = decoded(|| place.clone(), "Parquet", || self.schema.narrowed(parts, &place))?;
        Ok(Arc::new(Self {
            local: Arc::clone(&self.local),
            metadata: Arc::clone(&self.metadata),
            schema: Arc::new(schema),
            page_sizes: PageSizes::default(),
        }))
    }

    /// Decides what to read for the columns at these positions, each asked once, under these conditions, all of which
    /// hold: `predicates` may refute parts of the file, and of the others only rows that pass `filters` come.
    ///
    /// # Errors
    /// Statistics or indexes that are not valid.
    pub fn plan(
        self: &Arc<Self>,
        columns: &[usize],
        predicates: &[Predicate],
        filters: &[ColumnFilter],
        pool: &Arc<BufferPool>,
    ) -> Result<ScanPlan> {
        let morsels = prune::row_groups(self, predicates)?;
        Ok(ScanPlan {
            file: Arc::clone(self),
            columns: columns.to_vec(),
            coded: Vec::new(),
            filters: filters.to_vec(),
            morsels,
            pool: Arc::clone(pool),
        })
    }

    pub(super) fn place(&self) -> Place {
        self.local.place()
    }

    pub(super) fn row_group_rows(&self, row_group: usize) -> usize {
        usize::try_from(self.metadata.row_group(row_group).num_rows()).unwrap_or(0)
    }

    fn agrees_with(&self, metadata: &ParquetMetaData) -> bool {
        let (mine, other) = (self.metadata.file_metadata(), metadata.file_metadata());
        let arrow_schema = |file: &parquet::file::metadata::FileMetaData| {
            let pairs = file.key_value_metadata()?;
            pairs.iter().find(|pair| pair.key == parquet::arrow::ARROW_SCHEMA_META_KEY)?.value.clone()
        };
        self.schema.is_of(other.schema_descr()) && arrow_schema(mine) == arrow_schema(other)
    }
}

/// Refuses column chunks at places that no file has: readers take the numbers of the footer as they are.
fn check_ranges(metadata: &ParquetMetaData, place: &Place) -> Result<()> {
    for (number, group) in metadata.row_groups().iter().enumerate() {
        let is_wrong = |chunk: &&ColumnChunkMetaData| {
            let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
            let length = chunk.compressed_size();
            start < 0 || length < 0 || start.checked_add(length).is_none()
        };
        if let Some(chunk) = group.columns().iter().find(is_wrong) {
            let problem = format!(
                "not valid Parquet: column \"{}\" of row group {number} lies outside of any file",
                chunk.column_path().string()
            );
            return Err(Error::corrupt(place.clone(), problem));
        }
    }
    Ok(())
}

impl ScanPlan {
    /// The morsels, in the order of the file.
    pub fn morsels(&self) -> &[RowGroupMorsel] {
        &self.morsels
    }

    /// Lets columns of numbers at these positions come as codes of their chunks' dictionaries.
    pub fn leave_coded(&mut self, columns: Vec<usize>) {
        self.coded = columns;
    }

    /// Leaves out all row groups but those at these positions.
    ///
    /// # Errors
    /// A position that the file does not have.
    pub fn keep_row_groups(&mut self, positions: &[usize]) -> Result<()> {
        let count = self.file.metadata.num_row_groups();
        if let Some(position) = positions.iter().find(|position| **position >= count) {
            let problem = format!(
                "row_groups: the file has {count} row groups; {position} is not one of them, which count from 0"
            );
            return Err(Error::Schema { path: self.file.place().to_string(), problem });
        }
        self.morsels.retain(|morsel| positions.contains(&morsel.row_group));
        Ok(())
    }

    /// Cuts large row groups, so that so many workers have something to read.
    pub fn cut(&mut self, workers: usize) {
        let columns: Vec<usize> = self.read().collect();
        let groups = std::mem::take(&mut self.morsels);
        self.morsels = parts(&self.file, &columns, groups, workers, &self.pool);
    }

    /// The columns that are read: those asked, and those of conditions alone.
    fn read(&self) -> impl Iterator<Item = usize> {
        let filtered = self.filters.iter().map(|filter| filter.column);
        let more = filtered.filter(|column| !self.columns.contains(column));
        self.columns.iter().copied().chain(more)
    }

    /// Rows that will be read.
    pub fn rows(&self) -> usize {
        self.morsels.iter().map(|morsel| morsel.rows).sum()
    }

    /// What a reader of a morsel holds.
    pub fn footprint(&self, morsel: &RowGroupMorsel) -> Footprint {
        let columns: Vec<usize> = self.read().collect();
        self.file.footprint(&columns, morsel.row_group)
    }

    /// A reader of one morsel.
    ///
    /// # Errors
    /// Columns that the decoder refuses.
    pub fn open(&self, morsel: &RowGroupMorsel, batch_rows: usize) -> Result<RowGroupReader> {
        let (file, coded) = (&self.file, &self.coded);
        RowGroupReader::open(file, &self.columns, coded, &self.filters, morsel, batch_rows, &self.pool)
    }
}
