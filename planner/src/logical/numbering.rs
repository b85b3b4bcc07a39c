//! Numbers of columns: each is given out once in a plan.

use std::collections::HashMap;

use hypostyle_engine::plan::Expression;
use hypostyle_functions::Type;

use crate::logical::{Column, Relation};

/// Gives columns their numbers.
#[derive(Debug, Default)]
pub struct Numbering {
    next: usize,
}

impl Numbering {
    /// A column that is in no other relation.
    pub fn column(&mut self, name: impl Into<String>, data_type: Type) -> Column {
        let id = self.next;
        self.next += 1;
        Column { id, name: name.into(), data_type }
    }

    /// The same relation under new numbers, so that both can stand in one plan, and the new number of each old one.
    /// Columns that it reads from outside keep theirs.
    pub fn copy(&mut self, relation: &Relation) -> (Relation, HashMap<usize, usize>) {
        let mut copy = relation.clone();
        let mut numbers = HashMap::new();
        copy.walk_mut(&mut |part| {
            for column in part.defined_mut() {
                column.id = *numbers.entry(column.id).or_insert_with(|| {
                    self.next += 1;
                    self.next - 1
                });
            }
        });
        copy.walk_mut(&mut |part| {
            for expression in part.expressions_mut() {
                renumber(expression, &numbers);
            }
        });
        (copy, numbers)
    }
}

fn renumber(expression: &mut Expression, numbers: &HashMap<usize, usize>) {
    expression.walk_mut(&mut |part| {
        if let Expression::Column { index, .. } = part
            && let Some(number) = numbers.get(index)
        {
            *index = *number;
        }
    });
}
