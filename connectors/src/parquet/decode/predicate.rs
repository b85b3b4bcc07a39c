//! Tests of one column, made while its rows are loaded.

use std::sync::Arc;

use arrow::array::ArrayRef;
use hypostyle_engine::Batch;
use hypostyle_engine::expression::{Evaluator, ExpressionSet};
use hypostyle_engine::key_filter::KeyFilter;
use hypostyle_functions::Type;
use hypostyle_functions::column::Column;

use super::fault::Result;

/// What the rows of one column are tested for.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// One expression over this column alone, which cannot fail: rows for which it is true.
    Condition(Arc<ExpressionSet>),
    /// Rows whose value is among the keys of a join.
    Keys(Arc<KeyFilter>),
}

/// A test of one column. Of a dictionary it is made once for each value.
pub struct ColumnTest {
    check: Check,
    /// Whether each value of the chunk's dictionary is kept.
    dictionary: Option<Vec<bool>>,
    /// Whether nulls are.
    null: Option<bool>,
    data_type: Type,
}

enum Check {
    Condition(Box<Evaluator>),
    Keys(Arc<KeyFilter>),
}

impl ColumnTest {
    /// A test of a column of `data_type`.
    ///
    /// # Errors
    /// An expression with parameters.
    pub fn new(wanted: &Wanted, data_type: &Type) -> hypostyle_engine::Result<Self> {
        let check = match wanted {
            Wanted::Condition(set) => Check::Condition(Box::new(Evaluator::new(Arc::clone(set), &[])?)),
            Wanted::Keys(keys) => Check::Keys(Arc::clone(keys)),
        };
        Ok(Self { check, dictionary: None, null: None, data_type: data_type.clone() })
    }

    /// False once it is known that nearly every row passes, where no row must be left out.
    pub fn is_worth_it(&self) -> bool {
        match &self.check {
            Check::Condition(_) => true,
            Check::Keys(keys) => keys.is_worth_it(),
        }
    }

    /// Told that of so many rows so many were kept.
    pub fn note(&self, rows: usize, kept: usize) {
        if let Check::Keys(keys) = &self.check {
            keys.note(rows, kept);
        }
    }

    /// Clears `keep` where the rows of `column` are refused.
    ///
    /// # Errors
    /// What the evaluator reports.
    pub fn test(&mut self, column: Column, keep: &mut [bool]) -> Result<()> {
        match &mut self.check {
            Check::Condition(evaluator) => {
                let rows = keep.len();
                let selection = evaluator.select(&Batch::new(vec![column], rows))?;
                if !selection.is_all() {
                    keep.iter_mut().zip(selection.bits()).for_each(|(keep, kept)| *keep &= kept);
                }
            }
            Check::Keys(keys) => keys.keys().select(&column, &self.data_type, keep),
        }
        Ok(())
    }

    /// Whether each value of the dictionary is kept.
    ///
    /// # Errors
    /// What the evaluator reports.
    pub fn dictionary(&mut self, values: impl FnOnce() -> Result<ArrayRef>) -> Result<&[bool]> {
        let kept = match self.dictionary.take() {
            Some(kept) => kept,
            None => {
                let values = values()?;
                let mut kept = vec![true; values.len()];
                self.test(Column::Flat(values), &mut kept)?;
                kept
            }
        };
        Ok(self.dictionary.insert(kept))
    }

    /// Whether null is kept.
    ///
    /// # Errors
    /// What the evaluator reports.
    pub fn null(&mut self) -> Result<bool> {
        if let Some(kept) = self.null {
            return Ok(kept);
        }
        let mut kept = [true];
        self.test(Column::nulls(&self.data_type, 1), &mut kept)?;
        self.null = Some(kept[0]);
        Ok(kept[0])
    }
}
