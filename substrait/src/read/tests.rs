//! Subqueries as other planners write them: expressions that hold relations and read the columns around them.

use std::sync::Arc;

use bumpalo::Bump;
use hypostyle_engine::{Catalog, Configuration, Context, Prepared};
use hypostyle_functions::Registry;
use hypostyle_functions::column::value_at;
use hypostyle_functions::scalar::Settings;
use hypostyle_planner::Definitions;
use prost::Message;

use crate::message::data_type::{Plain, Type, TypeKind};
use crate::message::expression::*;
use crate::message::literal::{Literal, LiteralKind, LiteralStruct};
use crate::message::plan::{Declaration, Declared, DeclaredName, Plan, PlanRelation, PlanRoot, RelationRoot};
use crate::message::relation::*;

/// Functions that the plans declare; the anchor is the position.
const FUNCTIONS: [&str; 10] = ["equal", "gt", "add", "max", "and", "not", "count", "lt", "or", "sum"];

/// Rows of numbers, with nulls.
type Numbers = Vec<Vec<Option<i64>>>;

fn literal(value: Option<i64>) -> Literal {
    let kind = match value {
        Some(value) => LiteralKind::I64(value),
        None => LiteralKind::Null(Type { kind: Some(TypeKind::I64(Plain::default())) }),
    };
    Literal { nullable: true, variation: 0, kind: Some(kind) }
}

fn expression(kind: ExpressionKind) -> Expression {
    Expression { kind: Some(kind) }
}

/// A number as an expression.
fn constant(value: i64) -> Expression {
    expression(ExpressionKind::Literal(literal(Some(value))))
}

fn rel(kind: RelKind) -> Rel {
    Rel { kind: Some(kind) }
}

fn table(rows: &[&[Option<i64>]]) -> Rel {
    let row =
        |row: &&[Option<i64>]| LiteralStruct { fields: row.iter().map(|value| literal(*value)).collect() };
    let table = VirtualTable { values: rows.iter().map(row).collect(), expressions: Vec::new() };
    rel(RelKind::Read(Box::new(Read { kind: Some(ReadKind::VirtualTable(table)), ..Read::default() })))
}

/// `t(x, g)`: what the outer queries read.
fn outer_table() -> Rel {
    table(&[
        &[Some(1), Some(1)],
        &[Some(2), Some(1)],
        &[Some(3), Some(2)],
        &[None, Some(2)],
        &[Some(9), None],
    ])
}

/// `u(y, h)`: what the subqueries read.
fn inner_table() -> Rel {
    table(&[&[Some(2), Some(1)], &[Some(3), Some(2)], &[None, Some(2)], &[Some(3), Some(3)]])
}

/// A column of the query that is `steps` queries outwards.
fn column(position: i32, steps: u32) -> Expression {
    let field = StructField { field: position, child: None };
    let segment = ReferenceSegment { kind: Some(SegmentKind::StructField(Box::new(field))) };
    let root = match steps {
        0 => ReferenceRoot::Input(Unread {}),
        steps_out => ReferenceRoot::Outer(OuterReference { steps_out, relation: 0 }),
    };
    let reference = Some(ReferenceKind::Direct(segment));
    expression(ExpressionKind::Selection(Box::new(FieldReference { reference, root: Some(root) })))
}

fn arguments(values: Vec<Expression>) -> Vec<FunctionArgument> {
    values.into_iter().map(|value| FunctionArgument { kind: Some(ArgumentKind::Value(value)) }).collect()
}

fn anchor(name: &str) -> u32 {
    FUNCTIONS.iter().position(|known| *known == name).unwrap() as u32
}

fn call(name: &str, values: Vec<Expression>) -> Expression {
    let function =
        ScalarFunction { reference: anchor(name), arguments: arguments(values), ..ScalarFunction::default() };
    expression(ExpressionKind::ScalarFunction(function))
}

fn filter(input: Rel, condition: Expression) -> Rel {
    let (input, condition) = (Some(Box::new(input)), Some(Box::new(condition)));
    rel(RelKind::Filter(Box::new(Filter { common: None, input, condition })))
}

/// Only these columns.
fn chosen(input: Rel, expressions: Vec<Expression>, width: i32) -> Rel {
    let output_mapping = (width..width + expressions.len() as i32).collect();
    let common = Some(Common { emit: Some(EmitKind::Emit(Emit { output_mapping })) });
    rel(RelKind::Project(Box::new(Project { common, input: Some(Box::new(input)), expressions })))
}

fn aggregate(input: Rel, name: &str, values: Vec<Expression>) -> Rel {
    let measure = AggregateFunction {
        reference: anchor(name),
        arguments: arguments(values),
        phase: 3,
        ..AggregateFunction::default()
    };
    let measures = vec![Measure { measure: Some(measure), filter: None }];
    rel(RelKind::Aggregate(Box::new(Aggregate {
        input: Some(Box::new(input)),
        groupings: vec![Grouping::default()],
        measures,
        ..Aggregate::default()
    })))
}

fn subquery(kind: SubqueryKind) -> Expression {
    expression(ExpressionKind::Subquery(Box::new(Subquery { kind: Some(kind) })))
}

fn scalar(query: Rel) -> Expression {
    subquery(SubqueryKind::Scalar(Box::new(ScalarQuery { input: Some(Box::new(query)) })))
}

fn exists(query: Rel) -> Expression {
    let predicate = SetPredicate { operation: 1, tuples: Some(Box::new(query)) };
    subquery(SubqueryKind::SetPredicate(Box::new(predicate)))
}

fn is_in(needles: Vec<Expression>, haystack: Rel) -> Expression {
    let haystack = Some(Box::new(haystack));
    subquery(SubqueryKind::InPredicate(Box::new(InPredicate { needles, haystack })))
}

/// Reduction 1 is ANY, 2 is ALL; comparisons are =, <>, <, >, <=, >= from 1.
fn compared(reduction: i32, comparison: i32, left: Expression, right: Rel) -> Expression {
    let (left, right) = (Some(Box::new(left)), Some(Box::new(right)));
    subquery(SubqueryKind::SetComparison(Box::new(SetComparison { reduction, comparison, left, right })))
}

fn bytes(input: Rel, width: usize) -> Vec<u8> {
    let declared = FUNCTIONS.iter().zip(0..).map(|(name, anchor)| Declaration {
        kind: Some(Declared::Function(DeclaredName {
            anchor,
            name: (*name).to_owned(),
            ..DeclaredName::default()
        })),
    });
    let names = (0..width).map(|position| format!("c{position}")).collect();
    let root = PlanRoot::Root(RelationRoot { input: Some(input), names });
    let relations = vec![PlanRelation { kind: Some(root) }];
    Plan { extensions: declared.collect(), relations, ..Plan::default() }.encode_to_vec()
}

fn context() -> Arc<Context> {
    let (registry, catalog) = (Arc::new(Registry::builtin()), Arc::new(Catalog::default()));
    Arc::new(Context::new(registry, catalog, Settings::default(), Configuration::default()))
}

/// The rows of a plan; they are numbers and truth values, which are 0 and 1.
fn rows(input: Rel, width: usize) -> Numbers {
    let context = context();
    let query = super::read(&bytes(input, width), &context, &Definitions::default()).unwrap();
    let prepared = Prepared::new(query.plan, context).unwrap();
    let types: Vec<_> = prepared.schema().fields.iter().map(|field| field.data_type.clone()).collect();
    let mut run = prepared.start(&[]).unwrap();
    let mut rows = Vec::new();
    while let Some(batch) = run.next().unwrap() {
        let bump = Bump::new();
        let views: Vec<_> = batch
            .columns
            .iter()
            .zip(&types)
            .map(|(column, data_type)| column.view(data_type, &bump))
            .collect();
        let number = |value: hypostyle_functions::Value| value.as_i64().or(value.as_bool().map(i64::from));
        rows.extend(
            (0..batch.rows).map(|row| views.iter().map(|view| number(value_at(view, row))).collect()),
        );
    }
    rows
}

/// What an expression over the outer table gives, row by row.
fn values(value: Expression) -> Vec<Option<i64>> {
    rows(chosen(outer_table(), vec![value], 2), 1).into_iter().map(|row| row[0]).collect()
}

/// The values of `x` for which a condition holds.
fn kept(condition: Expression) -> Vec<Option<i64>> {
    let kept = filter(outer_table(), condition);
    rows(chosen(kept, vec![column(0, 0)], 2), 1).into_iter().map(|row| row[0]).collect()
}

fn same_group(steps: u32) -> Rel {
    filter(inner_table(), call("equal", vec![column(1, 0), column(1, steps)]))
}

#[test]
fn a_scalar_subquery_is_one_value_for_all_rows() {
    let most = aggregate(inner_table(), "max", vec![column(0, 0)]);
    assert_eq!(values(scalar(most)), [Some(3); 5]);
    let none =
        chosen(filter(inner_table(), call("gt", vec![column(0, 0), constant(7)])), vec![column(0, 0)], 2);
    assert_eq!(values(scalar(none)), [None; 5]);
}

#[test]
fn a_scalar_subquery_reads_the_row_around_it() {
    let most = aggregate(same_group(1), "max", vec![column(0, 0)]);
    assert_eq!(values(scalar(most)), [Some(2), Some(2), Some(3), Some(3), None]);
    // No group is a count of 0, not a null.
    let counted = aggregate(same_group(1), "count", vec![column(0, 0)]);
    assert_eq!(values(scalar(counted)), [Some(1), Some(1), Some(1), Some(1), Some(0)]);
    let moved = aggregate(same_group(1), "sum", vec![call("add", vec![column(0, 0), column(0, 1)])]);
    assert_eq!(values(scalar(moved)), [Some(3), Some(4), Some(6), None, None]);
}

#[test]
fn a_scalar_subquery_of_several_rows_is_an_error() {
    let query = chosen(same_group(1), vec![column(0, 0)], 2);
    let plan = bytes(chosen(outer_table(), vec![scalar(query)], 2), 1);
    let context = context();
    let query = super::read(&plan, &context, &Definitions::default()).unwrap();
    let prepared = Prepared::new(query.plan, context).unwrap();
    let mut run = prepared.start(&[]).unwrap();
    let error = loop {
        match run.next() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("two rows of u have h = 2"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("more than one row"), "{error}");
}

#[test]
fn exists_holds_where_a_row_is_found() {
    assert_eq!(kept(exists(same_group(1))), [Some(1), Some(2), Some(3), None]);
    assert_eq!(kept(call("not", vec![exists(same_group(1))])), [Some(9)]);
    assert_eq!(kept(exists(inner_table())).len(), 5);
    assert_eq!(values(exists(same_group(1))), [Some(1), Some(1), Some(1), Some(1), Some(0)]);
}

#[test]
fn exists_stands_inside_other_conditions() {
    let either = call("or", vec![exists(same_group(1)), call("gt", vec![column(0, 0), constant(8)])]);
    assert_eq!(kept(either), [Some(1), Some(2), Some(3), None, Some(9)]);
}

#[test]
fn a_row_is_in_a_query_or_not_or_it_is_unknown() {
    let inner = || chosen(inner_table(), vec![column(0, 0)], 2);
    assert_eq!(values(is_in(vec![column(0, 0)], inner())), [None, Some(1), Some(1), None, None]);
    assert_eq!(kept(call("not", vec![is_in(vec![column(0, 0)], inner())])), Vec::<Option<i64>>::new());
    let own_group = || chosen(same_group(1), vec![column(0, 0)], 2);
    assert_eq!(values(is_in(vec![column(0, 0)], own_group())), [Some(0), Some(1), Some(1), None, Some(0)]);
    let pairs = is_in(vec![column(0, 0), column(1, 0)], inner_table());
    assert_eq!(values(pairs), [Some(0), Some(1), Some(1), None, None]);
}

#[test]
fn a_comparison_holds_for_any_row() {
    let inner = || chosen(inner_table(), vec![column(0, 0)], 2);
    let answers: [(i32, [Option<i64>; 5]); 6] = [
        (1, [None, Some(1), Some(1), None, None]),
        (2, [Some(1), Some(1), Some(1), None, Some(1)]),
        (3, [Some(1), Some(1), None, None, None]),
        (4, [None, None, Some(1), None, Some(1)]),
        (5, [Some(1), Some(1), Some(1), None, None]),
        (6, [None, Some(1), Some(1), None, Some(1)]),
    ];
    for (comparison, expected) in answers {
        assert_eq!(values(compared(1, comparison, column(0, 0), inner())), expected, "{comparison}");
    }
}

#[test]
fn a_comparison_holds_for_all_rows() {
    let known =
        || chosen(filter(inner_table(), call("gt", vec![column(0, 0), constant(0)])), vec![column(0, 0)], 2);
    let answers: [(i32, [Option<i64>; 5]); 6] = [
        (1, [Some(0), Some(0), Some(0), None, Some(0)]),
        (2, [Some(1), Some(0), Some(0), None, Some(1)]),
        (3, [Some(1), Some(0), Some(0), None, Some(0)]),
        (4, [Some(0), Some(0), Some(0), None, Some(1)]),
        (5, [Some(1), Some(1), Some(0), None, Some(0)]),
        (6, [Some(0), Some(0), Some(1), None, Some(1)]),
    ];
    for (comparison, expected) in answers {
        assert_eq!(values(compared(2, comparison, column(0, 0), known())), expected, "{comparison}");
    }
    // Over no rows it is true, even of a null; a row that is null leaves it open.
    let own_group = || chosen(same_group(1), vec![column(0, 0)], 2);
    assert_eq!(values(compared(2, 6, column(0, 0), own_group())), [Some(0), Some(1), None, None, Some(1)]);
}

#[test]
fn subqueries_nest_and_reach_over_one_another() {
    // EXISTS (u WHERE h = t.g AND EXISTS (u AS v WHERE v.y = t.x AND v.h = u.h))
    let same_value = call("equal", vec![column(0, 0), column(0, 2)]);
    let same_key = call("equal", vec![column(1, 0), column(1, 1)]);
    let innermost = filter(inner_table(), call("and", vec![same_value, same_key]));
    assert_eq!(kept(exists(filter(same_group(1), exists(innermost)))), [Some(2), Some(3)]);
}

#[test]
fn subqueries_that_cannot_be_are_named() {
    let refused = |condition: Expression| {
        let plan = bytes(filter(outer_table(), condition), 2);
        super::read(&plan, &context(), &Definitions::default()).unwrap_err().to_string()
    };
    let unique = SetPredicate { operation: 2, tuples: Some(Box::new(inner_table())) };
    let error = refused(subquery(SubqueryKind::SetPredicate(Box::new(unique))));
    assert!(error.contains("UNIQUE of a subquery is not supported"), "{error}");
    let error = refused(is_in(vec![column(0, 0)], inner_table()));
    assert!(error.contains("1 values are looked for among rows of 2 columns"), "{error}");
    let error = refused(compared(1, 9, column(0, 0), inner_table()));
    assert!(error.contains("comparison 9 is none; expected 1 to 6"), "{error}");
    let error = refused(compared(3, 1, column(0, 0), chosen(inner_table(), vec![column(0, 0)], 2)));
    assert!(error.contains("reduction 3 is none; expected 1 or 2"), "{error}");
    let error = refused(exists(same_group(2)));
    assert!(error.contains("a reference goes 2 queries outwards; there are 1"), "{error}");
    let error = refused(exists(filter(inner_table(), call("equal", vec![column(0, 0), column(7, 1)]))));
    assert!(error.contains("a reference to column 7"), "{error}");
}
