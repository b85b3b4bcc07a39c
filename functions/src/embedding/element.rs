//! The element types of embeddings, and how embeddings are read and written.

use std::ops::Range;

use half::f16;

use super::CATEGORY;
use crate::column::{FixedWidth, List, Output, View, WritableFixed};
use crate::error::{Error, Result};
use crate::kernel::embedding as kernel;
use crate::kernel::vector::{elementwise, half_float, half_measure, pool};
use crate::scalar::{Arguments, ScalarFunction};
use crate::signature::Pattern;
use crate::types::Type;
use crate::value::Value;

/// An element type of embeddings, with its kernels.
pub(super) trait Element: FixedWidth + WritableFixed {
    /// What sums of elements are computed in, and measures given in.
    type Wide: FixedWidth
        + WritableFixed
        + std::ops::Neg<Output = Self::Wide>
        + std::ops::Sub<Output = Self::Wide>;
    /// SQL type of an element.
    const TYPE: Type;
    /// SQL type of [`Element::Wide`].
    const WIDE: Type;

    fn add(left: &[Self], right: &[Self], output: &mut [Self]);
    fn subtract(left: &[Self], right: &[Self], output: &mut [Self]);
    fn multiply(left: &[Self], right: &[Self], output: &mut [Self]);
    fn scale(vector: &[Self], factor: Self::Wide, output: &mut [Self]);
    fn sum(around: &[Self], length: usize, sums: &mut [Self::Wide]);
    fn add_weighted(vector: &[Self], weight: Self::Wide, sums: &mut [Self::Wide]);
    fn divide(sums: &[Self::Wide], divisor: Self::Wide, output: &mut [Self]);
    fn extreme(vector: &[Self], greatest: bool, held: &mut [Self]);
    fn normalize(vector: &[Self], output: &mut [Self]);
    fn double(self) -> f64;
    fn of_double(value: f64) -> Self;
    fn wide_of(value: f64) -> Self::Wide;
    fn double_of(value: Self::Wide) -> f64;
}

macro_rules! element {
    ($element:ty, $wide:ty, $type:ident, $wide_type:ident, $add:ident, $subtract:ident, $multiply:ident, $scale:ident,
     $sum:ident, $weighted:ident, $divide:ident, $extreme:ident, $normalize:path, $widen:expr, $narrow:expr) => {
        impl Element for $element {
            type Wide = $wide;
            const TYPE: Type = Type::$type;
            const WIDE: Type = Type::$wide_type;

            fn add(left: &[Self], right: &[Self], output: &mut [Self]) {
                elementwise::$add(left, right, output);
            }
            fn subtract(left: &[Self], right: &[Self], output: &mut [Self]) {
                elementwise::$subtract(left, right, output);
            }
            fn multiply(left: &[Self], right: &[Self], output: &mut [Self]) {
                elementwise::$multiply(left, right, output);
            }
            fn scale(vector: &[Self], factor: $wide, output: &mut [Self]) {
                elementwise::$scale(vector, factor, output);
            }
            fn sum(around: &[Self], length: usize, sums: &mut [$wide]) {
                pool::$sum(around, length, sums);
            }
            fn add_weighted(vector: &[Self], weight: $wide, sums: &mut [$wide]) {
                pool::$weighted(vector, weight, sums);
            }
            fn divide(sums: &[$wide], divisor: $wide, output: &mut [Self]) {
                pool::$divide(sums, divisor, output);
            }
            fn extreme(vector: &[Self], greatest: bool, held: &mut [Self]) {
                pool::$extreme(vector, greatest, held);
            }
            fn normalize(vector: &[Self], output: &mut [Self]) {
                $normalize(vector, output);
            }
            fn double(self) -> f64 {
                $widen(self)
            }
            fn of_double(value: f64) -> Self {
                $narrow(value)
            }
            fn wide_of(value: f64) -> $wide {
                value as $wide
            }
            fn double_of(value: $wide) -> f64 {
                value as f64
            }
        }
    };
}

// One call expands to the impl for one element type, by the kernels of that type.
element!(
    f32,
    f32,
    Float32,
    Float32,
    add_f32,
    subtract_f32,
    multiply_f32,
    scale_f32,
    sum_f32,
    add_weighted_f32,
    divide_f32,
    extreme_f32,
    kernel::normalize_f32,
    f64::from,
    |value| value as f32
);
element!(
    f64,
    f64,
    Float64,
    Float64,
    add_f64,
    subtract_f64,
    multiply_f64,
    scale_f64,
    sum_f64,
    add_weighted_f64,
    divide_f64,
    extreme_f64,
    kernel::normalize_f64,
    std::convert::identity,
    std::convert::identity
);
element!(
    f16,
    f32,
    Float16,
    Float32,
    add_f16,
    subtract_f16,
    multiply_f16,
    scale_f16,
    sum_f16,
    add_weighted_f16,
    divide_f16,
    extreme_f16,
    half_measure::normalize_f16,
    |value: f16| f64::from(half_float::widen_half(value.to_bits())),
    half_float::narrow_double
);

/// A list or fixed list of these elements.
pub(crate) fn vector_of(element: Type) -> Pattern {
    Pattern::AnyList(Box::new(Pattern::Exact(element)))
}

/// Lists or fixed lists of vectors of these elements.
pub(super) fn vectors_of(element: Type) -> Pattern {
    Pattern::AnyList(Box::new(vector_of(element)))
}

/// A function of this family without forms.
pub(super) fn function(name: &str, summary: &str) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary)
}

/// The dimension of an argument as far as it is known while planning.
pub(crate) fn known_dimension(arguments: &Arguments<'_>, position: usize) -> Option<usize> {
    match (&arguments.types[position], arguments.known(position)) {
        (Type::FixedList(_, size), _) => Some(*size),
        (_, Some(Value::Shared(list))) => Some(list.len()),
        (_, Some(Value::List(_, values))) => Some(values.len()),
        _ => None,
    }
}

/// Refuses two embeddings whose dimensions are known to differ.
///
/// # Errors
/// [`Error::DimensionMismatch`].
pub(crate) fn check_dimensions(arguments: &Arguments<'_>, left: usize, right: usize) -> Result<()> {
    if let (Some(expected), Some(actual)) =
        (known_dimension(arguments, left), known_dimension(arguments, right))
        && actual != expected
    {
        let function = arguments.function.to_owned();
        return Err(Error::DimensionMismatch { function, position: right + 1, actual, expected });
    }
    Ok(())
}

/// The elements of embeddings, as slices.
#[derive(Clone, Copy)]
pub(crate) struct Embeddings<'a, T> {
    list: List<'a>,
    values: &'a [T],
    may_be_null: bool,
}

impl<'a, T: FixedWidth> Embeddings<'a, T> {
    pub fn new(view: &View<'a>) -> Self {
        let list = view.list();
        let child = list.child();
        // Elements of lists are flat in every layout of the engine.
        let values = child.fixed::<T>().flat().unwrap_or_default();
        Self { list, values, may_be_null: child.may_be_null() }
    }

    /// The elements of one embedding; `None` if one of them is null.
    pub fn elements(&self, index: usize) -> Option<&'a [T]> {
        let range = self.list.range(index);
        if self.may_be_null && range.clone().any(|element| self.list.child().is_null(element)) {
            return None;
        }
        self.values.get(range)
    }

    /// The elements of all embeddings.
    pub fn all(&self) -> &'a [T] {
        self.values
    }

    /// The dimension of one embedding.
    pub fn length(&self, index: usize) -> usize {
        self.list.length(index)
    }

    /// The elements of adjoining embeddings, if they adjoin and none may be null.
    pub fn run(&self, indices: Range<usize>) -> Option<&'a [T]> {
        self.values.get(self.run_range(indices)?)
    }

    /// Where the elements of adjoining embeddings lie among all.
    pub fn run_range(&self, indices: Range<usize>) -> Option<Range<usize>> {
        let (first, last) = (self.list.range(indices.start), self.list.range(indices.end.checked_sub(1)?));
        let whole = first.start..last.end;
        let adjoin = first.len() * indices.len() == whole.len();
        let all_alike = || indices.clone().all(|index| self.list.length(index) == first.len());
        (adjoin && !self.may_be_null && all_alike()).then_some(whole)
    }

    /// The embedding of a row; a null inside it fails the row.
    pub fn get(&self, row: usize, function: &str, position: usize, output: &mut Output) -> Option<&'a [T]> {
        let found = self.elements(row);
        if found.is_none() {
            output.fail(row, || null_element(function, position));
        }
        found
    }
}

/// The error of an embedding with a null inside.
pub(super) fn null_element(function: &str, position: usize) -> Error {
    let problem = "holds a null element; expected numbers, which coalesce or fill_null give";
    Error::argument(function, position, problem)
}

/// Lends the place of a row's vector of `dimension` elements to `write`. A fixed list must have that dimension.
pub(crate) fn write_vector<T: WritableFixed>(
    output: &mut Output,
    row: usize,
    dimension: usize,
    write: impl FnOnce(&mut [T]),
) {
    if matches!(output.data_type(), Type::FixedList(..)) {
        let child = output.fixed_list_child();
        return write(&mut child.fixed::<T>()[row * dimension..(row + 1) * dimension]);
    }
    let mut writer = output.list();
    let start = writer.child().grow(dimension);
    write(&mut writer.child().fixed::<T>()[start..start + dimension]);
    writer.set(row, start, dimension);
}
