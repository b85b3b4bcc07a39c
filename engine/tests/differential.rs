//! Random typed expressions over random columns give the same bits however they are evaluated: as one
//! batch, in cuts, over dictionaries, constants and slices, fused and not, row by row, at every CPU level.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test stops at the first surprise.

mod sample;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use hypostyle_engine::expression::{Evaluator, ExpressionSet, ROWS_MAX, RowEvaluator};
use hypostyle_engine::plan::Expression;
use hypostyle_engine::{Batch, Context};
use hypostyle_functions::arrow::array::{Array, ArrayRef, ListArray};
use hypostyle_functions::arrow::buffer::NullBuffer;
use hypostyle_functions::column::{Column, literal_array, value_at};
use hypostyle_functions::{Field, Literal, Place, Schema, Type, Value};
use sample::{call, case, context};

/// Cases of one run; `HYPOSTYLE_DIFFERENTIAL_CASES` asks for more.
const CASES: u64 = 60;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("i", Type::Int64),
        Field::new("j", Type::Int64),
        Field::new("x", Type::Float64),
        Field::new("b", Type::Boolean),
        Field::new("t", Type::Text),
        Field::new("l", Type::list(Type::Int64)),
    ])
}

fn value(random: &mut Random, data_type: &Type) -> Value {
    match data_type {
        Type::Int64 => Value::Int64(random.pick(&[0, 0, 1, 2, -3, 7, 100, i64::MAX, i64::MIN])),
        Type::Float64 => {
            Value::float64(random.pick(&[0.0, -0.0, 1.5, -2.25, 1e300, f64::NAN, f64::INFINITY, 0.1, 3.0]))
        }
        Type::Boolean => Value::Boolean(random.one_in(2)),
        Type::Text => {
            Value::text(random.pick(&["", "1", "42", "abc", "a text longer than twelve bytes", "-8", "é"]))
        }
        Type::List(element) => {
            let count = random.below(4);
            let values =
                (0..count).map(|_| if random.one_in(5) { Value::Null } else { value(random, element) });
            Value::List(Type::clone(element), values.collect())
        }
        _ => Value::Null,
    }
}

/// Grows expressions of a wanted type.
struct Grower<'r> {
    random: &'r mut Random,
    /// Lambda parameters in sight.
    variables: Vec<u32>,
    next_variable: u32,
}

impl Grower<'_> {
    fn leaf(&mut self, data_type: &Type) -> Expression {
        if *data_type == Type::Int64 && !self.variables.is_empty() && self.random.one_in(2) {
            let id = self.random.pick(&self.variables.clone());
            return Expression::Variable { id, data_type: Type::Int64 };
        }
        if self.random.one_in(4) {
            let value = if self.random.one_in(6) { Value::Null } else { value(self.random, data_type) };
            return Expression::Literal(Literal { data_type: data_type.clone(), value });
        }
        let fields = schema().fields;
        let columns: Vec<_> =
            (0..fields.len()).filter(|&index| fields[index].data_type == *data_type).collect();
        Expression::column(self.random.pick(&columns), data_type.clone())
    }

    fn grow(&mut self, data_type: &Type, depth: usize) -> Expression {
        if depth == 0 {
            return self.leaf(data_type);
        }
        let depth = depth - 1;
        match self.random.below(10) {
            0 => self.case(data_type, depth),
            1 => {
                let arguments = (0..2 + self.random.below(2)).map(|_| self.grow(data_type, depth)).collect();
                Expression::Coalesce { arguments, data_type: data_type.clone() }
            }
            2 => Expression::Try(Box::new(self.grow(data_type, depth))),
            _ => self.of_type(data_type, depth),
        }
    }

    fn case(&mut self, data_type: &Type, depth: usize) -> Expression {
        let branches = (0..1 + self.random.below(2))
            .map(|_| (self.grow(&Type::Boolean, depth), self.grow(data_type, depth)))
            .collect();
        let otherwise = self.random.one_in(2).then(|| self.grow(data_type, depth));
        case(branches, otherwise)
    }

    fn calls(&mut self, name: &str, types: &[Type], result: &Type, depth: usize) -> Expression {
        let arguments = types.iter().map(|data_type| self.grow(data_type, depth)).collect();
        call(name, arguments, result.clone())
    }

    fn of_type(&mut self, data_type: &Type, depth: usize) -> Expression {
        use Type::{Boolean, Float64, Int64, Text};
        let list = Type::list(Int64);
        match data_type {
            Int64 => match self.random.below(11) {
                0..=2 => self.calls("plus", &[Int64, Int64], &Int64, depth),
                3 | 4 => self.calls("divide", &[Int64, Int64], &Int64, depth),
                5 => self.calls("positive", &[Int64], &Int64, depth),
                6 => self.calls("length", &[Text], &Int64, depth),
                7 => self.calls("parse", &[Text], &Int64, depth),
                8 => self.calls("most", &[Int64, Int64, Int64], &Int64, depth),
                9 => self.calls("most", &[Int64, Int64], &Int64, depth),
                _ => self.calls("list_sum", &[list], &Int64, depth),
            },
            Float64 => match self.random.below(6) {
                0 => self.calls("add", &[Float64, Float64], &Float64, depth),
                1 => self.calls("multiply", &[Float64, Float64], &Float64, depth),
                2 => self.calls("least", &[Float64, Float64], &Float64, depth),
                3 => self.calls("clamp", &[Float64, Float64, Float64], &Float64, depth),
                4 => self.calls("double", &[Int64], &Float64, depth),
                _ => Expression::cast(self.grow(&Int64, depth), Float64),
            },
            Boolean => match self.random.below(8) {
                0 | 1 => self.calls("less", &[Int64, Int64], &Boolean, depth),
                2 => self.calls("less", &[Float64, Float64], &Boolean, depth),
                3 => self.calls("not", &[Boolean], &Boolean, depth),
                4 => self.calls("is_null", &[Text], &Boolean, depth),
                5 | 6 => Expression::And(
                    (0..2 + self.random.below(2)).map(|_| self.grow(&Boolean, depth)).collect(),
                ),
                _ => Expression::Or(
                    (0..2 + self.random.below(2)).map(|_| self.grow(&Boolean, depth)).collect(),
                ),
            },
            Text => match self.random.below(3) {
                0 => self.calls("upper", &[Text], &Text, depth),
                1 => self.calls("concat", &[Text, Text], &Text, depth),
                _ => Expression::Cast {
                    input: Box::new(self.grow(&Int64, depth)),
                    to: Text,
                    is_try: true,
                    place: Place::NONE,
                },
            },
            _ => {
                let source = self.grow(&list, depth);
                let id = self.next_variable;
                self.next_variable += 1;
                self.variables.push(id);
                let body = self.grow(&Int64, depth);
                self.variables.pop();
                let lambda = Expression::Lambda { parameters: vec![(id, Int64)], body: Box::new(body) };
                call("list_transform", vec![source, lambda], list)
            }
        }
    }
}

/// An array of these values.
fn array(data_type: &Type, values: &[Value]) -> ArrayRef {
    let list = Literal {
        data_type: Type::list(data_type.clone()),
        value: Value::List(data_type.clone(), values.to_vec()),
    };
    let list = literal_array(&list).unwrap();
    Arc::clone(list.as_any().downcast_ref::<ListArray>().unwrap().values())
}

/// The values as a column in one of the encodings that can hold them.
fn encode(random: &mut Random, data_type: &Type, values: &[Value]) -> Column {
    let is_constant = values.iter().all(|value| value == &values[0]);
    match random.below(4) {
        0 if is_constant => Column::Constant { value: array(data_type, &values[..1]), length: values.len() },
        0 | 1 => {
            let mut distinct: Vec<Value> = vec![value(random, data_type)];
            let null_in_values = random.one_in(2);
            let mut indices = Vec::new();
            let mut valid = Vec::new();
            for value in values {
                valid.push(null_in_values || !value.is_null());
                if value.is_null() && !null_in_values {
                    indices.push(0);
                    continue;
                }
                let index = distinct.iter().position(|held| held == value).unwrap_or_else(|| {
                    distinct.push(value.clone());
                    distinct.len() - 1
                });
                indices.push(index as u32);
            }
            distinct.push(self::value(random, data_type));
            let validity = (!null_in_values).then(|| NullBuffer::from(valid));
            Column::Dictionary { indices: indices.into(), validity, values: array(data_type, &distinct) }
        }
        2 => {
            let before = random.below(70);
            let mut padded: Vec<_> = (0..before).map(|_| value(random, data_type)).collect();
            padded.extend_from_slice(values);
            padded.push(Value::Null);
            Column::Flat(array(data_type, &padded).slice(before, values.len()))
        }
        _ => Column::Flat(array(data_type, values)),
    }
}

/// One case: expressions, and a table as values by column and row.
struct Case {
    expressions: Vec<Expression>,
    table: Vec<Vec<Value>>,
    rows: usize,
}

impl Case {
    fn new(random: &mut Random) -> Self {
        let mut grower = Grower { random, variables: Vec::new(), next_variable: 0 };
        let types = [Type::Int64, Type::Float64, Type::Boolean, Type::Text, Type::list(Type::Int64)];
        let expressions = (0..3)
            .map(|_| {
                let data_type = grower.random.pick(&types);
                let depth = 1 + grower.random.below(4);
                let expression = grower.grow(&data_type, depth);
                // Most random trees fail somewhere, so most are tried.
                if grower.random.one_in(4) { expression } else { Expression::Try(Box::new(expression)) }
            })
            .collect();
        let rows = random.pick(&[1, 2, 5, 63, 64, 65, 130, 300, 1100, 2200]);
        let fields = schema().fields;
        let table = fields.iter().map(|field| {
            let (is_constant, nulls) = (random.one_in(4), random.pick(&[0, 3, 10]));
            let mut one = || match nulls != 0 && random.one_in(nulls) {
                true => Value::Null,
                false => value(random, &field.data_type),
            };
            let first = one();
            (0..rows).map(|_| if is_constant { first.clone() } else { one() }).collect()
        });
        let table = table.collect();
        Self { expressions, table, rows }
    }

    fn set(&self, context: &Arc<Context>) -> Arc<ExpressionSet> {
        ExpressionSet::compile(&self.expressions, &schema(), context).unwrap()
    }

    fn flat(&self) -> Batch {
        let fields = schema().fields;
        let columns = self
            .table
            .iter()
            .zip(&fields)
            .map(|(values, field)| Column::Flat(array(&field.data_type, values)));
        Batch::new(columns.collect(), self.rows)
    }

    fn encoded(&self, random: &mut Random) -> Batch {
        let fields = schema().fields;
        let columns =
            self.table.iter().zip(&fields).map(|(values, field)| encode(random, &field.data_type, values));
        Batch::new(columns.collect(), self.rows)
    }
}

type Outcome = Result<Vec<Value>, String>;

/// The rows that a batch gives, or its error.
fn rows_of(evaluator: &mut Evaluator, batch: &Batch) -> Result<Vec<Vec<Value>>, String> {
    let columns = evaluator.evaluate(batch).map_err(|error| error.to_string())?;
    let bump = bumpalo::Bump::new();
    let types = evaluator.set().types();
    let views: Vec<_> = columns.iter().zip(types).map(|(column, ty)| column.view(ty, &bump)).collect();
    columns.iter().for_each(|column| assert_eq!(column.len(), batch.rows));
    Ok((0..batch.rows).map(|row| views.iter().map(|view| value_at(view, row)).collect()).collect())
}

/// What every row gives on its own.
fn outcomes(case: &Case, context: &Arc<Context>) -> Vec<Outcome> {
    let mut evaluator = RowEvaluator::new(case.set(context), &[]).unwrap();
    let outputs = case.expressions.len();
    (0..case.rows)
        .map(|row| {
            evaluator.start(1).unwrap();
            for (column, values) in case.table.iter().enumerate() {
                evaluator.set_value(column, &values[row]).unwrap();
            }
            evaluator.evaluate().map_err(|error| error.to_string())?;
            Ok((0..outputs).map(|output| evaluator.value(output, 0)).collect())
        })
        .collect()
}

/// A batch must give its rows' values, or the error of the first row that fails.
fn check(expected: &[Outcome], actual: Result<Vec<Vec<Value>>, String>, what: &str, case: &Case) {
    let first = expected.iter().find_map(|outcome| outcome.as_ref().err());
    match (first, actual) {
        (Some(expected), Err(actual)) => assert_eq!(*expected, actual, "{what}: {:#?}", case.expressions),
        (None, Ok(rows)) => {
            for (row, (expected, actual)) in expected.iter().zip(&rows).enumerate() {
                assert_eq!(
                    expected.as_ref().ok(),
                    Some(actual),
                    "{what}, row {row}: {:#?}",
                    case.expressions
                );
            }
        }
        (expected, actual) => {
            panic!("{what}: expected error {expected:?}, got {:?}: {:#?}", actual.err(), case.expressions)
        }
    }
}

fn run_case(seed: u64, contexts: &[Arc<Context>; 2], digest: &mut DefaultHasher) {
    let mut random = Random(seed);
    let case = Case::new(&mut random);
    let expected = outcomes(&case, &contexts[1]);
    expected.hash(digest);
    for (context, fused) in contexts.iter().zip(["fused", "plain"]) {
        assert_eq!(outcomes(&case, context), expected, "seed {seed}: rows {fused}: {:#?}", case.expressions);
        let what = |how: &str| format!("seed {seed}, {fused}, {how}");
        let mut evaluator = Evaluator::new(case.set(context), &[]).unwrap();
        let flat = case.flat();
        check(&expected, rows_of(&mut evaluator, &flat), &what("flat"), &case);
        let encoded = case.encoded(&mut random);
        for how in ["encoded", "encoded again"] {
            check(&expected, rows_of(&mut evaluator, &encoded), &what(how), &case);
        }
        check(&expected, rows_of(&mut evaluator, &flat), &what("flat after encoded"), &case);
        let mut start = 0;
        while start < case.rows {
            let length = (1 + random.below(case.rows)).min(case.rows - start);
            let whole = if random.one_in(2) { &flat } else { &encoded };
            let actual = rows_of(&mut evaluator, &whole.slice(start, length));
            check(&expected[start..start + length], actual, &what("cut"), &case);
            start += length;
        }
        rows_together(&case, context, &expected, &what("rows together"));
    }
}

/// Several rows at once through the row evaluator.
fn rows_together(case: &Case, context: &Arc<Context>, expected: &[Outcome], what: &str) {
    let rows = case.rows.min(ROWS_MAX);
    let mut evaluator = RowEvaluator::new(case.set(context), &[]).unwrap();
    evaluator.start(rows).unwrap();
    for row in 0..rows {
        evaluator.at(row).unwrap();
        for (column, values) in case.table.iter().enumerate() {
            evaluator.set_value(column, &values[row]).unwrap();
        }
    }
    let result = evaluator.evaluate().map_err(|error| error.to_string());
    let outputs = case.expressions.len();
    let actual = result.map(|()| {
        (0..rows).map(|row| (0..outputs).map(|output| evaluator.value(output, row)).collect()).collect()
    });
    check(&expected[..rows], actual, what, case);
}

fn run_cases() -> u64 {
    let count = std::env::var("HYPOSTYLE_DIFFERENTIAL_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(CASES);
    let contexts = [context(true), context(false)];
    let mut digest = DefaultHasher::new();
    for seed in 0..count {
        run_case(seed, &contexts, &mut digest);
    }
    digest.finish()
}

#[test]
fn every_way_of_evaluation_and_every_cpu_level_gives_the_same_bits() {
    const CHILD: &str = "HYPOSTYLE_DIFFERENTIAL_CHILD";
    let own = run_cases();
    if std::env::var_os(CHILD).is_some() {
        println!("digest {own}");
        return;
    }
    // The level is read once per process, so each one runs in a process of its own.
    for level in hypostyle_functions::kernel::level::Level::available() {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--nocapture",
                "--exact",
                "every_way_of_evaluation_and_every_cpu_level_gives_the_same_bits",
            ])
            .env(CHILD, "1")
            .env(hypostyle_functions::kernel::level::LEVEL_VARIABLE, level.to_string())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains(&format!("digest {own}")), "{level}: {text}");
    }
}
