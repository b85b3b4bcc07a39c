//! Where a column stands in its chunk: the page, its rows left, its levels and its values.

use super::fault::{Fault, Result};
use super::hybrid::Hybrid;
use super::pages::{DataPage, Levels, PageSource};

/// Rows whose levels are passed over at once, so that a page that claims many takes no more memory than others.
const PASSED_ROWS: usize = 4096;

/// The values of an open page that are not null, read from the first to the last.
pub trait PageValues {
    /// Passes over values.
    ///
    /// # Errors
    /// The end of the page before all are passed.
    fn skip(&mut self, count: usize) -> Result<()>;
}

/// Walks the rows of a chunk. `V` is how the column's pages are read.
pub struct RowCursor<V> {
    pages: PageSource,
    optional: bool,
    /// Rows to pass over before the next row that is read: pages that hold none else are not opened.
    behind: usize,
    rows_left: usize,
    levels: Option<Hybrid>,
    values: Option<V>,
    scratch: Vec<u32>,
}

impl<V: PageValues> RowCursor<V> {
    /// A cursor before the first row; `optional` columns have definition levels.
    pub fn new(pages: PageSource, optional: bool) -> Self {
        Self { pages, optional, behind: 0, rows_left: 0, levels: None, values: None, scratch: Vec::new() }
    }

    /// Passes over rows. Nothing is read until a row behind them is.
    pub fn skip(&mut self, rows: usize) {
        self.behind += rows;
    }

    /// Goes to the next row, and gives how many of at most `rows` rows lie in its page. `open` reads a page's values.
    ///
    /// # Errors
    /// Pages that are not valid, or that end before the row.
    pub fn stretch(
        &mut self,
        rows: usize,
        open: &mut dyn FnMut(&mut PageSource, DataPage) -> Result<V>,
    ) -> Result<usize> {
        loop {
            if self.behind > 0 {
                self.pass()?;
            }
            if self.behind == 0 && self.rows_left > 0 {
                return Ok(rows.min(self.rows_left));
            }
            // The page is done.
            (self.levels, self.values, self.rows_left) = (None, None, 0);
            if self.behind > 0
                && let Some(passed) = self.pages.skip_page_within(self.behind)?
            {
                self.behind -= passed;
                continue;
            }
            let Some(mut page) = self.pages.next_page(self.optional)? else {
                return Err(Fault::damaged(format!(
                    "{} rows are missing from the pages",
                    self.behind + rows
                )));
            };
            let rows = page.rows;
            self.levels = page.levels.take().map(|levels| runs_of(levels, rows)).transpose()?;
            self.values = Some(open(&mut self.pages, page)?);
            self.rows_left = rows;
        }
    }

    /// Takes the next rows of a stretch: appends whether each is valid to `valid` if any of them is null, and gives the
    /// number of values.
    ///
    /// # Errors
    /// Levels that end early or are not levels.
    pub fn take_rows(&mut self, rows: usize, valid: &mut Validity) -> Result<usize> {
        self.rows_left -= rows;
        let Some(levels) = &mut self.levels else {
            valid.append_all(rows);
            return Ok(rows);
        };
        if levels.repeated(rows)? == Some(1) {
            levels.skip(rows)?;
            valid.append_all(rows);
            return Ok(rows);
        }
        self.scratch.clear();
        levels.read(rows, &mut self.scratch)?;
        Ok(valid.append(&self.scratch))
    }

    /// The values of the open page.
    ///
    /// # Errors
    /// None is open: an internal error.
    pub fn values(&mut self) -> Result<&mut V> {
        let missing = || hypostyle_engine::Error::Internal("no page is open".into());
        self.values.as_mut().ok_or_else(|| Fault::Engine(missing()))
    }

    /// Passes over rows of the open page.
    fn pass(&mut self) -> Result<()> {
        let mut rows = self.behind.min(self.rows_left);
        self.behind -= rows;
        self.rows_left -= rows;
        if self.rows_left == 0 {
            return Ok(());
        }
        while rows > 0 {
            let step = rows.min(PASSED_ROWS);
            let values = self.pass_levels(step)?;
            if let Some(open) = &mut self.values {
                open.skip(values)?;
            }
            rows -= step;
        }
        Ok(())
    }

    /// Passes over the levels of rows; gives the number of their values.
    fn pass_levels(&mut self, rows: usize) -> Result<usize> {
        let Some(levels) = &mut self.levels else { return Ok(rows) };
        if let Some(level) = levels.repeated(rows)? {
            levels.skip(rows)?;
            return Ok(if level == 0 { 0 } else { rows });
        }
        self.scratch.clear();
        levels.read(rows, &mut self.scratch)?;
        Ok(self.scratch.iter().filter(|&&level| level != 0).count())
    }
}

fn runs_of(levels: Levels, rows: usize) -> Result<Hybrid> {
    match levels {
        Levels::Runs(bytes) => Hybrid::new(bytes, 1),
        Levels::Bits(bytes) => {
            // The same bits as one packed run, whose order within a byte is the other way round.
            let mut run = Vec::with_capacity(bytes.len() + 10);
            let mut header = (rows.div_ceil(8) as u64) << 1 | 1;
            while header >= 0x80 {
                run.push(header as u8 | 0x80);
                header >>= 7;
            }
            run.push(header as u8);
            run.extend(bytes.iter().map(|byte| byte.reverse_bits()));
            Hybrid::new(run.into(), 1)
        }
    }
}

/// Whether rows are valid, a byte each; nothing is kept while all of them are.
#[derive(Debug, Default)]
pub struct Validity {
    rows: usize,
    /// One for each row, or none.
    valid: Vec<bool>,
}

impl Validity {
    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.rows = 0;
        self.valid.clear();
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// One for each row; `None` if all are valid.
    pub fn valid(&self) -> Option<&[bool]> {
        (!self.valid.is_empty()).then_some(self.valid.as_slice())
    }

    /// Appends valid rows.
    pub fn append_all(&mut self, rows: usize) {
        self.rows += rows;
        if !self.valid.is_empty() {
            self.valid.resize(self.rows, true);
        }
    }

    /// Appends rows of these levels; gives the number of valid ones.
    fn append(&mut self, levels: &[u32]) -> usize {
        let valid = levels.iter().filter(|&&level| level != 0).count();
        if valid == levels.len() {
            self.append_all(valid);
            return valid;
        }
        self.valid.resize(self.rows, true);
        self.valid.extend(levels.iter().map(|&level| level != 0));
        self.rows += levels.len();
        valid
    }

    /// Appends what is given: whether each row is valid, or how many rows there are if all of them are.
    pub fn append_rows(&mut self, rows: usize, valid: Option<impl Iterator<Item = bool>>) {
        match valid {
            None => self.append_all(rows),
            Some(valid) => {
                self.valid.resize(self.rows, true);
                self.valid.extend(valid);
                self.rows = self.valid.len();
            }
        }
    }
}

/// Moves the last `valid.len()` values of `all`, of which only the first `values` are set, to the places of the valid
/// rows; the others get the default.
pub fn spread<T: Copy + Default>(all: &mut [T], valid: &[bool], values: usize) {
    debug_assert_eq!(all.len(), valid.len());
    let mut next = values;
    for (row, &valid) in valid.iter().enumerate().rev() {
        // Values move towards the end only, so going backwards overwrites none that is still needed.
        if valid {
            next -= 1;
            all[row] = all[next];
        } else {
            all[row] = T::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_move_to_their_rows() {
        let mut all = [1, 2, 3, 0, 0];
        spread(&mut all, &[false, true, true, false, true], 3);
        assert_eq!(all, [0, 1, 2, 0, 3]);
    }

    #[test]
    fn validity_is_kept_from_the_first_null_on() {
        let mut validity = Validity::default();
        validity.append_all(2);
        assert_eq!((validity.rows(), validity.valid()), (2, None));
        assert_eq!(validity.append(&[1, 0]), 1);
        validity.append_all(1);
        assert_eq!(validity.valid(), Some(&[true, true, true, false, true][..]));
        validity.clear();
        assert_eq!((validity.append(&[1]), validity.valid()), (1, None));
    }

    #[test]
    fn packed_levels_of_the_first_writers_are_read() {
        let mut runs = runs_of(Levels::Bits(vec![0b1010_0000, 0b1000_0000].into()), 9).unwrap();
        let mut levels = Vec::new();
        runs.read(9, &mut levels).unwrap();
        assert_eq!(levels, [1, 0, 1, 0, 0, 0, 0, 0, 1]);
    }
}
