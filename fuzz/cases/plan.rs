//! Any bytes read as a plan are refused, or make a plan that is refused or runs to an end.

use hypostyle::Session;
use hypostyle::plan::Plan;

/// See the module.
pub fn run(bytes: &[u8]) {
    let Ok(plan) = Plan::from_bytes(bytes) else { return };
    let written = plan.to_bytes().expect("a plan that was read can be written");
    assert_eq!(Plan::from_bytes(&written).expect("what was written is read"), plan);
    if let Ok(prepared) = Session::new().prepare_plan(plan) {
        let _ = prepared.run(&[]).map(|answer| answer.take(100).count());
    }
}
