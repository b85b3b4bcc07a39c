//! The columns that names can mean at one place of a query.

use std::collections::HashMap;

use hypostyle_engine::plan::Expression;
use hypostyle_functions::Type;

use crate::error::{Error, ErrorKind, Result};
use crate::logical::Column;
use crate::nearest::nearest;
use crate::tree::Name;

/// A column of a scope.
#[derive(Debug, Clone)]
pub struct ScopeColumn {
    /// Name of its table here, if it has one.
    pub table: Option<String>,
    /// Number of its table here: two tables may have one name, and then a name of it is ambiguous.
    pub source: usize,
    /// The column.
    pub column: Column,
    /// True if only its full name finds it: the second of a pair that USING merged.
    pub hidden: bool,
}

/// Columns by name, case ignored.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    columns: Vec<ScopeColumn>,
    by_name: HashMap<String, Vec<usize>>,
}

/// What a chain of names means: a column, and how many of the names it took. The rest are fields.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The column.
    pub column: &'a ScopeColumn,
    /// Names that led to it.
    pub names: usize,
}

impl Scope {
    /// A scope of one table's columns.
    pub fn of_table(table: Option<&str>, columns: impl IntoIterator<Item = Column>) -> Self {
        let mut scope = Self::default();
        for column in columns {
            scope.push(ScopeColumn { table: table.map(str::to_owned), source: 0, column, hidden: false });
        }
        scope
    }

    /// Adds a column.
    pub fn push(&mut self, column: ScopeColumn) {
        let position = self.columns.len();
        self.by_name.entry(column.column.name.to_lowercase()).or_default().push(position);
        self.columns.push(column);
    }

    /// Adds the columns of another scope after these.
    pub fn extend(&mut self, other: Scope) {
        let first = self.columns.iter().map(|column| column.source + 1).max().unwrap_or(0);
        for column in other.columns {
            self.push(ScopeColumn { source: first + column.source, ..column });
        }
    }

    /// All columns, in order.
    pub fn columns(&self) -> &[ScopeColumn] {
        &self.columns
    }

    /// Lets only its full name find a column.
    pub fn hide(&mut self, id: usize) {
        self.columns
            .iter_mut()
            .filter(|column| column.column.id == id)
            .for_each(|column| column.hidden = true);
    }

    /// True if a table of this name is here.
    pub fn has_table(&self, name: &str) -> bool {
        self.columns.iter().any(|column| is_table(column, name))
    }

    /// What a chain of names means here; `None` if nothing.
    ///
    /// # Errors
    /// A name that several tables have.
    pub fn find(&self, names: &[Name]) -> Result<Option<Found<'_>>> {
        if let [table, column, ..] = names
            && let Some(found) = self.find_column(Some(table), column)?
        {
            return Ok(Some(Found { column: found, names: 2 }));
        }
        match names {
            [column, ..] => {
                Ok(self.find_column(None, column)?.map(|found| Found { column: found, names: 1 }))
            }
            [] => Ok(None),
        }
    }

    /// The visible column of this name, or the column of this table and name.
    fn find_column(&self, table: Option<&Name>, name: &Name) -> Result<Option<&ScopeColumn>> {
        let Some(positions) = self.by_name.get(&name.text.to_lowercase()) else { return Ok(None) };
        let mut candidates =
            positions.iter().map(|position| &self.columns[*position]).filter(|column| match table {
                Some(table) => is_table(column, &table.text),
                None => !column.hidden,
            });
        let Some(first) = candidates.next() else { return Ok(None) };
        let others: Vec<&ScopeColumn> = candidates.collect();
        // Two columns of one name in one table are a subquery's own doing: the first one is meant.
        if others.iter().any(|other| other.source != first.source) {
            let mut tables: Vec<String> = std::iter::once(first)
                .chain(others)
                .map(|column| column.table.clone().unwrap_or_else(|| "a subquery".to_owned()))
                .collect();
            tables.dedup();
            return Err(Error::new(ErrorKind::Ambiguous { name: name.text.clone(), tables }, name.span));
        }
        Ok(Some(first))
    }

    /// The error for names that mean nothing here, with the nearest name.
    pub fn unknown(&self, names: &[Name]) -> Error {
        let (Some(first), Some(last)) = (names.first(), names.last()) else {
            return Error::internal("a column without a name");
        };
        let span = first.span.union(last.span);
        if let [table, column] = names {
            if self.has_table(&table.text) {
                let of_table = self.columns.iter().filter(|candidate| is_table(candidate, &table.text));
                let near = nearest(&column.text, of_table.map(|candidate| candidate.column.name.as_str()));
                return Error::unknown("column", &column.text, near, column.span);
            }
            let mut tables: Vec<&str> =
                self.columns.iter().filter_map(|column| column.table.as_deref()).collect();
            tables.dedup();
            return Error::unknown("table", &table.text, nearest(&table.text, tables), table.span);
        }
        let visible =
            self.columns.iter().filter(|column| !column.hidden).map(|column| column.column.name.as_str());
        Error::unknown("column", &first.text, nearest(&first.text, visible), span)
    }
}

fn is_table(column: &ScopeColumn, name: &str) -> bool {
    column.table.as_deref().is_some_and(|table| table.eq_ignore_ascii_case(name))
}

/// A bound expression, and whether it is a constant whose type is still open.
#[derive(Debug, Clone)]
pub struct Bound {
    /// The expression.
    pub expression: Expression,
    /// How it takes the type of its place.
    pub adapts: Adapts,
}

/// How an expression takes the type of its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapts {
    /// Its type is its own.
    No,
    /// A quoted constant: any type that its text can be read as.
    Text,
    /// An integer constant: any number that holds it.
    Integer(i128),
    /// A parameter without a type: any type.
    Parameter,
}

impl Bound {
    /// An expression with a type of its own.
    pub fn typed(expression: Expression) -> Self {
        Self { expression, adapts: Adapts::No }
    }

    /// Its type.
    pub fn data_type(&self) -> Type {
        self.expression.data_type()
    }
}
