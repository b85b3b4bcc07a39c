//! What an evaluator holds for one node: its column, and which rows of it are there.

use hypostyle_functions::arrow::array::ArrayRef;
use hypostyle_functions::column::{BitsMut, Encoding, Output, Rows};
use hypostyle_functions::{Error, Type};

/// The rows that a node is evaluated over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Domain {
    /// The rows of the batch.
    Base,
    /// One row that stands for all.
    Constant,
    /// The values of dictionary inputs that share their indices; the number of their group.
    Dictionary(usize),
}

/// Which rows of a slot are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Computed {
    /// None.
    Nothing,
    /// Those whose bit is set.
    Some,
    /// Every row.
    All,
}

/// The column of one node. It counts only while its epoch is current.
pub(super) struct Slot {
    /// The values; taken out while they are written.
    pub output: Option<Box<Output>>,
    /// The values once they have left as an Arrow array; the output then keeps only the errors.
    pub frozen: Option<ArrayRef>,
    /// Epoch of the state in which the content was made; 0 before anything was.
    pub epoch: u64,
    /// Rows of the domain.
    pub length: usize,
    /// The rows that are there.
    pub computed: Computed,
    /// Rows of batches that have asked for rows of the domain so far.
    pub asked: usize,
    /// The rows that are there, where `computed` is [`Computed::Some`].
    bits: BitsMut,
    count: usize,
}

impl Slot {
    pub fn new(data_type: Type) -> Self {
        Self {
            output: Some(Box::new(Output::new(data_type))),
            frozen: None,
            epoch: 0,
            length: 0,
            computed: Computed::Nothing,
            asked: 0,
            bits: BitsMut::default(),
            count: 0,
        }
    }

    /// Starts over with `length` rows, none of them computed.
    pub fn start(&mut self, length: usize, epoch: u64, is_quiet: bool) {
        self.frozen = None;
        self.epoch = epoch;
        self.length = length;
        self.computed = Computed::Nothing;
        self.asked = 0;
        if let Some(output) = &mut self.output {
            output.prepare(length);
            output.set_quiet(is_quiet);
        }
    }

    /// True if the row is there.
    pub fn is_computed(&self, row: usize) -> bool {
        match self.computed {
            Computed::Nothing => false,
            Computed::Some => self.bits.get(row),
            Computed::All => true,
        }
    }

    /// Appends the rows of `wanted`, a bit for each row of the domain, that are not there, in ascending order.
    pub fn append_missing(&self, wanted: &[u64], missing: &mut Vec<u32>) {
        for (index, &word) in wanted.iter().enumerate() {
            let held = match self.computed {
                Computed::Nothing => 0,
                Computed::Some => self.bits.words[index],
                Computed::All => u64::MAX,
            };
            let mut left = word & !held;
            while left != 0 {
                missing.push((index * 64) as u32 + left.trailing_zeros());
                left &= left - 1;
            }
        }
    }

    /// Adds rows, which must not be there yet.
    pub fn add(&mut self, rows: Rows<'_>) {
        if rows.count() == self.length {
            self.computed = Computed::All;
            return;
        }
        if self.computed == Computed::Nothing {
            self.bits.reset(self.length, false);
            self.count = 0;
            self.computed = Computed::Some;
        }
        rows.for_each(|row| self.bits.set(row, true));
        self.count += rows.count();
        if self.count == self.length {
            self.computed = Computed::All;
        }
    }

    /// Number of rows that are there.
    pub fn count(&self) -> usize {
        match self.computed {
            Computed::Nothing => 0,
            Computed::Some => self.count,
            Computed::All => self.length,
        }
    }
}

/// The failed rows of a column, by the rows of its reader.
#[derive(Clone, Copy)]
pub(super) struct Failed<'a> {
    pub bits: &'a BitsMut,
    pub errors: &'a [(u32, Error)],
    pub encoding: Encoding<'a>,
}

impl<'a> Failed<'a> {
    fn value(&self, row: usize) -> Option<usize> {
        match self.encoding {
            Encoding::Flat => Some(row),
            Encoding::Constant => Some(0),
            Encoding::Dictionary { indices, validity } => {
                validity.is_none_or(|validity| validity.get(row)).then(|| indices[row] as usize)
            }
        }
    }

    /// True if the row failed.
    pub fn contains(&self, row: usize) -> bool {
        self.value(row).is_some_and(|value| self.bits.get(value))
    }

    /// Why the row failed.
    pub fn error(&self, row: usize) -> Error {
        self.find(row).cloned().unwrap_or_else(|| Error::internal("a failed row without an error"))
    }

    /// The error of a row that failed.
    pub fn find(&self, row: usize) -> Option<&'a Error> {
        let value = self.value(row);
        self.errors.iter().find(|(failed, _)| Some(*failed as usize) == value).map(|(_, error)| error)
    }
}
