//! The total of the lanes of a sum, added pairwise in halves: 0 with n / 2, 1 with n / 2 + 1, ..., until one is left.
//!
//! That order is part of the results of vector functions, and the same at every CPU level.

/// Values that begin where a line of the cache does.
///
/// A register that is stored across two lines is read again late. Whether one is would hang on where the stack of a thread
/// begins: measures of short embeddings took twice the time in some runs.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub struct Line<T>(pub T);

/// Lanes as they are stored in memory, whole registers at a time.
///
/// Else the compiler sees which lanes meet in the end, and cuts the registers of the loop that made them into the quarters that these
/// want, or adds lane after lane.
#[inline(always)]
pub fn stored<T>(lanes: T) -> Line<T> {
    std::hint::black_box(Line(lanes))
}

/// Lanes that have a total.
pub trait Lanes {
    /// What a lane holds.
    type Number;

    /// The sum of all lanes, which are best [`stored`].
    fn total(&self) -> Self::Number;
}

/// The totals of several sums. A loop, since `map` leaves its closure behind in code for no CPU level.
#[inline(always)]
pub fn totals<N, const LANES: usize, const SUMS: usize>(sums: &[[N; LANES]; SUMS]) -> [N; SUMS]
where
    N: Copy + Default,
    [N; LANES]: Lanes<Number = N>,
{
    let mut totals = [N::default(); SUMS];
    for (total, lanes) in totals.iter_mut().zip(sums) {
        *total = lanes.total();
    }
    totals
}

macro_rules! lanes {
    ($($number:ty: $all:literal $($half:literal)+;)+) => {$(
        impl Lanes for [$number; $all] {
            type Number = $number;

            #[inline(always)]
            fn total(&self) -> $number {
                let lanes = self;
                $(
                    let mut halves = [0.0; $half];
                    for (lane, half) in halves.iter_mut().enumerate() {
                        *half = lanes[lane] + lanes[$half + lane];
                    }
                    let halves = stored(halves);
                    let lanes = &halves.0;
                )+
                (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
            }
        }
    )+};
}
// How many lanes there are, then each half that is added as a whole, down to four.
lanes! {
    f32: 32 16 8 4;
    f64: 16 8 4;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_added_in_order() {
        // Powers of two that a sum in another order would round away.
        let mut lanes = [0.0f32; 32];
        (lanes[0], lanes[16], lanes[1], lanes[8]) = (1e30, -1e30, 3.0, 5.0);
        assert_eq!(lanes.total(), 8.0);
        (lanes[16], lanes[8]) = (5.0, -1e30);
        assert_eq!(lanes.total(), 3.0);
        let wide: [f64; 16] = std::array::from_fn(|lane| lane as f64);
        assert_eq!(wide.total(), 120.0);
        let (mut wide, mut left) = ([0.0f64; 16], 16);
        (wide[0], wide[8], wide[4]) = (1e300, 1.0, -1e300);
        let mut expected = wide;
        while left > 1 {
            left /= 2;
            (0..left).for_each(|lane| expected[lane] += expected[lane + left]);
        }
        assert_eq!(wide.total(), expected[0]);
    }
}
