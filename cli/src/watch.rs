//! Passes Ctrl-C on to what runs and shows its progress, from one thread that outlives statements: a thread for each would take longer
//! than a small statement does.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use hypostyle::RunHandle;
use indicatif::ProgressBar;

use crate::interrupt::Interrupt;
use crate::progress;

/// How often a run is looked at.
const INTERVAL: Duration = Duration::from_millis(40);
/// Work that takes less shows no progress.
const PROGRESS_AFTER: Duration = Duration::from_secs(1);
/// Looks without anything to see before the thread sleeps until it is woken, which takes the next statement some time.
const IDLE_LOOKS: u32 = 50;

/// The thread, once there was something to watch, and what it looks at.
#[derive(Default)]
pub(crate) struct Watch {
    shared: Arc<Shared>,
    started: OnceLock<()>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Seen>,
    woken: Condvar,
}

/// What is seen at a look.
#[derive(Default)]
struct Seen {
    work: Option<Work>,
    /// Looks since the last work ended.
    idle_looks: u32,
    is_asleep: bool,
    is_over: bool,
}

/// What goes on between [`Watch::begin`] and the end of the guard.
struct Work {
    interrupt: Interrupt,
    shows_progress: bool,
    started: Instant,
    handle: Option<RunHandle>,
    bar: Option<ProgressBar>,
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        // What is seen is whole at any time.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks until it is over.
    fn look(&self) {
        let mut seen = self.seen();
        while !seen.is_over {
            match &mut seen.work {
                Some(work) => work.look(),
                None => seen.idle_looks += 1,
            }
            seen.is_asleep = seen.idle_looks > IDLE_LOOKS;
            seen = if seen.is_asleep {
                self.woken.wait(seen).unwrap_or_else(PoisonError::into_inner)
            } else {
                self.woken.wait_timeout(seen, INTERVAL).unwrap_or_else(PoisonError::into_inner).0
            };
        }
    }
}

impl Work {
    fn look(&mut self) {
        let Some(handle) = &self.handle else { return };
        if self.interrupt.is_requested() {
            handle.cancel();
        }
        if self.shows_progress && self.started.elapsed() > PROGRESS_AFTER {
            let bar = self.bar.get_or_insert_with(progress::fraction);
            bar.set_position((handle.progress() * 1_000.0) as u64);
        }
    }
}

impl Watch {
    /// Watches a run, or those that [`Handles::set`] names, until the guard is dropped.
    pub(crate) fn begin(
        &self,
        interrupt: &Interrupt,
        shows_progress: bool,
        handle: Option<RunHandle>,
    ) -> Watched<'_> {
        self.started.get_or_init(|| {
            let shared = Arc::clone(&self.shared);
            // Without the thread there is neither progress nor an early end, but the work is done.
            let _ = std::thread::Builder::new().name("watch".into()).spawn(move || shared.look());
        });
        let mut seen = self.shared.seen();
        let (started, interrupt) = (Instant::now(), interrupt.clone());
        seen.work = Some(Work { interrupt, shows_progress, started, handle, bar: None });
        seen.idle_looks = 0;
        if seen.is_asleep {
            self.shared.woken.notify_one();
        }
        Watched { shared: &self.shared }
    }

    /// Names the runs of work that has several, one after the other.
    pub(crate) fn handles(&self) -> Handles {
        Handles { shared: Arc::clone(&self.shared) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.seen().is_over = true;
        self.shared.woken.notify_one();
    }
}

/// Work that is watched until this is dropped.
pub(crate) struct Watched<'a> {
    shared: &'a Shared,
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        let work = self.shared.seen().work.take();
        if let Some(bar) = work.and_then(|work| work.bar) {
            bar.finish_and_clear();
        }
    }
}

/// Says which run is to be looked at.
pub(crate) struct Handles {
    shared: Arc<Shared>,
}

impl Handles {
    /// The run that goes on now.
    pub(crate) fn set(&self, handle: RunHandle) {
        if let Some(work) = &mut self.shared.seen().work {
            work.handle = Some(handle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_ends_a_run_that_began_after_others() {
        let session = hypostyle::Session::new();
        let (watch, interrupt) = (Watch::default(), Interrupt::default());
        for _ in 0..3 {
            let answer = session.prepare("SELECT 1").unwrap().run(&[]).unwrap();
            drop(watch.begin(&interrupt, true, answer.handle()));
        }
        let query = "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b";
        let mut answer = session.prepare(query).unwrap().run(&[]).unwrap();
        let watched = watch.begin(&interrupt, false, None);
        watch.handles().set(answer.handle().unwrap());
        interrupt.request();
        assert!(answer.next_batch().unwrap_err().is_cancelled());
        drop(watched);
        assert!(watch.shared.seen().work.is_none());
    }

    #[test]
    fn a_thread_that_sleeps_is_woken() {
        let session = hypostyle::Session::new();
        let (watch, interrupt) = (Watch::default(), Interrupt::default());
        drop(watch.begin(&interrupt, false, None));
        watch.shared.seen().idle_looks = IDLE_LOOKS;
        while !watch.shared.seen().is_asleep {
            std::thread::sleep(Duration::from_millis(1));
        }
        let query = "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b";
        let mut answer = session.prepare(query).unwrap().run(&[]).unwrap();
        let _watched = watch.begin(&interrupt, false, answer.handle());
        interrupt.request();
        assert!(answer.next_batch().unwrap_err().is_cancelled());
    }
}
