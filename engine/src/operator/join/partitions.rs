//! The rows of one side by partition, in spill files that several workers write to.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::batch::Batch;
use crate::error::Result;
use crate::spill::RowStore;

/// Rows of one side; each partition has a lock of its own, so that workers seldom wait for one another.
pub(super) struct Partitions(Vec<Mutex<Option<RowStore>>>);

impl Partitions {
    /// Partitions without rows.
    pub(super) fn new(stores: Vec<RowStore>) -> Self {
        Self(stores.into_iter().map(|store| Mutex::new(Some(store))).collect())
    }

    fn lock(&self, partition: usize) -> MutexGuard<'_, Option<RowStore>> {
        self.0[partition].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the rows of a split batch.
    ///
    /// # Errors
    /// A full disk.
    pub(super) fn add(&self, parts: Vec<Option<Batch>>) -> Result<()> {
        for (partition, part) in parts.into_iter().enumerate() {
            if let (Some(part), Some(store)) = (part, self.lock(partition).as_mut()) {
                store.add(part)?;
            }
        }
        Ok(())
    }

    /// Sends the rows that wait for company to the files: nothing is added any more.
    ///
    /// # Errors
    /// A full disk.
    pub(super) fn write_small(&self) -> Result<()> {
        (0..self.0.len())
            .try_for_each(|partition| self.lock(partition).as_mut().map_or(Ok(()), RowStore::write_small))
    }

    /// The rows of a partition, once; `None` past the last.
    pub(super) fn take(&self, partition: usize) -> Option<RowStore> {
        (partition < self.0.len()).then(|| self.lock(partition).take()).flatten()
    }

    /// Puts other rows in the place of a partition's.
    pub(super) fn replace(&self, partition: usize, store: RowStore) {
        *self.lock(partition) = Some(store);
    }

    /// Puts the rows of these partitions in the place of another's.
    pub(super) fn move_to(&self, other: &Self, which: impl Fn(usize) -> bool) {
        for partition in (0..self.0.len()).filter(|partition| which(*partition)) {
            *other.lock(partition) = self.take(partition);
        }
    }

    /// The partitions that have rows, with their rows and bytes in files, the smallest first.
    pub(super) fn smallest_first(&self) -> Vec<(usize, usize, usize)> {
        let sizes = |partition| {
            let store = self.lock(partition);
            store.as_ref().map(|store| (partition, store.rows(), store.file_bytes()))
        };
        let mut sizes: Vec<_> =
            (0..self.0.len()).filter_map(sizes).filter(|(_, rows, _)| *rows > 0).collect();
        sizes.sort_by_key(|&(partition, _, bytes)| (bytes, partition));
        sizes
    }
}
