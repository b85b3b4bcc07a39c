//! Tables and rows.

use hypostyle_engine::plan::{Expression as Bound, TableReference};
use hypostyle_functions::{Literal, Type, Value};
use hypostyle_planner::logical::{Column, Relation};

use crate::data_type::{self, column_names, is_nameless, same_shape};
use crate::error::{Error, Result};
use crate::function::OWN_URN;
use crate::literal;
use crate::message::data_type::NamedStruct;
use crate::message::expression::MaskExpression;
use crate::message::relation::{
    ExtensionTable, FileFormat, FileOrFiles, LocalFiles, PathKind, Read, ReadKind, TextOptions, VirtualTable,
};

use super::expression::Scope;
use super::{Reader, Rows};

impl Reader<'_> {
    pub(super) fn read(&mut self, read: &Read) -> Result<Rows> {
        let kind = read.kind.as_ref().ok_or_else(|| Error::missing("source of the rows"))?;
        let schema = read.base_schema.as_ref();
        let rows = match kind {
            ReadKind::VirtualTable(table) => self.virtual_table(table, schema)?,
            ReadKind::NamedTable(table) => {
                // Names of catalogs and schemas stand before the table's.
                let name = table.names.last().ok_or_else(|| Error::missing("name of a table"))?;
                let relation = self.builder.table(name)?;
                self.in_schema(relation, schema, false)?
            }
            ReadKind::LocalFiles(files) => {
                let (reference, by_position) = local_files(files)?;
                let relation = self.builder.table_function(reference)?;
                self.in_schema(relation, schema, by_position)?
            }
            ReadKind::ExtensionTable(table) => {
                let relation = self.builder.table_function(own_table(table)?)?;
                self.in_schema(relation, schema, false)?
            }
            ReadKind::IcebergTable(_) => return Err(Error::unsupported("an Iceberg table")),
        };
        let rows = self.filtered(rows, read.filter.as_deref())?;
        let rows = self.filtered(rows, read.best_effort_filter.as_deref())?;
        masked(rows, read.projection.as_ref())
    }

    /// The columns of a table that a schema names, in its order and types; all if there is none.
    fn in_schema(
        &mut self,
        relation: Relation,
        schema: Option<&NamedStruct>,
        by_position: bool,
    ) -> Result<Rows> {
        let Some(schema) = schema else { return Ok(Rows::of(relation)) };
        let types = self.types_of(schema)?;
        let names = names_of(schema, &types)?;
        let own = relation.columns();
        let mut columns = Vec::with_capacity(names.len());
        for (position, name) in names.iter().enumerate() {
            let exact = own.iter().find(|column| column.name == *name);
            let found = exact.or_else(|| own.iter().find(|column| column.name.eq_ignore_ascii_case(name)));
            let found = if by_position { own.get(position) } else { found };
            columns.push(found.cloned().ok_or_else(|| {
                let known: Vec<&str> = own.iter().map(|column| column.name.as_str()).collect();
                let near = hypostyle_planner::nearest(name, known.iter().copied());
                let near = near.map_or(String::new(), |near| format!("; did you mean \"{near}\"?"));
                Error::invalid(format!("the table has no column \"{name}\"{near}"))
            })?);
        }
        let same =
            columns.iter().zip(&types).all(|(column, declared)| same_shape(&column.data_type, declared));
        if same {
            return Ok(Rows { relation, columns });
        }
        // A producer that knows the table by other types goes on in its own.
        let expressions = columns.into_iter().zip(&types).map(|(column, declared)| {
            let value = match same_shape(&column.data_type, declared) {
                true => column.read(),
                false => self.builder.cast(column.read(), declared, false),
            };
            (column.name, value)
        });
        let expressions = expressions.collect();
        let (relation, columns) = self.builder.project(relation, expressions);
        Ok(Rows { relation, columns })
    }

    fn types_of(&self, schema: &NamedStruct) -> Result<Vec<Type>> {
        let types = schema.r#struct.iter().flat_map(|fields| &fields.types);
        types.map(|held| data_type::read(held, &self.types)).collect()
    }

    fn virtual_table(&mut self, table: &VirtualTable, schema: Option<&NamedStruct>) -> Result<Rows> {
        let mut rows: Vec<Vec<Bound>> = Vec::new();
        for row in &table.values {
            let fields = row.fields.iter().map(|field| literal::read(field, &self.types).map(Bound::Literal));
            rows.push(fields.collect::<Result<_>>()?);
        }
        for row in &table.expressions {
            let mut scope = Scope::default();
            let fields = row.fields.iter().map(|field| self.expression(field, &mut scope));
            rows.push(fields.collect::<Result<_>>()?);
        }
        let mut types = match (schema, rows.first()) {
            (Some(schema), _) => self.types_of(schema)?,
            (None, Some(row)) => row.iter().map(Bound::data_type).collect(),
            (None, None) => return Err(Error::missing("schema of a table without rows")),
        };
        let names: Vec<String> = match schema {
            Some(schema) => names_of(schema, &types)?.into_iter().map(str::to_owned).collect(),
            None => vec![String::new(); types.len()],
        };
        // The names of fields stand in the values, not in the types of the format.
        for (position, data_type) in types.iter_mut().enumerate().filter(|(_, held)| !is_nameless(held)) {
            if let Some(value) = rows.first().and_then(|row| row.get(position)) {
                *data_type = value.data_type();
            }
        }
        for row in &mut rows {
            if row.len() != types.len() {
                let problem = format!("a row has {} fields; expected {}", row.len(), types.len());
                return Err(Error::invalid(problem));
            }
            for (value, to) in row.iter_mut().zip(&types) {
                let held = std::mem::replace(value, Bound::Literal(Literal::new(Value::Null)));
                *value = self.builder.cast(held, to, false);
            }
        }
        let named = names.into_iter().zip(types);
        let columns: Vec<Column> = named.map(|(name, held)| self.builder.column(name, held)).collect();
        Ok(Rows::of(Relation::Values { columns, rows }))
    }
}

fn names_of<'s>(schema: &'s NamedStruct, types: &[Type]) -> Result<Vec<&'s str>> {
    column_names(&schema.names, types).ok_or_else(|| {
        let (names, types) = (schema.names.len(), types.len());
        Error::invalid(format!("a schema has {names} names, which do not fit its {types} types"))
    })
}

/// The fields that a mask keeps.
fn masked(mut rows: Rows, mask: Option<&MaskExpression>) -> Result<Rows> {
    let Some(select) = mask.and_then(|mask| mask.select.as_ref()) else { return Ok(rows) };
    let mut columns = Vec::with_capacity(select.items.len());
    for item in &select.items {
        if item.child.is_some() {
            return Err(Error::unsupported("a projection of parts of columns"));
        }
        let column = usize::try_from(item.field).ok().and_then(|position| rows.columns.get(position));
        columns.push(column.cloned().ok_or_else(|| {
            Error::invalid(format!("a projection keeps column {} of {}", item.field, rows.columns.len()))
        })?);
    }
    rows.columns = columns;
    Ok(rows)
}

/// A table function of this engine that it wrote itself.
fn own_table(table: &ExtensionTable) -> Result<TableReference> {
    let detail = table.detail.as_ref().ok_or_else(|| Error::missing("detail of an extension table"))?;
    if detail.type_url != OWN_URN {
        return Err(Error::unsupported(format!("an extension table of type \"{}\"", detail.type_url)));
    }
    serde_json::from_slice(&detail.value)
        .map_err(|error| Error::invalid(format!("the detail of an extension table is damaged: {error}")))
}

/// The function that reads files, and whether their columns have places and no names.
fn local_files(files: &LocalFiles) -> Result<(TableReference, bool)> {
    let Some(first) = files.items.first() else { return Err(Error::missing("file")) };
    let mut paths = Vec::with_capacity(files.items.len());
    for item in &files.items {
        if item.start != 0 || item.length != 0 {
            return Err(Error::unsupported("a part of a file"));
        }
        if std::mem::discriminant(&item.format) != std::mem::discriminant(&first.format) {
            return Err(Error::unsupported("files of different formats"));
        }
        paths.push(Value::Text(path_of(item)?));
    }
    let mut options = Vec::new();
    let mut by_position = false;
    let name = match &first.format {
        Some(FileFormat::Parquet(_)) => "read_parquet",
        Some(FileFormat::Arrow(_)) => "read_arrow",
        Some(FileFormat::Text(text)) => {
            options = text_options(text)?;
            by_position = text.header_lines_to_skip == 0;
            "read_csv"
        }
        Some(FileFormat::Orc(_)) => return Err(Error::unsupported("ORC files")),
        Some(FileFormat::Dwrf(_)) => return Err(Error::unsupported("DWRF files")),
        Some(FileFormat::Extension(_)) => return Err(Error::unsupported("files of a format of their own")),
        // Some producers name files and no format.
        None => match paths.first().and_then(Value::as_text).and_then(|path| path.rsplit_once('.')) {
            Some((_, "csv" | "tsv")) => "read_csv",
            Some((_, "arrow" | "arrows" | "feather")) => "read_arrow",
            _ => "read_parquet",
        },
    };
    let argument = match paths.len() {
        1 => paths.remove(0),
        _ => Value::List(Type::Text, paths),
    };
    let arguments = vec![Literal::new(argument)];
    Ok((TableReference::Function { name: name.to_owned(), arguments, options }, by_position))
}

fn path_of(item: &FileOrFiles) -> Result<String> {
    let uri = match item.path.as_ref().ok_or_else(|| Error::missing("path of a file"))? {
        PathKind::Path(uri) | PathKind::Glob(uri) | PathKind::File(uri) => uri.clone(),
        PathKind::Folder(uri) => format!("{}/*", uri.trim_end_matches('/')),
    };
    match uri.split_once("://") {
        None => Ok(uri),
        Some(("file", path)) => Ok(path.strip_prefix("localhost").unwrap_or(path).to_owned()),
        Some((scheme, _)) => Err(Error::unsupported(format!("a file at {scheme}://"))),
    }
}

fn text_options(text: &TextOptions) -> Result<Vec<(String, Literal)>> {
    if text.header_lines_to_skip > 1 {
        return Err(Error::unsupported("a text file with several header lines"));
    }
    let mut options =
        vec![("header".to_owned(), Literal::new(Value::Boolean(text.header_lines_to_skip == 1)))];
    let texts = [
        ("delim", &text.field_delimiter),
        ("quote", &text.quote),
        ("escape", &text.escape),
        ("nullstr", &text.value_treated_as_null),
    ];
    for (name, value) in texts {
        if !value.is_empty() {
            options.push((name.to_owned(), Literal::new(Value::Text(value.clone()))));
        }
    }
    Ok(options)
}
