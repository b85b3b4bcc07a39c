//! The CPU level that kernels run at: portable, AVX2 or AVX-512, found once per process.
//!
//! A kernel is one portable body, written so that the compiler vectorizes it. [`at_each_level!`] compiles
//! that body again with wider vectors enabled, and picks the copy once per call on a slice. No level enables fused
//! multiply-add, and the compiler never contracts or reorders float operations, so all copies give the same bits.
//!
//! A [`Level`] above what the machine has cannot be made, which is what makes the calls sound.

use std::fmt;
use std::sync::OnceLock;

/// Environment variable that lowers the level of the whole process: `portable`, `avx2` or `avx512`.
pub const LEVEL_VARIABLE: &str = "HYPOSTYLE_CPU";

/// What a level enables, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// The baseline of the target: SSE2 on x86-64, NEON on aarch64.
    Portable,
    /// 256-bit vectors: AVX2 with BMI1, BMI2, LZCNT and POPCNT.
    Avx2,
    /// 512-bit vectors: AVX-512 F, VL, DQ and BW, besides all that [`Tier::Avx2`] has.
    Avx512,
}

impl Tier {
    /// All tiers, lowest first.
    pub const ALL: [Tier; 3] = [Tier::Portable, Tier::Avx2, Tier::Avx512];

    /// The name used by [`LEVEL_VARIABLE`] and in printed plans.
    pub fn name(self) -> &'static str {
        match self {
            Tier::Portable => "portable",
            Tier::Avx2 => "avx2",
            Tier::Avx512 => "avx512",
        }
    }

    /// The tier called `name`, if there is one.
    pub fn from_name(name: &str) -> Option<Tier> {
        Tier::ALL.into_iter().find(|tier| tier.name() == name)
    }
}

/// A tier that this machine was found to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level {
    tier: Tier,
}

impl Level {
    /// The level that every machine has.
    pub const PORTABLE: Level = Level { tier: Tier::Portable };

    /// The level of `tier`, or `None` where the machine lacks it.
    pub fn new(tier: Tier) -> Option<Level> {
        (tier <= highest_tier()).then_some(Level { tier })
    }

    /// The highest level of this machine.
    pub fn detected() -> Level {
        Level { tier: highest_tier() }
    }

    /// The level that kernels run at: what [`LEVEL_VARIABLE`] asks for, where the machine has it; else the highest.
    ///
    /// The variable is read once per process; a name that is unknown or above the machine changes nothing.
    pub fn current() -> Level {
        static CURRENT: OnceLock<Level> = OnceLock::new();
        *CURRENT.get_or_init(|| Level::requested(std::env::var(LEVEL_VARIABLE).ok().as_deref()))
    }

    /// Every level of this machine, lowest first; tests run a kernel at each.
    pub fn available() -> impl Iterator<Item = Level> {
        Tier::ALL.into_iter().filter_map(Level::new)
    }

    /// This level, or that of a tier below it.
    #[must_use]
    pub fn at_most(self, tier: Tier) -> Level {
        Level { tier: self.tier.min(tier) }
    }

    /// What this level enables.
    pub fn tier(self) -> Tier {
        self.tier
    }

    /// The level asked for by name, or the highest when the name is absent, unknown or out of reach.
    fn requested(name: Option<&str>) -> Level {
        name.and_then(Tier::from_name).and_then(Level::new).unwrap_or_else(Level::detected)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.tier.name())
    }
}

#[cfg(target_arch = "x86_64")]
fn highest_tier() -> Tier {
    use std::arch::is_x86_feature_detected as has;
    let avx2 = has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt");
    let avx512 = has!("avx512f") && has!("avx512vl") && has!("avx512dq") && has!("avx512bw");
    match (avx2, avx512) {
        (true, true) => Tier::Avx512,
        (true, false) => Tier::Avx2,
        (false, _) => Tier::Portable,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn highest_tier() -> Tier {
    Tier::Portable
}

/// Compiles one body for every level and declares the two functions that call it.
///
/// ```text
/// at_each_level! {
///     /// Doubles every value.
///     pub fn double / double_at(values: &mut [f64]) { values.iter_mut().for_each(|value| *value *= 2.0) }
/// }
/// ```
/// declares `double(values)`, which runs at [`Level::current`], and `double_at(level, values)`. Functions called in
/// the body are compiled for the level only when inlined, so they are marked `#[inline(always)]`.
macro_rules! at_each_level {
    ($(
        $(#[$meta:meta])*
        $visibility:vis fn $name:ident / $name_at:ident ($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block
    )+) => {$(
        $(#[$meta])*
        #[inline]
        $visibility fn $name($($argument: $type),*) $(-> $result)? {
            $name_at($crate::kernel::level::Level::current(), $($argument),*)
        }

        #[doc = concat!("[`", stringify!($name), "`] at the level given.")]
        $visibility fn $name_at(level: $crate::kernel::level::Level, $($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            fn portable($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
            fn avx2($($argument: $type),*) $(-> $result)? {
                portable($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512vl,avx512dq,avx512bw")]
            fn avx512($($argument: $type),*) $(-> $result)? {
                portable($($argument),*)
            }

            match level.tier() {
                // SAFETY: a `Level` of this tier exists only where the machine was found to have these features.
                #[cfg(target_arch = "x86_64")]
                $crate::kernel::level::Tier::Avx512 => unsafe { avx512($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::kernel::level::Tier::Avx2 => unsafe { avx2($($argument),*) },
                _ => portable($($argument),*),
            }
        }
    )+};
}

#[cfg(test)]
mod tests {
    use super::*;

    at_each_level! {
        /// Sum of squares, as a body that vectorizes.
        fn sum_of_squares / sum_of_squares_at(values: &[u64]) -> u64 {
            values.iter().map(|value| value.wrapping_mul(*value)).fold(0, u64::wrapping_add)
        }
    }

    #[test]
    fn every_level_runs_the_same_body() {
        let values: Vec<u64> = (0..1000).collect();
        let expected = 332_833_500;
        assert_eq!(sum_of_squares(&values), expected);
        for level in Level::available() {
            assert_eq!(sum_of_squares_at(level, &values), expected, "{level}");
        }
    }

    #[test]
    fn portable_is_always_available() {
        assert_eq!(Level::available().next(), Some(Level::PORTABLE));
        assert_eq!(Level::available().last(), Some(Level::detected()));
    }

    #[test]
    fn a_request_lowers_the_level_and_never_raises_it() {
        assert_eq!(Level::requested(Some("portable")), Level::PORTABLE);
        assert_eq!(Level::requested(Some("sse9")), Level::detected());
        assert_eq!(Level::requested(None), Level::detected());
        for tier in Tier::ALL {
            assert_eq!(Level::requested(Some(tier.name())), Level::new(tier).unwrap_or_else(Level::detected));
        }
    }
}
