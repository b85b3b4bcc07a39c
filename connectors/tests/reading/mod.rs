//! Reads files through the same contracts as the engine, and shows rows as text.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hypostyle_connectors::register;
use hypostyle_engine::plan::Expression;
use hypostyle_engine::table::{ScanRequest, TableProvider};
use hypostyle_engine::{Batch, Catalog, Configuration, Context};
use hypostyle_functions::cast::format_value;
use hypostyle_functions::column::View;
use hypostyle_functions::scalar::Settings;
use hypostyle_functions::{Literal, Registry, Type, Value};

/// A context whose catalog has the functions of this crate.
pub fn context() -> Arc<Context> {
    let catalog = Arc::new(Catalog::default());
    register(&catalog);
    Arc::new(Context::new(
        Arc::new(Registry::builtin()),
        catalog,
        Settings::default(),
        Configuration::default(),
    ))
}

/// A named option.
pub fn option(name: &str, value: impl Into<Value>) -> (String, Literal) {
    (name.to_owned(), Literal::new(value.into()))
}

/// An option of names and types.
pub fn types(name: &str, pairs: &[(&str, &str)]) -> (String, Literal) {
    let fields =
        pairs.iter().map(|(name, data_type)| ((*name).to_owned(), Value::text(*data_type))).collect();
    (name.to_owned(), Literal::new(Value::Struct(fields, vec![Type::Text; pairs.len()])))
}

/// The table that a function makes of one path.
pub fn bind(
    function: &str,
    path: impl AsRef<Path>,
    options: &[(String, Literal)],
) -> Result<Arc<dyn TableProvider>, String> {
    let context = context();
    let path = Literal::new(Value::text(path.as_ref().display().to_string()));
    let function = context.catalog.function(function).unwrap();
    function.bind(&[path], options, &context).map_err(|error| error.to_string())
}

/// What is asked of a scan.
pub fn request(table: &dyn TableProvider, batch_rows: usize) -> ScanRequest {
    let projection = (0..table.schema().fields.len()).collect();
    ScanRequest {
        projection,
        narrowed: Vec::new(),
        coded: Vec::new(),
        filters: Vec::new(),
        key_filters: Vec::new(),
        limit: None,
        batch_rows,
        read_bytes: Arc::default(),
    }
}

/// All batches of a scan, in order.
pub fn batches(table: &dyn TableProvider, request: ScanRequest) -> Result<Vec<Batch>, String> {
    let scan = table.scan(request, &context()).map_err(|error| error.to_string())?;
    let mut batches = Vec::new();
    while let Some(mut reader) = scan.claim().map_err(|error| error.to_string())? {
        while let Some(batch) = reader.next().map_err(|error| error.to_string())? {
            assert!(batch.rows > 0, "an empty batch was handed on");
            batches.push(batch);
        }
    }
    Ok(batches)
}

/// All rows of a table as text, fields between bars; they are the same where all columns may come as codes.
pub fn rows(table: &dyn TableProvider, batch_rows: usize) -> Result<Vec<String>, String> {
    let read = |request: ScanRequest| -> Result<Vec<String>, String> {
        let batches = batches(table, request)?;
        Ok(batches.iter().flat_map(|batch| shown(batch, table.schema())).collect())
    };
    let request = request(table, batch_rows);
    let coded = ScanRequest { coded: request.projection.clone(), ..request.clone() };
    let rows = read(request)?;
    assert_eq!(rows, read(coded)?);
    Ok(rows)
}

/// Rows that a scan of some columns gives under filters.
pub fn filtered(table: &dyn TableProvider, projection: Vec<usize>, filters: Vec<Expression>) -> usize {
    let request = ScanRequest {
        projection,
        narrowed: Vec::new(),
        coded: Vec::new(),
        filters,
        key_filters: Vec::new(),
        limit: None,
        batch_rows: 1024,
        read_bytes: Arc::default(),
    };
    batches(table, request).unwrap().iter().map(|batch| batch.rows).sum()
}

/// Types and rows of what a function reads, the rows at several batch sizes, which must agree.
pub fn read(
    function: &str,
    path: impl AsRef<Path>,
    options: &[(String, Literal)],
) -> Result<(String, Vec<String>), String> {
    let mut answers = Vec::new();
    for batch_rows in [1, 3, 2048] {
        let table = bind(function, path.as_ref(), options)?;
        answers.push((schema(table.as_ref()), rows(table.as_ref(), batch_rows)?));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    Ok(answers.swap_remove(0))
}

/// Names and types as text.
pub fn schema(table: &dyn TableProvider) -> String {
    let fields: Vec<String> =
        table.schema().fields.iter().map(|field| format!("{} {}", field.name, field.data_type)).collect();
    fields.join(", ")
}

/// A file with this content in a directory of its own.
pub struct TextFile {
    directory: tempfile::TempDir,
    name: String,
}

impl TextFile {
    /// Writes the file.
    pub fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(name), content).unwrap();
        Self { directory, name: name.to_owned() }
    }

    /// Its path.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join(&self.name)
    }
}

/// The folder of real files beside the project; `None`, with a message, where it is absent.
pub fn real_files() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: the folder of real files, {}, is absent", folder.display());
    None
}

/// All files below a folder that end in `extension`.
pub fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(files_below(&path, extension));
        } else if path.to_string_lossy().ends_with(extension) {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn shown(batch: &Batch, schema: &hypostyle_functions::Schema) -> Vec<String> {
    let bump = bumpalo::Bump::new();
    let views: Vec<_> = batch
        .columns
        .iter()
        .zip(&schema.fields)
        .map(|(column, field)| column.view(&field.data_type, &bump))
        .collect();
    let value = |view: &View<'_>, row| {
        let mut text = String::new();
        format_value(view, row, &mut text).unwrap();
        text
    };
    (0..batch.rows)
        .map(|row| views.iter().map(|view| value(view, row)).collect::<Vec<_>>().join("|"))
        .collect()
}
