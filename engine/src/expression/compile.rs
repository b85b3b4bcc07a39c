//! Bound expressions become a graph: equal subtrees once, constants folded, functions bound.

mod lazy_forms;

use std::collections::HashMap;
use std::sync::Arc;

use hypostyle_functions::Place;
use hypostyle_functions::lanes::LaneKind;
use hypostyle_functions::scalar::{Arguments, Body, Bound, Cost, Nulls, Volatility};
use hypostyle_functions::signature::Given;
use hypostyle_functions::types::Type;
use hypostyle_functions::value::{Literal, Value};

use super::fold::Folder;
use super::graph::{Call, Explain, Graph, Kind, LambdaBody, Node, NodeId};
use super::program::Builder;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::plan::Expression;

/// What makes two nodes one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Input(usize),
    Constant(Literal),
    Parameter(usize, Type),
    Call { function: String, version: u32, arguments: Vec<KeyArgument>, data_type: Type },
    Cast(NodeId, Type, bool),
    Logic(Vec<NodeId>, bool),
    Case(Vec<(NodeId, NodeId)>, Option<NodeId>, Type),
    Coalesce(Vec<NodeId>, Type),
    Try(NodeId),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum KeyArgument {
    Node(NodeId),
    Lambda(Expression),
    Shared(Literal),
}

/// Where columns and variables of an expression come from.
enum Scope<'a> {
    /// Columns of a batch.
    Batch(&'a [Type]),
    /// Parameters of a lambda; what else the body reads is captured.
    Lambda { parameters: &'a [(u32, Type)], captures: Vec<Expression> },
}

/// A graph under construction.
pub(super) struct Compiler<'a> {
    context: &'a Context,
    scope: Scope<'a>,
    graph: Graph,
    known: HashMap<Key, NodeId>,
    folder: Folder,
}

/// Compiles expressions over columns of these types.
///
/// # Errors
/// Unknown functions, arguments that a function refuses, and types that do not agree.
pub(super) fn compile(expressions: &[Expression], input: &[Type], context: &Context) -> Result<Graph> {
    let mut compiler = Compiler::new(context, Scope::Batch(input), input.to_vec());
    for expression in expressions {
        let output = compiler.add(expression)?;
        compiler.graph.outputs.push(output);
    }
    Ok(compiler.finish())
}

impl<'a> Compiler<'a> {
    fn new(context: &'a Context, scope: Scope<'a>, input_types: Vec<Type>) -> Self {
        let graph = Graph { input_types, ..Graph::default() };
        Self { context, scope, graph, known: HashMap::new(), folder: Folder::default() }
    }

    fn finish(mut self) -> Graph {
        if self.context.configuration.fuse {
            super::fuse::fuse(&mut self.graph);
        }
        self.graph.finish();
        self.graph
    }

    fn add(&mut self, expression: &Expression) -> Result<NodeId> {
        match expression {
            Expression::Column { index, data_type } => self.column(expression, *index, data_type),
            Expression::Variable { id, data_type } => self.variable(expression, *id, data_type),
            Expression::Literal(literal) => Ok(self.constant(literal.clone())),
            Expression::Parameter { data_type, .. } if matches!(self.scope, Scope::Lambda { .. }) => {
                Ok(self.capture(expression, data_type))
            }
            Expression::Parameter { index, data_type } => {
                let key = Key::Parameter(*index, data_type.clone());
                Ok(self.intern(key, data_type.clone(), Kind::Parameter(*index), Cost::Cheap, false))
            }
            Expression::Call { function, version, arguments, data_type, place } => {
                let id = self.call(function, *version, arguments, data_type);
                Ok(self.placed(id.map_err(|error| error.at(*place))?, *place))
            }
            Expression::Lambda { .. } => Err(Error::internal("a lambda stands outside of a call")),
            Expression::Cast { input, to, is_try, place } => {
                let input = self.add(input)?;
                let id = self.cast(input, to, *is_try)?;
                Ok(self.placed(id, *place))
            }
            Expression::And(operands) => self.logic(operands, true),
            Expression::Or(operands) => self.logic(operands, false),
            Expression::Case { branches, otherwise, data_type } => {
                self.case(branches, otherwise.as_deref(), data_type)
            }
            Expression::Coalesce { arguments, data_type } => self.coalesce(arguments, data_type),
            Expression::Try(input) => {
                let input = self.add(input)?;
                self.attempt(input)
            }
        }
    }

    /// The node, whose errors name this place unless the same was written elsewhere before.
    fn placed(&mut self, id: NodeId, place: Place) -> NodeId {
        let node = &mut self.graph.nodes[id];
        if !node.place.is_known() {
            node.place = place;
        }
        id
    }

    fn column(&mut self, expression: &Expression, index: usize, data_type: &Type) -> Result<NodeId> {
        match &self.scope {
            Scope::Batch(types) => match types.get(index) {
                Some(held) if held == data_type => Ok(self.input(index, data_type)),
                Some(held) => {
                    Err(Error::internal(format!("column {index} has type {held}; expected {data_type}")))
                }
                None => Err(Error::internal(format!("column {index} of {} columns", types.len()))),
            },
            Scope::Lambda { .. } => Ok(self.capture(expression, data_type)),
        }
    }

    fn variable(&mut self, expression: &Expression, id: u32, data_type: &Type) -> Result<NodeId> {
        match &self.scope {
            Scope::Batch(_) => {
                Err(Error::internal(format!("lambda parameter {id} is read outside of its lambda")))
            }
            Scope::Lambda { parameters, .. } => match parameters.iter().position(|(own, _)| *own == id) {
                Some(position) => Ok(self.input(position, data_type)),
                None => Ok(self.capture(expression, data_type)),
            },
        }
    }

    fn capture(&mut self, expression: &Expression, data_type: &Type) -> NodeId {
        let Scope::Lambda { parameters, captures } = &mut self.scope else {
            unreachable!("only lambdas capture")
        };
        let position = captures.iter().position(|held| held == expression).unwrap_or_else(|| {
            captures.push(expression.clone());
            captures.len() - 1
        });
        let input = parameters.len() + position;
        if self.graph.input_types.len() <= input {
            self.graph.input_types.push(data_type.clone());
        }
        self.input(input, data_type)
    }

    fn input(&mut self, index: usize, data_type: &Type) -> NodeId {
        let id = self.intern(Key::Input(index), data_type.clone(), Kind::Input(index), Cost::Cheap, false);
        self.graph.nodes[id].inputs = Box::new([index]);
        id
    }

    fn constant(&mut self, literal: Literal) -> NodeId {
        let data_type = literal.data_type.clone();
        self.intern(Key::Constant(literal.clone()), data_type, Kind::Constant(literal), Cost::Cheap, false)
    }

    /// The value of a node that is a constant.
    fn value(&self, id: NodeId) -> Option<&Literal> {
        match &self.graph.nodes[id].kind {
            Kind::Constant(literal) => Some(literal),
            _ => None,
        }
    }

    /// The node of this key, made if it is new. Volatile nodes are never shared.
    fn intern(&mut self, key: Key, data_type: Type, kind: Kind, cost: Cost, is_volatile: bool) -> NodeId {
        if let Some(&held) = self.known.get(&key).filter(|_| !is_volatile) {
            return held;
        }
        let id = self.push(data_type, kind, cost, is_volatile);
        self.known.insert(key, id);
        id
    }

    fn push(&mut self, data_type: Type, kind: Kind, cost: Cost, is_volatile: bool) -> NodeId {
        let nodes = &self.graph.nodes;
        let (mut inputs, mut cost, mut is_volatile, mut is_pure) = (Vec::new(), cost, is_volatile, true);
        let mut is_strict = is_strict(&kind);
        kind.for_each_operand(|operand| {
            let operand = &nodes[operand];
            inputs.extend_from_slice(&operand.inputs);
            cost = cost.max(operand.cost);
            is_volatile |= operand.is_volatile;
            is_pure &= operand.is_pure;
            is_strict &= operand.is_strict || operand.inputs.is_empty();
        });
        inputs.sort_unstable();
        inputs.dedup();
        is_pure &= !is_volatile && LaneKind::of(&data_type).is_some();
        is_pure &= !matches!(kind, Kind::Call(_) | Kind::Try(_));
        let inputs = inputs.into();
        self.graph.nodes.push(Node {
            data_type,
            kind,
            inputs,
            is_volatile,
            is_pure,
            is_strict,
            cost,
            consumers: 0,
            place: Place::NONE,
            is_quiet: false,
        });
        self.graph.nodes.len() - 1
    }

    /// The node, or the constant it amounts to where all it reads are constants. A failure stays in the graph.
    fn folded(&mut self, id: NodeId) -> Result<NodeId> {
        let node = &self.graph.nodes[id];
        let mut is_constant = !node.is_volatile;
        node.kind.for_each_operand(|operand| {
            is_constant &= matches!(self.graph.nodes[operand].kind, Kind::Constant(_));
        });
        if !is_constant {
            return Ok(id);
        }
        match self.folder.evaluate(&self.graph, id)? {
            Some(literal) => Ok(self.constant(literal)),
            None => Ok(id),
        }
    }

    fn call(
        &mut self,
        name: &str,
        version: u32,
        arguments: &[Expression],
        data_type: &Type,
    ) -> Result<NodeId> {
        let context = self.context;
        let function = context.registry.scalar(name).ok_or_else(|| context.registry.unknown(name))?;
        if function.version != version {
            return Err(Error::user(format!(
                "the plan needs version {version} of {name}; this registry holds version {}",
                function.version
            )));
        }
        let mut operands = Vec::with_capacity(arguments.len());
        let mut bodies = Vec::new();
        let mut key = Vec::with_capacity(arguments.len());
        let mut types = Vec::with_capacity(arguments.len());
        let mut constants = Vec::with_capacity(arguments.len());
        let mut parameters = Vec::with_capacity(arguments.len());
        // Long lists become nodes only where the function has not taken them up itself: places among the operands and arguments.
        let mut shared: Vec<(usize, usize)> = Vec::new();
        for argument in arguments {
            if let Expression::Lambda { parameters: own, body } = argument {
                let body = self.lambda(own, body)?;
                types.push(argument.data_type());
                constants.push(None);
                parameters.push(Some(own.len()));
                bodies.push(body);
                key.push(KeyArgument::Lambda(argument.clone()));
            } else if let Expression::Literal(literal) = argument
                && matches!(literal.value, Value::Shared(_))
            {
                shared.push((operands.len(), types.len()));
                types.push(literal.data_type.clone());
                constants.push(Some(literal.clone()));
                parameters.push(None);
                operands.push(NodeId::default());
                key.push(KeyArgument::Shared(literal.clone()));
            } else {
                let operand = self.add(argument)?;
                types.push(self.graph.nodes[operand].data_type.clone());
                constants.push(self.value(operand).cloned());
                parameters.push(None);
                operands.push(operand);
                key.push(KeyArgument::Node(operand));
            }
        }
        let given: Vec<_> = types
            .iter()
            .zip(&parameters)
            .map(|(data_type, count)| count.map_or(Given::Typed(data_type), Given::Lambda))
            .collect();
        let (overload, fit) = function.resolve(&given)?;
        let is_exact =
            fit.types.iter().zip(&types).zip(&parameters).all(|((a, b), lambda)| lambda.is_some() || a == b);
        if !is_exact {
            return Err(Error::internal(format!(
                "{name}: arguments were not cast to a form of the function"
            )));
        }
        let settings = &context.settings;
        let bound =
            (overload.bind)(&Arguments { function: name, types: &types, constants: &constants, settings })?;
        if bound.result != *data_type {
            let actual = &bound.result;
            return Err(Error::internal(format!("{name} gives {actual} where the plan expects {data_type}")));
        }
        for (operand, position) in shared {
            operands[operand] = match (bound.held.contains(&position), &types[position]) {
                (true, Type::List(element)) => {
                    let empty = Value::List(Type::clone(element), Vec::new());
                    self.constant(Literal { data_type: types[position].clone(), value: empty })
                }
                _ => self.add(&arguments[position])?,
            };
        }
        let is_volatile =
            function.volatility == Volatility::Volatile || bodies.iter().any(LambdaBody::is_volatile);
        let function = name.to_ascii_lowercase();
        let key = Key::Call { function, version, arguments: key, data_type: data_type.clone() };
        let cost = context.registry.scalar(name).map_or(Cost::Cheap, |function| function.cost);
        self.bound(key, bound, operands, bodies, cost, is_volatile)
    }

    /// The node of a bound call.
    fn bound(
        &mut self,
        key: Key,
        bound: Bound,
        operands: Vec<NodeId>,
        lambdas: Vec<LambdaBody>,
        cost: Cost,
        is_volatile: bool,
    ) -> Result<NodeId> {
        if let Some(&held) = self.known.get(&key).filter(|_| !is_volatile) {
            return Ok(held);
        }
        let has_untyped_null = operands.iter().any(|&o| self.graph.nodes[o].data_type == Type::Null);
        let kind = match &bound.body {
            // A null of no type has no lanes, and a strict function of it is null.
            Body::Lanes(_) if bound.nulls == Nulls::Strict && has_untyped_null => {
                return Ok(self.constant(Literal::null(bound.result)));
            }
            Body::Lanes(kernel) => {
                // Lists and texts among the arguments are constants that the kernel was bound with.
                let operands: Vec<NodeId> = operands
                    .into_iter()
                    .filter(|&o| self.graph.nodes[o].data_type.is_fixed_width())
                    .collect();
                let kinds: Option<Vec<_>> =
                    operands.iter().map(|&o| self.graph.nodes[o].lane_kind()).collect();
                let (Some(kinds), Some(result)) = (kinds, LaneKind::of(&bound.result)) else {
                    return Err(Error::internal(format!(
                        "a lane function over types without lanes: {key:?}"
                    )));
                };
                let program = match (bound.nulls, &operands[..]) {
                    (Nulls::PassedOver, &[]) => return Err(Error::internal("a combination of no arguments")),
                    (Nulls::PassedOver, &[single]) => return Ok(single),
                    (Nulls::PassedOver, _) => Builder::combination(kernel, operands.len(), result),
                    _ => Builder::kernel(kernel, &kinds, result),
                };
                let explain = Explain::Kernel(Arc::clone(kernel), bound.nulls);
                Kind::Program { program: Arc::new(program), inputs: operands.into(), explain }
            }
            _ => Kind::Call(Box::new(Call {
                body: bound.body,
                nulls: bound.nulls,
                arguments: operands.into(),
                // Positions count lambdas, which are no operands.
                held: if lambdas.is_empty() { bound.held.into() } else { Box::default() },
                lambdas: lambdas.into(),
            })),
        };
        let id = self.intern(key.clone(), bound.result, kind, cost, is_volatile);
        let folded = self.folded(id)?;
        if folded != id {
            // Who asks for the same again gets the constant too.
            self.known.insert(key, folded);
        }
        Ok(folded)
    }

    fn lambda(&mut self, parameters: &[(u32, Type)], body: &Expression) -> Result<LambdaBody> {
        let types = parameters.iter().map(|(_, data_type)| data_type.clone()).collect();
        let mut inner =
            Compiler::new(self.context, Scope::Lambda { parameters, captures: Vec::new() }, types);
        let root = inner.add(body)?;
        inner.graph.outputs.push(root);
        let Scope::Lambda { captures, .. } = &mut inner.scope else {
            unreachable!("the scope does not change")
        };
        let captures = std::mem::take(captures);
        let graph = inner.finish();
        let captures = captures.iter().map(|capture| self.add(capture)).collect::<Result<_>>()?;
        Ok(LambdaBody { graph, parameters: parameters.len(), captures })
    }

    fn cast(&mut self, input: NodeId, to: &Type, is_try: bool) -> Result<NodeId> {
        let from = &self.graph.nodes[input].data_type;
        if from == to {
            return Ok(input);
        }
        if let Some(Literal { value: Value::Null, .. }) = self.value(input) {
            return Ok(self.constant(Literal::null(to.clone())));
        }
        let bound = hypostyle_functions::cast::bind_cast(from, to, is_try, &self.context.settings)?;
        let cost = if *from == Type::Text { Cost::Parse } else { Cost::Cheap };
        self.bound(Key::Cast(input, to.clone(), is_try), bound, vec![input], Vec::new(), cost, false)
    }
}

impl LambdaBody {
    fn is_volatile(&self) -> bool {
        self.graph.outputs.iter().any(|&output| self.graph.nodes[output].is_volatile)
    }
}

/// True if a null operand makes the result null.
fn is_strict(kind: &Kind) -> bool {
    match kind {
        Kind::Input(_) | Kind::Constant(_) | Kind::Parameter(_) | Kind::Try(_) => true,
        Kind::Program { explain, .. } => !matches!(explain, Explain::Kernel(_, Nulls::PassedOver)),
        Kind::Call(call) => {
            call.nulls.is_strict() && call.lambdas.iter().all(|lambda| lambda.captures.is_empty())
        }
        Kind::Logic { .. } | Kind::Case { .. } | Kind::Coalesce(_) => false,
    }
}
