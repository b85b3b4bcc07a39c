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
    hash_bucket('a', -1) -> ERR at least 0
    hash_bucket('a', NULL) -> ERR at least 0
    hash_bucket('a', 0) = xxhash64('a')::hugeint - 18446744073709551616 -> true
    farm_fingerprint('alphabet') -> -2427165924636348523
    farm_fingerprint('1footrue') -> -1541654101129638711
    farm_fingerprint('2applefalse') -> 2794438866806483259
    farm_fingerprint('3true') -> -4880158226897771312
    xxh3('') = xxh3_64('') -> true
    hash_bucket('a', 3, algorithm => 'farm') -> 0
    hash_bucket('b', 3, algorithm => 'farm') -> 1
    hash_bucket('alphabet', 0, algorithm => 'farm') -> -2427165924636348523
    hash_bucket('a', 10, 1, 'farm') -> ERR takes no seed
    hash_bucket('a', 10, 42, 'murmur3') = murmur3_32('a', 42) % 10 -> true
    hash_bucket('', 0, 1, 'murmur3') -> 1364076727
    hash_bucket('hello', 0, algorithm => 'murmur3_signed') -> 613153351
    hash_bucket(12, 97, 42, 'murmur3_signed') < 97 AND hash_bucket(12, 97, 42, 'murmur3_signed') >= 0 -> true
    hash_bucket('123456789', 0, algorithm => 'crc32c') -> 3808858755
    hash_bucket('', 0, algorithm => 'xxhash3') -> 3244421341483603138
    hash_bucket('a', 10, algorithm => 'md5') -> ERR expected 'xxhash64'
    hash_bucket(NULL::varchar, 10) -> NULL
    hash_bucket(NULL::varchar, 10, nulls => 'bucket') < 10 -> true
    hash_bucket(NULL::bigint, 10, nulls => 'bucket') = hash_bucket(NULL::varchar, 10, nulls => 'bucket') -> true
    hash_bucket([NULL, 'a'], 10, nulls => 'bucket') = [hash_bucket(NULL::varchar, 10, nulls => 'bucket'), hash_bucket('a', 10)] -> true
    hash_bucket([NULL, 3], 10, nulls => 'bucket') = [hash_bucket(NULL::bigint, 10, nulls => 'bucket'), hash_bucket(3, 10)] -> true
    hash_bucket('a', 10, nulls => 'own') -> ERR 'null' or 'bucket'
    list_hash([1, 2], 10, algorithm => 'farm') = [hash_bucket(1, 10, 0, 'farm'), hash_bucket(2, 10, 0, 'farm')] -> true
    hash_bucket('a', 1000) = xxhash64('a') % 1000 -> true
"#,
    );
}

#[test]
fn discrete_numbers_are_the_published_ones() {
    Answers::new().check(
        r#"
    discrete(3) -> 2681491882390849628 :: BIGINT
    discrete(3, 1000) -> 628
    discrete(3, 100) -> 28
    [discrete(0, 5), discrete(1, 5), discrete(2, 5), discrete(3, 5), discrete(4, 5)] -> [0, 4, 1, 3, 1]
    [discrete(-1, 5), discrete(-2, 5), discrete(-3, 5), discrete(-4, 5)] -> [1, 0, 0, 4]
    discrete(3::bigint) = farm_fingerprint('\x03\x00\x00\x00\x00\x00\x00\x00'::blob) -> true
    discrete('3true') -> -4880158226897771312
    discrete('3true', 10) -> 4
    discrete(3, 0) -> NULL
    discrete(3, -1) -> NULL
    discrete(NULL::int, 5) -> NULL
    discrete(3, NULL) -> NULL
        "#,
    );
}

#[test]
fn choices_stay_stable() {
    Answers::new().check(
        r#"
    jump_hash(42, 57) -> 43 :: BIGINT
    jump_hash(-1, 1) -> 0
    jump_hash(1, 0) -> ERR at least 1
    jump_hash(NULL, 3) -> NULL
    consistent_choose(1, 3, 0) -> [] :: BIGINT[]
    consistent_choose(1, 3, 4) -> ERR expected 0 to 3 numbers of 3
    consistent_choose(1, 5000, 1001) -> ERR expected 0 to 1000 numbers of 5000
    consistent_choose(1, 0, 0) -> ERR at least 1
    consistent_choose('a', 50, 4) = consistent_choose('a', 50, 4) -> true
    list_has_all(consistent_choose('a', 50, 4), consistent_choose('a', 50, 3)) -> true
    consistent_choose(NULL::bigint, 3, 1) -> NULL
    hash_128_to_64(0, twang_mix64(1)) -> 3312372336822847760 :: BIGINT
    sigrid_hash(5, 7, 1000) = positive_modulus(hash_128_to_64(7, twang_mix64(5)), 1000) -> true
        "#,
    );
}

#[test]
fn examples_show_what_they_say() {
    check_examples(&["hash"]);
}
