//! `COPY ... (PARTITION_BY (a, b))`: a file for each combination of values, in directories that name them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::UInt32Array;
use bumpalo::Bump;
use hypostyle_engine::table::{TableWriter, WriterFactory};
use hypostyle_engine::{Batch, Context};
use hypostyle_functions::cast::format_value;
use hypostyle_functions::column::{View, value_at};
use hypostyle_functions::{Literal, Schema, Value};

use super::write::FileWriterFactory;
use crate::error::{Error, Result};
use crate::location::partition_directory;
use crate::options::{Options, nearest};

/// Most partitions of one statement: each holds an open file and the rows that wait for it.
const PARTITIONS_MAX: usize = 500;

/// Options of the partitioning, which the writers of files do not know.
const OPTION_NAMES: [&str; 5] =
    ["partition_by", "overwrite_or_ignore", "overwrite", "append", "write_partition_columns"];

/// What to do with files that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    Refuse,
    /// Files of the same name are replaced, others stay.
    Replace,
    /// All of them go once the new ones are whole.
    Remove,
    /// New files get names of their own.
    Keep,
}

/// Writes each row to the file of its partition.
pub(super) struct PartitionedWriter {
    root: PathBuf,
    files: FileWriterFactory,
    schema: Schema,
    /// Positions of the columns that partition.
    keys: Vec<usize>,
    /// Positions of the columns that are written.
    written: Vec<usize>,
    file_schema: Schema,
    options: Vec<(String, Literal)>,
    existing: Existing,
    context: Arc<Context>,
    partitions: HashMap<Vec<Value>, usize>,
    open: Vec<OpenFile>,
    /// Directories that were made, outermost first.
    made: Vec<PathBuf>,
    finished: bool,
}

struct OpenFile {
    path: PathBuf,
    writer: Box<dyn TableWriter>,
}

/// True if the options ask for partitions.
pub(super) fn is_partitioned(options: &[(String, Literal)]) -> bool {
    options.iter().any(|(name, _)| name.eq_ignore_ascii_case(OPTION_NAMES[0]))
}

impl PartitionedWriter {
    /// A writer below the directory `root`.
    ///
    /// # Errors
    /// Unknown columns, no column to write, or a directory with files in it.
    pub(super) fn open(
        root: &Path,
        files: FileWriterFactory,
        schema: &Schema,
        options: &[(String, Literal)],
        context: &Arc<Context>,
    ) -> Result<Self> {
        let is_own = |(name, _): &&(String, Literal)| {
            OPTION_NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
        };
        let own: Vec<(String, Literal)> = options.iter().filter(is_own).cloned().collect();
        let rest = options.iter().filter(|option| !is_own(option)).cloned().collect();
        let mut own = Options::new("COPY", &own)?;
        let keys = positions(&own.texts(&["partition_by"])?, schema)?;
        let mut flag = |name| own.boolean(&[name]).map(|value| value.unwrap_or(false));
        let existing = match (flag("overwrite")?, flag("overwrite_or_ignore")?, flag("append")?) {
            (true, ..) => Existing::Remove,
            (_, true, _) => Existing::Replace,
            (.., true) => Existing::Keep,
            _ => Existing::Refuse,
        };
        let all = flag("write_partition_columns")?;
        let written: Vec<usize> =
            (0..schema.fields.len()).filter(|column| all || !keys.contains(column)).collect();
        if written.is_empty() {
            let problem = "every column is one; write_partition_columns => true writes them too";
            return Err(Error::option("COPY", "partition_by", problem));
        }
        let refused = |error| Error::system(root, "write", error);
        let is_empty = match fs::read_dir(root) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
            Err(error) => return Err(refused(error)),
        };
        if existing == Existing::Refuse && !is_empty {
            return Err(Error::option(
                "COPY",
                "partition_by",
                format!(
                    "directory \"{}\" is not empty; add overwrite_or_ignore, overwrite or append",
                    root.display()
                ),
            ));
        }
        let file_schema = Schema::new(written.iter().map(|&column| schema.fields[column].clone()).collect());
        Ok(Self {
            root: root.to_path_buf(),
            files,
            schema: schema.clone(),
            keys,
            written,
            file_schema,
            options: rest,
            existing,
            context: Arc::clone(context),
            partitions: HashMap::new(),
            open: Vec::new(),
            made: Vec::new(),
            finished: false,
        })
    }

    /// Position among the open files of the partition of a row.
    fn partition(&mut self, keys: &[View<'_>], row: usize) -> hypostyle_engine::Result<usize> {
        let values: Vec<Value> = keys.iter().map(|key| value_at(key, row)).collect();
        let count = self.open.len();
        let entry = match self.partitions.entry(values) {
            Entry::Occupied(known) => return Ok(*known.get()),
            Entry::Vacant(entry) => entry,
        };
        if count == PARTITIONS_MAX {
            return Err(Error::option(
                "COPY",
                "partition_by",
                format!("more than {PARTITIONS_MAX} partitions; write some of them at a time"),
            )
            .into());
        }
        let mut folder = self.root.clone();
        for (&column, key) in self.keys.iter().zip(keys) {
            let text = if key.is_null(row) {
                None
            } else {
                let mut text = String::new();
                format_value(key, row, &mut text)
                    .map_err(|_| Error::Internal("a partition value without a text".into()))?;
                Some(text)
            };
            folder.push(partition_directory(&self.schema.fields[column].name, text.as_deref()));
        }
        make_directories(&folder, &mut self.made)?;
        let path = self.files.file_in(&folder, self.existing == Existing::Keep);
        let shown = path.display().to_string();
        let writer = self.files.open(&shown, &self.file_schema, &self.options, &self.context)?;
        self.open.push(OpenFile { path, writer });
        Ok(*entry.insert(count))
    }
}

impl TableWriter for PartitionedWriter {
    fn write(&mut self, batch: &Batch) -> hypostyle_engine::Result<()> {
        let bump = Bump::new();
        let types: Vec<_> =
            self.keys.iter().map(|&column| self.schema.fields[column].data_type.clone()).collect();
        let keys: Vec<View<'_>> = self
            .keys
            .iter()
            .zip(&types)
            .map(|(&column, data_type)| batch.columns[column].view(data_type, &bump))
            .collect();
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); self.open.len()];
        for row in 0..batch.rows {
            let partition = self.partition(&keys, row)?;
            if rows.len() <= partition {
                rows.resize(partition + 1, Vec::new());
            }
            rows[partition].push(row as u32);
        }
        for (file, rows) in self.open.iter_mut().zip(rows) {
            if rows.is_empty() {
                continue;
            }
            let count = rows.len();
            let rows = UInt32Array::from(rows);
            let columns = self.written.iter().map(|&column| batch.columns[column].take(&rows));
            let columns = columns.collect::<hypostyle_functions::Result<_>>()?;
            file.writer.write(&Batch::new(columns, count))?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> hypostyle_engine::Result<()> {
        make_directories(&self.root, &mut self.made)?;
        let mut written = Vec::with_capacity(self.open.len());
        for file in std::mem::take(&mut self.open) {
            file.writer.finish()?;
            written.push(file.path);
        }
        self.finished = true;
        if self.existing == Existing::Remove {
            let refused = |error| Error::system(&self.root, "write", error);
            remove_others(&self.root, &written).map_err(refused)?;
        }
        Ok(())
    }
}

impl Drop for PartitionedWriter {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        self.open.clear();
        // A directory that holds something by now is another's too.
        for folder in self.made.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Positions of columns by name.
fn positions(names: &[String], schema: &Schema) -> Result<Vec<usize>> {
    let mut positions = Vec::with_capacity(names.len());
    for name in names {
        let Some(position) = schema.index_of(name) else {
            let known = schema.fields.iter().map(|field| field.name.clone());
            let hint =
                nearest(name, known).map_or(String::new(), |near| format!("; did you mean \"{near}\"?"));
            return Err(Error::option("COPY", "partition_by", format!("no column \"{name}\"{hint}")));
        };
        if positions.contains(&position) {
            return Err(Error::option("COPY", "partition_by", format!("column \"{name}\" is named twice")));
        }
        positions.push(position);
    }
    if positions.is_empty() {
        return Err(Error::option("COPY", "partition_by", "no column is named; name one at least"));
    }
    Ok(positions)
}

/// Removes what was there before, but for the files that were written, and directories that are empty then.
fn remove_others(folder: &Path, written: &[PathBuf]) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.is_symlink() {
            remove_others(&path, written)?;
            if fs::read_dir(&path)?.next().is_none() {
                fs::remove_dir(&path)?;
            }
        } else if !written.contains(&path) && !is_pending(&path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// A file that does not have its name yet.
fn is_pending(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "partial")
}

/// Makes a directory and those it lies in, and notes them.
fn make_directories(folder: &Path, made: &mut Vec<PathBuf>) -> Result<()> {
    let missing: Vec<&Path> =
        folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    for path in missing.into_iter().rev() {
        match fs::create_dir(path) {
            Ok(()) => made.push(path.to_path_buf()),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::system(path, "write", error)),
        }
    }
    Ok(())
}
