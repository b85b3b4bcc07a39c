//! Both sides sorted by keys and order value, and merged: a left row's nearest is the last right row before it.
//!
//! What is held is one batch of each side and the candidates of the keys at work: one right row, and one for each
//! column of LAST NOT NULL. Only a condition on both sides asks for more, since the row before the last may be the
//! answer: then the right rows of one key are held, and charged.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::ArrayRef;
use hypostyle_functions::column::Column;
use hypostyle_functions::types::Type;

use super::gather::{NOWHERE, gather};
use super::side::{Side, read, sort_by};
use super::window::Window;
use super::{AsofShape, kept_left};
use crate::batch::Batch;
use crate::error::Result;
use crate::expression::Evaluator;
use crate::memory::{Reservation, used_bytes_of};
use crate::operator::Sink;
use crate::operator::filter::kept_rows;
use crate::operator::sort::KeyOrder;
use crate::operator::{Claim, Source};
use crate::table::Reader;

/// The rows of a join both of whose sides were sorted.
pub struct MergeSource {
    shape: Arc<AsofShape>,
    left: Arc<Side>,
    right: Arc<Side>,
    keeps_order: bool,
    claimed: AtomicBool,
}

impl MergeSource {
    /// The rows of these sides; in the order of a join in memory if that shows.
    pub fn new(shape: Arc<AsofShape>, left: Arc<Side>, right: Arc<Side>, keeps_order: bool) -> Self {
        Self { shape, left, right, keeps_order, claimed: AtomicBool::new(false) }
    }
}

impl Source for MergeSource {
    fn claim(&self) -> Result<Claim> {
        let is_sorted = self.left.is_sorted() || self.right.is_sorted();
        if !is_sorted || self.claimed.swap(true, Ordering::Relaxed) {
            return Ok(Claim::End);
        }
        let (shape, left, right) = (Arc::clone(&self.shape), Arc::clone(&self.left), Arc::clone(&self.right));
        let merge = MergeReader::new(shape, left, right, self.keeps_order)?;
        Ok(Claim::Morsel(match self.keeps_order {
            true => Box::new(OrderedReader { merge: Some(merge), rows: None, columns: self.columns() }),
            false => Box::new(merge),
        }))
    }
}

impl MergeSource {
    fn columns(&self) -> usize {
        let right = if self.shape.gives_pairs() { self.shape.right_types.len() } else { 0 };
        self.shape.left_types.len() + right
    }
}

/// The rows of a merge in the order of both sides' ordinals, which are their last columns.
struct OrderedReader {
    merge: Option<MergeReader>,
    rows: Option<Box<dyn Reader>>,
    columns: usize,
}

impl Reader for OrderedReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        if let Some(mut merge) = self.merge.take() {
            let shape = Arc::clone(&merge.shape);
            let mut types = shape.left_types.clone();
            if shape.gives_pairs() {
                types.extend(shape.right_types.iter().cloned());
            }
            let order = |nulls_first| KeyOrder { data_type: Type::UInt64, descending: false, nulls_first };
            // Right rows without a partner follow everything else.
            let orders = [(types.len(), order(false)), (types.len() + 1, order(true))];
            types.extend([Type::UInt64, Type::UInt64]);
            let sort = sort_by(&types, &orders, &merge.left.run, &merge.left.metrics)?;
            let mut local = sort.local()?;
            while let Some(batch) = merge.next()? {
                local.push(batch)?;
            }
            local.finish()?;
            self.rows = Some(read(sort)?);
        }
        let Some(batch) = self.rows.as_mut().map(|rows| rows.next()).transpose()?.flatten() else {
            return Ok(None);
        };
        let Batch { mut columns, rows, position } = batch;
        columns.truncate(self.columns);
        Ok(Some(Batch::new(columns, rows).at(position)))
    }
}

/// A row of a window of the right side.
#[derive(Clone)]
struct Place {
    window: Arc<Window>,
    row: usize,
}

/// A right row of the keys at work.
struct Candidate {
    place: Place,
    /// Whether it is some left row's nearest.
    is_taken: bool,
}

/// The sorted right side.
struct Cursor {
    rows: Box<dyn Reader>,
    window: Option<Arc<Window>>,
    row: usize,
    is_over: bool,
}

impl Cursor {
    /// The next row, if there is one; `first` is the column of the first key.
    fn peek(&mut self, shape: &AsofShape, first: usize) -> Result<Option<Place>> {
        while !self.is_over {
            if let Some(window) = self.window.as_ref().filter(|window| self.row < window.rows()) {
                return Ok(Some(Place { window: Arc::clone(window), row: self.row }));
            }
            self.row = 0;
            self.window = self.rows.next()?.map(|batch| Arc::new(Window::new(shape, batch, first, false)));
            self.is_over = self.window.is_none();
        }
        Ok(None)
    }
}

/// Gives the rows of the join in the order of keys; both ordinals are its last columns if `with_ordinals`.
struct MergeReader {
    shape: Arc<AsofShape>,
    left: Arc<Side>,
    right: Arc<Side>,
    with_ordinals: bool,
    left_rows: Box<dyn Reader>,
    cursor: Cursor,
    residual: Option<Evaluator>,
    /// Key of the candidates.
    key: Vec<u8>,
    candidates: Vec<Candidate>,
    /// First of the candidates of this key: those before are of keys that the left batch at work has passed.
    first: usize,
    /// The nearest value that is not null, for each column of LAST NOT NULL.
    lasts: Vec<Option<Place>>,
    unmatched: Vec<Place>,
    output: VecDeque<Batch>,
    reservation: Reservation,
    is_over: bool,
}

impl MergeReader {
    fn new(shape: Arc<AsofShape>, left: Arc<Side>, right: Arc<Side>, with_ordinals: bool) -> Result<Self> {
        let residual = shape.residual.as_ref();
        let residual =
            residual.map(|set| Evaluator::new(Arc::clone(set), &left.run.parameters)).transpose()?;
        let cursor = Cursor { rows: right.sorted()?, window: None, row: 0, is_over: false };
        Ok(Self {
            left_rows: left.sorted()?,
            cursor,
            residual,
            key: Vec::new(),
            candidates: Vec::new(),
            first: 0,
            lasts: vec![None; shape.last_not_null.len()],
            unmatched: Vec::new(),
            output: VecDeque::new(),
            reservation: left.account.reserve(),
            is_over: false,
            with_ordinals,
            shape,
            left,
            right,
        })
    }

    /// Joins the rows of a left window.
    fn join(&mut self, window: &Window) -> Result<()> {
        let mut found: Vec<Vec<Option<Place>>> = vec![Vec::with_capacity(window.rows()); self.shape.tracks()];
        // The candidates of each row, for a condition.
        let mut ranges = Vec::new();
        for row in 0..window.rows() {
            if !window.can_match(row) {
                found.iter_mut().for_each(|track| track.push(None));
                ranges.push(0..0);
                continue;
            }
            self.advance(window, row)?;
            if self.residual.is_some() {
                ranges.push(self.first..self.candidates.len());
                continue;
            }
            let is_near =
                |place: &Place| window.limit(row).is_none_or(|limit| place.window.order(place.row) >= limit);
            let nearest = self.candidates.last_mut().filter(|candidate| is_near(&candidate.place));
            found[0].push(nearest.map(|candidate| {
                candidate.is_taken = true;
                candidate.place.clone()
            }));
            for (track, last) in found[1..].iter_mut().zip(&self.lasts) {
                track.push(last.clone().filter(is_near));
            }
        }
        if self.residual.is_some() {
            found = self.accepted(window, &ranges)?;
            self.release()?;
        }
        self.emit(window, &found)?;
        self.emit_unmatched()
    }

    /// Takes in the right rows that come before a left row, and lets go of candidates of other keys.
    fn advance(&mut self, window: &Window, row: usize) -> Result<()> {
        let (key, order) = (window.key(row), window.order(row));
        if self.key != key {
            self.close();
            self.key.clear();
            self.key.extend_from_slice(key);
        }
        let is_strict = self.shape.comparison.is_strict();
        while let Some(place) = self.cursor.peek(&self.shape, self.right.width)? {
            let right = &place.window;
            if right.can_match(place.row) {
                match right.key(place.row).cmp(key) {
                    std::cmp::Ordering::Greater => break,
                    std::cmp::Ordering::Equal => {
                        let its_order = right.order(place.row);
                        if its_order > order || is_strict && its_order == order {
                            break;
                        }
                        self.cursor.row += 1;
                        self.take_in(place);
                        continue;
                    }
                    std::cmp::Ordering::Less => {}
                }
            }
            self.cursor.row += 1;
            self.pass_over(place);
        }
        Ok(())
    }

    /// Makes a row the nearest candidate of its key.
    fn take_in(&mut self, place: Place) {
        for (last, &column) in self.lasts.iter_mut().zip(&self.shape.last_not_null) {
            if is_valid(&place, column) {
                *last = Some(place.clone());
            }
        }
        if self.residual.is_none()
            && let Some(before) = self.candidates.pop()
            && !before.is_taken
        {
            self.pass_over(before.place);
        }
        self.candidates.push(Candidate { place, is_taken: false });
    }

    fn pass_over(&mut self, place: Place) {
        if self.shape.keeps_right() {
            self.unmatched.push(place);
        }
    }

    /// Ends the candidates of one key; those that a condition has yet to see stay until the end of the left batch.
    fn close(&mut self) {
        self.lasts.iter_mut().for_each(|last| *last = None);
        self.first = self.candidates.len();
        if self.residual.is_none() {
            self.drop_candidates(self.first);
        }
    }

    fn drop_candidates(&mut self, count: usize) {
        let dropped: Vec<Candidate> = self.candidates.drain(..count).collect();
        dropped.into_iter().filter(|candidate| !candidate.is_taken).for_each(|candidate| {
            self.pass_over(candidate.place);
        });
        self.first -= count;
    }

    /// Lets go of the candidates of earlier keys, and charges the others.
    fn release(&mut self) -> Result<()> {
        self.drop_candidates(self.first);
        let (mut bytes, mut held) = (0, std::ptr::null());
        for candidate in &self.candidates {
            let window = Arc::as_ptr(&candidate.place.window);
            if window != held {
                bytes += 2 * used_bytes_of(&candidate.place.window.batch);
                held = window;
            }
        }
        self.reservation.resize(bytes + self.candidates.len() * size_of::<Candidate>())
    }

    /// The partner of each row under the condition: the candidates are tried from the nearest on.
    fn accepted(
        &mut self,
        window: &Window,
        ranges: &[std::ops::Range<usize>],
    ) -> Result<Vec<Vec<Option<Place>>>> {
        let mut found = vec![vec![None; window.rows()]; self.shape.tracks()];
        for (track, found) in found.iter_mut().enumerate() {
            // Rows still without a partner, with the end of the candidates that are left.
            let mut open: Vec<(usize, usize)> =
                ranges.iter().enumerate().map(|(row, range)| (row, range.end)).collect();
            loop {
                open.retain_mut(|(row, end)| {
                    let next = (ranges[*row].start..*end).rev().find(|&number| {
                        let place = &self.candidates[number].place;
                        track == 0 || is_valid(place, self.shape.last_not_null[track - 1])
                    });
                    let next = next.filter(|&number| {
                        let place = &self.candidates[number].place;
                        window.limit(*row).is_none_or(|limit| place.window.order(place.row) >= limit)
                    });
                    *end = next.map_or(0, |number| number + 1);
                    next.is_some()
                });
                if open.is_empty() {
                    break;
                }
                let rows = open.iter().map(|(row, _)| *row as u32).collect::<Vec<_>>();
                let rows = arrow::array::UInt32Array::from(rows);
                let places: Vec<Option<Place>> =
                    open.iter().map(|(_, end)| Some(self.candidates[end - 1].place.clone())).collect();
                let left = window.batch.columns[..self.left.width].iter().map(|column| column.take(&rows));
                let mut columns = left.collect::<Result<Vec<_>, _>>()?;
                for column in 0..self.right.width {
                    columns.push(take(&places, column, &self.shape.right_types[column])?);
                }
                let pairs = Batch::new(columns, open.len());
                let Some(residual) = &mut self.residual else { break };
                let selection = residual.select(&pairs)?;
                let mut bits = selection.bits().iter();
                open.retain_mut(|(row, end)| {
                    let is_accepted = bits.next().unwrap_or(false);
                    let candidate = &mut self.candidates[*end - 1];
                    if is_accepted {
                        candidate.is_taken |= track == 0;
                        found[*row] = Some(candidate.place.clone());
                    }
                    *end -= 1;
                    !is_accepted
                });
            }
        }
        Ok(found)
    }

    /// Gives out the rows of a left window.
    fn emit(&mut self, window: &Window, found: &[Vec<Option<Place>>]) -> Result<()> {
        let shape = &self.shape;
        let has_partner: Vec<bool> = found[0].iter().map(Option::is_some).collect();
        let mut columns = window.batch.columns[..self.left.width].to_vec();
        if shape.gives_pairs() {
            for (column, data_type) in shape.right_types.iter().enumerate() {
                columns.push(match shape.right_read[column] {
                    true => take(&found[shape.track_of(column)], column, data_type)?,
                    false => Column::nulls(data_type, window.rows()),
                });
            }
        }
        if self.with_ordinals {
            columns.extend(window.batch.columns.last().cloned());
            columns.push(take(&found[0], self.right.types().len() - 1, &Type::UInt64)?);
        }
        let batch = Batch::new(columns, window.rows());
        let batch = match kept_left(shape.kind, &has_partner) {
            None => Some(batch),
            Some(keep) => match keep.iter().filter(|&&keep| keep).count() {
                0 => None,
                kept => Some(kept_rows(&batch, &keep.into(), kept)?),
            },
        };
        self.output.extend(batch);
        Ok(())
    }

    /// Gives out the right rows that nobody took.
    fn emit_unmatched(&mut self) -> Result<()> {
        let step = self.right.run.batch_rows();
        let all: Vec<Option<Place>> = std::mem::take(&mut self.unmatched).into_iter().map(Some).collect();
        for places in all.chunks(step) {
            let nulls = |data_type: &Type| Column::nulls(data_type, places.len());
            let mut columns: Vec<Column> = self.shape.left_types.iter().map(nulls).collect();
            for (column, data_type) in self.shape.right_types.iter().enumerate() {
                columns.push(take(places, column, data_type)?);
            }
            if self.with_ordinals {
                columns.push(nulls(&Type::UInt64));
                columns.push(take(places, self.right.types().len() - 1, &Type::UInt64)?);
            }
            self.output.push_back(Batch::new(columns, places.len()));
        }
        Ok(())
    }

    /// After the last left row all that is left of the right side is without a partner.
    fn end(&mut self) -> Result<()> {
        self.is_over = true;
        if !self.shape.keeps_right() {
            return Ok(());
        }
        self.close();
        self.drop_candidates(self.candidates.len());
        Ok(())
    }

    /// The next batch of right rows after the last left row.
    fn drain_right(&mut self) -> Result<bool> {
        if !self.shape.keeps_right() {
            return Ok(false);
        }
        let step = self.right.run.batch_rows();
        while self.unmatched.len() < step
            && let Some(place) = self.cursor.peek(&self.shape, self.right.width)?
        {
            self.cursor.row += 1;
            self.pass_over(place);
        }
        let has_rows = !self.unmatched.is_empty();
        self.emit_unmatched()?;
        Ok(has_rows)
    }
}

impl Reader for MergeReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            self.left.run.check_cancelled()?;
            if let Some(batch) = self.output.pop_front() {
                return Ok(Some(batch));
            }
            if self.is_over {
                if !self.drain_right()? {
                    return Ok(None);
                }
                continue;
            }
            match self.left_rows.next()? {
                Some(batch) => {
                    let limited = self.shape.has_limit;
                    let window = Window::new(&self.shape, batch, self.left.width, limited);
                    self.join(&window)?;
                }
                None => self.end()?,
            }
        }
    }
}

fn is_valid(place: &Place, column: usize) -> bool {
    use arrow::array::Array;
    match &place.window.batch.columns[column] {
        Column::Flat(array) | Column::Spans(array) => array.is_valid(place.row),
        Column::Constant { value, .. } => value.is_valid(0),
        Column::Dictionary { indices, validity, values } => {
            validity.as_ref().is_none_or(|validity| validity.is_valid(place.row))
                && values.is_valid(indices[place.row] as usize)
        }
    }
}

/// One column of the rows at these places.
fn take(places: &[Option<Place>], column: usize, data_type: &Type) -> Result<Column> {
    let mut numbers: HashMap<*const Window, usize, ahash::RandomState> = HashMap::default();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    let mut rows = Vec::with_capacity(places.len());
    for place in places {
        let Some(Place { window, row }) = place else {
            rows.push(NOWHERE);
            continue;
        };
        let number = match numbers.entry(Arc::as_ptr(window)) {
            std::collections::hash_map::Entry::Occupied(entry) => *entry.get(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                arrays.push(window.batch.columns[column].to_array()?);
                *entry.insert(arrays.len() - 1)
            }
        };
        rows.push((number, *row));
    }
    Ok(Column::Flat(gather(&arrays, &rows, data_type)?))
}
