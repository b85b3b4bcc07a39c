//! Hash functions, against published values.

use crate::answers::{Answers, check_examples};

#[test]
fn hashes_are_the_published_ones_and_buckets_stay_inside() {
    Answers::new().check(
        r#"
    farm_fingerprint('foo'::blob) -> 6150913649986995171 :: BIGINT
    xxhash64('a') -> 15154266338359012955 :: UBIGINT
    xxhash64('a', 1) = xxhash64('a') -> false
    xxhash64(5) = xxhash64('\x05\x00\x00\x00\x00\x00\x00\x00'::blob) -> true
    murmur3_32('hello') -> 613153351 :: UINTEGER
    crc32c(NULL::varchar) -> NULL
    hash(1::double) = hash(1::float) -> true
    hash([1, 2]) = hash([1, 2]) -> true
    hash(NULL) IS NULL -> false
    hash_bucket('a', 10) < 10 -> true
    hash_bucket(['a', NULL, 'b'], 1) -> [0, NULL, 0]
    hash_bucket([1, NULL, 2], 1) -> [0, NULL, 0] :: BIGINT[]
    hash_bucket(['a', 'b']::varchar[2], 1) -> [0, 0] :: BIGINT[2]
    hash_bucket('a', 0) -> ERR at least 1
    hash_bucket('a', 1000) = xxhash64('a') % 1000 -> true
"#,
    );
}

#[test]
fn examples_show_what_they_say() {
    check_examples(&["hash"]);
}
