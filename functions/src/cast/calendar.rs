//! Casts between dates, times and timestamps.

use super::Mode;
use super::conversion::{partial, total};
use crate::date::calendar::{
    DATE_INFINITY, DATE_NEGATIVE_INFINITY, MICROSECONDS_PER_DAY, SECONDS_PER_DAY, TIMESTAMP_INFINITY,
    TIMESTAMP_NEGATIVE_INFINITY, is_finite_date, is_finite_timestamp,
};
use crate::scalar::Bound;
use crate::types::{TimeUnit, Type};

pub(super) fn bind(from: &Type, to: &Type, mode: Mode) -> Option<Bound> {
    let zone = mode.zone;
    Some(match (from, to) {
        (Type::Date, &Type::Timestamp(unit)) => {
            partial(from, to, mode, move |days: i32| answer(date_to_ticks(days, unit)))
        }
        (Type::Date, Type::TimestampTz) => partial(from, to, mode, move |days: i32| {
            answer(date_to_ticks(days, TimeUnit::Microsecond).and_then(|local| zone.to_instant(local)))
        }),
        (&Type::Timestamp(unit), &Type::Timestamp(target)) => bind_unit(from, to, unit, target, mode),
        (&Type::Timestamp(unit), Type::Date) => {
            partial(from, to, mode, move |ticks: i64| answer(ticks_to_date(ticks, unit)))
        }
        (&Type::Timestamp(unit), Type::Time) => {
            partial(from, to, mode, move |ticks: i64| answer(ticks_to_time(ticks, unit)))
        }
        (&Type::Timestamp(unit), Type::TimestampTz) => partial(from, to, mode, move |ticks: i64| {
            answer(change_unit(ticks, unit, TimeUnit::Microsecond).and_then(|local| zone.to_instant(local)))
        }),
        (Type::TimestampTz, &Type::Timestamp(unit)) => partial(from, to, mode, move |instant: i64| {
            answer(zone.to_local(instant).and_then(|local| change_unit(local, TimeUnit::Microsecond, unit)))
        }),
        (Type::TimestampTz, Type::Date) => partial(from, to, mode, move |instant: i64| {
            answer(zone.to_local(instant).and_then(|local| ticks_to_date(local, TimeUnit::Microsecond)))
        }),
        (Type::TimestampTz, Type::Time) => partial(from, to, mode, move |instant: i64| {
            answer(zone.to_local(instant).and_then(|local| ticks_to_time(local, TimeUnit::Microsecond)))
        }),
        _ => return None,
    })
}

fn answer<T: Default>(value: Option<T>) -> (T, bool) {
    let refused = value.is_none();
    (value.unwrap_or_default(), refused)
}

fn bind_unit(from: &Type, to: &Type, unit: TimeUnit, target: TimeUnit, mode: Mode) -> Bound {
    if unit > target {
        return total(to, move |ticks: i64| change_unit(ticks, unit, target).unwrap_or(ticks));
    }
    partial(from, to, mode, move |ticks: i64| answer(change_unit(ticks, unit, target)))
}

/// Ticks of another unit: half of a tick rounds away from zero; infinities stay.
pub(crate) fn change_unit(ticks: i64, unit: TimeUnit, target: TimeUnit) -> Option<i64> {
    if !is_finite_timestamp(ticks) {
        return Some(ticks);
    }
    let (per_second, wanted) = (unit.per_second(), target.per_second());
    if wanted >= per_second {
        return ticks.checked_mul(wanted / per_second).filter(|&ticks| is_finite_timestamp(ticks));
    }
    let factor = per_second / wanted;
    let half = factor / 2;
    Some(if ticks < 0 { ticks.saturating_sub(half) / factor } else { ticks.saturating_add(half) / factor })
}

/// Midnight of a date; infinities stay.
pub(crate) fn date_to_ticks(days: i32, unit: TimeUnit) -> Option<i64> {
    if !is_finite_date(days) {
        return Some(if days > 0 { TIMESTAMP_INFINITY } else { TIMESTAMP_NEGATIVE_INFINITY });
    }
    i64::from(days)
        .checked_mul(SECONDS_PER_DAY * unit.per_second())
        .filter(|&ticks| is_finite_timestamp(ticks))
}

/// Day of a timestamp; infinities stay.
pub(crate) fn ticks_to_date(ticks: i64, unit: TimeUnit) -> Option<i32> {
    match ticks {
        TIMESTAMP_INFINITY => return Some(DATE_INFINITY),
        TIMESTAMP_NEGATIVE_INFINITY => return Some(DATE_NEGATIVE_INFINITY),
        _ => {}
    }
    let days = ticks.div_euclid(SECONDS_PER_DAY * unit.per_second());
    i32::try_from(days).ok().filter(|&days| is_finite_date(days))
}

/// Microseconds of the day of a timestamp; an infinite one has none.
pub(crate) fn ticks_to_time(ticks: i64, unit: TimeUnit) -> Option<i64> {
    if !is_finite_timestamp(ticks) {
        return None;
    }
    let per_day = SECONDS_PER_DAY * unit.per_second();
    let of_day =
        i128::from(ticks.rem_euclid(per_day)) * i128::from(MICROSECONDS_PER_DAY) / i128::from(per_day);
    Some(of_day as i64)
}
