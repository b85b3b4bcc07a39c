//! Lifts: a rule for one value becomes a kernel over lanes, whose loop is compiled for every CPU level.

use std::sync::Arc;

use super::{Lane, LaneKernel, Lanes, LanesMut, Marks, mark};
use crate::error::Error;
use crate::kernel::lane_loop;

struct Unary<A, R, F>(F, std::marker::PhantomData<fn(A) -> R>);

impl<A: Lane, R: Lane, F: Fn(A) -> R + Send + Sync> LaneKernel for Unary<A, R, F> {
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, _: &mut Marks<'_>) {
        match (A::read(&inputs[0]), R::write(output)) {
            // One lane is computed sooner than a loop is begun.
            (&[a], [result]) => *result = self.0(a),
            (input, results) => lane_loop::unary(&self.0, input, results),
        }
    }
}

/// A total function of one argument.
pub fn unary<A: Lane, R: Lane>(function: impl Fn(A) -> R + Send + Sync + 'static) -> Arc<dyn LaneKernel> {
    Arc::new(Unary(function, std::marker::PhantomData))
}

struct Binary<A, B, R, F>(F, std::marker::PhantomData<fn(A, B) -> R>);

impl<A: Lane, B: Lane, R: Lane, F: Fn(A, B) -> R + Send + Sync> LaneKernel for Binary<A, B, R, F> {
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, _: &mut Marks<'_>) {
        let (function, results) = (&self.0, R::write(output));
        match (A::read(&inputs[0]), B::read(&inputs[1])) {
            (&[a], &[b]) if results.len() == 1 => results[0] = function(a, b),
            (first, &[b]) => lane_loop::unary(&|a| function(a, b), first, results),
            (&[a], second) => lane_loop::unary(&|b| function(a, b), second, results),
            (first, second) => lane_loop::binary(function, first, second, results),
        }
    }

    fn accepts_splats(&self, given: &[bool]) -> bool {
        matches!(given, [true, false] | [false, true])
    }
}

/// A total function of two arguments.
pub fn binary<A: Lane, B: Lane, R: Lane>(
    function: impl Fn(A, B) -> R + Send + Sync + 'static,
) -> Arc<dyn LaneKernel> {
    Arc::new(Binary(function, std::marker::PhantomData))
}

struct Ternary<A, B, C, R, F>(F, std::marker::PhantomData<fn(A, B, C) -> R>);

impl<A: Lane, B: Lane, C: Lane, R: Lane, F: Fn(A, B, C) -> R + Send + Sync> LaneKernel
    for Ternary<A, B, C, R, F>
{
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, _: &mut Marks<'_>) {
        let (function, results) = (&self.0, R::write(output));
        match (A::read(&inputs[0]), B::read(&inputs[1]), C::read(&inputs[2])) {
            (&[a], &[b], &[c]) if results.len() == 1 => results[0] = function(a, b, c),
            (first, &[b], &[c]) => lane_loop::unary(&|a| function(a, b, c), first, results),
            (first, second, third) => lane_loop::ternary(function, first, second, third, results),
        }
    }

    fn accepts_splats(&self, given: &[bool]) -> bool {
        matches!(given, [false, true, true])
    }
}

/// A total function of three arguments.
pub fn ternary<A: Lane, B: Lane, C: Lane, R: Lane>(
    function: impl Fn(A, B, C) -> R + Send + Sync + 'static,
) -> Arc<dyn LaneKernel> {
    Arc::new(Ternary(function, std::marker::PhantomData))
}

struct Parametric<T, F, const N: usize>(F, std::marker::PhantomData<fn(T) -> T>);

impl<T, F, const N: usize> LaneKernel for Parametric<T, F, N>
where
    T: Lane,
    F: Fn(T, [T; N]) -> T + Send + Sync,
{
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, _: &mut Marks<'_>) {
        const { assert!(N <= 3, "more parameters need a longer loop") };
        let (function, input, results) = (&self.0, T::read(&inputs[0]), T::write(output));
        let parameters: [&[T]; N] = std::array::from_fn(|position| T::read(&inputs[position + 1]));
        if let (&[x], [result]) = (input, &mut *results) {
            *result = function(x, parameters.map(|lanes| lanes[0]));
            return;
        }
        // Of the loops below one has `N` parameters, and only that one runs.
        let pick = |given: [T; 3]| -> [T; N] { std::array::from_fn(|position| given[position]) };
        let none = T::default();
        match parameters.as_slice() {
            [] => lane_loop::unary(&|x| function(x, pick([none; 3])), input, results),
            [a] => lane_loop::binary(&|x, a| function(x, pick([a, none, none])), input, a, results),
            [a, b] => lane_loop::ternary(&|x, a, b| function(x, pick([a, b, none])), input, a, b, results),
            [a, b, c, ..] => {
                lane_loop::quaternary(&|x, a, b, c| function(x, pick([a, b, c])), input, a, b, c, results);
            }
        }
    }
}

/// A total function of one argument and up to three parameters of its type, which are the arguments behind it.
pub fn parametric<T: Lane, const N: usize>(
    function: impl Fn(T, [T; N]) -> T + Send + Sync + 'static,
) -> Arc<dyn LaneKernel> {
    Arc::new(Parametric::<T, _, N>(function, std::marker::PhantomData))
}

struct Slice<A, R, F>(F, std::marker::PhantomData<fn(A) -> R>);

impl<A: Lane, R: Lane, F: Fn(&[A], &mut [R]) + Send + Sync> LaneKernel for Slice<A, R, F> {
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, _: &mut Marks<'_>) {
        self.0(A::read(&inputs[0]), R::write(output));
    }
}

/// A total function of one argument that has a kernel over whole slices.
pub fn slice<A: Lane, R: Lane>(
    function: impl Fn(&[A], &mut [R]) + Send + Sync + 'static,
) -> Arc<dyn LaneKernel> {
    Arc::new(Slice(function, std::marker::PhantomData))
}

/// What a partial function answers for one lane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome<R> {
    /// The value.
    Value(R),
    /// No value.
    Null,
    /// An error.
    Failed,
}

struct PartialUnary<A, R, F, E>(F, E, std::marker::PhantomData<fn(A) -> R>);

impl<A, R, F, E> LaneKernel for PartialUnary<A, R, F, E>
where
    A: Lane,
    R: Lane,
    F: Fn(A) -> Outcome<R> + Send + Sync,
    E: Fn(A) -> Error + Send + Sync,
{
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, marks: &mut Marks<'_>) {
        let input = A::read(&inputs[0]);
        for (lane, (result, &a)) in R::write(output).iter_mut().zip(input).enumerate() {
            match self.0(a) {
                Outcome::Value(value) => *result = value,
                Outcome::Null => mark(marks.null, lane),
                Outcome::Failed => mark(marks.failed, lane),
            }
        }
    }

    fn makes_nulls(&self) -> bool {
        true
    }

    fn can_fail(&self) -> bool {
        true
    }

    fn error(&self, inputs: &[Lanes<'_>], lane: usize) -> Error {
        self.1(A::read(&inputs[0])[lane])
    }
}

/// A function of one argument that may give null or fail; `error` says why a value failed.
pub fn partial_unary<A: Lane, R: Lane>(
    function: impl Fn(A) -> Outcome<R> + Send + Sync + 'static,
    error: impl Fn(A) -> Error + Send + Sync + 'static,
) -> Arc<dyn LaneKernel> {
    Arc::new(PartialUnary(function, error, std::marker::PhantomData))
}

struct PartialBinary<A, B, R, F, E>(F, E, std::marker::PhantomData<fn(A, B) -> R>);

impl<A, B, R, F, E> LaneKernel for PartialBinary<A, B, R, F, E>
where
    A: Lane,
    B: Lane,
    R: Lane,
    F: Fn(A, B) -> Outcome<R> + Send + Sync,
    E: Fn(A, B) -> Error + Send + Sync,
{
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, marks: &mut Marks<'_>) {
        let (left, right) = (A::read(&inputs[0]), B::read(&inputs[1]));
        let lanes = R::write(output).iter_mut().zip(left).zip(right);
        for (lane, ((result, &a), &b)) in lanes.enumerate() {
            match self.0(a, b) {
                Outcome::Value(value) => *result = value,
                Outcome::Null => mark(marks.null, lane),
                Outcome::Failed => mark(marks.failed, lane),
            }
        }
    }

    fn makes_nulls(&self) -> bool {
        true
    }

    fn can_fail(&self) -> bool {
        true
    }

    fn error(&self, inputs: &[Lanes<'_>], lane: usize) -> Error {
        self.1(A::read(&inputs[0])[lane], B::read(&inputs[1])[lane])
    }
}

/// A function of two arguments that may give null or fail; `error` says why two values failed.
pub fn partial_binary<A: Lane, B: Lane, R: Lane>(
    function: impl Fn(A, B) -> Outcome<R> + Send + Sync + 'static,
    error: impl Fn(A, B) -> Error + Send + Sync + 'static,
) -> Arc<dyn LaneKernel> {
    Arc::new(PartialBinary(function, error, std::marker::PhantomData))
}

struct Checked<A, R, F, E>(F, E, std::marker::PhantomData<fn(A) -> R>);

impl<A, R, F, E> LaneKernel for Checked<A, R, F, E>
where
    A: Lane,
    R: Lane,
    F: Fn(A, A) -> (R, bool) + Send + Sync,
    E: Fn(A, A) -> Error + Send + Sync,
{
    fn run(&self, inputs: &[Lanes<'_>], output: &mut LanesMut<'_>, marks: &mut Marks<'_>) {
        let (left, right) = (A::read(&inputs[0]), A::read(&inputs[1]));
        if lane_loop::overflowing(&self.0, left, right, R::write(output)) {
            // Rare: find the lanes once more instead of writing a mark for each of them above.
            for (lane, (&a, &b)) in left.iter().zip(right).enumerate() {
                if self.0(a, b).1 {
                    mark(marks.failed, lane);
                }
            }
        }
    }

    fn can_fail(&self) -> bool {
        true
    }

    fn error(&self, inputs: &[Lanes<'_>], lane: usize) -> Error {
        self.1(A::read(&inputs[0])[lane], A::read(&inputs[1])[lane])
    }
}

/// A function of two arguments of one type that answers a value and whether it overflowed, as
/// `i64::overflowing_add` does. Vectorizes, unlike [`partial_binary`].
pub fn checked<A: Lane, R: Lane>(
    function: impl Fn(A, A) -> (R, bool) + Send + Sync + 'static,
    error: impl Fn(A, A) -> Error + Send + Sync + 'static,
) -> Arc<dyn LaneKernel> {
    Arc::new(Checked(function, error, std::marker::PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(kernel: &dyn LaneKernel, inputs: &[Lanes<'_>]) -> Vec<f64> {
        let mut results = vec![0.0; 100];
        let mut marks = Marks { null: &mut [], failed: &mut [] };
        kernel.run(inputs, &mut LanesMut::Float64(&mut results), &mut marks);
        results
    }

    #[test]
    fn one_lane_of_a_constant_stands_for_all() {
        let values: Vec<f64> = (0..100).map(|i| f64::from(i) / 7.0).collect();
        let (low, high) = (vec![3.0; 100], vec![9.0; 100]);
        let subtract = binary(|a: f64, b: f64| a - b);
        assert!(subtract.accepts_splats(&[true, false]) && subtract.accepts_splats(&[false, true]));
        let (column, filled, one) =
            (Lanes::Float64(&values), Lanes::Float64(&low), Lanes::Float64(&low[..1]));
        assert_eq!(run(&*subtract, &[column, one]), run(&*subtract, &[column, filled]));
        assert_eq!(run(&*subtract, &[one, column]), run(&*subtract, &[filled, column]));
        let clamp = ternary(|x: f64, low: f64, high: f64| x.max(low).min(high));
        assert!(clamp.accepts_splats(&[false, true, true]) && !clamp.accepts_splats(&[true, true, false]));
        let filled = run(&*clamp, &[column, filled, Lanes::Float64(&high)]);
        assert_eq!(run(&*clamp, &[column, one, Lanes::Float64(&high[..1])]), filled);
    }
}
