//! Rows that several nodes of a plan read.

use hypostyle_engine::plan::{Node, Plan};
use hypostyle_functions::types::{Schema, Type};

use crate::row;
use crate::setting::*;
use crate::spill::{same_when_spilled, wide};

/// Reads these columns of shared rows.
fn read(definition: &Plan, columns: &[usize]) -> Plan {
    let fields = columns.iter().map(|&column| definition.schema.fields[column].clone()).collect();
    Plan::new(Node::SharedRows { table: 7, projection: columns.to_vec() }, Schema::new(fields))
}

fn share(definition: Plan, input: Plan) -> Plan {
    let schema = input.schema.clone();
    let (definition, input) = (Box::new(definition), Box::new(input));
    Plan::new(Node::Shared { table: 7, definition, input }, schema)
}

fn union(inputs: Vec<Plan>) -> Plan {
    let schema = inputs[0].schema.clone();
    Plan::new(Node::Union { inputs }, schema)
}

#[test]
fn every_reader_gets_all_rows_in_order() {
    let rows = (0..10i64).map(|id| row![id, id * 10]).collect();
    let table = Table { name: "t", fields: vec![("id", Type::Int64), ("x", Type::Int64)], rows };
    let definition = filter(scan(&table), compare("<", column(&scan(&table), 0), literal(2i64)));
    let plan = union(vec![read(&definition, &[1]), read(&definition, &[0]), read(&definition, &[1])]);
    let expected = [row![0i64], row![10i64], row![0i64], row![1i64], row![0i64], row![10i64]];
    check(&[&table], &share(definition, plan), &expected);
}

#[test]
fn no_rows_are_shared_too() {
    let table = Table { name: "t", fields: vec![("id", Type::Int64)], rows: Vec::new() };
    let definition = scan(&table);
    let plan = union(vec![read(&definition, &[0]), read(&definition, &[0])]);
    check(&[&table], &share(definition, plan), &[]);
}

#[test]
fn shared_rows_that_do_not_fit_are_read_from_a_file() {
    let table = wide("wide", 24_000, 16_000, 3);
    let definition = scan(&table);
    let plan = union(vec![read(&definition, &[3, 0]), read(&definition, &[1, 2])]);
    let plan = match plan.node {
        Node::Union { inputs } => {
            let counts = inputs.into_iter().map(|input| {
                let texts = vec![column(&input, 0)];
                aggregate(input, Vec::new(), vec![call("count", texts, Type::Int64)])
            });
            union(counts.collect())
        }
        _ => plan,
    };
    same_when_spilled(&[&table], &share(definition, plan), 2 << 20, false);
}

#[test]
fn a_reader_without_shared_rows_is_refused() {
    let table = Table { name: "t", fields: vec![("id", Type::Int64)], rows: vec![row![1i64]] };
    let plan = read(&scan(&table), &[0]);
    assert!(error_everywhere(&[&table], &plan).contains("nothing is shared under number 7"));
    let more = Plan::new(Node::SharedRows { table: 7, projection: vec![4] }, plan.schema.clone());
    assert!(error_everywhere(&[&table], &share(scan(&table), more)).contains("expects other columns"));
}
