//! Casts, with DuckDB's answers as the expected ones.

use crate::answers::Answers;

#[test]
fn casts_between_scalars_and_nested_values_answer_as_duckdb() {
    Answers::new().check(
        r#"
    1.5::float::varchar -> 1.5
    0.1::float -> 0.1
    1e15 -> 1000000000000000.0
    1e16 -> 1e+16
    123456789012345680.0::double -> 1.2345678901234568e+17
    1e-5 -> 1e-05
    0.0001::double -> 0.0001
    1e300 -> 1e+300
    'nan'::double -> nan
    '-inf'::double -> -inf
    -0.0::double -> -0.0
    2.5::int -> 3
    3.5::int -> 4
    -2.5::int -> -3
    2.5::double::int -> 2
    3.5::double::int -> 4
    -2.5::double::int -> -2
    0.5::double::int -> 0
    1e20::int -> ERR
    'nan'::double::int -> ERR
    2.5::decimal(3,1)::int -> 3
    3.5::decimal(3,1)::int -> 4
    -2.5::decimal(3,1)::int -> -3
    1.25::decimal(2,1) -> 1.3
    1.25::decimal(3,2)::decimal(2,1) -> 1.3
    -1.25::decimal(3,2)::decimal(2,1) -> -1.3
    1.25::double::decimal(2,1) -> 1.3
    1.35::double::decimal(2,1) -> 1.4
    1.005::double::decimal(3,2) -> 1.00
    0.125::double::decimal(3,2) -> 0.13
    '1.25'::decimal(2,1) -> 1.3
    '1.35'::decimal(2,1) -> 1.4
    '2.5'::int -> 3
    '3.5'::int -> 4
    '-2.5'::int -> -3
    '1e3'::int -> 1000
    '1.5e1'::int -> 15
    ' 12 '::int -> 12
    '12abc'::int -> ERR
    ''::int -> ERR
    '+5'::int -> 5
    '1_000'::int -> 1000
    '0x1F'::int -> 31
    '0b11'::int -> 3
    '.5'::double -> 0.5
    '5.'::double -> 5.0
    '1e5'::decimal(10,2) -> 100000.00
    '  1.5  '::double -> 1.5
    'inf'::double -> inf
    'Infinity'::double -> inf
    'infinity'::float -> inf
    'NaN'::double -> nan
    '+inf'::double -> inf
    '1e400'::double -> inf
    '1e400'::float -> inf
    1e39::double::float -> ERR
    300::tinyint -> ERR
    -1::utinyint -> ERR
    1::bool::int -> 1
    'true'::bool -> true
    't'::bool -> true
    'T'::bool -> true
    'yes'::bool -> true
    'on'::bool -> ERR
    '1'::bool -> true
    '0'::bool -> false
    'f'::bool -> false
    'FALSE'::bool -> false
    '2'::bool -> ERR
    ' true '::bool -> ERR
    5::bool -> true
    0.5::double::bool -> true
    'nan'::double::bool -> true
    0.1::decimal(2,1)::bool -> true
    true::varchar -> true
    true::double -> 1.0
    true::decimal(3,1) -> 1.0
    'a'::blob -> a
    '\xAA'::blob -> \xAA
    '\x0'::blob -> ERR
    '\xzz'::blob -> ERR
    'ä'::blob -> ERR
    '\xC3\xA4'::blob::varchar -> \xC3\xA4
    'a\x00b\x22'::blob -> a\x00b\x22
    '2020-01-01'::date -> 2020-01-01
    '2020-1-1'::date -> 2020-01-01
    '20200101'::date -> ERR
    '2020/01/02'::date -> 2020-01-02
    '2020-01-01 10:00'::date -> 2020-01-01
    '2020-13-01'::date -> ERR
    '2020-02-30'::date -> ERR
    '  2020-01-01  '::date -> 2020-01-01
    '-5-01-01'::date -> 0006-01-01 (BC)
    '0005-01-01 (BC)'::date -> 0005-01-01 (BC)
    'infinity'::date -> infinity
    'epoch'::date -> 1970-01-01
    '5877642-06-25 (BC)'::date -> 5877642-06-25 (BC)
    '5881580-07-10'::date -> 5881580-07-10
    '5881580-07-11'::date -> ERR
    '99999-01-01'::date -> 99999-01-01
    '12:34:56'::time -> 12:34:56
    '12:34'::time -> 12:34:00
    '12:34:56.123456789'::time -> 12:34:56.123456
    '12:34:56.1234567'::time -> 12:34:56.123456
    '24:00:00'::time -> 24:00:00
    '25:00:00'::time -> ERR
    '1:2:3'::time -> 01:02:03
    '12'::time -> ERR
    '2020-01-01 12:34:56'::timestamp -> 2020-01-01 12:34:56
    '2020-01-01T12:34:56'::timestamp -> 2020-01-01 12:34:56
    '2020-01-01T12:34:56Z'::timestamp -> 2020-01-01 12:34:56
    '2020-01-01 12:34:56+02'::timestamp -> 2020-01-01 12:34:56
    '2020-01-01 12:34:56+02'::timestamptz -> 2020-01-01 10:34:56+00
    '2020-01-01 12:34:56.7 America/New_York'::timestamptz -> 2020-01-01 17:34:56.7+00
    '2020-01-01 12:34:56 UTC'::timestamp -> 2020-01-01 12:34:56
    '2020-01-01'::timestamp -> 2020-01-01 00:00:00
    '2020-01-01 12'::timestamp -> ERR
    '2020-01-01 12:34'::timestamp -> 2020-01-01 12:34:00
    '2020-01-01 12:34:56.123456789'::timestamp -> 2020-01-01 12:34:56.123456
    '2020-01-01 12:34:56.1234565'::timestamp -> 2020-01-01 12:34:56.123456
    '2020-01-01 12:34:56.123456789'::timestamp_ns -> 2020-01-01 12:34:56.123456789
    '2020-01-01 12:34:56.789'::timestamp_s -> 2020-01-01 12:34:57
    '2020-01-01 12:34:56.789'::timestamp_ms -> 2020-01-01 12:34:56.789
    '2020-01-01 12:34:56.789'::timestamp::timestamp_s -> 2020-01-01 12:34:57
    '1969-12-31 23:59:59.5'::timestamp::timestamp_s -> 1969-12-31 23:59:59
    '1969-12-31 23:59:59.5'::timestamp::date -> 1969-12-31
    '2020-01-01 12:34:56.789'::timestamp::time -> 12:34:56.789
    'infinity'::timestamp::date -> infinity
    'infinity'::timestamp::time -> ERR
    'infinity'::date::timestamp -> infinity
    '294247-01-10 04:00:54.775806'::timestamp -> 294247-01-10 04:00:54.775806
    '294247-01-10 04:00:54.775807'::timestamp -> ERR
    '290309-12-22 (BC) 00:00:00'::timestamp -> 290309-12-22 (BC) 00:00:00
    '290308-12-22 (BC) 00:00:00'::timestamp -> 290308-12-22 (BC) 00:00:00
    '290309-12-22 (BC)'::date::timestamp -> 290309-12-22 (BC) 00:00:00
    5881580::int::date -> ERR
    18262::date -> ERR
    '2020-01-01'::date::int -> ERR
    '2020-01-01'::timestamp::bigint -> ERR
    12345::timestamp -> ERR
    '12:00:00'::time::timestamp -> ERR
    '12:00:00'::time::bigint -> ERR
    '1 day'::interval -> 1 day
    '1 day 2 hours 3 minutes'::interval -> 1 day 02:03:00
    '1 year 2 mons'::interval -> 1 year 2 months
    '1 month -3 days 04:05:06.789'::interval -> 1 month -3 days 04:05:06.789
    '-1 day 1 hour'::interval -> -1 day 01:00:00
    '1d'::interval -> 1 day
    '1h'::interval -> 01:00:00
    '3 weeks'::interval -> 21 days
    '1.5 days'::interval -> 1 day 12:00:00
    '1.5 hours'::interval -> 01:30:00
    '1.5 months'::interval -> 1 month 15 days
    '1.5 years'::interval -> 1 year 6 months
    'P1Y2M3DT4H5M6S'::interval -> ERR
    '2 quarters'::interval -> 6 months
    '1 decade 1 century 1 millennium'::interval -> 1110 years
    '5 ms 3 us'::interval -> 00:00:00.005003
    '5 microseconds'::interval -> 00:00:00.000005
    '12:34:56'::interval -> 12:34:56
    '-12:34:56.5'::interval -> -12:34:56.5
    '1 day ago'::interval -> -1 day
    '@ 1 day'::interval -> 1 day
    ''::interval -> ERR
    '5'::interval -> 00:00:05
    interval '25 hours' -> 25:00:00
    interval '-25 hours -3 months' -> -3 months -25:00:00
    interval '1 year'::varchar -> 1 year
    interval '13 months -2 days' -> 1 year 1 month -2 days
    interval 1.5 second -> 00:00:01.5
    '1 day'::interval::bigint -> ERR
    '[1, 2, NULL]'::int[] -> [1, 2, NULL]
    '[]'::int[] -> []
    '[[1],[2,3]]'::int[][] -> [[1], [2, 3]]
    '[1,2'::int[] -> ERR
    '[a, "b c", ''d'']'::varchar[] -> [a, b c, d]
    '[1, a]'::int[] -> ERR
    '{a: 1, b: x}'::struct(a int, b varchar) -> {'a': 1, 'b': x}
    '{''a'': 1, ''b'': x}'::struct(a int, b varchar) -> {'a': 1, 'b': x}
    '{b: x}'::struct(a int, b varchar) -> {'a': NULL, 'b': x}
    '{a=1, b=2}'::map(varchar, int) -> {a=1, b=2}
    '[1, 2]'::int[2] -> [1, 2]
    '[1, 2]'::int[3] -> ERR
    [1,2]::int[2] -> [1, 2]
    [1,2]::int[3] -> ERR
    [1,2]::int[2]::int[] -> [1, 2]
    [1,2]::varchar[] -> [1, 2]
    [1,2]::varchar -> [1, 2]
    [1.5, null]::varchar -> [1.5, NULL]
    ['a', 'b c', 'null', '', 'x''y', 'a"b', 'a,b', '[x', ' y', 'a\b']::varchar -> [a, b c, 'null', '', 'x\'y', 'a"b', 'a,b', '[x', ' y', 'a\\b']
    {'a': 1, 'b': 'x'}::varchar -> {'a': 1, 'b': x}
    {'a': 1, 'b': {'c': [1,2]}}::varchar -> {'a': 1, 'b': {'c': [1, 2]}}
    {'a b': 1, 'c''d': date '2020-01-01'}::varchar -> {'a b': 1, 'c\'d': 2020-01-01}
    map {'a': 1, 'b c': 2}::varchar -> {a=1, b c=2}
    map {1: [1,2]}::varchar -> {1=[1, 2]}
    [timestamp '2020-01-01']::varchar -> ['2020-01-01 00:00:00']
    [interval 1 day]::varchar -> [1 day]
    ['a'::blob]::varchar -> [a]
    ['\xAA\xBB'::blob]::varchar -> ['\\xAA\\xBB']
    [true, null]::varchar -> [true, NULL]
    {'a': 1, 'b': 2}::struct(b int, a int) -> {'b': 2, 'a': 1}
    {'a': 1, 'b': 2}::struct(x int, y int) -> ERR
    {'a': 1, 'b': 2}::struct(a varchar, b double) -> {'a': 1, 'b': 2.0}
    {'a': 1}::struct(a int, b int) -> {'a': 1, 'b': NULL}
    map {'a': 1}::map(varchar, double) -> {a=1.0}
    [1,300]::tinyint[] -> ERR
    1::decimal(38,0) -> 1
    12345.678::decimal(5,1) -> ERR
    123.456::decimal(4,2) -> ERR
    1e10::decimal(38,10) -> 10000000000.0000000000
    1e30::double::decimal(38,5) -> 999999999999999968633661079179.75552
    1e38::double::decimal(38,0) -> ERR
    0.1::decimal(38,38) -> .10000000000000000000000000000000000000
    1::hugeint::double -> 1.0
    123::decimal(5,2)::double -> 123.0
    12.345::decimal(5,3)::float -> 12.345
    1.5::float::decimal(3,2) -> 1.50
    0.1::float::double -> 0.10000000149011612
    0.1::float::decimal(20,15) -> 0.100000001490116
    (1/3)::decimal(38,20) -> 0.33333333333333331968
    (2.0/3)::decimal(10,5) -> 0.66667
    {'a':1, 'b': null}::map(varchar, int) -> {a=1, b=NULL}
    try_cast({'a': 'x'} as map(varchar, int)) -> {a=NULL}
"#,
    );
}

#[test]
fn casts_at_the_edges_of_types_and_forms_answer_as_duckdb() {
    Answers::new().check(
        r#"
    -0.4::double::utinyint -> 0
    -0.5::double::utinyint -> 0
    -0.6::double::utinyint -> ERR
    127.5::double::tinyint -> ERR
    127.4::double::tinyint -> 127
    9223372036854775807::double::bigint -> ERR
    1e19::double::ubigint -> 10000000000000000000
    18446744073709551615::double::ubigint -> ERR
    try_cast([1,300] as tinyint[]) -> [1, NULL]
    try_cast({'a':300} as struct(a tinyint)) -> {'a': NULL}
    try_cast('[1,a]' as int[]) -> [1, NULL]
    try_cast([1,2] as int[3]) -> NULL
    try_cast('abc' as int) -> NULL
    300::double::tinyint -> ERR
    99.95::decimal(4,2)::decimal(3,1) -> ERR
    99.94::decimal(4,2)::decimal(2,0) -> ERR
    99.95::decimal(4,2)::decimal(2,0) -> ERR
    '99.95'::decimal(3,1) -> ERR
    '0.05'::decimal(3,1) -> 0.1
    '0.049'::decimal(3,1) -> 0.0
    '-0.05'::decimal(3,1) -> -0.1
    '1e-3'::decimal(5,2) -> 0.00
    '5e-3'::decimal(5,2) -> 0.01
    '1.'::decimal(5,2) -> 1.00
    '.5'::decimal(5,2) -> 0.50
    '.'::decimal(5,2) -> ERR
    '1e'::double -> ERR
    '--1'::int -> ERR
    '1.5.2'::double -> ERR
    '1 2'::int -> ERR
    '12.6'::bigint -> 13
    '0.5'::int -> 1
    '-0.5'::int -> -1
    '9223372036854775807.5'::bigint -> ERR
    '9223372036854775807'::bigint -> 9223372036854775807
    '-9223372036854775808'::bigint -> -9223372036854775808
    '9223372036854775808'::bigint -> ERR
    '18446744073709551615'::ubigint -> 18446744073709551615
    '1e2'::hugeint -> 100
    '1.5'::hugeint -> 2
    '1e400'::int -> ERR
    '1e-1'::int -> 0
    '5e-1'::int -> 1
    '1__0'::int -> ERR
    '_1'::int -> ERR
    '1_'::int -> ERR
    '0x'::int -> ERR
    '0xFFFFFFFF'::int -> ERR
    '-0x1F'::int -> ERR
    '1_0.5'::double -> 10.5
    '1_0'::double -> 10.0
    '1d'::double -> ERR
    '0x10'::double -> ERR
    '1e+5'::double -> 100000.0
    '1E5'::double -> 100000.0
    '-'::double -> ERR
    'NAN'::double -> nan
    '+5.5'::double -> 5.5
    '1,5'::double -> ERR
    (9007199254740993)::bigint::double -> 9007199254740992.0
    16777217::int::float -> 16777216.0
    (16777217.5)::decimal(20,1)::float -> 16777218.0
    12345678901234567.89::decimal(20,2)::double -> 1.2345678901234568e+16
    0.1::decimal(38,30)::double -> 0.1
    'true'::varchar::bool -> true
    'no'::bool -> false
    'n'::bool -> false
    'y'::bool -> true
    'TRUE '::bool -> ERR
    '12:34:56.1234565'::time -> 12:34:56.123456
    '2020-01-01 24:00:00'::timestamp -> 2020-01-02 00:00:00
    '2020-01-01 23:59:60'::timestamp -> ERR
    '2020-01-01 12:34:56 '::timestamp -> 2020-01-01 12:34:56
    '2020-01-01  12:34:56'::timestamp -> 2020-01-01 12:34:56
    '2020-01-01 12:34:56+02:30:15'::timestamptz -> 2020-01-01 10:04:41+00
    '2020-01-01 12:34:56+0230'::timestamptz -> 2020-01-01 10:04:56+00
    '2020-01-01 12:34:56 PST'::timestamptz -> 2020-01-01 20:34:56+00
    '2020-01-01 12:34:56 europe/berlin'::timestamptz -> 2020-01-01 11:34:56+00
    '2020-01-01 12:34:56 Nowhere/Else'::timestamptz -> ERR
    '2020-01-01 12:34:56+02'::date -> 2020-01-01
    '2020-01-01 x'::date -> ERR
    '2020-01-01x'::date -> ERR
    '2020-1'::date -> ERR
    '2020-01-01 (BC)'::date -> 2020-01-01 (BC)
    '2020-01-01 BC'::date -> ERR
    '20-01-01'::date -> 0020-01-01
    '2020\01\01'::date -> 2020-01-01
    '2020 01 01'::date -> 2020-01-01
    '2020-01/01'::date -> ERR
    '12:60:00'::time -> ERR
    '-infinity'::timestamp -> -infinity
    'INFINITY'::date -> infinity
    'epoch'::timestamp -> 1970-01-01 00:00:00
    'now'::timestamp -> ERR
    '2020-01-01T12:34:56.5+01:00'::timestamp -> 2020-01-01 12:34:56.5
    '2020-01-01T12:34:56.5+01:00'::timestamptz -> 2020-01-01 11:34:56.5+00
    '2020-01-01 12:34:56Z'::timestamptz -> 2020-01-01 12:34:56+00
    [1,2]::varchar[2] -> [1, 2]
    ['x']::int[] -> ERR
    ['1','2']::int[] -> [1, 2]
    {'a': '5'}::struct(a int) -> {'a': 5}
    [1]::int -> ERR
    1::int[] -> ERR
    'x'::int[] -> ERR
    ' [ 1 , 2 ] '::int[] -> [1, 2]
    '[1,,2]'::int[] -> ERR
    '[1,2,]'::int[] -> ERR
    '[ab cd, ''x,y'', "q\"z"]'::varchar[] -> [ab cd, 'x,y', 'q"z']
    '[null, NULL, ''null'']'::varchar[] -> [NULL, NULL, 'null']
    '{a: {b: 2}, c: [1, 2]}'::struct(a struct(b int), c int[]) -> {'a': {'b': 2}, 'c': [1, 2]}
    '{a:1,a:2}'::struct(a int) -> {'a': 2}
    '{a:1,z:2}'::struct(a int) -> ERR
    '{}'::struct(a int) -> {'a': NULL}
    '{1=a, 2=b}'::map(int, varchar) -> {1=a, 2=b}
    timestamp_ns '2020-01-01 00:00:00.123456789'::timestamp -> 2020-01-01 00:00:00.123457
    timestamp '2020-01-01 00:00:00.999999'::timestamp_ms -> 2020-01-01 00:00:01
    timestamp '1969-12-31 23:59:59.9996'::timestamp_ms -> 1970-01-01 00:00:00
    timestamp_ns '1969-12-31 23:59:59.999999999'::timestamp -> 1970-01-01 00:00:00
    timestamp_ns '1969-12-31 23:59:59.9999999'::timestamp -> 1970-01-01 00:00:00
    timestamp_s '2020-01-01 00:00:00'::timestamp_ns -> 2020-01-01 00:00:00
    timestamp '2300-01-01'::timestamp_ns -> ERR
    timestamp_ns '2300-01-01' -> ERR
    date '2300-01-01'::timestamp_ns -> ERR
    timestamp_ns '2020-01-01 12:00:00'::date -> 2020-01-01
    timestamp_ns '2020-01-01 12:00:00.5'::time -> 12:00:00.5
    time '12:00:00'::interval -> ERR
    interval '25 hours'::time -> ERR
    interval '1 day'::time -> ERR
    true::interval -> ERR
    1::interval -> ERR
    'a'::varchar::int -> ERR
    1.5::double::varchar::double -> 1.5
    date '2020-01-01'::timestamptz -> 2020-01-01 00:00:00+00
    timestamptz '2020-01-01 00:00:00+00'::date -> 2020-01-01
    timestamptz '2020-01-01 00:00:00+00'::timestamp -> 2020-01-01 00:00:00
    1::blob -> ERR
    'abc'::blob::int -> ERR
    null::int -> NULL
"#,
    );
}

#[test]
fn decimals_become_the_nearest_double() {
    use super::decimal::{power_of_ten, to_double};
    let mut state = 5u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 11
    };
    for _ in 0..20_000 {
        let digits = i128::from(next()) << 64 | i128::from(next()) << 20;
        let digits = digits >> (next() % 118);
        let (value, places) = (if next() % 2 == 0 { digits } else { -digits }, (next() % 39) as u32);
        let expected: f64 = format!("{value}e-{places}").parse().unwrap();
        let nearest = to_double(value, power_of_ten(places));
        assert!(nearest == expected, "{value}e-{places} is {expected:e}, not {nearest:e}");
    }
    assert_eq!(to_double(9_777_988_750_000_000_000, power_of_ten(13)), 977_798.875);
}
