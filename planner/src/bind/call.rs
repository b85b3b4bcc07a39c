//! Calls of functions: which form takes these arguments, and what they become for it.

use hypostyle_engine::plan::Expression;
use hypostyle_functions::scalar::{Arguments, Overload, ScalarFunction};
use hypostyle_functions::signature::{Fit, Given, Pattern, Signature};
use hypostyle_functions::{Literal, Type};

use crate::bind::frame::{Frame, Variable};
use crate::bind::scope::{Adapts, Bound};
use crate::bind::{Binder, constant, operator};
use crate::error::{Error, ErrorKind, Result};
use crate::nearest::nearest;
use crate::span::Span;
use crate::tree::{self, Argument, Call, ExpressionKind, MacroBody, Name};

/// An argument on its way to a function.
pub(super) enum Operand<'t> {
    /// A value.
    Value(Bound, Span),
    /// A lambda, bound once the types of its parameters are known.
    Lambda(&'t [Name], &'t tree::Expression, Span),
}

impl Operand<'_> {
    pub(super) fn span(&self) -> Span {
        match self {
            Self::Value(_, span) | Self::Lambda(_, _, span) => *span,
        }
    }

    /// True for a parameter that no place has given a type.
    fn is_parameter(&self) -> bool {
        matches!(self, Self::Value(bound, _) if bound.adapts == Adapts::Parameter)
    }

    pub(super) fn data_type(&self) -> Type {
        match self {
            Self::Value(bound, _) => bound.data_type(),
            Self::Lambda(..) => Type::Null,
        }
    }

    pub(super) fn given<'d>(&self, data_type: &'d Type) -> Given<'d> {
        match self {
            Self::Value(bound, _) => bound.given(data_type),
            Self::Lambda(parameters, _, _) => Given::Lambda(parameters.len()),
        }
    }
}

/// What stands at one parameter of a form: an operand by position, or the parameter's default.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Slot {
    Given(usize),
    Default(Literal),
}

/// The form that was chosen, what stands at its parameters, and how it fits.
pub(super) struct Choice {
    pub form: usize,
    pub slots: Vec<Slot>,
    pub fit: Fit,
}

impl Choice {
    /// True if the form asks no type of an operand.
    fn is_untyped(&self, index: usize) -> bool {
        let mut slots = self.slots.iter().zip(&self.fit.types);
        slots.any(|(slot, data_type)| *slot == Slot::Given(index) && *data_type == Type::Null)
    }
}

impl Binder<'_> {
    /// A call as written: special forms, macros, functions, aggregates, in this order.
    pub(super) fn call(&mut self, call: &Call, span: Span, frame: &mut Frame) -> Result<Bound> {
        let name = call.name.text.to_lowercase();
        if let Some(over) = &call.over {
            return self.window_call(call, over, span, frame);
        }
        // The texts of analyzers mean the functions of the library, whatever a session calls its macros.
        let of_analyzer = !self.named_values.is_empty();
        if let Some(definition) = self.definitions.find_macro(&name).filter(|_| !of_analyzer) {
            let definition = std::sync::Arc::clone(definition);
            return self.scalar_macro(&definition, call, span, frame);
        }
        if let Some(analyzer) = self.analyzer_of(call) {
            return self.analyzer_call(&analyzer, call, span, frame);
        }
        match name.as_str() {
            "coalesce" | "ifnull" | "nvl" => return self.coalesce(call, span, frame),
            "nullif" => return self.nullif(call, span, frame),
            "if" | "iff" => return self.if_call(call, span, frame),
            "try" => return self.try_call(call, span, frame),
            "struct_pack" => return self.struct_pack(&call.arguments, span, frame),
            "struct_insert" | "struct_update" => return self.struct_change(&name, call, span, frame),
            "unnest" => return self.unnest(call, span, frame),
            "generate_subscripts" => return self.generate_subscripts(call, span, frame),
            "grouping" | "grouping_id" => return self.grouping_call(call, span, frame),
            "*columns" => {
                let message = "*COLUMNS stands among the arguments of a function, or in a list";
                return Err(Error::invalid(message, span));
            }
            "columns" => return Err(Error::invalid("COLUMNS stands only in a select list", span)),
            _ => {}
        }
        if self.context.registry.aggregate(&name).is_some() || super::aggregate::is_ordered_set(&name) {
            return self.aggregate(call, span, frame);
        }
        let Some(function) = self.context.registry.scalar(&name).cloned() else {
            return Err(match self.context.registry.window(&name) {
                Some(_) => Error::invalid(format!("{name} needs OVER (..) behind it"), span),
                None => self.unknown_function(&call.name),
            });
        };
        if !call.is_plain() {
            let message = format!("{name} is no aggregate: it takes no DISTINCT, FILTER or ORDER BY");
            return Err(Error::invalid(message, span));
        }
        let mut operands = Vec::with_capacity(call.arguments.len());
        for (position, argument) in call.arguments.iter().enumerate() {
            operands.push(self.operand(&function, position, argument, frame)?);
        }
        let names: Vec<Option<&Name>> =
            call.arguments.iter().map(|argument| argument.name.as_ref()).collect();
        self.scalar_call(&function, operands, &names, span, frame)
    }

    pub(super) fn unknown_function(&self, name: &Name) -> Error {
        let macros: Vec<String> =
            self.definitions.macros().map(|definition| definition.name.text.clone()).collect();
        if self.context.catalog.function(&name.text).is_some() {
            let message = format!("\"{}\" is a table function: it stands in FROM", name.text);
            return Error::invalid(message, name.span);
        }
        let known = self.context.registry.names();
        let special = ["coalesce", "ifnull", "nullif", "if", "try", "struct_pack", "unnest"];
        let candidates = known.into_iter().chain(special).chain(macros.iter().map(String::as_str));
        Error::unknown("function", &name.text, nearest(&name.text, candidates), name.span)
    }

    fn operand<'t>(
        &mut self,
        function: &ScalarFunction,
        position: usize,
        argument: &'t Argument,
        frame: &mut Frame,
    ) -> Result<Operand<'t>> {
        if let ExpressionKind::Lambda { parameters, body, .. } = &argument.value.kind {
            let takes_lambda = function.overloads.iter().any(|overload| {
                let parameter = overload.signature.parameter(position);
                parameter.is_some_and(|parameter| matches!(parameter.pattern, Pattern::Lambda(_)))
            });
            if takes_lambda {
                return Ok(Operand::Lambda(parameters, body, argument.value.span));
            }
        }
        Ok(Operand::Value(self.expression(&argument.value, frame)?, argument.value.span))
    }

    /// A function of the registry applied to bound values.
    pub(super) fn apply(&mut self, function: &str, values: Vec<(Bound, Span)>, span: Span) -> Result<Bound> {
        let Some(function) = self.context.registry.scalar(function).cloned() else {
            return Err(self.unknown_function(&Name::new(function, span)));
        };
        let operands: Vec<Operand<'_>> =
            values.into_iter().map(|(bound, place)| Operand::Value(bound, place)).collect();
        let names = vec![None; operands.len()];
        // Without lambdas no frame is looked at.
        let mut frame = Frame::new(std::rc::Rc::default(), super::frame::Clause::Select);
        self.scalar_call(&function, operands, &names, span, &mut frame)
    }

    fn scalar_call(
        &mut self,
        function: &ScalarFunction,
        operands: Vec<Operand<'_>>,
        names: &[Option<&Name>],
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let forms: Vec<&Signature> = function.overloads.iter().map(|overload| &overload.signature).collect();
        let choice = choose(&function.name, &forms, &operands, names, span)?;
        let Some(overload) = function.overloads.get(choice.form) else {
            return Err(Error::internal("a form of a function vanished"));
        };
        let (arguments, types) = self.arguments(overload, choice, operands, span, frame)?;
        let constants: Vec<Option<Literal>> = arguments.iter().map(known).collect();
        let surroundings = Arguments {
            function: &function.name,
            types: &types,
            constants: &constants,
            settings: &self.context.settings,
        };
        let bound = (overload.bind)(&surroundings).map_err(|error| Error::from(error).at(span))?;
        let call = Expression::Call {
            function: function.name.clone(),
            version: function.version,
            arguments,
            data_type: bound.result,
            place: self.place(span),
        };
        Ok(Bound::typed(constant::folded(call, function, self.context)))
    }

    /// Casts values to the form's types, then binds lambdas, whose types follow from the values.
    fn arguments(
        &mut self,
        overload: &Overload,
        choice: Choice,
        operands: Vec<Operand<'_>>,
        span: Span,
        frame: &mut Frame,
    ) -> Result<(Vec<Expression>, Vec<Type>)> {
        let mut operands: Vec<Option<Operand<'_>>> = operands.into_iter().map(Some).collect();
        let mut types = choice.fit.types;
        let mut arguments = Vec::with_capacity(types.len());
        let mut lambdas = Vec::new();
        for (position, slot) in choice.slots.iter().enumerate() {
            let Some(to) = types.get(position) else {
                return Err(Error::internal("an argument without a type"));
            };
            let operand = match slot {
                Slot::Default(literal) => {
                    let bound = Bound::typed(Expression::Literal(literal.clone()));
                    arguments.push(self.cast(bound, to, span)?);
                    continue;
                }
                Slot::Given(index) => operands.get_mut(*index).and_then(Option::take),
            };
            match operand {
                Some(Operand::Value(bound, place)) => arguments.push(self.cast(bound, to, place)?),
                Some(Operand::Lambda(parameters, body, _)) => {
                    lambdas.push((position, parameters, body));
                    arguments.push(Expression::Literal(Literal::null(Type::Null)));
                }
                None => return Err(Error::internal("an argument was taken twice")),
            }
        }
        for (position, parameters, body) in lambdas {
            let Some(lambda_types) = &overload.lambda_types else {
                return Err(Error::internal("a form takes a lambda and does not tell its types"));
            };
            let parameter_types = lambda_types(&types, position, parameters.len())
                .map_err(|error| Error::from(error).at(span))?;
            let lambda = self.lambda(parameters, body, parameter_types, frame)?;
            if let (Some(slot), Some(held)) = (types.get_mut(position), arguments.get_mut(position)) {
                *slot = lambda.data_type();
                *held = lambda;
            }
        }
        Ok((arguments, types))
    }

    fn lambda(
        &mut self,
        parameters: &[Name],
        body: &tree::Expression,
        types: Vec<Type>,
        frame: &mut Frame,
    ) -> Result<Expression> {
        let outer = frame.variables.len();
        let mut numbered = Vec::with_capacity(parameters.len());
        for (name, data_type) in parameters.iter().zip(types) {
            let id = self.new_variable();
            numbered.push((id, data_type.clone()));
            frame.variables.push(Variable { name: name.text.clone(), id, data_type });
        }
        let bound = self.untyped_as_text(body, frame);
        frame.variables.truncate(outer);
        Ok(Expression::Lambda { parameters: numbered, body: Box::new(bound?.expression) })
    }

    /// A macro's body is bound in place of the call, with its parameters standing for the arguments.
    fn scalar_macro(
        &mut self,
        definition: &tree::CreateMacro,
        call: &Call,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let MacroBody::Scalar(body) = &definition.body else {
            return Err(Error::invalid(
                format!("\"{}\" is a table macro: it stands in FROM", call.name.text),
                span,
            ));
        };
        if !call.is_plain() {
            return Err(Error::invalid("a macro takes no DISTINCT, FILTER or ORDER BY", span));
        }
        let arguments = macro_arguments(definition, &call.arguments, span)?;
        self.macro_arguments.push(arguments);
        let bound = self.in_definition(span, |binder| binder.expression(body, frame));
        self.macro_arguments.pop();
        bound.map_err(|error| within("macro", &call.name.text, error, span))
    }
}

/// The value of a constant argument.
fn known(argument: &Expression) -> Option<Literal> {
    match argument {
        Expression::Literal(literal) => Some(literal.clone()),
        _ => None,
    }
}

/// An error in the text of a view or macro, told at the place that used it.
pub(super) fn within(what: &str, name: &str, error: Error, span: Span) -> Error {
    match error.kind() {
        ErrorKind::TooDeep { .. } => Error::new(error.kind().clone(), span),
        _ => Error::invalid(format!("in {what} \"{name}\": {}", error.message()), span),
    }
}

/// Pairs a macro's parameters with the arguments of a call.
pub(super) fn macro_arguments(
    definition: &tree::CreateMacro,
    arguments: &[Argument],
    span: Span,
) -> Result<Vec<(String, std::rc::Rc<tree::Expression>)>> {
    let name = &definition.name.text;
    let mut paired: Vec<Option<&tree::Expression>> = vec![None; definition.parameters.len()];
    let mut positional = 0;
    for argument in arguments {
        let position = match &argument.name {
            None => {
                positional += 1;
                positional - 1
            }
            Some(written) => {
                let known =
                    definition.parameters.iter().position(|parameter| written.is(&parameter.name.text));
                known.ok_or_else(|| {
                    let names = definition.parameters.iter().map(|parameter| parameter.name.text.as_str());
                    Error::unknown("parameter", &written.text, nearest(&written.text, names), written.span)
                })?
            }
        };
        match paired.get_mut(position) {
            Some(slot) if slot.is_none() => *slot = Some(&argument.value),
            Some(_) => return Err(Error::invalid("an argument is given twice", argument.value.span)),
            None => {
                let count = definition.parameters.len();
                return Err(Error::invalid(format!("{name} takes {count} arguments"), argument.value.span));
            }
        }
    }
    let pairs = definition.parameters.iter().zip(paired).map(|(parameter, given)| {
        let value = given.or(parameter.default.as_ref());
        let value = value.ok_or_else(|| {
            Error::invalid(
                format!("{name} needs a value for its parameter \"{}\"", parameter.name.text),
                span,
            )
        })?;
        Ok((parameter.name.text.clone(), std::rc::Rc::new(value.clone())))
    });
    pairs.collect()
}

/// The form that takes the operands with the cheapest casts.
pub(super) fn choose(
    function: &str,
    forms: &[&Signature],
    operands: &[Operand<'_>],
    names: &[Option<&Name>],
    span: Span,
) -> Result<Choice> {
    let types: Vec<Type> = operands.iter().map(Operand::data_type).collect();
    let choice = choose_for(function, forms, operands, &types, names, span)?;
    // A parameter whose place asks for no type is text.
    let as_text: Vec<Type> = operands
        .iter()
        .zip(&types)
        .enumerate()
        .map(|(index, (operand, data_type))| match operand.is_parameter() && choice.is_untyped(index) {
            true => Type::Text,
            false => data_type.clone(),
        })
        .collect();
    match as_text == types {
        true => Ok(choice),
        false => Ok(choose_for(function, forms, operands, &as_text, names, span).unwrap_or(choice)),
    }
}

/// As [`choose`], of operands of these types.
fn choose_for(
    function: &str,
    forms: &[&Signature],
    operands: &[Operand<'_>],
    types: &[Type],
    names: &[Option<&Name>],
    span: Span,
) -> Result<Choice> {
    let mut best: Option<Choice> = None;
    let mut arranged_any = false;
    for (form, signature) in forms.iter().enumerate() {
        let Some(slots) = arrange(signature, operands.len(), names) else { continue };
        arranged_any = true;
        let given: Vec<Given<'_>> = slots.iter().map(|slot| slot_given(slot, operands, types)).collect();
        if let Ok(fit) = signature.fit(&given)
            && best.as_ref().is_none_or(|held| fit.cost < held.fit.cost)
        {
            best = Some(Choice { form, slots, fit });
        }
    }
    best.ok_or_else(|| {
        if !arranged_any && let Some(error) = wrong_name(function, forms, names) {
            return error;
        }
        misfit(function, forms, operands, types, span)
    })
}

fn slot_given<'d>(slot: &'d Slot, operands: &[Operand<'_>], types: &'d [Type]) -> Given<'d> {
    match slot {
        Slot::Default(literal) => Given::Typed(&literal.data_type),
        Slot::Given(index) => match (operands.get(*index), types.get(*index)) {
            (Some(operand), Some(data_type)) => operand.given(data_type),
            _ => Given::Typed(&Type::Null),
        },
    }
}

/// Puts arguments by position and by name at the parameters of a form, and defaults where there is none.
fn arrange(signature: &Signature, count: usize, names: &[Option<&Name>]) -> Option<Vec<Slot>> {
    let positional = names.iter().take_while(|name| name.is_none()).count();
    if !signature.is_variadic && count > signature.parameters.len() {
        return None;
    }
    let mut slots: Vec<Option<Slot>> = (0..positional).map(|index| Some(Slot::Given(index))).collect();
    let least = signature.parameters.len() - usize::from(signature.is_variadic);
    slots.resize(positional.max(least), None);
    for (index, name) in names.iter().enumerate().skip(positional) {
        let name = (*name)?;
        let position = signature.parameters.iter().position(|parameter| name.is(parameter.name))?;
        let slot = slots.get_mut(position)?;
        if slot.is_some() {
            return None;
        }
        *slot = Some(Slot::Given(index));
    }
    let filled = slots.into_iter().enumerate().map(|(position, slot)| {
        slot.or_else(|| signature.parameters.get(position)?.default.clone().map(Slot::Default))
    });
    filled.collect()
}

fn wrong_name(function: &str, forms: &[&Signature], names: &[Option<&Name>]) -> Option<Error> {
    let known: Vec<&str> =
        forms.iter().flat_map(|form| form.parameters.iter().map(|parameter| parameter.name)).collect();
    let wrong = names.iter().flatten().find(|name| !known.iter().any(|other| name.is(other)))?;
    let suggestion = nearest(&wrong.text, known.iter().copied());
    Some(match suggestion {
        Some(_) => Error::unknown("parameter", &wrong.text, suggestion, wrong.span),
        None => {
            let message =
                format!("{function} has no parameter \"{}\"; it has {}", wrong.text, known.join(", "));
            Error::invalid(message, wrong.span)
        }
    })
}

/// The error of arguments that no form takes: the argument at fault where only one form has their number.
fn misfit(
    function: &str,
    forms: &[&Signature],
    operands: &[Operand<'_>],
    types: &[Type],
    span: Span,
) -> Error {
    let names = vec![None; operands.len()];
    let by_count: Vec<(&&Signature, Vec<Slot>)> =
        forms.iter().filter_map(|form| Some((form, arrange(form, operands.len(), &names)?))).collect();
    if let [(form, slots)] = by_count.as_slice() {
        let given: Vec<Given<'_>> = slots.iter().map(|slot| slot_given(slot, operands, types)).collect();
        if let Err(hypostyle_functions::signature::Misfit::Argument(position)) = form.fit(&given)
            && let (Some(operand), Some(parameter)) = (operands.get(position), form.parameter(position))
        {
            let problem = match operand {
                Operand::Lambda(parameters, ..) => {
                    format!("is a lambda of {} parameters; expected {}", parameters.len(), parameter.pattern)
                }
                Operand::Value(..) => {
                    format!("has type {}; expected {}", operand.data_type(), parameter.pattern)
                }
            };
            let error = hypostyle_functions::Error::argument(function, position + 1, problem);
            return Error::from(error).at(operand.span());
        }
    }
    let actual = types.iter().map(Type::to_string).collect::<Vec<_>>().join(", ");
    let listed = forms.iter().map(|form| format!("{function}{form}")).collect::<Vec<_>>().join(" or ");
    let error = hypostyle_functions::Error::NoOverload {
        function: function.to_owned(),
        actual,
        expected: format!("expected {listed}"),
    };
    Error::from(error).at(span)
}

/// The function of the registry that tests two values for equality; used to tell keys of joins.
pub fn equality_of(expression: &Expression) -> Option<(&Expression, &Expression, bool)> {
    let Expression::Call { function, arguments, .. } = expression else { return None };
    let nulls_match = match function.as_str() {
        operator::EQUAL => false,
        operator::IS_NOT_DISTINCT => true,
        _ => return None,
    };
    match arguments.as_slice() {
        [left, right] => Some((left, right, nulls_match)),
        _ => None,
    }
}
