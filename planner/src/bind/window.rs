//! Windows: calls with OVER leave the expression they stand in, and their values are columns of a relation below.

use hypostyle_engine::plan::{
    Exclusion, Expression, FrameBound, FrameUnits, SortKey, Window, WindowCall, WindowFrame, WindowFunction,
};
use hypostyle_functions::signature::Signature;
use hypostyle_functions::window::WindowFunction as Declared;
use hypostyle_functions::{Literal, Type};

use crate::bind::Binder;
use crate::bind::aggregate::{is_ordered_set, ordered_set};
use crate::bind::call::{Operand, choose};
use crate::bind::frame::Frame;
use crate::bind::scope::Bound;
use crate::error::{Error, Result};
use crate::logical::{Column, Relation};
use crate::nearest::nearest;
use crate::span::Span;
use crate::tree::{self, Call, Name, Over, WindowSpec};

/// Window calls and the columns of their results.
type Calls = Vec<(Column, BoundWindow)>;

/// A call over a window, whose value is a column of the relation below.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundWindow {
    /// PARTITION BY.
    pub partition: Vec<Expression>,
    /// ORDER BY.
    pub order: Vec<SortKey>,
    /// The call; its order is this one.
    pub call: WindowCall,
}

impl BoundWindow {
    /// All expressions.
    pub fn expressions(&self) -> Vec<&Expression> {
        let order = self.order.iter().map(|key| &key.expression);
        self.partition.iter().chain(order).chain(self.call.expressions()).collect()
    }

    /// All expressions, for rewriting.
    pub fn expressions_mut(&mut self) -> Vec<&mut Expression> {
        let order = self.order.iter_mut().map(|key| &mut key.expression);
        self.partition.iter_mut().chain(order).chain(self.call.expressions_mut()).collect()
    }
}

impl Binder<'_> {
    /// A call with OVER becomes a column of the relation below.
    pub(super) fn window_call(
        &mut self,
        call: &Call,
        over: &Over,
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let name = call.name.text.to_lowercase();
        if let Some(analyzer) = self.analyzer_of(call) {
            return match over {
                Over::Window(spec) if spec.is_empty() => self.analyzer_call(&analyzer, call, span, frame),
                _ => {
                    Err(Error::invalid(format!("{name} is fitted on all rows: it takes OVER () alone"), span))
                }
            };
        }
        frame.check_window(&name, span)?;
        let spec = match over {
            Over::Window(WindowSpec { base: Some(name), .. }) | Over::Named(name) => {
                return Err(unknown_window(name, &[]));
            }
            Over::Window(spec) => spec,
        };
        let (number, made_up) = self.begun_window();
        frame.inside_window = true;
        let bound = self.bound_window(&name, call, spec, span, frame);
        frame.inside_window = false;
        let bound = bound?;
        let is_open = self.made_up() > made_up;
        let known = frame.windows.iter().find(|(column, held)| *held == bound && !self.is_open(column));
        if let Some((column, _)) = known.filter(|_| !is_open) {
            return Ok(Bound::typed(column.read()));
        }
        let column = self.new_column(name, bound.call.data_type.clone());
        if self.transform_input.is_some() {
            let text = tree::Expression { kind: tree::ExpressionKind::Call(Box::new(call.clone())), span };
            self.note_window((&column, &bound), number, text.to_string(), is_open, span)?;
        }
        frame.windows.push((column.clone(), bound));
        Ok(Bound::typed(column.read()))
    }

    /// The number of a call over a window of a definition, and how many parameters were made up before it.
    pub(super) fn begun_window(&mut self) -> (usize, usize) {
        let Some(fitting) = &mut self.fitting else { return (0, 0) };
        fitting.ground.window_calls += 1;
        (fitting.ground.window_calls - 1, fitting.made_up)
    }

    fn made_up(&self) -> usize {
        self.fitting.as_ref().map_or(0, |fitting| fitting.made_up)
    }

    /// True for a window whose arguments hold made-up parameters: it may be equal to another one only because of these.
    fn is_open(&self, column: &Column) -> bool {
        let windows = self.fitting.iter().flat_map(|fitting| &fitting.ground.windows);
        windows.filter(|window| window.is_open).any(|window| window.column.id == column.id)
    }

    fn bound_window(
        &mut self,
        name: &str,
        call: &Call,
        spec: &WindowSpec,
        span: Span,
        frame: &mut Frame,
    ) -> Result<BoundWindow> {
        let (function, data_type) = match self.context.registry.window(name).cloned() {
            Some(function) => self.positional(&function, call, spec, span, frame)?,
            None => self.window_aggregate(name, call, span, frame)?,
        };
        let mut partition = Vec::with_capacity(spec.partition_by.len());
        for key in &spec.partition_by {
            partition.push(self.untyped_as_text(key, frame)?.expression);
        }
        let order = self.order_inside(&spec.order_by, frame)?;
        let frame = match &spec.frame {
            Some(written) => self.window_frame(written, &order, span, frame)?,
            None => WindowFrame::default(),
        };
        Ok(BoundWindow { partition, order, call: WindowCall { function, order: 0, frame, data_type } })
    }

    fn window_aggregate(
        &mut self,
        name: &str,
        call: &Call,
        span: Span,
        frame: &mut Frame,
    ) -> Result<(WindowFunction, Type)> {
        if self.context.registry.aggregate(name).is_none() && !is_ordered_set(name) {
            return Err(match self.context.registry.scalar(name) {
                Some(_) => Error::invalid(
                    format!("{name} is no aggregate or window function: it takes no OVER"),
                    span,
                ),
                None => self.unknown_function(&call.name),
            });
        }
        if call.ignore_nulls.is_some() {
            return Err(Error::invalid(
                format!(
                    "IGNORE NULLS and RESPECT NULLS belong to functions such as first_value; {name} is an aggregate"
                ),
                span,
            ));
        }
        let rewritten = ordered_set(call, span)?;
        let call = rewritten.as_ref().unwrap_or(call);
        let Some(function) = self.context.registry.aggregate(&call.name.text.to_lowercase()).cloned() else {
            return Err(Error::invalid(format!("{name} needs WITHIN GROUP (ORDER BY ..)"), span));
        };
        let call = self.aggregate_call(&function, call, span, frame)?;
        let data_type = call.data_type.clone();
        Ok((WindowFunction::Aggregate(call), data_type))
    }

    fn positional(
        &mut self,
        function: &Declared,
        call: &Call,
        spec: &WindowSpec,
        span: Span,
        frame: &mut Frame,
    ) -> Result<(WindowFunction, Type)> {
        let kind = function.kind;
        let excludes =
            spec.frame.as_ref().is_some_and(|frame| frame.exclude != tree::FrameExclusion::NoOthers);
        let refused = [
            ("DISTINCT", call.distinct),
            ("FILTER", call.filter.is_some()),
            ("ORDER BY among its arguments", !call.order_by.is_empty() && !kind.takes_order()),
            ("IGNORE NULLS", call.ignore_nulls.is_some() && !kind.takes_null_treatment()),
            (
                "EXCLUDE beside ORDER BY among its arguments",
                excludes && !call.order_by.is_empty() && !kind.reads_frame(),
            ),
        ];
        if let Some((what, _)) = refused.iter().find(|(_, present)| *present) {
            return Err(Error::invalid(format!("{} takes no {what}", function.name), span));
        }
        let (mut arguments, types) =
            self.positional_arguments(&function.name, &function.signature, call, span, frame)?;
        if let [value, _, default] = arguments.as_mut_slice() {
            // The default is a value like the others.
            let place = call.arguments.get(2).map_or(span, |argument| argument.value.span);
            let held = std::mem::replace(default, Expression::Literal(Literal::null(Type::Null)));
            *default = self.cast(Bound::typed(held), &value.data_type(), place)?;
        }
        let order = self.order_inside(&call.order_by, frame)?;
        let data_type = kind.result(&types);
        let function = WindowFunction::Positional {
            name: function.name.clone(),
            kind,
            arguments,
            ignore_nulls: call.ignore_nulls == Some(true),
            order,
        };
        Ok((function, data_type))
    }

    fn positional_arguments(
        &mut self,
        name: &str,
        signature: &Signature,
        call: &Call,
        span: Span,
        frame: &mut Frame,
    ) -> Result<(Vec<Expression>, Vec<Type>)> {
        let mut operands = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            let bound = self.untyped_as_text(&argument.value, frame)?;
            operands.push(Operand::Value(bound, argument.value.span));
        }
        let names: Vec<Option<&Name>> =
            call.arguments.iter().map(|argument| argument.name.as_ref()).collect();
        let choice = choose(name, &[signature], &operands, &names, span)?;
        let arguments = self.placed(operands, &choice, span)?;
        Ok((arguments, choice.fit.types))
    }

    fn window_frame(
        &mut self,
        written: &tree::Frame,
        order: &[SortKey],
        span: Span,
        frame: &mut Frame,
    ) -> Result<WindowFrame> {
        let exclude = match written.exclude {
            tree::FrameExclusion::NoOthers => Exclusion::None,
            tree::FrameExclusion::CurrentRow => Exclusion::CurrentRow,
            tree::FrameExclusion::Group => Exclusion::Group,
            tree::FrameExclusion::Ties => Exclusion::Ties,
        };
        let units = match written.units {
            tree::FrameUnits::Rows => FrameUnits::Rows,
            tree::FrameUnits::Range => FrameUnits::Range,
            tree::FrameUnits::Groups => FrameUnits::Groups,
        };
        let mut values = [None, None];
        for (value, bound) in values.iter_mut().zip([&written.start, &written.end]) {
            if let Some(offset) = bound.value() {
                let is_preceding = matches!(bound, tree::FrameBound::Preceding(_));
                *value = Some(match units {
                    FrameUnits::Range => self.range_value(offset, is_preceding, order, span, frame)?,
                    _ => {
                        let bound = self.expression(offset, frame)?;
                        Bound::typed(self.cast(bound, &Type::Int64, offset.span)?)
                    }
                });
            }
        }
        let mut key = None;
        if let (FrameUnits::Range, [first, ..]) = (units, order)
            && values.iter().any(Option::is_some)
        {
            key = Some(self.in_one_type(&mut values, &first.expression, span)?);
        }
        let [start, end] = values.map(|value| value.map(|value| value.expression));
        Ok(WindowFrame {
            units,
            start: edge(&written.start, start),
            end: edge(&written.end, end),
            exclude,
            key,
        })
    }

    /// The value at which a bound of a range lies: the key less or more by the offset, as the order runs.
    fn range_value(
        &mut self,
        offset: &tree::Expression,
        is_preceding: bool,
        order: &[SortKey],
        span: Span,
        frame: &mut Frame,
    ) -> Result<Bound> {
        let [key] = order else {
            let message =
                format!("a RANGE with offsets needs ORDER BY of one expression, not {}", order.len());
            return Err(Error::invalid(message, span));
        };
        let bound = self.expression(offset, frame)?;
        if matches!(&bound.expression, Expression::Literal(literal) if literal.value.is_null()) {
            return Err(Error::invalid("the offset of a RANGE cannot be NULL", offset.span));
        }
        let operator = if is_preceding == key.descending { "+" } else { "-" };
        let key = Bound::typed(key.expression.clone());
        self.apply(operator, vec![(key, span), (bound, offset.span)], offset.span)
    }

    /// Brings the key of a range and the values of its bounds into the type they have in common.
    fn in_one_type(
        &mut self,
        values: &mut [Option<Bound>; 2],
        key: &Expression,
        span: Span,
    ) -> Result<Expression> {
        let key = Bound::typed(key.clone());
        let sides: Vec<&Bound> = values.iter().flatten().chain([&key]).collect();
        let Some(common) = self.comparable(&sides) else {
            let types: Vec<String> = sides.iter().map(|side| side.data_type().to_string()).collect();
            let message =
                format!("the bounds of a RANGE cannot be compared with its order: {}", types.join(", "));
            return Err(Error::invalid(message, span));
        };
        for value in values.iter_mut().flatten() {
            *value = Bound::typed(self.cast(value.clone(), &common, span)?);
        }
        self.cast(key, &common, span)
    }

    /// The relation with a column for each of these calls.
    pub(super) fn windowed(&mut self, input: Relation, windows: Calls) -> Relation {
        let mut partitions: Vec<(Vec<Expression>, Calls)> = Vec::new();
        for (column, window) in windows {
            match partitions.iter_mut().find(|(partition, _)| *partition == window.partition) {
                Some((_, calls)) => calls.push((column, window)),
                None => partitions.push((window.partition.clone(), vec![(column, window)])),
            }
        }
        partitions.into_iter().fold(input, |input, (partition, calls)| {
            let orders = orders(&calls);
            let (columns, calls) = calls
                .into_iter()
                .map(|(column, BoundWindow { order, call, .. })| {
                    let order = orders.iter().position(|known| *known == order).unwrap_or_default();
                    (column, WindowCall { order, ..call })
                })
                .unzip();
            let window = Window { partition, orders, calls, limit: None };
            Relation::Window { input: Box::new(input), window, columns }
        })
    }
}

/// The orders of these calls, each once; one that others begin with stands right before one of them.
fn orders(calls: &[(Column, BoundWindow)]) -> Vec<Vec<SortKey>> {
    let mut keys: Vec<&SortKey> = Vec::new();
    let mut numbered: Vec<(Vec<usize>, &Vec<SortKey>)> = Vec::new();
    for (_, window) in calls {
        let mut numbers = Vec::with_capacity(window.order.len());
        for key in &window.order {
            numbers.push(keys.iter().position(|known| *known == key).unwrap_or_else(|| {
                keys.push(key);
                keys.len() - 1
            }));
        }
        if !numbered.iter().any(|(known, _)| *known == numbers) {
            numbered.push((numbers, &window.order));
        }
    }
    numbered.sort_by(|left, right| left.0.cmp(&right.0));
    numbered.into_iter().map(|(_, order)| order.clone()).collect()
}

fn edge(written: &tree::FrameBound, value: Option<Expression>) -> FrameBound {
    match (written, value) {
        (tree::FrameBound::CurrentRow, _) => FrameBound::CurrentRow,
        (tree::FrameBound::Preceding(_), Some(value)) => FrameBound::Preceding(value),
        (tree::FrameBound::Preceding(_), None) => FrameBound::UnboundedPreceding,
        (tree::FrameBound::Following(_), Some(value)) => FrameBound::Following(value),
        (tree::FrameBound::Following(_), None) => FrameBound::UnboundedFollowing,
    }
}

fn unknown_window(name: &Name, known: &[&str]) -> Error {
    Error::unknown("window", &name.text, nearest(&name.text, known.iter().copied()), name.span)
}

/// Puts the windows of the WINDOW clause in the place of their names, everywhere in a SELECT and its ORDER BY.
pub(super) fn resolve_named(select: &mut tree::Select, order_by: &mut tree::OrderBy) -> Result<()> {
    let mut known: Vec<tree::NamedWindow> = Vec::with_capacity(select.windows.len());
    for window in std::mem::take(&mut select.windows) {
        let mut resolved = window;
        resolve_spec(&mut resolved.window, &known)?;
        known.push(resolved);
    }
    let items = select.items.iter_mut().map(|item| &mut item.expression);
    let terms = match order_by {
        tree::OrderBy::Terms(terms) => terms.as_mut_slice(),
        _ => &mut [],
    };
    let terms = terms.iter_mut().map(|term| &mut term.expression);
    let others = select.filter.iter_mut().chain(select.having.iter_mut()).chain(select.qualify.iter_mut());
    items.chain(terms).chain(others).try_for_each(|expression| resolve(expression, &known))
}

fn resolve(expression: &mut tree::Expression, known: &[tree::NamedWindow]) -> Result<()> {
    stacker::maybe_grow(64 << 10, 1 << 20, || {
        if let tree::ExpressionKind::Call(call) = &mut expression.kind {
            match call.over.as_deref_mut() {
                Some(Over::Window(spec)) => resolve_spec(spec, known)?,
                Some(over @ Over::Named(_)) => {
                    if let Over::Named(name) = &*over {
                        *over = Over::Window(find_window(name, known)?.clone());
                    }
                }
                None => {}
            }
        }
        expression.children_mut().into_iter().try_for_each(|child| resolve(child, known))
    })
}

fn find_window<'w>(name: &Name, known: &'w [tree::NamedWindow]) -> Result<&'w WindowSpec> {
    let found = known.iter().find(|window| name.is(&window.name.text));
    found.map(|window| &window.window).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|window| window.name.text.as_str()).collect();
        unknown_window(name, &names)
    })
}

/// A window that goes on from another takes its partitions and, unless it has its own, its order.
fn resolve_spec(spec: &mut WindowSpec, known: &[tree::NamedWindow]) -> Result<()> {
    let Some(name) = spec.base.take() else { return Ok(()) };
    let base = find_window(&name, known)?;
    let problem = if base.frame.is_some() {
        Some("which has a frame: it is used as OVER name, without parentheses")
    } else if !spec.partition_by.is_empty() {
        Some("whose PARTITION BY cannot be changed")
    } else if !base.order_by.is_empty() && !spec.order_by.is_empty() {
        Some("whose ORDER BY cannot be changed")
    } else {
        None
    };
    if let Some(problem) = problem {
        let message = format!("a window that goes on from \"{}\", {problem}", name.text);
        return Err(Error::syntax(message, name.span));
    }
    spec.partition_by = base.partition_by.clone();
    if spec.order_by.is_empty() {
        spec.order_by = base.order_by.clone();
    }
    Ok(())
}
