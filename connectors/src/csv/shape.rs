//! Finds out the header, names and types of a file from a sample of it.

use std::collections::BTreeMap;

use hypostyle_functions::Type;

use super::convert::ColumnFormat;
use super::dialect::Dialect;
use super::file::CsvOptions;
use super::header::{made_up_names, names_of_header};
use super::infer::{Patterns, TypeInference};
use super::records::{Record, is_blank, read_record, unescape};
use crate::error::{Error, Place, Result};

/// Rows that types are found out from, unless stated.
pub(super) const SAMPLE_ROWS: usize = 20_480;

/// The records of a sample, without blank lines and comments.
pub(super) struct Sample<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) dialect: Dialect,
}

/// Names, types and header of a file.
pub(super) struct Shape {
    pub(super) names: Vec<String>,
    pub(super) formats: Vec<ColumnFormat>,
    pub(super) has_header: bool,
    pub(super) header_bytes: usize,
    pub(super) header_lines: u64,
}

impl Shape {
    /// Finds them out, as far as `options` do not state them.
    ///
    /// # Errors
    /// Options that contradict the sample.
    pub(super) fn of(sample: &Sample<'_>, options: &CsvOptions, place: &Place) -> Result<Self> {
        let first = sample.records().next();
        let nulls = null_texts(options);
        let is_null = |value: &[u8]| value.is_empty() || nulls.iter().any(|text| text.as_bytes() == value);
        let (first_fields, first_end) = match first {
            Some((start, record)) => (sample.fields(start), record.end),
            None => (Vec::new(), 0),
        };
        let width = sample.width(options).max(1);
        let patterns = Patterns::new(options.date_pattern.as_ref(), options.timestamp_pattern.as_ref());
        let observe = |skip: usize| {
            let mut columns: Vec<TypeInference> = (0..width).map(|_| TypeInference::new(&patterns)).collect();
            let rows = options.sample_rows.unwrap_or(SAMPLE_ROWS);
            let mut text = Vec::new();
            for (start, _) in sample.records().skip(skip).take(rows) {
                sample.each_field(start, &mut text, |field, value| {
                    if let Some(column) = columns.get_mut(field)
                        && !is_null(value)
                    {
                        column.observe(value);
                    }
                });
            }
            columns.into_iter().map(TypeInference::finish).collect::<Vec<_>>()
        };
        let only_record = sample.records().nth(1).is_none();
        let behind_first = if only_record { observe(0) } else { observe(1) };
        let has_header = match options.header {
            Some(stated) => stated,
            None if !options.columns.is_empty() => is_header_of(&first_fields, options, &is_null),
            None => first.is_some() && looks_like_header(&first_fields, &behind_first, &is_null),
        };
        let mut formats = match (has_header, only_record) {
            (true, true) => vec![ColumnFormat::Text; width],
            (true, false) => behind_first,
            (false, _) => observe(0),
        };
        if options.all_text {
            formats = vec![ColumnFormat::Text; width];
        }
        let mut names =
            if has_header { names_of_header(&padded(&first_fields, width)) } else { made_up_names(width) };
        if !options.columns.is_empty() {
            names = options.columns.iter().map(|(name, _)| name.clone()).collect();
            formats.resize(names.len(), ColumnFormat::Text);
        }
        for (index, name) in options.names.iter().enumerate().take(names.len()) {
            names[index].clone_from(name);
        }
        state_types(&names, &mut formats, options, place)?;
        let header = if has_header { &sample.bytes[..first_end] } else { &[][..] };
        Ok(Self {
            names,
            formats,
            has_header,
            header_bytes: header.len(),
            header_lines: memchr::memchr_iter(sample.dialect.line_end, header).count() as u64,
        })
    }
}

/// True if the first record holds names: it has none of the types of the records behind it, or all is text.
fn looks_like_header(first: &[String], formats: &[ColumnFormat], is_null: &dyn Fn(&[u8]) -> bool) -> bool {
    if first.iter().all(|field| is_null(field.as_bytes())) {
        return true;
    }
    if formats.iter().all(|format| *format == ColumnFormat::Text) {
        return true;
    }
    let differs = |field: &String, format: &ColumnFormat| {
        !is_null(field.as_bytes()) && !format.accepts(field.as_bytes())
    };
    first.iter().zip(formats).any(|(field, format)| differs(field, format))
}

/// True if the first record is the header of stated columns: it holds their names, or values of other types.
fn is_header_of(first: &[String], options: &CsvOptions, is_null: &dyn Fn(&[u8]) -> bool) -> bool {
    let names = || {
        first.iter().zip(&options.columns).all(|(field, (name, _))| field.trim().eq_ignore_ascii_case(name))
    };
    let misfit = |(field, (_, data_type)): (&String, &(String, Type))| {
        let format =
            ColumnFormat::of(data_type, options.date_pattern.as_ref(), options.timestamp_pattern.as_ref());
        !is_null(field.as_bytes()) && format.is_some_and(|format| !format.accepts(field.as_bytes()))
    };
    !first.is_empty() && (names() || first.iter().zip(&options.columns).any(misfit))
}

fn state_types(
    names: &[String],
    formats: &mut [ColumnFormat],
    options: &CsvOptions,
    place: &Place,
) -> Result<()> {
    for (name, data_type) in options.columns.iter().chain(&options.types) {
        // A list of types names its columns by their positions.
        let by_position =
            || name.strip_prefix('#')?.parse().ok().filter(|&index: &usize| index < names.len());
        let by_name = names.iter().position(|known| known.eq_ignore_ascii_case(name));
        let Some(index) = by_name.or_else(by_position) else {
            return Err(Error::option(
                "read_csv",
                "types",
                format!("{}: no column \"{name}\"; there are {}", place.path, quoted_list(names)),
            ));
        };
        let known = formats[index].pattern().cloned();
        let date = options.date_pattern.as_ref().or(known.as_ref());
        let timestamp = options.timestamp_pattern.as_ref().or(known.as_ref());
        formats[index] = ColumnFormat::of(data_type, date, timestamp)
            .ok_or_else(|| no_text_form(name, data_type, place.clone()))?;
    }
    Ok(())
}

fn quoted_list(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(12).map(|name| format!("\"{name}\"")).collect();
    let more = if names.len() > 12 { ", ..." } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// Texts that are null.
pub(super) fn null_texts(options: &CsvOptions) -> Vec<String> {
    if options.null_texts.is_empty() { vec![String::new()] } else { options.null_texts.clone() }
}

fn padded(fields: &[String], width: usize) -> Vec<String> {
    let mut padded = fields.to_vec();
    padded.resize(width, String::new());
    padded
}

impl Sample<'_> {
    /// Start and end of each record.
    fn records(&self) -> impl Iterator<Item = (usize, Record)> + '_ {
        let mut position = 0;
        std::iter::from_fn(move || {
            while position < self.bytes.len() {
                let start = position;
                let record = read_record(self.bytes, start, &self.dialect, |_, _| {});
                position = record.end;
                let is_comment = self.dialect.comment.is_some_and(|comment| self.bytes[start] == comment);
                if is_comment {
                    let end = memchr::memchr(self.dialect.line_end, &self.bytes[start..]);
                    position = end.map_or(self.bytes.len(), |end| start + end + 1);
                } else if !is_blank(&self.bytes[start..record.end]) {
                    return Some((start, record));
                }
            }
            None
        })
    }

    fn each_field(&self, start: usize, text: &mut Vec<u8>, mut visit: impl FnMut(usize, &[u8])) {
        read_record(self.bytes, start, &self.dialect, |field, span| {
            if span.escaped {
                unescape(span.of(self.bytes), &self.dialect, text);
                visit(field, text);
            } else {
                visit(field, span.of(self.bytes));
            }
        });
    }

    fn fields(&self, start: usize) -> Vec<String> {
        let mut fields = Vec::new();
        self.each_field(start, &mut Vec::new(), |_, value| {
            fields.push(String::from_utf8_lossy(value).into_owned())
        });
        fields
    }

    /// Fields of most records; of the longest if short ones are filled up.
    fn width(&self, options: &CsvOptions) -> usize {
        let mut counts = BTreeMap::new();
        for (_, record) in self.records().take(SAMPLE_ROWS) {
            *counts.entry(record.fields).or_insert(0usize) += 1;
        }
        if options.pad_with_nulls {
            return counts.keys().next_back().copied().unwrap_or(0);
        }
        // Among equals the first record's width counts: it is the header's.
        let first = self.records().next().map_or(0, |(_, record)| record.fields);
        let most = counts.values().max().copied().unwrap_or(0);
        if counts.get(&first) == Some(&most) {
            return first;
        }
        counts.into_iter().find(|(_, count)| *count == most).map_or(0, |(fields, _)| fields)
    }
}

pub(super) fn no_text_form(column: &str, data_type: &Type, place: Place) -> Error {
    Error::Unsupported {
        place: Box::new(place.column(column)),
        what: format!("reading {data_type} from CSV"),
        right: "read it as VARCHAR and cast it".into(),
    }
}
