//! Totals of spans with AVX-512: vectors whose lanes behind the end of a span are masked off.
//!
//! A short span is a window of a few vectors, all of which are always loaded: how long a span is decides on masks and not
//! on branches, which nothing could foresee.

use super::Stretches;
use crate::kernel::level::Level;
#[cfg(target_arch = "x86_64")]
use crate::kernel::level::Tier;

/// Sums of spans, as [`Masked::sums`] leaves them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sums {
    /// All are exact.
    Exact,
    /// Some may have left 64 bits, or there are numbers below zero that were not expected.
    Unsure,
}

/// Whole numbers with masked kernels, which do nothing where a level does not have them.
pub trait Masked: Sized {
    /// Writes the sum of each span; `None` where there is no such kernel.
    ///
    /// What the sums need is told from the numbers. That takes half the time where none of them is below zero, which only a
    /// `signed` kernel is ready for.
    ///
    /// # Panics
    /// If a span does not lie inside the values, as in all functions of this module.
    fn sums(
        level: Level,
        values: &[Self],
        spans: Stretches<'_>,
        signed: bool,
        sums: &mut [i64],
    ) -> Option<Sums>;

    /// Writes the least number of each span, and of an empty one the greatest there is; false where there is no such kernel.
    fn least(level: Level, values: &[Self], spans: Stretches<'_>, results: &mut [Self]) -> bool;

    /// Writes the greatest number of each span, and of an empty one the least there is; false where there is no such kernel.
    fn greatest(level: Level, values: &[Self], spans: Stretches<'_>, results: &mut [Self]) -> bool;
}

macro_rules! masked {
    ($($number:ty: $sums:ident $least:ident $greatest:ident;)*) => {$(
        impl Masked for $number {
            fn sums(
        level: Level,
        values: &[Self],
        spans: Stretches<'_>,
        signed: bool,
        sums: &mut [i64],
    ) -> Option<Sums> {
                #[cfg(target_arch = "x86_64")]
                if level.tier() == Tier::Avx512 {
                    // SAFETY: a `Level` of this tier exists only where the machine was found to have these features.
                    return Some(unsafe { avx512::$sums(values, spans, signed, sums) });
                }
                let _ = (level, values, spans, signed, sums);
                None
            }
            fn least(level: Level, values: &[Self], spans: Stretches<'_>, results: &mut [Self]) -> bool {
                #[cfg(target_arch = "x86_64")]
                if level.tier() == Tier::Avx512 {
                    // SAFETY: as above.
                    unsafe { avx512::$least(values, spans, results) };
                    return true;
                }
                let _ = (level, values, spans, results);
                false
            }
            fn greatest(level: Level, values: &[Self], spans: Stretches<'_>, results: &mut [Self]) -> bool {
                #[cfg(target_arch = "x86_64")]
                if level.tier() == Tier::Avx512 {
                    // SAFETY: as above.
                    unsafe { avx512::$greatest(values, spans, results) };
                    return true;
                }
                let _ = (level, values, spans, results);
                false
            }
        }
    )*};
}
// One arm expands to the impl of one type.
masked! {
    i32: sums_i32 least_i32 greatest_i32;
    i64: sums_i64 least_i64 greatest_i64;
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use super::super::stretches::adjoining;
    use super::super::{Stretches, elements};
    use super::Sums;
    use crate::kernel::prefetch::{helps_over_lists, look_ahead};

    /// Vectors of a window.
    const VECTORS: usize = 5;

    /// Sets a bit for each lane of a window that holds one of `count` elements.
    #[inline]
    #[target_feature(enable = "bmi2")]
    fn lanes_of(count: usize) -> u64 {
        _bzhi_u64(u64::MAX, count.min(u64::BITS as usize) as u32)
    }

    /// Writes the totals of all spans: `$load` loads the lanes of a mask, `$step` adds a vector to a total, `$finish` makes a number of it.
    ///
    /// One use expands to a loop over the spans for each way in which they are held, in it a loop over the windows of a span, and in
    /// that one over the vectors of a window.
    macro_rules! over_spans {
        ($values:ident, $spans:ident, $($rest:tt)*) => {
            match $spans {
                Stretches::Adjoining(offsets) => {
                    let is_asked = helps_over_lists();
                    over_spans!(@each is_asked, $values, adjoining(offsets), $($rest)*)
                }
                Stretches::Scattered(spans) => over_spans!(@each false, $values, spans.iter().copied(), $($rest)*),
            }
        };
        (@each $is_asked:expr, $values:ident, $spans:expr, $results:ident, $lanes:literal as $mask:ty, $empty:ident, $load:ident, $step:expr, $finish:expr) => {
            for (result, span) in $results.iter_mut().zip($spans) {
                let own = elements($values, span);
                let (start, length) = (own.as_ptr(), own.len());
                let mut total = $empty;
                let mut at = 0;
                loop {
                    let lanes = lanes_of((length - at).min(VECTORS * $lanes));
                    if $is_asked {
                        look_ahead($values, (span.0 as usize).wrapping_add(at), VECTORS * $lanes);
                    }
                    for vector in 0..VECTORS {
                        let first = vector * $lanes;
                        let mask = if first < u64::BITS as usize { (lanes >> first) as $mask } else { 0 };
                        // SAFETY: the lanes of the mask lie inside the span; nothing is read of the others.
                        let loaded = unsafe { $load($empty, mask, start.wrapping_add(at + first)) };
                        total = $step(total, loaded);
                    }
                    at += VECTORS * $lanes;
                    if at >= length {
                        break;
                    }
                }
                *result = $finish(total);
            }
        };
    }

    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub fn sums_i64(values: &[i64], spans: Stretches<'_>, signed: bool, sums: &mut [i64]) -> Sums {
        match signed {
            true => sums_of_i64::<true>(values, spans, sums),
            false => sums_of_i64::<false>(values, spans, sums),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn sums_of_i64<const SIGNED: bool>(values: &[i64], spans: Stretches<'_>, sums: &mut [i64]) -> Sums {
        let zero = _mm512_setzero_si512();
        // The bits of all numbers that differ from their sign, which is taken for that of a number not below zero unless `SIGNED`.
        let mut bits = zero;
        let mut add = |total: __m512i, numbers: __m512i| {
            let own =
                if SIGNED { _mm512_xor_si512(numbers, _mm512_srai_epi64::<63>(numbers)) } else { numbers };
            bits = _mm512_or_si512(bits, own);
            _mm512_add_epi64(total, numbers)
        };
        over_spans!(values, spans, sums, 8 as __mmask8, zero, _mm512_mask_loadu_epi64, add, |total| {
            _mm512_reduce_add_epi64(total)
        });
        let digits = u64::BITS - (_mm512_reduce_or_epi64(bits) as u64).leading_zeros();
        // A number is not beyond 2^digits, and there are fewer than 2^(bits of the length) of them.
        let fits = digits + (u32::BITS - spans.longest().leading_zeros()) < i64::BITS;
        if fits { Sums::Exact } else { Sums::Unsure }
    }

    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub fn sums_i32(values: &[i32], spans: Stretches<'_>, _: bool, sums: &mut [i64]) -> Sums {
        let zero = _mm512_setzero_si512();
        let add = |total: __m512i, numbers: __m512i| _mm512_add_epi64(total, numbers);
        over_spans!(values, spans, sums, 8 as __mmask8, zero, load_widened, add, |total| {
            _mm512_reduce_add_epi64(total)
        });
        // A span has fewer than 2^32 numbers of 32 bits.
        Sums::Exact
    }

    /// Loads numbers of 32 bits as such of 64.
    ///
    /// # Safety
    /// The lanes of the mask can be read.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx2")]
    unsafe fn load_widened(empty: __m512i, mask: __mmask8, start: *const i32) -> __m512i {
        // SAFETY: the caller's.
        let numbers = unsafe { _mm256_mask_loadu_epi32(_mm512_castsi512_si256(empty), mask, start) };
        _mm512_cvtepi32_epi64(numbers)
    }

    /// Declares the least or greatest number of each span.
    ///
    /// `least_i64: i64, 8 as __mmask8, _mm512_set1_epi64(i64::MAX), ...` declares `least_i64(values, spans, results)`.
    macro_rules! extreme {
        ($($name:ident: $number:ty, $lanes:literal as $mask:ty, $set:ident($empty:expr), $load:ident, $step:ident, $reduce:ident;)*) => {$(
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2,lzcnt,popcnt")]
            pub fn $name(values: &[$number], spans: Stretches<'_>, results: &mut [$number]) {
                let empty = $set($empty);
                over_spans!(
                    values,
                    spans,
                    results,
                    $lanes as $mask,
                    empty,
                    $load,
                    |total, numbers| $step(total, numbers),
                    |total| $reduce(total)
                );
            }
        )*};
    }
    extreme! {
        least_i64: i64, 8 as __mmask8, _mm512_set1_epi64(i64::MAX), _mm512_mask_loadu_epi64, _mm512_min_epi64, _mm512_reduce_min_epi64;
        greatest_i64: i64, 8 as __mmask8, _mm512_set1_epi64(i64::MIN), _mm512_mask_loadu_epi64, _mm512_max_epi64, _mm512_reduce_max_epi64;
        least_i32: i32, 8 as __mmask8, _mm256_set1_epi32(i32::MAX), _mm256_mask_loadu_epi32, _mm256_min_epi32, least_of_lanes;
        greatest_i32: i32, 8 as __mmask8, _mm256_set1_epi32(i32::MIN), _mm256_mask_loadu_epi32, _mm256_max_epi32, greatest_of_lanes;
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx2")]
    fn least_of_lanes(lanes: __m256i) -> i32 {
        _mm512_reduce_min_epi32(_mm512_broadcast_i64x4(lanes))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx2")]
    fn greatest_of_lanes(lanes: __m256i) -> i32 {
        _mm512_reduce_max_epi32(_mm512_broadcast_i64x4(lanes))
    }
}
