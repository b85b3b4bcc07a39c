//! Operators, with DuckDB's answers as the expected ones.

use crate::answers::{Answers, check_examples};

#[test]
fn operators_answer_as_duckdb() {
    Answers::new().check(
        r#"
    1::tinyint + 1 -> 2 :: TINYINT
    1::tinyint + 1::tinyint -> 2 :: TINYINT
    100::tinyint + 100::tinyint -> ERR
    1::utinyint - 2::utinyint -> ERR
    1::ubigint + 1::bigint -> 2 :: HUGEINT
    1::ubigint + 1 -> 2 :: UBIGINT
    9223372036854775807 + 1 -> ERR
    1.5+1 -> 2.5 :: DECIMAL(12,1)
    1.5*2 -> 3.0 :: DECIMAL(12,1)
    1.5+1::int -> 2.5 :: DECIMAL(12,1)
    1.5*2::int -> 3.0 :: DECIMAL(12,1)
    1.5/2 -> 0.75 :: DOUBLE
    1.5//2 -> 0.75 :: DOUBLE
    1.5%2 -> 1.5 :: DECIMAL(11,1)
    -1.5 % 1 -> -0.5 :: DECIMAL(11,1)
    7//2 -> 3 :: INTEGER
    -7//2 -> -3 :: INTEGER
    -7%3 -> -1 :: INTEGER
    7%0 -> ERR
    7//0 -> ERR
    7.0::double // 0 -> ERR
    7/0 -> inf :: DOUBLE
    -7/0 -> -inf :: DOUBLE
    7::hugeint / 2 -> 3.5 :: DOUBLE
    7::hugeint // 2 -> 3 :: HUGEINT
    7.5::double // 2 -> 3.75 :: DOUBLE
    -7.5::double // 2 -> -3.75 :: DOUBLE
    -7.5::double % 2 -> -1.5 :: DOUBLE
    7.5 // 2 -> 3.75 :: DOUBLE
    7.55 // 0.5 -> 15.1 :: DOUBLE
    7.55 % 0.5 -> 0.05 :: DECIMAL(3,2)
    1::float + 1::double -> 2.0 :: DOUBLE
    1::float + 1 -> 2.0 :: FLOAT
    1::float * 1::bigint -> 1.0 :: FLOAT
    1::float + 1.5 -> 2.5 :: FLOAT
    -2147483648 // -1 -> ERR
    (-9223372036854775808)::bigint // -1 -> ERR
    (-9223372036854775808)::bigint % -1 -> ERR
    -(1::utinyint) -> ERR
    - (1.5) -> -1.5 :: DECIMAL(2,1)
    -(170141183460469231731687303715884105727::hugeint) -> -170141183460469231731687303715884105727 :: HUGEINT
    99999999999999999.9 + 0.1 -> 100000000000000000.0 :: DECIMAL(19,1)
    999999999999999999 * 1.0 -> 999999999999999999.0 :: DECIMAL(21,1)
    1.0000000001*1.0000000001 -> 1.00000000020000000001 :: DECIMAL(22,20)
    12345678901234567890123456789.0 * 12345678901.0 -> ERR
    (1::decimal(18,17)) + (1::decimal(18,0)) -> 2.00000000000000000 :: DECIMAL(36,17)
    (1::decimal(18,2)) * (1::decimal(18,2)) -> 1.0000 :: DECIMAL(18,4)
    (1::decimal(19,2)) * (1::decimal(18,2)) -> 1.0000 :: DECIMAL(37,4)
    (1::decimal(38,2)) * (1::decimal(18,2)) -> 1.0000 :: DECIMAL(38,4)
    (1::decimal(38,20)) * (1::decimal(38,20)) -> ERR
    (1::decimal(15,2)) + (1::decimal(15,2)) -> 2.00 :: DECIMAL(16,2)
    (1::decimal(38,2)) + (1::decimal(38,4)) -> 2.0000 :: DECIMAL(38,4)
    (1::decimal(15,2)) + 1::bigint -> 2.00 :: DECIMAL(22,2)
    (1::decimal(15,2)) * 1::bigint -> 1.00 :: DECIMAL(34,2)
    (1::decimal(15,2)) - 1 -> 0.00 :: DECIMAL(16,2)
    1 - (1::decimal(15,2)) -> 0.00 :: DECIMAL(16,2)
    1 + 1::hugeint -> 2 :: HUGEINT
    1::hugeint * 1.5 -> 1.5 :: DECIMAL(38,1)
    1::decimal(4,1) + 1::double -> 2.0 :: DOUBLE
    1::decimal(4,1) + 1::float -> 2.0 :: FLOAT
    1::decimal(4,1) / 3::decimal(4,1) -> 0.3333333333333333 :: DOUBLE
    true + true -> ERR
    1 + null -> NULL :: INTEGER
    null + null -> NULL :: BIGINT
    1 / 2::float -> 0.5 :: FLOAT
    1::float / 2::float -> 0.5 :: FLOAT
    1::float // 2::float -> 0.5 :: FLOAT
    1::int % 2.5 -> 1.0 :: DECIMAL(11,1)
    date '2020-01-01' + 1 -> 2020-01-02 :: DATE
    1 + date '2020-01-01' -> 2020-01-02 :: DATE
    date '2020-01-01' - 1 -> 2019-12-31 :: DATE
    date '2020-01-02' - date '2020-01-01' -> 1 :: BIGINT
    date '2020-01-02' + interval 1 day -> 2020-01-03 00:00:00 :: TIMESTAMP
    date '2020-01-02' - interval 1 day -> 2020-01-01 00:00:00 :: TIMESTAMP
    interval 1 day + date '2020-01-02' -> 2020-01-03 00:00:00 :: TIMESTAMP
    timestamp '2020-01-02 00:00:00' - timestamp '2019-01-01 12:00:00' -> 365 days 12:00:00 :: INTERVAL
    timestamp '2020-01-02 00:00:00' - date '2019-01-01' -> 366 days :: INTERVAL
    timestamp '2020-01-31 00:00:00' + interval 1 month -> 2020-02-29 00:00:00 :: TIMESTAMP
    timestamp '2020-03-31 00:00:00' - interval 1 month -> 2020-02-29 00:00:00 :: TIMESTAMP
    interval 1 month + interval 1 day -> 1 month 1 day :: INTERVAL
    interval 1 month - interval 1 day -> 1 month -1 day :: INTERVAL
    interval 1 month * 3 -> 3 months :: INTERVAL
    3 * interval 1 month -> 3 months :: INTERVAL
    interval 1 month * 1.5 -> 1 month 15 days :: INTERVAL
    interval 1 month / 2 -> 15 days :: INTERVAL
    interval '1 month 3 days' / 2 -> 16 days 12:00:00 :: INTERVAL
    interval '1 month 3 days' * 0.5 -> 16 days 12:00:00 :: INTERVAL
    - interval 1 month -> -1 month :: INTERVAL
    time '12:00:00' + interval 13 hour -> 01:00:00 :: TIME
    time '12:00:00' - interval 13 hour -> 23:00:00 :: TIME
    time '12:00:00' - time '11:00:00' -> ERR
    date '2020-01-01' + time '12:00:00' -> 2020-01-01 12:00:00 :: TIMESTAMP
    time '12:00:00' + date '2020-01-01' -> 2020-01-01 12:00:00 :: TIMESTAMP
    timestamptz '2020-01-01 00:00:00+00' + interval 1 month -> 2020-02-01 00:00:00+00 :: TIMESTAMP WITH TIME ZONE
    timestamptz '2020-01-01 00:00:00+00' - timestamptz '2019-01-01 00:00:00+00' -> 365 days :: INTERVAL
    timestamptz '2020-01-01 00:00:00+00' - timestamp '2019-01-01 00:00:00' -> 365 days :: INTERVAL
    timestamp_ns '2020-01-01 00:00:00' + interval 1 day -> 2020-01-02 00:00:00 :: TIMESTAMP
    timestamp_s '2020-01-01 00:00:00' + interval 1 day -> 2020-01-02 00:00:00 :: TIMESTAMP
    timestamp_ns '2020-01-02 00:00:00' - timestamp_ns '2020-01-01 00:00:00' -> 1 day :: INTERVAL
    'infinity'::date + 1 -> infinity :: DATE
    'infinity'::timestamp + interval 1 day -> infinity :: TIMESTAMP
    'infinity'::timestamp - timestamp '2020-01-01' -> ERR
    date '5881580-07-10' + 1 -> ERR
    date '2020-01-01' + 2147483647 -> ERR
    timestamp '294247-01-10 04:00:54' + interval 1 day -> ERR
    interval 2147483647 day + interval 1 day -> ERR
    + 5 -> 5 :: INTEGER
    ~5 -> -6 :: INTEGER
    5 & 3 -> 1 :: INTEGER
    5 | 3 -> 7 :: INTEGER
    xor(5,3) -> 6 :: INTEGER
    1 << 10 -> 1024 :: INTEGER
    1 << 31 -> ERR
    1 << 32 -> ERR
    1 << -1 -> ERR
    -1 << 1 -> ERR
    1::bigint << 63 -> ERR
    1::bigint << 62 -> 4611686018427387904 :: BIGINT
    -8 >> 1 -> -4 :: INTEGER
    8 >> 40 -> 0 :: INTEGER
    8 >> -1 -> 0 :: INTEGER
    ~5::utinyint -> 250 :: UTINYINT
    5::hugeint & 3 -> 1 :: HUGEINT
    1::tinyint & 3 -> 1 :: TINYINT
    5 << 2::tinyint -> 20 :: TINYINT
    0 << 40 -> 0 :: INTEGER
    0 << 31 -> 0 :: INTEGER
    1::utinyint << 7 -> 128 :: UTINYINT
    1::utinyint << 8 -> ERR
    255::utinyint << 1 -> ERR
    128::utinyint << 1 -> ERR
    1::utinyint >> 9 -> 0 :: UTINYINT
    -1 >> 31 -> -1 :: INTEGER
    -1 >> 32 -> 0 :: INTEGER
    -1 >> 40 -> 0 :: INTEGER
    1::hugeint << 100 -> 1267650600228229401496703205376 :: HUGEINT
    1 << 30 -> 1073741824 :: INTEGER
    2 << 30 -> ERR
    interval 1 month / 0 -> ERR
    interval 1 month * 0 -> 00:00:00 :: INTERVAL
    interval 1 month * 'inf'::double -> ERR
    interval 1 month * 'nan'::double -> ERR
    interval 2147483647 months * 2 -> ERR
    interval 1 day * 2147483648 -> ERR
    interval '10 days 5 hours' * 3 -> 30 days 15:00:00 :: INTERVAL
    interval '1 day' * -1.5 -> -1 day -12:00:00 :: INTERVAL
    interval 7 days / 2 -> 3 days 12:00:00 :: INTERVAL
    interval 1 year / 7 -> 1 month 21 days 10:17:08.5344 :: INTERVAL
    interval '1 second' / 3 -> 00:00:00.333333 :: INTERVAL
    interval 1 month * 0.333 -> 9 days 23:45:36 :: INTERVAL
    timestamp '1969-12-31 23:00:00' - timestamp '1970-01-02 00:00:00' -> -1 day -01:00:00 :: INTERVAL
    time '12:00:00' + interval 1 day -> 12:00:00 :: TIME
    time '12:00:00' + interval 1 month -> 12:00:00 :: TIME
    time '23:59:59.999999' + interval 1 microsecond -> 00:00:00 :: TIME
    time '00:00:00' - interval 25 hours -> 23:00:00 :: TIME
    date 'infinity' - 1 -> infinity :: DATE
    date 'infinity' + interval 1 day -> infinity :: TIMESTAMP
    interval '-1 month' + date '2020-03-31' -> 2020-02-29 00:00:00 :: TIMESTAMP
    timestamp '2020-03-31 10:00:00' + interval '1 month 1 day 1 hour' -> 2020-05-01 11:00:00 :: TIMESTAMP
    timestamp '2020-03-31 10:00:00' - interval '1 month 1 day 1 hour' -> 2020-02-28 09:00:00 :: TIMESTAMP
    timestamp '290309-12-22 (BC) 00:00:00' - interval 1 day -> ERR
    timestamp '2020-01-01' - timestamp 'infinity' -> ERR
    date '2020-01-01' - timestamp '2019-01-01' -> 365 days :: INTERVAL
    5.0::double % 3 -> 2.0 :: DOUBLE
    5.5::float % 2.0::float -> 1.5 :: FLOAT
    5 % 'inf'::double -> 5.0 :: DOUBLE
    -7::bigint % 3 -> -1 :: BIGINT
    7::bigint % -3 -> 1 :: BIGINT
    (-7)::bigint // 2 -> -3 :: BIGINT
    128::utinyint // 3 -> 42 :: UTINYINT
    (-128)::tinyint // (-1)::tinyint -> ERR
    1.5::decimal(10,2) // 2 -> 0.75 :: DOUBLE
    1.5 % 0 -> ERR
    0.0 % 1 -> 0.0 :: DECIMAL(11,1)
    1::hugeint % 0 -> ERR
    1::hugeint // 0 -> ERR
    1e308::double * 10 -> inf :: DOUBLE
    1e308::double + 1e308 -> inf :: DOUBLE
    3.0e38::float * 10 -> inf :: FLOAT
    1::float / 0 -> inf :: FLOAT
    1.0 / 0 -> inf :: DOUBLE
    2.0::decimal(4,1) * 3::tinyint -> 6.0 :: DECIMAL(7,1)
    2.0::decimal(4,1) + 3::utinyint -> 5.0 :: DECIMAL(5,1)
    2.0::decimal(4,1) + 3::ubigint -> 5.0 :: DECIMAL(22,1)
    2.0::decimal(4,1) * 3::hugeint -> 6.0 :: DECIMAL(38,1)
    -(1.5::decimal(3,1)) -> -1.5 :: DECIMAL(3,1)
    -(interval '1 month 2 days 3 hours') -> -1 month -2 days -03:00:00 :: INTERVAL
    -(0::utinyint) -> 0 :: UTINYINT
    -(1::ubigint) -> ERR
    -(5::hugeint) -> -5 :: HUGEINT
    -(2.5::float) -> -2.5 :: FLOAT
    -(2.5::double) -> -2.5 :: DOUBLE
    1.5 & 2 -> ERR
    5::utinyint & 3::utinyint -> 1 :: UTINYINT
    xor(1::hugeint, 3) -> 2 :: HUGEINT
    ~(5::hugeint) -> -6 :: HUGEINT
    ~(-1) -> 0 :: INTEGER
    (1::decimal(18,9)) * (1::decimal(18,8)) -> 1.00000000000000000 :: DECIMAL(18,17)
    (1::decimal(18,9)) * (1::decimal(18,9)) -> 1.000000000000000000 :: DECIMAL(36,18)
    (1::decimal(18,9)) * (1::decimal(18,10)) -> 1.0000000000000000000 :: DECIMAL(36,19)
    (1::decimal(10,0)) * (1::decimal(18,0)) -> 1 :: DECIMAL(18,0)
    (1::decimal(18,0)) + (1::decimal(18,0)) -> 2 :: DECIMAL(19,0)
    (1::decimal(18,17)) - (1::decimal(18,17)) -> 0.00000000000000000 :: DECIMAL(19,17)
    (1::decimal(18,17)) * (1::decimal(2,1)) -> 1.000000000000000000 :: DECIMAL(20,18)
    (1::decimal(18,2)) * 1::int -> 1.00 :: DECIMAL(18,2)
    (1::decimal(18,0)) % (1::decimal(18,17)) -> 0.00000000000000000 :: DECIMAL(35,17)
    1::ubigint - 2::bigint -> -1 :: HUGEINT
    1::ubigint * -2::bigint -> -2 :: HUGEINT
    5::ubigint % (-2)::bigint -> 1 :: HUGEINT
    5::ubigint // (-2)::bigint -> -2 :: HUGEINT
    18446744073709551615::ubigint * 9223372036854775807 -> ERR
    7.0::double % 0 -> nan
    0/0 -> nan
    -- Where no number would be right, an error is clearer than one.
    date 'infinity' - date '2020-01-01' -> ERR out of range
    -- HUGEINT is DECIMAL(38,0).
    7::decimal(38,0) // 2 -> 3 :: HUGEINT
    99999999999999999999999999999999999999::hugeint + 1 -> ERR out of range
    1::utinyint + 1::tinyint -> 2 :: BIGINT
"#,
    );
}

#[test]
fn examples_show_what_they_say() {
    check_examples(&["arithmetic", "bit"]);
}
