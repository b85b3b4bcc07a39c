//! Scan, filter, project, limit, union, unnest, values.

use hypostyle_engine::plan::{Expression, Node, Plan};
use hypostyle_functions::types::{Field, Type};
use hypostyle_functions::value::Value;

use crate::row;
use crate::setting::*;

fn numbers(count: i64) -> Table {
    Table {
        name: "numbers",
        fields: vec![("id", Type::Int64), ("text", Type::Text)],
        rows: (0..count)
            .map(|id| {
                row![id, if id % 7 == 0 { Value::Null } else { Value::text(format!("row number {id}")) }]
            })
            .collect(),
    }
}

#[test]
fn a_scan_gives_all_rows_in_order() {
    let table = numbers(10_000);
    check(&[&table], &scan(&table), &table.rows);
}

#[test]
fn an_empty_table_gives_no_row() {
    let table = numbers(0);
    check(&[&table], &scan(&table), &[]);
}

#[test]
fn a_filter_keeps_rows_where_the_predicate_is_true_and_their_order() {
    let table = numbers(5000);
    let plan = scan(&table);
    let predicate = compare("<", column(&plan, 1), literal("row number 2"));
    let expected: Rows = table
        .rows
        .iter()
        .filter(|row| row[1].as_text().is_some_and(|text| text < "row number 2"))
        .cloned()
        .collect();
    check(&[&table], &filter(plan, predicate), &expected);
}

#[test]
fn a_projection_computes_and_picks() {
    let table = numbers(10);
    let plan = scan(&table);
    let expressions = vec![column(&plan, 1), compare(">", column(&plan, 0), literal(3)), column(&plan, 0)];
    let expected: Rows = table
        .rows
        .iter()
        .map(|row| vec![row[1].clone(), Value::Boolean(row[0].as_i64().unwrap() > 3), row[0].clone()])
        .collect();
    check(&[&table], &project(plan, expressions), &expected);
}

#[test]
fn limit_and_offset_count_rows_in_order() {
    let table = numbers(5000);
    check(&[&table], &limit(scan(&table), 2500, Some(7)), &table.rows[2500..2507]);
    check(&[&table], &limit(scan(&table), 4990, None), &table.rows[4990..]);
    check(&[&table], &limit(scan(&table), 0, Some(0)), &[]);
    check(&[&table], &limit(scan(&table), 9000, Some(1)), &[]);
}

#[test]
fn a_limit_below_a_projection_and_one_inside_a_plan_keep_the_same_rows() {
    let table = numbers(5000);
    let limited = limit(scan(&table), 10, Some(3000));
    let picked = project(limited, vec![Expression::column(0, Type::Int64)]);
    let expected: Rows = (10..3010).map(|id| row![i64::from(id)]).collect();
    check(&[&table], &picked, &expected);
    let above = filter(picked, compare(">", Expression::column(0, Type::Int64), literal(3000)));
    check(&[&table], &above, &expected[2991..]);
}

#[test]
fn a_union_gives_its_inputs_one_after_the_other() {
    let table = numbers(3000);
    let small = filter(scan(&table), compare("<", Expression::column(0, Type::Int64), literal(5)));
    let schema = small.schema.clone();
    let plan = Plan::new(Node::Union { inputs: vec![small.clone(), scan(&table), small] }, schema);
    let expected: Rows = table.rows[..5].iter().chain(&table.rows).chain(&table.rows[..5]).cloned().collect();
    check(&[&table], &plan, &expected);
    check(&[&table], &limit(plan, 3, Some(10)), &expected[3..13]);
}

#[test]
fn values_are_rows_of_constants() {
    let rows = vec![
        vec![literal(1), literal("a")],
        vec![literal(2), Expression::Literal(hypostyle_functions::Literal::null(Type::Text))],
    ];
    let plan = Plan::new(Node::Values { rows }, schema(&[("a", Type::Int64), ("b", Type::Text)]));
    check(&[], &plan, &[row![1, "a"], row![2, ()]]);
    let nothing = Plan::new(Node::Values { rows: vec![vec![]] }, schema(&[]));
    check(&[], &project(nothing, vec![literal(7)]), &[row![7]]);
}

fn list(values: &[i64]) -> Value {
    Value::List(Type::Int64, values.iter().map(|&value| Value::Int64(value)).collect())
}

fn unnest(input: Plan, lists: Vec<Expression>, outer: bool) -> Plan {
    let mut schema = input.schema.clone();
    for list in &lists {
        schema.fields.push(Field::new("element", list.data_type().element().unwrap().clone()));
    }
    Plan::new(Node::Unnest { input: Box::new(input), lists, outer }, schema)
}

fn lists() -> Table {
    Table {
        name: "lists",
        fields: vec![("id", Type::Int64), ("a", Type::list(Type::Int64)), ("b", Type::list(Type::Int64))],
        rows: vec![
            row![1, list(&[10, 11, 12]), list(&[20])],
            row![2, list(&[]), list(&[])],
            row![3, (), list(&[30, 31])],
            row![4, (), ()],
        ],
    }
}

#[test]
fn unnest_runs_lists_in_parallel_and_pads_with_nulls() {
    let table = lists();
    let plan = scan(&table);
    let (a, b) = (column(&plan, 1), column(&plan, 2));
    let unnested = unnest(plan, vec![a, b], false);
    let picked = [0, 3, 4].map(|index| column(&unnested, index)).to_vec();
    let expected = [row![1, 10, 20], row![1, 11, ()], row![1, 12, ()], row![3, (), 30], row![3, (), 31]];
    check(&[&table], &project(unnested, picked), &expected);
}

#[test]
fn an_outer_unnest_keeps_rows_without_elements() {
    let table = lists();
    let plan = scan(&table);
    let a = column(&plan, 1);
    let unnested = unnest(plan, vec![a], true);
    let picked = [0, 3].map(|index| column(&unnested, index)).to_vec();
    let expected = [row![1, 10], row![1, 11], row![1, 12], row![2, ()], row![3, ()], row![4, ()]];
    check(&[&table], &project(unnested, picked), &expected);
}

#[test]
fn a_long_list_is_given_batch_by_batch() {
    let table = Table {
        name: "lists",
        fields: vec![("a", Type::list(Type::Int64))],
        rows: vec![row![list(&(0..10_000).collect::<Vec<_>>())]],
    };
    let plan = scan(&table);
    let a = column(&plan, 0);
    let unnested = unnest(plan, vec![a], false);
    let element = column(&unnested, 1);
    let expected: Rows = (0..10_000i64).map(|value| row![value]).collect();
    check(&[&table], &project(unnested, vec![element]), &expected);
}

#[test]
fn a_single_row_passes_a_row_makes_nulls_of_none_and_refuses_two() {
    let table = numbers(10);
    let single = |input: Plan| {
        let schema = input.schema.clone();
        Plan::new(Node::SingleRow { input: Box::new(input) }, schema)
    };
    check(&[&table], &single(limit(scan(&table), 3, Some(1))), &table.rows[3..4]);
    check(&[&table], &single(limit(scan(&table), 30, Some(1))), &[row![(), ()]]);
    let error = error_everywhere(&[&table], &single(scan(&table)));
    assert!(error.contains("more than one row"), "{error}");
}
