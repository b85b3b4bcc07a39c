//! Spans of whole numbers put in order.
//!
//! A short span is ordered by ranks: how many of its elements precede an element is where it goes. Each element is compared
//! with all, a vector at a time, and lengths are rounded up to whole vectors, so that nothing but their number has to be
//! foreseen. Equal elements have equal ranks and leave the places behind the first of them open; a running maximum fills
//! those. Numbers of 64 bits that fit 32, as ids mostly do, are ranked in these, twice as many at once.

use super::{Span, elements};
use crate::kernel::level::{Level, Tier};

/// Elements that are compared at once: a vector of the widest registers.
const LANES: usize = 8;
/// Elements of 32 bits that are compared at once.
const NARROW_LANES: usize = 2 * LANES;
/// Spans that are looked through together for whether their numbers are narrow.
const GROUP: usize = 64;
/// The longest span that is ordered by ranks.
const RANKED_MAX: usize = 6 * LANES;

/// Whole numbers with an order and its reverse.
pub trait Ranked: Copy + Ord + Default {
    /// Counts of a number's width, so that they lie in the lanes of the numbers.
    type Count: Copy + Default;
    /// The least and the greatest number.
    const ENDS: [Self; 2];
    /// Adds one to a count if `is_counted`.
    fn add(count: Self::Count, is_counted: bool) -> Self::Count;
    /// A count as a place.
    fn place(count: Self::Count) -> usize;
    /// True if all numbers are ranked as narrow ones.
    fn are_narrow(values: &[Self]) -> bool;
}

/// Numbers that stand for those of another width while they are ranked.
trait StandsFor<T>: Ranked {
    fn of(value: T) -> Self;
    fn back(self) -> T;
}

impl<T: Ranked> StandsFor<T> for T {
    #[inline(always)]
    fn of(value: T) -> Self {
        value
    }
    #[inline(always)]
    fn back(self) -> T {
        self
    }
}

impl StandsFor<i64> for i32 {
    #[inline(always)]
    fn of(value: i64) -> Self {
        // Numbers that do not fit are not ranked like this, and what only fills a window may be anything.
        value as i32
    }
    #[inline(always)]
    fn back(self) -> i64 {
        i64::from(self)
    }
}

macro_rules! ranked {
    ($($number:ty: $count:ty, $are_narrow:expr;)*) => {$(
        impl Ranked for $number {
            type Count = $count;
            const ENDS: [Self; 2] = [<$number>::MIN, <$number>::MAX];
            #[inline(always)]
            fn add(count: $count, is_counted: bool) -> $count {
                count + <$count>::from(is_counted)
            }
            #[inline(always)]
            fn place(count: $count) -> usize {
                count as usize
            }
            #[inline(always)]
            fn are_narrow(values: &[$number]) -> bool {
                $are_narrow(values)
            }
        }
    )*};
}
// One arm expands to the impl of one type. Numbers of 32 bits are narrow as they are.
ranked! {
    i32: u32, |_| false;
    i64: u64, fit_narrow;
}

/// True if numbers of 32 bits hold all values.
#[inline(always)]
fn fit_narrow(values: &[i64]) -> bool {
    let digits = values.iter().fold(0, |digits, value| digits | (value ^ (value >> 63)));
    digits <= i64::from(i32::MAX)
}

/// True if the numbers of all spans are narrow, as far as that is told by few numbers beside theirs.
#[inline(always)]
fn are_narrow<T: Ranked>(values: &[T], spans: &[Span]) -> bool {
    let (start, end) =
        spans.iter().fold((u32::MAX, 0), |(start, end), span| (start.min(span.0), end.max(span.1)));
    start < end
        && (end - start) as usize <= GROUP * RANKED_MAX
        && T::are_narrow(elements(values, (start, end)))
}

#[inline(always)]
fn precedes<T: Ranked, const DESCENDING: bool>(a: T, b: T) -> bool {
    if DESCENDING { a > b } else { a < b }
}

/// Orders the first `count` elements of a window, the others only fill it; what is open is written as the last.
#[inline(always)]
fn order_window<T: Ranked, N: StandsFor<T>, const WIDTH: usize, const DESCENDING: bool>(
    window: &[T; WIDTH],
    count: usize,
    sorted: &mut [T],
) {
    let given = window;
    let mut window = [N::default(); WIDTH];
    window.iter_mut().zip(given).for_each(|(number, &value)| *number = N::of(value));
    let mut ranks = [N::Count::default(); WIDTH];
    for &element in &window[..count] {
        for (rank, &other) in ranks.iter_mut().zip(&window) {
            *rank = N::add(*rank, precedes::<N, DESCENDING>(element, other));
        }
    }
    let first = N::ENDS[usize::from(DESCENDING)];
    let mut places = [first; RANKED_MAX + 1];
    for (at, (&element, &rank)) in window.iter().zip(&ranks).enumerate() {
        // Elements that only fill the window go to a place that nobody reads.
        let place = if at < count { N::place(rank) } else { RANKED_MAX };
        places[place.min(RANKED_MAX)] = element;
    }
    let mut last = first;
    for place in &mut places[..WIDTH] {
        last = if precedes::<N, DESCENDING>(last, *place) { *place } else { last };
        *place = last;
    }
    let write = |sorted: &mut [T]| sorted.iter_mut().zip(&places).for_each(|(to, &place)| *to = place.back());
    match sorted.first_chunk_mut::<WIDTH>() {
        // What is written behind the span is written over by the next ones.
        Some(sorted) => write(sorted),
        None => write(&mut sorted[..count]),
    }
}

/// Orders the `count` elements from `start` on into the first places of `rest`.
#[inline(always)]
fn order_short<T: Ranked, N: StandsFor<T>, const WIDTH: usize, const DESCENDING: bool>(
    values: &[T],
    start: usize,
    count: usize,
    rest: &mut [T],
) {
    if let Some(window) = values[start..].first_chunk::<WIDTH>() {
        return order_window::<T, N, WIDTH, DESCENDING>(window, count, rest);
    }
    // The last spans of all have less behind them than a window holds.
    let mut window = [T::default(); WIDTH];
    window[..count].copy_from_slice(&values[start..start + count]);
    order_window::<T, N, WIDTH, DESCENDING>(&window, count, rest);
}

/// Orders a span of up to [`RANKED_MAX`] elements into the first places of `rest`, by vectors of `PER_VECTOR` elements.
#[inline(always)]
fn order_ranked<T: Ranked, N: StandsFor<T>, const PER_VECTOR: usize, const DESCENDING: bool>(
    values: &[T],
    at: usize,
    count: usize,
    rest: &mut [T],
) {
    match count.div_ceil(PER_VECTOR) * (PER_VECTOR / LANES) {
        0 => {}
        1 => order_short::<T, N, { LANES }, DESCENDING>(values, at, count, rest),
        2 => order_short::<T, N, { 2 * LANES }, DESCENDING>(values, at, count, rest),
        3 => order_short::<T, N, { 3 * LANES }, DESCENDING>(values, at, count, rest),
        4 => order_short::<T, N, { 4 * LANES }, DESCENDING>(values, at, count, rest),
        5 => order_short::<T, N, { 5 * LANES }, DESCENDING>(values, at, count, rest),
        _ => order_short::<T, N, RANKED_MAX, DESCENDING>(values, at, count, rest),
    }
}

/// Orders spans by ranks in numbers of the type `N`, and those longer than `ranked_max` by a sort.
#[inline(always)]
fn order_group<T: Ranked, N: StandsFor<T>, const PER_VECTOR: usize, const DESCENDING: bool>(
    values: &[T],
    spans: &[Span],
    ranked_max: usize,
    results: &mut &mut [T],
) {
    for &(start, end) in spans {
        let (at, count) = (start as usize, (end - start) as usize);
        if count <= ranked_max {
            order_ranked::<T, N, PER_VECTOR, DESCENDING>(values, at, count, results);
        } else {
            let sorted = &mut results[..count];
            sorted.copy_from_slice(elements(values, (start, end)));
            // Equal whole numbers cannot be told apart, so their order is no matter.
            sorted.sort_unstable();
            if DESCENDING {
                sorted.reverse();
            }
        }
        *results = &mut std::mem::take(results)[count..];
    }
}

#[inline(always)]
fn order<T: Ranked, const DESCENDING: bool>(
    values: &[T],
    spans: &[Span],
    ranked_max: usize,
    mut results: &mut [T],
) where
    i32: StandsFor<T>,
{
    for spans in spans.chunks(GROUP) {
        if ranked_max > 0 && are_narrow(values, spans) {
            order_group::<T, i32, NARROW_LANES, DESCENDING>(values, spans, ranked_max, &mut results);
        } else {
            order_group::<T, T, LANES, DESCENDING>(values, spans, ranked_max, &mut results);
        }
    }
}

at_each_level! {
    #[expect(dead_code, reason = "callers give the level")]
    fn ascending_i64_ranked / ascending_i64_ranked_at(values: &[i64], spans: &[Span], ranked_max: usize, results: &mut [i64]) {
        order::<i64, false>(values, spans, ranked_max, results);
    }
    #[expect(dead_code, reason = "callers give the level")]
    fn descending_i64_ranked / descending_i64_ranked_at(values: &[i64], spans: &[Span], ranked_max: usize, results: &mut [i64]) {
        order::<i64, true>(values, spans, ranked_max, results);
    }
    #[expect(dead_code, reason = "callers give the level")]
    fn ascending_i32_ranked / ascending_i32_ranked_at(values: &[i32], spans: &[Span], ranked_max: usize, results: &mut [i32]) {
        order::<i32, false>(values, spans, ranked_max, results);
    }
    #[expect(dead_code, reason = "callers give the level")]
    fn descending_i32_ranked / descending_i32_ranked_at(values: &[i32], spans: &[Span], ranked_max: usize, results: &mut [i32]) {
        order::<i32, true>(values, spans, ranked_max, results);
    }
}

/// The longest span that is ordered by ranks at a level: only vectors of eight pay (48 ms for ten million elements in lists
/// of twenty, 71 by a sort, and 70 by ranks in vectors of four).
fn ranked_max(level: Level) -> usize {
    if level.tier() == Tier::Avx512 { RANKED_MAX } else { 0 }
}

macro_rules! orders {
    ($($(#[$meta:meta])* $name:ident, $name_at:ident, $ranked_at:ident, $number:ty;)*) => {$(
        $(#[$meta])*
        pub fn $name(values: &[$number], spans: &[Span], results: &mut [$number]) {
            $name_at(Level::current(), values, spans, results);
        }

        #[doc = concat!("[`", stringify!($name), "`] at the level given.")]
        pub fn $name_at(level: Level, values: &[$number], spans: &[Span], results: &mut [$number]) {
            $ranked_at(level, values, spans, ranked_max(level), results);
        }
    )*};
}
// One arm expands to the function at the current level and the one at a level given.
orders! {
    /// Writes the elements of each span in ascending order, all spans one after the other.
    ///
    /// # Panics
    /// If a span does not lie inside the values, or the results hold less than all elements.
    ascending_i64, ascending_i64_at, ascending_i64_ranked_at, i64;
    /// As [`ascending_i64`], in descending order.
    descending_i64, descending_i64_at, descending_i64_ranked_at, i64;
    /// As [`ascending_i64`], for numbers of 32 bits.
    ascending_i32, ascending_i32_at, ascending_i32_ranked_at, i32;
    /// As [`descending_i64`], for numbers of 32 bits.
    descending_i32, descending_i32_at, descending_i32_ranked_at, i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_every_length_are_sorted_at_every_level() {
        let mut state = 7u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        // The widest of the numbers that fit 32 bits beside the narrowest that do not.
        let ends = [i64::MIN, i64::MAX, i64::from(i32::MIN), i64::from(i32::MAX), 1 << 31, -(1 << 31) - 1];
        for (distinct, of_ends) in
            [(1u64, [0, 1]), (6, [2, 3]), (9, [4, 5]), (6, [0, 1]), (1 << 31, [2, 3]), (1 << 31, [0, 1])]
        {
            let own = of_ends.map(|end| ends[end]);
            let mut values: Vec<i64> = Vec::new();
            let mut spans: Vec<Span> = Vec::new();
            for length in (0..80).chain([200]).chain((0..80).rev()) {
                let start = values.len() as u32;
                values.extend((0..length).map(|_| match next(distinct) {
                    0 => own[0],
                    1 => own[1],
                    value => value as i64 - 3,
                }));
                spans.push((start, values.len() as u32));
            }
            let narrow: Vec<i32> = values.iter().map(|&value| value as i32).collect();
            let sorted = |is_descending: bool| {
                let mut all = Vec::new();
                for &span in &spans {
                    let mut list = elements(&values, span).to_vec();
                    list.sort_unstable();
                    if is_descending {
                        list.reverse();
                    }
                    all.extend(list);
                }
                all
            };
            let sorted_narrow = |is_descending: bool| {
                let mut all = Vec::new();
                for &span in &spans {
                    let mut list = elements(&narrow, span).to_vec();
                    list.sort_unstable();
                    if is_descending {
                        list.reverse();
                    }
                    all.extend(list);
                }
                all
            };
            for level in Level::available() {
                let mut results = vec![0; values.len()];
                ascending_i64_at(level, &values, &spans, &mut results);
                assert_eq!(results, sorted(false), "{level}, {distinct}");
                descending_i64_at(level, &values, &spans, &mut results);
                assert_eq!(results, sorted(true), "{level}, {distinct}");
                let mut results = vec![0; values.len()];
                ascending_i32_at(level, &narrow, &spans, &mut results);
                assert_eq!(results, sorted_narrow(false), "{level}, {distinct}");
                descending_i32_at(level, &narrow, &spans, &mut results);
                assert_eq!(results, sorted_narrow(true), "{level}, {distinct}");
            }
        }
    }
}
