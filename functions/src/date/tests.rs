//! Dates and times, with DuckDB's answers as the expected ones.

use crate::answers::{Answers, check_examples};

#[test]
fn dates_and_times_answer_as_duckdb() {
    Answers::new().check(
        r#"
    year(date '2024-05-06') -> 2024 :: BIGINT
    month(timestamp '2024-05-06 07:08:09.123456') -> 5 :: BIGINT
    day(date '2024-05-06') -> 6 :: BIGINT
    dayofmonth(date '2024-05-06') -> 6 :: BIGINT
    hour(timestamp '2024-05-06 07:08:09.123456') -> 7 :: BIGINT
    minute(timestamp '2024-05-06 07:08:09.123456') -> 8 :: BIGINT
    second(timestamp '2024-05-06 07:08:09.123456') -> 9 :: BIGINT
    millisecond(timestamp '2024-05-06 07:08:09.123456') -> 9123 :: BIGINT
    microsecond(timestamp '2024-05-06 07:08:09.123456') -> 9123456 :: BIGINT
    nanosecond(timestamp '2024-05-06 07:08:09.123456') -> 9123456000 :: BIGINT
    nanosecond(timestamp_ns '2024-05-06 07:08:09.123456789') -> 9123456789 :: BIGINT
    quarter(date '2024-05-06') -> 2 :: BIGINT
    week(date '2024-01-01') -> 1 :: BIGINT
    weekofyear(date '2021-01-01') -> 53 :: BIGINT
    yearweek(date '2021-01-01') -> 202053 :: BIGINT
    isoyear(date '2021-01-01') -> 2020 :: BIGINT
    dayofweek(date '2024-05-05') -> 0 :: BIGINT
    weekday(date '2024-05-05') -> 0 :: BIGINT
    isodow(date '2024-05-05') -> 7 :: BIGINT
    dayofyear(date '2024-12-31') -> 366 :: BIGINT
    decade(date '2024-05-06') -> 202 :: BIGINT
    century(date '2000-05-06') -> 20 :: BIGINT
    century(date '2001-05-06') -> 21 :: BIGINT
    millennium(date '2000-05-06') -> 2 :: BIGINT
    millennium(date '2001-05-06') -> 3 :: BIGINT
    century(date '0001-01-01') -> 1 :: BIGINT
    century(date '0001-01-01 (BC)') -> -1 :: BIGINT
    century(date '0100-01-01 (BC)') -> -1 :: BIGINT
    century(date '0101-01-01 (BC)') -> -2 :: BIGINT
    millennium(date '0001-01-01 (BC)') -> -1 :: BIGINT
    decade(date '0001-01-01 (BC)') -> 0 :: BIGINT
    decade(date '0011-01-01 (BC)') -> -1 :: BIGINT
    era(date '0001-01-01 (BC)') -> 0 :: BIGINT
    era(date '2020-01-01') -> 1 :: BIGINT
    epoch(date '2024-05-06') -> 1714953600.0 :: DOUBLE
    epoch(timestamp '2024-05-06 07:08:09.123456') -> 1714979289.123456 :: DOUBLE
    epoch(time '07:08:09.5') -> 25689.5 :: DOUBLE
    epoch(interval '1 year 1 month 1 day 1 hour') -> 34239600.0 :: DOUBLE
    epoch_ms(timestamp '2024-05-06 07:08:09.123456') -> 1714979289123 :: BIGINT
    epoch_us(timestamp '2024-05-06 07:08:09.123456') -> 1714979289123456 :: BIGINT
    epoch_ns(timestamp '2024-05-06 07:08:09.123456') -> 1714979289123456000 :: BIGINT
    epoch_ms(date '2024-05-06') -> 1714953600000 :: BIGINT
    epoch_ms(1715000000123) -> 2024-05-06 12:53:20.123 :: TIMESTAMP
    epoch_ms(time '01:00:00') -> 3600000 :: BIGINT
    epoch_ms(interval '1 day') -> 86400000 :: BIGINT
    epoch_ns(timestamp_ns '2024-05-06 07:08:09.123456789') -> 1714979289123456789 :: BIGINT
    epoch(timestamptz '2024-05-06 00:00:00+00') -> 1714953600.0 :: DOUBLE
    julian(date '2024-05-06') -> 2460437.0 :: DOUBLE
    julian(timestamp '2024-05-06 12:00:00') -> 2460437.5 :: DOUBLE
    year(interval '14 months 3 days') -> 1 :: BIGINT
    month(interval '14 months 3 days') -> 2 :: BIGINT
    day(interval '14 months 33 days 25 hours') -> 33 :: BIGINT
    hour(interval '14 months 33 days 25 hours') -> 25 :: BIGINT
    minute(interval '90 minutes') -> 30 :: BIGINT
    second(interval '90.5 seconds') -> 30 :: BIGINT
    millisecond(interval '90.5 seconds') -> 30500 :: BIGINT
    quarter(interval '14 months') -> 1 :: BIGINT
    decade(interval '140 months') -> 1 :: BIGINT
    century(interval '1400 months') -> 1 :: BIGINT
    hour(time '07:08:09') -> 7 :: BIGINT
    second(time '07:08:09.5') -> 9 :: BIGINT
    millisecond(time '07:08:09.5') -> 9500 :: BIGINT
    year(timestamp 'infinity') -> NULL :: BIGINT
    epoch(timestamp 'infinity') -> NULL :: DOUBLE
    year(date 'infinity') -> NULL :: BIGINT
    date_part('year', date '2024-05-06') -> 2024 :: BIGINT
    date_part('second', timestamp '2024-05-06 07:08:09.123456') -> 9 :: BIGINT
    date_part('epoch', timestamp '2024-05-06 07:08:09.123456') -> 1714979289.123456 :: DOUBLE
    date_part('dow', date '2024-05-05') -> 0 :: BIGINT
    date_part('julian', date '2024-05-05') -> 2460436.0 :: DOUBLE
    date_part('timezone', timestamptz '2024-05-06 00:00:00+00') -> 0 :: BIGINT
    date_part('year', interval '14 months') -> 1 :: BIGINT
    date_part('hour', time '07:08:09') -> 7 :: BIGINT
    date_part('nope', date '2024-05-06') -> ERR
    extract(year from date '2024-05-06') -> 2024 :: BIGINT
    extract('dow' from date '2024-05-06') -> 1 :: BIGINT
    date_part(['year','month'], date '2024-05-06') -> {'year': 2024, 'month': 5}
    date_trunc('month', date '2024-05-06') -> 2024-05-01 00:00:00 :: TIMESTAMP
    date_trunc('month', timestamp '2024-05-06 07:08:09.123456') -> 2024-05-01 00:00:00 :: TIMESTAMP
    date_trunc('hour', timestamp '2024-05-06 07:08:09.123456') -> 2024-05-06 07:00:00 :: TIMESTAMP
    date_trunc('minute', timestamp '2024-05-06 07:08:09.123456') -> 2024-05-06 07:08:00 :: TIMESTAMP
    date_trunc('second', timestamp '2024-05-06 07:08:09.123456') -> 2024-05-06 07:08:09 :: TIMESTAMP
    date_trunc('millisecond', timestamp '2024-05-06 07:08:09.123456') -> 2024-05-06 07:08:09.123 :: TIMESTAMP
    date_trunc('microsecond', timestamp '2024-05-06 07:08:09.123456') -> 2024-05-06 07:08:09.123456 :: TIMESTAMP
    date_trunc('day', timestamp '2024-05-06 07:08:09.123456') -> 2024-05-06 00:00:00 :: TIMESTAMP
    date_trunc('week', timestamp '2024-05-05 07:08:09.123456') -> 2024-04-29 00:00:00 :: TIMESTAMP
    date_trunc('quarter', timestamp '2024-05-06 07:08:09.123456') -> 2024-04-01 00:00:00 :: TIMESTAMP
    date_trunc('year', timestamp '2024-05-06 07:08:09.123456') -> 2024-01-01 00:00:00 :: TIMESTAMP
    date_trunc('decade', timestamp '2024-05-06 07:08:09.123456') -> 2020-01-01 00:00:00 :: TIMESTAMP
    date_trunc('century', timestamp '2024-05-06 07:08:09.123456') -> 2000-01-01 00:00:00 :: TIMESTAMP
    date_trunc('millennium', timestamp '2024-05-06 07:08:09.123456') -> 2000-01-01 00:00:00 :: TIMESTAMP
    date_trunc('isoyear', timestamp '2024-01-01 07:08:09.123456') -> 2024-01-01 00:00:00 :: TIMESTAMP
    date_trunc('isoyear', timestamp '2021-01-01 07:08:09.123456') -> 2019-12-30 00:00:00 :: TIMESTAMP
    date_trunc('hour', date '2024-05-06') -> 2024-05-06 00:00:00 :: TIMESTAMP
    date_trunc('month', timestamptz '2024-05-06 07:08:09+00') -> 2024-05-01 00:00:00+00 :: TIMESTAMP WITH TIME ZONE
    date_trunc('day', interval '14 months 3 days 25:30:00') -> 1 year 2 months 3 days :: INTERVAL
    date_trunc('month', interval '14 months 3 days 25:30:00') -> 1 year 2 months :: INTERVAL
    date_trunc('year', interval '14 months 3 days 25:30:00') -> 1 year :: INTERVAL
    date_trunc('hour', interval '14 months 3 days 25:30:00') -> 1 year 2 months 3 days 25:00:00 :: INTERVAL
    date_trunc('quarter', interval '14 months 3 days 25:30:00') -> 1 year :: INTERVAL
    date_trunc('week', interval '14 months 10 days 25:30:00') -> 1 year 2 months 7 days :: INTERVAL
    date_trunc('decade', interval '140 months') -> 10 years :: INTERVAL
    date_trunc('month', timestamp 'infinity') -> infinity :: TIMESTAMP
    date_trunc('dow', timestamp '2024-05-06 07:08:09.123456') -> 2024-05-06 00:00:00 :: TIMESTAMP
    datetrunc('month', date '2024-05-06') -> 2024-05-01 00:00:00 :: TIMESTAMP
    date_diff('day', date '2024-05-06', date '2024-06-01') -> 26 :: BIGINT
    date_diff('month', date '2024-05-31', date '2024-06-01') -> 1 :: BIGINT
    date_diff('year', date '2023-12-31', date '2024-01-01') -> 1 :: BIGINT
    date_diff('week', date '2024-05-05', date '2024-05-06') -> 0 :: BIGINT
    date_diff('quarter', date '2024-03-31', date '2024-04-01') -> 1 :: BIGINT
    date_diff('decade', date '2019-12-31', date '2020-01-01') -> 1 :: BIGINT
    date_diff('century', date '1999-12-31', date '2000-01-01') -> 1 :: BIGINT
    date_diff('millennium', date '1999-12-31', date '2000-01-01') -> 1 :: BIGINT
    date_diff('isoyear', date '2023-12-31', date '2024-01-01') -> 1 :: BIGINT
    date_diff('hour', timestamp '2024-05-06 07:59:59', timestamp '2024-05-06 08:00:00') -> 1 :: BIGINT
    date_diff('minute', timestamp '2024-05-06 07:59:59', timestamp '2024-05-06 08:00:00') -> 1 :: BIGINT
    date_diff('second', timestamp '2024-05-06 07:59:59.9', timestamp '2024-05-06 08:00:00') -> 1 :: BIGINT
    date_diff('millisecond', timestamp '2024-05-06 07:59:59.9', timestamp '2024-05-06 08:00:00') -> 100 :: BIGINT
    date_diff('microsecond', timestamp '2024-05-06 07:59:59.9', timestamp '2024-05-06 08:00:00') -> 100000 :: BIGINT
    date_diff('hour', timestamp '1969-12-31 23:30:00', timestamp '1970-01-01 00:30:00') -> 1 :: BIGINT
    date_diff('day', timestamp '1969-12-31 23:30:00', timestamp '1970-01-01 00:30:00') -> 1 :: BIGINT
    date_diff('hour', time '01:59:00', time '03:00:00') -> 2 :: BIGINT
    date_diff('day', date 'infinity', date '2020-01-01') -> NULL :: BIGINT
    date_diff('hour', date '2020-01-01', date '2020-01-02') -> 24 :: BIGINT
    date_diff('dow', date '2020-01-01', date '2020-01-02') -> 1 :: BIGINT
    datediff('day', timestamptz '2024-05-06 00:00:00+00', timestamptz '2024-05-07 00:00:00+00') -> 1 :: BIGINT
    date_sub('month', date '2024-05-31', date '2024-06-30') -> 1 :: BIGINT
    date_sub('month', date '2024-05-30', date '2024-06-30') -> 1 :: BIGINT
    date_sub('month', date '2024-05-31', date '2024-07-01') -> 1 :: BIGINT
    date_sub('year', date '2023-12-31', date '2024-12-30') -> 0 :: BIGINT
    date_sub('year', date '2024-12-31', date '2023-01-01') -> -1 :: BIGINT
    date_sub('hour', timestamp '2024-05-06 07:59:59', timestamp '2024-05-06 08:59:58') -> 0 :: BIGINT
    date_sub('day', timestamp '2024-05-06 12:00:00', timestamp '2024-05-08 11:00:00') -> 1 :: BIGINT
    date_sub('week', date '2024-05-06', date '2024-05-20') -> 2 :: BIGINT
    date_sub('quarter', date '2024-01-31', date '2024-04-30') -> 1 :: BIGINT
    date_sub('month', timestamp '2024-01-31 12:00:00', timestamp '2024-02-29 12:00:00') -> 1 :: BIGINT
    date_sub('month', timestamp '2024-01-31 12:00:00', timestamp '2024-02-29 11:00:00') -> 0 :: BIGINT
    date_sub('month', date '2024-03-31', date '2024-02-29') -> -1 :: BIGINT
    date_sub('decade', date '2010-01-01', date '2024-01-01') -> 1 :: BIGINT
    date_sub('millisecond', timestamp '2024-05-06 07:59:59.9', timestamp '2024-05-06 08:00:00') -> 100 :: BIGINT
    date_add(date '2024-05-06', interval 1 month) -> 2024-06-06 00:00:00 :: TIMESTAMP
    date_add(timestamp '2024-05-06 00:00:00', interval 1 month) -> 2024-06-06 00:00:00 :: TIMESTAMP
    age(timestamp '2001-04-10', timestamp '1957-06-13') -> 43 years 9 months 27 days :: INTERVAL
    age(timestamp '2024-03-01', timestamp '2024-01-31') -> 1 month 1 day :: INTERVAL
    age(timestamp '2024-01-31', timestamp '2024-03-01') -> -1 month -1 day :: INTERVAL
    age(timestamp '2024-03-01 01:00:00', timestamp '2024-02-01 02:00:00') -> 28 days 23:00:00 :: INTERVAL
    age(timestamp '2020-02-29', timestamp '2019-02-28') -> 1 year 1 day :: INTERVAL
    age(timestamp '2024-05-06 07:08:09.5', timestamp '2024-05-06 07:08:10') -> -00:00:00.5 :: INTERVAL
    make_date(2024, 5, 6) -> 2024-05-06 :: DATE
    make_date(2024, 2, 30) -> ERR
    make_date(19000) -> 2022-01-08 :: DATE
    make_time(7, 8, 9.5) -> 07:08:09.5 :: TIME
    make_time(24, 0, 0) -> 24:00:00 :: TIME
    make_time(7, 60, 0) -> ERR
    make_timestamp(2024, 5, 6, 7, 8, 9.123456) -> 2024-05-06 07:08:09.123456 :: TIMESTAMP
    make_timestamp(1715000000123456) -> 2024-05-06 12:53:20.123456 :: TIMESTAMP
    make_timestamp(2024, 13, 6, 7, 8, 9) -> ERR
    make_timestamp_ms(1715000000123) -> 2024-05-06 12:53:20.123 :: TIMESTAMP
    make_timestamp_ns(1715000000123456789) -> 2024-05-06 12:53:20.123456789 :: TIMESTAMP_NS
    make_timestamptz(2024, 5, 6, 7, 8, 9.5) -> 2024-05-06 07:08:09.5+00 :: TIMESTAMP WITH TIME ZONE
    make_timestamptz(2024, 5, 6, 7, 8, 9.5, 'America/New_York') -> 2024-05-06 11:08:09.5+00 :: TIMESTAMP WITH TIME ZONE
    to_timestamp(1715000000) -> 2024-05-06 12:53:20+00 :: TIMESTAMP WITH TIME ZONE
    to_timestamp(1715000000.5) -> 2024-05-06 12:53:20.5+00 :: TIMESTAMP WITH TIME ZONE
    to_timestamp('inf'::double) -> ERR
    last_day(date '2024-02-06') -> 2024-02-29 :: DATE
    last_day(timestamp '2023-02-06 10:00:00') -> 2023-02-28 :: DATE
    last_day(date 'infinity') -> NULL :: DATE
    dayname(date '2024-05-06') -> Monday :: VARCHAR
    monthname(date '2024-05-06') -> May :: VARCHAR
    dayname(timestamp '2024-05-06 10:00:00') -> Monday :: VARCHAR
    time_bucket(interval '1 hour', timestamp '2024-05-06 07:08:09') -> 2024-05-06 07:00:00 :: TIMESTAMP
    time_bucket(interval '7 days', date '2024-05-06') -> 2024-05-06 :: DATE
    time_bucket(interval '1 month', date '2024-05-06') -> 2024-05-01 :: DATE
    time_bucket(interval '3 months', timestamp '2024-05-06 07:08:09') -> 2024-04-01 00:00:00 :: TIMESTAMP
    time_bucket(interval '15 minutes', timestamp '2024-05-06 07:08:09', interval '5 minutes') -> 2024-05-06 07:05:00 :: TIMESTAMP
    time_bucket(interval '15 minutes', timestamp '2024-05-06 07:08:09', timestamp '2024-01-01 00:05:00') -> 2024-05-06 07:05:00 :: TIMESTAMP
    time_bucket(interval '2 years', date '2025-05-06') -> 2024-01-01 :: DATE
    time_bucket(interval '10 days', date '1999-12-25') -> 1999-12-24 :: DATE
    time_bucket(interval '1 month 1 day', date '2024-05-06') -> ERR
    time_bucket(interval '-1 day', date '2024-05-06') -> ERR
    time_bucket(interval '1 week', timestamp '1999-12-30 00:00:00') -> 1999-12-27 00:00:00 :: TIMESTAMP
    time_bucket(interval '1 month', timestamp '2024-05-06 07:08:09', interval '3 days') -> 2024-05-04 00:00:00 :: TIMESTAMP
    time_bucket(interval '1 month', date '1999-12-31') -> 1999-12-01 :: DATE
    to_years(2) -> 2 years :: INTERVAL
    to_months(14) -> 1 year 2 months :: INTERVAL
    to_days(3) -> 3 days :: INTERVAL
    to_hours(25) -> 25:00:00 :: INTERVAL
    to_minutes(90) -> 01:30:00 :: INTERVAL
    to_seconds(90.5) -> 00:01:30.5 :: INTERVAL
    to_milliseconds(1500) -> 00:00:01.5 :: INTERVAL
    to_microseconds(5) -> 00:00:00.000005 :: INTERVAL
    to_weeks(2) -> 14 days :: INTERVAL
    to_quarters(3) -> 9 months :: INTERVAL
    to_decades(1) -> 10 years :: INTERVAL
    to_centuries(1) -> 100 years :: INTERVAL
    to_millennia(1) -> 1000 years :: INTERVAL
    strftime(date '2024-05-06', '%d/%m/%Y') -> 06/05/2024 :: VARCHAR
    strftime('%Y', date '2024-05-06') -> 2024 :: VARCHAR
    strftime(timestamp '2024-05-06 07:08:09', '%c | %x | %X | %z | %Z | %-I | %-y | %-M | %-S | %-j') -> 2024-05-06 07:08:09 | 2024-05-06 | 07:08:09 | +00 |  | 7 | 24 | 8 | 9 | 127 :: VARCHAR
    strftime(timestamptz '2024-05-06 07:08:09+00', '%Y %z %Z') -> 2024 +00 UTC :: VARCHAR
    strftime(date 'infinity', '%Y') -> infinity :: VARCHAR
    strftime(timestamp '2024-05-06 17:08:09', '%I:%M %p') -> 05:08 PM :: VARCHAR
    strftime(timestamp_ns '2024-05-06 17:08:09.123456789', '%S.%n') -> 09.123456789 :: VARCHAR
    strftime(timestamp '2024-05-06 17:08:09', '%q') -> ERR
    strptime('2024-05-06 07:08:09', '%Y-%m-%d %H:%M:%S') -> 2024-05-06 07:08:09 :: TIMESTAMP
    strptime('06/05/2024', '%d/%m/%Y') -> 2024-05-06 00:00:00 :: TIMESTAMP
    strptime('May 6, 2024', '%B %-d, %Y') -> 2024-05-06 00:00:00 :: TIMESTAMP
    strptime('6 May 24', '%d %b %y') -> 2024-05-06 00:00:00 :: TIMESTAMP
    strptime('2024-05-06 07:08:09.123', '%Y-%m-%d %H:%M:%S.%g') -> 2024-05-06 07:08:09.123 :: TIMESTAMP
    strptime('2024-05-06 07:08:09.123456', '%Y-%m-%d %H:%M:%S.%f') -> 2024-05-06 07:08:09.123456 :: TIMESTAMP
    strptime('2024-05-06 07:08 PM', '%Y-%m-%d %I:%M %p') -> 2024-05-06 19:08:00 :: TIMESTAMP
    strptime('Mon, 06 May 2024 07:08:09 +0200', '%a, %d %b %Y %H:%M:%S %z') -> 2024-05-06 05:08:09+00 :: TIMESTAMP WITH TIME ZONE
    strptime('2024-05-06T07:08:09Z', '%Y-%m-%dT%H:%M:%SZ') -> 2024-05-06 07:08:09 :: TIMESTAMP
    strptime('2024-127', '%Y-%j') -> 2024-05-06 00:00:00 :: TIMESTAMP
    strptime('nope', '%Y') -> ERR
    try_strptime('nope', '%Y') -> NULL :: TIMESTAMP
    try_strptime('2024-05-06', ['%d/%m/%Y', '%Y-%m-%d']) -> 2024-05-06 00:00:00 :: TIMESTAMP
    strptime('2024-05-06', ['%d/%m/%Y', '%Y-%m-%d']) -> 2024-05-06 00:00:00 :: TIMESTAMP
    strptime('2024-13-01', '%Y-%m-%d') -> ERR
    strptime('2024-02-30', '%Y-%m-%d') -> ERR
    strptime('2024-05-06 extra', '%Y-%m-%d') -> ERR
    strptime('', '%Y') -> ERR
    strptime('24', '%y') -> 2024-01-01 00:00:00 :: TIMESTAMP
    strptime('99', '%y') -> 1999-01-01 00:00:00 :: TIMESTAMP
    strptime('1715000000', '%s') -> ERR
    strptime('2024-05-06 07:08:09 America/New_York', '%Y-%m-%d %H:%M:%S %Z') -> 2024-05-06 11:08:09+00 :: TIMESTAMP WITH TIME ZONE
    timestamp '2024-05-06 07:08:09' at time zone 'America/New_York' -> 2024-05-06 11:08:09+00 :: TIMESTAMP WITH TIME ZONE
    epoch(timestamptz '2024-05-06 07:08:09+00' at time zone 'America/New_York') -> 1714964889.0 :: DOUBLE
    timezone('UTC', timestamp '2024-05-06 07:08:09') -> 2024-05-06 07:08:09+00 :: TIMESTAMP WITH TIME ZONE
    normalized_interval(interval '1 year 90 days 25 hours') -> 1 year 3 months 1 day 01:00:00 :: INTERVAL
    typeof(now()) -> TIMESTAMP WITH TIME ZONE :: VARCHAR
    typeof(today()) -> DATE :: VARCHAR
    isfinite(date '2024-01-01') -> true :: BOOLEAN
    date '2024-05-06'::timestamp -> 2024-05-06 00:00:00 :: TIMESTAMP
    date_part('epoch', interval '1 month') -> 2592000.0 :: DOUBLE
    date_part('milliseconds', timestamp '2024-05-06 07:08:09.123456') -> 9123 :: BIGINT
    date_diff('week', date '2024-05-08', date '2024-05-09') -> 0 :: BIGINT
    date_diff('week', date '1969-12-29', date '1970-01-03') -> 0 :: BIGINT
    date_diff('week', date '1969-12-24', date '1969-12-26') -> 0 :: BIGINT
    date_diff('decade', date '0005-01-01 (BC)', date '0005-01-01') -> 0 :: BIGINT
    date_diff('yearweek', date '2024-05-08', date '2024-05-09') -> 0 :: BIGINT
    date_diff('epoch', timestamp '2024-05-06 07:59:59.9', timestamp '2024-05-06 08:00:00') -> 1 :: BIGINT
    date_diff('era', date '2024-05-08', date '2024-05-09') -> ERR
    date_sub('week', date '2024-05-20', date '2024-05-07') -> -1 :: BIGINT
    date_sub('century', date '1900-01-01', date '2024-05-07') -> 1 :: BIGINT
    date_sub('isoyear', date '2020-01-01', date '2024-05-07') -> 4 :: BIGINT
    date_sub('dow', date '2024-05-01', date '2024-05-07') -> 6 :: BIGINT
    strftime(timestamp '2024-05-06 07:08:09.123456', '%a %A %b %B %j %p %I %y') -> Mon Monday May May 127 AM 07 24 :: VARCHAR
    strftime(timestamp '2024-05-06 07:08:09.123456', '%U %W %w %u %V %G') -> 18 19 1 1 19 2024 :: VARCHAR
    strftime(timestamp '2024-01-01 07:08:09.123456', '%U %W %w %u %V %G %-U %-W') -> ERR
    strftime(timestamp '2023-01-01 00:08:09.123456', '%U %W %w %u %V %G %-H %-I %-p') -> ERR
    strftime(timestamp '2023-01-01 00:08:09.123456', '%f %g %n') -> 123456 123 123456000 :: VARCHAR
    strftime(timestamp '2023-01-01 00:08:09.123456', '%') -> ERR
    strftime(timestamp '2023-01-01 00:08:09.123456', 'abc%%d') -> abc%d :: VARCHAR
    strftime(date '0044-03-15 (BC)', '%Y-%m-%d') -> -43-03-15 :: VARCHAR
    strftime(date '12024-03-15', '%Y %y') -> 12024 24 :: VARCHAR
    strptime('69', '%y') -> 1969-01-01 00:00:00 :: TIMESTAMP
    strptime('68', '%y') -> 2068-01-01 00:00:00 :: TIMESTAMP
    strptime('5', '%d') -> 1900-01-05 00:00:00 :: TIMESTAMP
    strptime(' 2024 ', '%Y') -> 2024-01-01 00:00:00 :: TIMESTAMP
    strptime('2024-05-06 12 AM', '%Y-%m-%d %I %p') -> 2024-05-06 00:00:00 :: TIMESTAMP
    strptime('2024-05-06 12 PM', '%Y-%m-%d %I %p') -> 2024-05-06 12:00:00 :: TIMESTAMP
    strptime('2024-05-06 1', '%Y-%m-%d %H') -> 2024-05-06 01:00:00 :: TIMESTAMP
    strptime('12345', '%Y') -> ERR
    strptime('-44', '%Y') -> ERR
    strptime('2024-05-06 07:08:09.5', '%Y-%m-%d %H:%M:%S.%f') -> 2024-05-06 07:08:09.5 :: TIMESTAMP
    strptime('2024-05-06 07:08:09.1234567', '%Y-%m-%d %H:%M:%S.%f') -> ERR
    strptime('2024-05-06 07:08:09.123456789', '%Y-%m-%d %H:%M:%S.%n') -> 2024-05-06 07:08:09.123456789 :: TIMESTAMP_NS
    strptime('20240506', '%Y%m%d') -> 2024-05-06 00:00:00 :: TIMESTAMP
    strptime('2024-5-6', '%Y-%m-%d') -> 2024-05-06 00:00:00 :: TIMESTAMP
    strptime('2024-05-06 +02:30', '%Y-%m-%d %z') -> 2024-05-05 21:30:00+00 :: TIMESTAMP WITH TIME ZONE
    strptime('2024-05-06 -03', '%Y-%m-%d %z') -> 2024-05-06 03:00:00+00 :: TIMESTAMP WITH TIME ZONE
    strptime('10:30', '%H:%M') -> 1900-01-01 10:30:00 :: TIMESTAMP
    strptime('may 6 2024', '%b %d %Y') -> 2024-05-06 00:00:00 :: TIMESTAMP
    strptime('MONDAY 6 2024', '%A %d %Y') -> 2024-01-06 00:00:00 :: TIMESTAMP
    strptime('xyz 6 2024', '%A %d %Y') -> ERR
    strptime('2024-05-06 25:00', '%Y-%m-%d %H:%M') -> ERR
    strptime('2024  05', '%Y %m') -> 2024-05-01 00:00:00 :: TIMESTAMP
    strptime('2024-W19-1', '%G-W%V-%u') -> 2024-05-06 00:00:00 :: TIMESTAMP
    strptime(NULL, '%Y') -> NULL :: TIMESTAMP
    strptime('2024', NULL) -> NULL :: TIMESTAMP
    strptime('2024-05-06 07:08:09', '%c') -> 2024-05-06 07:08:09 :: TIMESTAMP
    strptime('2024-05-06', '%x') -> 2024-05-06 00:00:00 :: TIMESTAMP
    time_bucket(interval '1 month', timestamp '2024-05-06 07:08:09', timestamp '2024-01-15') -> 2024-05-01 00:00:00 :: TIMESTAMP
    time_bucket(interval '1 month', timestamp 'infinity') -> infinity :: TIMESTAMP
    time_bucket(interval '1 day', date 'infinity') -> infinity :: DATE
    time_bucket(interval '0 days', date '2024-01-01') -> ERR
    time_bucket(interval '1 hour', timestamptz '2024-05-06 07:08:09+00') -> 2024-05-06 07:00:00+00 :: TIMESTAMP WITH TIME ZONE
    time_bucket(interval '1 hour', date '2024-05-06') -> 2024-05-06 :: DATE
    time_bucket(interval '36 hours', date '2024-05-06') -> 2024-05-05 :: DATE
    epoch_ms(timestamp '1969-12-31 23:59:59.9995') -> -1 :: BIGINT
    epoch(timestamp '1969-12-31 23:59:59.5') -> -0.5 :: DOUBLE
    millisecond(timestamp '1969-12-31 23:59:59.5') -> 59500 :: BIGINT
    to_seconds(1e20) -> ERR
    to_years(2147483647) -> ERR
    to_months(2147483648) -> ERR
    to_hours(9223372036854775807) -> ERR
    make_time(23, 59, 60) -> 24:00:00 :: TIME
    make_timestamp(294247, 1, 10, 4, 0, 54.775807) -> ERR
    make_date(NULL, 1, 1) -> NULL :: DATE
    make_date(0, 1, 1) -> 0001-01-01 (BC) :: DATE
    make_timestamp(2024,1,1,24,0,0) -> 2024-01-02 00:00:00 :: TIMESTAMP
    day(interval '1 month' / 2) -> 15 :: BIGINT
    hour(timestamptz '2024-05-06 07:08:09+00') -> 7 :: BIGINT
    timezone_hour(timestamptz '2024-05-06 07:08:09+00') -> 0 :: BIGINT
    timezone(timestamptz '2024-05-06 07:08:09+00') -> 0 :: BIGINT
    date_part('timezone_minute', timestamptz '2024-05-06 07:08:09+00') -> 0 :: BIGINT
    date_part('timezone', timestamp '2024-05-06 07:08:09') -> 0 :: BIGINT
    date_part('hour', date '2024-05-06') -> 0 :: BIGINT
    date_part('year', time '07:08:09') -> ERR
    date_part('dow', interval '1 day') -> ERR
    date_part('isoyear', interval '1 day') -> ERR
    date_part('week', interval '1 day') -> ERR
    date_part('epoch', time '01:00:00') -> 3600.0 :: DOUBLE
    date_trunc('hour', time '07:08:09') -> ERR
    date_trunc('nope', date '2024-05-06') -> ERR
    age(date '2024-05-06', date '2024-05-01') -> 5 days :: INTERVAL
    era(interval '1 day') -> ERR
    nanosecond(interval '1.5 seconds') -> 1500000000 :: BIGINT
    monthname(date 'infinity') -> NULL :: VARCHAR
    last_day(timestamptz '2024-05-06 07:08:09+00') -> 2024-05-31 :: DATE
    normalized_interval(interval '-35 days') -> -2 months 25 days :: INTERVAL
    date_part(['year','epoch'], timestamp '2024-05-06 07:08:09') -> {'year': 2024, 'epoch': 1714979289.0}
    date_trunc('year', date '290309-12-22 (BC)') -> ERR
"#,
    );
}

#[test]
fn instants_are_taken_apart_in_the_zone_of_the_session() {
    Answers::in_zone("America/New_York").check(
        r#"
    timestamptz '2024-05-06 07:08:09' -> 2024-05-06 07:08:09-04 :: TIMESTAMP WITH TIME ZONE
    timestamptz '2024-05-06 07:08:09+00' -> 2024-05-06 03:08:09-04 :: TIMESTAMP WITH TIME ZONE
    timestamptz '2024-01-06 07:08:09+00' -> 2024-01-06 02:08:09-05 :: TIMESTAMP WITH TIME ZONE
    hour(timestamptz '2024-05-06 07:08:09+00') -> 3 :: BIGINT
    day(timestamptz '2024-05-06 01:08:09+00') -> 5 :: BIGINT
    epoch(timestamptz '2024-05-06 07:08:09+00') -> 1714979289.0 :: DOUBLE
    date_part('timezone', timestamptz '2024-05-06 07:08:09+00') -> -14400 :: BIGINT
    timezone_hour(timestamptz '2024-01-06 07:08:09+00') -> -5 :: BIGINT
    date_trunc('day', timestamptz '2024-05-06 01:08:09+00') -> 2024-05-05 00:00:00-04 :: TIMESTAMP WITH TIME ZONE
    date_trunc('month', timestamptz '2024-03-31 12:00:00+00') -> 2024-03-01 00:00:00-05 :: TIMESTAMP WITH TIME ZONE
    date_trunc('hour', timestamptz '2024-05-06 01:08:09+00') -> 2024-05-05 21:00:00-04 :: TIMESTAMP WITH TIME ZONE
    date_diff('day', timestamptz '2024-05-06 03:00:00+00', timestamptz '2024-05-06 05:00:00+00') -> 1 :: BIGINT
    date_sub('day', timestamptz '2024-05-06 03:00:00+00', timestamptz '2024-05-07 02:00:00+00') -> 0 :: BIGINT
    timestamptz '2024-03-09 12:00:00' + interval 1 day -> 2024-03-10 12:00:00-04 :: TIMESTAMP WITH TIME ZONE
    timestamptz '2024-03-09 12:00:00' + interval 24 hours -> 2024-03-10 13:00:00-04 :: TIMESTAMP WITH TIME ZONE
    timestamptz '2024-03-10 12:00:00' - interval 1 day -> 2024-03-09 12:00:00-05 :: TIMESTAMP WITH TIME ZONE
    timestamptz '2024-01-31 12:00:00' + interval 1 month -> 2024-02-29 12:00:00-05 :: TIMESTAMP WITH TIME ZONE
    timestamptz '2024-03-10 12:00:00' - timestamptz '2024-03-09 12:00:00' -> 1 day :: INTERVAL
    age(timestamptz '2024-03-10 12:00:00', timestamptz '2024-03-09 12:00:00') -> 1 day :: INTERVAL
    timestamp '2024-05-06 07:08:09'::timestamptz -> 2024-05-06 07:08:09-04 :: TIMESTAMP WITH TIME ZONE
    timestamptz '2024-05-06 07:08:09+00'::timestamp -> 2024-05-06 03:08:09 :: TIMESTAMP
    timestamptz '2024-05-06 01:08:09+00'::date -> 2024-05-05 :: DATE
    date '2024-05-06'::timestamptz -> 2024-05-06 00:00:00-04 :: TIMESTAMP WITH TIME ZONE
    last_day(timestamptz '2024-06-01 01:08:09+00') -> 2024-05-31 :: DATE
    dayname(timestamptz '2024-05-06 01:08:09+00') -> Sunday :: VARCHAR
    strftime(timestamptz '2024-05-06 07:08:09+00', '%Y-%m-%d %H:%M:%S %z %Z') -> 2024-05-06 03:08:09 -04 America/New_York :: VARCHAR
    time_bucket(interval '1 day', timestamptz '2024-05-06 01:08:09+00') -> 2024-05-05 20:00:00-04 :: TIMESTAMP WITH TIME ZONE
    time_bucket(interval '1 hour', timestamptz '2024-05-06 01:08:09+00') -> 2024-05-05 21:00:00-04 :: TIMESTAMP WITH TIME ZONE
    time_bucket(interval '1 month', timestamptz '2024-06-01 01:08:09+00') -> 2024-05-31 20:00:00-04 :: TIMESTAMP WITH TIME ZONE
    make_timestamptz(2024, 5, 6, 7, 8, 9.5) -> 2024-05-06 07:08:09.5-04 :: TIMESTAMP WITH TIME ZONE
    timestamptz '2024-05-06 07:08:09+00' AT TIME ZONE 'UTC' -> 2024-05-06 07:08:09 :: TIMESTAMP
    timestamp '2024-05-06 07:08:09' AT TIME ZONE 'UTC' -> 2024-05-06 03:08:09-04 :: TIMESTAMP WITH TIME ZONE
    strptime('2024-05-06 07:08:09 +0200', '%Y-%m-%d %H:%M:%S %z') -> 2024-05-06 01:08:09-04 :: TIMESTAMP WITH TIME ZONE
    to_timestamp(0) -> 1969-12-31 19:00:00-05 :: TIMESTAMP WITH TIME ZONE
    timestamptz '1900-01-01 00:00:00+00' -> 1899-12-31 19:00:00-05 :: TIMESTAMP WITH TIME ZONE
    timestamptz '2100-07-01 00:00:00+00' -> 2100-06-30 20:00:00-04 :: TIMESTAMP WITH TIME ZONE
    timestamptz 'infinity' -> infinity :: TIMESTAMP WITH TIME ZONE
    julian(timestamptz '2024-05-06 07:08:09+00') -> 2460437.1306597223 :: DOUBLE
    week(timestamptz '2024-05-06 01:08:09+00') -> 18 :: BIGINT
    current_date() -> 2024-05-06
    now() -> 2024-05-06 03:08:09-04
    -- Skipped and repeated local times.
    epoch(timestamp '2021-11-07 01:30:00'::timestamptz) -> 1636266600.0
    epoch(timestamp '2021-03-14 02:30:00'::timestamptz) -> 1615707000.0
"#,
    );
}

#[test]
fn examples_show_what_they_say() {
    check_examples(&["date"]);
}
