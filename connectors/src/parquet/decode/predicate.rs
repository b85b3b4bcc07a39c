//! Conditions on one column, tested while its rows are loaded.

use std::sync::Arc;

use arrow::array::ArrayRef;
use hypostyle_engine::Batch;
use hypostyle_engine::expression::{Evaluator, ExpressionSet};
use hypostyle_functions::Type;
use hypostyle_functions::column::Column;

use super::fault::Result;

/// A condition that reads one column and cannot fail. Of a dictionary it is evaluated once for each value.
pub struct ColumnTest {
    evaluator: Evaluator,
    /// Whether each value of the chunk's dictionary is kept.
    dictionary: Option<Vec<bool>>,
    /// Whether nulls are.
    null: Option<bool>,
    data_type: Type,
}

impl ColumnTest {
    /// A test by the only expression of `condition`, over a column of `data_type`.
    ///
    /// # Errors
    /// An expression with parameters.
    pub fn new(condition: &Arc<ExpressionSet>, data_type: &Type) -> hypostyle_engine::Result<Self> {
        let evaluator = Evaluator::new(Arc::clone(condition), &[])?;
        Ok(Self { evaluator, dictionary: None, null: None, data_type: data_type.clone() })
    }

    /// Clears `keep` where the rows of `column` are refused.
    ///
    /// # Errors
    /// What the evaluator reports.
    pub fn test(&mut self, column: Column, keep: &mut [bool]) -> Result<()> {
        let rows = keep.len();
        let selection = self.evaluator.select(&Batch::new(vec![column], rows))?;
        if !selection.is_all() {
            keep.iter_mut().zip(selection.bits()).for_each(|(keep, kept)| *keep &= kept);
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
