//! Groupings.

use hypostyle_engine::plan::{AggregateCall, Expression as Bound};
use hypostyle_functions::{Literal, Type, Value};
use hypostyle_planner::logical::{Column, Computed, GroupingSets, Relation};

use crate::data_type::{self, same_shape};
use crate::error::{Error, Result};
use crate::function::{self, Origin};
use crate::message::expression::{AggregateFunction, FunctionOption};
use crate::message::relation::{Aggregate, Measure};

use super::expression::Scope;
use super::{Reader, Rows};

/// `AGGREGATION_PHASE_INITIAL_TO_RESULT`; producers that know no phases leave it out.
const PHASES: [i32; 2] = [0, 3];
/// `AGGREGATION_INVOCATION_DISTINCT`.
const DISTINCT: i32 = 2;

impl Reader<'_> {
    pub(super) fn aggregate(&mut self, aggregate: &Aggregate) -> Result<Rows> {
        let mut rows = self.input(aggregate.input.as_deref())?;
        let mut scope = Scope::over(&rows.columns, Some(&mut rows.relation));
        let (expressions, sets) = self.groupings(aggregate, &mut scope)?;
        let mut calls: Vec<(Column, AggregateCall)> = Vec::with_capacity(aggregate.measures.len());
        let mut casts = Vec::with_capacity(aggregate.measures.len());
        for measure in &aggregate.measures {
            let (call, to) = self.measure(measure, &mut scope)?;
            calls.push((self.builder.column(call.function.clone(), call.data_type.clone()), call));
            casts.push(to);
        }
        let mut keys: Vec<Computed> = Vec::with_capacity(expressions.len());
        for expression in expressions {
            let column = self.builder.column(name_of(&expression, &rows.columns), expression.data_type());
            keys.push(Computed { column, expression });
        }
        let is_numbered = sets.len() > 1;
        let id = is_numbered.then(|| self.builder.column("grouping", Type::Int64));
        let number = match &id {
            Some(id) => Some(self.set_number(id, &sets, keys.len())?),
            None => None,
        };
        let mut columns: Vec<Column> = keys.iter().map(|key| key.column.clone()).collect();
        columns.extend(calls.iter().map(|(column, _)| column.clone()));
        let relation = Relation::Aggregate {
            input: Box::new(rows.relation),
            keys,
            sets: id.map(|id| GroupingSets { sets, id }),
            aggregates: calls,
        };
        if number.is_none() && casts.iter().all(Option::is_none) {
            return Ok(Rows { relation, columns });
        }
        let keys = columns.len() - casts.len();
        let wanted = std::iter::repeat_n(None, keys).chain(casts);
        let mut computed: Vec<(String, Bound)> = Vec::with_capacity(columns.len() + 1);
        for (column, to) in columns.into_iter().zip(wanted) {
            let value = match &to {
                Some(to) => self.builder.cast(column.read(), to, false),
                None => column.read(),
            };
            computed.push((column.name, value));
        }
        computed.extend(number.map(|number| ("grouping".to_owned(), number)));
        let (relation, columns) = self.builder.project(relation, computed);
        Ok(Rows { relation, columns })
    }

    /// The keys, each once, and the sets as positions among them.
    fn groupings(
        &mut self,
        aggregate: &Aggregate,
        scope: &mut Scope<'_>,
    ) -> Result<(Vec<Bound>, Vec<Vec<usize>>)> {
        let mut keys: Vec<Bound> = Vec::new();
        for expression in &aggregate.grouping_expressions {
            keys.push(self.expression(expression, scope)?);
        }
        let mut sets = Vec::with_capacity(aggregate.groupings.len());
        for grouping in &aggregate.groupings {
            let mut set = Vec::with_capacity(grouping.references.len() + grouping.expressions.len());
            for reference in &grouping.references {
                let key = usize::try_from(*reference)
                    .ok()
                    .filter(|key| *key < aggregate.grouping_expressions.len());
                let key = key.ok_or_else(|| {
                    let known = aggregate.grouping_expressions.len();
                    Error::invalid(format!("a grouping refers to expression {reference} of {known}"))
                })?;
                if !set.contains(&key) {
                    set.push(key);
                }
            }
            for expression in &grouping.expressions {
                let key = self.expression(expression, scope)?;
                let position = keys.iter().position(|known| *known == key).unwrap_or_else(|| {
                    keys.push(key);
                    keys.len() - 1
                });
                if !set.contains(&position) {
                    set.push(position);
                }
            }
            sets.push(set);
        }
        if let [set] = sets.as_slice()
            && set.len() < keys.len()
        {
            // Keys that no set has would be null throughout.
            return Err(Error::unsupported("grouping expressions that no grouping refers to"));
        }
        if sets.is_empty() && !keys.is_empty() {
            return Err(Error::unsupported("grouping expressions without a grouping"));
        }
        Ok((keys, sets))
    }

    /// The place of a group's set among all, from the bits of the keys that the set lacks.
    fn set_number(&mut self, id: &Column, sets: &[Vec<usize>], keys: usize) -> Result<Bound> {
        if keys > hypostyle_engine::plan::GROUPING_KEYS_MAX {
            return Err(Error::unsupported(format!("grouping sets over {keys} keys")));
        }
        let mut masks: Vec<i64> = Vec::with_capacity(sets.len());
        let mut branches = Vec::with_capacity(sets.len());
        for (number, set) in (0i32..).zip(sets) {
            let lacking = (0..keys).filter(|key| !set.contains(key));
            let mask = lacking.fold(0i64, |mask, key| mask | (1 << (keys - 1 - key)));
            if masks.contains(&mask) {
                return Err(Error::unsupported("a grouping set that stands twice"));
            }
            masks.push(mask);
            let mask = Bound::Literal(Literal::new(Value::Int64(mask)));
            let number = Bound::Literal(Literal::new(Value::Int32(number)));
            branches.push((self.builder.call("=", vec![id.read(), mask])?, number));
        }
        Ok(Bound::Case { branches, otherwise: None, data_type: Type::Int32 })
    }

    fn measure(&mut self, measure: &Measure, scope: &mut Scope<'_>) -> Result<(AggregateCall, Option<Type>)> {
        let function = measure.measure.as_ref().ok_or_else(|| Error::missing("function of a measure"))?;
        let (mut call, to) = self.aggregate_call(function, scope)?;
        if let Some(filter) = &measure.filter {
            call.filter = Some(self.condition(filter, scope)?);
        }
        Ok((call, to))
    }

    /// A call, and the type that the plan takes its result for if that is another.
    pub(super) fn aggregate_call(
        &mut self,
        function: &AggregateFunction,
        scope: &mut Scope<'_>,
    ) -> Result<(AggregateCall, Option<Type>)> {
        if !PHASES.contains(&function.phase) {
            return Err(Error::unsupported("an aggregate in several phases"));
        }
        let (names, mut arguments) = self.arguments(&function.arguments, &function.args, scope)?;
        let (origin, written) = self.function_name(function.reference)?;
        let name = self.aggregate_name(origin, &written, &names, &function.options)?;
        let known = self.context.registry.aggregate(&name).cloned();
        if written == "count" && arguments.len() > 1 {
            return Err(Error::unsupported("count of several columns"));
        }
        if name == "count" && function.invocation != DISTINCT && arguments.iter().all(is_constant) {
            // A constant that is not null counts every row.
            arguments
                .retain(|argument| matches!(argument, Bound::Literal(literal) if literal.value.is_null()));
        }
        let mut call = self.builder.aggregate(&name, arguments)?;
        let (is_ordered, ignores_duplicates) =
            known.map_or((false, false), |known| (known.order_sensitive, known.ignores_duplicates));
        let one = call.arguments.len() == 1;
        call.distinct =
            function.invocation == DISTINCT && !call.arguments.is_empty() && !(ignores_duplicates && one);
        if is_ordered {
            call.order = self.sort_keys(&function.sorts, scope)?;
        }
        let declared = match &function.output_type {
            Some(declared) => Some(data_type::read(declared, &self.types)?),
            None => None,
        };
        let to = declared.filter(|to| *to != Type::Null && !same_shape(to, &call.data_type));
        Ok((call, to))
    }

    fn aggregate_name(
        &self,
        origin: Origin,
        written: &str,
        names: &[String],
        options: &[FunctionOption],
    ) -> Result<String> {
        if origin == Origin::Own {
            return Ok(written.to_owned());
        }
        let is_population = || {
            let preferences =
                options.iter().filter(|option| option.name.eq_ignore_ascii_case("distribution"));
            let mut words = preferences.flat_map(|option| &option.preference).chain(names);
            words.any(|word| word.eq_ignore_ascii_case("POPULATION"))
        };
        match written {
            "std_dev" => return Ok(if is_population() { "stddev_pop" } else { "stddev_samp" }.to_owned()),
            "variance" => return Ok(if is_population() { "var_pop" } else { "var_samp" }.to_owned()),
            _ => {}
        }
        if let Some(ours) = function::ours_of_aggregate(written) {
            return Ok(ours.to_owned());
        }
        match origin == Origin::Unknown && self.context.registry.aggregate(written).is_some() {
            true => Ok(written.to_owned()),
            false => Err(Error::unsupported(format!("aggregate function {written}"))),
        }
    }
}

fn is_constant(argument: &Bound) -> bool {
    matches!(argument, Bound::Literal(_))
}

/// The name of a key that is a column.
fn name_of(expression: &Bound, columns: &[Column]) -> String {
    let name = match expression {
        Bound::Column { index, .. } => columns.iter().find(|column| column.id == *index),
        _ => None,
    };
    name.map_or(String::new(), |column| column.name.clone())
}
