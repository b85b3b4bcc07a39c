//! Joins of every kind against their definition: all pairs of rows.

use hypostyle_engine::plan::{Expression, JoinKey, JoinKind, Node, Plan};
use hypostyle_functions::types::{Field, Type};
use hypostyle_functions::value::Value;

use crate::row;
use crate::setting::*;

pub const KINDS: [JoinKind; 10] = [
    JoinKind::Inner,
    JoinKind::Left,
    JoinKind::Right,
    JoinKind::Full,
    JoinKind::LeftSemi,
    JoinKind::LeftAnti,
    JoinKind::LeftAntiNullAware,
    JoinKind::LeftMark,
    JoinKind::RightSemi,
    JoinKind::RightAnti,
];

/// Rows with keys of few values, some null.
pub fn side(name: &'static str, count: u64, keys: u64, seed: u64, text: bool) -> Table {
    let mut random = Random(seed);
    let rows = (0..count)
        .map(|id| {
            let number = random.below(keys + 1);
            let key = match (number == keys, text) {
                (true, _) => Value::Null,
                (false, true) => Value::text(format!("a key that is longer than a view: {number}")),
                (false, false) => Value::Int64(number as i64 * 1_000_003),
            };
            let x = match random.below(10) {
                9 => Value::Null,
                x => Value::Int64(x as i64),
            };
            row![id as i64, key, x]
        })
        .collect();
    let key = if text { Type::Text } else { Type::Int64 };
    Table { name, fields: vec![("id", Type::Int64), ("key", key), ("x", Type::Int64)], rows }
}

pub fn join_schema(left: &Plan, right: &Plan, kind: JoinKind) -> hypostyle_functions::Schema {
    let mut schema = left.schema.clone();
    match kind {
        JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full | JoinKind::LeftSingle => {
            schema.fields.extend(right.schema.fields.iter().cloned())
        }
        JoinKind::LeftMark => schema.fields.push(Field::new("mark", Type::Boolean)),
        JoinKind::RightSemi | JoinKind::RightAnti => return right.schema.clone(),
        _ => {}
    }
    schema
}

pub fn hash_join(
    left: Plan,
    right: Plan,
    kind: JoinKind,
    nulls_match: bool,
    residual: Option<Expression>,
) -> Plan {
    join_on(left, right, kind, &[(1, nulls_match)], residual)
}

/// A join on columns that have one position on both sides.
pub fn join_on(
    left: Plan,
    right: Plan,
    kind: JoinKind,
    keys: &[(usize, bool)],
    residual: Option<Expression>,
) -> Plan {
    let key = |&(index, nulls_match): &(usize, bool)| JoinKey {
        left: column(&left, index),
        right: column(&right, index),
        nulls_match,
    };
    let keys = keys.iter().map(key).collect();
    let schema = join_schema(&left, &right, kind);
    Plan::new(Node::HashJoin { left: Box::new(left), right: Box::new(right), kind, keys, residual }, schema)
}

pub fn cross_join(left: Plan, right: Plan, kind: JoinKind, condition: Option<Expression>) -> Plan {
    let schema = join_schema(&left, &right, kind);
    Plan::new(Node::CrossJoin { left: Box::new(left), right: Box::new(right), kind, condition }, schema)
}

/// The definition, over a condition that is true, false or unknown. Left rows come in order, each with its matches in the
/// order of the right side; right rows without a match come last.
pub fn by_definition(
    left: &Table,
    right: &Table,
    kind: JoinKind,
    condition: impl Fn(&[Value], &[Value]) -> Option<bool>,
) -> Rows {
    let mut matched = vec![false; right.rows.len()];
    let mut rows = Vec::new();
    for own in &left.rows {
        let verdicts: Vec<Option<bool>> = right.rows.iter().map(|other| condition(own, other)).collect();
        let pairs: Vec<usize> = (0..verdicts.len()).filter(|&other| verdicts[other] == Some(true)).collect();
        pairs.iter().for_each(|&other| matched[other] = true);
        let padded = |other: Option<usize>| {
            let nulls = vec![Value::Null; right.fields.len()];
            own.iter().cloned().chain(other.map_or(nulls, |other| right.rows[other].clone())).collect()
        };
        match kind {
            JoinKind::Inner | JoinKind::Right => rows.extend(pairs.iter().map(|&other| padded(Some(other)))),
            JoinKind::Left | JoinKind::Full | JoinKind::LeftSingle if pairs.is_empty() => {
                rows.push(padded(None))
            }
            JoinKind::Left | JoinKind::Full | JoinKind::LeftSingle => {
                rows.extend(pairs.iter().map(|&other| padded(Some(other))))
            }
            JoinKind::LeftSemi => rows.extend((!pairs.is_empty()).then(|| own.clone())),
            JoinKind::LeftAnti => rows.extend(pairs.is_empty().then(|| own.clone())),
            JoinKind::LeftAntiNullAware => {
                let kept = verdicts.iter().all(|verdict| *verdict == Some(false));
                rows.extend(kept.then(|| own.clone()));
            }
            JoinKind::LeftMark => {
                let mark = match pairs.is_empty() {
                    false => Value::Boolean(true),
                    true if verdicts.contains(&None) => Value::Null,
                    true => Value::Boolean(false),
                };
                rows.push(own.iter().cloned().chain([mark]).collect());
            }
            JoinKind::RightSemi | JoinKind::RightAnti => {}
        }
    }
    if matches!(kind, JoinKind::RightSemi | JoinKind::RightAnti) {
        let wanted = kind == JoinKind::RightSemi;
        let kept = right.rows.iter().zip(&matched).filter(|(_, matched)| **matched == wanted);
        return kept.map(|(row, _)| row.clone()).collect();
    }
    if matches!(kind, JoinKind::Right | JoinKind::Full) {
        for (other, _) in matched.iter().enumerate().filter(|(_, matched)| !**matched) {
            rows.push(
                vec![Value::Null; left.fields.len()].into_iter().chain(right.rows[other].clone()).collect(),
            );
        }
    }
    rows
}

fn equal(left: &Value, right: &Value) -> Option<bool> {
    (!left.is_null() && !right.is_null()).then(|| left == right)
}

fn equal_keys(left: &[Value], right: &[Value]) -> Option<bool> {
    equal(&left[1], &right[1])
}

fn less_x(left: &[Value], right: &[Value]) -> Option<bool> {
    Some(left[2].as_i64()? < right[2].as_i64()?)
}

/// AND of three values.
fn and(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// `left.x < right.x` over the columns of both sides.
fn x_is_less() -> Expression {
    compare("<", Expression::column(2, Type::Int64), Expression::column(5, Type::Int64))
}

#[test]
fn every_kind_matches_its_definition() {
    for text in [false, true] {
        for (left_rows, right_rows) in [(300, 120), (40, 0), (0, 40), (50, 50)] {
            let left = side("left", left_rows, 30, 1, text);
            let right = side("right", right_rows, 40, 2, text);
            for kind in KINDS {
                let plan = hash_join(scan(&left), scan(&right), kind, false, None);
                let expected = by_definition(&left, &right, kind, equal_keys);
                let rows = same_everywhere(&[&left, &right], &plan);
                assert!(
                    rows == expected,
                    "{kind:?} text {text} {left_rows}x{right_rows}: {} rows, expected {}",
                    rows.len(),
                    expected.len()
                );
            }
        }
    }
}

#[test]
fn a_residual_condition_decides_over_pairs_with_equal_keys() {
    let left = side("left", 200, 10, 5, false);
    let right = side("right", 150, 10, 6, false);
    for kind in KINDS {
        let plan = hash_join(scan(&left), scan(&right), kind, false, Some(x_is_less()));
        let verdict = |own: &[Value], other: &[Value]| and(equal_keys(own, other), less_x(own, other));
        let expected = by_definition(&left, &right, kind, verdict);
        assert!(same_everywhere(&[&left, &right], &plan) == expected, "{kind:?}");
    }
}

#[test]
fn null_keys_match_where_the_key_says_so() {
    let left = side("left", 60, 5, 8, true);
    let right = side("right", 40, 5, 9, true);
    for kind in [JoinKind::Inner, JoinKind::Full, JoinKind::LeftSemi, JoinKind::LeftAnti] {
        let plan = hash_join(scan(&left), scan(&right), kind, true, None);
        let expected = by_definition(&left, &right, kind, |own, other| Some(own[1] == other[1]));
        assert!(same_everywhere(&[&left, &right], &plan) == expected, "{kind:?}");
    }
}

#[test]
fn a_join_without_keys_pairs_every_row_with_every_row() {
    let left = side("left", 70, 5, 8, false);
    let right = side("right", 50, 5, 9, false);
    for kind in KINDS {
        let plan = cross_join(scan(&left), scan(&right), kind, None);
        let all = by_definition(&left, &right, kind, |_, _| Some(true));
        assert!(same_everywhere(&[&left, &right], &plan) == all, "{kind:?}");
        let plan = cross_join(scan(&left), scan(&right), kind, Some(x_is_less()));
        let expected = by_definition(&left, &right, kind, less_x);
        assert!(same_everywhere(&[&left, &right], &plan) == expected, "{kind:?}");
    }
}

/// The keys of [`and_of_group_and_value`]: the group matches null with null, the value is unknown where it is null.
pub const GROUP_AND_VALUE: [(usize, bool); 2] = [(1, true), (2, false)];

fn and_of_group_and_value(left: &[Value], right: &[Value]) -> Option<bool> {
    and(Some(left[1] == right[1]), equal(&left[2], &right[2]))
}

#[test]
fn keys_that_match_nulls_and_keys_that_do_not_stand_side_by_side() {
    for (left_rows, right_rows) in [(200, 60), (30, 0), (80, 9)] {
        let left = side("left", left_rows, 12, 15, false);
        let right = side("right", right_rows, 14, 16, false);
        for kind in KINDS {
            let plan = join_on(scan(&left), scan(&right), kind, &GROUP_AND_VALUE, None);
            let expected = by_definition(&left, &right, kind, and_of_group_and_value);
            assert!(same_everywhere(&[&left, &right], &plan) == expected, "{kind:?}");
            let plan = join_on(scan(&left), scan(&right), kind, &[(1, false), (2, false)], None);
            let both =
                |own: &[Value], other: &[Value]| and(equal_keys(own, other), equal(&own[2], &other[2]));
            let expected = by_definition(&left, &right, kind, both);
            assert!(same_everywhere(&[&left, &right], &plan) == expected, "{kind:?} by two values");
        }
    }
}

#[test]
fn a_condition_and_null_keys_decide_together_what_is_unknown() {
    let left = side("left", 150, 8, 25, true);
    let right = side("right", 40, 9, 26, true);
    for kind in [JoinKind::LeftMark, JoinKind::LeftAntiNullAware, JoinKind::LeftSemi, JoinKind::LeftAnti] {
        let condition = compare("<", Expression::column(0, Type::Int64), Expression::column(5, Type::Int64));
        let plan = join_on(scan(&left), scan(&right), kind, &GROUP_AND_VALUE, Some(condition));
        let verdict = |own: &[Value], other: &[Value]| {
            let less = other[2].as_i64().map(|x| own[0].as_i64().unwrap() < x);
            and(and_of_group_and_value(own, other), less)
        };
        let expected = by_definition(&left, &right, kind, verdict);
        assert!(same_everywhere(&[&left, &right], &plan) == expected, "{kind:?}");
    }
}

#[test]
fn a_single_join_gives_each_left_row_once() {
    let left = side("left", 120, 40, 31, false);
    let mut right = side("right", 60, 40, 32, false);
    let mut seen = std::collections::HashSet::new();
    right.rows.retain(|row| row[1].is_null() || seen.insert(row[1].as_i64()));
    let plan = hash_join(scan(&left), scan(&right), JoinKind::LeftSingle, false, None);
    let expected = by_definition(&left, &right, JoinKind::LeftSingle, equal_keys);
    assert_eq!(expected.len(), left.rows.len());
    assert!(same_everywhere(&[&left, &right], &plan) == expected);
    let plan = hash_join(scan(&left), scan(&right), JoinKind::LeftSingle, false, Some(x_is_less()));
    let verdict = |own: &[Value], other: &[Value]| and(equal_keys(own, other), less_x(own, other));
    let expected = by_definition(&left, &right, JoinKind::LeftSingle, verdict);
    assert!(same_everywhere(&[&left, &right], &plan) == expected);
}

#[test]
fn a_second_match_of_a_single_join_is_an_error() {
    let left = side("left", 50, 6, 33, false);
    let right = side("right", 40, 6, 34, false);
    let message = "a subquery that is used as a value gave more than one row; limit it to one";
    let plan = hash_join(scan(&left), scan(&right), JoinKind::LeftSingle, false, None);
    assert_eq!(error_everywhere(&[&left, &right], &plan), message);
    let plan = cross_join(scan(&left), scan(&right), JoinKind::LeftSingle, Some(x_is_less()));
    assert_eq!(error_everywhere(&[&left, &right], &plan), message);
    // A build row that no probe row asks for may be there twice.
    let mut one = side("one", 1, 6, 33, false);
    one.rows[0][1] = Value::Int64(-1);
    let plan = hash_join(scan(&one), scan(&right), JoinKind::LeftSingle, false, None);
    assert_eq!(same_everywhere(&[&one, &right], &plan).len(), 1);
}

#[test]
fn joins_follow_one_another_and_the_unmatched_rows_of_the_first_probe_the_second() {
    let a = side("a", 80, 12, 1, false);
    let b = side("b", 60, 14, 2, false);
    let c = side("c", 50, 13, 3, false);
    let first = hash_join(scan(&a), scan(&b), JoinKind::Full, false, None);
    // The second joins on the key of the right side of the first, which is its column 4.
    let keys = vec![JoinKey {
        left: Expression::column(4, Type::Int64),
        right: Expression::column(1, Type::Int64),
        nulls_match: false,
    }];
    let third = scan(&c);
    let schema = join_schema(&first, &third, JoinKind::Full);
    let plan = Plan::new(
        Node::HashJoin {
            left: Box::new(first),
            right: Box::new(third),
            kind: JoinKind::Full,
            keys,
            residual: None,
        },
        schema,
    );
    let middle = Table {
        name: "middle",
        fields: [a.fields.clone(), b.fields.clone()].concat(),
        rows: by_definition(&a, &b, JoinKind::Full, equal_keys),
    };
    let expected = by_definition(&middle, &c, JoinKind::Full, |own, other| equal(&own[4], &other[1]));
    assert!(same_everywhere(&[&a, &b, &c], &plan) == expected);
}

#[test]
fn many_matches_of_one_row_come_batch_by_batch() {
    let same = |name, count: i64| Table {
        name,
        fields: vec![("id", Type::Int64), ("key", Type::Int64), ("x", Type::Int64)],
        rows: (0..count).map(|id| row![id, 1, id]).collect(),
    };
    let (left, right) = (same("left", 30), same("right", 400));
    for kind in [JoinKind::Inner, JoinKind::Left, JoinKind::LeftSemi] {
        let plan = hash_join(scan(&left), scan(&right), kind, false, None);
        let expected = by_definition(&left, &right, kind, equal_keys);
        assert!(same_everywhere(&[&left, &right], &plan) == expected, "{kind:?}");
    }
    let first = limit(hash_join(scan(&left), scan(&right), JoinKind::Inner, false, None), 350, Some(100));
    let expected = by_definition(&left, &right, JoinKind::Inner, equal_keys);
    check(&[&left, &right], &first, &expected[350..450]);
}
