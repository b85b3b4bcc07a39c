//! A digest of rows: of every value's bits, in order, and of nothing else.

use arrow::array::RecordBatch;
use arrow::row::{RowConverter, SortField};

/// Digest of all rows of batches of one schema, however they are cut into batches; the number of rows with it.
pub(super) fn digest(batches: &[RecordBatch]) -> (usize, u64) {
    let mut digest = 0xcbf2_9ce4_8422_2325u64;
    let mut rows = 0;
    for batch in batches {
        let fields =
            batch.schema().fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
        let converter = RowConverter::new(fields).unwrap();
        for row in &converter.convert_columns(batch.columns()).unwrap() {
            let bytes: &[u8] = row.as_ref();
            // The length keeps the borders of rows apart.
            for byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
                digest = (digest ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
            }
        }
        rows += batch.num_rows();
    }
    (rows, digest)
}

#[test]
fn batches_make_no_difference_and_bits_do() {
    use arrow::array::{ArrayRef, Float64Array};
    let batch = |values: &[f64]| {
        let column: ArrayRef = std::sync::Arc::new(Float64Array::from(values.to_vec()));
        RecordBatch::try_from_iter([("x", column)]).unwrap()
    };
    let whole = digest(&[batch(&[1.0, 2.0, 3.0])]);
    assert_eq!(whole, digest(&[batch(&[1.0]), batch(&[2.0, 3.0])]));
    assert_ne!(whole, digest(&[batch(&[1.0, 2.0, f64::from_bits(3.0f64.to_bits() + 1)])]));
    assert_ne!(digest(&[batch(&[0.0])]), digest(&[batch(&[-0.0])]));
}
