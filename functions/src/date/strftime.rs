//! `strftime`: dates and timestamps as text of a pattern.

use std::fmt;

use super::CATEGORY;
use super::calendar::{
    NANOSECONDS_PER_DAY, civil_from_days, day_of_year, is_finite_date, is_finite_timestamp, iso_week,
    iso_weekday, weekday,
};
use super::pattern::{Field, Pattern, Piece};
use super::truncate::{day_name, month_name};
use super::zone::Zone;
use crate::column::View;
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::{TimeUnit, Type};

pub(super) fn function() -> ScalarFunction {
    let function = ScalarFunction::new("strftime", CATEGORY, "A date or timestamp as text of a pattern.")
        .note("Fields: %Y %m %d %H %M %S %f (microseconds) %g (milliseconds) %n (nanoseconds) %y %I %p %a %A %b %B %j %U %W %w %u %G %V %z %Z %c %x %X %%; %- leaves padding out.")
        .note("An infinite date is its own name.")
        .example("strftime(date '2024-05-06', '%d/%m/%Y')", "06/05/2024")
        .example("strftime(timestamp '2024-05-06 17:08:09', '%-I:%M %p')", "5:08 PM")
        .cost(Cost::Parse);
    let types = [Type::Date, Type::TIMESTAMP, Type::Timestamp(TimeUnit::Nanosecond), Type::TimestampTz];
    types.into_iter().fold(function, |function, data_type| {
        function
            .overload([exact("x", data_type.clone()), exact("pattern", Type::Text)], |arguments| {
                bind(arguments, 0, 1)
            })
            .overload([exact("pattern", Type::Text), exact("x", data_type)], |arguments| {
                bind(arguments, 1, 0)
            })
    })
}

fn bind(arguments: &Arguments<'_>, value: usize, pattern: usize) -> Result<Bound> {
    let zone = match arguments.types[value] {
        Type::TimestampTz => Some(Zone::of_name(&arguments.settings.time_zone)?),
        _ => None,
    };
    let function = arguments.function.to_owned();
    let known = match arguments.known(pattern).and_then(|text| text.as_text()) {
        Some(text) => Some(Pattern::new(text, &function, pattern + 1)?),
        None => None,
    };
    Ok(Bound::strict(Type::Text, move |arguments, rows, output, _| {
        rows.for_each(|row| {
            let moment = Moment::of(&arguments[value], row, zone);
            let own;
            let pattern = match &known {
                Some(pattern) => pattern,
                None => match Pattern::new(arguments[pattern].text().get(row), &function, pattern + 1) {
                    Ok(pattern) => {
                        own = pattern;
                        &own
                    }
                    Err(error) => return output.fail(row, || error),
                },
            };
            match moment {
                // Writing to a text under construction cannot fail.
                Ok(moment) => drop(output.text().build(row, |text| moment.write(pattern, text))),
                Err(Some(name)) => output.text().set(row, name),
                Err(None) => output.fail(row, || {
                    Error::user("strftime: the local time of the instant is out of the range of timestamps")
                }),
            }
        });
        Ok(())
    }))
}

/// A local time taken apart.
struct Moment {
    days: i64,
    /// Nanoseconds of the day.
    time: i64,
    zone: Option<(Zone, i64)>,
}

impl Moment {
    /// The name of an infinite time, or nothing if there is no local time, as error.
    fn of(view: &View<'_>, row: usize, zone: Option<Zone>) -> Result<Self, Option<&'static str>> {
        let infinity = |is_positive: bool| Some(if is_positive { "infinity" } else { "-infinity" });
        if *view.data_type == Type::Date {
            let days = view.fixed::<i32>().get(row);
            let is_finite = is_finite_date(days);
            return if is_finite {
                Ok(Self { days: i64::from(days), time: 0, zone: None })
            } else {
                Err(infinity(days > 0))
            };
        }
        let ticks = view.fixed::<i64>().get(row);
        if !is_finite_timestamp(ticks) {
            return Err(infinity(ticks > 0));
        }
        let per_day = match view.data_type {
            Type::Timestamp(unit) => unit.per_second() * 86_400,
            _ => 86_400_000_000,
        };
        let local = zone.map_or(Some(ticks), |zone| zone.to_local(ticks)).ok_or(None)?;
        let time = local.rem_euclid(per_day) * (NANOSECONDS_PER_DAY / per_day);
        Ok(Self {
            days: local.div_euclid(per_day),
            time,
            zone: zone.map(|zone| (zone, zone.offset_at(ticks))),
        })
    }

    fn write(&self, pattern: &Pattern, text: &mut dyn fmt::Write) -> fmt::Result {
        pattern.pieces.iter().try_for_each(|piece| match piece {
            Piece::Literal(literal) => text.write_str(literal),
            Piece::Field { field, is_padded } => self.write_field(*field, *is_padded, text),
        })
    }

    fn write_field(&self, field: Field, is_padded: bool, text: &mut dyn fmt::Write) -> fmt::Result {
        let day = civil_from_days(self.days);
        let hour = self.time / 3_600_000_000_000;
        let (value, width) = match field {
            Field::ShortDayName => return text.write_str(&day_name(self.days)[..3]),
            Field::DayName => return text.write_str(day_name(self.days)),
            Field::ShortMonthName => return text.write_str(&month_name(self.days)[..3]),
            Field::MonthName => return text.write_str(month_name(self.days)),
            Field::HalfDay => return text.write_str(if hour < 12 { "AM" } else { "PM" }),
            Field::Offset => return self.write_offset(text),
            Field::ZoneName => return text.write_str(self.zone.map_or("", |(zone, _)| zone.name())),
            Field::Year if (0..10_000).contains(&day.year) => (day.year, 4),
            Field::Year => (day.year, 1),
            Field::IsoYear => match iso_week(self.days).0 {
                year @ 0..10_000 => (year, 4),
                year => (year, 1),
            },
            Field::DayOfWeek => (weekday(self.days), 1),
            Field::IsoDayOfWeek => (iso_weekday(self.days), 1),
            Field::Day => (day.day, 2),
            Field::Month => (day.month, 2),
            Field::ShortYear => (day.year.abs() % 100, 2),
            Field::Hour => (hour, 2),
            Field::Hour12 => ((hour + 11) % 12 + 1, 2),
            Field::Minute => (self.time / 60_000_000_000 % 60, 2),
            Field::Second => (self.time / 1_000_000_000 % 60, 2),
            Field::Microsecond => (self.time / 1_000 % 1_000_000, 6),
            Field::Millisecond => (self.time / 1_000_000 % 1_000, 3),
            Field::Nanosecond => (self.time % 1_000_000_000, 9),
            Field::DayOfYear => (day_of_year(self.days), 3),
            Field::SundayWeek => ((day_of_year(self.days) + 6 - weekday(self.days)) / 7, 2),
            Field::MondayWeek => ((day_of_year(self.days) + 7 - iso_weekday(self.days)) / 7, 2),
            Field::IsoWeek => (iso_week(self.days).1, 2),
        };
        write!(text, "{value:0width$}", width = if is_padded { width } else { 1 })
    }

    /// `+00`, `-03:30`; a time without a zone counts as UTC.
    fn write_offset(&self, text: &mut dyn fmt::Write) -> fmt::Result {
        let seconds = self.zone.map_or(0, |(_, offset)| offset);
        let minutes = seconds.abs() / 60;
        write!(text, "{}{:02}", if seconds < 0 { '-' } else { '+' }, minutes / 60)?;
        if minutes % 60 == 0 { Ok(()) } else { write!(text, ":{:02}", minutes % 60) }
    }
}
