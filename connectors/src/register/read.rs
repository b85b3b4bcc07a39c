//! The table functions that read files.

use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::table::{TableFunction, TableProvider};
use hypostyle_functions::{Literal, Type, Value};

use crate::csv::{BadRows, CsvOptions, Stated};
use crate::error::{Error, Result};
use crate::input::Compression;
use crate::json::{JsonLayout, JsonOptions};
use crate::location::{FileFormat, resolve};
use crate::options::{Options, parse_type, paths_argument, texts_of};
use crate::table::{FileTable, Source, TableOptions};
use crate::text_value::Pattern;

/// A function that reads files of one format.
pub struct ReadFunction {
    name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Parquet,
    Csv,
    Json(Option<JsonLayout>),
    JsonObjects,
    Arrow,
}

/// All of them.
pub fn functions() -> Vec<ReadFunction> {
    let function = |name, kind| ReadFunction { name, kind };
    vec![
        function("read_parquet", Kind::Parquet),
        function("parquet_scan", Kind::Parquet),
        function("read_csv", Kind::Csv),
        function("read_csv_auto", Kind::Csv),
        function("read_json", Kind::Json(None)),
        function("read_json_auto", Kind::Json(None)),
        function("read_ndjson", Kind::Json(Some(JsonLayout::Lines))),
        function("read_ndjson_auto", Kind::Json(Some(JsonLayout::Lines))),
        function("read_json_objects", Kind::JsonObjects),
        function("read_arrow", Kind::Arrow),
        function("read_ipc", Kind::Arrow),
    ]
}

impl TableFunction for ReadFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn bind(
        &self,
        arguments: &[Literal],
        options: &[(String, Literal)],
        _context: &Arc<Context>,
    ) -> hypostyle_engine::Result<Arc<dyn TableProvider>> {
        Ok(Arc::new(self.open(arguments, options)?))
    }
}

impl ReadFunction {
    fn open(&self, arguments: &[Literal], options: &[(String, Literal)]) -> Result<FileTable> {
        let locations = paths_argument(self.name, arguments)?;
        let mut options = Options::new(self.name, options)?;
        let mut row_groups = None;
        let source = match self.kind {
            Kind::Parquet => {
                // Text is told from bytes by its annotation; the option is taken and has nothing to add.
                options.boolean(&["binary_as_string"])?;
                row_groups = options.positions(&["row_groups"])?;
                Source::Parquet
            }
            Kind::Csv => Source::Csv(Box::new(csv_options(&mut options, &locations)?)),
            Kind::Json(layout) => Source::Json(Box::new(json_options(&mut options, layout)?)),
            Kind::JsonObjects => {
                let mut stated = json_options(&mut options, None)?;
                stated.records = Some(false);
                stated.columns = vec![("json".into(), Type::Text)];
                Source::Json(Box::new(stated))
            }
            Kind::Arrow => Source::Arrow,
        };
        let table = TableOptions { row_groups, ..table_options(&mut options)? };
        options.finish()?;
        let extensions = match source.format() {
            FileFormat::Csv => &[".csv", ".tsv", ".tab", ".psv", ".txt", ".dat", ".tbl"],
            format => format.extensions(),
        };
        FileTable::bind(resolve(&locations, extensions)?, source, table)
    }
}

fn table_options(options: &mut Options<'_>) -> Result<TableOptions> {
    let mut table = TableOptions {
        union_by_name: options.boolean(&["union_by_name"])?.unwrap_or(false),
        hive_partitioning: options.boolean(&["hive_partitioning"])?,
        hive_types: options.types(&["hive_types"])?,
        ..TableOptions::default()
    };
    let Some((_, literal)) = options.take(&["filename"]) else { return Ok(table) };
    match &literal.value {
        Value::Boolean(true) => table = table.with_filename(),
        Value::Boolean(false) => {}
        Value::Text(name) => table.filename = Some(name.clone()),
        _ => {
            return Err(Error::option(
                options.function(),
                "filename",
                "true, or the name of the column, is wanted",
            ));
        }
    }
    Ok(table)
}

fn csv_options(options: &mut Options<'_>, locations: &[String]) -> Result<CsvOptions> {
    let function = options.function();
    // The sniffer always runs on what is not stated; the option that asks for it has nothing to add.
    options.boolean(&["auto_detect"])?;
    let mut csv = CsvOptions {
        stated: stated_dialect(options)?,
        header: options.boolean(&["header"])?,
        names: options.texts(&["names", "column_names"])?,
        columns: options.types(&["columns"])?,
        all_text: options.boolean(&["all_varchar"])?.unwrap_or(false),
        skip_lines: options.count(&["skip"])?.unwrap_or(0),
        null_texts: options.texts(&["nullstr", "null"])?,
        bad_rows: bad_rows(options)?,
        pad_with_nulls: options.boolean(&["null_padding"])?.unwrap_or(false),
        sample_rows: options.count(&["sample_size"])?,
        record_bytes_max: options.count(&["max_line_size", "maximum_line_size"])?,
        compression: compression(options)?,
        ..CsvOptions::default()
    };
    csv.date_pattern = pattern(options, &["dateformat", "date_format"])?;
    csv.timestamp_pattern = pattern(options, &["timestampformat", "timestamp_format"])?;
    csv.types = csv_types(options, function)?;
    if csv.stated.delimiter.is_none() && csv.columns.is_empty() && locations.iter().all(|path| is_tsv(path)) {
        csv.stated.delimiter = Some(b'\t');
    }
    Ok(csv)
}

fn is_tsv(location: &str) -> bool {
    let name = location.to_ascii_lowercase();
    [".tsv", ".tsv.gz", ".tsv.zst", ".tab"].iter().any(|extension| name.ends_with(extension))
}

fn stated_dialect(options: &mut Options<'_>) -> Result<Stated> {
    let delimiter = options.byte(&["delim", "sep", "delimiter", "separator"])?;
    if delimiter == Some(None) {
        return Err(Error::option(options.function(), "delim", "an empty text; state one character"));
    }
    Ok(Stated {
        delimiter: delimiter.flatten(),
        quote: options.byte(&["quote"])?,
        escape: options.byte(&["escape"])?,
        comment: options.byte(&["comment"])?,
    })
}

fn bad_rows(options: &mut Options<'_>) -> Result<BadRows> {
    let ignore = options.boolean(&["ignore_errors"])?;
    let function = options.function();
    match options.text(&["bad_rows"])?.map(str::to_ascii_lowercase).as_deref() {
        None if ignore == Some(true) => Ok(BadRows::Skip),
        None | Some("error") => Ok(BadRows::Fail),
        Some("skip") => Ok(BadRows::Skip),
        Some("null") => Ok(BadRows::Null),
        Some(other) => Err(Error::option(
            function,
            "bad_rows",
            format!("\"{other}\" is not known; use error, skip or null"),
        )),
    }
}

fn pattern(options: &mut Options<'_>, names: &[&'static str]) -> Result<Option<Pattern>> {
    let function = options.function();
    let Some(text) = options.text(names)? else { return Ok(None) };
    Pattern::compile(text).map(Some).map_err(|problem| Error::option(function, names[0], problem))
}

/// Types by name as a struct, or by position as a list.
fn csv_types(options: &mut Options<'_>, function: &str) -> Result<Vec<(String, Type)>> {
    let names: &[&'static str] = &["types", "dtypes", "column_types"];
    let Some((_, literal)) = options.take(names) else { return Ok(Vec::new()) };
    if let Some(texts) = texts_of(&literal.value) {
        return texts
            .iter()
            .enumerate()
            .map(|(position, text)| {
                let data_type =
                    parse_type(text).map_err(|problem| Error::option(function, "types", problem))?;
                Ok((format!("#{position}"), data_type))
            })
            .collect();
    }
    let entry = [("types".to_owned(), literal.clone())];
    Options::new(function, &entry)?.types(&["types"])
}

fn compression(options: &mut Options<'_>) -> Result<Option<Compression>> {
    let function = options.function();
    options.text(&["compression"])?.map_or(Ok(None), |name| Compression::parse(function, name))
}

fn json_options(options: &mut Options<'_>, layout: Option<JsonLayout>) -> Result<JsonOptions> {
    let function = options.function();
    options.boolean(&["auto_detect"])?;
    let stated = match options.text(&["format"])?.map(str::to_ascii_lowercase).as_deref() {
        None | Some("auto") => layout,
        Some("newline_delimited" | "nd" | "ndjson") => Some(JsonLayout::Lines),
        Some("array") => Some(JsonLayout::Array),
        Some("unstructured") => Some(JsonLayout::Values),
        Some(other) => {
            let problem =
                format!("\"{other}\" is not known; use auto, newline_delimited, array or unstructured");
            return Err(Error::option(function, "format", problem));
        }
    };
    let records = match options.take(&["records"]) {
        None => None,
        Some((_, literal)) => match &literal.value {
            Value::Boolean(value) => Some(*value),
            Value::Text(text) if text.eq_ignore_ascii_case("auto") => None,
            Value::Text(text) => crate::text_value::boolean(text.as_bytes()),
            _ => return Err(Error::option(function, "records", "true, false or 'auto' is wanted")),
        },
    };
    Ok(JsonOptions {
        layout: stated,
        columns: options.types(&["columns"])?,
        records,
        ignore_errors: options.boolean(&["ignore_errors"])?.unwrap_or(false),
        maximum_depth: options.count(&["maximum_depth"])?,
        sample_values: options.count(&["sample_size"])?,
        value_bytes_max: options.count(&["maximum_object_size"])?,
        compression: compression(options)?,
    })
}
