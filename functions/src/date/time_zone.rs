//! `timezone`: local times to instants and back, `x AT TIME ZONE zone`.

use super::CATEGORY;
use super::part::Part;
use super::zone::Zone;
use crate::error::{Error, Result};
use crate::lanes::{Outcome, partial_unary};
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::exact;
use crate::types::Type;

pub(super) fn register(registry: &mut Registry) {
    let function = ScalarFunction::new("timezone", CATEGORY, "The instant of a local time in a zone, or the local time of an instant.")
        .note("`x AT TIME ZONE zone`. A local time that occurs twice is the later instant; a skipped one keeps the offset before the gap.")
        .note("With one argument, the offset of the session's zone in seconds, as date_part.")
        .example("timestamp '2024-05-06 07:08:09' AT TIME ZONE 'America/New_York'", "2024-05-06 11:08:09+00")
        .example("timezone('Asia/Tokyo', timestamptz '2024-05-06 00:00:00+00')", "2024-05-06 09:00:00");
    let function = [Type::TIMESTAMP, Type::TimestampTz].into_iter().fold(function, |function, data_type| {
        function.overload([exact("zone", Type::Text), exact("x", data_type)], bind)
    });
    registry.register_scalar([Type::Date, Type::TIMESTAMP, Type::TimestampTz].into_iter().fold(
        function,
        |function, data_type| {
            function.overload([exact("x", data_type)], |arguments| {
                super::date_part::bind(Part::Timezone, arguments, 0)
            })
        },
    ));
}

fn convert(zone: Zone, to_instant: bool, ticks: i64) -> Option<i64> {
    if to_instant { zone.to_instant(ticks) } else { zone.to_local(ticks) }
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let to_instant = arguments.types[1] == Type::TIMESTAMP;
    let result = if to_instant { Type::TimestampTz } else { Type::TIMESTAMP };
    let target = result.clone();
    let error = move |ticks: i64| Error::OutOfRange {
        operation: "timezone",
        detail: format!("{ticks} microseconds"),
        target: target.clone(),
    };
    if let Some(name) = arguments.known(0) {
        let zone = Zone::of_name(name.as_text().unwrap_or_default())?;
        let function =
            move |ticks: i64| convert(zone, to_instant, ticks).map_or(Outcome::Failed, Outcome::Value);
        return Ok(Bound::lanes(result, partial_unary(function, error)));
    }
    Ok(Bound::strict(result, move |arguments, rows, output, _| {
        let (names, ticks) = (arguments[0].text(), arguments[1].fixed::<i64>());
        rows.for_each(|row| match Zone::of_name(names.get(row)) {
            Err(error) => output.fail(row, || error),
            Ok(zone) => match convert(zone, to_instant, ticks.get(row)) {
                Some(value) => output.fixed::<i64>()[row] = value,
                None => output.fail(row, || error(ticks.get(row))),
            },
        });
        Ok(())
    }))
}
