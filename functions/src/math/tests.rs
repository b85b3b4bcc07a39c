//! Mathematical functions, with DuckDB's answers as the expected ones.

use crate::answers::{Answers, check_examples};

#[test]
fn functions_answer_as_duckdb() {
    Answers::new().check(
        r#"
    abs(-1) -> 1 :: INTEGER
    abs(-1.5) -> 1.5 :: DECIMAL(2,1)
    abs(-2147483648) -> ERR
    abs(-1.5::double) -> 1.5 :: DOUBLE
    abs(5::utinyint) -> 5 :: UTINYINT
    sign(-5) -> -1 :: TINYINT
    sign(-0.5) -> -1 :: TINYINT
    sign(0.0::double) -> 0 :: TINYINT
    sign('nan'::double) -> 0 :: TINYINT
    sign(5::utinyint) -> 1 :: TINYINT
    ceil(1.5) -> 2 :: DECIMAL(2,0)
    ceil(-1.5) -> -1 :: DECIMAL(2,0)
    ceil(1.2::double) -> 2.0 :: DOUBLE
    ceiling(1.2::float) -> 2.0 :: FLOAT
    floor(-1.5) -> -2 :: DECIMAL(2,0)
    floor(1.9::double) -> 1.0 :: DOUBLE
    ceil(5) -> 5.0 :: DOUBLE
    floor(5) -> 5.0 :: DOUBLE
    ceil(-0.5::double) -> -0.0 :: DOUBLE
    round(1.5) -> 2 :: DECIMAL(2,0)
    round(2.5) -> 3 :: DECIMAL(2,0)
    round(-2.5) -> -3 :: DECIMAL(2,0)
    round(2.5::double) -> 3.0 :: DOUBLE
    round(-2.5::double) -> -3.0 :: DOUBLE
    round(0.49999999999999994::double) -> 0.0 :: DOUBLE
    round(1.25, 1) -> 1.3 :: DECIMAL(3,1)
    round(1.25::double, 1) -> 1.3 :: DOUBLE
    round(1.35::double, 1) -> 1.4 :: DOUBLE
    round(1234.567::double, -2) -> 1200.0 :: DOUBLE
    round(1250::int, -2) -> 1300 :: INTEGER
    round(1250, -2) -> 1300 :: INTEGER
    round(-1250, -2) -> -1300 :: INTEGER
    round(15, -1) -> 20 :: INTEGER
    round(1.005::double, 2) -> 1.0 :: DOUBLE
    round(12345.678, -2) -> 12300 :: DECIMAL(8,0)
    round(12345.678, 5) -> 12345.678 :: DECIMAL(8,3)
    round(5, 2) -> 5 :: INTEGER
    round(1e300::double, 2) -> 1e+300 :: DOUBLE
    round('nan'::double, 2) -> nan :: DOUBLE
    round('inf'::double) -> inf :: DOUBLE
    round(1.5::float) -> 2.0 :: FLOAT
    round(2.675::float, 2) -> 2.67 :: FLOAT
    round(127::tinyint, -1) -> ERR
    round(1.23456789::double, 20) -> 1.23456789 :: DOUBLE
    round(123::decimal(5,2), 1) -> 123.0 :: DECIMAL(5,1)
    round(1.55::decimal(5,2), 1) -> 1.6 :: DECIMAL(5,1)
    round(-1.55::decimal(5,2), 1) -> -1.6 :: DECIMAL(5,1)
    round(99.95::decimal(4,2), 1) -> 100.0 :: DECIMAL(4,1)
    round_even(2.5::double, 0) -> 2.0 :: DOUBLE
    round_even(1.25, 1) -> 1.2 :: DECIMAL(3,1)
    round_even(3.5, 0) -> 4 :: DECIMAL(2,0)
    round_even(25, -1) -> 20 :: INTEGER
    trunc(1.9) -> 1 :: DECIMAL(2,0)
    trunc(-1.9::double) -> -1.0 :: DOUBLE
    trunc(1.25, 1) -> 1.2 :: DECIMAL(3,1)
    trunc(-1.29::double, 1) -> -1.2 :: DOUBLE
    trunc(1299, -2) -> 1200 :: INTEGER
    trunc(5) -> 5 :: INTEGER
    sqrt(4) -> 2.0 :: DOUBLE
    sqrt(2) -> 1.4142135623730951 :: DOUBLE
    cbrt(-8) -> -2.0 :: DOUBLE
    exp(1) -> 2.718281828459045 :: DOUBLE
    exp(1000) -> inf :: DOUBLE
    ln(2.718281828459045) -> 1.0 :: DOUBLE
    ln(1) -> 0.0 :: DOUBLE
    log(100) -> 2.0 :: DOUBLE
    log10(1000) -> 3.0 :: DOUBLE
    log2(8) -> 3.0 :: DOUBLE
    log(2, 8) -> 3.0 :: DOUBLE
    log(10, 1000) -> 3.0 :: DOUBLE
    pow(2, 10) -> 1024.0 :: DOUBLE
    pow(0, 0) -> 1.0 :: DOUBLE
    pow(0, -1) -> inf :: DOUBLE
    pow('nan'::double, 0) -> 1.0 :: DOUBLE
    power(2, 0.5) -> 1.4142135623730951 :: DOUBLE
    2**3 -> 8.0 :: DOUBLE
    2^3 -> 8.0 :: DOUBLE
    2::float ** 3::float -> 8.0 :: DOUBLE
    2.5 ** 2 -> 6.25 :: DOUBLE
    sin(0) -> 0.0 :: DOUBLE
    cos(0) -> 1.0 :: DOUBLE
    tan(0) -> 0.0 :: DOUBLE
    sin(1) -> 0.8414709848078965 :: DOUBLE
    cos(1) -> 0.5403023058681398 :: DOUBLE
    tan(1) -> 1.5574077246549023 :: DOUBLE
    asin(1) -> 1.5707963267948966 :: DOUBLE
    acos(1) -> 0.0 :: DOUBLE
    atan(1) -> 0.7853981633974483 :: DOUBLE
    atan2(1, -1) -> 2.356194490192345 :: DOUBLE
    atan2(0.0, -1) -> 3.141592653589793 :: DOUBLE
    sinh(1) -> 1.1752011936438014 :: DOUBLE
    cosh(1) -> 1.5430806348152437 :: DOUBLE
    asinh(1) -> 0.881373587019543 :: DOUBLE
    cot(1) -> 0.6420926159343306 :: DOUBLE
    degrees(pi()) -> 180.0 :: DOUBLE
    radians(180) -> 3.141592653589793 :: DOUBLE
    pi() -> 3.141592653589793 :: DOUBLE
    gamma(5) -> 24.0 :: DOUBLE
    gamma(0.5) -> 1.772453850905516 :: DOUBLE
    factorial(0) -> 1 :: HUGEINT
    factorial(5) -> 120 :: HUGEINT
    factorial(20) -> 2432902008176640000 :: HUGEINT
    factorial(33) -> 8683317618811886495518194401280000000 :: HUGEINT
    factorial(34) -> ERR
    factorial(-1) -> ERR
    gcd(12, 18) -> 6 :: BIGINT
    gcd(0, 5) -> 5 :: BIGINT
    gcd(-12, 18) -> 6 :: BIGINT
    lcm(4, 6) -> 12 :: BIGINT
    lcm(-4, 6) -> 12 :: BIGINT
    lcm(0, 5) -> 0 :: BIGINT
    lcm(9223372036854775807, 2) -> ERR
    greatest_common_divisor(12, 18) -> 6 :: BIGINT
    least_common_multiple(4, 6) -> 12 :: BIGINT
    even(2.9::double) -> 4.0 :: DOUBLE
    even(-2.1::double) -> -4.0 :: DOUBLE
    even(3) -> 4.0 :: DOUBLE
    isnan('nan'::double) -> true :: BOOLEAN
    isinf('inf'::double) -> true :: BOOLEAN
    isfinite('inf'::double) -> false :: BOOLEAN
    isfinite(1::float) -> true :: BOOLEAN
    isnan(1::float) -> false :: BOOLEAN
    signbit(-0.0::double) -> true :: BOOLEAN
    signbit('-inf'::double) -> true :: BOOLEAN
    nextafter(1::double, 2) -> 1.0000000000000002 :: DOUBLE
    nextafter(1::float, 2::float) -> 1.0000001 :: FLOAT
    nextafter(0::double, 1) -> 5e-324 :: DOUBLE
    bit_count(7) -> 3 :: TINYINT
    bit_count(-1) -> 32 :: TINYINT
    bit_count(255::tinyint::smallint) -> ERR
    xor(5, 3) -> 6 :: INTEGER
    mod(7, 3) -> 1 :: INTEGER
    mod(-7, 3) -> -1 :: INTEGER
    fdiv(7, 2) -> 3.0 :: DOUBLE
    fmod(7, -2) -> -1.0 :: DOUBLE
    fmod(-7, 2) -> 1.0 :: DOUBLE
    fdiv(7, 0) -> inf :: DOUBLE
    isfinite(date '2020-01-01') -> true :: BOOLEAN
    isinf(date 'infinity') -> true :: BOOLEAN
    isfinite(timestamp 'infinity') -> false :: BOOLEAN
    ln(0) -> -inf :: DOUBLE
    ln(-1) -> nan :: DOUBLE
    log(0) -> -inf :: DOUBLE
    acos(2) -> nan :: DOUBLE
    asin('inf'::double) -> nan :: DOUBLE
    cot(0) -> inf :: DOUBLE
    gamma(0) -> inf :: DOUBLE
    gamma(-1) -> nan :: DOUBLE
    lgamma(0) -> inf :: DOUBLE
    log2(0) -> -inf :: DOUBLE
    log10(-5) -> nan :: DOUBLE
    log(0, 5) -> -0.0 :: DOUBLE
    log(1, 5) -> inf :: DOUBLE
    exp(-1000) -> 0.0 :: DOUBLE
    degrees(1::float) -> 57.29577951308232 :: DOUBLE
    abs((-128)::tinyint) -> ERR out of range
    pow(-8, 1.0/3) -> nan
    sqrt(-1) -> nan
    log1p(1e-10) -> 9.999999999500001e-11 :: DOUBLE
    log1p(1::float) -> 0.6931472 :: FLOAT
    log1p(-1) -> -inf
    expm1('-inf'::double) -> -1.0
    random(42) = random(42) -> true
    random() = random() -> false
    uuid() = uuid() -> false
    binom(60, 30) -> 118264581564861424
    binom(3, 5) -> 0
    binom(-1, 0) -> ERR out of range
    random(1) = random(2) -> false
"#,
    );
}

#[test]
fn examples_show_what_they_say() {
    check_examples(&["math", "bit"]);
}
