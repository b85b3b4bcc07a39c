//! Single calls of functions, for hosts that evaluate expressions themselves: bound once to the types and constants of their
//! arguments, with the prepared state of the function, and called with columns.

use std::sync::Arc;

use hypostyle_engine::expression::{Evaluator, ExpressionSet, evaluate_constant};
use hypostyle_engine::plan::Expression;
use hypostyle_engine::{Batch, Context};
use hypostyle_functions::aggregate::BoundAggregate;
use hypostyle_functions::column::Column;
use hypostyle_functions::scalar::{Arguments, Volatility};
use hypostyle_functions::signature::{Fit, Given, Signature};
use hypostyle_functions::types::{Field, Schema, Type};
use hypostyle_functions::value::{Literal, Value};
use hypostyle_functions::{Error as FunctionError, Place};

use crate::error::{Error, Result};
use crate::session::Session;

/// An argument as a host knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallArgument {
    /// Type of its values.
    pub data_type: Type,
    /// The value, if it is constant in the host's plan.
    pub constant: Option<Value>,
}

impl CallArgument {
    /// An argument with a value for each row.
    pub fn column(data_type: Type) -> Self {
        Self { data_type, constant: None }
    }

    /// An argument with one value.
    pub fn constant(literal: Literal) -> Self {
        Self { data_type: literal.data_type, constant: Some(literal.value) }
    }

    /// Constant numbers and texts adapt to what the function takes, as those in SQL do.
    fn given(&self) -> Given<'_> {
        match &self.constant {
            Some(Value::Text(_)) => Given::TextLiteral,
            Some(value) if self.data_type.is_integer() => match value.as_i64() {
                Some(number) => Given::IntegerLiteral(&self.data_type, number.into()),
                None => Given::Typed(&self.data_type),
            },
            _ => Given::Typed(&self.data_type),
        }
    }
}

/// A call of a scalar function. Immutable; any number of threads make evaluators of it.
///
/// ```
/// use hypostyle::column::Column;
/// use hypostyle::function_call::CallArgument;
/// use hypostyle::{Literal, Session, Type, Value};
/// # use hypostyle::arrow::array::{AsArray, Float64Array};
/// # use hypostyle::arrow::datatypes::Float64Type;
/// let digits = CallArgument::constant(Literal::new(Value::from(1i64)));
/// let call = Session::new().scalar_call("round", &[CallArgument::column(Type::Float64), digits])?;
/// let prices = Column::Flat(std::sync::Arc::new(Float64Array::from(vec![1.26, 2.0])));
/// let rounded = call.evaluator()?.evaluate(vec![prices, Column::nulls(&Type::Int64, 2)], 2)?.to_array()?;
/// assert_eq!(rounded.as_primitive::<Float64Type>().values(), &[1.3, 2.0]);
/// # Ok::<(), hypostyle::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ScalarCall {
    set: Arc<ExpressionSet>,
    result: Type,
    volatility: Volatility,
}

impl ScalarCall {
    /// Type of the result.
    pub fn result(&self) -> &Type {
        &self.result
    }

    /// Whether equal arguments give equal results.
    pub fn volatility(&self) -> Volatility {
        self.volatility
    }

    /// An evaluator for one thread at a time.
    ///
    /// # Errors
    /// None of a call that was bound.
    pub fn evaluator(&self) -> Result<CallEvaluator> {
        Ok(CallEvaluator { evaluator: Evaluator::new(Arc::clone(&self.set), &[])? })
    }
}

/// Evaluates a call, and keeps its buffers from batch to batch.
pub struct CallEvaluator {
    evaluator: Evaluator,
}

impl CallEvaluator {
    /// The results for columns of one length, an argument each, in the types that the call was bound to; what stands in place of
    /// a constant is not looked at.
    ///
    /// # Errors
    /// The error of the first row that fails.
    pub fn evaluate(&mut self, arguments: Vec<Column>, rows: usize) -> Result<Column> {
        let mut columns =
            self.evaluator.evaluate(&Batch { columns: arguments, rows, position: Default::default() })?;
        columns.pop().ok_or_else(|| internal("a call without a result"))
    }
}

impl std::fmt::Debug for CallEvaluator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallEvaluator").field("set", self.evaluator.set()).finish_non_exhaustive()
    }
}

/// A call of an aggregate: what makes its accumulators, and what brings arguments to the types that they take.
#[derive(Debug, Clone)]
pub struct AggregateCall {
    bound: BoundAggregate,
    casts: Arc<ExpressionSet>,
    types: Vec<Type>,
    is_order_sensitive: bool,
    ignores_duplicates: bool,
}

impl AggregateCall {
    /// The aggregate bound to its arguments.
    pub fn bound(&self) -> &BoundAggregate {
        &self.bound
    }

    /// Types of the arguments that accumulators are given.
    pub fn types(&self) -> &[Type] {
        &self.types
    }

    /// True if the result depends on the order of the rows.
    pub fn is_order_sensitive(&self) -> bool {
        self.is_order_sensitive
    }

    /// True if DISTINCT changes nothing.
    pub fn ignores_duplicates(&self) -> bool {
        self.ignores_duplicates
    }

    /// What casts the arguments, for one thread at a time.
    ///
    /// # Errors
    /// None of a call that was bound.
    pub fn casts(&self) -> Result<ArgumentCasts> {
        Ok(ArgumentCasts { evaluator: Evaluator::new(Arc::clone(&self.casts), &[])? })
    }
}

/// Brings the arguments of an aggregate to the types that it takes.
pub struct ArgumentCasts {
    evaluator: Evaluator,
}

impl ArgumentCasts {
    /// Columns of [`AggregateCall::types`], of columns in the types that the call was bound to.
    ///
    /// # Errors
    /// The first value that does not fit.
    pub fn cast(&mut self, arguments: Vec<Column>, rows: usize) -> Result<Vec<Column>> {
        Ok(self.evaluator.evaluate(&Batch { columns: arguments, rows, position: Default::default() })?)
    }
}

impl std::fmt::Debug for ArgumentCasts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArgumentCasts").field("set", self.evaluator.set()).finish_non_exhaustive()
    }
}

impl Session {
    /// Binds a scalar function to arguments. Quoted and whole constants adapt to its parameters, and parameters with a default may be
    /// left out, as in SQL.
    ///
    /// # Errors
    /// No function of this name, none that takes these arguments, or a constant that it refuses.
    pub fn scalar_call(&self, name: &str, arguments: &[CallArgument]) -> Result<ScalarCall> {
        let context = self.context();
        let function = context.registry.scalar(name).cloned();
        let function = function.ok_or_else(|| context.registry.unknown(name))?;
        let forms: Vec<&Signature> = function.overloads.iter().map(|overload| &overload.signature).collect();
        let all = with_defaults(arguments, &forms);
        let given: Vec<Given<'_>> = all.iter().map(CallArgument::given).collect();
        let (overload, fit) = function.resolve(&given)?;
        let bound = Coerced::new(&all, arguments.len(), &fit, &context)?;
        let result = (overload.bind)(&bound.surroundings(&function.name, &context))?.result;
        let call = Expression::Call {
            function: function.name.clone(),
            version: function.version,
            arguments: bound.expressions,
            data_type: result.clone(),
            place: Place::NONE,
        };
        let set = ExpressionSet::compile(&[call], &columns(arguments), &context)?;
        Ok(ScalarCall { set, result, volatility: function.volatility })
    }

    /// Binds an aggregate to arguments. Constants keep their types where a form takes them as they are, and adapt where none does.
    ///
    /// # Errors
    /// As [`Session::scalar_call`].
    pub fn aggregate_call(&self, name: &str, arguments: &[CallArgument]) -> Result<AggregateCall> {
        let context = self.context();
        let function = context.registry.aggregate(name).cloned();
        let function = function.ok_or_else(|| context.registry.unknown(name))?;
        let forms: Vec<&Signature> = function.overloads.iter().map(|overload| &overload.signature).collect();
        let all = with_defaults(arguments, &forms);
        let typed: Vec<Given<'_>> = all.iter().map(|argument| Given::Typed(&argument.data_type)).collect();
        let (overload, fit) = match function.resolve(&typed) {
            Ok(found) => found,
            Err(_) => {
                let adapting: Vec<Given<'_>> = all.iter().map(CallArgument::given).collect();
                function.resolve(&adapting)?
            }
        };
        let bound = Coerced::new(&all, arguments.len(), &fit, &context)?;
        let aggregate = (overload.bind)(&bound.surroundings(&function.name, &context))?;
        Ok(AggregateCall {
            bound: aggregate,
            casts: ExpressionSet::compile(&bound.expressions, &columns(arguments), &context)?,
            types: fit.types,
            is_order_sensitive: function.order_sensitive,
            ignores_duplicates: function.ignores_duplicates,
        })
    }
}

/// Arguments in the types of a form.
struct Coerced {
    expressions: Vec<Expression>,
    types: Vec<Type>,
    constants: Vec<Option<Literal>>,
}

impl Coerced {
    /// The first `given` arguments are columns or constants of the host, the others defaults.
    fn new(arguments: &[CallArgument], given: usize, fit: &Fit, context: &Arc<Context>) -> Result<Self> {
        let mut expressions = Vec::with_capacity(arguments.len());
        for (position, (argument, to)) in arguments.iter().zip(&fit.types).enumerate() {
            let expression = match &argument.constant {
                Some(value) => Expression::Literal(Literal {
                    data_type: argument.data_type.clone(),
                    value: value.clone(),
                }),
                None if position < given => Expression::column(position, argument.data_type.clone()),
                None => return Err(internal("a default without a value")),
            };
            expressions.push(match (expression.data_type() == *to, expression) {
                (true, same) => same,
                (false, constant @ Expression::Literal(_)) => {
                    Expression::Literal(evaluate_constant(&Expression::cast(constant, to.clone()), context)?)
                }
                (false, column) => Expression::cast(column, to.clone()),
            });
        }
        let constants = expressions.iter().map(|expression| match expression {
            Expression::Literal(literal) => Some(literal.clone()),
            _ => None,
        });
        Ok(Self { constants: constants.collect(), expressions, types: fit.types.clone() })
    }

    fn surroundings<'a>(&'a self, function: &'a str, context: &'a Context) -> Arguments<'a> {
        Arguments { function, types: &self.types, constants: &self.constants, settings: &context.settings }
    }
}

/// The arguments, and the defaults of those that were left out if no form takes as many as there are.
fn with_defaults(arguments: &[CallArgument], forms: &[&Signature]) -> Vec<CallArgument> {
    let mut all = arguments.to_vec();
    if forms.iter().any(|form| form.is_variadic || form.parameters.len() == all.len()) {
        return all;
    }
    let defaults = forms.iter().find_map(|form| {
        let left_out = form.parameters.get(arguments.len()..)?;
        left_out.iter().map(|parameter| parameter.default.clone()).collect::<Option<Vec<_>>>()
    });
    all.extend(defaults.into_iter().flatten().map(CallArgument::constant));
    all
}

/// The input of the expressions: a column for each argument, also where it is constant.
fn columns(arguments: &[CallArgument]) -> Schema {
    let fields = arguments.iter().enumerate();
    Schema::new(
        fields
            .map(|(position, argument)| Field::new(position.to_string(), argument.data_type.clone()))
            .collect(),
    )
}

fn internal(problem: &str) -> Error {
    Error::from(FunctionError::internal(problem))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray, Int64Array, StringViewArray};
    use arrow::datatypes::Float64Type;
    use hypostyle_functions::column::Output;

    use super::*;

    fn texts(values: &[Option<&str>]) -> Column {
        Column::Flat(Arc::new(StringViewArray::from(values.to_vec())))
    }

    #[test]
    fn whole_constants_adapt_and_defaults_stand_in() {
        let session = Session::new();
        let column = CallArgument::column(Type::Text);
        let length = CallArgument::constant(Literal::new(Value::Int64(2)));
        let call = session.scalar_call("left", &[column, length]).unwrap();
        let given = vec![texts(&[Some("abc"), None]), Column::nulls(&Type::Int64, 2)];
        let result = call.evaluator().unwrap().evaluate(given, 2).unwrap().to_array().unwrap();
        assert_eq!(result.as_string_view().value(0), "ab");
        assert!(result.is_null(1));
        assert_eq!(call.volatility(), Volatility::Immutable);
    }

    #[test]
    fn what_is_wrong_with_a_call_is_said_while_binding() {
        let session = Session::new();
        let unknown = session.scalar_call("uper", &[CallArgument::column(Type::Text)]).unwrap_err();
        assert!(unknown.to_string().contains("did you mean \"upper\""), "{unknown}");
        let pattern = CallArgument::constant(Literal::new(Value::text("(")));
        let refused = session.scalar_call("regexp_matches", &[CallArgument::column(Type::Text), pattern]);
        assert!(refused.unwrap_err().to_string().contains("argument 2"));
    }

    #[test]
    fn a_row_that_fails_is_the_error_of_its_batch() {
        let call = Session::new();
        let call = call.scalar_call("chr", &[CallArgument::column(Type::Int32)]).unwrap();
        let given = Column::Flat(Arc::new(arrow::array::Int32Array::from(vec![65, -1])));
        let error = call.evaluator().unwrap().evaluate(vec![given], 2).unwrap_err();
        assert!(error.to_string().contains("-1"), "{error}");
    }

    #[test]
    fn arguments_of_aggregates_are_cast_and_states_accumulate() {
        let session = Session::new();
        let half = CallArgument::constant(Literal::new(Value::from(0.5)));
        let call =
            session.aggregate_call("quantile_cont", &[CallArgument::column(Type::Int64), half]).unwrap();
        let values = Column::Flat(Arc::new(Int64Array::from(vec![1, 2])));
        let cast = call.casts().unwrap().cast(vec![values, Column::nulls(&Type::Float64, 2)], 2).unwrap();
        let arena = bumpalo::Bump::new();
        let views: Vec<_> =
            cast.iter().zip(call.types()).map(|(column, data_type)| column.view(data_type, &arena)).collect();
        let mut accumulator = (call.bound().make)();
        accumulator.resize(1);
        let rows = hypostyle_functions::column::Rows::All(2);
        accumulator.update(&views, rows, &[0, 0], 0).unwrap();
        let mut output = Output::new(call.bound().result.clone());
        output.prepare(1);
        accumulator.finish(&[0], &mut output).unwrap();
        let result = output.freeze().unwrap();
        assert_eq!(result.as_primitive::<Float64Type>().value(0), 1.5);
        let count = session.aggregate_call("count", &[CallArgument::column(Type::Int64)]).unwrap();
        assert_eq!(count.bound().of_no_rows().unwrap().value.as_i64(), Some(0));
        assert!(!count.is_order_sensitive());
    }
}
