//! Quantization, with answers of numpy: `np.clip(np.rint(x / scale) + zero, -128, 127)`, `np.packbits(x > 0)`,
//! `x.astype(np.float16)`.

use crate::answers::{Answers, check_examples};

#[test]
fn sixteen_bits_round_to_even() {
    Answers::new().check(
        r#"
    to_f16(2049::float) -> 2048.0 :: HALF
    to_f16(2051::float) -> 2052.0 :: HALF
    to_f16(65519::float) -> 65504.0
    to_f16(65520::double) -> inf
    to_f16(2.98e-8::double) -> 0.0
    to_f16(2.9802322387695317e-8::double) -> 5.9604645e-08
    to_f16('nan'::float) -> nan
    to_f16([1, NULL]::float[2]) -> [1.0, NULL] :: HALF[2]
    to_bf16(1.00390625::float) -> 16256 :: USMALLINT
    to_bf16(1.01171875::float) -> 16258
    to_bf16([1, 2]::float[2]) -> [16256, 16384] :: USMALLINT[2]
    from_bf16(32639) -> 3.3895314e+38 :: FLOAT
    from_bf16(to_bf16('inf'::float)) -> inf
    from_bf16(to_bf16('nan'::float)) -> nan
    from_bf16(to_bf16([1, 2]::float[2])) -> [1.0, 2.0] :: FLOAT[2]
    to_f16(NULL::float) -> NULL
"#,
    );
}

#[test]
fn codes_of_eight_bits() {
    Answers::new().check(
        r#"
    quantize_i8([0.5, 1.5, 2.5, -0.5, -1.5]::float[5], 1) -> [0, 2, 2, 0, -2] :: TINYINT[5]
    quantize_i8([1000, -1000]::float[2], 1) -> [127, -128]
    quantize_i8(['inf'::float, '-inf'::float], 1) -> [127, -128] :: TINYINT[]
    quantize_i8([0, 255]::float[2], 1, -128) -> [-128, 127]
    quantize_i8([1, 1]::float[2], [0.5, 0.25]::float[2]) -> [2, 4]
    quantize_i8([1, 1]::float[2], [0.5, 0.25, 1]::float[3]) -> ERR argument 2 has dimension 3; expected 2
    quantize_i8(['nan'::float], 1) -> ERR argument 1 holds NaN
    quantize_i8([1, NULL]::float[2], 1) -> ERR null element
    quantize_i8([1]::float[1], 0) -> ERR holds the scale 0; expected finite scales above 0
    quantize_i8([1]::float[1], 1, 128) -> ERR argument 3 is 128; expected a zero point from -128 to 127
    quantize_i8([]::float[], 1) -> [] :: TINYINT[]
    quantize_i8(NULL::float[2], 1) -> NULL :: TINYINT[2]
    dequantize_i8([-128, 127]::tinyint[2], 0.5, -128) -> [0.0, 127.5] :: FLOAT[2]
    dequantize_i8([2, 2]::tinyint[2], [0.5, 0.25]::float[2]) -> [1.0, 0.5]
    quantize_rowwise([0, 0]::float[2]) -> {'codes': [0, 0], 'scale': 1.0, 'zero_point': 0}
    quantize_rowwise([0, 255]::float[2], 'affine') -> {'codes': [-128, 127], 'scale': 1.0, 'zero_point': -128}
    quantize_rowwise([-1, 254]::float[2], mode => 'affine') -> {'codes': [-128, 127], 'scale': 1.0, 'zero_point': -127}
    quantize_rowwise(['inf'::float]) -> ERR infinity
    quantize_rowwise(['nan'::float]) -> ERR NaN
    quantize_rowwise([1]::float[1], 'other') -> ERR expected 'symmetric' or 'affine'
    dequantize_rowwise(quantize_rowwise([-1, 254]::float[2], 'affine')) -> [-1.0, 254.0] :: FLOAT[2]
    dequantize_rowwise({'a': 1}) -> ERR expected STRUCT(codes TINYINT[]
    dot_i8([-128, 127]::tinyint[2], [-128, 127]::tinyint[2]) -> 32513 :: BIGINT
    dot_i8([1]::tinyint[1], [1, 2]::tinyint[2]) -> ERR dimension 2; expected 1
    l2_squared_i8([-128]::tinyint[1], [127]::tinyint[1]) -> 65025 :: BIGINT
    cosine_i8([1, 0]::tinyint[2], [0, 1]::tinyint[2]) -> 0.0 :: DOUBLE
    cosine_i8([0, 0]::tinyint[2], [0, 1]::tinyint[2]) -> nan
"#,
    );
}

#[test]
fn codes_of_four_bits() {
    Answers::new().check(
        r#"
    hex(quantize_i4([1, -1, 100, -100, 2.5]::float[5], 1)) -> F18702
    dequantize_i4(quantize_i4([1, -1, 100, -100, 2.5]::float[5], 1), 1, 5) -> [1.0, -1.0, 7.0, -8.0, 2.0] :: FLOAT[5]
    dequantize_i4(quantize_i4([1, 2]::float[2], 1), 1, 3) -> ERR argument 1 has 1 bytes; expected 2 for dimension 3
    quantize_i4(['nan'::float], 1) -> ERR NaN
    quantize_i4([1]::float[1], -1) -> ERR expected a finite scale above 0
    dot_i4(quantize_i4([7, -8, 3]::float[3], 1), quantize_i4([7, -8, 2]::float[3], 1)) -> 119
    l2_squared_i4(quantize_i4([7, -8]::float[2], 1), quantize_i4([-8, 7]::float[2], 1)) -> 450
    dot_i4(quantize_i4([7]::float[1], 1), quantize_i4([7, 1, 1]::float[3], 1)) -> ERR argument 2 has 2 bytes; expected 1
    quantize_i4([]::float[], 1) = ''::blob -> true
"#,
    );
}

#[test]
fn single_bits() {
    Answers::new().check(
        r#"
    hex(binarize([1, -1, 0, 0.5, 2, -2, 3, -3, 1]::float[9])) -> 9A80
    hex(binarize(['nan'::float, 1])) -> 40
    binarize([1, NULL]::float[2]) -> ERR null element
    hamming_distance(binarize([1, -1]::float[2]), binarize([-1, 1]::float[2])) -> 2 :: BIGINT
    hamming_distance('\xFF'::blob, '\x00\x00'::blob) -> ERR argument 2 has 2 bytes; expected 1
    hamming_distance([1, NULL], [2, NULL]) -> 1
    hamming_distance(['a', 'b'], ['a', 'c']) -> 1
    hamming_distance([1, 2], [1]) -> ERR dimension 1; expected 2
    bit_jaccard(''::blob, ''::blob) -> 1.0
    bit_jaccard('\xF0'::blob, '\xFF'::blob) -> 0.5
    hamming_distance(NULL::blob, ''::blob) -> NULL
"#,
    );
}

#[test]
fn product_codes() {
    Answers::new().check(
        r#"
    pq_encode([4, 4.5, -0.6, -0.7]::float[4], [[[0, 0], [1, 1], [5, 5]], [[0, 0], [-1, -1], [9, 0]]]) -> [2, 1] :: UTINYINT[2]
    pq_decode([2, 1]::utinyint[2], [[[0, 0], [1, 1], [5, 5]], [[0, 0], [-1, -1], [9, 0]]]) -> [5.0, 5.0, -1.0, -1.0] :: FLOAT[4]
    pq_l2_squared([5, 5, -1, 1]::float[4], [2, 1]::utinyint[2], [[[0, 0], [1, 1], [5, 5]], [[0, 0], [-1, -1], [9, 0]]]) -> 4.0 :: FLOAT
    pq_encode([1, 2, 3]::float[3], [[[0, 0]], [[1, 1]]]) -> ERR argument 1 has dimension 3; expected 4, the dimension of the codebook
    pq_encode([1, 2]::float[2], [[[0]], [[1], [2]]]) -> ERR different numbers of centroids
    pq_encode([1, 2]::float[2], [[[0]], [[1, 2]]]) -> ERR centroids of different widths
    pq_encode([1, 2]::float[2], [[[0]], NULL]) -> ERR null part
    pq_encode(['nan'::float], [[[0]]]) -> ERR NaN
    pq_encode([]::float[], []::float[][][]) -> ERR is empty
    pq_decode([7]::utinyint[1], [[[0], [1]]]) -> ERR holds a code without a centroid; expected codes below 2
    pq_decode([0, 0]::utinyint[2], [[[0], [1]]]) -> ERR argument 1 has dimension 2; expected 1, the number of parts
    pq_l2_squared([1]::float[1], [9]::utinyint[1], [[[0], [1]]]) -> ERR argument 2 holds a code without a centroid
    pq_encode(NULL::float[1], [[[0], [1]]]) -> NULL :: UTINYINT[1]
"#,
    );
}

#[test]
fn examples_show_what_they_say() {
    check_examples(&["quantization"]);
}
