//! Tables of WITH: bound once, however often they are used. What is used once, or cheap, becomes part of each use; the
//! rest is gathered once and read by each.

use std::rc::Rc;

use crate::bind::from::rename_columns;
use crate::bind::{Binder, fold};
use crate::error::{Error, Result};
use crate::logical::{Computed, Relation, SharedRows, one_row};
use crate::rewrite::estimate;
use crate::span::Span;
use crate::tree::CommonTable;

/// A table of WITH that is bound.
pub(super) struct Shared {
    table: Rc<CommonTable>,
    relation: Relation,
}

impl Binder<'_> {
    /// A use of a table of WITH, which sees only those before it.
    pub(super) fn common_table(&mut self, position: usize, span: Span) -> Result<Relation> {
        let Some((table, scopes)) = self.common.get(position).cloned() else {
            return Err(Error::internal("a table of WITH vanished"));
        };
        if let Some(number) = self.shared.iter().position(|shared| Rc::ptr_eq(&shared.table, &table)) {
            return self.read_shared(number);
        }
        let later = self.common.split_off(position);
        // It sees the scopes around its WITH, not those around its use.
        let inner = self.outer.split_off(scopes.min(self.outer.len()));
        let relation = self.deeper(span, |binder| match table.recursive {
            true => match binder.recursive_table(&table)? {
                Some(relation) => Ok(relation),
                None => binder.query(&table.query),
            },
            false => match table.keys.first() {
                Some(key) => Err(Error::invalid("USING KEY needs WITH RECURSIVE", key.span)),
                None => binder.query(&table.query),
            },
        });
        self.outer.truncate(scopes);
        self.outer.extend(inner);
        self.common.truncate(position);
        self.common.extend(later);
        let relation = rename_columns(relation?, &table.columns, &table.name.text, table.name.span)?;
        // What reads columns around it is another relation for each row.
        if table.materialized == Some(false) || !relation.outer_columns().is_empty() {
            return Ok(relation);
        }
        self.shared.push(Shared { table, relation });
        self.read_shared(self.shared.len() - 1)
    }

    /// What a table of WITH is, by its number.
    pub(super) fn shared_table(&self, number: u32) -> Option<&Relation> {
        self.shared.get(usize::try_from(number).ok()?).map(|shared| &shared.relation)
    }

    fn read_shared(&mut self, number: usize) -> Result<Relation> {
        let Some(shared) = self.shared.get(number) else {
            return Err(Error::internal("a shared table vanished"));
        };
        let rows = estimate::rows(&shared.relation);
        let columns = shared.relation.columns().into_iter().enumerate();
        let columns = columns
            .map(|(position, column)| (self.numbering.column(column.name, column.data_type), position))
            .collect();
        let table = u32::try_from(number).map_err(|_| Error::internal("too many tables of WITH"))?;
        Ok(Relation::SharedRows(SharedRows { table, columns, rows }))
    }

    /// The relation of a whole statement with its tables of WITH.
    pub(crate) fn with_shared(&mut self, mut relation: Relation) -> Relation {
        // The rounds of a recursion are runs of their own, which see nothing that is shared around them.
        let has_recursion = self.next_work_table > 0;
        // Later tables read earlier ones.
        for (number, shared) in std::mem::take(&mut self.shared).into_iter().enumerate().rev() {
            let Ok(table) = u32::try_from(number) else { continue };
            let uses = count_uses(&mut relation, table);
            let is_asked_for = shared.table.materialized == Some(true);
            let is_shared = uses > 1 && !has_recursion && (is_asked_for || self.is_dear(&shared.relation));
            relation = match is_shared {
                true => share(relation, table, shared.relation),
                false => {
                    self.inline(&mut relation, table, &shared.relation, uses);
                    relation
                }
            };
        }
        relation
    }

    /// A relation that is run by itself while the statement is bound: it shares nothing with the rest.
    pub(super) fn standing_alone(&mut self, mut relation: Relation) -> Relation {
        for number in (0..self.shared.len()).rev() {
            let Some(definition) = self.shared.get(number).map(|shared| shared.relation.clone()) else {
                continue;
            };
            let Ok(table) = u32::try_from(number) else { continue };
            let uses = count_uses(&mut relation, table);
            // One more than there are, so that each is a copy under other numbers.
            self.inline(&mut relation, table, &definition, uses + 1);
        }
        relation
    }

    /// True if rows are joined, grouped or ordered to give these, or may differ from one time to the next.
    pub(super) fn is_dear(&self, relation: &Relation) -> bool {
        let is_plain = matches!(
            relation,
            Relation::Scan(_)
                | Relation::Values { .. }
                | Relation::Filter { .. }
                | Relation::Project { .. }
                | Relation::Union { .. }
                | Relation::SharedRows(_)
        );
        !is_plain
            || relation.expressions().into_iter().any(|part| fold::is_volatile(part, self.context))
            || relation.inputs().into_iter().any(|input| self.is_dear(input))
    }

    /// Puts the relation in the place of each of its uses.
    fn inline(&mut self, relation: &mut Relation, table: u32, definition: &Relation, uses: usize) {
        let mut left = uses;
        relation.walk_mut(&mut |part| {
            let Relation::SharedRows(shared) = part else { return };
            if shared.table != table {
                return;
            }
            left -= 1;
            // The last use takes the relation under its own numbers.
            let input = match left {
                0 => definition.clone(),
                _ => self.numbering.copy(definition).0,
            };
            let given = input.columns();
            let columns = std::mem::take(&mut shared.columns).into_iter().filter_map(|(column, position)| {
                let expression = given.get(position)?.read();
                Some(Computed { column, expression })
            });
            *part = Relation::Project { columns: columns.collect(), input: Box::new(input) };
        });
    }
}

fn count_uses(relation: &mut Relation, table: u32) -> usize {
    let mut uses = 0;
    relation.walk_mut(&mut |part| {
        uses += usize::from(matches!(part, Relation::SharedRows(shared) if shared.table == table));
    });
    uses
}

/// Shares the rows below what writes them, which stays at the top.
fn share(relation: Relation, table: u32, definition: Relation) -> Relation {
    match relation {
        Relation::Write { mut input, columns, target, count } => {
            let reader = std::mem::replace(&mut *input, one_row());
            *input = share(reader, table, definition);
            Relation::Write { input, columns, target, count }
        }
        input => Relation::Shared { table, definition: Box::new(definition), input: Box::new(input) },
    }
}
