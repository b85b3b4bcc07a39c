//! Groupings.

use hypostyle_engine::plan::{AggregateCall, Expression as Bound};
use hypostyle_functions::{Literal, Type, Value};
use hypostyle_planner::logical::{Column, Computed, GroupingSets};

use crate::data_type;
use crate::error::{Error, Result};
use crate::function;
use crate::message::expression::AggregateFunction;
use crate::message::relation::{Aggregate, Grouping, Measure, RelKind};

use super::expression::Scope;
use super::{Writer, Written};

/// `AGGREGATION_PHASE_INITIAL_TO_RESULT`.
pub(super) const WHOLE: i32 = 3;
/// `AGGREGATION_INVOCATION_ALL` and `AGGREGATION_INVOCATION_DISTINCT`.
const ALL: i32 = 1;
const DISTINCT: i32 = 2;

impl Writer<'_> {
    pub(super) fn aggregate(
        &mut self,
        input: Written,
        keys: &[Computed],
        sets: Option<&GroupingSets>,
        aggregates: &[(Column, AggregateCall)],
    ) -> Result<Written> {
        if let Some(sets) = sets
            && has_twice(sets)
        {
            return Err(Error::unsupported("a grouping set that stands twice"));
        }
        let scope = Scope::new(input.positions());
        let expressions = keys.iter().map(|key| self.expression(&key.expression, &scope));
        let grouping_expressions = expressions.collect::<Result<_>>()?;
        let all: Vec<usize> = (0..keys.len()).collect();
        let groupings = sets
            .map_or_else(|| vec![grouping(&all)], |sets| sets.sets.iter().map(|set| grouping(set)).collect());
        let mut measures = Vec::with_capacity(aggregates.len());
        for (_, call) in aggregates {
            let filter = call.filter.as_ref().map(|filter| self.expression(filter, &scope)).transpose()?;
            measures.push(Measure { measure: Some(self.aggregate_function(call, &scope)?), filter });
        }
        let mut columns: Vec<usize> = keys.iter().map(|key| key.column.id).collect();
        columns.extend(aggregates.iter().map(|(column, _)| column.id));
        let is_numbered = groupings.len() > 1;
        if let (Some(sets), true) = (sets, is_numbered) {
            columns.push(sets.id.id);
        }
        let message = Aggregate {
            common: None,
            input: Some(Box::new(input.rel)),
            groupings,
            measures,
            grouping_expressions,
        };
        let written = Written::new(RelKind::Aggregate(Box::new(message)), columns);
        match sets {
            Some(sets) => self.with_masks(written, keys.len(), sets, is_numbered),
            None => Ok(written),
        }
    }

    /// The format numbers grouping sets by their place; here a set's number has a bit for each key that it lacks.
    fn with_masks(
        &mut self,
        input: Written,
        keys: usize,
        sets: &GroupingSets,
        is_numbered: bool,
    ) -> Result<Written> {
        let place = Bound::column(sets.id.id, Type::Int32);
        let constant = |value: Value| Bound::Literal(Literal::new(value));
        let mask = match (is_numbered, sets.sets.first()) {
            (false, Some(set)) => constant(Value::Int64(mask(set, keys))),
            _ => {
                let numbered = (0i32..).zip(&sets.sets);
                let branches = numbered.map(|(number, set)| {
                    let number = constant(Value::Int32(number));
                    let is_set = Bound::call("=", vec![place.clone(), number], Type::Boolean);
                    (is_set, constant(Value::Int64(mask(set, keys))))
                });
                Bound::Case { branches: branches.collect(), otherwise: None, data_type: Type::Int64 }
            }
        };
        let mut columns: Vec<Computed> = Vec::with_capacity(input.columns.len());
        for id in input.columns.iter().filter(|id| **id != sets.id.id) {
            // Types of columns that are passed on are not looked at.
            let column = Column { id: *id, name: String::new(), data_type: Type::Null };
            columns.push(Computed::passed(column));
        }
        columns.push(Computed { column: sets.id.clone(), expression: mask });
        self.project(input, &columns)
    }

    /// A call without its filter.
    pub(super) fn aggregate_function(
        &mut self,
        call: &AggregateCall,
        scope: &Scope,
    ) -> Result<AggregateFunction> {
        let types: Vec<Type> = call.arguments.iter().map(Bound::data_type).collect();
        let (extension, name) = function::aggregate(&call.function, &types);
        let name = if name.is_empty() { call.function.as_str() } else { name };
        Ok(AggregateFunction {
            reference: self.declarations.function(extension, name, &types),
            args: Vec::new(),
            sorts: self.sort_fields(&call.order, scope)?,
            phase: WHOLE,
            output_type: Some(data_type::write(&call.data_type, &mut self.declarations)),
            invocation: if call.distinct { DISTINCT } else { ALL },
            arguments: self.arguments(&call.arguments, scope)?,
            options: Vec::new(),
        })
    }
}

/// True if two sets have the same keys: groups of both have one number here, and two in the format.
fn has_twice(sets: &GroupingSets) -> bool {
    let same = |left: &[usize], right: &[usize]| {
        left.iter().all(|key| right.contains(key)) && right.iter().all(|key| left.contains(key))
    };
    let mut pairs = sets.sets.iter().enumerate();
    pairs.any(|(place, set)| sets.sets.iter().take(place).any(|before| same(before, set)))
}

fn grouping(keys: &[usize]) -> Grouping {
    let references = keys.iter().map(|key| u32::try_from(*key).unwrap_or(u32::MAX)).collect();
    Grouping { expressions: Vec::new(), references }
}

/// One bit for each key that a set lacks, the last key lowest.
fn mask(set: &[usize], keys: usize) -> i64 {
    let lacking = (0..keys).filter(|key| !set.contains(key));
    lacking.fold(0, |mask, key| mask | (1 << (keys - 1 - key)))
}
