//! Columns leave the expression set as Arrow arrays, in the encoding that they were computed in.

use std::sync::Arc;

use hypostyle_functions::arrow::array::ArrayRef;
use hypostyle_functions::arrow::buffer::{NullBuffer, ScalarBuffer};
use hypostyle_functions::column::{Bits, Column, Output, Rows};

use super::graph::{Kind, NodeId};
use super::slot::{Computed, Domain};
use super::state::{Run, State};
use crate::batch::Batch;
use crate::error::{Error, Result};

impl State {
    /// The column of an output whose rows are all available.
    pub fn column(&mut self, run: &Run<'_>, batch: &Batch, output: NodeId) -> Result<Column> {
        let (id, _) = run.graph.resolve(output);
        if let Kind::Input(input) = run.graph.nodes[id].kind {
            return Ok(batch.columns[input].clone());
        }
        match self.domains[id] {
            Domain::Base => Ok(Column::of_array(self.freeze(id)?)),
            Domain::Constant => Ok(Column::Constant { value: self.freeze(id)?, length: run.rows }),
            Domain::Dictionary(group) => {
                let Column::Dictionary { indices, validity, .. } = &batch.columns[self.groups[group]] else {
                    return Err(Error::internal("a dictionary input lost its indices"));
                };
                let slot = &self.slots[id];
                if slot.count() == 0 {
                    return Ok(Column::nulls(&run.graph.nodes[id].data_type, run.rows));
                }
                // Values are handed out whole once half of them are known: the rest cost no more than those
                // did, and readers then see one dictionary for as long as the input has one.
                if slot.count() * 2 >= slot.length {
                    self.ensure(run, id, Rows::All(self.slots[id].length))?;
                }
                if self.slots[id].computed == Computed::All {
                    let values = self.freeze(id)?;
                    return Ok(Column::Dictionary {
                        indices: indices.clone(),
                        validity: validity.clone(),
                        values,
                    });
                }
                if self.slots[id].output.as_ref().is_some_and(|output| output.is_fixed_width()) {
                    return self.look_up(run, id, indices, validity.as_ref());
                }
                self.compact(run, id, indices, validity.as_ref())
            }
        }
    }

    fn freeze(&mut self, id: NodeId) -> Result<ArrayRef> {
        let domain = self.domains[id];
        let slot = &mut self.slots[id];
        if let Some(array) = &slot.frozen {
            return Ok(Arc::clone(array));
        }
        let Some(output) = &mut slot.output else {
            return Err(Error::internal("an output is being written"));
        };
        // Values that stand for several rows are read as arrays of their type.
        let array = if domain == Domain::Base { output.freeze_shared()? } else { output.freeze()? };
        slot.frozen = Some(Arc::clone(&array));
        Ok(array)
    }

    /// The value of each row, which for numbers is less than a dictionary and the codes of one.
    fn look_up(
        &mut self,
        run: &Run<'_>,
        id: NodeId,
        indices: &[u32],
        validity: Option<&NullBuffer>,
    ) -> Result<Column> {
        let mut rows = Output::new(run.graph.nodes[id].data_type.clone());
        rows.prepare(0);
        rows.push_places(&self.columns(run).view(id, self.domains[id]), indices);
        if let Some(validity) = validity.filter(|validity| validity.null_count() > 0) {
            let (words, bits) = (rows.validity_words(), Bits::of_nulls(validity));
            words.iter_mut().enumerate().for_each(|(index, word)| *word &= bits.word(index));
        }
        Ok(Column::Flat(rows.freeze()?))
    }

    /// The values that rows refer to, and rows that point to those alone.
    fn compact(
        &mut self,
        run: &Run<'_>,
        id: NodeId,
        indices: &[u32],
        validity: Option<&NullBuffer>,
    ) -> Result<Column> {
        let mut places = self.take();
        places.resize(self.slots[id].length, u32::MAX);
        let mut used = self.take();
        let compacted: Vec<u32> = indices
            .iter()
            .enumerate()
            .map(|(row, &index)| {
                if validity.is_some_and(|validity| validity.is_null(row)) {
                    return 0;
                }
                let place = &mut places[index as usize];
                if *place == u32::MAX {
                    *place = used.len() as u32;
                    used.push(index);
                }
                *place
            })
            .collect();
        let column = if used.is_empty() {
            Column::nulls(&run.graph.nodes[id].data_type, run.rows)
        } else {
            let view = self.columns(run).view(id, self.domains[id]);
            let mut values = Output::new(run.graph.nodes[id].data_type.clone());
            values.prepare(used.len());
            used.iter().enumerate().for_each(|(place, &index)| values.copy(place, &view, index as usize));
            let indices = ScalarBuffer::from(compacted);
            Column::Dictionary { indices, validity: validity.cloned(), values: values.freeze()? }
        };
        self.give(places);
        self.give(used);
        Ok(column)
    }
}
