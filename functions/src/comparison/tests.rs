//! Comparisons, with DuckDB's answers as the expected ones.

use crate::answers::{Answers, check_examples};

#[test]
fn comparisons_answer_as_duckdb() {
    Answers::new().check(
        r#"
    'nan'::double = 'nan'::double -> true :: BOOLEAN
    'nan'::double > 'inf'::double -> true :: BOOLEAN
    -0.0::double = 0.0::double -> true :: BOOLEAN
    'nan'::double <> 'nan'::double -> false :: BOOLEAN
    'nan'::float < 1::float -> false :: BOOLEAN
    1 = 1.0 -> true :: BOOLEAN
    1 < 2.5 -> true :: BOOLEAN
    'a' < 'b' -> true :: BOOLEAN
    'abc' < 'abd' -> true :: BOOLEAN
    'a' = 'a ' -> false :: BOOLEAN
    '' < 'a' -> true :: BOOLEAN
    [1,2] < [1,3] -> true :: BOOLEAN
    [1,2] < [1,2,3] -> true :: BOOLEAN
    [1,null] = [1,null] -> true :: BOOLEAN
    [1,null] < [1,2] -> false :: BOOLEAN
    [null] = [null] -> true :: BOOLEAN
    {'a':1} = {'a':1} -> true :: BOOLEAN
    {'a':1,'b':null} = {'a':1,'b':null} -> true :: BOOLEAN
    {'a':null} < {'a':1} -> false :: BOOLEAN
    map {'a':1} = map {'a':1} -> true :: BOOLEAN
    map {'a':1} < map {'a':2} -> true :: BOOLEAN
    null = 1 -> NULL :: BOOLEAN
    null is distinct from 1 -> true :: BOOLEAN
    null is not distinct from null -> true :: BOOLEAN
    1 is distinct from 1 -> false :: BOOLEAN
    [1] is distinct from null -> true :: BOOLEAN
    true > false -> true :: BOOLEAN
    date '2020-01-01' < date '2020-01-02' -> true :: BOOLEAN
    date '2020-01-01' < timestamp '2020-01-01 00:00:01' -> true :: BOOLEAN
    date '2020-01-01' = '2020-01-01' -> true :: BOOLEAN
    interval 1 month = interval 30 days -> true :: BOOLEAN
    interval 1 day = interval 24 hours -> true :: BOOLEAN
    interval 1 year = interval 365 days -> false :: BOOLEAN
    interval 1 month > interval 29 days -> true :: BOOLEAN
    'a'::blob < 'b'::blob -> true :: BOOLEAN
    1 is null -> false :: BOOLEAN
    null is null -> true :: BOOLEAN
    null is not null -> false :: BOOLEAN
    [null] is null -> false :: BOOLEAN
    not true -> false :: BOOLEAN
    not null -> NULL :: BOOLEAN
    greatest(1, 2, 3) -> 3 :: INTEGER
    greatest(1, null, 3) -> 3 :: INTEGER
    greatest(1, 2.5) -> 2.5 :: DECIMAL(11,1)
    greatest('a', 'b') -> b :: VARCHAR
    greatest('nan'::double, 1) -> nan :: DOUBLE
    least('nan'::double, 1) -> 1.0 :: DOUBLE
    least(1, null) -> 1 :: INTEGER
    least('b', 'a', 'c') -> a :: VARCHAR
    greatest([1,2],[1,3]) -> [1, 3] :: INTEGER[]
    greatest(date '2020-01-01', date '2021-01-01') -> 2021-01-01 :: DATE
    least(-0.0::double, 0.0::double) -> -0.0 :: DOUBLE
    greatest(5) -> 5 :: INTEGER
    1 in (1, 2) -> true :: BOOLEAN
    3 in (1, 2) -> false :: BOOLEAN
    3 in (1, null) -> NULL :: BOOLEAN
    1 in (1, null) -> true :: BOOLEAN
    null in (1, 2) -> NULL :: BOOLEAN
    'a' in ('a', 'b') -> true :: BOOLEAN
    1 in (1.0, 2) -> true :: BOOLEAN
    2.5 in (1, 2.5) -> true :: BOOLEAN
    'nan'::double in ('nan'::double) -> true :: BOOLEAN
    -0.0::double in (0.0::double) -> true :: BOOLEAN
    [1] in ([1],[2]) -> true :: BOOLEAN
    1::tinyint = 300 -> false :: BOOLEAN
    1::utinyint = -1 -> false :: BOOLEAN
    18446744073709551615::ubigint > -1 -> true :: BOOLEAN
    18446744073709551615::ubigint = 18446744073709551615::hugeint -> true :: BOOLEAN
    0.1::float = 0.1 -> true :: BOOLEAN
    0.1::float = 0.1::double -> false :: BOOLEAN
    16777217::int = 16777216::float -> true :: BOOLEAN
    1.5::decimal(3,1) = 1.50::decimal(5,2) -> true :: BOOLEAN
    1.5::decimal(3,1) < 2 -> true :: BOOLEAN
    time '10:00:00' < time '11:00:00' -> true :: BOOLEAN
    timestamptz '2020-01-01 00:00:00+00' = timestamptz '2020-01-01 02:00:00+02' -> true :: BOOLEAN
    timestamp_ns '2020-01-01 00:00:00.000000001' > timestamp '2020-01-01 00:00:00' -> true :: BOOLEAN
    typeof(greatest(null, null)) -> "NULL"
    1.5 in (1.5, 2) -> true
    true in (false) -> false
    'b'::blob in ('a'::blob, 'b'::blob) -> true
    {'a': 1} in ({'a': 1}, null) -> true
    -- A null in the list makes a miss unknown, also for long lists of constants.
    9 in (1, 2, 3, 4, 5, 6, 7, 8, null) -> NULL
    date '2020-01-01' in (date '2020-01-01') -> true
"#,
    );
}

#[test]
fn examples_show_what_they_say() {
    check_examples(&["comparison"]);
}
