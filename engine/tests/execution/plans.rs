//! Plans as text, as bytes, and refused.

use hypostyle_engine::Prepared;
use hypostyle_engine::plan::{Expression, JoinKind, Node, Plan};
use hypostyle_functions::types::Type;
use hypostyle_functions::value::{Literal, Value};

use crate::join::{hash_join, side};
use crate::setting::*;

fn sample() -> (Table, Table, Plan) {
    let (left, right) = (side("left", 50, 8, 1, false), side("right", 30, 8, 2, false));
    let joined = hash_join(scan(&left), scan(&right), JoinKind::Left, false, None);
    let kept = filter(joined, compare("<", Expression::column(2, Type::Int64), literal(7)));
    let key = column(&kept, 1);
    let mut total = call("sum", vec![column(&kept, 5)], Type::HUGEINT);
    total.filter = Some(compare(">", column(&kept, 0), literal(3)));
    let grouped = aggregate(kept, vec![key], vec![call("count", vec![], Type::Int64), total]);
    let by = descending(column(&grouped, 1));
    let named = column(&grouped, 0);
    let plan = limit(sort(project(grouped, vec![named, literal("it's")]), vec![by], Some(5)), 1, Some(4));
    (left, right, plan)
}

#[test]
fn a_plan_is_shown_as_a_tree_of_lines() {
    let (_, _, mut plan) = sample();
    // The key of the sort above is a column of the projection.
    let Node::Limit { input, .. } = &mut plan.node else { panic!("a limit") };
    let Node::Sort { keys, .. } = &mut input.node else { panic!("a sort") };
    keys[0].expression = Expression::column(0, Type::Int64);
    let expected = "\
Limit 4 offset 1
  TopN 5 by c0 DESC
    Project [c0, 'it''s' AS c1]
      Aggregate [count(*), sum(x) FILTER (id > 3)] by key
        Filter (x < 7)
          HashJoin left on key = key
            Scan left [id, key, x]
            Scan right [id, key, x]";
    assert_eq!(plan.to_string(), expected);
}

#[test]
fn figures_of_a_run_stand_behind_each_node() {
    let (left, right) = (side("left", 50, 8, 1, false), side("right", 30, 8, 2, false));
    let plan = hash_join(scan(&left), scan(&right), JoinKind::LeftSemi, false, None);
    let prepared = Prepared::new(plan, context(&[&left, &right], SETTINGS[0])).unwrap();
    let mut run = prepared.start(&[]).unwrap();
    let mut rows = 0;
    while let Some(batch) = run.next().unwrap() {
        rows += batch.rows;
    }
    let text = run.plan().display_analyzed(&run.metrics());
    assert!(text.starts_with(&format!("HashJoin semi on key = key  (rows {rows}, batches ")), "{text}");
    // The scan of the probe side leaves out the rows whose keys the join does not look for.
    assert!(
        rows < 50 && text.contains(&format!("Scan left [id, key, x]  (rows {rows}, batches 1, ")),
        "{text}"
    );
    assert!((run.handle().progress() - 1.0).abs() < 1e-9);
    let json: serde_json::Value =
        serde_json::from_str(&run.plan().to_json_text(Some(&run.metrics()))).unwrap();
    assert_eq!(json["inputs"][1]["figures"]["rows"], 30);
    assert_eq!(json["columns"][1]["type"], "BIGINT");
}

#[test]
fn a_plan_survives_being_written_and_read() {
    let (_, _, plan) = sample();
    assert_eq!(Plan::from_bytes(&plan.to_bytes().unwrap()).unwrap(), plan);
    let odd = Plan::new(
        Node::Values {
            rows: vec![vec![
                Expression::Literal(Literal::new(Value::float64(f64::NAN))),
                Expression::Literal(Literal::new(Value::hugeint(i128::MIN))),
            ]],
        },
        schema(&[("a", Type::Float64), ("b", Type::HUGEINT)]),
    );
    assert_eq!(Plan::from_bytes(&odd.to_bytes().unwrap()).unwrap(), odd);
}

#[test]
fn damaged_foreign_newer_and_deep_bytes_are_refused() {
    let bytes = sample().2.to_bytes().unwrap();
    let error = |bytes: &[u8]| Plan::from_bytes(bytes).unwrap_err().to_string();
    assert!(error(b"PAR1").contains("not a plan"));
    assert!(error(&bytes[..bytes.len() - 3]).contains("damaged"));
    assert!(error(b"hypostyle plan 99\n{}").contains("version 99"));
    let deep = format!("hypostyle plan 1\n{}", "[".repeat(100_000));
    assert!(error(deep.as_bytes()).contains("nested 100000 levels"));
    for end in 0..bytes.len() {
        assert!(Plan::from_bytes(&bytes[..end]).is_err());
    }
}

#[test]
fn a_deep_plan_is_read_and_one_too_deep_is_refused_before_it_runs() {
    let table = side("left", 5, 3, 1, false);
    let nested = |depth: usize| (0..depth).fold(scan(&table), |plan, _| limit(plan, 0, Some(3)));
    let read = Plan::from_bytes(&nested(300).to_bytes().unwrap()).unwrap();
    assert_eq!(collect(&read, &context(&[&table], SETTINGS[0]), &[]).unwrap().len(), 3);
    let error = Prepared::new(nested(800), context(&[&table], SETTINGS[0])).unwrap_err().to_string();
    assert!(error.contains("nested deeper"), "{error}");
}

#[track_caller]
fn refused(plan: Plan, expected: &str) {
    let (left, right) = (side("left", 5, 3, 1, false), side("right", 5, 3, 2, true));
    let error = Prepared::new(plan, context(&[&left, &right], SETTINGS[0])).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_plan_that_does_not_fit_the_session_is_refused_with_the_reason() {
    let (left, right) = (side("left", 5, 3, 1, false), side("right", 5, 3, 2, true));
    let input = || scan(&left);
    refused(filter(input(), Expression::column(9, Type::Boolean)), "reads column 9; there are 3");
    refused(
        filter(input(), Expression::column(0, Type::Boolean)),
        "column 0 has type BIGINT; an expression reads it as BOOLEAN",
    );
    refused(filter(input(), literal(1)), "a condition has type BIGINT; expected BOOLEAN");
    refused(filter(input(), compare("no_such", literal(1), literal(2))), "no function \"no_such\"");
    refused(
        hash_join(input(), scan(&right), JoinKind::Inner, false, None),
        "a key has type BIGINT on the left and VARCHAR on the right",
    );
    let mut wrong = project(input(), vec![literal(1)]);
    wrong.schema.fields.clear();
    refused(wrong, "it has 1 columns; its schema names 0");
    let mut old = Expression::call("+", vec![literal(1), literal(1)], Type::Int64);
    if let Expression::Call { version, .. } = &mut old {
        *version = 99;
    }
    refused(project(input(), vec![old]), "the plan needs version 99");
    let mut missing = input();
    missing.node = Node::Scan {
        table: hypostyle_engine::plan::TableReference::Named("gone".into()),
        projection: vec![0, 1, 2],
        filters: Vec::new(),
        limit: None,
    };
    refused(missing, "no table \"gone\"");
    let aggregate = aggregate(input(), vec![], vec![call("sum", vec![literal(1)], Type::Int64)]);
    refused(aggregate, "aggregate sum gives HUGEINT; the plan expects BIGINT");
}

#[test]
fn parameters_are_counted_and_typed() {
    let table = side("left", 50, 8, 1, false);
    let plan = scan(&table);
    let parameter = Expression::Parameter { index: 0, data_type: Type::Int64 };
    let plan = filter(plan.clone(), compare("<", column(&plan, 0), parameter));
    let context = context(&[&table], SETTINGS[0]);
    let prepared = Prepared::new(plan, context).unwrap();
    assert_eq!(prepared.parameters(), [Type::Int64]);
    for bound in [3, 30] {
        let mut run = prepared.start(&[Literal::new(Value::Int64(bound))]).unwrap();
        let mut rows = 0;
        while let Some(batch) = run.next().unwrap() {
            rows += batch.rows as i64;
        }
        assert_eq!(rows, bound);
    }
    let wrong = prepared.start(&[]).unwrap_err().to_string();
    assert!(wrong.contains("takes 1 parameters; 0 were given"), "{wrong}");
    let wrong = prepared.start(&[Literal::new(Value::text("x"))]).unwrap_err().to_string();
    assert!(wrong.contains("parameter 1 has type VARCHAR; expected BIGINT"), "{wrong}");
}
