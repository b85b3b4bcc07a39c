//! SELECT: its clauses in the order in which they take effect.

use std::rc::Rc;

use hypostyle_engine::plan::{Expression, SortKey};
use hypostyle_functions::{Literal, Type};

use crate::bind::Binder;
use crate::bind::collation::Collation;
use crate::bind::frame::{Alias, Clause, Frame};
use crate::bind::window::resolve_named;
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Relation};
use crate::span::Span;
use crate::tree::{self, ExpressionKind, GroupBy, LiteralText, OrderBy, OrderTerm, Select, SelectItem};

/// One column of the result.
pub(super) struct Item {
    pub name: String,
    pub expression: Expression,
    /// How its values are compared.
    pub collation: Option<Collation>,
}

/// What ORDER BY and DISTINCT ON go by.
pub(super) enum Target {
    /// A column of the result.
    Item(usize),
    /// Something else, computed beside the result.
    Hidden(Expression),
}

/// One term of ORDER BY or DISTINCT ON.
pub(super) struct Order {
    pub target: Target,
    pub descending: bool,
    pub nulls_first: bool,
    pub collation: Option<Collation>,
}

/// Which rows of the result are kept of those that are equal.
enum Distinct {
    All,
    /// One of each.
    Rows,
    /// The first of those equal in these.
    On(Vec<Order>),
}

impl Binder<'_> {
    /// Binds a SELECT and the ORDER BY of its query, which may read what is not selected.
    pub(super) fn select(&mut self, select: &Select, order_by: &OrderBy) -> Result<Relation> {
        if !select.windows.is_empty() {
            let (mut select, mut order_by) = (select.clone(), order_by.clone());
            resolve_named(&mut select, &mut order_by)?;
            return self.select(&select, &order_by);
        }
        match self.transform_input.is_none() && self.fits_inline(select) {
            true => self.select_fitted(select, order_by),
            false => self.select_bound(select, order_by, false),
        }
    }

    /// As [`Binder::select`]; `is_fitted` if its calls of analyzers are being fitted on its rows.
    pub(super) fn select_bound(
        &mut self,
        select: &Select,
        order_by: &OrderBy,
        is_fitted: bool,
    ) -> Result<Relation> {
        let source = self.from(&select.from)?;
        self.note_computed(&source.relation);
        let relation = self.sampled(source.relation, select.sample.as_ref());
        let mut frame = Frame::new(Rc::new(source.scope), Clause::Where);
        let expanded = self.expanded_items(&select.items, &frame)?;
        frame.aliases = aliases(&expanded);
        frame.aliases_visible = frame.aliases.len();
        let relation = self.filter(relation, select.filter.as_ref(), &mut frame)?;
        if let Some(fitting) = self.fitting.as_mut().filter(|_| is_fitted) {
            fitting.source = Some(relation.clone());
        }

        frame.clause = Clause::Select;
        let mut items = self.items(&expanded, &mut frame)?;
        frame.aliases_visible = frame.aliases.len();
        let mut having = self.having(select.having.as_ref(), &mut frame)?;
        let mut qualify = self.qualify(select.qualify.as_ref(), &mut frame)?;
        let mut order = self.order(order_by, &items, &mut frame)?;
        let on_count = self.distinct_on(&select.distinct_on, &items, &mut order, &mut frame)?;
        if select.distinct {
            check_distinct_order(&order, order_by)?;
        }
        let groups = self.groups(&select.group_by, &items, &mut frame)?;
        frame.move_inside(&groups.keys);
        let aggregated =
            !matches!(select.group_by, GroupBy::None) || !frame.calls.is_empty() || having.is_some();
        let relation = self.attach(relation, std::mem::take(&mut frame.pending_inside))?;
        let relation = match aggregated {
            true => {
                self.group_all(&groups, &mut items, [&mut having, &mut qualify], &mut order, &mut frame)?;
                let (input, aggregates) = (Box::new(relation), std::mem::take(&mut frame.calls));
                Relation::Aggregate { input, keys: groups.keys, sets: groups.sets, aggregates }
            }
            false => relation,
        };
        let pending = std::mem::take(&mut frame.pending);
        let (behind, before) = pending.into_iter().partition(|pending| frame.is_behind_windows(pending));
        let relation = self.attach_and_filter(relation, having, before)?;
        let relation = self.windowed(relation, std::mem::take(&mut frame.windows));
        let relation = self.attach_and_filter(relation, qualify, behind)?;
        let relation = match frame.unnests.is_empty() {
            true => relation,
            false => {
                let lists = std::mem::take(&mut frame.unnests);
                Relation::Unnest { input: Box::new(relation), lists, outer: false }
            }
        };
        let on = order.split_off(order.len() - on_count);
        let distinct = match (select.distinct, on.is_empty()) {
            (true, _) => Distinct::Rows,
            (false, true) => Distinct::All,
            (false, false) => Distinct::On(on),
        };
        self.output(relation, items, order, distinct)
    }

    fn filter(
        &mut self,
        relation: Relation,
        filter: Option<&tree::Expression>,
        frame: &mut Frame,
    ) -> Result<Relation> {
        let Some(filter) = filter else { return Ok(relation) };
        // COLUMNS in a condition stands for all of its columns.
        let condition = match self.expanded(filter, frame)? {
            Some(terms) => {
                let bound = terms.iter().map(|(term, _)| self.condition(term, frame));
                Expression::And(bound.collect::<Result<_>>()?)
            }
            None => self.condition(filter, frame)?,
        };
        self.attach_and_filter(relation, Some(condition), std::mem::take(&mut frame.pending))
    }

    /// Replaces items with COLUMNS by one item per column.
    fn expanded_items(&mut self, items: &[SelectItem], frame: &Frame) -> Result<Vec<SelectItem>> {
        let mut expanded = Vec::with_capacity(items.len());
        for item in items {
            match self.columns_items(item, frame)? {
                Some(several) => expanded.extend(several),
                None => expanded.push(item.clone()),
            }
        }
        Ok(expanded)
    }

    fn items(&mut self, items: &[SelectItem], frame: &mut Frame) -> Result<Vec<Item>> {
        let mut bound = Vec::with_capacity(items.len());
        frame.aliases_visible = 0;
        for item in items {
            let span = item.expression.span;
            let plain = |(name, expression): (String, Expression)| Item { name, expression, collation: None };
            match &item.expression.kind {
                ExpressionKind::Star(star) => {
                    let columns = self.star(star, span, frame)?;
                    bound.extend(columns.into_iter().map(|(name, bound)| plain((name, bound.expression))));
                }
                ExpressionKind::Call(call) if call.name.is("unnest") && call.is_plain() => {
                    bound.extend(self.unnest_item(item, call, frame)?.into_iter().map(plain));
                }
                _ => {
                    let collation = self.collation(&item.expression, frame)?;
                    let expression = self.untyped_as_text(&item.expression, frame)?.expression;
                    let name = match own_name(item, frame)? {
                        Some(name) => name,
                        None => item_name(item),
                    };
                    bound.push(Item { name, expression, collation });
                }
            }
            frame.aliases_visible += usize::from(item.alias.is_some());
        }
        Ok(bound)
    }

    fn having(&mut self, having: Option<&tree::Expression>, frame: &mut Frame) -> Result<Option<Expression>> {
        frame.clause = Clause::Having;
        having.map(|having| self.condition(having, frame)).transpose()
    }

    fn qualify(
        &mut self,
        qualify: Option<&tree::Expression>,
        frame: &mut Frame,
    ) -> Result<Option<Expression>> {
        let Some(tree) = qualify else { return Ok(None) };
        frame.clause = Clause::Qualify;
        let condition = self.condition(tree, frame)?;
        match frame.windows.is_empty() {
            true => Err(Error::invalid(
                "QUALIFY needs a call over a window, in it or in the select list; use WHERE or HAVING",
                tree.span,
            )),
            false => Ok(Some(condition)),
        }
    }

    fn order(&mut self, order_by: &OrderBy, items: &[Item], frame: &mut Frame) -> Result<Vec<Order>> {
        frame.clause = Clause::OrderBy;
        match order_by {
            OrderBy::None => Ok(Vec::new()),
            OrderBy::All { descending, nulls_first } => Ok(items
                .iter()
                .enumerate()
                .map(|(position, item)| Order {
                    target: Target::Item(position),
                    descending: *descending,
                    nulls_first: nulls_first.unwrap_or(false),
                    collation: item.collation.clone(),
                })
                .collect()),
            OrderBy::Terms(terms) => {
                let mut order = Vec::with_capacity(terms.len());
                for term in terms {
                    match self.expanded(&term.expression, frame)? {
                        Some(expanded) => {
                            for (expression, _) in expanded {
                                let term = OrderTerm { expression, ..term.clone() };
                                order.push(self.order_term(&term, items, frame)?);
                            }
                        }
                        None => order.push(self.order_term(term, items, frame)?),
                    }
                }
                Ok(order)
            }
        }
    }

    fn order_term(&mut self, term: &OrderTerm, items: &[Item], frame: &mut Frame) -> Result<Order> {
        let target = self.order_target(&term.expression, items, frame)?;
        let own = self.collation(&term.expression, frame)?;
        let collation = own.or_else(|| match &target {
            Target::Item(position) => items.get(*position).and_then(|item| item.collation.clone()),
            Target::Hidden(_) => None,
        });
        let nulls_first = term.nulls_first.unwrap_or(false);
        Ok(Order { target, descending: term.descending, nulls_first, collation })
    }

    /// Adds what DISTINCT ON goes by to the terms of the order; gives their number.
    fn distinct_on(
        &mut self,
        keys: &[tree::Expression],
        items: &[Item],
        order: &mut Vec<Order>,
        frame: &mut Frame,
    ) -> Result<usize> {
        for key in keys {
            let term = OrderTerm { expression: key.clone(), descending: false, nulls_first: None };
            order.push(self.order_term(&term, items, frame)?);
        }
        Ok(keys.len())
    }

    fn order_target(&mut self, term: &tree::Expression, items: &[Item], frame: &mut Frame) -> Result<Target> {
        if let Some(ordinal) = ordinal(term) {
            return item_at(ordinal, items.len(), "ORDER BY", term.span).map(Target::Item);
        }
        // A bare name means a column of the result first.
        if let ExpressionKind::Column(names) = &term.kind
            && let [name] = names.as_slice()
            && let Some(position) = items.iter().position(|item| name.is(&item.name))
        {
            return Ok(Target::Item(position));
        }
        let expression = self.untyped_as_text(term, frame)?.expression;
        match items.iter().position(|item| item.expression == expression) {
            Some(position) => Ok(Target::Item(position)),
            None => Ok(Target::Hidden(expression)),
        }
    }

    /// Projects the items, removes duplicates, sorts, and drops what only the order needed.
    fn output(
        &mut self,
        relation: Relation,
        items: Vec<Item>,
        order: Vec<Order>,
        distinct: Distinct,
    ) -> Result<Relation> {
        let count = items.len();
        let collations: Vec<Option<Collation>> = items.iter().map(|item| item.collation.clone()).collect();
        let mut expressions: Vec<(String, Expression)> =
            items.into_iter().map(|item| (item.name, item.expression)).collect();
        let terms = placed(order, &mut expressions);
        let distinct = match distinct {
            // Rows that are equal only under a collation are one row, shown as the first of them.
            Distinct::Rows if collations.iter().any(Option::is_some) => {
                let of_item = |(position, collation)| Term {
                    position,
                    descending: false,
                    nulls_first: false,
                    collation,
                };
                Some(collations.into_iter().enumerate().map(of_item).collect())
            }
            Distinct::On(keys) => Some(placed(keys, &mut expressions)),
            Distinct::Rows => {
                let relation = distinct_rows(self.project(relation, expressions));
                return self.sorted(relation, &terms, count);
            }
            Distinct::All => None,
        };
        let relation = self.project(relation, expressions);
        match distinct {
            None => self.sorted(relation, &terms, count),
            Some(keys) => {
                let width = relation.columns().len();
                let relation = self.sorted(relation, &terms, width)?;
                let relation = self.first_of_each(relation, &keys)?;
                self.sorted(relation, &terms, count)
            }
        }
    }

    /// Sorts by these terms and keeps the first columns.
    fn sorted(&mut self, relation: Relation, terms: &[Term], count: usize) -> Result<Relation> {
        let columns = relation.columns();
        let mut relation = relation;
        if !terms.is_empty() {
            let mut keys = Vec::with_capacity(terms.len());
            for term in terms {
                let expression = self.term_value(term, &columns)?;
                keys.push(SortKey { expression, descending: term.descending, nulls_first: term.nulls_first });
            }
            relation = Relation::Sort { input: Box::new(relation), keys, limit: None };
        }
        if columns.len() > count {
            let columns = columns.into_iter().take(count).map(Computed::passed).collect();
            relation = Relation::Project { input: Box::new(relation), columns };
        }
        Ok(relation)
    }

    fn term_value(&mut self, term: &Term, columns: &[Column]) -> Result<Expression> {
        let Some(column) = columns.get(term.position) else {
            return Err(Error::internal("a term of an order without a column"));
        };
        let read = crate::bind::scope::Bound::typed(column.read());
        match &term.collation {
            Some(collation) => Ok(self.collated(read, collation, Span::NONE)?.expression),
            None => Ok(read.expression),
        }
    }

    /// Of rows that are equal in these terms the first one, under columns of new numbers.
    fn first_of_each(&mut self, relation: Relation, terms: &[Term]) -> Result<Relation> {
        let columns = relation.columns();
        let mut keys = Vec::with_capacity(terms.len());
        for term in terms {
            let expression = self.term_value(term, &columns)?;
            keys.push(Computed { column: self.new_column("key", expression.data_type()), expression });
        }
        let mut aggregates = Vec::with_capacity(columns.len());
        for column in &columns {
            let call = self.first_value(column.read())?;
            aggregates.push((self.new_column(column.name.clone(), column.data_type.clone()), call));
        }
        let kept = aggregates.iter().map(|(column, _)| Computed::passed(column.clone())).collect();
        let aggregate = Relation::Aggregate { input: Box::new(relation), keys, sets: None, aggregates };
        Ok(Relation::Project { input: Box::new(aggregate), columns: kept })
    }

    /// A projection to named expressions; a column keeps its number the first time it is passed on.
    pub(super) fn project(&mut self, input: Relation, expressions: Vec<(String, Expression)>) -> Relation {
        let mut used = std::collections::HashSet::new();
        let mut columns = Vec::with_capacity(expressions.len());
        for (name, expression) in expressions {
            let column = match &expression {
                // A column of a query around this one stands beside its rows under its number already.
                Expression::Column { index, data_type } if !self.is_outer(*index) && used.insert(*index) => {
                    Column { id: *index, name, data_type: data_type.clone() }
                }
                other => self.new_column(name, other.data_type()),
            };
            columns.push(Computed { column, expression });
        }
        Relation::Project { input: Box::new(input), columns }
    }
}

/// Each row once.
pub(crate) fn distinct_rows(relation: Relation) -> Relation {
    let keys = relation.columns().into_iter().map(Computed::passed).collect();
    Relation::Aggregate { input: Box::new(relation), keys, sets: None, aggregates: Vec::new() }
}

/// A term of an order, by the position of its column.
struct Term {
    position: usize,
    descending: bool,
    nulls_first: bool,
    collation: Option<Collation>,
}

/// Adds what is hidden to the expressions of a projection.
fn placed(order: Vec<Order>, expressions: &mut Vec<(String, Expression)>) -> Vec<Term> {
    let place = |Order { target, descending, nulls_first, collation }| {
        let position = match target {
            Target::Item(position) => position,
            Target::Hidden(expression) => {
                expressions.push((String::new(), expression));
                expressions.len() - 1
            }
        };
        Term { position, descending, nulls_first, collation }
    };
    order.into_iter().map(place).collect()
}

fn aliases(items: &[SelectItem]) -> Vec<Alias> {
    let named = items.iter().filter_map(|item| Some((item.alias.as_ref()?, item)));
    named
        .map(|(alias, item)| Alias { name: alias.text.clone(), expression: Rc::new(item.expression.clone()) })
        .collect()
}

/// The name of a column as its table writes it.
fn own_name(item: &SelectItem, frame: &Frame) -> Result<Option<String>> {
    match (&item.alias, &item.expression.kind) {
        (None, ExpressionKind::Column(names)) => {
            let found = frame.scope.find(names)?.filter(|found| found.names == names.len());
            Ok(found.map(|found| found.column.column.name.clone()))
        }
        _ => Ok(None),
    }
}

pub(super) fn item_name(item: &SelectItem) -> String {
    item.alias.as_ref().map_or_else(|| item.expression.column_name(), |alias| alias.text.clone())
}

/// The number of an ordinal: a whole number written as such.
pub(super) fn ordinal(tree: &tree::Expression) -> Option<i64> {
    match &tree.kind {
        ExpressionKind::Literal(LiteralText::Number(digits)) => digits.parse().ok(),
        _ => None,
    }
}

/// The position of the item that an ordinal means.
pub(super) fn item_at(ordinal: i64, count: usize, clause: &str, span: Span) -> Result<usize> {
    let position = usize::try_from(ordinal).ok().and_then(|ordinal| ordinal.checked_sub(1));
    position.filter(|position| *position < count).ok_or_else(|| {
        Error::invalid(
            format!("{clause} {ordinal} is outside of the select list, which has {count} items"),
            span,
        )
    })
}

fn check_distinct_order(order: &[Order], order_by: &OrderBy) -> Result<()> {
    let OrderBy::Terms(terms) = order_by else { return Ok(()) };
    match order.iter().position(|order| matches!(order.target, Target::Hidden(_))) {
        Some(position) => {
            let span = terms.get(position).or(terms.last()).map_or(Span::NONE, |term| term.expression.span);
            Err(Error::invalid("ORDER BY of SELECT DISTINCT can only hold what is selected", span))
        }
        None => Ok(()),
    }
}

/// A null of this type, for columns that one side of a union lacks.
pub(super) fn null_of(data_type: Type) -> Expression {
    Expression::Literal(Literal::null(data_type))
}
