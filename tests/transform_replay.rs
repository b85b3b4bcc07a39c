//! Whole files through fitted transforms: as a table, as pushed batches and row by row, with equal bits in all of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use hypostyle::arrow::array::RecordBatch;
use hypostyle::column::{borrow, value_at};
use hypostyle::{Batch, Configuration, Schema, Session, Transform, Value};

const DATA: &str = "../shared/data/recsys";

fn session(threads: usize) -> Session {
    Session::with_configuration(Configuration { threads, ..Configuration::default() })
}

/// The values of all rows, floats by their bits.
fn values(batches: &[RecordBatch]) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for batch in batches {
        let schema = Schema::from_arrow(&batch.schema()).unwrap();
        let batch = Batch::import(batch, &schema).unwrap();
        let arrays: Vec<_> = batch.columns.iter().map(|column| column.to_array().unwrap()).collect();
        let bump = Default::default();
        let views: Vec<_> = arrays
            .iter()
            .zip(&schema.fields)
            .map(|(array, field)| borrow(array, &field.data_type, &bump))
            .collect();
        rows.extend(
            (0..batch.rows).map(|row| views.iter().map(|view| value_at(view, row)).collect::<Vec<_>>()),
        );
    }
    rows
}

fn by_row(transform: &Transform, batches: &[RecordBatch]) -> Vec<Vec<Value>> {
    let mut row = transform.row().unwrap();
    let width = transform.outputs().fields.len();
    let mut found = Vec::new();
    let inputs: Vec<String> = transform.inputs().fields.iter().map(|field| field.name.clone()).collect();
    for batch in batches {
        let columns: Vec<usize> = inputs.iter().map(|name| batch.schema().index_of(name).unwrap()).collect();
        for values in values(std::slice::from_ref(&batch.project(&columns).unwrap())) {
            row.start(1).unwrap();
            for (place, value) in values.iter().enumerate() {
                row.set_value(place, value).unwrap();
            }
            row.evaluate().unwrap();
            found.push((0..width).map(|output| row.value(output, 0)).collect());
        }
    }
    found
}

/// Fits on a file and holds every way of applying it against the others; the number of rows.
fn replayed(definition: &str, source: &str) -> usize {
    let one = session(1);
    let transform = one.fit(definition, source).unwrap();
    assert!(
        one.fit(definition, source).unwrap().fitted() == session(2).fit(definition, source).unwrap().fitted()
    );
    let wanted = values(&transform.apply(source).unwrap().collect_all().unwrap());

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.hyp");
    transform.save(&path).unwrap();
    let loaded = session(2).load_transform(&path).unwrap();
    assert!(wanted == values(&loaded.apply(source).unwrap().collect_all().unwrap()), "2 threads differ");

    let batches = one.sql(&format!("SELECT * FROM {source}")).unwrap().collect_all().unwrap();
    for rows in [1000, 97] {
        let cut = |batch: &RecordBatch| {
            let starts = (0..batch.num_rows()).step_by(rows);
            starts.map(|start| batch.slice(start, rows.min(batch.num_rows() - start))).collect::<Vec<_>>()
        };
        let pushed: Vec<RecordBatch> = batches.iter().flat_map(cut).collect();
        assert!(
            wanted == values(&loaded.apply_batches(&pushed).unwrap()),
            "pushed batches of {rows} rows differ"
        );
    }
    let rows = by_row(&loaded, &batches);
    for (number, (wanted, found)) in wanted.iter().zip(&rows).enumerate() {
        assert!(wanted == found, "row {number} of {source}: {found:?} and not {wanted:?}");
    }
    assert_eq!(wanted.len(), rows.len());
    rows.len()
}

#[test]
fn files_of_recommenders_have_equal_bits_as_batches_pushes_and_rows() {
    if !Path::new(DATA).is_dir() {
        println!("skipped: no real data at {DATA}");
        return;
    }
    let counts =
        (1..14).map(|n| format!("standard_scale(log1p(abs(impute(I{n}, strategy => 'median')))) AS i{n}"));
    let categories =
        (1..27).map(|n| format!("vocab_encode(C{n}, oov => 3) AS c{n}, target_encode(C{n}, label) AS t{n}"));
    let criteo = counts.chain(categories).collect::<Vec<_>>().join(", ");
    let criteo = format!(
        "SELECT {criteo}, quantile_bucketize(I1, 8) AS bucket, hash_bucket(C1, 1000) AS hashed FROM input"
    );
    let movies = "
        SELECT standard_scale(rating) AS rating, vocab_encode(userId) AS who, count_encode(movieId) AS seen, target_encode(movieId, rating) AS liked,
               quantile_bucketize(rating, 5) AS bucket, date_part('hour', to_timestamp(timestamp)) AS hour, uniform_bucketize(timestamp, 12) AS age,
               min_max_scale(userId) * rating AS crossed FROM input";
    let trips = "
        SELECT id, robust_scale(trip_duration) AS duration, standard_scale(log1p(trip_duration)) AS logged, one_hot(store_and_fwd_flag) AS flag,
               date_part('dow', pickup_datetime) AS day, date_part('hour', pickup_datetime) AS hour, label_encode(vendor_id) AS vendor,
               quantile_bucketize(pickup_longitude, 32, compat => 'sklearn') AS west, max_abs_scale(dropoff_latitude - pickup_latitude) AS north,
               power_transform(passenger_count) AS passengers, haversine_km(pickup_latitude, pickup_longitude, dropoff_latitude, dropoff_longitude) AS way
        FROM input";
    let sources = [
        (criteo.as_str(), "'../shared/data/recsys/deepctr/criteo_sample.txt'"),
        (movies, "'../shared/data/recsys/ml-latest-small/ratings.csv'"),
        (trips, "'../shared/data/recsys/taxi/taxi_tour_table_train_simple.csv'"),
    ];
    for (definition, source) in sources {
        let source = match source.ends_with(".txt'") {
            true => format!("read_csv({source})"),
            false => source.to_owned(),
        };
        let source = format!("(SELECT * FROM {source})");
        let rows = replayed(definition, &source);
        println!("{source}: {rows} rows, no mismatch");
        assert!(rows > 100);
    }
}
