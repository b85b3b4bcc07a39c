//! DataFusion's memory pool as the host that a run asks for its bytes.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use hypostyle::HostMemory;

/// What one run holds, as a reservation in the pool.
pub(crate) struct PoolMemory {
    reservation: MemoryReservation,
    refusal: Mutex<Option<String>>,
}

impl PoolMemory {
    /// A consumer of the pool, which gives everything back when the run is gone.
    pub(crate) fn new(name: String, can_spill: bool, pool: &Arc<dyn MemoryPool>) -> Self {
        let reservation = MemoryConsumer::new(name).with_can_spill(can_spill).register(pool);
        Self { reservation, refusal: Mutex::new(None) }
    }

    /// What the pool said when it last refused bytes.
    pub(crate) fn refusal(&self) -> Option<String> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl HostMemory for PoolMemory {
    fn try_take(&self, bytes: usize) -> bool {
        match self.reservation.try_grow(bytes) {
            Ok(()) => true,
            Err(error) => {
                *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.strip_backtrace());
                false
            }
        }
    }

    fn take(&self, bytes: usize) {
        self.reservation.grow(bytes);
    }

    fn give(&self, bytes: usize) {
        self.reservation.shrink(bytes);
    }
}
