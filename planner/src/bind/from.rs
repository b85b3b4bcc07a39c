//! FROM: tables by name, files, subqueries and views, each with the scope it opens.

use std::sync::Arc;

use hypostyle_engine::plan::TableReference;
use hypostyle_engine::table::TableProvider;
use hypostyle_functions::{Literal, Value};

use crate::bind::Binder;
use crate::bind::call::within;
use crate::bind::scope::{Scope, ScopeColumn};
use crate::bind::table_function::numbered_lists;
use crate::error::{Error, ErrorKind, Result};
use crate::logical::{Column, Relation, Scan, one_row};
use crate::nearest::nearest;
use crate::span::Span;
use crate::tree::{JoinCondition, JoinKind, Name, Query, Table, TableAlias, TableKind};

/// A table with the columns it brings into scope.
pub(super) struct Source {
    pub relation: Relation,
    pub scope: Scope,
}

impl Binder<'_> {
    /// Binds FROM; without one there is one row without columns.
    pub(super) fn from(&mut self, tables: &[Table]) -> Result<Source> {
        let mut source: Option<Source> = None;
        for table in tables {
            source = Some(match source {
                None => self.table(table)?,
                Some(left) => self.join(left, table, JoinKind::Cross, &JoinCondition::None, table.span)?,
            });
        }
        Ok(source.unwrap_or_else(|| Source { relation: one_row(), scope: Scope::default() }))
    }

    /// Binds one table.
    pub(super) fn table(&mut self, table: &Table) -> Result<Source> {
        let span = table.span;
        let alias = table.alias.as_ref();
        match &table.kind {
            TableKind::Named(names) => self.named_table(names, alias, span),
            TableKind::Path(path) => {
                let relation = self.path(path, span)?;
                named(relation, Some(&stem(path)), alias, span)
            }
            TableKind::Function { name, arguments, ordinality } => {
                let source = Source { relation: one_row(), scope: Scope::default() };
                if *ordinality {
                    let (lists, alias) = numbered_lists(name, arguments, alias, span);
                    return self.unnest_table(source, &lists, Some(&alias), false, span);
                }
                if name.is("unnest") {
                    return self.unnest_table(source, arguments, alias, false, span);
                }
                self.table_function(name, arguments, alias, span)
            }
            TableKind::Query { query, .. } => {
                let relation = self.deeper(span, |binder| binder.query(query))?;
                named(relation, None, alias, span)
            }
            TableKind::Statement(statement) => {
                let relation = self.deeper(span, |binder| binder.statement_rows(statement))?;
                named(relation, None, alias, span)
            }
            TableKind::Pivot(pivot) => {
                let relation = self.deeper(span, |binder| binder.pivot(pivot, span))?;
                named(relation, None, alias, span)
            }
            TableKind::Unpivot(unpivot) => {
                let relation = self.deeper(span, |binder| binder.unpivot(unpivot, span))?;
                named(relation, None, alias, span)
            }
            TableKind::Sample { table, sample } => {
                let source = self.deeper(span, |binder| binder.table(table))?;
                let relation = self.sampled(source.relation, Some(sample));
                renamed(Source { relation, scope: source.scope }, alias, span)
            }
            TableKind::Join { kind, left, right, condition } => {
                let left = self.deeper(span, |binder| binder.table(left))?;
                let source = self.join(left, right, *kind, condition, span)?;
                match alias {
                    // An alias of a whole join renames all its columns.
                    Some(_) => named(source.relation, None, alias, span),
                    None => Ok(source),
                }
            }
        }
    }

    /// All columns of a table or view of the session.
    pub(crate) fn table_or_view(&mut self, name: &str) -> Result<Relation> {
        Ok(self.named_table(&[Name::new(name, Span::NONE)], None, Span::NONE)?.relation)
    }

    pub(super) fn named_table(
        &mut self,
        names: &[Name],
        alias: Option<&TableAlias>,
        span: Span,
    ) -> Result<Source> {
        let name = match names {
            [name] => name,
            [schema, name] if schema.is("main") => name,
            [schema, name] if schema.is("recurring") => {
                return match self.work_table(&name.text, true) {
                    Some(relation) => named(relation, Some(&name.text), alias, span),
                    None => {
                        let message =
                            format!("recurring.{} stands only in a recursion of that table", name.text);
                        Err(Error::invalid(message, span))
                    }
                };
            }
            _ => {
                let written = names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".");
                if reader(&written).is_some() {
                    let problem = format!("no table \"{written}\"; a file is named in quotes: '{written}'");
                    return Err(Error::syntax(problem, span));
                }
                return Err(Error::unknown("table", &written, None, span));
            }
        };
        if let Some(relation) = self.work_table(&name.text, false) {
            return named(relation, Some(&name.text), alias, span);
        }
        if let Some(position) = self.common.iter().rposition(|(table, _)| table.name.is(&name.text)) {
            let relation = self.common_table(position, span)?;
            return named(relation, Some(&name.text), alias, span);
        }
        if name.is("input")
            && let Some(columns) = self.transform_input.clone()
        {
            return named(Relation::Values { columns, rows: Vec::new() }, Some(&name.text), alias, span);
        }
        if let Some(view) = self.definitions.view(&name.text).cloned() {
            let relation = self.view(&view.query, &name.text, span)?;
            let columns = TableAlias { name: name.clone(), columns: view.columns.clone() };
            let source = named(relation, Some(&name.text), Some(&columns), span)?;
            return renamed(source, alias, span);
        }
        if let Some(provider) = self.context.catalog.table(&name.text) {
            let reference = TableReference::Named(name.text.to_lowercase());
            let relation = self.scan(reference, provider);
            return named(relation, Some(&name.text), alias, span);
        }
        if name.quoted && reader(&name.text).is_some() {
            let relation = self.path(&name.text, span)?;
            return named(relation, Some(&stem(&name.text)), alias, span);
        }
        let tables = self.context.catalog.table_names();
        let views = self.definitions.view_names();
        let known = self.common.iter().map(|(table, _)| table.name.text.as_str());
        let known = known.chain(tables.iter().map(String::as_str)).chain(views.iter().map(String::as_str));
        Err(Error::unknown("table", &name.text, nearest(&name.text, known), name.span))
    }

    /// A view sees nothing of the query that uses it.
    pub(super) fn view(&mut self, query: &Query, name: &str, span: Span) -> Result<Relation> {
        let outer = std::mem::take(&mut self.outer);
        let common = std::mem::take(&mut self.common);
        let macro_arguments = std::mem::take(&mut self.macro_arguments);
        let recursions = std::mem::take(&mut self.recursions);
        let relation = self.in_definition(span, |binder| binder.query(query));
        self.recursions = recursions;
        self.outer = outer;
        self.common = common;
        self.macro_arguments = macro_arguments;
        relation.map_err(|error| within("view", name, error, span))
    }

    /// A file or glob: its extension names the function that reads it.
    pub(super) fn path(&mut self, path: &str, span: Span) -> Result<Relation> {
        let Some(function) = self.context.catalog.path_reader(path).or_else(|| reader(path)) else {
            let message = format!(
                "\"{path}\" has no extension that tells its format; use read_parquet, read_csv, read_json or read_arrow"
            );
            return Err(Error::invalid(message, span));
        };
        let arguments = vec![Literal::new(Value::text(path))];
        let reference =
            TableReference::Function { name: function.to_owned(), arguments, options: Vec::new() };
        self.scan_reference(reference, span)
    }

    /// Resolves a reference in the catalog and reads all its columns.
    pub(crate) fn scan_reference(&mut self, reference: TableReference, span: Span) -> Result<Relation> {
        let provider = self
            .context
            .catalog
            .resolve(&reference, self.context)
            .map_err(|error| Error::new(ErrorKind::Source(error.to_string()), span))?;
        Ok(self.scan(reference, provider))
    }

    pub(crate) fn scan(&mut self, table: TableReference, provider: Arc<dyn TableProvider>) -> Relation {
        let fields = provider.schema().fields.clone();
        let columns = fields
            .into_iter()
            .enumerate()
            .map(|(position, field)| (self.new_column(field.name, field.data_type), position))
            .collect();
        let statistics = Arc::new(provider.statistics());
        let (filters, filter_columns) = (Vec::new(), Vec::new());
        Relation::Scan(Scan { table, provider, statistics, columns, filters, filter_columns, limit: None })
    }
}

/// The table function that reads files of this extension, compressed or not.
fn reader(path: &str) -> Option<&'static str> {
    if matches!(path, "-" | "/dev/stdin") {
        return Some("read_csv");
    }
    let lower = path.to_lowercase();
    let plain =
        [".gz", ".zst", ".zstd"].iter().find_map(|suffix| lower.strip_suffix(suffix)).unwrap_or(&lower);
    let (_, extension) = plain.rsplit_once('.')?;
    Some(match extension {
        "parquet" | "parq" | "pq" => "read_parquet",
        "csv" | "tsv" | "tab" | "psv" => "read_csv",
        "json" | "ndjson" | "jsonl" => "read_json",
        "arrow" | "arrows" | "feather" | "ipc" => "read_arrow",
        _ => return None,
    })
}

/// The name of a file without folder and extension: what its columns can be reached by.
fn stem(path: &str) -> String {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    file.split('.').next().unwrap_or(file).to_owned()
}

/// A relation under its alias, or under its own name.
pub(super) fn named(
    relation: Relation,
    own_name: Option<&str>,
    alias: Option<&TableAlias>,
    span: Span,
) -> Result<Source> {
    let name = alias.map(|alias| alias.name.text.as_str()).or(own_name);
    let columns = relation.columns();
    let source = Source { relation, scope: Scope::of_table(name, columns) };
    renamed(source, alias, span)
}

/// Renames the table and the first columns of a scope.
fn renamed(source: Source, alias: Option<&TableAlias>, span: Span) -> Result<Source> {
    let Some(alias) = alias else { return Ok(source) };
    let count = source.scope.columns().len();
    if alias.columns.len() > count {
        let message = format!("\"{}\" has {count} columns, not {}", alias.name.text, alias.columns.len());
        return Err(Error::invalid(message, span));
    }
    let mut scope = Scope::default();
    for (position, column) in source.scope.columns().iter().enumerate() {
        let name =
            alias.columns.get(position).map_or_else(|| column.column.name.clone(), |name| name.text.clone());
        let column = Column { name, ..column.column.clone() };
        scope.push(ScopeColumn { table: Some(alias.name.text.clone()), source: 0, column, hidden: false });
    }
    Ok(Source { relation: source.relation, scope })
}

/// Gives the first columns of a relation new names.
pub(super) fn rename_columns(
    relation: Relation,
    names: &[Name],
    table: &str,
    span: Span,
) -> Result<Relation> {
    if names.is_empty() {
        return Ok(relation);
    }
    let columns = relation.columns();
    if names.len() > columns.len() {
        let message = format!("\"{table}\" has {} columns, not {}", columns.len(), names.len());
        return Err(Error::invalid(message, span));
    }
    let columns = columns
        .into_iter()
        .enumerate()
        .map(|(position, column)| {
            let name = names.get(position).map_or_else(|| column.name.clone(), |name| name.text.clone());
            let expression = column.read();
            crate::logical::Computed { column: Column { name, ..column }, expression }
        })
        .collect();
    Ok(Relation::Project { input: Box::new(relation), columns })
}
