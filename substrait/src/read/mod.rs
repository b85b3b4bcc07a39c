//! Plans of the format to queries.

mod aggregate;
mod call;
mod expression;
mod relation;
mod subquery;
mod table;
mod window;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::plan::{Expression as Bound, Plan};
use hypostyle_functions::Type;
use hypostyle_planner::build::{Builder, parameter};
use hypostyle_planner::logical::{Column, Computed, Relation};
use hypostyle_planner::{Definitions, Parameter};
use prost::Message;

use crate::RELATIONS_MAX;
use crate::data_type::column_names;
use crate::error::{Error, Result};
use crate::function::Origin;
use crate::message::plan::{Declared, Plan as Bytes, PlanRelation, PlanRoot, RelationRoot};
use crate::message::relation::Rel;

/// Most values that a plan leaves open.
const PARAMETERS_MAX: usize = 1_000;

/// Most expressions that stand for one another's copies.
const COPIES_MAX: usize = 100_000;

/// Numbers of shared relations, beside those that views of the session have.
const FIRST_SHARED: u32 = 1 << 20;

/// What a plan of the format means here.
#[derive(Debug, Clone)]
pub struct Query {
    /// The plan, rewritten and lowered.
    pub plan: Plan,
    /// Values that it leaves open, by position.
    pub parameters: Vec<Parameter>,
}

/// Reads a plan over a session's tables, views and functions.
///
/// # Errors
/// Bytes that are no plan; a relation, function or type that this engine does not have, by its name; a plan that contradicts
/// itself or the tables.
pub fn read(bytes: &[u8], context: &Arc<Context>, definitions: &Definitions) -> Result<Query> {
    let plan = Bytes::decode(bytes).map_err(|error| Error::Damaged(error.to_string()))?;
    if plan.relations.is_empty() {
        return Err(Error::Damaged("it has no relation".to_owned()));
    }
    let (functions, types) = declared(&plan)?;
    let mut reader = Reader {
        context,
        builder: Builder::new(context, definitions),
        functions,
        types,
        trees: &plan.relations,
        reading: Vec::new(),
        shared: HashMap::new(),
        definitions: Vec::new(),
        outer: Vec::new(),
        parameters: Vec::new(),
        relations: 0,
        copies: 0,
    };
    let (relation, columns) = reader.result()?;
    let Reader { builder, parameters, .. } = reader;
    let plan = builder.plan(relation, &columns)?;
    let parameters = parameters.iter().enumerate();
    let parameters = parameters.map(|(index, held)| parameter(index, held.as_ref().unwrap_or(&Type::Text)));
    Ok(Query { plan, parameters: parameters.collect() })
}

/// Functions with their origin and name, and names of types, by anchor.
type Names = (HashMap<u32, (Origin, String)>, HashMap<u32, String>);

fn declared(plan: &Bytes) -> Result<Names> {
    let urns: HashMap<u32, &str> =
        plan.extension_urns.iter().map(|one| (one.anchor, one.urn.as_str())).collect();
    let uris: HashMap<u32, &str> =
        plan.extension_uris.iter().map(|one| (one.anchor, one.uri.as_str())).collect();
    let (mut functions, mut types) = (HashMap::new(), HashMap::new());
    for declaration in &plan.extensions {
        match &declaration.kind {
            Some(Declared::Function(function)) => {
                let urn = urns.get(&function.urn_reference).or_else(|| uris.get(&function.uri_reference));
                let origin = Origin::of(urn.copied());
                let name = match origin {
                    Origin::Own => function.name.as_str(),
                    _ => function.name.split(':').next().unwrap_or_default(),
                };
                functions.insert(function.anchor, (origin, name.to_owned()));
            }
            Some(Declared::Type(data_type)) => {
                types.insert(data_type.anchor, data_type.name.clone());
            }
            Some(Declared::TypeVariation(_)) => {}
            None => return Err(Error::missing("name of what it declares")),
        }
    }
    Ok((functions, types))
}

/// What is gathered while a plan is read.
struct Reader<'a> {
    context: &'a Arc<Context>,
    builder: Builder<'a>,
    functions: HashMap<u32, (Origin, String)>,
    types: HashMap<u32, String>,
    trees: &'a [PlanRelation],
    /// Ordinals of the trees being read, so that none reads itself.
    reading: Vec<i32>,
    /// Trees that have been read, by ordinal: their number and columns.
    shared: HashMap<i32, (u32, Vec<Column>)>,
    /// Shared relations by number, each behind those that it reads.
    definitions: Vec<(u32, Relation)>,
    /// Columns of the queries around a subquery, innermost last.
    outer: Vec<Vec<Column>>,
    parameters: Vec<Option<Type>>,
    relations: usize,
    copies: usize,
}

/// A relation with the columns that come out of it in order. The relation itself may have more, and in another order.
struct Rows {
    relation: Relation,
    columns: Vec<Column>,
}

impl Rows {
    fn of(relation: Relation) -> Self {
        let columns = relation.columns();
        Self { relation, columns }
    }
}

impl<'a> Reader<'a> {
    /// The result of the plan with its columns.
    fn result(&mut self) -> Result<(Relation, Vec<Column>)> {
        let roots = self.trees.iter().filter_map(|tree| match &tree.kind {
            Some(PlanRoot::Root(root)) => Some(root),
            _ => None,
        });
        let roots: Vec<&RelationRoot> = roots.collect();
        let (rows, names) = match (roots.as_slice(), self.trees) {
            ([root], _) => {
                let input = root.input.as_ref().ok_or_else(|| Error::missing("relation of its result"))?;
                (self.rel(input)?, Some(&root.names))
            }
            ([], [PlanRelation { kind: Some(PlanRoot::Relation(rel)) }]) => (self.rel(rel)?, None),
            ([], _) => return Err(Error::missing("result")),
            _ => return Err(Error::unsupported("a plan of several results")),
        };
        let types: Vec<Type> = rows.columns.iter().map(|column| column.data_type.clone()).collect();
        let names: Vec<String> = match names {
            Some(names) => {
                let named = column_names(names, &types).ok_or_else(|| {
                    Error::invalid(format!(
                        "the plan names {} columns and fields; its result has {} columns",
                        names.len(),
                        types.len()
                    ))
                })?;
                named.into_iter().map(str::to_owned).collect()
            }
            None => rows.columns.iter().map(|column| column.name.clone()).collect(),
        };
        let columns = rows.columns.iter().zip(names).map(|(column, name)| (name, column.read())).collect();
        let (mut relation, columns) = self.builder.project(rows.relation, columns);
        for (table, definition) in std::mem::take(&mut self.definitions).into_iter().rev() {
            let (definition, input) = (Box::new(definition), Box::new(relation));
            relation = Relation::Shared { table, definition, input };
        }
        Ok((relation, columns))
    }

    /// A relation and all below it.
    fn rel(&mut self, rel: &Rel) -> Result<Rows> {
        self.relations += 1;
        if self.relations > RELATIONS_MAX {
            return Err(Error::unsupported(format!("a plan of more than {RELATIONS_MAX} relations")));
        }
        stacker::maybe_grow(256 << 10, 2 << 20, || self.node(rel))
    }

    /// The relation whose columns are exactly those that come out.
    fn exact(&mut self, rows: Rows) -> Relation {
        let own = rows.relation.columns();
        let same = own.len() == rows.columns.len()
            && own.iter().zip(&rows.columns).all(|(left, right)| left.id == right.id);
        if same {
            return rows.relation;
        }
        let mut columns: Vec<Computed> = Vec::with_capacity(rows.columns.len());
        for column in rows.columns {
            let is_there = columns.iter().any(|held| held.column.id == column.id);
            columns.push(match is_there {
                true => Computed {
                    column: self.builder.column(column.name.clone(), column.data_type.clone()),
                    expression: column.read(),
                },
                false => Computed::passed(column),
            });
        }
        Relation::Project { input: Box::new(rows.relation), columns }
    }

    /// Counts an expression that is written once and stands in a query several times.
    fn copy(&mut self, expression: &Bound) -> Result<Bound> {
        expression.walk(&mut |_| self.copies += 1);
        match self.copies > COPIES_MAX {
            true => Err(Error::unsupported("a plan with this many nested comparisons")),
            false => Ok(expression.clone()),
        }
    }
}
