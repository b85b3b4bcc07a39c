//! Any bytes read as a plan are refused, or make a plan that is refused or runs to an end.

use std::sync::Arc;

use hypostyle::Session;
use hypostyle::plan::Plan;
use hypostyle_engine::execution::Prepared;

/// Batches after which a run is given up: a plan may generate without end.
const BATCHES_MAX: usize = 50;

/// See the module.
pub fn run(bytes: &[u8]) {
    let Ok(plan) = Plan::from_bytes(bytes) else { return };
    let again =
        Plan::from_bytes(&plan.to_bytes().expect("a plan has bytes")).expect("what was written is read");
    assert_eq!(plan, again);
    let session = Session::new();
    let context = Arc::clone(session.prepare("SELECT 1").expect("a constant is planned").context());
    let Ok(mut run) = Prepared::new(plan, context).and_then(|prepared| prepared.start(&[])) else { return };
    for _ in 0..BATCHES_MAX {
        if !matches!(run.next(), Ok(Some(_))) {
            return;
        }
    }
}
