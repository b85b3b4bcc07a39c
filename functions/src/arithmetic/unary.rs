//! The lane kernel of functions of one argument that fail on a few values.

use std::sync::Arc;

use crate::error::Error;
use crate::lanes::{Lane, LaneKernel, Lanes, LanesMut, Marks, mark};

struct CheckedUnary<A, R, F, E>(F, E, std::marker::PhantomData<fn(A) -> R>);

impl<A, R, F, E> LaneKernel for CheckedUnary<A, R, F, E>
where
    A: Lane,
    R: Lane,
    F: Fn(A) -> (R, bool) + Send + Sync,
    E: Fn(A) -> Error + Send + Sync,
{
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, marks: &mut Marks<'_>) {
        let input = A::read(&inputs[0]);
        let mut any = false;
        for (result, &a) in R::write(output).iter_mut().zip(input) {
            let (value, failed) = self.0(a);
            *result = value;
            any |= failed;
        }
        if any {
            // Rare: find the lanes once more instead of writing a mark for each of them above.
            for (lane, &a) in input.iter().enumerate() {
                if self.0(a).1 {
                    mark(marks.failed, lane);
                }
            }
        }
    }

    fn can_fail(&self) -> bool {
        true
    }

    fn error(&self, inputs: &[Lanes<'_>], lane: usize) -> Error {
        self.1(A::read(&inputs[0])[lane])
    }
}

/// A function of one argument that answers a value and whether it failed, as `i64::overflowing_neg` does.
pub(crate) fn checked_unary<A: Lane, R: Lane>(
    function: impl Fn(A) -> (R, bool) + Send + Sync + 'static,
    error: impl Fn(A) -> Error + Send + Sync + 'static,
) -> Arc<dyn LaneKernel> {
    Arc::new(CheckedUnary(function, error, std::marker::PhantomData))
}
