//! Tables and rows.

use hypostyle_engine::plan::{Expression as Bound, TableReference};
use hypostyle_functions::value::Value;
use hypostyle_functions::{Field, Schema};
use hypostyle_planner::logical::{Column, Scan};

use crate::data_type::{self, add_field_names};
use crate::error::{Error, Result};
use crate::function::OWN_URN;
use crate::message::data_type::{NamedStruct, Struct};
use crate::message::expression::{MaskExpression, NestedStruct, StructItem, StructSelect};
use crate::message::relation::{
    Any, ExtensionTable, FileFormat, FileOrFiles, LocalFiles, NamedTable, PathKind, Read, ReadKind, RelKind,
    Unread, VirtualTable,
};

use super::expression::Scope;
use super::{Writer, Written, field};

impl Writer<'_> {
    /// Columns of a table, with the conditions that a scan would apply behind it.
    pub(super) fn scan(&mut self, scan: &Scan) -> Result<Written> {
        let read: Vec<&(Column, usize)> = scan.columns.iter().chain(&scan.filter_columns).collect();
        let items = read.iter().map(|(_, position)| StructItem { field: field(*position), child: None });
        let select = StructSelect { items: items.collect() };
        let message = Read {
            common: None,
            base_schema: Some(self.schema(scan.provider.schema())),
            filter: None,
            projection: Some(MaskExpression { select: Some(select), maintain_singular_struct: true }),
            best_effort_filter: None,
            kind: Some(source(&scan.table)?),
        };
        let ids = read.iter().map(|(column, _)| column.id).collect();
        let written = self.filter(Written::new(RelKind::Read(Box::new(message)), ids), &scan.filters)?;
        let wanted: Vec<usize> = scan.columns.iter().map(|(column, _)| column.id).collect();
        written.with_columns(&wanted)
    }

    fn schema(&mut self, schema: &Schema) -> NamedStruct {
        let mut names = Vec::with_capacity(schema.fields.len());
        let mut types = Vec::with_capacity(schema.fields.len());
        for field in &schema.fields {
            names.push(field.name.clone());
            add_field_names(&field.data_type, &mut names);
            types.push(data_type::write(&field.data_type, &mut self.declarations));
        }
        NamedStruct { names, r#struct: Some(Struct { types, variation: 0, nullability: 2 }) }
    }

    /// Rows of expressions.
    pub(super) fn rows(&mut self, columns: &[Column], rows: &[Vec<Bound>]) -> Result<Written> {
        let scope = Scope::default();
        let mut written = Vec::with_capacity(rows.len());
        for row in rows {
            let fields = row.iter().map(|value| self.expression(value, &scope)).collect::<Result<_>>()?;
            written.push(NestedStruct { fields });
        }
        let fields = columns.iter().map(|column| Field::new(column.name.clone(), column.data_type.clone()));
        let message = Read {
            common: None,
            base_schema: Some(self.schema(&Schema::new(fields.collect()))),
            filter: None,
            projection: None,
            best_effort_filter: None,
            kind: Some(ReadKind::VirtualTable(VirtualTable { values: Vec::new(), expressions: written })),
        };
        Ok(Written::new(RelKind::Read(Box::new(message)), columns.iter().map(|column| column.id).collect()))
    }
}

/// Where the rows of a table come from.
fn source(table: &TableReference) -> Result<ReadKind> {
    let (name, arguments, options) = match table {
        TableReference::Named(name) => {
            return Ok(ReadKind::NamedTable(NamedTable { names: vec![name.clone()] }));
        }
        TableReference::Function { name, arguments, options } => (name, arguments, options),
    };
    let format = match name.as_str() {
        "read_parquet" => Some(FileFormat::Parquet(Unread {})),
        "read_arrow" => Some(FileFormat::Arrow(Unread {})),
        _ => None,
    };
    if let (Some(format), [paths], true) = (format, arguments.as_slice(), options.is_empty())
        && let Some(paths) = texts(&paths.value)
    {
        let items = paths.into_iter().map(|path| FileOrFiles {
            partition_index: 0,
            start: 0,
            length: 0,
            path: Some(match path.contains(['*', '?', '[']) {
                true => PathKind::Glob(path),
                false => PathKind::File(path),
            }),
            format: Some(format.clone()),
        });
        return Ok(ReadKind::LocalFiles(LocalFiles { items: items.collect() }));
    }
    let value = serde_json::to_vec(table).map_err(|error| Error::invalid(error.to_string()))?;
    let detail = Some(Any { type_url: OWN_URN.to_owned(), value });
    Ok(ReadKind::ExtensionTable(ExtensionTable { detail }))
}

/// One path or a list of them.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Text(path) => Some(vec![path.clone()]),
        list => list.as_list()?.iter().map(|path| path.as_text().map(str::to_owned)).collect(),
    }
}
