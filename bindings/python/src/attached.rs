//! When a thread holds the interpreter: never while the engine works, shortly to ask for signals.

use std::sync::OnceLock;
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// How often the main thread looks for a Ctrl-C while it works.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// The thread in which Python runs its signal handlers. A constant of the process.
static MAIN_THREAD: OnceLock<ThreadId> = OnceLock::new();

/// Notes the main thread if this is it.
pub fn remember_main_thread(py: Python<'_>) -> PyResult<()> {
    let threading = py.import("threading")?;
    let main = threading.call_method0("main_thread")?;
    if threading.call_method0("current_thread")?.is(&main) {
        // It may be set already, by an import of the module in another interpreter, to the same thread.
        let _ = MAIN_THREAD.set(std::thread::current().id());
    }
    Ok(())
}

/// Runs `body` without the interpreter, whether this thread holds it or not: callbacks of the C interfaces are
/// called either way. Where the interpreter is shutting down nobody waits for it, and `body` runs as it is.
pub fn without_interpreter<R: Send>(body: impl FnOnce() -> R + Send) -> R {
    let mut body = Some(body);
    let done = Python::try_attach(|py| body.take().map(|body| py.detach(body))).flatten();
    match (done, body) {
        (Some(result), _) => result,
        (None, Some(body)) => body(),
        // `body` is taken only where its result is `done`.
        (None, None) => unreachable!(),
    }
}

/// Asks for signals, from time to time, on the main thread; remembers what their handler raised.
#[derive(Default)]
pub struct Signals {
    asked: Option<Instant>,
    raised: Option<PyErr>,
}

impl Signals {
    /// True on the thread on which Python runs handlers.
    pub fn are_ours() -> bool {
        MAIN_THREAD.get() == Some(&std::thread::current().id())
    }

    /// True once a handler has raised, as that of Ctrl-C does. Called without the interpreter.
    pub fn has_raised(&mut self) -> bool {
        if self.raised.is_some() {
            return true;
        }
        if !Self::are_ours() {
            return false;
        }
        let now = Instant::now();
        let asked = *self.asked.get_or_insert(now);
        if now.duration_since(asked) < SIGNAL_INTERVAL {
            return false;
        }
        self.asked = Some(now);
        self.raised = Python::try_attach(|py| py.check_signals().err()).flatten();
        self.raised.is_some()
    }

    /// What the handler raised.
    pub fn take(self) -> Option<PyErr> {
        self.raised
    }
}
