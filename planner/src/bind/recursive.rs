//! WITH RECURSIVE: a union whose right side reads the table that it is.

use crate::bind::Binder;
use crate::bind::from::rename_columns;
use crate::error::{Error, Result};
use crate::logical::{Column, Relation};
use crate::nearest::nearest;
use crate::span::Span;
use crate::tree::{CommonTable, OrderBy, QueryBody, SetOperator};

/// What USING KEY needs to mean anything.
const KEY_WITHOUT_RECURSION: &str = "USING KEY of a table that does not read itself is";

/// A recursive table whose step is being bound.
#[derive(Debug)]
pub(super) struct Recursion {
    name: String,
    /// Tables of WITH that were visible outside: a later one of the same name hides this.
    visible: usize,
    table: u32,
    columns: Vec<Column>,
    is_read: bool,
}

impl Binder<'_> {
    /// A table of WITH RECURSIVE that is a union: its right side may read the table itself.
    pub(super) fn recursive_table(&mut self, table: &CommonTable) -> Result<Option<Relation>> {
        let query = &table.query;
        let QueryBody::Set { operator: SetOperator::Union, all, by_name: false, left, right } = &query.body
        else {
            return match table.keys.first() {
                Some(key) => Err(Error::unsupported(KEY_WITHOUT_RECURSION, key.span)),
                None => Ok(None),
            };
        };
        let visible = self.common.len();
        let scopes = self.outer.len();
        self.common.extend(query.with.iter().cloned().map(|table| (std::rc::Rc::new(table), scopes)));
        let bound = self.rounds(table, *all, left, right, visible);
        self.common.truncate(visible);
        bound
    }

    fn rounds(
        &mut self,
        table: &CommonTable,
        all: bool,
        left: &QueryBody,
        right: &QueryBody,
        visible: usize,
    ) -> Result<Option<Relation>> {
        let initial = self.deeper(left.span(), |binder| binder.body(left))?;
        let initial = self.typed_nulls(initial);
        let initial = rename_columns(initial, &table.columns, &table.name.text, table.name.span)?;
        let keys = key_positions(table, &initial.columns())?;
        let number = self.next_work_table;
        self.next_work_table += 1;
        let columns = initial.columns();
        self.recursions.push(Recursion {
            name: table.name.text.clone(),
            visible,
            table: number,
            columns: columns.clone(),
            is_read: false,
        });
        let step = self.deeper(right.span(), |binder| binder.body(right));
        let recursion = self.recursions.pop();
        let step = step?;
        let is_read = recursion.is_some_and(|recursion| recursion.is_read);
        match (is_read, table.keys.first()) {
            (true, _) => {}
            // An ordinary union, which is bound as one.
            (false, None) => return Ok(None),
            (false, Some(key)) => return Err(Error::unsupported(KEY_WITHOUT_RECURSION, key.span)),
        }
        refuse_order(table)?;
        let step_columns = step.columns();
        if step_columns.len() != columns.len() {
            let message = format!(
                "both sides of UNION need as many columns; the left has {}, the right {}",
                columns.len(),
                step_columns.len()
            );
            return Err(Error::invalid(message, right.span()));
        }
        let types: Vec<_> = columns.iter().map(|column| column.data_type.clone()).collect();
        let step = self.as_types(step, &types).map_err(|error| error.at(right.span()))?;
        let columns =
            columns.into_iter().map(|column| self.new_column(column.name, column.data_type)).collect();
        let (initial, step) = (Box::new(initial), Box::new(step));
        Ok(Some(Relation::Recursive { initial, step, table: number, distinct: !all, keys, columns }))
    }

    /// The work table of this name, inside the step of its recursion: the rows of the round before, or all.
    pub(super) fn work_table(&mut self, name: &str, all: bool) -> Option<Relation> {
        let hidden = self.common.iter().rposition(|(table, _)| table.name.is(name));
        let seen = self.common.len();
        let recursion = self.recursions.iter_mut().rev().find(|recursion| {
            recursion.name.eq_ignore_ascii_case(name)
                && seen >= recursion.visible
                && hidden.is_none_or(|position| position < recursion.visible)
        })?;
        recursion.is_read = true;
        let (table, columns) = (recursion.table, recursion.columns.clone());
        let columns =
            columns.into_iter().map(|column| self.new_column(column.name, column.data_type)).collect();
        Some(Relation::WorkTable { table, all, columns })
    }
}

/// The columns of USING KEY by position, each once.
fn key_positions(table: &CommonTable, columns: &[Column]) -> Result<Vec<usize>> {
    let mut keys = Vec::with_capacity(table.keys.len());
    for key in &table.keys {
        let position = columns.iter().position(|column| key.is(&column.name)).ok_or_else(|| {
            let known = columns.iter().map(|column| column.name.as_str());
            Error::unknown("column", &key.text, nearest(&key.text, known), key.span)
        })?;
        if !keys.contains(&position) {
            keys.push(position);
        }
    }
    Ok(keys)
}

fn refuse_order(table: &CommonTable) -> Result<()> {
    let query = &table.query;
    let clause = match (&query.order_by, query.limit.is_some() || query.offset.is_some()) {
        (OrderBy::None, false) => return Ok(()),
        (OrderBy::None, true) => "LIMIT",
        _ => "ORDER BY",
    };
    let message =
        format!("a recursive query has no {clause}; put it around the table \"{}\"", table.name.text);
    Err(Error::invalid(message, query.span.union(Span::NONE)))
}
