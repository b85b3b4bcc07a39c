//! Aggregates over the elements of each list, by the aggregate functions themselves.

use std::collections::HashMap;
use std::sync::Arc;

use bumpalo::Bump;

use super::elements::Elements;
use super::extract::{any_list, element_of};
use super::total::Total;
use crate::Registry;
use crate::aggregate::{AggregateFunction, AggregateOverload, BoundAggregate};
use crate::cast::bind_cast;
use crate::cast::invoke::invoke;
use crate::column::{Encoding, Output, Rows, View, value_at};
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, OuterRows, ScalarFunction};
use crate::scratch::Scratch;
use crate::signature::{Given, Parameter, Pattern, any, exact, parameter};
use crate::types::Type;
use crate::value::Literal;

/// Aggregates that have a list function of their own, with an example over `[1, 2, 2]` or truth values.
const NAMED: [(&str, &str, &str); 26] = [
    ("sum", "list_sum([1, 2, 2])", "5"),
    ("avg", "list_avg([1, 2, 3])", "2.0"),
    ("min", "list_min([1, 2, 2])", "1"),
    ("max", "list_max([1, 2, 2])", "2"),
    ("count", "list_count([1, NULL, 2])", "2"),
    ("product", "list_product([1, 2, 2])", "4.0"),
    ("median", "list_median([1, 2, 2])", "2.0"),
    ("mode", "list_mode([1, 2, 2])", "2"),
    ("mad", "list_mad([1, 2, 4])", "1.0"),
    ("entropy", "list_entropy([1, 1])", "0.0"),
    ("var_samp", "list_var_samp([1, 2, 3])", "1.0"),
    ("var_pop", "list_var_pop([1, 3])", "1.0"),
    ("stddev_samp", "list_stddev_samp([1, 2, 3])", "1.0"),
    ("stddev_pop", "list_stddev_pop([1, 3])", "1.0"),
    ("sem", "list_sem([1, 3])", "0.7071067811865475"),
    ("skewness", "list_skewness([1, 2, 3])", "0.0"),
    ("kurtosis", "list_kurtosis([1, 2])", "NULL"),
    ("kurtosis_pop", "list_kurtosis_pop([1, 3])", "-2.0"),
    ("bit_and", "list_bit_and([3, 2])", "2"),
    ("bit_or", "list_bit_or([1, 2])", "3"),
    ("bit_xor", "list_bit_xor([1, 3])", "2"),
    ("bool_and", "list_bool_and([true, false])", "false"),
    ("bool_or", "list_bool_or([true, false])", "true"),
    ("string_agg", "list_string_agg(['a', 'b'])", "a,b"),
    ("approx_count_distinct", "list_approx_count_distinct([1, 2, 2])", "2"),
    ("histogram", "list_histogram([1, 2, 2])", "{1=1, 2=2}"),
];

/// Adds the family; the aggregates are those that the registry holds.
pub fn register(registry: &mut Registry) {
    let aggregates: HashMap<String, Arc<AggregateFunction>> = registry
        .aggregates()
        .into_iter()
        .flat_map(|function| names(function).map(|name| (name, Arc::clone(function))))
        .collect();
    for (name, sql, result) in NAMED {
        if let Some(aggregate) = aggregates.get(name) {
            registry.register_scalar(named_function(aggregate, name).example(sql, result));
        }
    }
    let aggregates = Arc::new(aggregates);
    registry.register_scalar(
        ScalarFunction::new(
            "list_aggregate",
            "list",
            "What the aggregate of a name gives for the elements of a list.",
        )
        .alias("array_aggregate")
        .alias("list_aggr")
        .alias("array_aggr")
        .alias("aggregate")
        .variadic([any_list("list"), exact("name", Type::Text), any("argument")], move |arguments| {
            bind_by_name(&aggregates, arguments)
        })
        .note("The name is constant; arguments after it go to the aggregate.")
        .example("list_aggregate([1, 2, 3], 'sum')", "6")
        .example("list_aggregate(['a', 'b'], 'string_agg', '-')", "a-b"),
    );
}

fn names(function: &AggregateFunction) -> impl Iterator<Item = String> {
    function.aliases.iter().cloned().chain([function.name.clone()]).collect::<Vec<_>>().into_iter()
}

fn named_function(aggregate: &AggregateFunction, name: &str) -> ScalarFunction {
    let summary = format!("The aggregate {name} over the elements of a list.");
    let function = ScalarFunction::new(format!("list_{name}"), "list", &summary)
        .note("A null list gives null; an empty one what the aggregate gives for no rows.");
    let name = name.to_owned();
    let forms = aggregate.overloads.iter().filter(|overload| !overload.signature.parameters.is_empty());
    forms.fold(function, |function, overload| {
        let (overload, name) = (overload.clone(), name.clone());
        function.overload(list_parameters(&overload), move |arguments| {
            let mut types = arguments.types.to_vec();
            types[0] = element_of(arguments.types, 0);
            let mut casts = vec![None; types.len()];
            if types[0] == Type::Null {
                // Only nulls: they are of the type that a bare NULL takes.
                types[0] = Type::Int32;
                casts[0] = Some(Arc::new(bind_cast(&Type::Null, &Type::Int32, false, arguments.settings)?));
            }
            let bound = (overload.bind)(&Arguments { types: &types, ..*arguments })?;
            // Other forms of an aggregate, such as the least `n` values, give other results.
            let is_plain = arguments.types.len() == 1;
            let total = if is_plain { Total::of(&name, &element_of(arguments.types, 0)) } else { None };
            Ok(over_lists(bound, casts, total))
        })
    })
}

/// The parameters of an aggregate with a list in the place of the first.
fn list_parameters(overload: &AggregateOverload) -> Vec<Parameter> {
    let mut parameters = overload.signature.parameters.clone();
    if let Some(first) = parameters.first_mut() {
        *first = parameter("list", Pattern::AnyList(Box::new(first.pattern.clone())));
    }
    parameters
}

fn bind_by_name(
    aggregates: &HashMap<String, Arc<AggregateFunction>>,
    arguments: &Arguments<'_>,
) -> Result<Bound> {
    let name = arguments.constant_text(1)?.to_ascii_lowercase();
    let Some(aggregate) = aggregates.get(&name) else {
        return Err(Error::argument(
            arguments.function,
            2,
            format!("is '{name}'; there is no aggregate of that name"),
        ));
    };
    let mut types = vec![element_of(arguments.types, 0)];
    types.extend_from_slice(&arguments.types[2..]);
    let mut constants = vec![None];
    constants.extend_from_slice(&arguments.constants[2..]);
    let defaults = defaults_of(aggregate, types.len());
    types.extend(defaults.iter().map(|default| default.data_type.clone()));
    constants.extend(defaults.into_iter().map(Some));
    let given: Vec<Given<'_>> = types.iter().map(Given::Typed).collect();
    // Aggregates of text take elements of any type as text.
    let as_text: Vec<Given<'_>> =
        [Given::Typed(&Type::Text)].into_iter().chain(given[1..].iter().cloned()).collect();
    let (overload, fit) =
        aggregate.resolve(&given).or_else(|error| aggregate.resolve(&as_text).map_err(|_| error))?;
    let mut casts = Vec::with_capacity(types.len());
    for (from, to) in types.iter().zip(&fit.types) {
        let cast =
            if from == to { None } else { Some(Arc::new(bind_cast(from, to, false, arguments.settings)?)) };
        casts.push(cast);
    }
    for (constant, (cast, to)) in constants.iter_mut().zip(casts.iter().zip(&fit.types)) {
        if let (Some(literal), Some(cast)) = (&constant, cast) {
            *constant = Some(cast_literal(literal, cast, to)?);
        }
    }
    let bound = (overload.bind)(&Arguments {
        function: arguments.function,
        types: &fit.types,
        constants: &constants,
        settings: arguments.settings,
    })?;
    let result = bound.result.clone();
    Ok(Bound::strict(result, move |arguments, rows, output, scratch| {
        let others: Vec<View<'_>> = arguments[..1].iter().chain(&arguments[2..]).copied().collect();
        aggregate_lists(&bound, &casts, &others, rows, output, &scratch.arena)
    }))
}

/// Values of the parameters that are left out, where there is a form with that many.
fn defaults_of(aggregate: &AggregateFunction, given: usize) -> Vec<Literal> {
    let takes = |overload: &&AggregateOverload| overload.signature.parameters.len() >= given;
    let rest = aggregate.overloads.iter().find(takes).and_then(|overload| {
        overload.signature.parameters[given..].iter().map(|parameter| parameter.default.clone()).collect()
    });
    rest.unwrap_or_default()
}

fn cast_literal(literal: &Literal, cast: &Bound, to: &Type) -> Result<Literal> {
    let bump = Bump::new();
    let array = crate::column::literal_array(literal)?;
    let view = crate::column::borrow(&array, &literal.data_type, &bump);
    let mut output = Output::new(to.clone());
    output.prepare(1);
    invoke(cast, &[view], Rows::All(1), &mut output, &mut Scratch::new())?;
    Ok(Literal { data_type: to.clone(), value: value_at(&output.view(&bump), 0) })
}

type Casts = Vec<Option<Arc<Bound>>>;

fn over_lists(bound: BoundAggregate, casts: Casts, total: Option<Total>) -> Bound {
    let result = bound.result.clone();
    Bound::strict(result, move |arguments, rows, output, scratch| {
        if total.is_some_and(|total| total.write(&arguments[0], rows, output, scratch)) {
            return Ok(());
        }
        aggregate_lists(&bound, &casts, arguments, rows, output, &scratch.arena)
    })
}

/// Feeds the elements of all lists to one accumulator, in which each list is a group.
fn aggregate_lists(
    bound: &BoundAggregate,
    casts: &Casts,
    arguments: &[View<'_>],
    rows: Rows<'_>,
    output: &mut Output,
    bump: &Bump,
) -> Result<()> {
    let elements = Elements::of(&arguments[0], rows, bump);
    let count = rows.count();
    let mut columns = vec![elements.values];
    for argument in &arguments[1..] {
        columns.push(repeated(argument, elements.rows(), bump));
    }
    let casted = cast_columns(&columns, casts)?;
    for (column, values) in columns.iter_mut().zip(&casted) {
        if let Some(values) = values {
            *column = values.view(bump);
        }
    }
    let mut groups = Vec::with_capacity(elements.len());
    for (group, row) in rows.iter().enumerate() {
        groups.extend(std::iter::repeat_n(group as u32, arguments[0].list().length(row)));
    }
    let mut accumulator = (bound.make)();
    accumulator.resize(count);
    let valid: Vec<u32>;
    let selected = if bound.strict && columns.iter().any(View::may_be_null) {
        let is_valid = |row: &u32| columns.iter().all(|column| column.is_valid(*row as usize));
        valid = (0..elements.len() as u32).filter(is_valid).collect();
        Rows::Selected(&valid)
    } else {
        Rows::All(elements.len())
    };
    accumulator.update(&columns, selected, &groups, 0)?;
    let all: Vec<u32> = (0..count as u32).collect();
    if let Rows::All(_) = rows {
        return accumulator.finish(&all, output);
    }
    let mut results = Output::new(bound.result.clone());
    results.prepare(count);
    accumulator.finish(&all, &mut results)?;
    let results = results.view(bump);
    rows.iter().enumerate().for_each(|(group, row)| output.copy(row, &results, group));
    Ok(())
}

/// The columns that are cast, each in the place of its argument.
fn cast_columns(columns: &[View<'_>], casts: &Casts) -> Result<Vec<Option<Output>>> {
    let cast = |(column, cast): (&View<'_>, &Option<Arc<Bound>>)| {
        let Some(cast) = cast else { return Ok(None) };
        let mut values = Output::new(cast.result.clone());
        values.prepare(column.length);
        invoke(cast, &[*column], Rows::All(column.length), &mut values, &mut Scratch::new())?;
        match values.errors().first() {
            Some((_, error)) => Err(error.clone()),
            None => Ok(Some(values)),
        }
    };
    columns.iter().zip(casts).map(cast).collect()
}

/// The value of each element's row.
fn repeated<'a>(argument: &View<'a>, outer_rows: &'a [u32], bump: &'a Bump) -> View<'a> {
    let encoding = match argument.encoding {
        Encoding::Constant => Encoding::Constant,
        _ => {
            let places = outer_rows.iter().map(|&row| argument.value_index(row as usize) as u32);
            Encoding::Dictionary { indices: bump.alloc_slice_fill_iter(places), validity: None }
        }
    };
    View { length: outer_rows.len(), encoding, ..*argument }
}
