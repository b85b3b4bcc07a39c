//! Comparisons of floats, which can choose between two values in their own loop: `CASE WHEN x > y THEN a ELSE b END`.

use std::hint::select_unpredictable;
use std::marker::PhantomData;
use std::sync::Arc;

use super::float::{Float, Two};
use super::{LaneKernel, LaneKind, Lanes, LanesMut, Marks};
use crate::kernel::lane_loop;

struct Comparison<T, F>(Two<T, bool, F>);

impl<T: Float, F: Fn(T, T) -> bool + Copy + Send + Sync + 'static> LaneKernel for Comparison<T, F> {
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, _: &mut Marks<'_>) {
        self.0.run(inputs, output);
    }

    fn accepts_splats(&self, given: &[bool]) -> bool {
        Two::<T, bool, F>::accepts_splats(given)
    }

    fn choice(&self, kind: LaneKind) -> Option<Arc<dyn LaneKernel>> {
        (kind == T::KIND).then(|| -> Arc<dyn LaneKernel> { Arc::new(Choice::<T, F>(self.0.0, PhantomData)) })
    }
}

/// A comparison of two arguments.
pub fn comparison<T: Float>(
    function: impl Fn(T, T) -> bool + Copy + Send + Sync + 'static,
) -> Arc<dyn LaneKernel> {
    Arc::new(Comparison(Two::new(function)))
}

/// Takes the two operands of a comparison, then the value where it holds and the one where it does not.
struct Choice<T, F>(F, PhantomData<fn(T) -> T>);

impl<T: Float, F: Fn(T, T) -> bool + Send + Sync> LaneKernel for Choice<T, F> {
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, _: &mut Marks<'_>) {
        let (holds, results) = (&self.0, T::write(output));
        let [left, right, first, second] = [0, 1, 2, 3].map(|position| T::read(&inputs[position]));
        match right {
            &[y] => {
                let choose = |x, a, b| select_unpredictable(holds(x, y), a, b);
                lane_loop::ternary(&choose, left, first, second, results);
            }
            _ => {
                let choose = |x, y, a, b| select_unpredictable(holds(x, y), a, b);
                lane_loop::quaternary(&choose, left, right, first, second, results);
            }
        }
    }

    fn accepts_splats(&self, given: &[bool]) -> bool {
        matches!(given, [false, true, false, false])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comparison_chooses_lane_by_lane() {
        let (x, y) = ([1.0, 5.0, f64::NAN, 2.0], [2.0; 4]);
        let (a, b) = ([10.0, 20.0, 30.0, 40.0], [-1.0, -2.0, -3.0, -4.0]);
        let greater = comparison(|x: f64, y: f64| x > y);
        assert!(greater.choice(LaneKind::Float32).is_none());
        let choice = greater.choice(LaneKind::Float64).unwrap();
        for right in [&y[..], &y[..1]] {
            let mut results = [0.0; 4];
            let inputs = [&x[..], right, &a[..], &b[..]].map(Lanes::Float64);
            choice.run(&inputs, &mut LanesMut::Float64(&mut results), &mut Marks::none());
            assert_eq!(results, [-1.0, 20.0, -3.0, -4.0]);
        }
    }
}
