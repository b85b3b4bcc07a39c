//! Which rows of a batch a call computes.

/// All rows, or a sorted selection of them. Rows outside are neither read nor written.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'a> {
    /// Rows `0 .. n`.
    All(usize),
    /// These rows, ascending and without repetition.
    Selected(&'a [u32]),
}

impl<'a> Rows<'a> {
    /// Number of rows to compute.
    pub fn count(&self) -> usize {
        match self {
            Self::All(rows) => *rows,
            Self::Selected(rows) => rows.len(),
        }
    }

    /// True if there is nothing to compute.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Calls `body` for each row, in ascending order.
    #[inline(always)]
    pub fn for_each(&self, mut body: impl FnMut(usize)) {
        match self {
            Self::All(rows) => (0..*rows).for_each(body),
            Self::Selected(rows) => rows.iter().for_each(|&row| body(row as usize)),
        }
    }

    /// Calls `body` for each row, in ascending order, until it fails.
    ///
    /// # Errors
    /// The first error of `body`.
    #[inline(always)]
    pub fn try_for_each<E>(&self, mut body: impl FnMut(usize) -> Result<(), E>) -> Result<(), E> {
        match self {
            Self::All(rows) => (0..*rows).try_for_each(body),
            Self::Selected(rows) => rows.iter().try_for_each(|&row| body(row as usize)),
        }
    }

    /// The rows, ascending.
    pub fn iter(&self) -> RowsIter<'a> {
        match self {
            Self::All(rows) => RowsIter::All(0..*rows),
            Self::Selected(rows) => RowsIter::Selected(rows.iter()),
        }
    }
}

impl<'a> IntoIterator for Rows<'a> {
    type Item = usize;
    type IntoIter = RowsIter<'a>;
    fn into_iter(self) -> RowsIter<'a> {
        self.iter()
    }
}

/// Iterator over [`Rows`].
#[derive(Debug, Clone)]
pub enum RowsIter<'a> {
    /// Every row of a range.
    All(std::ops::Range<usize>),
    /// Listed rows.
    Selected(std::slice::Iter<'a, u32>),
}

impl Iterator for RowsIter<'_> {
    type Item = usize;
    #[inline]
    fn next(&mut self) -> Option<usize> {
        match self {
            Self::All(range) => range.next(),
            Self::Selected(rows) => rows.next().map(|&row| row as usize),
        }
    }
}
