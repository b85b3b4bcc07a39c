//! The time of the query: the same in every row and on every worker.

use super::CATEGORY;
use super::calendar::split_microseconds;
use super::zone::Zone;
use crate::registry::Registry;
use crate::scalar::{Bound, ScalarFunction, Volatility};
use crate::types::Type;

/// Day of the start of the query in a zone.
pub(super) fn today(now_microseconds: i64, zone: Zone) -> i64 {
    split_microseconds(zone.to_local(now_microseconds).unwrap_or(now_microseconds)).0
}

pub(super) fn register(registry: &mut Registry) {
    let now = constant("now", "Start of the query, as an instant.", Type::TimestampTz, |now, _| now)
        .alias("current_timestamp")
        .alias("get_current_timestamp")
        .alias("transaction_timestamp");
    registry.register_scalar(now.example("typeof(now())", "TIMESTAMP WITH TIME ZONE"));
    let local = constant(
        "current_localtimestamp",
        "Start of the query, in the zone of the session.",
        Type::TIMESTAMP,
        |now, zone| zone.to_local(now).unwrap_or(now),
    );
    registry.register_scalar(
        local.alias("localtimestamp").example("typeof(current_localtimestamp())", "TIMESTAMP"),
    );
    let time = constant(
        "current_localtime",
        "Time of the day at the start of the query, in the zone of the session.",
        Type::Time,
        |now, zone| split_microseconds(zone.to_local(now).unwrap_or(now)).1,
    );
    registry.register_scalar(
        time.alias("localtime").alias("current_time").example("typeof(current_localtime())", "TIME"),
    );
    registry.register_scalar(
        ScalarFunction::new(
            "current_date",
            CATEGORY,
            "Day of the start of the query, in the zone of the session.",
        )
        .alias("today")
        .example("typeof(today())", "DATE")
        .volatility(Volatility::Stable)
        .overload([], |arguments| {
            let zone = Zone::of_name(&arguments.settings.time_zone)?;
            let days = today(arguments.settings.now_microseconds, zone) as i32;
            Ok(Bound::null_aware(Type::Date, move |_, rows, output, _| {
                let values = output.fixed::<i32>();
                rows.for_each(|row| values[row] = days);
                Ok(())
            }))
        }),
    );
}

fn constant(name: &str, summary: &str, result: Type, value: fn(i64, Zone) -> i64) -> ScalarFunction {
    ScalarFunction::new(name, CATEGORY, summary).volatility(Volatility::Stable).overload(
        [],
        move |arguments| {
            let zone = Zone::of_name(&arguments.settings.time_zone)?;
            let ticks = value(arguments.settings.now_microseconds, zone);
            Ok(Bound::null_aware(result.clone(), move |_, rows, output, _| {
                let values = output.fixed::<i64>();
                rows.for_each(|row| values[row] = ticks);
                Ok(())
            }))
        },
    )
}
