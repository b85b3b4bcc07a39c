//! Aggregates, joins and sorts with a budget that is far smaller than their state.

use std::path::Path;
use std::sync::Arc;

use hypostyle_engine::plan::{Expression, JoinKind, Node, Plan, WriteTarget};
use hypostyle_engine::{Configuration, Context, Error, Prepared};
use hypostyle_functions::types::Type;
use hypostyle_functions::value::Value;

use crate::join::{KINDS, cross_join, hash_join, join_on};
use crate::row;
use crate::setting::*;

/// A context with this budget whose spill files go to `directory`.
pub fn limited(tables: &[&Table], bytes: usize, threads: usize, directory: &Path) -> Arc<Context> {
    let free = context(tables, Setting { batch_rows: 1024, threads, memory_limit_bytes: Some(bytes) });
    let configuration =
        Configuration { temp_directory: Some(directory.to_path_buf()), ..free.configuration.clone() };
    Arc::new(Context::new(
        Arc::clone(&free.registry),
        Arc::clone(&free.catalog),
        free.settings.clone(),
        configuration,
    ))
}

/// Runs a plan with and without a budget, holds the rows equal, and checks that it spilled and left nothing behind.
#[track_caller]
pub fn same_when_spilled(tables: &[&Table], plan: &Plan, bytes: usize, is_ordered: bool) {
    let expected = collect(plan, &context(tables, SETTINGS[0]), &[]).unwrap();
    for threads in [1, 2] {
        let directory = tempfile::tempdir().unwrap();
        let context = limited(tables, bytes, threads, directory.path());
        let prepared = Prepared::new(plan.clone(), Arc::clone(&context)).unwrap();
        let mut run = prepared.start(&[]).unwrap();
        let mut rows = Vec::new();
        while let Some(batch) = run.next().unwrap() {
            rows.extend(rows_of(&batch, prepared.schema()));
        }
        let spilled: u64 = run.metrics().operators.iter().map(|figures| figures.spilled_bytes).sum();
        assert!(spilled > 0, "nothing was spilled with {threads} workers");
        drop(run);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        assert_eq!(context.memory.used_bytes(), 0);
        assert_eq!(rows.len(), expected.len(), "{threads} workers");
        let same = if is_ordered { rows == expected } else { sorted(rows) == sorted(expected.clone()) };
        assert!(same, "{threads} workers");
    }
}

pub fn wide(name: &'static str, count: u64, keys: u64, seed: u64) -> Table {
    let mut random = Random(seed);
    let rows = (0..count)
        .map(|id| {
            let key = random.below(keys);
            let key = if key == 0 { Value::Null } else { Value::text(format!("a key of some length {key}")) };
            row![id as i64, key, random.below(1000) as i64, format!("payload {id} of this row").as_str()]
        })
        .collect();
    let fields = vec![("id", Type::Int64), ("key", Type::Text), ("x", Type::Int64), ("payload", Type::Text)];
    Table { name, fields, rows }
}

#[test]
fn an_aggregate_spills_and_gives_the_same_groups() {
    let table = wide("wide", 24_000, 16_000, 1);
    let plan = scan(&table);
    let (key, x, payload) = (column(&plan, 1), column(&plan, 2), column(&plan, 3));
    let mut distinct = call("count", vec![x.clone()], Type::Int64);
    distinct.distinct = true;
    let calls = vec![
        call("count", vec![], Type::Int64),
        call("sum", vec![x.clone()], Type::HUGEINT),
        call("first", vec![payload.clone()], Type::Text),
        call("list", vec![payload], Type::list(Type::Text)),
        distinct,
    ];
    same_when_spilled(&[&table], &aggregate(plan, vec![key], calls), 2 << 20, false);
}

#[test]
fn distinct_values_of_one_giant_group_spill() {
    let table = wide("wide", 40_000, 36_000, 3);
    let plan = scan(&table);
    let mut distinct = call("count", vec![column(&plan, 1)], Type::Int64);
    distinct.distinct = true;
    same_when_spilled(&[&table], &aggregate(plan, vec![], vec![distinct]), 1 << 20, true);
}

#[test]
fn grouping_sets_spill_and_give_the_same_groups() {
    let table = wide("wide", 24_000, 16_000, 1);
    let plan = scan(&table);
    let keys = vec![column(&plan, 1), column(&plan, 2)];
    let sum = call("sum", vec![column(&plan, 2)], Type::HUGEINT);
    let plan = aggregate_sets(plan, keys, vec![vec![0, 1], vec![1], vec![0], vec![]], vec![sum]);
    same_when_spilled(&[&table], &plan, 2 << 20, false);
}

#[test]
fn a_list_of_one_giant_group_that_does_not_fit_is_refused_with_who_holds_what() {
    let table = wide("wide", 60_000, 500, 9);
    let directory = tempfile::tempdir().unwrap();
    for threads in [1, 2] {
        let context = limited(&[&table], 1 << 20, threads, directory.path());
        let plan = scan(&table);
        let list = call("list", vec![column(&plan, 3)], Type::list(Type::Text));
        let error = collect(&aggregate(plan, vec![], vec![list]), &context, &[]).unwrap_err();
        assert!(matches!(error, Error::OutOfMemory { .. }), "{error}");
        assert!(error.to_string().contains("aggregate"), "{error}");
        assert_eq!(context.memory.used_bytes(), 0);
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_sort_spills_and_gives_the_same_order() {
    let table = wide("wide", 30_000, 500, 2);
    let plan = scan(&table);
    let keys = vec![descending(column(&plan, 1)), ascending(column(&plan, 2))];
    same_when_spilled(&[&table], &sort(plan, keys, None), 2 << 20, true);
}

#[test]
fn a_join_of_every_kind_spills_and_gives_the_same_rows() {
    let left = wide("left", 5_000, 6_000, 3);
    let right = wide("right", 8_000, 6_000, 4);
    for kind in KINDS {
        let plan = hash_join(scan(&left), scan(&right), kind, false, None);
        same_when_spilled(&[&left, &right], &plan, 400 << 10, true);
    }
}

#[test]
fn a_spilled_join_with_a_residual_condition_gives_the_same_rows() {
    let left = wide("left", 4_000, 1_000, 5);
    let right = wide("right", 8_000, 1_000, 6);
    for kind in KINDS {
        let plan = hash_join(scan(&left), scan(&right), kind, false, Some(x_is_less()));
        same_when_spilled(&[&left, &right], &plan, 400 << 10, true);
    }
}

fn x_is_less() -> Expression {
    compare("<", Expression::column(2, Type::Int64), Expression::column(6, Type::Int64))
}

#[test]
fn a_spilled_join_that_asks_for_unknown_pairs_gives_the_same_rows() {
    let mut left = wide("left", 1_000, 300, 15);
    let mut right = wide("right", 8_000, 300, 16);
    left.rows.iter_mut().chain(&mut right.rows).step_by(31).for_each(|row| row[2] = Value::Null);
    for kind in [JoinKind::LeftMark, JoinKind::LeftAntiNullAware, JoinKind::LeftSemi] {
        for keys in [[(1, true), (2, false)], [(1, false), (2, false)]] {
            let plan = join_on(scan(&left), scan(&right), kind, &keys, None);
            same_when_spilled(&[&left, &right], &plan, 200 << 10, true);
        }
    }
}

#[test]
fn a_join_without_keys_spills_and_gives_the_same_rows() {
    let left = wide("left", 23, 6_000, 3);
    let right = wide("right", 8_000, 6_000, 4);
    for kind in KINDS {
        let joined = cross_join(scan(&left), scan(&right), kind, Some(x_is_less()));
        let last = joined.schema.fields.len() - 1;
        let counted = call("count", vec![column(&joined, last)], Type::Int64);
        let id = column(&joined, 0);
        let plan = aggregate(joined, vec![id], vec![call("count", vec![], Type::Int64), counted]);
        same_when_spilled(&[&left, &right], &plan, 400 << 10, false);
    }
}

#[test]
fn a_spilled_single_join_gives_each_left_row_once_and_refuses_a_second_match() {
    let left = wide("left", 5_000, 6_000, 3);
    let mut right = wide("right", 8_000, 6_000, 4);
    let twice = hash_join(scan(&left), scan(&right), JoinKind::LeftSingle, false, None);
    let directory = tempfile::tempdir().unwrap();
    let context = limited(&[&left, &right], 400 << 10, 2, directory.path());
    let error = collect(&twice, &context, &[]).unwrap_err();
    assert!(error.to_string().contains("more than one row"), "{error}");
    let mut seen = std::collections::HashSet::new();
    right.rows.retain(|row| seen.insert(format!("{:?}", row[1])));
    let once = hash_join(scan(&left), scan(&right), JoinKind::LeftSingle, false, None);
    same_when_spilled(&[&left, &right], &once, 200 << 10, true);
}

#[test]
fn a_join_on_one_giant_key_goes_on_in_shares() {
    let mut left = wide("left", 12, 5, 7);
    let mut right = wide("right", 40_000, 5, 8);
    for row in left.rows.iter_mut().chain(&mut right.rows).filter(|row| row[0].as_i64().unwrap() % 9 != 0) {
        row[1] = Value::text("the one key that most rows have");
    }
    for kind in KINDS {
        let joined = hash_join(scan(&left), scan(&right), kind, false, None);
        let last = joined.schema.fields.len() - 1;
        let counted = call("count", vec![column(&joined, last)], Type::Int64);
        let id = column(&joined, 0);
        let plan = aggregate(joined, vec![id], vec![call("count", vec![], Type::Int64), counted]);
        same_when_spilled(&[&left, &right], &plan, 2 << 20, false);
    }
}

#[test]
fn partitions_of_a_spilled_join_stay_in_memory_where_they_fit_and_no_order_shows() {
    let left = wide("left", 12_000, 6_000, 21);
    let right = wide("right", 8_000, 6_000, 22);
    for kind in KINDS {
        for residual in [None, Some(x_is_less())] {
            let joined = hash_join(scan(&left), scan(&right), kind, false, residual);
            let last = joined.schema.fields.len() - 1;
            let counted = call("count", vec![column(&joined, last)], Type::Int64);
            let key = column(&joined, 1);
            let plan = aggregate(joined, vec![key], vec![call("count", vec![], Type::Int64), counted]);
            for bytes in [400 << 10, 600 << 10] {
                same_when_spilled(&[&left, &right], &plan, bytes, false);
            }
        }
    }
    // Few rows come out, so that a sort of them spills nothing.
    let few = wide("left", 12_000, 6_000_000, 23);
    let ordered = hash_join(scan(&few), scan(&right), JoinKind::LeftSemi, false, None);
    let counted = aggregate(ordered.clone(), vec![], vec![call("count", vec![], Type::Int64)]);
    let spilled = |plan: &Plan| {
        let directory = tempfile::tempdir().unwrap();
        let context = limited(&[&few, &right], 500 << 10, 1, directory.path());
        let mut run = Prepared::new(plan.clone(), context).unwrap().start(&[]).unwrap();
        while run.next().unwrap().is_some() {}
        run.metrics().operators.iter().map(|figures| figures.spilled_bytes).sum::<u64>()
    };
    let (all, some) = (spilled(&ordered), spilled(&counted));
    assert!(some > 0 && some * 10 < all * 9, "{some} of {all} bytes went to disk");
}

#[test]
fn a_single_join_goes_on_in_shares_beside_a_giant_key_that_nothing_asks_for() {
    let mut left = wide("left", 3_000, 6_000, 17);
    let mut right = wide("right", 40_000, 400_000, 18);
    let mut seen = std::collections::HashSet::new();
    for (place, row) in right.rows.iter_mut().enumerate() {
        if place % 7 != 0 || !seen.insert(format!("{:?}", row[1])) {
            row[1] = Value::text("the one key that most rows have");
        }
    }
    left.rows.iter_mut().zip(&right.rows).step_by(2).for_each(|(own, other)| own[1] = other[1].clone());
    left.rows.retain(|row| row[1] != Value::text("the one key that most rows have"));
    let plan = hash_join(scan(&left), scan(&right), JoinKind::LeftSingle, false, None);
    same_when_spilled(&[&left, &right], &plan, 1 << 20, true);
}

#[test]
fn a_limit_in_the_middle_of_a_plan_spills_and_keeps_the_same_rows() {
    let table = wide("wide", 40_000, 500, 9);
    let kept = limit(scan(&table), 5, Some(30_000));
    let key = column(&kept, 1);
    let total = call("sum", vec![column(&kept, 0)], Type::HUGEINT);
    let plan = aggregate(kept, vec![key], vec![total]);
    same_when_spilled(&[&table], &plan, 1 << 20, false);
}

#[test]
fn what_cannot_spill_is_refused_with_who_holds_what() {
    let table = wide("wide", 40_000, 500, 9);
    let directory = tempfile::tempdir().unwrap();
    let context = limited(&[&table], 1 << 20, 1, directory.path());
    let node = Node::Write {
        input: Box::new(scan(&table)),
        target: WriteTarget::Table { name: "copy".into(), replace: false },
    };
    let plan = Plan::new(node, schema(&[("count", Type::Int64)]));
    let error = collect(&plan, &context, &[]).unwrap_err();
    assert!(matches!(error, Error::OutOfMemory { .. }), "{error}");
    assert!(error.to_string().contains("table"), "{error}");
    assert_eq!(context.memory.used_bytes(), 0);
}

#[test]
fn a_spilling_run_that_is_cancelled_or_dropped_leaves_nothing_behind() {
    let table = wide("wide", 60_000, 40_000, 1);
    let directory = tempfile::tempdir().unwrap();
    let context = limited(&[&table], 2 << 20, 2, directory.path());
    let plan = scan(&table);
    let plan = sort(plan.clone(), vec![ascending(column(&plan, 1))], None);
    let prepared = Prepared::new(plan, Arc::clone(&context)).unwrap();
    let mut run = prepared.start(&[]).unwrap();
    assert!(run.next().unwrap().is_some());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    run.cancel();
    assert!(matches!(run.next(), Err(Error::Cancelled)));
    drop(run);
    let mut run = prepared.start(&[]).unwrap();
    assert!(run.next().unwrap().is_some());
    drop(run);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    assert_eq!(context.memory.used_bytes(), 0);
}
