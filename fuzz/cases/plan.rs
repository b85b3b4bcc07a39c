//! Any bytes read as a plan are refused, or make a plan that is refused or runs to an end.

use std::sync::Arc;

use hypostyle::plan::Plan;
use hypostyle::{Configuration, Session};
use hypostyle_engine::execution::{Prepared, Progress};

/// Steps after which a run is given up: a plan may generate without end.
const STEPS_MAX: usize = 200;

/// Bytes that a run may hold.
const MEMORY_LIMIT_BYTES: usize = 256 << 20;

thread_local! {
    /// Made once: a plan reads what the session has and changes nothing.
    static SESSION: Session = Session::with_configuration(Configuration {
        threads: 1,
        memory_limit_bytes: Some(MEMORY_LIMIT_BYTES),
        ..Configuration::default()
    });
}

/// See the module.
pub fn run(bytes: &[u8]) {
    let Ok(plan) = Plan::from_bytes(bytes) else { return };
    let again =
        Plan::from_bytes(&plan.to_bytes().expect("a plan has bytes")).expect("what was written is read");
    assert_eq!(plan, again);
    let context = SESSION
        .with(|session| Arc::clone(session.prepare("SELECT 1").expect("a constant is planned").context()));
    let Ok(run) = Prepared::new(plan, context).and_then(|prepared| prepared.start(&[])) else { return };
    let mut worker = run.worker();
    for _ in 0..STEPS_MAX {
        if matches!(worker.step(), Ok(Progress::Finished | Progress::Idle) | Err(_)) {
            return;
        }
    }
}
