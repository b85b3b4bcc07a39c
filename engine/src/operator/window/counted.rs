//! The rows that an aggregate counts: those that its filter accepts and that have no null argument.

use std::rc::Rc;

use hypostyle_functions::column::{Column, Output};

use super::local::append;
use super::stage::Stage;
use crate::error::Result;

/// The positions that count, if not all do.
#[derive(Debug)]
pub(super) struct Counted {
    /// The positions, in order.
    pub positions: Vec<u32>,
    /// How many of them come before each position, and how many there are.
    pub before: Vec<u32>,
    /// The columns whose nulls do not count.
    strict: Vec<usize>,
}

impl Counted {
    /// The positions where `filter` is true and none of the `strict` columns is null; `None` if that is so everywhere.
    pub fn find(stage: &Stage<'_>, filter: Option<usize>, strict: &[usize]) -> Result<Option<Rc<Self>>> {
        let rows = stage.rows();
        let mut keep: Option<Vec<bool>> = None;
        if let Some(filter) = filter {
            stage.with_input(filter, |view| {
                let truth = view.boolean();
                let of_row = |row: usize| view.is_valid(row) && truth.get(row);
                keep = Some(stage.in_order().map(of_row).collect());
            });
        }
        for &column in strict {
            stage.with_input(column, |view| {
                if !view.may_be_null() {
                    return;
                }
                match &mut keep {
                    None => keep = Some(stage.in_order().map(|row| view.is_valid(row)).collect()),
                    Some(keep) => {
                        keep.iter_mut()
                            .zip(stage.in_order())
                            .for_each(|(keep, row)| *keep &= view.is_valid(row));
                    }
                }
            });
        }
        let Some(keep) = keep.filter(|keep| keep.contains(&false)) else { return Ok(None) };
        // Every position is written where the next counted one goes, so that no branch depends on what counts.
        let mut positions = vec![0u32; rows];
        let mut before = Vec::with_capacity(rows + 1);
        let mut count = 0u32;
        for (position, &keep) in keep.iter().enumerate() {
            before.push(count);
            positions[count as usize] = position as u32;
            count += u32::from(keep);
        }
        before.push(count);
        positions.truncate(count as usize);
        Ok(Some(Rc::new(Self { positions, before, strict: strict.to_vec() })))
    }

    /// The rows of an evaluated column that count, in order.
    pub fn take(&self, stage: &Stage<'_>, column: usize) -> Result<Column> {
        if let Column::Constant { value, .. } = &stage.columns[column] {
            return Ok(Column::Constant { value: value.clone(), length: self.positions.len() });
        }
        let order = &stage.arrangement.order;
        let rows: Vec<u32> = self.positions.iter().map(|&position| order[position as usize]).collect();
        let mut output = Output::new(stage.data_type(column).clone());
        output.prepare(0);
        stage.with_input(column, |view| {
            let mut view = *view;
            if self.strict.contains(&column) && view.is_flat() {
                // None of these rows is null.
                view.validity = None;
            }
            append(&mut output, &view, &rows);
        });
        Ok(Column::Flat(output.freeze()?))
    }
}
