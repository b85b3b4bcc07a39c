//! Functions from closures: the short way to give a session a function of one's own.
//!
//! Strict: a null argument makes the row null and the closure is not called. The long way, with
//! null awareness, lists, row errors and prepared state, is
//! [`ScalarFunction`] and [`AggregateFunction`] themselves.

use std::sync::Arc;

use hypostyle_functions::Type;
use hypostyle_functions::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use hypostyle_functions::column::{Output, Rows, View};
use hypostyle_functions::error::Result;
use hypostyle_functions::lanes::{self, Lane};
use hypostyle_functions::scalar::{Bound, ScalarFunction};
use hypostyle_functions::signature::exact;

/// Rust types that stand for a SQL type of fixed width.
pub trait SqlType: Lane {
    /// The SQL type.
    const TYPE: Type;
}

macro_rules! sql_types {
    ($($rust:ty => $sql:ident),*) => { $(impl SqlType for $rust { const TYPE: Type = Type::$sql; })* };
}
// One arm expands to the impl of `SqlType` for one Rust type.
sql_types!(bool => Boolean, i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64, u8 => UInt8, u16 => UInt16, u32 => UInt32, u64 => UInt64, f32 => Float32, f64 => Float64);

const CATEGORY: &str = "user";

/// A function of one argument. It joins fused programs like a built-in one.
///
/// ```
/// use hypostyle::{Session, closure};
/// let session = Session::new();
/// session.register_scalar(closure::unary("twice", |x: f64| x * 2.0));
/// let batches = session.sql("SELECT twice(21) AS answer")?.collect_all()?;
/// # assert_eq!(batches[0].num_rows(), 1);
/// # Ok::<(), hypostyle::Error>(())
/// ```
pub fn unary<A: SqlType, R: SqlType>(
    name: &str,
    function: impl Fn(A) -> R + Clone + Send + Sync + 'static,
) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, "A function of this session.")
        .overload([exact("x", A::TYPE)], move |_| Ok(Bound::lanes(R::TYPE, lanes::unary(function.clone()))))
}

/// A function of two arguments.
pub fn binary<A: SqlType, B: SqlType, R: SqlType>(
    name: &str,
    function: impl Fn(A, B) -> R + Clone + Send + Sync + 'static,
) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, "A function of this session.")
        .overload([exact("x", A::TYPE), exact("y", B::TYPE)], move |_| {
            Ok(Bound::lanes(R::TYPE, lanes::binary(function.clone())))
        })
}

/// A function of three arguments.
pub fn ternary<A: SqlType, B: SqlType, C: SqlType, R: SqlType>(
    name: &str,
    function: impl Fn(A, B, C) -> R + Clone + Send + Sync + 'static,
) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, "A function of this session.")
        .overload([exact("x", A::TYPE), exact("y", B::TYPE), exact("z", C::TYPE)], move |_| {
            Ok(Bound::lanes(R::TYPE, lanes::ternary(function.clone())))
        })
}

/// A function from text to text; it is called once per distinct value of a dictionary column.
pub fn text(name: &str, function: impl Fn(&str) -> String + Send + Sync + 'static) -> ScalarFunction {
    let function = Arc::new(function);
    ScalarFunction::new(name, CATEGORY, "A function of this session.").overload(
        [exact("text", Type::Text)],
        move |_| {
            let function = Arc::clone(&function);
            Ok(Bound::strict(Type::Text, move |arguments, rows, output, _| {
                let (texts, mut writer) = (arguments[0].text(), output.text());
                rows.for_each(|row| writer.set(row, &function(texts.get(row))));
                Ok(())
            }))
        },
    )
}

/// An aggregate over doubles whose state is a fixed number of doubles.
///
/// `update` adds a value, `merge` adds another state, `finish` gives the result; a group without
/// values gives null. If `merge` depends on the order of its operands, so does the result.
///
/// ```
/// use hypostyle::{Session, closure};
/// let session = Session::new();
/// session.register_aggregate(closure::fold(
///     "sum_of_squares", [0.0],
///     |state, x| state[0] += x * x,
///     |state, other| state[0] += other[0],
///     |state| state[0],
/// ));
/// # Ok::<(), hypostyle::Error>(())
/// ```
pub fn fold<const N: usize>(
    name: &str,
    empty: [f64; N],
    update: impl Fn(&mut [f64; N], f64) + Send + Sync + 'static,
    merge: impl Fn(&mut [f64; N], &[f64; N]) + Send + Sync + 'static,
    finish: impl Fn(&[f64; N]) -> f64 + Send + Sync + 'static,
) -> AggregateFunction {
    let rules = Arc::new(Rules { empty, update, merge, finish });
    AggregateFunction::new(name, CATEGORY, "An aggregate of this session.").overload(
        [exact("value", Type::Float64)],
        move |_| {
            let mut states = vec![Type::Int64];
            states.resize(N + 1, Type::Float64);
            let rules = Arc::clone(&rules);
            Ok(BoundAggregate::strict(Type::Float64, states, move || Fold {
                groups: Vec::new(),
                rules: Arc::clone(&rules),
            }))
        },
    )
}

struct Rules<const N: usize, U, M, F> {
    empty: [f64; N],
    update: U,
    merge: M,
    finish: F,
}

/// Number of values and state of each group.
struct Fold<const N: usize, U, M, F> {
    groups: Vec<(i64, [f64; N])>,
    rules: Arc<Rules<N, U, M, F>>,
}

impl<const N: usize, U, M, F> Accumulator for Fold<N, U, M, F>
where
    U: Fn(&mut [f64; N], f64) + Send + Sync + 'static,
    M: Fn(&mut [f64; N], &[f64; N]) + Send + Sync + 'static,
    F: Fn(&[f64; N]) -> f64 + Send + Sync + 'static,
{
    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, (0, self.rules.empty));
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        let values = arguments[0].fixed::<f64>();
        rows.for_each(|row| {
            let (count, state) = &mut self.groups[groups[row] as usize];
            *count += 1;
            (self.rules.update)(state, values.get(row));
        });
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let counts = states[0].fixed::<i64>();
        for (row, &group) in groups.iter().enumerate().filter(|(row, _)| counts.get(*row) > 0) {
            let mut other = self.rules.empty;
            other
                .iter_mut()
                .zip(&states[1..])
                .for_each(|(value, state)| *value = state.fixed::<f64>().get(row));
            let (count, state) = &mut self.groups[group as usize];
            *count += counts.get(row);
            (self.rules.merge)(state, &other);
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        for (row, &group) in groups.iter().enumerate() {
            let (count, state) = &self.groups[group as usize];
            output[0].fixed::<i64>()[row] = *count;
            state
                .iter()
                .zip(&mut output[1..])
                .for_each(|(value, column)| column.fixed::<f64>()[row] = *value);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        for (row, &group) in groups.iter().enumerate() {
            match &self.groups[group as usize] {
                (0, _) => output.set_null(row),
                (_, state) => output.fixed::<f64>()[row] = (self.rules.finish)(state),
            }
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.groups.capacity() * size_of::<(i64, [f64; N])>()
    }
}
