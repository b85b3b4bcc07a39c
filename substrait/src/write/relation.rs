//! Relations.

use hypostyle_engine::plan::{Expression as Bound, SortKey};
use hypostyle_functions::scalar::Volatility;
use hypostyle_functions::{Type, Value};
use hypostyle_planner::logical::{Column, Computed, Relation, SharedRows};

use crate::RELATIONS_MAX;
use crate::error::{Error, Result};
use crate::function::Extension;
use crate::message::expression::{Expression, ExpressionKind};
use crate::message::literal::{Literal, LiteralKind};
use crate::message::plan::{PlanRelation, PlanRoot};
use crate::message::relation::{
    Cross, Fetch, FetchCount, FetchOffset, Filter, Join, Project, Reference, RelKind, Set, Sort, SortField,
    SortKind,
};

use super::expression::Scope;
use super::join::LEFT_SINGLE;
use super::{Writer, Written, field};

/// `SET_OP_UNION_ALL`.
const UNION_ALL: i32 = 6;

/// A whole number as an expression.
pub(super) fn number(value: u64) -> Box<Expression> {
    let value = LiteralKind::I64(i64::try_from(value).unwrap_or(i64::MAX));
    let literal = Literal { nullable: false, variation: 0, kind: Some(value) };
    Box::new(Expression { kind: Some(ExpressionKind::Literal(literal)) })
}

impl<'a> Writer<'a> {
    /// A relation and all below it.
    pub(super) fn relation(&mut self, relation: &'a Relation) -> Result<Written> {
        self.relations += 1;
        if self.relations > RELATIONS_MAX {
            return Err(Error::unsupported(format!("a plan of more than {RELATIONS_MAX} relations")));
        }
        stacker::maybe_grow(128 << 10, 2 << 20, || self.node(relation))
    }

    fn node(&mut self, relation: &'a Relation) -> Result<Written> {
        match relation {
            Relation::Scan(scan) => self.scan(scan),
            Relation::Values { columns, rows } => self.rows(columns, rows),
            Relation::Filter { input, predicates } => {
                let input = self.relation(input)?;
                self.filter(input, predicates)
            }
            Relation::Project { input, columns } => {
                let input = self.relation(input)?;
                self.project(input, columns)
            }
            Relation::Limit { input, offset, count } => {
                let input = self.relation(input)?;
                Ok(fetch(input, *offset, *count))
            }
            Relation::Sort { input, keys, limit } => {
                let input = self.relation(input)?;
                let sorted = self.sort(input, keys)?;
                Ok(match limit {
                    Some(_) => fetch(sorted, 0, *limit),
                    None => sorted,
                })
            }
            Relation::Aggregate { input, keys, sets, aggregates } => {
                let input = self.relation(input)?;
                self.aggregate(input, keys, sets.as_ref(), aggregates)
            }
            Relation::Join(join) => self.join(join),
            Relation::Union { inputs, columns } => self.union(inputs, columns),
            Relation::Window { input, window, columns } => {
                let input = self.relation(input)?;
                self.window(input, window, columns)
            }
            Relation::SingleRow { input } => self.single_row(input),
            Relation::Shared { table, definition, input } => {
                self.share(*table, definition)?;
                self.relation(input)
            }
            Relation::SharedRows(shared) => self.shared_rows(shared),
            Relation::AsOf(_) => Err(Error::unsupported("an as-of join")),
            Relation::Unnest { .. } => Err(Error::unsupported("UNNEST")),
            Relation::Repeat { input, count } => self.repeated(input, count),
            Relation::Sample { .. } => Err(Error::unsupported("a sample")),
            Relation::ComputedLimit { .. } => Err(Error::unsupported("a LIMIT that is computed")),
            Relation::Positional { .. } => Err(Error::unsupported("POSITIONAL JOIN")),
            Relation::Recursive { .. } | Relation::WorkTable { .. } => {
                Err(Error::unsupported("a recursive table of WITH"))
            }
            Relation::Write { .. } => Err(Error::unsupported("a statement that writes")),
        }
    }

    pub(super) fn filter(&mut self, input: Written, predicates: &[Bound]) -> Result<Written> {
        let scope = Scope::new(input.positions());
        let Some(condition) = self.conjunction(predicates, &scope)? else { return Ok(input) };
        let filter =
            Filter { common: None, input: Some(Box::new(input.rel)), condition: Some(Box::new(condition)) };
        Ok(Written::new(RelKind::Filter(Box::new(filter)), input.columns))
    }

    /// Computed columns stand behind those of the input; only they come out.
    pub(super) fn project(&mut self, input: Written, columns: &[Computed]) -> Result<Written> {
        let scope = Scope::new(input.positions());
        let expressions = columns.iter().map(|computed| self.expression(&computed.expression, &scope));
        let expressions = expressions.collect::<Result<_>>()?;
        let ids: Vec<usize> = columns.iter().map(|computed| computed.column.id).collect();
        let width = input.columns.len();
        let project = Project { common: None, input: Some(Box::new(input.rel)), expressions };
        // Columns of the input may keep their numbers, so those that are computed are told by place.
        let mut all: Vec<usize> = vec![usize::MAX; width];
        all.extend(&ids);
        let written = Written::new(RelKind::Project(Box::new(project)), all);
        written.with_columns(&ids)
    }

    fn sort(&mut self, input: Written, keys: &[SortKey]) -> Result<Written> {
        let scope = Scope::new(input.positions());
        let sorts = self.sort_fields(keys, &scope)?;
        let sort = Sort { common: None, input: Some(Box::new(input.rel)), sorts };
        Ok(Written::new(RelKind::Sort(Box::new(sort)), input.columns))
    }

    /// Keys of an order.
    pub(super) fn sort_fields(&mut self, keys: &[SortKey], scope: &Scope) -> Result<Vec<SortField>> {
        keys.iter()
            .map(|key| {
                let direction = match (key.descending, key.nulls_first) {
                    (false, true) => 1,
                    (false, false) => 2,
                    (true, true) => 3,
                    (true, false) => 4,
                };
                let expression = Some(self.expression(&key.expression, scope)?);
                Ok(SortField { expression, kind: Some(SortKind::Direction(direction)) })
            })
            .collect()
    }

    fn union(&mut self, inputs: &'a [Relation], columns: &[Column]) -> Result<Written> {
        let mut written = Vec::with_capacity(inputs.len());
        for input in inputs {
            let ids: Vec<usize> = input.columns().iter().map(|column| column.id).collect();
            written.push(self.relation(input)?.with_columns(&ids)?.rel);
        }
        let ids = columns.iter().map(|column| column.id).collect();
        let set = Set { common: None, inputs: written, operation: UNION_ALL };
        Ok(Written::new(RelKind::Set(set), ids))
    }

    /// A row for each left row in any case, with nulls where there is nothing on the right.
    fn single_row(&mut self, input: &'a Relation) -> Result<Written> {
        let written = self.relation(input)?;
        if gives_one_row(input) {
            return Ok(written);
        }
        let one = self.rows(&[], &[Vec::new()])?;
        let join = Join {
            common: None,
            left: Some(Box::new(one.rel)),
            right: Some(Box::new(written.rel)),
            expression: Some(Box::new(truth())),
            post_join_filter: None,
            kind: LEFT_SINGLE,
        };
        Ok(Written::new(RelKind::Join(Box::new(join)), written.columns))
    }

    /// Every pair of rows.
    pub(super) fn cross(&mut self, left: Written, right: Written) -> Written {
        let mut columns = left.columns;
        columns.extend(right.columns);
        let cross = Cross { common: None, left: Some(Box::new(left.rel)), right: Some(Box::new(right.rel)) };
        Written::new(RelKind::Cross(Box::new(cross)), columns)
    }

    /// Rows that several relations read. They are made again by each reader, as a plan of any producer would say it,
    /// unless they would differ: then they are a tree of their own.
    fn share(&mut self, table: u32, definition: &'a Relation) -> Result<()> {
        self.definitions.insert(table, definition);
        if self.is_volatile(definition) {
            let ids: Vec<usize> = definition.columns().iter().map(|column| column.id).collect();
            let rel = self.relation(definition)?.with_columns(&ids)?.rel;
            self.ordinals.insert(table, field(self.trees.len()));
            self.trees.push(PlanRelation { kind: Some(PlanRoot::Relation(rel)) });
        }
        Ok(())
    }

    fn shared_rows(&mut self, shared: &SharedRows) -> Result<Written> {
        let Some(&definition) = self.definitions.get(&shared.table) else {
            return Err(Error::invalid("internal error: shared rows without a definition"));
        };
        let own: Vec<usize> = definition.columns().iter().map(|column| column.id).collect();
        let written = match self.ordinals.get(&shared.table) {
            Some(ordinal) => {
                let reference = RelKind::Reference(Reference { ordinal: *ordinal });
                // A reference has no columns to choose from, so a projection does.
                let project = Project {
                    common: None,
                    input: Some(Box::new(Written::new(reference, Vec::new()).rel)),
                    expressions: Vec::new(),
                };
                Written::new(RelKind::Project(Box::new(project)), own.clone())
            }
            None => self.relation(definition)?.with_columns(&own)?,
        };
        let mut read = Vec::with_capacity(shared.columns.len());
        for (_, position) in &shared.columns {
            read.push(*own.get(*position).ok_or_else(|| super::lost(*position))?);
        }
        let written = written.with_columns(&read)?;
        let ids = shared.columns.iter().map(|(column, _)| column.id).collect();
        Ok(Written { rel: written.rel, columns: ids })
    }

    /// True if rows may differ each time they are made.
    fn is_volatile(&self, relation: &Relation) -> bool {
        let mut volatile = matches!(relation, Relation::Sample { .. });
        for expression in relation.expressions() {
            expression.walk(&mut |part| {
                if let Bound::Call { function, .. } = part {
                    let known = self.context.registry.scalar(function);
                    volatile |= known.is_none_or(|known| known.volatility == Volatility::Volatile);
                }
            });
        }
        volatile || relation.inputs().into_iter().any(|input| self.is_volatile(input))
    }

    /// All of these as one condition.
    pub(super) fn conjunction(&mut self, terms: &[Bound], scope: &Scope) -> Result<Option<Expression>> {
        Ok(match terms {
            [] => None,
            [term] => Some(self.expression(term, scope)?),
            terms => Some(self.variadic(Extension::Boolean, "and", terms, &Type::Boolean, scope)?),
        })
    }
}

/// The literal true.
pub(super) fn truth() -> Expression {
    let literal = Literal { nullable: false, variation: 0, kind: Some(LiteralKind::Boolean(true)) };
    Expression { kind: Some(ExpressionKind::Literal(literal)) }
}

fn fetch(input: Written, offset: u64, count: Option<u64>) -> Written {
    let fetch = Fetch {
        common: None,
        input: Some(Box::new(input.rel)),
        offset: (offset > 0).then(|| FetchOffset::Expression(number(offset))),
        count: count.map(|count| FetchCount::CountExpression(number(count))),
    };
    Written::new(RelKind::Fetch(Box::new(fetch)), input.columns)
}

/// True if a relation gives one row whatever the tables hold.
fn gives_one_row(relation: &Relation) -> bool {
    match relation {
        Relation::Aggregate { keys, sets: None, .. } => keys.is_empty(),
        Relation::Values { rows, .. } => rows.len() == 1,
        Relation::Project { input, .. } | Relation::Sort { input, .. } | Relation::Window { input, .. } => {
            gives_one_row(input)
        }
        Relation::Limit { input, offset: 0, count } => *count != Some(0) && gives_one_row(input),
        _ => false,
    }
}

/// True if a value is a literal that the format can hold in a row of literals.
pub(super) fn is_null(expression: &Bound) -> bool {
    matches!(expression, Bound::Literal(literal) if matches!(literal.value, Value::Null))
}
