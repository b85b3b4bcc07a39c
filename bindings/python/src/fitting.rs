//! Fits that Ctrl-C stops. The passes of a fit run inside one call, so they run on a thread of their own while the main
//! thread waits for signals.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::scope;
use std::time::Duration;

use hypostyle::{Error, Result, RunHandle, Session};
use pyo3::prelude::*;

use crate::attached::Signals;

/// The passes of the fit that runs on a thread.
#[derive(Default)]
struct Passes {
    stopped: AtomicBool,
    running: Mutex<Option<RunHandle>>,
}

thread_local! {
    /// The fit that this thread runs, for the observer of its session.
    static CURRENT: RefCell<Option<Arc<Passes>>> = const { RefCell::new(None) };
}

/// Makes the session tell each fit of its passes.
pub fn observe(session: &Session) {
    session.observe_fits(Arc::new(|handle: RunHandle| {
        CURRENT.with_borrow(|current| {
            if let Some(passes) = current {
                if passes.stopped.load(Ordering::SeqCst) {
                    handle.cancel();
                }
                *passes.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
            }
        });
    }));
}

/// Runs `fit`, and stops its passes when a handler of signals raises, which is the second result. Called without the interpreter.
pub fn interruptible<R: Send>(fit: impl FnOnce() -> Result<R> + Send) -> (Result<R>, Option<PyErr>) {
    let mut signals = Signals::default();
    if !Signals::are_ours() {
        return (fit(), None);
    }
    let passes = Arc::new(Passes::default());
    let result = scope(|scope| {
        let (done, waiting) = channel();
        let mine = Arc::clone(&passes);
        scope.spawn(move || {
            CURRENT.set(Some(mine));
            // The receiver waits until it has the result.
            let _ = done.send(fit());
        });
        loop {
            match waiting.recv_timeout(Duration::from_millis(20)) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) if signals.has_raised() => {
                    passes.stopped.store(true, Ordering::SeqCst);
                    if let Some(handle) = &*passes.running.lock().unwrap_or_else(PoisonError::into_inner) {
                        handle.cancel();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::user("the fit ended without a result"));
                }
            }
        }
    });
    // The planner reports the end of a pass as what its source said, so the error may have any kind.
    let raised = if result.is_err() { signals.take() } else { None };
    (result, raised)
}
