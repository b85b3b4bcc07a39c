//! One partition that does not fit into memory. Its rows come in order and are evaluated a stretch at a time: rows whose
//! frames lie inside what is held are given out, and rows that later frames still reach stay.
//!
//! What lies before the stretch or behind it is known to each call in its own way ([`LongCall`]): a number, a state that has
//! seen all rows so far, states of what follows, or the few rows that a value may still come from. Calls that depend on rows
//! far ahead see the whole partition once before its first row is evaluated.

mod ahead;
mod framed;
mod kept;
mod ranks;
mod running;
mod whole;

use std::ops::Range;

use arrow::array::{ArrayRef, UInt32Array};
use bumpalo::Bump;
use hypostyle_functions::column::{Column, equal};
use hypostyle_functions::window::WindowKind;

use super::WindowOperator;
use super::arrange::Arrangement;
use super::shape::{Aggregate, Bound, Call, Frame, Function, Positional, WindowShape};
use super::sorted::{Held, Rows, Sorted};
use super::stage::Stage;
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::memory::Reservation;
use crate::operator::filter::concat_batches;
use crate::plan::Exclusion;
use crate::spill::{RowReader, RowStore};

/// Times that rows are held while they are evaluated, with those that a call keeps beside them, ...
const COPIES: usize = 4;

/// ... and what order, frames and values of each row take, of a stretch and of each call.
const ROW_BYTES: usize = 64;

/// A stretch is large enough at this size, and else as its frames need it: a small one stays in the caches.
const STRETCH_BYTES: usize = 32 << 20;

/// A stretch takes this much whether the budget allows it or not: fewer rows would be too few for most frames.
const STRETCH_BYTES_MIN: usize = 1 << 20;

/// A stretch of which less than this part is new is mostly evaluated in vain.
const NEW_PART: usize = 16;

/// One call over a partition of which only a stretch is held.
trait LongCall {
    /// Whether all rows are to be seen before the first is evaluated.
    fn looks_ahead(&self) -> bool {
        false
    }

    /// Sees rows before any is evaluated; `first` is the place of the first of them.
    fn look(&mut self, _stage: &Stage<'_>, _first: u64) -> Result<()> {
        Ok(())
    }

    /// All rows have been seen, so many.
    fn looked(&mut self, _rows: u64) -> Result<()> {
        Ok(())
    }

    /// Rows that a stretch must be a multiple of, unless it is the last.
    fn grain(&self) -> u64 {
        1
    }

    /// The held rows that the value at each held row needs.
    fn reach(&self, stretch: &Stretch<'_>) -> Result<Reach>;

    /// The values at these held rows; called for all rows of the partition, in order.
    fn evaluate(&mut self, stretch: &Stretch<'_>, rows: Range<usize>) -> Result<ArrayRef>;

    /// The first so many held rows will not be held any longer.
    fn leave(&mut self, _stretch: &Stretch<'_>, _rows: usize) -> Result<()> {
        Ok(())
    }

    /// Bytes held beside the stretch.
    fn memory_bytes(&self) -> usize {
        0
    }
}

/// Consecutive rows of the partition.
struct Stretch<'a> {
    /// Its rows as if they were a whole partition.
    stage: Stage<'a>,
    /// Rows of the partition before it.
    before: u64,
    /// Whether the last row of the partition is here.
    is_end: bool,
}

/// The held rows that values need. What is `None` is needed by none.
#[derive(Default)]
struct Reach {
    /// For each row, the first one: known for certain only if it is not the first held row.
    starts: Option<Vec<u32>>,
    /// For each row, the one behind the last: known for certain only if a held row stands there.
    ends: Option<Vec<u32>>,
}

impl Reach {
    /// The rows of the frames, as far as they are bounded.
    fn of_frame(stage: &Stage<'_>, frame: &Frame) -> Result<Self> {
        use crate::plan::FrameUnits;
        let ends = stage.ends(frame)?;
        let starts = match frame.start {
            // That the end of the frame is here tells that it is where it seems to be.
            Bound::UnboundedPreceding => ends.ends.iter().map(|end| end.saturating_sub(1)).collect(),
            _ => ends.starts.clone(),
        };
        let is_own = frame.end == Bound::CurrentRow && frame.units == FrameUnits::Rows;
        Ok(Self { starts: Some(starts), ends: (!is_own).then(|| ends.ends.clone()) })
    }
}

/// The calls over one order of a long partition.
struct LongPartition<'a> {
    shape: &'a WindowShape,
    order: usize,
    calls: Vec<Box<dyn LongCall + 'a>>,
}

/// What became of a stretch.
struct Evaluated {
    results: Vec<ArrayRef>,
    /// The held row behind the last that has results.
    end: usize,
    /// The first row that is still needed.
    needed: usize,
}

impl<'a> LongPartition<'a> {
    fn new(shape: &'a WindowShape, order: usize) -> Result<Self> {
        let calls = shape.calls.iter().filter(|call| call.order == order);
        Ok(Self { shape, order, calls: calls.map(|call| long_call(shape, call)).collect::<Result<_>>()? })
    }

    /// Shows rows to the calls that look ahead.
    fn look(&mut self, columns: &[Column], rows: usize, first: u64) -> Result<()> {
        let arrangement = Arrangement::one_partition(rows);
        let stage = Stage::new(self.shape, columns, &arrangement, &self.shape.orders[self.order]);
        self.calls.iter_mut().try_for_each(|call| call.look(&stage, first))
    }

    /// Evaluates what can be of held rows of which the first `given` have their results.
    fn evaluate(&mut self, columns: &[Column], rows: usize, at: Place) -> Result<Evaluated> {
        let keys = &self.shape.orders[self.order];
        let arrangement = Arrangement::one_partition(rows).refined(keys, columns, &self.shape.column_types);
        let stage = Stage::new(self.shape, columns, &arrangement, keys);
        let stretch = Stretch { stage, before: at.before, is_end: at.is_end };
        let reaches: Vec<Reach> =
            self.calls.iter().map(|call| call.reach(&stretch)).collect::<Result<_>>()?;
        let end = complete(&reaches, rows, &at);
        let is_cut_off = |reach: &Reach| {
            let starts = reach.starts.as_ref().map_or(&[][..], |starts| &starts[at.given..end]);
            at.before > 0 && starts.contains(&0)
        };
        if reaches.iter().any(is_cut_off) {
            return Err(too_wide(rows));
        }
        let results = self
            .calls
            .iter_mut()
            .map(|call| call.evaluate(&stretch, at.given..end))
            .collect::<Result<_>>()?;
        let needed = if at.is_end { rows } else { needed(&reaches, rows, end) };
        self.calls.iter_mut().try_for_each(|call| call.leave(&stretch, needed))?;
        Ok(Evaluated { results, end, needed })
    }

    fn memory_bytes(&self) -> usize {
        self.calls.iter().map(|call| call.memory_bytes()).sum()
    }
}

/// Where held rows stand.
struct Place {
    /// Rows of the partition before them.
    before: u64,
    /// How many of them have their results.
    given: usize,
    is_end: bool,
}

/// The row behind the last one of which all that it needs is held.
fn complete(reaches: &[Reach], rows: usize, at: &Place) -> usize {
    let of_reach = |reach: &Reach| match &reach.ends {
        Some(ends) if !at.is_end => {
            let open = ends[at.given..].iter().position(|&end| end as usize >= rows);
            open.map_or(rows, |open| at.given + open)
        }
        _ => rows,
    };
    reaches.iter().map(of_reach).min().unwrap_or(rows)
}

/// The first row that those from `end` on need, and one before it, which tells where the frames begin.
fn needed(reaches: &[Reach], rows: usize, end: usize) -> usize {
    let starts = reaches.iter().filter_map(|reach| reach.starts.as_ref());
    // Frames that move on start no earlier than that of the last row, also those of rows that are still to come.
    let of_reach =
        |starts: &Vec<u32>| starts[end.min(rows - 1)..].iter().min().map_or(0, |&start| start as usize);
    starts.map(of_reach).min().unwrap_or(end).min(end).saturating_sub(1)
}

fn too_wide(rows: usize) -> Error {
    Error::Resource(format!(
        "window: frames in a partition that does not fit into memory reach further than the {rows} rows of it that do; raise memory_limit or narrow the frames"
    ))
}

/// The way to compute a call.
fn long_call<'a>(shape: &'a WindowShape, call: &'a Call) -> Result<Box<dyn LongCall + 'a>> {
    match &call.function {
        Function::Aggregate(aggregate) => long_aggregate(call, aggregate),
        Function::Positional(function) => long_positional(shape, call, function),
    }
}

fn long_aggregate<'a>(call: &'a Call, aggregate: &'a Aggregate) -> Result<Box<dyn LongCall + 'a>> {
    let Frame { start, end, exclude, is_whole, .. } = &call.frame;
    let is_unbounded = (*start == Bound::UnboundedPreceding, *end == Bound::UnboundedFollowing);
    Ok(match is_unbounded {
        _ if *is_whole => Box::new(whole::WholeAggregate::new(call, aggregate)),
        (false, false) => Box::new(framed::Framed { call }),
        (true, false) if *exclude == Exclusion::None => Box::new(running::Running::new(call, aggregate)),
        (false, true) if ahead::Ahead::can(aggregate) => Box::new(ahead::Ahead::new(call, aggregate)),
        (_, true) => return Err(impossible("an aggregate without small states up to the last row")),
        _ => return Err(impossible("EXCLUDE from the first row on")),
    })
}

fn long_positional<'a>(
    shape: &'a WindowShape,
    call: &'a Call,
    function: &'a Positional,
) -> Result<Box<dyn LongCall + 'a>> {
    let Frame { start, end, exclude, is_whole, .. } = &call.frame;
    if !function.order.is_empty() {
        return Err(impossible("ORDER BY among the arguments of a function"));
    }
    if !function.kind.reads_frame() {
        return Ok(match function.kind {
            WindowKind::Lag if function.ignore_nulls => Box::new(kept::Kept::new(shape, call, function)?),
            WindowKind::Lag | WindowKind::Lead => Box::new(framed::Shifted { call, function }),
            _ => Box::new(ranks::Ranks::new(shape, call, function)),
        });
    }
    let is_unbounded = (*start == Bound::UnboundedPreceding, *end == Bound::UnboundedFollowing);
    Ok(match is_unbounded {
        _ if *is_whole => Box::new(whole::WholeValue::new(shape, call, function)?),
        (false, false) => Box::new(framed::Framed { call }),
        _ if *exclude != Exclusion::None => {
            return Err(impossible("EXCLUDE from the first or to the last row"));
        }
        (false, true) if function.kind != WindowKind::LastValue => {
            Box::new(framed::Following { call, function })
        }
        _ => Box::new(kept::Kept::new(shape, call, function)?),
    })
}

fn impossible(what: &str) -> Error {
    Error::Resource(format!(
        "window: a partition does not fit into memory, and {what} cannot be computed piece by piece; raise memory_limit or partition by more"
    ))
}

/// The rows of the first partition of sorted rows, of which some have been read already.
struct PartitionRows<'a> {
    window: &'a WindowOperator,
    read: RowReader,
    rows: &'a mut Sorted,
    /// A row of the partition.
    first: Batch,
    /// Rows of the next partition.
    rest: Option<Batch>,
}

impl<'a> PartitionRows<'a> {
    /// The rows that were read go to a file, to leave the memory to the evaluation.
    fn new(window: &'a WindowOperator, held: Held, rows: &'a mut Sorted) -> Result<Self> {
        let mut store = window.new_store();
        let mut first = None;
        let step = window.run.batch_rows();
        for batch in held.batches {
            if first.is_none() {
                let row = UInt32Array::from(vec![0]);
                let columns = batch.columns.iter().map(|column| column.take(&row));
                first = Some(Batch::new(columns.collect::<std::result::Result<_, _>>()?, 1));
            }
            for start in (0..batch.rows).step_by(step) {
                store.add(batch.slice(start, step.min(batch.rows - start)))?;
            }
        }
        let first = first.ok_or_else(|| Error::internal("a partition without rows"))?;
        Ok(Self { window, read: store.into_reader()?, rows, first, rest: None })
    }
}

impl Rows for PartitionRows<'_> {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        if let Some(batch) = self.read.next()? {
            return Ok(Some(batch));
        }
        if self.rest.is_some() {
            return Ok(None);
        }
        let Some(batch) = self.rows.next_batch()? else { return Ok(None) };
        let same = self.window.rows_of_partition(&self.first, &batch);
        if same < batch.rows {
            self.rest = Some(batch.slice(same, batch.rows - same));
        }
        Ok((same > 0).then(|| batch.slice(0, same)))
    }
}

impl WindowOperator {
    /// Evaluates the calls over one order of a partition of which all that fits into memory is held, and adds its rows with their
    /// results. Rows that were read of the next partition come back.
    pub(super) fn evaluate_long(
        &self,
        held: Held,
        rows: &mut Sorted,
        order: usize,
        reservation: &mut Reservation,
        pass: &mut RowStore,
    ) -> Result<Option<Batch>> {
        let mut partition = LongPartition::new(&self.shape, order)?;
        let mut rows = PartitionRows::new(self, held, rows)?;
        reservation.force(0);
        if !partition.calls.iter().any(|call| call.looks_ahead()) {
            self.evaluate_stretches(&mut partition, &mut rows, reservation, pass)?;
            return Ok(rows.rest);
        }
        let mut store = self.new_store();
        let mut seen = 0;
        while let Some(batch) = rows.next_batch()? {
            self.run.check_cancelled()?;
            partition.look(&self.evaluated(&batch), batch.rows, seen)?;
            seen += batch.rows as u64;
            match partition.memory_bytes() {
                bytes if bytes <= STRETCH_BYTES_MIN => reservation.force(bytes),
                bytes => reservation.resize(bytes)?,
            }
            store.add(batch)?;
        }
        partition.calls.iter_mut().try_for_each(|call| call.looked(seen))?;
        self.evaluate_stretches(&mut partition, &mut store.into_reader()?, reservation, pass)?;
        Ok(rows.rest)
    }

    fn evaluate_stretches(
        &self,
        partition: &mut LongPartition<'_>,
        rows: &mut dyn Rows,
        reservation: &mut Reservation,
        pass: &mut RowStore,
    ) -> Result<()> {
        let grain = partition.calls.iter().map(|call| call.grain()).max().unwrap_or(1);
        let row_bytes = (partition.calls.len() + 1) * ROW_BYTES;
        let mut held = Held::default();
        let (mut before, mut given, mut enough) = (0u64, 0usize, STRETCH_BYTES);
        loop {
            let next = rows.next_batch()?;
            self.run.check_cancelled()?;
            let is_end = next.is_none();
            next.into_iter().for_each(|batch| held.add(batch));
            let bytes = held.bytes * COPIES + held.rows * row_bytes + partition.memory_bytes();
            let is_small = bytes <= STRETCH_BYTES_MIN;
            if is_small {
                reservation.force(bytes);
            }
            let fits = is_small || reservation.try_resize(bytes);
            if !is_end && fits && bytes < enough {
                continue;
            }
            if is_end && held.rows == given {
                return Ok(());
            }
            let batch = concat_batches(&std::mem::take(&mut held).batches)?;
            let behind = if is_end { 0 } else { (before + batch.rows as u64) % grain };
            let count = batch.rows.saturating_sub(behind as usize);
            let part = batch.slice(0, count);
            let done = match count > given || is_end {
                true => partition.evaluate(&self.evaluated(&part), count, Place { before, given, is_end })?,
                false => Evaluated { results: Vec::new(), end: given, needed: 0 },
            };
            let gained = done.end - given;
            if !is_end && gained * 2 < count {
                if !fits && gained * NEW_PART < count {
                    return Err(too_wide(count));
                }
                enough = bytes * 2;
            }
            if gained > 0 {
                self.add_evaluated(&part.slice(given, gained), done.results, pass)?;
            }
            if is_end {
                return Ok(());
            }
            held.add(batch.slice(done.needed, batch.rows - done.needed));
            before += done.needed as u64;
            given = done.end - done.needed;
            reservation.force(held.bytes);
            if held.bytes + partition.memory_bytes() > STRETCH_BYTES_MIN {
                reservation.resize(held.bytes + partition.memory_bytes())?;
            }
        }
    }

    /// Rows at the start of `batch` that are of the partition of a row.
    fn rows_of_partition(&self, first: &Batch, batch: &Batch) -> usize {
        let bump = Bump::new();
        let keys: Vec<_> = (0..self.shape.partition_keys)
            .filter_map(|column| {
                let (stored, data_type) = (self.stored_position(column)?, &self.shape.column_types[column]);
                let of = |batch: &'_ Batch| batch.columns[stored].clone();
                Some((of(first), of(batch), data_type))
            })
            .collect();
        let views: Vec<_> = keys
            .iter()
            .map(|(first, rows, data_type)| (first.view(data_type, &bump), rows.view(data_type, &bump)))
            .collect();
        let is_same = |row: usize| views.iter().all(|(first, rows)| equal(first, 0, rows, row));
        let (mut low, mut high) = (0, batch.rows);
        while low < high {
            let middle = (low + high) / 2;
            if is_same(middle) { low = middle + 1 } else { high = middle }
        }
        low
    }
}
