//! Joins of every kind against their definition: all pairs of rows.

use hypostyle_engine::plan::{Expression, JoinKey, JoinKind, Node, Plan};
use hypostyle_functions::types::{Field, Type};
use hypostyle_functions::value::Value;

use crate::row;
use crate::setting::*;

pub const KINDS: [JoinKind; 8] = [
    JoinKind::Inner,
    JoinKind::Left,
    JoinKind::Right,
    JoinKind::Full,
    JoinKind::LeftSemi,
    JoinKind::LeftAnti,
    JoinKind::LeftAntiNullAware,
    JoinKind::LeftMark,
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
            row![id as i64, key, random.below(10) as i64]
        })
        .collect();
    let key = if text { Type::Text } else { Type::Int64 };
    Table { name, fields: vec![("id", Type::Int64), ("key", key), ("x", Type::Int64)], rows }
}

pub fn join_schema(left: &Plan, right: &Plan, kind: JoinKind) -> hypostyle_functions::Schema {
    let mut schema = left.schema.clone();
    match kind {
        JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full => {
            schema.fields.extend(right.schema.fields.iter().cloned());
        }
        JoinKind::LeftMark => schema.fields.push(Field::new("mark", Type::Boolean)),
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
    let keys = vec![JoinKey { left: column(&left, 1), right: column(&right, 1), nulls_match }];
    let schema = join_schema(&left, &right, kind);
    Plan::new(Node::HashJoin { left: Box::new(left), right: Box::new(right), kind, keys, residual }, schema)
}

/// The definition. Left rows come in order, each with its matches in the order of the right side; right rows without a match come last.
pub fn by_definition(
    left: &Table,
    right: &Table,
    kind: JoinKind,
    matches: impl Fn(&[Value], &[Value]) -> bool,
) -> Rows {
    let null_key = right.rows.iter().any(|row| row[1].is_null());
    let mut matched = vec![false; right.rows.len()];
    let mut rows = Vec::new();
    for own in &left.rows {
        let pairs: Vec<usize> =
            (0..right.rows.len()).filter(|&other| matches(own, &right.rows[other])).collect();
        pairs.iter().for_each(|&other| matched[other] = true);
        let padded = |other: Option<usize>| {
            let nulls = vec![Value::Null; right.fields.len()];
            own.iter().cloned().chain(other.map_or(nulls, |other| right.rows[other].clone())).collect()
        };
        match kind {
            JoinKind::Inner | JoinKind::Right => rows.extend(pairs.iter().map(|&other| padded(Some(other)))),
            JoinKind::Left | JoinKind::Full if pairs.is_empty() => rows.push(padded(None)),
            JoinKind::Left | JoinKind::Full => rows.extend(pairs.iter().map(|&other| padded(Some(other)))),
            JoinKind::LeftSemi => rows.extend((!pairs.is_empty()).then(|| own.clone())),
            JoinKind::LeftAnti => rows.extend(pairs.is_empty().then(|| own.clone())),
            JoinKind::LeftAntiNullAware => {
                let kept = right.rows.is_empty() || (pairs.is_empty() && !null_key && !own[1].is_null());
                rows.extend(kept.then(|| own.clone()));
            }
            JoinKind::LeftMark => {
                let unknown = !right.rows.is_empty() && (null_key || own[1].is_null());
                let mark = match pairs.is_empty() {
                    false => Value::Boolean(true),
                    true if unknown => Value::Null,
                    true => Value::Boolean(false),
                };
                rows.push(own.iter().cloned().chain([mark]).collect());
            }
        }
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

fn equal_keys(left: &[Value], right: &[Value]) -> bool {
    !left[1].is_null() && left[1] == right[1]
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
    for kind in
        KINDS.into_iter().filter(|kind| !matches!(kind, JoinKind::LeftMark | JoinKind::LeftAntiNullAware))
    {
        let (a, b) = (Expression::column(2, Type::Int64), Expression::column(5, Type::Int64));
        let plan = hash_join(scan(&left), scan(&right), kind, false, Some(compare("<", a, b)));
        let accepts =
            |own: &[Value], other: &[Value]| equal_keys(own, other) && own[2].as_i64() < other[2].as_i64();
        let expected = by_definition(&left, &right, kind, accepts);
        assert!(same_everywhere(&[&left, &right], &plan) == expected, "{kind:?}");
    }
}

#[test]
fn null_keys_match_where_the_key_says_so() {
    let left = side("left", 60, 5, 8, true);
    let right = side("right", 40, 5, 9, true);
    for kind in [JoinKind::Inner, JoinKind::Full, JoinKind::LeftSemi, JoinKind::LeftAnti] {
        let plan = hash_join(scan(&left), scan(&right), kind, true, None);
        let expected = by_definition(&left, &right, kind, |own, other| own[1] == other[1]);
        assert!(same_everywhere(&[&left, &right], &plan) == expected, "{kind:?}");
    }
}

#[test]
fn a_join_without_keys_pairs_every_row_with_every_row() {
    let left = side("left", 70, 5, 8, false);
    let right = side("right", 50, 5, 9, false);
    let cross = |kind, condition: Option<Expression>| {
        let (left, right) = (scan(&left), scan(&right));
        let schema = join_schema(&left, &right, kind);
        Plan::new(Node::CrossJoin { left: Box::new(left), right: Box::new(right), kind, condition }, schema)
    };
    let all = by_definition(&left, &right, JoinKind::Inner, |_, _| true);
    assert!(same_everywhere(&[&left, &right], &cross(JoinKind::Inner, None)) == all);
    let (a, b) = (Expression::column(2, Type::Int64), Expression::column(5, Type::Int64));
    for kind in [
        JoinKind::Inner,
        JoinKind::Left,
        JoinKind::Right,
        JoinKind::Full,
        JoinKind::LeftSemi,
        JoinKind::LeftAnti,
    ] {
        let plan = cross(kind, Some(compare("<", a.clone(), b.clone())));
        let expected = by_definition(&left, &right, kind, |own, other| own[2].as_i64() < other[2].as_i64());
        assert!(same_everywhere(&[&left, &right], &plan) == expected, "{kind:?}");
    }
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
    let expected =
        by_definition(&middle, &c, JoinKind::Full, |own, other| !own[4].is_null() && own[4] == other[1]);
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
