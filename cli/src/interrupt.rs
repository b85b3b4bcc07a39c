//! Ctrl-C as a flag that long loops look at, so that work stops between two steps and leaves nothing half-written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

/// Whether the user asked to stop. Clones share the flag.
#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    requested: Arc<AtomicBool>,
}

impl Interrupt {
    /// A flag that Ctrl-C sets; a second Ctrl-C ends the program at once.
    ///
    /// # Errors
    /// The signal handler could not be installed.
    pub(crate) fn on_ctrl_c() -> Result<Self> {
        let interrupt = Self::default();
        let requested = Arc::clone(&interrupt.requested);
        ctrlc::set_handler(move || {
            if requested.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        })
        .map_err(|error| Error::Usage(format!("cannot watch for Ctrl-C: {error}")))?;
        Ok(interrupt)
    }

    /// Whether Ctrl-C was pressed.
    pub(crate) fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }

    /// Asks to stop, as Ctrl-C does.
    #[cfg(test)]
    pub(crate) fn request(&self) {
        self.requested.store(true, Ordering::Relaxed);
    }

    /// Forgets a request, before the next statement of a shell.
    pub(crate) fn clear(&self) {
        self.requested.store(false, Ordering::Relaxed);
    }

    /// # Errors
    /// [`Error::Interrupted`] once Ctrl-C was pressed.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_requested() { Err(Error::Interrupted) } else { Ok(()) }
    }
}
