//! Plans from parts that have types already: what a planner other than the one of SQL makes its plans of.
//!
//! A [`Builder`] finds tables and functions by name as SQL does, brings arguments to the types that functions take, and
//! makes the relations that SQL has words for. What comes out is rewritten and lowered like every other query.

use std::sync::Arc;

use hypostyle_engine::Context;
use hypostyle_engine::plan::{AggregateCall, Expression, JoinKind, Plan, TableReference};
use hypostyle_functions::scalar::Arguments;
use hypostyle_functions::signature::{Given, Signature};
use hypostyle_functions::window::WindowKind;
use hypostyle_functions::{Literal, Place, Type};

use crate::bind::{Binder, Parameter, distinct_rows, folded, split_keys};
use crate::definitions::Definitions;
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Join, Relation, SharedRows, conjuncts};
use crate::lower::lower;
use crate::rewrite;
use crate::rewrite::decorrelate::Decorrelator;
use crate::span::Span;
use crate::tree::SetOperator;

/// Makes relations and expressions over a session's tables and functions.
pub struct Builder<'a> {
    context: &'a Arc<Context>,
    binder: Binder<'a>,
}

impl<'a> Builder<'a> {
    /// A builder over these.
    pub fn new(context: &'a Arc<Context>, definitions: &'a Definitions) -> Self {
        Self { context, binder: Binder::new(context, definitions) }
    }

    /// A column that is in no other relation.
    pub fn column(&mut self, name: impl Into<String>, data_type: Type) -> Column {
        self.binder.new_column(name, data_type)
    }

    /// A number for a parameter of a lambda.
    pub fn variable(&mut self) -> u32 {
        self.binder.new_variable()
    }

    /// All columns of a table or view.
    ///
    /// # Errors
    /// No table or view of this name.
    pub fn table(&mut self, name: &str) -> Result<Relation> {
        self.binder.table_or_view(name)
    }

    /// All columns of what a table function gives.
    ///
    /// # Errors
    /// No function of this name, or what it reports.
    pub fn table_function(&mut self, reference: TableReference) -> Result<Relation> {
        self.binder.scan_reference(reference, Span::NONE)
    }

    /// A scalar function applied to arguments, which are cast to what it takes. A lambda's parameters have types already.
    ///
    /// # Errors
    /// No function of this name, or none that takes these arguments.
    pub fn call(&mut self, name: &str, arguments: Vec<Expression>) -> Result<Expression> {
        let Some(function) = self.context.registry.scalar(name).cloned() else {
            return Err(Error::from(self.context.registry.unknown(name)));
        };
        let forms: Vec<&Signature> = function.overloads.iter().map(|overload| &overload.signature).collect();
        let arguments = with_defaults(arguments, &forms);
        let types: Vec<Type> = arguments.iter().map(Expression::data_type).collect();
        let given: Vec<Given<'_>> = arguments.iter().zip(&types).map(given).collect();
        let (overload, fit) = function.resolve(&given)?;
        let mut types = Vec::with_capacity(arguments.len());
        let mut cast = Vec::with_capacity(arguments.len());
        for (argument, to) in arguments.into_iter().zip(&fit.types) {
            let argument = match argument {
                lambda @ Expression::Lambda { .. } => lambda,
                value => self.cast(value, to, false),
            };
            types.push(argument.data_type());
            cast.push(argument);
        }
        let constants: Vec<Option<Literal>> = cast.iter().map(constant).collect();
        let settings = &self.context.settings;
        let surroundings =
            Arguments { function: &function.name, types: &types, constants: &constants, settings };
        let bound = (overload.bind)(&surroundings)?;
        let call = Expression::Call {
            function: function.name.clone(),
            version: function.version,
            arguments: cast,
            data_type: bound.result,
            place: Place::NONE,
        };
        Ok(folded(call, &function, self.context))
    }

    /// The expression as `to`; of a constant its value, unless the cast fails, which it then does where a row uses it.
    pub fn cast(&mut self, expression: Expression, to: &Type, is_try: bool) -> Expression {
        match (expression.data_type() == *to, expression) {
            (true, same) => same,
            (false, Expression::Literal(null)) if null.value.is_null() => {
                Expression::Literal(Literal::null(to.clone()))
            }
            (false, other) => self.binder.cast_leniently(other, to, is_try, Span::NONE),
        }
    }

    /// Casts all expressions to the type that they have in common.
    ///
    /// # Errors
    /// They have none; `what` says where they meet.
    pub fn unified(&mut self, expressions: Vec<Expression>, what: &str) -> Result<(Vec<Expression>, Type)> {
        self.binder.unified(expressions, what)
    }

    /// A call of an aggregate over arguments, which are cast to what it takes; every row counts, in no order.
    ///
    /// # Errors
    /// No aggregate of this name, or none that takes these arguments.
    pub fn aggregate(&mut self, name: &str, arguments: Vec<Expression>) -> Result<AggregateCall> {
        let Some(function) = self.context.registry.aggregate(name).cloned() else {
            return Err(Error::from(self.context.registry.unknown(name)));
        };
        let forms: Vec<&Signature> = function.overloads.iter().map(|overload| &overload.signature).collect();
        let arguments = with_defaults(arguments, &forms);
        let types: Vec<Type> = arguments.iter().map(Expression::data_type).collect();
        let given: Vec<Given<'_>> = types.iter().map(Given::Typed).collect();
        let (overload, fit) = function.resolve(&given)?;
        let arguments: Vec<Expression> = arguments
            .into_iter()
            .zip(&fit.types)
            .map(|(argument, to)| self.cast(argument, to, false))
            .collect();
        let constants: Vec<Option<Literal>> = arguments.iter().map(constant).collect();
        let settings = &self.context.settings;
        let surroundings =
            Arguments { function: &function.name, types: &fit.types, constants: &constants, settings };
        let data_type = (overload.bind)(&surroundings)?.result;
        Ok(AggregateCall {
            function: function.name.clone(),
            version: function.version,
            arguments,
            distinct: false,
            filter: None,
            order: Vec::new(),
            phase: Default::default(),
            data_type,
        })
    }

    /// What the window function of this name gives, with its arguments cast and those that were left out; `None` if there
    /// is no window function of this name that is no aggregate.
    ///
    /// # Errors
    /// It does not take these arguments.
    pub fn window_function(
        &mut self,
        name: &str,
        mut arguments: Vec<Expression>,
    ) -> Result<Option<(WindowKind, Vec<Expression>)>> {
        let Some(function) = self.context.registry.window(name).cloned() else { return Ok(None) };
        arguments = with_defaults(arguments, &[&function.signature]);
        let types: Vec<Type> = arguments.iter().map(Expression::data_type).collect();
        let given: Vec<Given<'_>> = types.iter().map(Given::Typed).collect();
        let Ok(fit) = function.signature.fit(&given) else {
            let taken = types.iter().map(Type::to_string).collect::<Vec<_>>().join(", ");
            return Err(Error::invalid(format!("{name} does not take ({taken})"), Span::NONE));
        };
        let mut cast: Vec<Expression> = arguments
            .into_iter()
            .zip(&fit.types)
            .map(|(argument, to)| self.cast(argument, to, false))
            .collect();
        if let [value, _, _] = cast.as_slice() {
            // The default is a value like the others.
            let to = value.data_type();
            if let Some(default) = cast.pop() {
                cast.push(self.cast(default, &to, false));
            }
        }
        Ok(Some((function.kind, cast)))
    }

    /// Two relations joined by a condition. The right one may read columns of the left one, as a correlated subquery does.
    ///
    /// # Errors
    /// A right side that reads columns of the left one in a way that has no ordinary join.
    pub fn join(
        &mut self,
        left: Relation,
        right: Relation,
        kind: JoinKind,
        condition: Option<Expression>,
        mark: Option<Column>,
    ) -> Result<Relation> {
        let mut terms = Vec::new();
        if let Some(condition) = condition {
            conjuncts(condition, &mut terms);
        }
        let is_true = |term: &Expression| matches!(term, Expression::Literal(held) if held.value.as_bool() == Some(true));
        terms.retain(|term| !is_true(term));
        let (keys, residual) = split_keys(terms, &left, &right);
        let given: Vec<usize> = left.columns().iter().map(|column| column.id).collect();
        let depends = right.outer_columns().keys().any(|id| given.contains(id));
        let join = Join { left: Box::new(left), right: Box::new(right), kind, keys, residual, mark };
        match depends {
            true => Decorrelator::new(self.binder.numbering(), self.context).dependent_join(join),
            false => Ok(Relation::Join(join)),
        }
    }

    /// The rows of both relations.
    ///
    /// # Errors
    /// Sides of different width, or types that have nothing in common.
    pub fn union(&mut self, left: Relation, right: Relation) -> Result<Relation> {
        self.binder.set_of(left, right, SetOperator::Union, true)
    }

    /// The rows that both relations have: distinct ones, or with `all` as often as both have them.
    ///
    /// # Errors
    /// As [`Builder::union`].
    pub fn intersection(&mut self, left: Relation, right: Relation, all: bool) -> Result<Relation> {
        self.binder.set_of(left, right, SetOperator::Intersect, all)
    }

    /// The rows that only the left relation has: distinct ones, or with `all` as often as it has them more.
    ///
    /// # Errors
    /// As [`Builder::union`].
    pub fn difference(&mut self, left: Relation, right: Relation, all: bool) -> Result<Relation> {
        self.binder.set_of(left, right, SetOperator::Except, all)
    }

    /// Every row once.
    pub fn distinct(&mut self, input: Relation) -> Relation {
        distinct_rows(input)
    }

    /// Columns computed over a relation, with the names they come out under.
    pub fn project(
        &mut self,
        input: Relation,
        columns: Vec<(String, Expression)>,
    ) -> (Relation, Vec<Column>) {
        let computed: Vec<Computed> = columns
            .into_iter()
            .map(|(name, expression)| Computed {
                column: self.column(name, expression.data_type()),
                expression,
            })
            .collect();
        let columns = computed.iter().map(|computed| computed.column.clone()).collect();
        (Relation::Project { input: Box::new(input), columns: computed }, columns)
    }

    /// Reads rows that several readers share; [`Relation::Shared`] gathers them under the same number.
    pub fn shared_rows(&mut self, table: u32, of: &[Column]) -> Relation {
        let columns = of.iter().enumerate();
        let columns = columns
            .map(|(position, column)| (self.column(column.name.clone(), column.data_type.clone()), position))
            .collect();
        Relation::SharedRows(SharedRows { table, columns, rows: 1_000.0 })
    }

    /// The plan of a relation whose columns come out in this order under these names.
    ///
    /// # Errors
    /// None that a relation of this builder's parts gives.
    pub fn plan(mut self, relation: Relation, result: &[Column]) -> Result<Plan> {
        let relation = self.binder.with_shared(relation);
        let relation = rewrite::rewrite(relation, result, self.context);
        lower(&relation, result)
    }
}

/// A parameter by its place, for plans that leave values open.
pub fn parameter(index: usize, data_type: &Type) -> Parameter {
    Parameter { name: (index + 1).to_string(), data_type: data_type.clone() }
}

/// The arguments, and the defaults of those that were left out if no form takes as many as there are.
fn with_defaults(mut arguments: Vec<Expression>, forms: &[&Signature]) -> Vec<Expression> {
    let count = arguments.len();
    if forms.iter().any(|form| form.is_variadic || form.parameters.len() == count) {
        return arguments;
    }
    let defaults = forms.iter().find_map(|form| {
        let left_out = form.parameters.get(count..)?;
        left_out.iter().map(|parameter| parameter.default.clone()).collect::<Option<Vec<_>>>()
    });
    arguments.extend(defaults.into_iter().flatten().map(Expression::Literal));
    arguments
}

fn given<'t>((argument, data_type): (&Expression, &'t Type)) -> Given<'t> {
    match argument {
        Expression::Lambda { parameters, .. } => Given::Lambda(parameters.len()),
        _ => Given::Typed(data_type),
    }
}

fn constant(argument: &Expression) -> Option<Literal> {
    match argument {
        Expression::Literal(literal) => Some(literal.clone()),
        _ => None,
    }
}
