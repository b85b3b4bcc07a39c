//! The left side indexed: right rows stream by and leave their mark on the left rows they are the nearest of.
//!
//! A right row can be the nearest only of left rows of its group that are not before it. It is noted at the first of
//! them, where it stands against the other right rows noted there: the one with the greatest order value stays, and
//! that is the nearest of this left row. The left rows after it that have no note of their own share it.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arrow::array::{Array, ArrayRef};
use bumpalo::Bump;
use hypostyle_functions::column::{Column, borrow};
use hypostyle_functions::types::Type;

use super::AsofShape;
use super::answer::Answer;
use super::arrivals::Arrivals;
use super::grouped::Grouped;
use super::notes::Notes;
use super::side::{Gatherer, Side};
use super::word::words;
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::memory::Reservation;
use crate::operator::filter::concat_columns;
use crate::operator::{LocalSink, Sink, Task};

/// The indexed left side and what is noted at its rows.
pub struct Spine {
    pub(super) shape: Arc<AsofShape>,
    pub(super) left: Arc<Side>,
    pub(super) right: Arc<Side>,
    index: OnceLock<SpineIndex>,
    notes: Mutex<Vec<Notes>>,
    answer: OnceLock<Answer>,
    /// A join below on the same left rows, keys and order values, whose index serves this one too.
    below: Option<Arc<Spine>>,
}

/// The left rows.
pub(super) struct SpineIndex {
    /// What is compared of them.
    pub left: Arc<Grouped>,
    /// Batches with the ordinal of their first row; evaluated columns follow the side's own.
    pub batches: Vec<(u64, Batch)>,
    /// Limits, and their words.
    pub limits: Option<(ArrayRef, Vec<u64>)>,
    _reservation: Reservation,
}

impl SpineIndex {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.left.rows()
    }
}

impl Spine {
    /// A join of this shape.
    pub fn new(
        shape: Arc<AsofShape>,
        left: Arc<Side>,
        right: Arc<Side>,
        below: Option<Arc<Spine>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            shape,
            left,
            right,
            index: OnceLock::new(),
            notes: Mutex::default(),
            answer: OnceLock::new(),
            below,
        })
    }

    pub(super) fn index(&self) -> Option<&SpineIndex> {
        self.index.get()
    }

    pub(super) fn answer(&self) -> Option<&Answer> {
        self.answer.get()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<Notes>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether both sides are sorted instead.
    pub(super) fn is_sorted(&self) -> bool {
        self.left.is_sorted() || self.right.is_sorted()
    }

    /// Sends the left side to the sort, once.
    pub(super) fn sort_left(&self) -> Result<()> {
        let mut notes = self.lock();
        self.right.begin_sort();
        if !self.left.is_sorted()
            && let Some(index) = self.index.get()
        {
            self.left.begin_sort();
            for (ordinal, batch) in &index.batches {
                self.left.sort_from(batch.clone(), *ordinal)?;
            }
        }
        for notes in notes.drain(..) {
            notes.sort(&self.right)?;
        }
        Ok(())
    }

    /// The left rows by keys and order value.
    fn grouped(&self, batches: &[(u64, Batch)]) -> Result<Grouped> {
        let (shape, width) = (&self.shape, self.left.width);
        let keys = shape.key_types.iter().enumerate();
        let keys: Vec<ArrayRef> = keys
            .map(|(index, data_type)| concat_at(batches, width + index, data_type))
            .collect::<Result<_>>()?;
        let order = concat_at(batches, width + keys.len(), &shape.order_type)?;
        let keys = (keys.as_slice(), shape.key_types.as_slice(), shape.nulls_match.as_slice());
        Ok(Grouped::new(keys, (&order, &shape.order_type), shape.is_inverted()))
    }
}

/// Concatenates one column of many batches.
pub(super) fn concat_at(batches: &[(u64, Batch)], column: usize, data_type: &Type) -> Result<ArrayRef> {
    let parts: Vec<&Column> = batches.iter().map(|(_, batch)| &batch.columns[column]).collect();
    match parts.is_empty() {
        true => Ok(arrow::array::new_empty_array(&data_type.to_arrow())),
        false => Ok(concat_columns(&parts)?.to_array()?),
    }
}

impl Sink for Arc<Spine> {
    fn local(&self) -> Result<Box<dyn LocalSink>> {
        Ok(Box::new(Gatherer::new(&self.left, &self.shape, false)?))
    }

    fn finish(&self) -> Result<Vec<Task>> {
        let Some((batches, reservation)) = self.left.take_held(Grouped::index_bytes)? else {
            return Ok(Vec::new());
        };
        let (shape, width) = (&self.shape, self.left.width);
        let rows: usize = batches.iter().map(|(_, batch)| batch.rows).sum();
        let limits = match shape.has_limit {
            false => None,
            true => {
                let limit = concat_at(&batches, width + shape.key_types.len() + 1, &shape.order_type)?;
                let mut values = Vec::new();
                let bump = Bump::new();
                words(
                    &borrow(&limit, &shape.order_type, &bump),
                    limit.len(),
                    shape.is_inverted(),
                    &mut values,
                );
                Some((limit, values))
            }
        };
        // A join below that went over to sorting may have given its rows in another order than its index has them.
        let below = self.below.as_ref().filter(|below| !below.is_sorted());
        let below = below.and_then(|below| below.index());
        let left = match below.filter(|below| below.rows() == rows) {
            Some(below) => Arc::clone(&below.left),
            None => Arc::new(self.grouped(&batches)?),
        };
        self.left.metrics.raise_peak(self.left.account.peak_bytes());
        self.index.get_or_init(|| SpineIndex { left, batches, limits, _reservation: reservation });
        Ok(Vec::new())
    }
}

/// Takes the rows of the right side.
pub struct Nearest(pub Arc<Spine>);

impl Sink for Nearest {
    fn local(&self) -> Result<Box<dyn LocalSink>> {
        Ok(Box::new(Arrivals::new(&self.0)?))
    }

    fn wants_more(&self) -> bool {
        self.0.left.is_sorted() || self.0.index().is_none_or(|index| index.rows() > 0)
    }

    fn finish(&self) -> Result<Vec<Task>> {
        let spine = &self.0;
        if spine.is_sorted() {
            spine.sort_left()?;
            return Ok(Vec::new());
        }
        let Some(index) = spine.index() else {
            return Err(Error::internal("the left side of an as-of join was not indexed"));
        };
        let notes = std::mem::take(&mut *spine.lock());
        let answer = Answer::new(&spine.shape, index, notes)?;
        spine.right.metrics.raise_peak(spine.right.account.peak_bytes());
        spine.answer.get_or_init(|| answer);
        Ok(Vec::new())
    }
}
