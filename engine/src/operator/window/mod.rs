//! Adds columns computed over other rows of the same partition. Rows come out in the order of the input, whatever the
//! windows sort by, so that results do not depend on threads and the columns of the input are never copied.
//!
//! Each worker keeps its batches as they are, and copies what the windows read (partition and order keys, arguments)
//! into parts by the hash of the partition keys ([`local`]). When the input has ended, each part is evaluated on its
//! own ([`evaluate`]), small enough for the caches, and gives its results in the order of its rows. A batch that comes
//! out then takes, row after row, the next result of the part that the row belongs to ([`result`]).
//!
//! Where the budget refuses more, rows go to files by part ([`spilled`]), and come back in the order of the input too.

mod aggregate;
mod arrange;
mod blocks;
mod counted;
mod cut;
mod evaluate;
mod first_rows;
mod frame;
mod inner_order;
mod key_move;
mod last_row;
mod local;
mod long;
mod part;
mod position;
mod result;
mod served;
mod shape;
mod sorted;
mod spilled;
mod stage;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::ArrayRef;
use hypostyle_functions::types::Type;

use crate::error::Result;
use crate::expression::{Evaluator, ExpressionSet};
use crate::memory::{Account, Reservation};
use crate::metrics::OperatorMetrics;
use crate::operator::aggregate::PARTITIONS;
use crate::operator::ordinal::OrdinalCounter;
use crate::operator::{Claim, LocalSink, RunContext, Sink, Source, Task};
use crate::spill::RowStore;

use evaluate::Computed;
use local::{Kept, Local};
use part::Gathering;
use result::{Morsels, PartResults};
pub use served::{history_type, window_over_history};
pub(crate) use shape::WindowShape;

/// What all workers of one window share.
pub struct WindowOperator {
    shape: Arc<WindowShape>,
    expressions: Arc<ExpressionSet>,
    /// Types of the input's columns.
    input_types: Vec<Type>,
    /// For each column of the input that nobody reads behind the window, the null that stands for it from here on.
    blanks: Vec<Option<ArrayRef>>,
    parts: usize,
    run: Arc<RunContext>,
    account: Arc<Account>,
    metrics: Arc<OperatorMetrics>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What workers have kept.
    kept: Vec<Kept>,
    morsels: Option<Morsels>,
    results: Vec<PartResults>,
    reservation: Option<Reservation>,
    /// The files of the parts, once the budget has refused more.
    spilled: Option<Vec<RowStore>>,
    /// Evaluated parts, in files.
    runs: Vec<RowStore>,
    step: Step,
}

/// Bytes that a row takes only while its part is evaluated: where it stands in an order, the numbers by which it came there,
/// and its states of a call.
const WORKING_BYTES: usize = 56;

/// How far the sink is, once all rows have come.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Step {
    #[default]
    Collecting,
    Evaluating,
}

impl WindowOperator {
    /// A window over rows of these types; `expressions` gives what it reads, as `shape` lays it out. A column of the input
    /// that has one of the `blanks` is null behind the window.
    pub fn new(
        shape: Arc<WindowShape>,
        expressions: Arc<ExpressionSet>,
        input_types: Vec<Type>,
        blanks: Vec<Option<ArrayRef>>,
        run: Arc<RunContext>,
        metrics: Arc<OperatorMetrics>,
    ) -> Arc<Self> {
        let account = run.memory.account("window");
        let parts = if shape.is_one_partition() { 1 } else { PARTITIONS };
        Arc::new(Self {
            shape,
            expressions,
            blanks: if blanks.is_empty() { vec![None; input_types.len()] } else { blanks },
            input_types,
            parts,
            run,
            account,
            metrics,
            state: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_peak(&self) {
        self.metrics.raise_peak(self.account.peak_bytes());
    }

    /// Bytes of the results of so many rows.
    fn result_bytes(&self, rows: usize) -> usize {
        let width = |call: &shape::Call| if call.result.is_fixed_width() { 16 } else { 48 };
        // For each order, also the position of each row in it.
        rows * (self.shape.calls.iter().map(width).sum::<usize>()
            + self.shape.orders.len() * size_of::<u32>())
    }

    /// Bytes that are held only while parts are evaluated, the largest of them at once.
    fn working_bytes(&self, kept: &[Kept]) -> usize {
        let of_part = |part: usize| {
            let rows: usize = kept.iter().map(|kept| kept.parts[part].rows).sum();
            // What several workers kept is copied into one piece.
            let copied: usize = match kept {
                [_] => 0,
                kept => kept.iter().map(|kept| kept.parts[part].memory_bytes()).sum(),
            };
            rows * WORKING_BYTES + copied
        };
        let at_once = self.run.context.configuration.threads.clamp(1, self.parts);
        at_once * (0..self.parts).map(of_part).max().unwrap_or(0)
    }

    /// Brings what the workers kept together, part by part.
    fn settle(self: &Arc<Self>, state: &mut State) -> Result<Vec<Task>> {
        let kept = std::mem::take(&mut state.kept);
        let rows: usize = kept.iter().map(Kept::rows).sum();
        let mut reservation = self.account.reserve();
        if !reservation.try_resize(self.result_bytes(rows) + self.working_bytes(&kept)) {
            state.spilled.get_or_insert_with(|| (0..self.parts).map(|_| self.new_store()).collect());
        }
        if state.spilled.is_some() {
            state.kept = kept;
            return Ok(vec![self.spill_task()]);
        }
        state.reservation = Some(reservation);
        let (morsels, gatherings) = part::gather(kept, self.parts);
        state.morsels = Some(morsels);
        state.results = gatherings.iter().map(|_| PartResults::default()).collect();
        self.note_peak();
        Ok(gatherings
            .into_iter()
            .enumerate()
            .filter(|(_, gathering)| gathering.rows() > 0)
            .map(|(part, gathering)| {
                let window = Arc::clone(self);
                Task::new(move || window.evaluate(part, gathering).map(|()| Vec::new()))
            })
            .collect())
    }

    /// Sends what the workers still hold to the files, and then evaluates the parts one after the other: each may take
    /// all the memory there is.
    fn spill_task(self: &Arc<Self>) -> Task {
        let window = Arc::clone(self);
        Task::new(move || {
            let kept = std::mem::take(&mut window.lock().kept);
            for kept in kept {
                window.spill(kept.morsels, kept.parts)?;
            }
            let mut stores = window.lock().spilled.take().unwrap_or_default();
            stores.iter_mut().try_for_each(RowStore::write_small)?;
            for store in stores {
                let run = window.evaluate_stored(store)?;
                window.lock().runs.push(run);
            }
            Ok(Vec::new())
        })
    }

    fn evaluate(&self, part: usize, gathering: Gathering) -> Result<()> {
        self.run.check_cancelled()?;
        let rows = gathering.rows();
        let columns = gathering.into_columns(&self.shape)?;
        let results = evaluate::evaluate(&self.shape, &columns, rows)?;
        self.lock().results[part] = Arc::new(results);
        Ok(())
    }
}

impl Sink for Arc<WindowOperator> {
    fn local(&self) -> Result<Box<dyn LocalSink>> {
        let mut reservation = self.account.reserve();
        reservation.set_spillable(true);
        Ok(Box::new(Local::new(
            Arc::clone(self),
            Evaluator::new(Arc::clone(&self.expressions), &self.run.parameters)?,
            OrdinalCounter::default(),
            reservation,
        )))
    }

    fn finish(&self) -> Result<Vec<Task>> {
        let mut state = self.lock();
        match std::mem::replace(&mut state.step, Step::Evaluating) {
            Step::Collecting => self.settle(&mut state),
            Step::Evaluating => {
                let bytes =
                    state.results.iter().flat_map(|results| results.iter()).map(Computed::memory_bytes).sum();
                if let Some(reservation) = &mut state.reservation {
                    reservation.force(bytes);
                }
                Ok(Vec::new())
            }
        }
    }
}

/// The rows with their new columns, for the next pipeline.
pub struct WindowSource(pub Arc<WindowOperator>);

impl Source for WindowSource {
    fn claim(&self) -> Result<Claim> {
        let mut state = self.0.lock();
        if !state.runs.is_empty() {
            let runs = std::mem::take(&mut state.runs);
            return Ok(Claim::Morsel(self.0.merge_runs(runs)));
        }
        let results = state.results.clone();
        let Some(morsels) = &mut state.morsels else { return Ok(Claim::End) };
        Ok(morsels.claim(&self.0.shape, results).map_or(Claim::End, Claim::Morsel))
    }
}
