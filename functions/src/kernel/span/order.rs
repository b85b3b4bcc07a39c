//! Spans of whole numbers put in order.
//!
//! A short span is ordered by ranks: how many of its elements precede an element is where it goes. Each element is compared
//! with all, a vector at a time, and lengths are rounded up to whole vectors, so that nothing but their number has to be
//! foreseen. What is compared are keys that hold the place of an element below its number: no two are equal, so ranks are not either,
//! and each element has a place of its own. Keys have 32 bits where the numbers leave room for the place, as ids mostly do.

use super::{Span, elements};
use crate::kernel::level::{Level, Tier};

/// Elements that are compared at once: a vector of keys of 32 bits.
const LANES: usize = 8;
/// Spans that are looked through together for how many bits their numbers have.
const GROUP: usize = 64;
/// The longest span that is ordered by ranks.
const RANKED_MAX: usize = 6 * LANES;
/// Bits of a key that hold a place.
const PLACE_BITS: u32 = RANKED_MAX.ilog2() + 1;

/// What is compared instead of a number: the number, and below it a place.
trait Key: Copy + Ord {
    /// Counts of a key's width, so that they lie in the lanes of the keys.
    type Count: Copy + Default;
    /// A key that no element has; all of theirs precede it.
    const LAST: Self;
    /// Bits of a number beside its sign that leave room for the place.
    const NUMBER_BITS: u32;
    /// The key of a number of at most those bits.
    fn of(number: i64, place: usize) -> Self;
    /// Adds one to a count if `is_counted`.
    fn add(count: Self::Count, is_counted: bool) -> Self::Count;
    /// A count as a place.
    fn place(count: Self::Count) -> usize;
}

macro_rules! keys {
    ($($key:ty: $count:ty;)*) => {$(
        impl Key for $key {
            type Count = $count;
            const LAST: Self = <$key>::MAX;
            const NUMBER_BITS: u32 = <$key>::BITS - 1 - PLACE_BITS;
            #[inline(always)]
            fn of(number: i64, place: usize) -> Self {
                (number as $key) << PLACE_BITS | place as $key
            }
            #[inline(always)]
            fn add(count: $count, is_counted: bool) -> $count {
                count + <$count>::from(is_counted)
            }
            #[inline(always)]
            fn place(count: $count) -> usize {
                count as usize
            }
        }
    )*};
}
// One arm expands to the impl of one width.
keys! {
    i32: u32;
    i64: u64;
}

/// The most bits beside its sign that a number of these spans has, and maybe one between them.
#[inline(always)]
fn number_bits<T: Copy + Into<i64>>(values: &[T], spans: &[Span]) -> u32 {
    let unite = |digits: i64, values: &[T]| {
        values.iter().fold(digits, |digits, &value| {
            let number: i64 = value.into();
            digits | (number ^ (number >> 63))
        })
    };
    let (start, end) =
        spans.iter().fold((u32::MAX, 0), |(start, end), span| (start.min(span.0), end.max(span.1)));
    // Spans that follow one another are read as one.
    let digits = if start < end && (end - start) as usize <= GROUP * RANKED_MAX {
        unite(0, elements(values, (start, end)))
    } else {
        spans.iter().fold(0, |digits, &span| unite(digits, elements(values, span)))
    };
    i64::BITS - digits.leading_zeros()
}

/// Orders the first `count` elements of a window; the others only fill it.
#[inline(always)]
fn order_window<T, K: Key, const WIDTH: usize, const DESCENDING: bool>(
    window: &[T; WIDTH],
    count: usize,
    sorted: &mut [T],
) where
    T: Copy + Into<i64>,
{
    let mut keys = [K::LAST; WIDTH];
    for (place, (key, &element)) in keys.iter_mut().zip(window).enumerate() {
        let number: i64 = element.into();
        // The complement has the reverse order, and no more bits.
        let number = if DESCENDING { !number } else { number };
        *key = if place < count { K::of(number, place) } else { K::LAST };
    }
    let mut ranks = [K::Count::default(); WIDTH];
    for &key in &keys {
        for (rank, &other) in ranks.iter_mut().zip(&keys) {
            *rank = K::add(*rank, key < other);
        }
    }
    let places = ranks.iter().map(|&rank| K::place(rank));
    match sorted.first_chunk_mut::<WIDTH>() {
        // All that only fills the window comes to the place behind the span, where the next one is written.
        Some(sorted) => {
            window.iter().zip(places).for_each(|(&element, place)| sorted[place.min(WIDTH - 1)] = element)
        }
        None => {
            let sorted = &mut sorted[..count];
            window[..count].iter().zip(places).for_each(|(&element, place)| sorted[place] = element);
        }
    }
}

/// Orders the `count` elements from `start` on into the first places of `rest`.
#[inline(always)]
fn order_short<T, K: Key, const WIDTH: usize, const DESCENDING: bool>(
    values: &[T],
    start: usize,
    count: usize,
    rest: &mut [T],
) where
    T: Copy + Default + Into<i64>,
{
    if let Some(window) = values[start..].first_chunk::<WIDTH>() {
        return order_window::<T, K, WIDTH, DESCENDING>(window, count, rest);
    }
    // The last spans of all have less behind them than a window holds.
    let mut window = [T::default(); WIDTH];
    window[..count].copy_from_slice(&values[start..start + count]);
    order_window::<T, K, WIDTH, DESCENDING>(&window, count, rest);
}

/// Orders spans into the first places of `results`: those of up to `ranked_max` elements by ranks of their keys, longer ones by a sort.
#[inline(always)]
fn order_group<T, K: Key, const DESCENDING: bool>(
    values: &[T],
    spans: &[Span],
    ranked_max: usize,
    results: &mut &mut [T],
) where
    T: Copy + Default + Ord + Into<i64>,
{
    for &(start, end) in spans {
        let (at, count) = (start as usize, (end - start) as usize);
        if count > ranked_max {
            let sorted = &mut results[..count];
            sorted.copy_from_slice(elements(values, (start, end)));
            // Equal whole numbers cannot be told apart, so their order is no matter.
            sorted.sort_unstable();
            if DESCENDING {
                sorted.reverse();
            }
        } else {
            match count.div_ceil(LANES) {
                0 => {}
                1 => order_short::<T, K, { LANES }, DESCENDING>(values, at, count, results),
                2 => order_short::<T, K, { 2 * LANES }, DESCENDING>(values, at, count, results),
                3 => order_short::<T, K, { 3 * LANES }, DESCENDING>(values, at, count, results),
                4 => order_short::<T, K, { 4 * LANES }, DESCENDING>(values, at, count, results),
                5 => order_short::<T, K, { 5 * LANES }, DESCENDING>(values, at, count, results),
                _ => order_short::<T, K, RANKED_MAX, DESCENDING>(values, at, count, results),
            }
        }
        *results = &mut std::mem::take(results)[count..];
    }
}

/// Orders all spans; `ranks_wide` where keys of 64 bits are compared faster than a sort takes.
#[inline(always)]
fn order<T, const DESCENDING: bool>(values: &[T], spans: &[Span], ranks_wide: bool, mut results: &mut [T])
where
    T: Copy + Default + Ord + Into<i64>,
{
    for spans in spans.chunks(GROUP) {
        let bits = number_bits(values, spans);
        if bits <= <i32 as Key>::NUMBER_BITS {
            order_group::<T, i32, DESCENDING>(values, spans, RANKED_MAX, &mut results);
        } else {
            let ranked_max = if ranks_wide && bits <= <i64 as Key>::NUMBER_BITS { RANKED_MAX } else { 0 };
            order_group::<T, i64, DESCENDING>(values, spans, ranked_max, &mut results);
        }
    }
}

at_each_level! {
    #[expect(dead_code, reason = "callers give the level")]
    fn ascending_i64_ranked / ascending_i64_ranked_at(values: &[i64], spans: &[Span], ranks_wide: bool, results: &mut [i64]) {
        order::<i64, false>(values, spans, ranks_wide, results);
    }
    #[expect(dead_code, reason = "callers give the level")]
    fn descending_i64_ranked / descending_i64_ranked_at(values: &[i64], spans: &[Span], ranks_wide: bool, results: &mut [i64]) {
        order::<i64, true>(values, spans, ranks_wide, results);
    }
    #[expect(dead_code, reason = "callers give the level")]
    fn ascending_i32_ranked / ascending_i32_ranked_at(values: &[i32], spans: &[Span], ranks_wide: bool, results: &mut [i32]) {
        order::<i32, false>(values, spans, ranks_wide, results);
    }
    #[expect(dead_code, reason = "callers give the level")]
    fn descending_i32_ranked / descending_i32_ranked_at(values: &[i32], spans: &[Span], ranks_wide: bool, results: &mut [i32]) {
        order::<i32, true>(values, spans, ranks_wide, results);
    }
}

macro_rules! orders {
    ($($(#[$meta:meta])* $name:ident, $name_at:ident, $ranked_at:ident, $number:ty;)*) => {$(
        $(#[$meta])*
        pub fn $name(values: &[$number], spans: &[Span], results: &mut [$number]) {
            $name_at(Level::current(), values, spans, results);
        }

        #[doc = concat!("[`", stringify!($name), "`] at the level given.")]
        pub fn $name_at(level: Level, values: &[$number], spans: &[Span], results: &mut [$number]) {
            // Vectors of 256 bits compare and count in two instructions, wider ones by way of a mask.
            let level = level.at_most(Tier::Avx2);
            $ranked_at(level, values, spans, level.tier() >= Tier::Avx2, results);
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
        // The widest numbers that fit a width or a key of it, beside the narrowest that do not.
        let ends = [24, 25, 31, 56, 57].map(|bits| [(1i64 << bits) - 1, -(1 << bits)]);
        let beyond = ends.map(|[greatest, least]| [greatest + 1, least - 1]);
        let cases = ends.into_iter().chain(beyond).chain([[i64::MIN, i64::MAX]]);
        for (distinct, own) in cases.flat_map(|own| [1u64, 6, 1 << 31].map(|distinct| (distinct, own))) {
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
