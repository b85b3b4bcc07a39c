//! Early end, cancellation, errors, panics, and runs driven by a host.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hypostyle_engine::plan::{Expression, JoinKind, Node, Plan, TableReference, WriteTarget};
use hypostyle_engine::table::{Reader, Scan, ScanRequest, TableProvider};
use hypostyle_engine::{Batch, Context, Error, HostTable, Prepared, Progress, Result};
use hypostyle_functions::Schema;
use hypostyle_functions::types::Type;
use hypostyle_functions::value::Value;

use crate::join::{hash_join, side};
use crate::row;
use crate::setting::*;

/// What a morsel of an [`Endless`] table does.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    None,
    Error(usize),
    Panic(usize),
    ClaimError(usize),
}

/// A million morsels of ten batches of numbers.
struct Endless {
    schema: Schema,
    claimed: Arc<AtomicUsize>,
    trouble: Trouble,
}

struct EndlessScan {
    claimed: Arc<AtomicUsize>,
    trouble: Trouble,
    schema: Schema,
}

struct EndlessReader {
    morsel: usize,
    next: usize,
    trouble: Trouble,
    schema: Schema,
}

impl TableProvider for Endless {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn scan(&self, _: ScanRequest, _: &Arc<Context>) -> Result<Arc<dyn Scan>> {
        self.claimed.store(0, Ordering::Relaxed);
        let (claimed, schema) = (Arc::clone(&self.claimed), self.schema.clone());
        Ok(Arc::new(EndlessScan { claimed, trouble: self.trouble, schema }))
    }
}

impl Scan for EndlessScan {
    fn claim(&self) -> Result<Option<Box<dyn Reader>>> {
        let morsel = self.claimed.fetch_add(1, Ordering::Relaxed);
        if self.trouble == Trouble::ClaimError(morsel) {
            return Err(Error::input("part-7", "cannot be opened"));
        }
        let reader = EndlessReader { morsel, next: 0, trouble: self.trouble, schema: self.schema.clone() };
        Ok((morsel < 1_000_000).then(|| Box::new(reader) as Box<dyn Reader>))
    }

    fn progress(&self) -> (u64, u64) {
        (self.claimed.load(Ordering::Relaxed) as u64, 1_000_000)
    }
}

impl Reader for EndlessReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        if self.next == 10 {
            return Ok(None);
        }
        if self.next == 5 {
            match self.trouble {
                Trouble::Error(morsel) if morsel == self.morsel => {
                    return Err(Error::input("part-3", format!("damaged at morsel {morsel}")));
                }
                Trouble::Panic(morsel) if morsel == self.morsel => panic!("a bug in morsel {morsel}"),
                _ => {}
            }
        }
        let start = (self.morsel * 10 + self.next) as i64 * 100;
        self.next += 1;
        let rows: Rows = (start..start + 100).map(|id| row![id]).collect();
        Ok(Some(batch(&self.schema, &rows)))
    }
}

fn endless(trouble: Trouble, threads: usize) -> (Arc<Context>, Plan, Arc<AtomicUsize>) {
    let context = context(&[], Setting { batch_rows: 100, threads, memory_limit_bytes: None });
    let schema = schema(&[("id", Type::Int64)]);
    let claimed = Arc::new(AtomicUsize::new(0));
    let table = Endless { schema: schema.clone(), claimed: Arc::clone(&claimed), trouble };
    context.catalog.add_table("endless", Arc::new(table));
    let table = TableReference::Named("endless".into());
    let plan = Plan::new(Node::Scan { table, projection: vec![0], filters: Vec::new(), limit: None }, schema);
    (context, plan, claimed)
}

#[test]
fn a_limit_over_a_huge_scan_claims_few_morsels() {
    for threads in [1, 2] {
        let (context, plan, claimed) = endless(Trouble::None, threads);
        let kept = filter(plan.clone(), compare(">", column(&plan, 0), literal(150)));
        let rows = collect(&limit(kept, 3, Some(20)), &context, &[]).unwrap();
        assert_eq!(rows, (154..174).map(|id: i64| row![id]).collect::<Rows>());
        let claimed = claimed.load(Ordering::Relaxed);
        assert!(claimed <= threads + 1, "{claimed} morsels were claimed with {threads} workers");
    }
}

#[test]
fn a_limit_inside_a_plan_ends_its_scan_too() {
    for threads in [1, 2] {
        let (context, plan, claimed) = endless(Trouble::None, threads);
        let x = column(&plan, 0);
        let plan = aggregate(limit(plan, 0, Some(2500)), vec![], vec![call("max", vec![x], Type::Int64)]);
        assert_eq!(collect(&plan, &context, &[]).unwrap(), [row![2499]]);
        assert!(claimed.load(Ordering::Relaxed) <= 3 + 2 * threads);
    }
}

#[test]
fn a_result_that_nobody_takes_stops_the_workers() {
    for threads in [1, 2] {
        let (context, plan, claimed) = endless(Trouble::None, threads);
        let mut run = Prepared::new(plan, context).unwrap().start(&[]).unwrap();
        assert!(run.next().unwrap().is_some());
        let read_ahead = at_rest(&claimed);
        // While the first batch is awaited, a worker that is kept from the processor lets the other one go on for that long.
        let limit = if threads == 1 { 50 } else { 10_000 };
        assert!(read_ahead < limit, "{read_ahead} morsels were read ahead by {threads} workers");
        assert!(run.next().unwrap().is_some(), "the run goes on");
    }
}

/// The count once it has held still for a while.
fn at_rest(count: &AtomicUsize) -> usize {
    let begun = Instant::now();
    loop {
        let before = count.load(Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(200));
        if count.load(Ordering::Relaxed) == before {
            return before;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "the workers go on: {before}");
    }
}

#[test]
fn the_error_of_the_earliest_morsel_is_reported_after_the_rows_before_it() {
    for threads in [1, 2] {
        let (context, plan, _) = endless(Trouble::Error(3), threads);
        let mut run = Prepared::new(plan.clone(), Arc::clone(&context)).unwrap().start(&[]).unwrap();
        let mut rows = 0;
        let error = loop {
            match run.next() {
                Ok(Some(batch)) => rows += batch.rows,
                Ok(None) => panic!("no error"),
                Err(error) => break error,
            }
        };
        assert_eq!((rows, error.to_string().as_str()), (3500, "part-3: damaged at morsel 3"));
        // A limit that is reached before it never sees the error.
        assert_eq!(collect(&limit(plan.clone(), 0, Some(3400)), &context, &[]).unwrap().len(), 3400);
        let counted = aggregate(plan, vec![], vec![call("count", vec![], Type::Int64)]);
        assert_eq!(collect(&counted, &context, &[]).unwrap_err().to_string(), "part-3: damaged at morsel 3");
    }
}

#[test]
fn a_morsel_that_cannot_be_opened_ends_the_query_and_a_panic_becomes_an_internal_error() {
    for threads in [1, 2] {
        let (context, plan, _) = endless(Trouble::ClaimError(2), threads);
        assert_eq!(collect(&plan, &context, &[]).unwrap_err().to_string(), "part-7: cannot be opened");
        let (context, plan, _) = endless(Trouble::Panic(1), threads);
        let counted = aggregate(plan, vec![], vec![call("count", vec![], Type::Int64)]);
        let error = collect(&counted, &context, &[]).unwrap_err();
        assert!(matches!(&error, Error::Internal(text) if text == "a bug in morsel 1"), "{error}");
    }
}

#[test]
fn a_cancelled_run_says_so_in_every_worker() {
    for threads in [1, 2] {
        let (context, plan, _) = endless(Trouble::None, threads);
        let counted = aggregate(plan, vec![], vec![call("count", vec![], Type::Int64)]);
        let mut run = Prepared::new(counted, context).unwrap().start(&[]).unwrap();
        let handle = run.handle();
        let watcher = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(30));
            assert!(handle.progress() < 1.0);
            handle.cancel();
        });
        assert!(matches!(run.next(), Err(Error::Cancelled)));
        assert!(matches!(run.next(), Err(Error::Cancelled)));
        assert!(matches!(run.worker().step(), Err(Error::Cancelled)));
        watcher.join().unwrap();
    }
}

#[test]
fn a_host_steps_workers_of_its_own() {
    let (left, right) = (side("left", 4000, 50, 1, false), side("right", 60, 50, 2, false));
    let joined = hash_join(scan(&left), scan(&right), JoinKind::Full, false, None);
    let plan = sort(joined, vec![ascending(Expression::column(0, Type::Int64))], None);
    let setting = Setting { batch_rows: 16, threads: 1, memory_limit_bytes: None };
    let context = context(&[&left, &right], setting);
    let expected = collect(&plan, &context, &[]).unwrap();
    let prepared = Prepared::new(plan, context).unwrap();
    let run = prepared.start(&[]).unwrap();
    let workers: Vec<_> = (0..3).map(|_| run.worker()).collect();
    let taken: Vec<Vec<Batch>> = std::thread::scope(|scope| {
        let step = |mut worker: hypostyle_engine::Worker| {
            let mut taken = Vec::new();
            loop {
                match worker.step().unwrap() {
                    Progress::Output(batch) => taken.push(batch),
                    Progress::Working => {}
                    Progress::Idle => std::thread::yield_now(),
                    Progress::Finished => return taken,
                }
            }
        };
        let threads: Vec<_> = workers.into_iter().map(|worker| scope.spawn(move || step(worker))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let rows: Rows = taken.iter().flatten().flat_map(|batch| rows_of(batch, prepared.schema())).collect();
    assert_eq!(rows.len(), expected.len());
    assert!(sorted(rows) == sorted(expected));
}

fn host_plan() -> (Arc<Context>, Plan, Schema) {
    let schema = schema(&[("id", Type::Int64), ("text", Type::Text)]);
    let context = context(&[], SETTINGS[0]);
    context.catalog.add_table("input", Arc::new(HostTable::new(schema.clone())));
    let table = TableReference::Named("input".into());
    let node = Node::Scan { table, projection: vec![1, 0], filters: Vec::new(), limit: None };
    let fields = vec![schema.fields[1].clone(), schema.fields[0].clone()];
    (context, Plan::new(node, Schema::new(fields)), schema)
}

#[test]
fn pushed_batches_come_out_at_once_where_the_plan_streams() {
    let (context, plan, schema) = host_plan();
    let kept = filter(plan.clone(), compare(">", column(&plan, 1), literal(1)));
    let mut run = Prepared::new(kept, context).unwrap().start(&[]).unwrap();
    assert!(run.next().unwrap().is_none() && !run.is_finished());
    for start in [0i64, 10] {
        run.push(batch(&schema, &[row![start, "a"], row![start + 2, "b"]])).unwrap();
        let out = run.next().unwrap().expect("at least one row");
        assert_eq!(out.rows, if start == 0 { 1 } else { 2 });
        assert!(run.next().unwrap().is_none() && !run.is_finished());
    }
    let snapshot = run.snapshot().unwrap();
    run.restore(&snapshot).unwrap();
    assert!(run.restore(b"else").is_err());
    run.finish().unwrap();
    assert!(run.next().unwrap().is_none() && run.is_finished());
}

#[test]
fn a_breaker_gives_its_rows_when_the_pushed_input_ends() {
    let (context, plan, schema) = host_plan();
    let id = column(&plan, 1);
    let summed = aggregate(plan, vec![], vec![call("sum", vec![id], Type::HUGEINT)]);
    let prepared = Prepared::new(summed, context).unwrap();
    let mut run = prepared.start(&[]).unwrap();
    for id in [1i64, 2, 3] {
        run.push(batch(&schema, &[row![id, "x"]])).unwrap();
        assert!(run.next().unwrap().is_none() && !run.is_finished());
    }
    assert!(run.snapshot().unwrap_err().to_string().contains("Aggregate holds rows"));
    run.finish().unwrap();
    let out = run.next().unwrap().expect("one row");
    assert_eq!(rows_of(&out, prepared.schema()), [row![Value::hugeint(6)]]);
    assert!(run.next().unwrap().is_none() && run.is_finished());
}

#[test]
fn pushing_is_refused_by_a_plan_that_reads_tables_and_for_batches_of_another_shape() {
    let table = side("left", 5, 3, 1, false);
    let context = context(&[&table], SETTINGS[0]);
    let mut run = Prepared::new(scan(&table), context).unwrap().start(&[]).unwrap();
    assert!(run.push(Batch::new(Vec::new(), 0)).unwrap_err().to_string().contains("reads its own tables"));
    let (context, plan, _) = host_plan();
    let mut run = Prepared::new(plan, context).unwrap().start(&[]).unwrap();
    let error = run.push(Batch::new(Vec::new(), 3)).unwrap_err().to_string();
    assert!(error.contains("0 columns; the input has 2"), "{error}");
}

#[test]
fn create_table_as_keeps_rows_in_order_and_refuses_a_name_that_is_taken() {
    let table = side("left", 3000, 9, 1, true);
    for setting in SETTINGS {
        let context = context(&[&table], setting);
        let write = |replace| {
            let target = WriteTarget::Table { name: "copy".into(), replace };
            Plan::new(Node::Write { input: Box::new(scan(&table)), target }, schema(&[("rows", Type::Int64)]))
        };
        assert_eq!(collect(&write(false), &context, &[]).unwrap(), [row![3000]]);
        let copy = Table { name: "copy", fields: table.fields.clone(), rows: Vec::new() };
        assert!(collect(&scan(&copy), &context, &[]).unwrap() == table.rows);
        let error = collect(&write(false), &context, &[]).unwrap_err().to_string();
        assert!(error.contains("table \"copy\" exists"), "{error}");
        assert_eq!(collect(&write(true), &context, &[]).unwrap(), [row![3000]]);
    }
}

#[test]
fn a_join_with_an_empty_build_side_does_not_read_the_other() {
    let (context, plan, claimed) = endless(Trouble::None, 2);
    let empty = Plan::new(Node::Values { rows: Vec::new() }, schema(&[("id", Type::Int64)]));
    let keys = vec![hypostyle_engine::plan::JoinKey {
        left: column(&plan, 0),
        right: column(&empty, 0),
        nulls_match: false,
    }];
    let both = crate::join::join_schema(&plan, &empty, JoinKind::Inner);
    let (left, right) = (Box::new(plan), Box::new(empty));
    let node = Node::HashJoin { left, right, kind: JoinKind::Inner, keys, residual: None };
    assert!(collect(&Plan::new(node, both), &context, &[]).unwrap().is_empty());
    assert_eq!(claimed.load(Ordering::Relaxed), 0);
}

#[test]
fn an_error_behind_the_limit_of_a_subquery_is_not_reported() {
    for threads in [1, 2] {
        let (context, plan, _) = endless(Trouble::Error(1), threads);
        let x = column(&plan, 0);
        let plan = aggregate(limit(plan, 0, Some(900)), vec![], vec![call("max", vec![x], Type::Int64)]);
        assert_eq!(collect(&plan, &context, &[]).unwrap(), [row![899]]);
    }
}
