//! Evaluates a set of expressions over batches; one evaluator per worker.

use std::sync::Arc;
use std::time::Instant;

use bumpalo::Bump;
use hypostyle_functions::arrow::array::new_empty_array;
use hypostyle_functions::arrow::buffer::{BooleanBuffer, Buffer};
use hypostyle_functions::column::{Column, Data, Encoding, Rows, View, value_at};
use hypostyle_functions::types::{Schema, Type};
use hypostyle_functions::value::Literal;

use super::graph::NodeId;
use super::metrics::{Clock, ExpressionMetrics};
use super::selection::Selection;
use super::set::ExpressionSet;
use super::slot::Domain;
use super::state::{Run, State};
use crate::batch::Batch;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::memory::Reservation;
use crate::plan::Expression;

/// Evaluates an [`ExpressionSet`]. Buffers are kept from batch to batch, and so are columns computed on
/// the values of a dictionary for as long as batches bring the same dictionary.
pub struct Evaluator {
    set: Arc<ExpressionSet>,
    state: State,
    bump: Bump,
    clock: Clock,
}

impl Evaluator {
    /// An evaluator with these values for the parameters.
    ///
    /// # Errors
    /// [`Error::User`] if a parameter that is read is missing or has another type.
    pub fn new(set: Arc<ExpressionSet>, parameters: &[Literal]) -> Result<Self> {
        let state = State::new(&set.graph, parameters)?;
        let clock = Clock::new(set.len());
        Ok(Self { set, state, bump: Bump::new(), clock })
    }

    /// The set that is evaluated.
    pub fn set(&self) -> &Arc<ExpressionSet> {
        &self.set
    }

    /// One column per expression, each as long as the batch.
    ///
    /// # Errors
    /// The first failed row by position, over all outputs; what ends the query.
    pub fn evaluate(&mut self, batch: &Batch) -> Result<Vec<Column>> {
        if batch.rows == 0 {
            return Ok(self.set.types().iter().map(empty).collect());
        }
        self.with_run(batch, |state, run, clock| {
            let mut start = clock.begin(run.rows).then(Instant::now);
            for (index, &output) in run.graph.outputs.iter().enumerate() {
                state.demand(run, output, Rows::All(run.rows), Domain::Base)?;
                if let Some(start) = &mut start {
                    // The end of one output is the start of the next: the clock is read once for both.
                    let end = Instant::now();
                    clock.add(index, end - std::mem::replace(start, end));
                }
            }
            state.raise(run, &run.graph.outputs)?;
            run.graph.outputs.iter().map(|&output| state.column(run, batch, output)).collect()
        })
    }

    /// The rows for which the first expression, a predicate, is true.
    ///
    /// # Errors
    /// As [`Evaluator::evaluate`].
    pub fn select(&mut self, batch: &Batch) -> Result<Selection> {
        if batch.rows == 0 {
            return Ok(Selection::new(BooleanBuffer::new_unset(0)));
        }
        self.with_run(batch, |state, run, clock| {
            let Some(&output) = run.graph.outputs.first() else {
                return Err(Error::internal("a predicate without an expression"));
            };
            let start = clock.begin(run.rows).then(Instant::now);
            state.demand(run, output, Rows::All(run.rows), Domain::Base)?;
            state.raise(run, &[output])?;
            let selection =
                Selection::new(true_rows(&state.columns(run).view(output, Domain::Base), run.rows));
            if let Some(start) = start {
                clock.add(0, start.elapsed());
            }
            Ok(selection)
        })
    }

    /// Work done so far, one entry per expression. Times are those of some batches, in proportion.
    pub fn metrics(&self) -> impl Iterator<Item = ExpressionMetrics> {
        self.clock.work()
    }

    /// Makes a share of the budget as large as what the scratch of functions holds; if the budget does not allow that, it is dropped.
    pub fn charge(&mut self, share: &mut Reservation) {
        let held = self.state.scratch.memory_bytes();
        if held != share.bytes() && !share.try_resize(held) {
            self.state.scratch.release();
            share.force(0);
        }
    }

    /// Bytes kept from batch to batch because of encoded inputs and by functions.
    pub fn memory_bytes(&self) -> usize {
        self.state.memory_bytes()
    }

    /// Drops what is kept from batch to batch; the next batch computes it again.
    pub fn release(&mut self) {
        self.state.release();
    }

    fn with_run<R>(
        &mut self,
        batch: &Batch,
        body: impl FnOnce(&mut State, &Run<'_>, &mut Clock) -> Result<R>,
    ) -> Result<R> {
        let Self { set, state, bump, clock } = self;
        let types = set.input_types();
        if batch.columns.len() != types.len() {
            let (given, expected) = (batch.columns.len(), types.len());
            return Err(Error::internal(format!(
                "a batch of {given} columns where {expected} were expected"
            )));
        }
        bump.reset();
        let inputs = bump.alloc_slice_fill_iter(types.iter().map(|data_type| unread(data_type, batch.rows)));
        let values = bump.alloc_slice_fill_copy(types.len(), batch.rows);
        for &input in set.columns() {
            inputs[input] = batch.columns[input].view(&types[input], bump);
            values[input] = match &batch.columns[input] {
                Column::Flat(array) | Column::Spans(array) => array.len(),
                Column::Constant { .. } => 1,
                Column::Dictionary { values, .. } => values.len(),
            };
        }
        let columns = Some(&batch.columns[..]);
        let run = Run { graph: &set.graph, inputs, values, columns, rows: batch.rows };
        state.begin(&run);
        body(state, &run, clock)
    }
}

/// The value of an expression without columns.
///
/// # Errors
/// What compiling or evaluating it reports.
pub fn evaluate_constant(expression: &Expression, context: &Arc<Context>) -> Result<Literal> {
    let set = ExpressionSet::compile(std::slice::from_ref(expression), &Schema::default(), context)?;
    let mut evaluator = Evaluator::new(set, &[])?;
    let data_type = expression.data_type();
    let value = evaluator.with_run(&Batch::new(Vec::new(), 1), |state, run, _| {
        let output = run.graph.outputs[0];
        state.demand(run, output, Rows::All(1), Domain::Base)?;
        state.raise(run, &[output])?;
        Ok(value_at(&state.columns(run).view(output, Domain::Base), 0))
    })?;
    Ok(Literal { data_type, value })
}

/// The view of a column that no node reads.
fn unread(data_type: &Type, length: usize) -> View<'_> {
    View { data_type, length, encoding: Encoding::Flat, validity: None, data: Data::Null }
}

fn empty(data_type: &Type) -> Column {
    Column::Flat(new_empty_array(&data_type.to_arrow()))
}

/// A bit per row, set where the value is true.
fn true_rows(view: &View<'_>, rows: usize) -> BooleanBuffer {
    let Data::Boolean(bits) = view.data else { return BooleanBuffer::new_unset(rows) };
    let words: Vec<u64> = match view.encoding {
        Encoding::Constant => {
            return match view.is_valid(0) && bits.get(0) {
                true => BooleanBuffer::new_set(rows),
                false => BooleanBuffer::new_unset(rows),
            };
        }
        Encoding::Flat => match view.validity {
            None => bits.to_words(),
            Some(validity) => {
                (0..rows.div_ceil(64)).map(|index| bits.word(index) & validity.word(index)).collect()
            }
        },
        Encoding::Dictionary { .. } => {
            let values = view.boolean();
            let bit = |row: usize| u64::from(view.is_valid(row) && values.get(row)) << (row % 64);
            let word = |index: usize| {
                (index * 64..rows.min(index * 64 + 64)).map(bit).fold(0, |word, bit| word | bit)
            };
            (0..rows.div_ceil(64)).map(word).collect()
        }
    };
    BooleanBuffer::new(Buffer::from_vec(words), 0, rows)
}

impl State {
    /// Fails with the error of the first failed row, if any.
    pub(super) fn raise(&self, run: &Run<'_>, outputs: &[NodeId]) -> Result<()> {
        let columns = self.columns(run);
        let mut first: Option<(usize, &hypostyle_functions::Error)> = None;
        for &output in outputs {
            let Some(failed) = columns.failed(output, Domain::Base) else { continue };
            let row = match failed.encoding {
                Encoding::Flat => failed.errors.iter().map(|(row, _)| *row as usize).min(),
                _ => (0..run.rows).find(|&row| failed.contains(row)),
            };
            if let Some(row) = row
                && first.is_none_or(|(held, _)| row < held)
                && let Some(error) = failed.find(row)
            {
                first = Some((row, error));
            }
        }
        first.map_or(Ok(()), |(_, error)| Err(Error::from(error.clone())))
    }
}
