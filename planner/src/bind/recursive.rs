//! WITH RECURSIVE: a union whose right side reads the table that it is.

use crate::bind::Binder;
use crate::bind::from::rename_columns;
use crate::error::{Error, Result};
use crate::logical::{Column, Relation};
use crate::span::Span;
use crate::tree::{CommonTable, OrderBy, QueryBody, SetOperator};

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
            return Ok(None);
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
        if !recursion.is_some_and(|recursion| recursion.is_read) {
            // An ordinary union, which is bound as one.
            return Ok(None);
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
        Ok(Some(Relation::Recursive { initial, step, table: number, distinct: !all, columns }))
    }

    /// The work table of this name, inside the step of its recursion.
    pub(super) fn work_table(&mut self, name: &str) -> Option<Relation> {
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
        Some(Relation::WorkTable { table, columns })
    }
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
