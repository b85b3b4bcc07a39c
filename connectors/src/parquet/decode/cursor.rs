//! Where a column stands in its chunk: the page, its rows left, its levels and its values.

use super::fault::{Fault, Result};
use super::hybrid::Hybrid;
use super::pages::{DataPage, Levels, PageSource};
use super::validity::Validity;

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
    passed: Validity,
}

impl<V: PageValues> RowCursor<V> {
    /// A cursor before the first row; `optional` columns have definition levels.
    pub fn new(pages: PageSource, optional: bool) -> Self {
        Self {
            pages,
            optional,
            behind: 0,
            rows_left: 0,
            levels: None,
            values: None,
            passed: Validity::default(),
        }
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

    /// Takes the next rows of a stretch: appends whether each is valid to `valid`, and gives the number of values.
    ///
    /// # Errors
    /// Levels that end early or are not levels.
    pub fn take_rows(&mut self, rows: usize, valid: &mut Validity) -> Result<usize> {
        self.rows_left -= rows;
        match &mut self.levels {
            Some(levels) => levels.read_bits(rows, valid),
            None => {
                valid.append_equal(rows, true);
                Ok(rows)
            }
        }
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
        self.passed.clear();
        levels.read_bits(rows, &mut self.passed)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_levels_of_the_first_writers_are_read() {
        let mut runs = runs_of(Levels::Bits(vec![0b1010_0000, 0b1000_0000].into()), 9).unwrap();
        let mut levels = Validity::default();
        assert_eq!(runs.read_bits(9, &mut levels).unwrap(), 3);
        let bits = levels.bits().unwrap();
        assert!((0..9).map(|row| bits.get(row)).eq([1, 0, 1, 0, 0, 0, 0, 0, 1].map(|level| level == 1)));
    }
}
