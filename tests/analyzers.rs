//! Every analyzer, fitted and applied in every way: equal parameters and equal bits.
//!
//! A column is given as flat, dictionary and sliced arrays, whole and cut, to 1 and 2 threads and batches of 1, 3 and many rows; what
//! was fitted is applied as a table, as pushed batches and row by row.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::Arc;

use hypostyle::arrow::array::{
    Array, ArrayRef, DictionaryArray, FixedSizeListArray, Float64Array, Int32Array, Int64Array, ListArray,
    RecordBatch, StringArray, UInt32Array,
};
use hypostyle::arrow::compute::{concat, take};
use hypostyle::arrow::datatypes::{Float32Type, Int32Type};
use hypostyle::column::{borrow, value_at};
use hypostyle::{Batch, Configuration, Schema, Session, Transform, Value};

const ROWS: usize = 211;

/// A use of each analyzer, some of them several; all of them are asked for.
const USES: &[(&str, &str)] = &[
    ("standard_scale", "standard_scale(x)"),
    ("standard_scale", "standard_scale(log1p(abs(impute(x))), ddof => 1)"),
    ("min_max_scale", "min_max_scale(x, clip => true)"),
    ("max_abs_scale", "max_abs_scale(x)"),
    ("robust_scale", "robust_scale(x)"),
    ("robust_scale", "robust_scale(k, method => 'approx')"),
    ("power_transform", "power_transform(x)"),
    ("quantile_bucketize", "quantile_bucketize(x, 8)"),
    ("uniform_bucketize", "uniform_bucketize(x, 5)"),
    ("vocab_encode", "vocab_encode(c, oov => 3)"),
    ("vocab_encode", "vocab_encode(k, min_count => 2, top_k => 7)"),
    ("label_encode", "label_encode(c)"),
    ("one_hot", "one_hot(c, top_k => 5)"),
    ("multi_hot", "multi_hot(tags)"),
    ("count_encode", "count_encode(c)"),
    ("target_encode", "target_encode(c, y, key => k, folds => 3)"),
    ("impute", "impute(x, strategy => 'median')"),
    ("impute", "impute(c, strategy => 'mode')"),
    ("bag_of_words", "bag_of_words(tags)"),
    ("tf_idf", "tf_idf(tags, compat => 'sklearn')"),
    ("quantize_i8", "quantize_i8(e)"),
    ("pca", "pca(e, 2, whiten => true)"),
    ("product_quantize", "product_quantize(e, 2, centroids => 9)"),
];

fn definition() -> String {
    definition_without("")
}

/// All uses but those of one analyzer.
fn definition_without(analyzer: &str) -> String {
    let uses = USES.iter().enumerate().filter(|(_, (name, _))| *name != analyzer);
    let columns: Vec<String> = uses.map(|(number, (_, call))| format!("{call} AS f{number}")).collect();
    format!("SELECT {} FROM input", columns.join(", "))
}

/// The columns with nulls, NaN, repeated and rare values.
fn columns() -> Vec<(&'static str, ArrayRef)> {
    let x = (0..ROWS).map(|row| match row % 13 {
        0 => None,
        1 => Some(f64::NAN),
        2 => Some(-0.0),
        _ => Some((row as f64).sin() * 10f64.powi(row as i32 % 7)),
    });
    let c = (0..ROWS).map(|row| {
        (row % 11 > 0).then(|| match row * row % 17 {
            0 => "a category that is too long for a view".to_owned(),
            number => format!("c{number}"),
        })
    });
    let y = (0..ROWS).map(|row| (row % 9 > 0).then(|| f64::from(row as u32 % 3)));
    let mut tags = hypostyle::arrow::array::ListBuilder::new(hypostyle::arrow::array::StringBuilder::new());
    for row in 0..ROWS {
        (0..row % 4).for_each(|tag| tags.values().append_value(format!("t{}", (row * 7 + tag) % 10)));
        tags.append(row % 10 > 0);
    }
    let tags: ListArray = tags.finish();
    let embedding = (0..ROWS).map(|row| {
        let element = move |place: usize| Some(((row * (place + 3)) % 29) as f32 / (place + 1) as f32);
        (row % 19 > 0).then(|| (0..4).map(element).collect::<Vec<_>>())
    });
    vec![
        ("x", Arc::new(x.collect::<Float64Array>())),
        (
            "k",
            Arc::new(
                (0..ROWS as i64).map(|row| (row % 15 > 0).then_some(row * row % 41)).collect::<Int64Array>(),
            ),
        ),
        ("c", Arc::new(c.collect::<StringArray>())),
        ("y", Arc::new(y.collect::<Float64Array>())),
        ("tags", Arc::new(tags)),
        ("e", Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(embedding, 4))),
    ]
}

fn batch(columns: impl IntoIterator<Item = (&'static str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

/// The same values behind keys that stand in another order, with values that no row uses.
fn as_dictionary(array: &ArrayRef) -> ArrayRef {
    let rows = array.len();
    let reversed = UInt32Array::from_iter_values((0..rows as u32).rev());
    let values = take(array, &reversed, None).unwrap();
    let values = concat(&[&values, &array.slice(0, rows.min(5))]).unwrap();
    let keys =
        Int32Array::from_iter((0..rows).map(|row| array.is_valid(row).then_some((rows - 1 - row) as i32)));
    Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values).unwrap())
}

/// The same values with others before and behind them.
fn as_slice(array: &ArrayRef) -> ArrayRef {
    let padded = concat(&[&array.slice(3, 40), array, &array.slice(0, 9)]).unwrap();
    padded.slice(40, array.len())
}

/// Gives an array another layout.
type Shape = fn(&ArrayRef) -> ArrayRef;

/// The table in each form, cut into batches of so many rows.
fn forms() -> Vec<(String, Vec<RecordBatch>)> {
    let shapes: [(&str, Shape); 3] =
        [("flat", Arc::clone), ("dictionary", as_dictionary), ("sliced", as_slice)];
    let mut forms = Vec::new();
    for (name, shape) in shapes {
        let shaped = columns().into_iter().map(|(name, array)| match array.data_type().is_nested() {
            true if shape(&array).data_type() != array.data_type() => (name, array),
            _ => (name, shape(&array)),
        });
        let whole = batch(shaped);
        for rows in [ROWS, 50, 1] {
            let starts = (0..ROWS).step_by(rows);
            let cut = starts.map(|start| whole.slice(start, rows.min(ROWS - start))).collect();
            forms.push((format!("{name} in batches of {rows}"), cut));
        }
    }
    forms
}

fn session(threads: usize, batch_rows: usize) -> Session {
    Session::with_configuration(Configuration { threads, batch_rows, ..Configuration::default() })
}

/// The values of all rows, floats by their bits.
fn values(batches: &[RecordBatch]) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for batch in batches {
        let schema = Schema::from_arrow(&batch.schema()).unwrap();
        let batch = Batch::import(batch, &schema).unwrap();
        let arrays: Vec<_> = batch.columns.iter().map(|column| column.to_array().unwrap()).collect();
        let bump = Default::default();
        let fields = arrays.iter().zip(&schema.fields);
        let views: Vec<_> = fields.map(|(array, field)| borrow(array, &field.data_type, &bump)).collect();
        rows.extend((0..batch.rows).map(|row| views.iter().map(|view| value_at(view, row)).collect()));
    }
    rows
}

fn by_row(transform: &Transform, table: &RecordBatch) -> Vec<Vec<Value>> {
    let mut row = transform.row().unwrap();
    let inputs = &transform.inputs().fields;
    let positions: Vec<usize> =
        inputs.iter().map(|field| table.schema().index_of(&field.name).unwrap()).collect();
    let width = transform.outputs().fields.len();
    let rows = values(&[table.project(&positions).unwrap()]);
    let evaluate = |values: &Vec<Value>| {
        row.start(1).unwrap();
        values.iter().enumerate().for_each(|(place, value)| row.set_value(place, value).unwrap());
        row.evaluate().unwrap();
        (0..width).map(|output| row.value(output, 0)).collect()
    };
    rows.iter().map(evaluate).collect()
}

#[test]
fn every_analyzer_is_used() {
    let used: BTreeSet<&str> = USES.iter().map(|(name, _)| *name).collect();
    let registry = Session::new().registry();
    let known: BTreeSet<&str> = registry.analyzers().iter().map(|analyzer| analyzer.name.as_str()).collect();
    assert_eq!(used, known);
    assert!(USES.iter().all(|(name, call)| call.starts_with(&format!("{name}("))));
}

#[test]
fn what_is_fitted_depends_on_no_batch_thread_or_layout() {
    let mut first: Option<Transform> = None;
    for (form, table) in forms() {
        for (threads, batch_rows) in [(1, 2048), (2, 2048), (1, 3), (2, 1)] {
            let session = session(threads, batch_rows);
            session.register("t", table.clone()).unwrap();
            let fitted = session.fit(&definition(), "t").unwrap();
            let Some(first) = &first else {
                first = Some(fitted);
                continue;
            };
            for (call, other) in first.fitted().calls.iter().zip(&fitted.fitted().calls) {
                assert!(call == other, "{} of {form}, {threads} threads, {batch_rows} rows", call.analyzer);
            }
            assert!(first.fitted() == fitted.fitted(), "{form}, {threads} threads, {batch_rows} rows");
        }
    }
}

#[test]
fn what_is_given_depends_on_no_batch_thread_layout_or_driver() {
    let fitting = session(1, 2048);
    let plain = batch(columns());
    fitting.register("t", vec![plain.clone()]).unwrap();
    let fitted = fitting.fit(&definition(), "t").unwrap();
    let wanted = values(&fitted.apply("t").unwrap().collect_all().unwrap());
    assert_eq!(wanted.len(), ROWS);
    let holds = |found: Vec<Vec<Value>>, how: &str| {
        assert_eq!(found.len(), ROWS, "{how}");
        for (row, (wanted, found)) in wanted.iter().zip(&found).enumerate() {
            for (column, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                assert!(
                    wanted == found,
                    "row {row} of {}, {how}: {found:?} and not {wanted:?}",
                    USES[column].1
                );
            }
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.hyp");
    fitted.save(&path).unwrap();
    for (form, table) in forms() {
        for (threads, batch_rows) in [(1, 2048), (2, 3), (2, 1)] {
            let session = session(threads, batch_rows);
            session.register("t", table.clone()).unwrap();
            let loaded = session.load_transform(&path).unwrap();
            let applied = loaded.apply("t").unwrap().collect_all().unwrap();
            holds(values(&applied), &format!("{form}, {threads} threads, {batch_rows} rows"));
            holds(values(&loaded.apply_batches(&table).unwrap()), &format!("{form}, pushed"));
        }
    }
    holds(by_row(&fitted, &plain), "row by row");
}

#[test]
fn a_table_without_rows_and_one_of_nulls_are_fitted() {
    let plain = batch(columns());
    let schema = plain.schema();
    let nulls =
        schema.fields().iter().map(|field| hypostyle::arrow::array::new_null_array(field.data_type(), 3));
    let nulls = RecordBatch::try_new(Arc::clone(&schema), nulls.collect()).unwrap();
    for table in [plain.slice(0, 0), nulls] {
        let session = session(2, 2048);
        session.register("t", vec![table]).unwrap();
        session.register("all", vec![plain.clone()]).unwrap();
        let fitted = session.fit(&definition_without("product_quantize"), "t").unwrap();
        // There is no codebook of no embeddings.
        let refused = session.fit("SELECT product_quantize(e, 2) AS e FROM input", "t").map(drop);
        assert!(refused.unwrap_err().to_string().contains("is NULL; expected a list of parts"));
        let applied = fitted.apply("all").unwrap().collect_all().unwrap();
        assert_eq!(applied.iter().map(RecordBatch::num_rows).sum::<usize>(), ROWS);
    }
}
