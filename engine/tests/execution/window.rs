//! Windows in memory, through files, cut to the first rows of partitions, and as bytes.

use hypostyle_engine::plan::{
    Exclusion, Expression, FrameBound, FrameUnits, Node, Plan, RowLimit, SortKey, Window, WindowCall,
    WindowFrame, WindowFunction,
};
use hypostyle_functions::types::{Field, Schema, Type};
use hypostyle_functions::value::{Literal, Value};
use hypostyle_functions::window::WindowKind;

use crate::setting::*;
use crate::spill::{limited, same_when_spilled, wide};

/// A window with these calls over one order.
fn window(input: Plan, partition: Vec<Expression>, order: Vec<SortKey>, calls: Vec<WindowCall>) -> Plan {
    let mut fields = input.schema.fields.clone();
    fields.extend(
        calls.iter().enumerate().map(|(at, call)| Field::new(format!("w{at}"), call.data_type.clone())),
    );
    let window = Window { partition, orders: vec![order], calls, limit: None };
    Plan::new(Node::Window { input: Box::new(input), window }, Schema::new(fields))
}

fn aggregate_over(function: &str, argument: Expression, result: Type, frame: WindowFrame) -> WindowCall {
    let call = call(function, vec![argument], result.clone());
    WindowCall { function: WindowFunction::Aggregate(call), order: 0, frame, data_type: result }
}

fn positional(name: &str, kind: WindowKind, arguments: Vec<Expression>) -> WindowCall {
    let data_type = kind.result(&arguments.iter().map(Expression::data_type).collect::<Vec<_>>());
    let function = WindowFunction::Positional {
        name: name.into(),
        kind,
        arguments,
        ignore_nulls: false,
        order: Vec::new(),
    };
    WindowCall { function, order: 0, frame: WindowFrame::default(), data_type }
}

/// The last rows before this one.
fn last_rows(count: i64) -> WindowFrame {
    let offset = Expression::Literal(Literal::new(Value::Int64(count)));
    WindowFrame { units: FrameUnits::Rows, start: FrameBound::Preceding(offset), ..WindowFrame::default() }
}

/// Every way to evaluate: whole partitions, running totals, sliding frames, merged blocks, single rows, positions.
fn calls(plan: &Plan) -> Vec<WindowCall> {
    let (id, x, payload) = (column(plan, 0), column(plan, 2), column(plan, 3));
    let whole = WindowFrame {
        units: FrameUnits::Rows,
        end: FrameBound::UnboundedFollowing,
        ..WindowFrame::default()
    };
    let others = WindowFrame { exclude: Exclusion::CurrentRow, ..last_rows(20) };
    vec![
        aggregate_over("sum", x.clone(), Type::HUGEINT, whole),
        aggregate_over("sum", x.clone(), Type::HUGEINT, WindowFrame::default()),
        aggregate_over("max", payload.clone(), Type::Text, last_rows(7)),
        aggregate_over("min", x.clone(), Type::Int64, others),
        aggregate_over("list", id, Type::list(Type::Int64), last_rows(2)),
        positional("row_number", WindowKind::RowNumber, vec![]),
        positional("rank", WindowKind::Rank, vec![]),
        positional("first_value", WindowKind::FirstValue, vec![payload]),
    ]
}

#[test]
fn a_window_spills_and_gives_the_same_rows_in_the_same_order() {
    let table = wide("wide", 12_000, 1_500, 21);
    let plan = scan(&table);
    let (key, x) = (column(&plan, 1), column(&plan, 2));
    let calls = calls(&plan);
    same_when_spilled(&[&table], &window(plan, vec![key], vec![descending(x)], calls), 3 << 20, true);
}

#[test]
fn parts_that_do_not_fit_are_sorted_through_files() {
    // A few keys: each part holds one of them, and is larger than the memory of an evaluation.
    let table = wide("wide", 16_000, 9, 22);
    let plan = scan(&table);
    let (key, x) = (column(&plan, 1), column(&plan, 2));
    let calls = calls(&plan);
    same_when_spilled(&[&table], &window(plan, vec![key], vec![ascending(x)], calls), 3 << 20, true);
}

#[test]
fn one_partition_is_evaluated_without_the_columns_that_it_only_passes_on() {
    let table = wide("wide", 16_000, 9, 28);
    let plan = scan(&table);
    let (id, x) = (column(&plan, 0), column(&plan, 2));
    let calls = vec![
        positional("row_number", WindowKind::RowNumber, vec![]),
        aggregate_over("sum", x.clone(), Type::HUGEINT, last_rows(5)),
    ];
    let plan = window(plan, vec![], vec![descending(x), ascending(id)], calls);
    same_when_spilled(&[&table], &plan, 2 << 20, true);
}

#[test]
fn a_partition_that_does_not_fit_is_evaluated_in_stretches() {
    let table = wide("wide", 30_000, 2, 23);
    let plan = scan(&table);
    let order = vec![ascending(column(&plan, 0))];
    let calls = calls(&plan);
    same_when_spilled(&[&table], &window(plan, vec![], order, calls), 2 << 20, true);
}

#[test]
fn frames_that_do_not_fit_are_a_clear_error() {
    let table = wide("wide", 30_000, 2, 23);
    let plan = scan(&table);
    let (order, x) = (vec![ascending(column(&plan, 0))], column(&plan, 2));
    let calls = vec![aggregate_over("sum", x, Type::HUGEINT, last_rows(25_000))];
    let plan = window(plan, vec![], order, calls);
    let directory = tempfile::tempdir().unwrap();
    let context = limited(&[&table], 1 << 20, 1, directory.path());
    let error = collect(&plan, &context, &[]).unwrap_err().to_string();
    assert!(error.contains("raise memory_limit or narrow the frames"), "{error}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    assert_eq!(context.memory.used_bytes(), 0);
}

#[test]
fn only_the_first_rows_of_partitions_are_kept_where_only_they_are_wanted() {
    let table = wide("wide", 20_000, 40, 24);
    let plan = scan(&table);
    let (key, x) = (column(&plan, 1), column(&plan, 2));
    for (kind, with_ties) in [(WindowKind::RowNumber, false), (WindowKind::Rank, true)] {
        let mut limited = window(
            plan.clone(),
            vec![key.clone()],
            vec![ascending(x.clone())],
            vec![positional("n", kind, vec![])],
        );
        let condition = |plan: &Plan| compare("<=", column(plan, 4), literal(3));
        let expected = same_everywhere(&[&table], &filter(limited.clone(), condition(&limited)));
        let Node::Window { window, .. } = &mut limited.node else { panic!("a window") };
        window.limit = Some(RowLimit { rows: 3, with_ties });
        let more = collect(&limited, &context(&[&table], SETTINGS[0]), &[]).unwrap().len();
        assert!(more < 10_000, "{more} rows were kept");
        check(&[&table], &filter(limited.clone(), condition(&limited)), &expected);
    }
}

#[test]
fn a_window_is_the_same_at_every_batch_size_and_number_of_workers() {
    let table = wide("wide", 900, 30, 25);
    let plan = scan(&table);
    let (key, x) = (column(&plan, 1), column(&plan, 2));
    let calls = calls(&plan);
    let rows = same_everywhere(&[&table], &window(plan, vec![key], vec![ascending(x)], calls));
    // The order of the input is kept.
    assert!(rows.iter().map(|row| row[0].as_i64()).eq((0..900).map(Some)));
}

#[test]
fn a_plan_with_a_window_survives_its_bytes() {
    let table = wide("wide", 10, 3, 26);
    let plan = scan(&table);
    let (key, x) = (column(&plan, 1), column(&plan, 2));
    let calls = calls(&plan);
    let plan = window(plan, vec![key], vec![descending(x)], calls);
    let bytes = plan.to_bytes().unwrap();
    assert_eq!(Plan::from_bytes(&bytes).unwrap(), plan);
    assert!(plan.to_string().starts_with(
        "Window [sum(x) ROWS UNBOUNDED PRECEDING .. UNBOUNDED FOLLOWING, sum(x), max(payload) ROWS 7 PRECEDING .. CURRENT ROW"
    ));
}

#[test]
fn a_window_that_does_not_hold_together_is_refused() {
    let table = wide("wide", 10, 3, 27);
    let plan = scan(&table);
    let (key, x) = (column(&plan, 1), column(&plan, 2));
    let refused = |change: &dyn Fn(&mut Window)| {
        let mut plan = window(plan.clone(), vec![key.clone()], vec![ascending(x.clone())], calls(&plan));
        let Node::Window { window, .. } = &mut plan.node else { panic!("a window") };
        change(window);
        error_everywhere(&[&table], &plan)
    };
    let error = refused(&|window| window.calls[0].order = 1);
    assert!(error.contains("a call stands over order 1; there are 1"), "{error}");
    let error = refused(&|window| window.calls[0].frame.start = FrameBound::UnboundedFollowing);
    assert!(error.contains("a frame starts behind its partition or ends before it"), "{error}");
    let error = refused(&|window| {
        window.calls[2].frame.start = FrameBound::Preceding(Expression::column(1, Type::Text));
    });
    assert!(error.contains("a bound has type VARCHAR; expected BIGINT"), "{error}");
    let error = refused(&|window| {
        window.calls[2].frame.units = FrameUnits::Range;
    });
    assert!(error.contains("a range without a key"), "{error}");
}
