//! Fits that Ctrl-C and other threads stop. The passes of a fit run inside one call, so on the main thread they run beside
//! it, while it waits for signals.

use std::cell::RefCell;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::scope;
use std::time::Duration;

use hypostyle::{Error, Result, RunHandle, Session};
use pyo3::prelude::*;

use crate::attached::Signals;

/// The passes of one fit.
#[derive(Default)]
struct Passes(Mutex<Pass>);

#[derive(Default)]
struct Pass {
    /// Whether this pass and those after it end as soon as they begin.
    stopped: bool,
    running: Option<RunHandle>,
}

impl Passes {
    fn begin(&self, handle: RunHandle) {
        let mut pass = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pass.stopped {
            handle.cancel();
        }
        pass.running = Some(handle);
    }

    fn stop(&self) {
        let mut pass = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pass.stopped = true;
        if let Some(handle) = &pass.running {
            handle.cancel();
        }
    }
}

thread_local! {
    /// The fit that this thread runs, for the observer of its session.
    static CURRENT: RefCell<Option<Arc<Passes>>> = const { RefCell::new(None) };
}

/// The fits that run in a session.
#[derive(Default)]
pub struct Fits(Mutex<Vec<Weak<Passes>>>);

impl Fits {
    /// Makes the session tell each fit of its passes.
    pub fn observe(session: &Session) {
        session.observe_fits(Arc::new(|handle: RunHandle| {
            CURRENT.with_borrow(|current| {
                if let Some(passes) = current {
                    passes.begin(handle);
                }
            });
        }));
    }

    /// Stops all of them; each ends as cancelled.
    pub fn stop(&self) {
        for passes in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if let Some(passes) = passes.upgrade() {
                passes.stop();
            }
        }
    }

    /// Runs `fit`, and stops its passes when a handler of signals raises, which is the second result. Called without the interpreter.
    pub fn run<R: Send>(&self, fit: impl FnOnce() -> Result<R> + Send) -> (Result<R>, Option<PyErr>) {
        let passes = Arc::new(Passes::default());
        {
            let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            running.retain(|passes| passes.strong_count() > 0);
            running.push(Arc::downgrade(&passes));
        }
        let mine = Arc::clone(&passes);
        let fit = move || {
            let before = CURRENT.replace(Some(mine));
            let result = fit();
            CURRENT.set(before);
            result
        };
        match Signals::are_ours() {
            true => beside_signals(&passes, fit),
            false => (fit(), None),
        }
    }
}

/// Runs `fit` on a thread of its own while this one looks for signals.
fn beside_signals<R: Send>(
    passes: &Passes,
    fit: impl FnOnce() -> Result<R> + Send,
) -> (Result<R>, Option<PyErr>) {
    let mut signals = Signals::default();
    let result = scope(|scope| {
        let (done, waiting) = channel();
        scope.spawn(move || {
            // The receiver waits until it has the result.
            let _ = done.send(fit());
        });
        loop {
            match waiting.recv_timeout(Duration::from_millis(20)) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) if signals.has_raised() => passes.stop(),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::user("the fit ended without a result"));
                }
            }
        }
    });
    let cancelled = result.as_ref().is_err_and(Error::is_cancelled);
    let raised = if cancelled { signals.take() } else { None };
    (result, raised)
}
