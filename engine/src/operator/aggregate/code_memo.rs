//! Groups of keys with few possible values, found by position instead of by hash: dictionary codes, truth values
//! and whole numbers of a small range combine into one number per row, which a table maps to the group.
//!
//! Ranges of numbers are learnt from the rows and widened as needed. Where all keys are truth values or numbers, equal
//! keys have equal codes, so the table is complete: a code without a group is a key that was not there. A
//! dictionary may hold a value twice and is forgotten with its row group, so there an unknown code says nothing.

use std::sync::Arc;

use arrow::array::ArrayRef;
use hypostyle_functions::column::{Column, Data, View};

/// Combinations of codes up to which the table is kept, 1 MiB ...
const CODES_MAX: usize = 1 << 18;

/// ... or as many for each group that there is ...
const CODES_PER_GROUP: usize = 8;

/// ... up to 64 MiB. A code has 32 bits.
const CODES_LIMIT: usize = 1 << 24;

/// Combinations of codes up to which a table over dictionaries is kept: it is filled again for each row group.
const DICTIONARY_CODES_MAX: usize = 1 << 16;

/// A table of more codes than this for each row and group does not pay.
const CODES_PER_ROW: usize = 128;

/// Widened more often than this, a table does not pay.
const WIDENINGS_MAX: usize = 64;

/// No group is known for a code.
const UNKNOWN: u32 = u32::MAX;

/// From codes to groups.
#[derive(Default)]
pub(crate) struct CodeMemo {
    domains: Vec<Domain>,
    groups: Vec<u32>,
    codes: Vec<u32>,
    /// The table was emptied for this batch; one that is emptied each time does not pay.
    is_fresh: bool,
    widenings: usize,
    /// The ranges hold the keys of all groups.
    covers_all: bool,
    /// The keys have turned out to have too many values.
    is_off: bool,
}

/// What a key column can hold. Code 0 is null.
#[derive(Clone)]
enum Domain {
    /// The values of a dictionary or constant.
    Dictionary(ArrayRef),
    Truth,
    /// Whole numbers from `low`, `size` of them.
    Range {
        low: i128,
        size: usize,
    },
}

impl Domain {
    /// Number of codes.
    fn codes(&self) -> usize {
        1 + match self {
            Self::Dictionary(values) => values.len(),
            Self::Truth => 2,
            Self::Range { size, .. } => *size,
        }
    }
}

/// What a memo can do for the rows that it has encoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoded {
    /// Nothing: these keys have too many values.
    No,
    /// Groups of known codes; the others must be looked for, and told to [`CodeMemo::learn`].
    Partly,
    /// Groups of all codes, if the memo is told of all groups ([`CodeMemo::recall`]) before it is asked.
    Fully { must_recall: bool },
}

/// Calls a block with the slice of values of a column of whole numbers; gives `$other` for another form.
macro_rules! whole_numbers {
    ($data:expr, $values:ident => $body:expr, $other:expr) => {
        // One arm expands to the block with `values` of one Rust type.
        match $data {
            Data::Int8($values) => $body,
            Data::Int16($values) => $body,
            Data::Int32($values) => $body,
            Data::Int64($values) => $body,
            Data::UInt8($values) => $body,
            Data::UInt16($values) => $body,
            Data::UInt32($values) => $body,
            Data::UInt64($values) => $body,
            _ => $other,
        }
    };
}

impl CodeMemo {
    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        (self.groups.capacity() + self.codes.capacity()) * 4
    }

    /// Computes the code of each row; there are `groups` by now.
    pub fn encode(&mut self, columns: &[Column], views: &[View<'_>], rows: usize, groups: usize) -> Encoded {
        if self.is_off || rows == 0 {
            return Encoded::No;
        }
        let most = CODES_MAX.max((groups * CODES_PER_GROUP).min(CODES_LIMIT));
        let Some((domains, codes)) = self.widened(columns, views, most) else {
            self.is_off = columns.iter().all(|column| matches!(column, Column::Flat(_) | Column::Spans(_)))
                && views.iter().all(|view| bounds(view).is_some() || matches!(view.data, Data::Boolean(_)));
            self.clear_groups();
            return Encoded::No;
        };
        let is_complete = domains.iter().all(|domain| !matches!(domain, Domain::Dictionary(_)));
        self.covers_all = is_complete && (groups == 0 || self.covers_all);
        if is_complete && !self.covers_all {
            self.is_off = true;
            self.clear_groups();
            return Encoded::No;
        }
        let is_same = self.groups.len() == codes && same_domains(&self.domains, &domains);
        self.domains = domains;
        if (!is_complete && codes > DICTIONARY_CODES_MAX) || codes > CODES_PER_ROW * (rows + groups) {
            self.groups = Vec::new();
            return Encoded::No;
        }
        self.is_fresh = !is_same;
        if !is_same {
            self.groups.clear();
            self.groups.resize(codes, UNKNOWN);
        }
        // Filling a table that serves one batch costs more than hashing the batch.
        if self.is_fresh && !is_complete && codes > rows {
            return Encoded::No;
        }
        self.write_codes(views, rows);
        if is_complete { Encoded::Fully { must_recall: !is_same && groups > 0 } } else { Encoded::Partly }
    }

    /// Domains that hold these columns too, and the number of their combinations; `None` if there are more than `most`.
    fn widened(
        &mut self,
        columns: &[Column],
        views: &[View<'_>],
        most: usize,
    ) -> Option<(Vec<Domain>, usize)> {
        let is_first = self.domains.len() != columns.len();
        let domain = |(position, (column, view)): (usize, (&Column, &View<'_>)), slack: bool| match column {
            Column::Dictionary { values, .. } | Column::Constant { value: values, .. } => {
                Some(Domain::Dictionary(Arc::clone(values)))
            }
            Column::Flat(_) if matches!(view.data, Data::Boolean(_)) => Some(Domain::Truth),
            Column::Flat(_) | Column::Spans(_) => {
                let held = if is_first { None } else { self.domains.get(position) };
                widen(held, bounds(view)?, slack, most)
            }
        };
        let all = |slack: bool| {
            let columns = columns.iter().zip(views).enumerate();
            let domains = columns.map(|column| domain(column, slack)).collect::<Option<Vec<_>>>()?;
            let codes = domains.iter().try_fold(1usize, |codes, domain| {
                codes.checked_mul(domain.codes()).filter(|&codes| codes <= most)
            })?;
            Some((domains, codes))
        };
        let found = all(true).or_else(|| all(false))?;
        if !is_first && !same_domains(&self.domains, &found.0) {
            let is_range = found.0.iter().all(|domain| !matches!(domain, Domain::Dictionary(_)));
            self.widenings += usize::from(is_range);
        }
        (self.widenings <= WIDENINGS_MAX).then_some(found)
    }

    fn write_codes(&mut self, views: &[View<'_>], rows: usize) {
        self.codes.clear();
        self.codes.resize(rows, 0);
        for (domain, view) in self.domains.iter().zip(views) {
            add_codes(domain, view, &mut self.codes);
        }
    }

    /// Tells a complete memo of all groups: `keys` are theirs.
    pub fn recall(&mut self, keys: &[View<'_>], groups: usize) {
        let codes = std::mem::take(&mut self.codes);
        self.write_codes(keys, groups);
        for (group, &code) in self.codes.iter().enumerate() {
            self.groups[code as usize] = group as u32;
        }
        self.codes = codes;
    }

    /// Writes the group of each row; false if some row's is not known.
    pub fn look_up(&self, groups: &mut Vec<u32>) -> bool {
        groups.clear();
        groups.extend(self.codes.iter().map(|&code| self.groups[code as usize]));
        !groups.contains(&UNKNOWN)
    }

    /// Opens a group, from `next` on, for each code without one, and adds the row where it was met to `opened`.
    pub fn open(&mut self, mut next: u32, groups: &mut [u32], opened: &mut Vec<u32>) {
        for (row, (group, &code)) in groups.iter_mut().zip(&self.codes).enumerate() {
            if *group == UNKNOWN {
                let held = &mut self.groups[code as usize];
                if *held == UNKNOWN {
                    *held = next;
                    next += 1;
                    opened.push(row as u32);
                }
                *group = *held;
            }
        }
    }

    /// Learns the groups of the last encoded rows.
    pub fn learn(&mut self, groups: &[u32]) {
        self.codes.iter().zip(groups).for_each(|(&code, &group)| self.groups[code as usize] = group);
    }

    /// Forgets all groups: their numbers are given out anew.
    pub fn clear(&mut self) {
        self.clear_groups();
        self.widenings = 0;
        self.is_off = false;
    }

    fn clear_groups(&mut self) {
        self.covers_all = false;
        self.domains.clear();
        self.groups = Vec::new();
    }
}

fn same_domains(held: &[Domain], given: &[Domain]) -> bool {
    held.len() == given.len()
        && held.iter().zip(given).all(|domains| match domains {
            (Domain::Dictionary(held), Domain::Dictionary(given)) => Arc::ptr_eq(held, given),
            (Domain::Truth, Domain::Truth) => true,
            (Domain::Range { low, size }, Domain::Range { low: other, size: others }) => {
                (low, size) == (other, others)
            }
            _ => false,
        })
}

/// Least and greatest of the numbers of a column, `Some(None)` if all are null; `None` for another form.
fn bounds(view: &View<'_>) -> Option<Option<(i128, i128)>> {
    let nulls = view.may_be_null();
    whole_numbers!(view.data, values => {
        let values = &values[..view.length];
        if nulls {
            let valid = || values.iter().enumerate().filter(|(row, _)| view.is_valid(*row)).map(|(_, value)| *value);
            Some(valid().min().zip(valid().max()).map(|(low, high)| (i128::from(low), i128::from(high))))
        } else {
            let first = *values.first()?;
            let (low, high) = values.iter().fold((first, first), |(low, high), &value| (low.min(value), high.max(value)));
            Some(Some((i128::from(low), i128::from(high))))
        }
    }, None)
}

/// The range that holds also these bounds; with `slack` it grows by half, so that growing keys do not widen it with
/// each batch.
fn widen(held: Option<&Domain>, bounds: Option<(i128, i128)>, slack: bool, most: usize) -> Option<Domain> {
    let held = match held {
        Some(Domain::Range { low, size }) if *size > 0 => Some((*low, low + *size as i128 - 1)),
        _ => None,
    };
    let (low, high) = match (held, bounds) {
        (None, None) => return Some(Domain::Range { low: 0, size: 0 }),
        (Some(held), None) => held,
        (None, Some(bounds)) => bounds,
        (Some((low, high)), Some((least, greatest))) if low <= least && greatest <= high => (low, high),
        (Some((low, high)), Some((least, greatest))) => {
            let (new_low, new_high) = (low.min(least), high.max(greatest));
            let more = if slack { (new_high - new_low) / 2 } else { 0 };
            let below = if new_low < low { more } else { 0 };
            let above = if new_high > high { more } else { 0 };
            (new_low - below, new_high + above)
        }
    };
    let size = usize::try_from(high - low + 1).ok().filter(|&size| size <= most)?;
    Some(Domain::Range { low, size })
}

/// Takes one more column into the codes.
fn add_codes(domain: &Domain, view: &View<'_>, codes: &mut [u32]) {
    let size = domain.codes() as u32;
    match (domain, view.data) {
        (Domain::Dictionary(_), _) => add(view, size, codes, |row| view.value_index(row) as u32),
        (Domain::Truth, Data::Boolean(bits)) => add(view, size, codes, |row| u32::from(bits.get(row))),
        (Domain::Range { low, .. }, data) => {
            whole_numbers!(
                data,
                values => add(view, size, codes, |row| (i128::from(values[row]) - low) as u32),
                ()
            );
        }
        // A truth value has no other form.
        (Domain::Truth, _) => {}
    }
}

#[inline(always)]
fn add(view: &View<'_>, size: u32, codes: &mut [u32], code_of: impl Fn(usize) -> u32) {
    if view.may_be_null() {
        for (row, code) in codes.iter_mut().enumerate() {
            let own = if view.is_null(row) { 0 } else { 1 + code_of(row) };
            *code = *code * size + own;
        }
    } else {
        for (row, code) in codes.iter_mut().enumerate() {
            *code = *code * size + 1 + code_of(row);
        }
    }
}
