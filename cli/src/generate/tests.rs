//! Generated tables: the same for any number of threads, and shaped as promised.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{Float32Type, Int32Type, Int64Type, TimestampMicrosecondType};
use indicatif::ProgressBar;

use super::file::{FileFormat, Writing, write};
use super::table::{PART_ROWS, Table};
use super::{criteo, events, recommender, tpch, wide};
use crate::interrupt::Interrupt;

const WORLD: events::World = events::World { users: 500, items: 1_000, dimension: 8 };

fn rows_of(table: &Table) -> RecordBatch {
    let batches: Vec<RecordBatch> =
        (0..table.parts).flat_map(|part| (table.part)(part)).map(Result::unwrap).collect();
    concat_batches(&table.schema, &batches).unwrap()
}

#[test]
fn a_file_has_the_same_bytes_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let table = events::table(PART_ROWS + 10, WORLD, 7);
    for format in [FileFormat::Parquet, FileFormat::Csv] {
        let files: Vec<Vec<u8>> = [1, 3]
            .into_iter()
            .map(|threads| {
                let path = folder.path().join("events");
                let writing =
                    Writing { threads, progress: &ProgressBar::hidden(), interrupt: &Interrupt::default() };
                assert_eq!(write(&table, &path, format, &writing).unwrap(), PART_ROWS + 10);
                std::fs::read(path).unwrap()
            })
            .collect();
        assert!(files[0] == files[1]);
    }
}

#[test]
fn an_unwritable_place_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let writing = Writing { threads: 1, progress: &ProgressBar::hidden(), interrupt: &Interrupt::default() };
    let table = criteo::table(10, 1);
    let error = write(&table, &folder.path().join("no/such/file"), FileFormat::Csv, &writing).unwrap_err();
    assert!(error.to_string().contains("cannot write"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn criteo_has_nulls_a_long_tail_and_a_quarter_of_clicks() {
    let rows = rows_of(&criteo::table(20_000, 1));
    assert_eq!(rows.num_columns(), 40);
    let clicks: i32 = rows["label"].as_primitive::<Int32Type>().values().iter().sum();
    assert!((4_000..6_500).contains(&clicks), "{clicks}");
    let nulls = rows["I12"].null_count();
    assert!((14_500..16_000).contains(&nulls), "{nulls}");
    assert!(rows["C1"].as_string::<i32>().iter().all(|value| value.is_some_and(|value| value.len() == 8)));
}

#[test]
fn events_rise_in_time_and_only_searches_lack_an_item() {
    let rows = rows_of(&events::table(5_000, WORLD, 1));
    assert!(rows["ts"].as_primitive::<TimestampMicrosecondType>().values().is_sorted());
    let kinds = rows["event_type"].as_string::<i32>();
    let items = rows["item_id"].as_primitive::<Int64Type>();
    assert!((0..5_000).all(|row| (kinds.value(row) == "search") == items.is_null(row)));
    assert!((0..5_000).all(|row| rows["query"].is_valid(row) == (kinds.value(row) == "search")));
}

#[test]
fn tpch_has_the_row_counts_of_its_scale() {
    let counts: Vec<(&str, usize)> =
        tpch::tables(0.01).iter().map(|table| (table.name, rows_of(table).num_rows())).collect();
    let expected = [
        ("region", 5),
        ("nation", 25),
        ("supplier", 100),
        ("customer", 1_500),
        ("part", 2_000),
        ("partsupp", 8_000),
        ("orders", 15_000),
        ("lineitem", 60_175),
    ];
    assert_eq!(counts, expected);
}

#[test]
fn a_wide_table_has_its_columns_and_no_two_are_alike() {
    let rows = rows_of(&wide::table(3_000, 40, 7));
    assert_eq!((rows.num_rows(), rows.num_columns()), (3_000, 40));
    assert_eq!(rows.schema().field(39).name(), "f39");
    let counts = rows.column(4).as_primitive::<Int32Type>();
    assert!((200..400).contains(&counts.null_count()), "{}", counts.null_count());
    for (place, column) in rows.columns().iter().enumerate() {
        assert!(!rows.columns()[..place].contains(column), "column {place} repeats another");
    }
}

#[test]
fn a_recommender_has_dense_features_with_nulls_and_lists_of_twenty_ids() {
    let shape = recommender::Shape { dense: 6, sparse: 3, lengths: 41 };
    let rows = rows_of(&recommender::table(3_000, shape, 7));
    assert_eq!((rows.num_rows(), rows.num_columns()), (3_000, 10));
    let dense = rows["d5"].as_primitive::<Float32Type>();
    assert!((90..220).contains(&dense.null_count()), "{}", dense.null_count());
    assert!(dense.iter().flatten().all(|value| (0.0..=1e6).contains(&value)));
    let lists = rows["s2"].as_list::<i32>();
    let ids = lists.values().as_primitive::<Int64Type>();
    assert!((55_000..65_000).contains(&ids.len()), "{}", ids.len());
    assert!((0..3_000).all(|row| lists.value_length(row) <= 40));
    assert_ne!(rows["s0"].to_data(), rows["s1"].to_data());
}
