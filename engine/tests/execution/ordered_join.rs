//! As-of and range joins against their definitions, over both indexed sides and both ways of finding partners.

use hypostyle_engine::plan::{
    AsofIndex, AsofJoin, Expression, Inequality, JoinKey, JoinKind, Node, OrderCondition, Plan, RangeJoin,
};
use hypostyle_functions::types::Type;
use hypostyle_functions::value::Value;

use crate::join::join_schema;
use crate::row;
use crate::setting::*;
use crate::spill::same_when_spilled;

const KINDS: [JoinKind; 6] = [
    JoinKind::Inner,
    JoinKind::Left,
    JoinKind::Right,
    JoinKind::Full,
    JoinKind::LeftSemi,
    JoinKind::LeftAnti,
];

const COMPARISONS: [Inequality; 4] =
    [Inequality::Less, Inequality::LessOrEqual, Inequality::Greater, Inequality::GreaterOrEqual];

// Columns of both sides.
const ID: usize = 0;
const KEY: usize = 1;
const TIME: usize = 2;
const TIE: usize = 3;
const VALUE: usize = 4;
/// Columns of one side.
const WIDTH: usize = 5;

/// Rows with keys, times, ties and values of few values, some null.
fn side(name: &'static str, count: u64, keys: u64, seed: u64) -> Table {
    let mut random = Random(seed);
    let rows = (0..count)
        .map(|id| {
            let mut some = |below: u64| match random.below(below + 1) {
                0 => Value::Null,
                value => Value::Int64(value as i64),
            };
            let (key, time, tie, value) = (some(keys), some(40), some(3), some(4));
            row![id as i64, key, time, tie, value]
        })
        .collect();
    let fields = ["id", "key", "time", "tie", "value"].map(|name| (name, Type::Int64)).to_vec();
    Table { name, fields, rows }
}

/// The same with times as texts, which no machine word orders.
fn with_text_times(mut table: Table) -> Table {
    table.fields[TIME].1 = Type::Text;
    for row in &mut table.rows {
        if let Value::Int64(time) = row[TIME] {
            row[TIME] = Value::text(format!("{time:03}"));
        }
    }
    table
}

/// What is asked of one join.
#[derive(Debug, Clone)]
struct Case {
    kind: JoinKind,
    comparison: Inequality,
    has_key: bool,
    nulls_match: bool,
    within: Option<i64>,
    /// Whether ties are broken by the tie column, and whether the greatest is first.
    ties: Option<bool>,
    last_not_null: bool,
    has_residual: bool,
}

fn plan(case: &Case, left: &Table, right: &Table, index: AsofIndex) -> Plan {
    let (left, right) = (scan(left), scan(right));
    let key = JoinKey { left: column(&left, KEY), right: column(&right, KEY), nulls_match: case.nulls_match };
    let time = column(&left, TIME);
    let operator = if case.comparison.is_greater() { "-" } else { "+" };
    let limit = case
        .within
        .map(|within| Expression::call(operator, vec![time.clone(), literal(within)], Type::Int64));
    let ties = case.ties.map(|descending_first| match descending_first {
        true => descending(column(&right, TIE)),
        false => ascending(column(&right, TIE)),
    });
    let schema = join_schema(&left, &right, case.kind);
    let residual = case.has_residual.then(|| {
        compare("<=", Expression::column(VALUE, Type::Int64), Expression::column(WIDTH + VALUE, Type::Int64))
    });
    let join = AsofJoin {
        kind: case.kind,
        keys: if case.has_key { vec![key] } else { Vec::new() },
        order: OrderCondition { left: time, right: column(&right, TIME), comparison: case.comparison },
        limit,
        ties: ties.into_iter().collect(),
        last_not_null: if case.last_not_null { vec![VALUE] } else { Vec::new() },
        residual,
        index,
        left,
        right,
    };
    Plan::new(Node::AsofJoin(Box::new(join)), schema)
}

fn number(value: &Value) -> i64 {
    match value {
        Value::Int64(value) => *value,
        Value::Null => i64::MIN,
        other => other.as_text().unwrap().parse().unwrap(),
    }
}

/// The candidates of a row, nearest first.
fn candidates<'t>(case: &Case, own: &[Value], right: &'t Table) -> Vec<&'t Vec<Value>> {
    let is_candidate = |other: &&'t Vec<Value>| {
        let keys_match = match (own[KEY].is_null(), other[KEY].is_null()) {
            _ if !case.has_key => true,
            (false, false) => own[KEY] == other[KEY],
            (true, true) => case.nulls_match,
            _ => false,
        };
        if own[TIME].is_null() || other[TIME].is_null() || !keys_match {
            return false;
        }
        let (time, other_time) = (number(&own[TIME]), number(&other[TIME]));
        let in_order = match case.comparison {
            Inequality::Less => time < other_time,
            Inequality::LessOrEqual => time <= other_time,
            Inequality::Greater => time > other_time,
            Inequality::GreaterOrEqual => time >= other_time,
        };
        let accepted = !case.has_residual
            || !own[VALUE].is_null()
                && !other[VALUE].is_null()
                && number(&own[VALUE]) <= number(&other[VALUE]);
        in_order && accepted && case.within.is_none_or(|within| (time - other_time).abs() <= within)
    };
    let mut found: Vec<&Vec<Value>> = right.rows.iter().filter(is_candidate).collect();
    found.sort_by_key(|other| {
        let distance = (number(&own[TIME]) - number(&other[TIME])).abs();
        let tie = match (case.ties, other[TIE].is_null()) {
            (None, _) => 0,
            (Some(_), true) => i64::MAX,
            (Some(true), false) => -number(&other[TIE]),
            (Some(false), false) => number(&other[TIE]),
        };
        (distance, tie, -number(&other[ID]))
    });
    found
}

/// The definition: left rows in order, then right rows that are nobody's nearest.
fn by_definition(case: &Case, left: &Table, right: &Table) -> Rows {
    let mut rows = Vec::new();
    let mut taken = vec![false; right.rows.len()];
    for own in &left.rows {
        let found = candidates(case, own, right);
        let partner = found.first().map(|nearest| {
            taken[number(&nearest[ID]) as usize] = true;
            let mut partner = (*nearest).clone();
            if case.last_not_null {
                let value = found.iter().map(|other| &other[VALUE]).find(|value| !value.is_null());
                partner[VALUE] = value.cloned().unwrap_or(Value::Null);
            }
            partner
        });
        match (case.kind, partner) {
            (JoinKind::LeftSemi, Some(_)) | (JoinKind::LeftAnti, None) => rows.push(own.clone()),
            (JoinKind::LeftSemi, None) | (JoinKind::LeftAnti, Some(_)) => {}
            (_, Some(partner)) => rows.push(own.iter().cloned().chain(partner).collect()),
            (JoinKind::Left | JoinKind::Full, None) => {
                rows.push(own.iter().cloned().chain(vec![Value::Null; WIDTH]).collect());
            }
            (_, None) => {}
        }
    }
    if matches!(case.kind, JoinKind::Right | JoinKind::Full) {
        let alone = right.rows.iter().zip(&taken).filter(|(_, taken)| !**taken);
        rows.extend(alone.map(|(row, _)| vec![Value::Null; WIDTH].into_iter().chain(row.clone()).collect()));
    }
    rows
}

fn indexes(case: &Case) -> Vec<AsofIndex> {
    let right_only = matches!(case.kind, JoinKind::Right | JoinKind::Full) || case.has_residual;
    if right_only { vec![AsofIndex::Right] } else { vec![AsofIndex::Right, AsofIndex::Left] }
}

fn random_case(random: &mut Random) -> Case {
    Case {
        kind: KINDS[random.below(6) as usize],
        comparison: COMPARISONS[random.below(4) as usize],
        has_key: random.below(5) > 0,
        nulls_match: random.below(4) == 0,
        within: (random.below(2) == 0).then(|| random.below(12) as i64),
        ties: (random.below(2) == 0).then(|| random.below(2) == 0),
        last_not_null: random.below(2) == 0,
        has_residual: random.below(4) == 0,
    }
}

#[test]
fn random_as_of_joins_match_their_definition() {
    let mut random = Random(42);
    for round in 0..120 {
        let case = random_case(&mut random);
        let sizes = [0, 1, 3, 40, 300];
        let (left_rows, right_rows) = (sizes[random.below(5) as usize], sizes[random.below(5) as usize]);
        let keys = [1, 3, 50][random.below(3) as usize];
        let (left, right) =
            (side("left", left_rows, keys, round), side("right", right_rows, keys, round + 1000));
        let expected = by_definition(&case, &left, &right);
        for index in indexes(&case) {
            for setting in SETTINGS {
                let rows =
                    collect(&plan(&case, &left, &right, index), &context(&[&left, &right], setting), &[]);
                let rows = rows.unwrap_or_else(|error| panic!("{case:?} {index:?} {setting:?}: {error}"));
                assert_eq!(rows, expected, "round {round}: {case:?} {index:?} {setting:?}");
            }
        }
    }
}

#[test]
fn order_values_that_are_no_words_are_merged_to_the_same_rows() {
    let mut random = Random(43);
    for round in 0..60 {
        let case = Case { within: None, ..random_case(&mut random) };
        let (left, right) = (side("left", 200, 9, round), side("right", 150, 9, round + 1000));
        let (left, right) = (with_text_times(left), with_text_times(right));
        let expected = by_definition(&case, &left, &right);
        for setting in SETTINGS {
            let plan = plan(&case, &left, &right, AsofIndex::Right);
            let rows = collect(&plan, &context(&[&left, &right], setting), &[]);
            let rows = rows.unwrap_or_else(|error| panic!("{case:?} {setting:?}: {error}"));
            assert_eq!(rows, expected, "round {round}: {case:?} {setting:?}");
        }
    }
}

/// Times that spread, so that groups have many rows.
fn long_side(name: &'static str, count: u64, keys: u64, seed: u64) -> Table {
    let mut table = side(name, count, keys, seed);
    let mut random = Random(seed + 1);
    for row in &mut table.rows {
        row[TIME] =
            if random.below(50) == 0 { Value::Null } else { Value::Int64(random.below(100_000) as i64) };
    }
    table
}

#[test]
fn an_as_of_join_without_memory_sorts_both_sides_and_gives_the_same_rows() {
    let mut random = Random(44);
    // One key holds all rows of the last pair.
    for (keys, seed) in [(2_000, 1), (20, 2), (1, 3)] {
        let (left, right) =
            (long_side("left", 12_000, keys, seed), long_side("right", 15_000, keys, seed + 9));
        for _ in 0..4 {
            let case = Case { has_residual: false, within: Some(5_000), ..random_case(&mut random) };
            for index in indexes(&case) {
                let joined = plan(&case, &left, &right, index);
                same_when_spilled(&[&left, &right], &joined, 640 << 10, true);
            }
        }
    }
}

#[test]
fn a_condition_on_both_sides_holds_without_memory_too() {
    let (left, right) = (long_side("left", 12_000, 500, 5), long_side("right", 15_000, 500, 6));
    for kind in KINDS {
        let case = Case {
            kind,
            comparison: Inequality::GreaterOrEqual,
            has_key: true,
            nulls_match: false,
            within: None,
            ties: None,
            last_not_null: true,
            has_residual: true,
        };
        same_when_spilled(&[&left, &right], &plan(&case, &left, &right, AsofIndex::Right), 900 << 10, true);
    }
}

fn range_plan(
    left: &Table,
    right: &Table,
    kind: JoinKind,
    comparisons: &[Inequality],
    residual: bool,
) -> Plan {
    let (left, right) = (scan(left), scan(right));
    // The left time against the right time, and against the right time and a little more.
    let conditions = comparisons.iter().enumerate().map(|(index, &comparison)| {
        let time = column(&right, TIME);
        let right = match index {
            0 => time,
            _ => Expression::call("+", vec![time, column(&right, TIE)], Type::Int64),
        };
        OrderCondition { left: column(&left, TIME), right, comparison }
    });
    let conditions = conditions.collect();
    let schema = join_schema(&left, &right, kind);
    let residual = residual.then(|| {
        compare("<>", Expression::column(VALUE, Type::Int64), Expression::column(WIDTH + VALUE, Type::Int64))
    });
    let join = RangeJoin { left, right, kind, conditions, residual };
    Plan::new(Node::RangeJoin(Box::new(join)), schema)
}

#[test]
fn range_joins_of_every_kind_match_their_definition() {
    let pairs: [&[Inequality]; 4] = [
        &[Inequality::GreaterOrEqual, Inequality::LessOrEqual],
        &[Inequality::Less, Inequality::Greater],
        &[Inequality::GreaterOrEqual, Inequality::Greater],
        &[Inequality::Less],
    ];
    for (round, sizes) in [(70, 40), (40, 70), (0, 20), (20, 0), (1, 1)].into_iter().enumerate() {
        let (left, right) = (side("left", sizes.0, 5, round as u64), side("right", sizes.1, 5, 77));
        for kind in KINDS {
            for comparisons in pairs {
                for residual in [false, true] {
                    let matches = |own: &[Value], other: &[Value]| {
                        let has_values = !own[TIME].is_null() && !other[TIME].is_null();
                        let in_range = has_values
                            && comparisons.iter().enumerate().all(|(index, comparison)| {
                                if index == 1 && other[TIE].is_null() {
                                    return false;
                                }
                                let more = if index == 0 { 0 } else { number(&other[TIE]) };
                                let (one, two) = (number(&own[TIME]), number(&other[TIME]) + more);
                                match comparison {
                                    Inequality::Less => one < two,
                                    Inequality::LessOrEqual => one <= two,
                                    Inequality::Greater => one > two,
                                    Inequality::GreaterOrEqual => one >= two,
                                }
                            });
                        let accepted = !residual
                            || !own[VALUE].is_null() && !other[VALUE].is_null() && own[VALUE] != other[VALUE];
                        Some(in_range && accepted)
                    };
                    let expected = crate::join::by_definition(&left, &right, kind, matches);
                    let plan = range_plan(&left, &right, kind, comparisons, residual);
                    let rows = same_everywhere(&[&left, &right], &plan);
                    // The matches of one row come in the order of the values that are searched.
                    assert_eq!(sorted(rows.clone()), sorted(expected.clone()), "{kind:?} {comparisons:?}");
                    let ids = |rows: &Rows| rows.iter().map(|row| row[ID].clone()).collect::<Vec<_>>();
                    assert_eq!(ids(&rows), ids(&expected), "left rows keep their order: {kind:?}");
                }
            }
        }
    }
}

#[test]
fn range_joins_of_every_kind_spill_and_give_the_same_rows_in_the_same_order() {
    let (left, right) = (long_side("left", 300, 5, 1), long_side("right", 25_000, 5, 2));
    for kind in KINDS {
        // Few rows of the right side lie between its time and a little later.
        for comparisons in [
            [Inequality::GreaterOrEqual, Inequality::LessOrEqual].as_slice(),
            [Inequality::Greater, Inequality::Less].as_slice(),
        ] {
            for residual in [false, true] {
                let plan = range_plan(&left, &right, kind, comparisons, residual);
                same_when_spilled(&[&left, &right], &plan, 1 << 20, true);
            }
        }
    }
}

#[test]
fn joins_by_order_are_shown_and_read_back_from_bytes() {
    let (left, right) = (side("left", 5, 2, 1), side("right", 5, 2, 2));
    let case = Case {
        kind: JoinKind::Left,
        comparison: Inequality::GreaterOrEqual,
        has_key: true,
        nulls_match: false,
        within: Some(3),
        ties: Some(true),
        last_not_null: true,
        has_residual: false,
    };
    let joined = plan(&case, &left, &right, AsofIndex::Left);
    let shown = joined.to_string();
    let expected = "AsofJoin left on key = key AND time >= time within time >= (time - 3) ties by tie DESC last not null [value], left side indexed\n";
    assert!(shown.starts_with(expected), "{shown}");
    let ranged = range_plan(&left, &right, JoinKind::Inner, &[Inequality::Less, Inequality::Greater], true);
    let shown = ranged.to_string();
    let expected = "RangeJoin inner on time < time AND time > (time + tie) AND (value <> value)\n";
    assert!(shown.starts_with(expected), "{shown}");
    for plan in [joined, ranged] {
        assert_eq!(Plan::from_bytes(&plan.to_bytes().unwrap()).unwrap(), plan);
    }
}

#[test]
fn plans_that_ask_for_the_impossible_are_refused() {
    let (left, right) = (side("left", 5, 2, 1), side("right", 5, 2, 2));
    let context = context(&[&left, &right], SETTINGS[0]);
    let mut case = random_case(&mut Random(1));
    (case.kind, case.has_residual, case.last_not_null) = (JoinKind::Full, false, true);
    let error = collect(&plan(&case, &left, &right, AsofIndex::Left), &context, &[]).unwrap_err();
    assert!(error.to_string().contains("its right side must be indexed"), "{error}");
    let mut refused = plan(&case, &left, &right, AsofIndex::Right);
    let Node::AsofJoin(join) = &mut refused.node else { panic!("an as-of join") };
    join.last_not_null = vec![17];
    let error = collect(&refused, &context, &[]).unwrap_err();
    assert!(error.to_string().contains("it takes column 17 of its right side; there are 5"), "{error}");
    let refused = range_plan(&left, &right, JoinKind::Inner, &[], false);
    let error = collect(&refused, &context, &[]).unwrap_err();
    assert!(error.to_string().contains("it has 0 inequalities; expected one or two"), "{error}");
}
