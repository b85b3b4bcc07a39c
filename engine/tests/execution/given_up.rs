//! Tables of joins that are given up for others before they are probed, or in the middle of it.

use std::sync::Arc;

use hypostyle_engine::plan::{Expression, JoinKey, JoinKind, Node, Plan};
use hypostyle_engine::{Configuration, Context, GivenUp, Prepared, Progress};
use hypostyle_functions::types::Type;

use crate::join::{KINDS, hash_join, join_on, join_schema};
use crate::setting::*;
use crate::spill::{limited, same_when_spilled, wide};

fn x_is_less() -> Expression {
    compare("<", Expression::column(2, Type::Int64), Expression::column(6, Type::Int64))
}

/// Counts of the joined rows by a key of the left side: no order shows.
fn counted(joined: Plan) -> Plan {
    let last = joined.schema.fields.len() - 1;
    let calls = vec![
        call("count", vec![], Type::Int64),
        call("count", vec![column(&joined, last)], Type::Int64),
        call("sum", vec![column(&joined, 0)], Type::HUGEINT),
    ];
    let key = column(&joined, 1);
    aggregate(joined, vec![key], calls)
}

fn given_up(tables: &[&Table], threads: usize, when: GivenUp, directory: &std::path::Path) -> Arc<Context> {
    context_with(tables, Setting { threads, ..SETTINGS[0] }, |configuration| {
        let temp_directory = Some(directory.to_path_buf());
        let given = configuration.clone();
        *configuration = Configuration { temp_directory, join_tables: when, batch_rows: 256, ..given };
    })
}

fn spilled_rows(plan: &Plan, context: &Arc<Context>) -> (Rows, u64) {
    let prepared = Prepared::new(plan.clone(), Arc::clone(context)).unwrap();
    let mut run = prepared.start(&[]).unwrap();
    let mut rows = Vec::new();
    while let Some(batch) = run.next().unwrap() {
        rows.extend(rows_of(&batch, prepared.schema()));
    }
    (rows, run.metrics().operators.iter().map(|figures| figures.spilled_bytes).sum())
}

#[test]
fn a_join_of_every_kind_gives_the_same_rows_when_its_table_is_given_up() {
    let left = wide("left", 3_000, 2_000, 31);
    let right = wide("right", 2_500, 2_000, 32);
    let tables = [&left, &right];
    for kind in KINDS {
        for residual in [None, Some(x_is_less())] {
            let joined = hash_join(scan(&left), scan(&right), kind, false, residual);
            for (plan, is_ordered) in [(joined.clone(), true), (counted(joined), false)] {
                let expected = collect(&plan, &context(&tables, SETTINGS[0]), &[]).unwrap();
                let settings =
                    [GivenUp::WhileWaiting, GivenUp::WhileProbed].map(|when| [(when, 1), (when, 2)]);
                for (when, threads) in settings.into_iter().flatten() {
                    let directory = tempfile::tempdir().unwrap();
                    let context = given_up(&tables, threads, when, directory.path());
                    let (rows, spilled) = spilled_rows(&plan, &context);
                    assert!(spilled > 0 || when == GivenUp::WhileProbed, "{kind:?} {when:?}");
                    let is_same = match is_ordered {
                        true => rows == expected,
                        false => sorted(rows) == sorted(expected.clone()),
                    };
                    assert!(is_same, "{kind:?} {when:?} {threads} workers");
                    assert_eq!(context.memory.used_bytes(), 0);
                    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
                }
            }
        }
    }
}

#[test]
fn nulls_that_match_and_pairs_that_are_unknown_survive_when_the_table_is_given_up() {
    let left = wide("left", 1_000, 300, 33);
    let right = wide("right", 800, 300, 34);
    let tables = [&left, &right];
    for kind in [JoinKind::LeftMark, JoinKind::LeftAntiNullAware, JoinKind::LeftSemi, JoinKind::Full] {
        for keys in [[(1, true), (2, false)], [(1, false), (2, false)]] {
            let plan = join_on(scan(&left), scan(&right), kind, &keys, None);
            let expected = collect(&plan, &context(&tables, SETTINGS[0]), &[]).unwrap();
            let directory = tempfile::tempdir().unwrap();
            let context = given_up(&tables, 2, GivenUp::WhileWaiting, directory.path());
            let (rows, spilled) = spilled_rows(&plan, &context);
            assert!(spilled > 0 && rows == expected, "{kind:?} {keys:?}");
        }
    }
}

/// Three joins, one above the other.
fn chain(tables: &[Table]) -> Plan {
    let [facts, first, second, third] = tables else { panic!("four tables") };
    let mut joined = scan(facts);
    for side in [first, second, third] {
        joined = hash_join(joined, scan(side), JoinKind::Left, false, None);
    }
    joined
}

#[test]
fn several_joins_run_with_memory_for_one_of_their_tables() {
    let tables: Vec<Table> =
        [("facts", 4_000, 41), ("first", 6_000, 42), ("second", 7_000, 43), ("third", 8_000, 44)]
            .map(|(name, rows, seed)| wide(name, rows, 20_000, seed))
            .into();
    let all: Vec<&Table> = tables.iter().collect();
    let joined = chain(&tables);
    same_when_spilled(&all, &joined, 1200 << 10, true);
    same_when_spilled(&all, &counted(joined), 1200 << 10, false);
}

const ASKED_LIMIT_BYTES: usize = 64 << 20;

/// The rows of a plan while another asks for all memory before step `asked_at` of the only worker, and whether it spilled.
fn asked_at_step(plan: &Plan, tables: &[&Table], asked_at: usize) -> (Rows, bool) {
    let directory = tempfile::tempdir().unwrap();
    let context = limited(tables, ASKED_LIMIT_BYTES, 1, directory.path());
    let prepared = Prepared::new(plan.clone(), Arc::clone(&context)).unwrap();
    let mut run = prepared.start(&[]).unwrap();
    let mut worker = run.worker();
    let (mut rows, mut steps, mut asking) = (Vec::new(), 0, None);
    loop {
        if steps == asked_at {
            let mut reservation = context.memory.query().account("another").reserve();
            // It may be that nothing is held yet that could be given up.
            let _ = reservation.resize(ASKED_LIMIT_BYTES - (1 << 10));
            asking = Some(reservation);
        }
        steps += 1;
        match worker.step().unwrap() {
            Progress::Output(batch) => rows.extend(rows_of(&batch, prepared.schema())),
            Progress::Finished => break,
            _ => {}
        }
    }
    while let Some(batch) = run.next().unwrap() {
        rows.extend(rows_of(&batch, prepared.schema()));
    }
    let is_spilled = run.metrics().operators.iter().any(|figures| figures.spilled_bytes > 0);
    drop((asking, worker, run));
    assert_eq!(context.memory.used_bytes(), 0);
    (rows, is_spilled)
}

#[test]
fn a_table_is_given_up_at_whatever_moment_another_asks() {
    let left = wide("left", 12_000, 6_000, 51);
    let right = wide("right", 8_000, 6_000, 52);
    let tables = [&left, &right];
    for kind in [JoinKind::Inner, JoinKind::Left, JoinKind::LeftSemi, JoinKind::LeftAnti, JoinKind::Full] {
        let plan = counted(hash_join(scan(&left), scan(&right), kind, false, None));
        let expected = sorted(collect(&plan, &context(&tables, SETTINGS[0]), &[]).unwrap());
        let mut spills = 0;
        for asked_at in (0..60).step_by(4) {
            let (rows, is_spilled) = asked_at_step(&plan, &tables, asked_at);
            spills += u32::from(is_spilled);
            assert_eq!(sorted(rows), expected, "{kind:?} asked at step {asked_at}");
        }
        assert!(spills > 2, "{kind:?}: only {spills} runs spilled");
    }
}

#[test]
fn build_rows_come_out_once_where_no_probe_row_came_and_another_asks() {
    let left = wide("left", 0, 6_000, 53);
    let right = wide("right", 4_000, 6_000, 54);
    let tables = [&left, &right];
    for kind in [JoinKind::Right, JoinKind::Full, JoinKind::RightAnti] {
        let plan = hash_join(scan(&left), scan(&right), kind, false, None);
        let expected = sorted(collect(&plan, &context(&tables, SETTINGS[0]), &[]).unwrap());
        assert_eq!(expected.len(), 4_000);
        for asked_at in 0..24 {
            let (rows, _) = asked_at_step(&plan, &tables, asked_at);
            assert_eq!(rows.len(), 4_000, "{kind:?} asked at step {asked_at}");
            assert!(sorted(rows) == expected, "{kind:?} asked at step {asked_at}");
        }
    }
}

#[test]
fn the_table_of_a_join_whose_rows_have_all_been_probed_is_given_up() {
    // The first join feeds the build side of the second, whose table is far smaller than that of the first.
    let (left, middle, right) =
        (wide("left", 2_000, 900, 61), wide("middle", 1_000, 900, 62), wide("right", 30_000, 900_000, 63));
    let inner = counted(hash_join(scan(&middle), scan(&right), JoinKind::Left, false, None));
    let left_plan = scan(&left);
    let key = JoinKey { left: column(&left_plan, 1), right: column(&inner, 0), nulls_match: false };
    let schema = join_schema(&left_plan, &inner, JoinKind::Inner);
    let (left_plan, inner) = (Box::new(left_plan), Box::new(inner));
    let node = Node::HashJoin {
        left: left_plan,
        right: inner,
        kind: JoinKind::Inner,
        keys: vec![key],
        residual: None,
    };
    let plan = Plan::new(node, schema);
    let tables = [&left, &middle, &right];
    let free = context(&tables, Setting { batch_rows: 64, ..SETTINGS[0] });
    let mut run = Prepared::new(plan, Arc::clone(&free)).unwrap().start(&[]).unwrap();
    run.next().unwrap().expect("rows come out");
    let (held, most) = (free.memory.used_bytes(), free.memory.peak_bytes());
    assert!(held * 4 < most, "{held} of at most {most} bytes are held while the last join is probed");
}
