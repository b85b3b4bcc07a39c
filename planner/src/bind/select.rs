//! SELECT: its clauses in the order in which they take effect.

use std::rc::Rc;

use hypostyle_engine::plan::{Expression, SortKey};
use hypostyle_functions::{Literal, Type};

use crate::bind::Binder;
use crate::bind::aggregate::Grouping;
use crate::bind::frame::{Alias, Clause, Frame, Meeting, Pending};
use crate::bind::scope::Bound;
use crate::bind::window::resolve_named;
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Relation};
use crate::span::Span;
use crate::tree::{self, Call, ExpressionKind, GroupBy, LiteralText, OrderBy, Select, SelectItem};

/// One column of the result.
struct Item {
    name: String,
    expression: Expression,
}

/// What ORDER BY sorts by.
enum Target {
    /// A column of the result.
    Item(usize),
    /// Something else, computed beside the result.
    Hidden(Expression),
}

struct Order {
    target: Target,
    descending: bool,
    nulls_first: bool,
}

impl Binder<'_> {
    /// Binds a SELECT and the ORDER BY of its query, which may read what is not selected.
    pub(super) fn select(&mut self, select: &Select, order_by: &OrderBy) -> Result<Relation> {
        if !select.windows.is_empty() {
            let (mut select, mut order_by) = (select.clone(), order_by.clone());
            resolve_named(&mut select, &mut order_by)?;
            return self.select(&select, &order_by);
        }
        let source = self.from(&select.from)?;
        let mut frame = Frame::new(Rc::new(source.scope), Clause::Where);
        let expanded = self.expanded_items(&select.items, &frame)?;
        frame.aliases = aliases(&expanded);
        frame.aliases_visible = frame.aliases.len();
        let relation = self.filter(source.relation, select.filter.as_ref(), &mut frame)?;

        frame.clause = Clause::Select;
        let mut items = self.items(&expanded, &mut frame)?;
        frame.aliases_visible = frame.aliases.len();
        let mut having = self.having(select.having.as_ref(), &mut frame)?;
        let mut qualify = self.qualify(select.qualify.as_ref(), &mut frame)?;
        let mut order = self.order(order_by, &items, &mut frame)?;
        if select.distinct {
            check_distinct_order(&order, order_by)?;
        }
        let keys = self.group_keys(&select.group_by, &items, &mut frame)?;
        frame.move_inside(&keys);
        let aggregated =
            !matches!(select.group_by, GroupBy::None) || !frame.calls.is_empty() || having.is_some();
        let relation = self.attach(relation, std::mem::take(&mut frame.pending_inside))?;
        let relation = match aggregated {
            true => {
                group_all(&keys, &mut items, [&mut having, &mut qualify], &mut order, &mut frame)?;
                let aggregates = std::mem::take(&mut frame.calls);
                Relation::Aggregate { input: Box::new(relation), keys, aggregates }
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
        Ok(self.output(relation, items, order, select.distinct))
    }

    fn filter(
        &mut self,
        relation: Relation,
        filter: Option<&tree::Expression>,
        frame: &mut Frame,
    ) -> Result<Relation> {
        let Some(filter) = filter else { return Ok(relation) };
        let condition = self.condition(filter, frame)?;
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
            match &item.expression.kind {
                ExpressionKind::Star(star) => {
                    let columns = self.star(star, span, frame)?;
                    bound.extend(
                        columns.into_iter().map(|(name, bound)| Item { name, expression: bound.expression }),
                    );
                }
                ExpressionKind::Call(call) if is_unnest_of_struct(call) && item.alias.is_none() => {
                    bound.extend(self.unnest_item(item, call, frame)?);
                }
                _ => {
                    let expression = self.untyped_as_text(&item.expression, frame)?.expression;
                    bound.push(Item { name: item_name(item), expression });
                }
            }
            frame.aliases_visible += usize::from(item.alias.is_some());
        }
        Ok(bound)
    }

    /// `unnest(list)` among other things in a select list: the list is unnested below, beside the others.
    pub(super) fn unnest(&mut self, call: &Call, span: Span, frame: &mut Frame) -> Result<Bound> {
        if !matches!(frame.clause, Clause::Select) || frame.inside_aggregate || !frame.variables.is_empty() {
            return Err(Error::invalid(
                "unnest stands in a select list or in FROM, and not inside an aggregate",
                span,
            ));
        }
        let [argument] = call.arguments.as_slice() else {
            return Err(Error::invalid("unnest takes one list here", span));
        };
        let before = frame.unnests.len();
        let bound = self.expression(&argument.value, frame)?;
        if frame.unnests.len() > before {
            return Err(Error::unsupported("unnest inside unnest is", span));
        }
        let (expression, element) = self.unnestable(bound, argument.value.span)?;
        let column = self.new_column("unnest", element);
        let read = column.read();
        frame.unnests.push(Computed { column, expression });
        Ok(Bound::typed(read))
    }

    /// `unnest(struct)` is one column per field.
    fn unnest_item(&mut self, item: &SelectItem, call: &Call, frame: &mut Frame) -> Result<Vec<Item>> {
        let Some(argument) = call.arguments.first() else {
            return Err(Error::invalid("unnest takes a list", item.expression.span));
        };
        let bound = self.expression(&argument.value, frame)?;
        match bound.data_type() {
            Type::Struct(fields) => fields
                .into_iter()
                .map(|field| {
                    let name = tree::Name::new(field.name.clone(), argument.value.span);
                    let expression = self.field(bound.clone(), &name)?.expression;
                    Ok(Item { name: field.name, expression })
                })
                .collect(),
            _ => {
                let (expression, element) = self.unnestable(bound, argument.value.span)?;
                let column = self.new_column("unnest", element);
                let read = column.read();
                frame.unnests.push(Computed { column, expression });
                Ok(vec![Item { name: item_name(item), expression: read }])
            }
        }
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

    fn group_keys(&mut self, group_by: &GroupBy, items: &[Item], frame: &mut Frame) -> Result<Vec<Computed>> {
        frame.clause = Clause::GroupBy;
        let mut expressions: Vec<(Expression, String)> = Vec::new();
        match group_by {
            GroupBy::None => {}
            GroupBy::All => {
                if let Some(item) = items.iter().find(|item| frame.reads_window(&item.expression)) {
                    let message =
                        format!("GROUP BY ALL cannot hold \"{}\", which is over a window", item.name);
                    return Err(Error::invalid(message, Span::NONE));
                }
                let computed =
                    |item: &&Item| !frame.reads_aggregate(&item.expression) && !reads_unnest(item, frame);
                expressions.extend(
                    items.iter().filter(computed).map(|item| (item.expression.clone(), item.name.clone())),
                );
            }
            GroupBy::Expressions(keys) => {
                for key in keys {
                    expressions.push(self.group_key(key, items, frame)?);
                }
            }
        }
        let mut keys: Vec<Computed> = Vec::with_capacity(expressions.len());
        for (expression, name) in expressions {
            if keys.iter().any(|key| key.expression == expression) {
                continue;
            }
            let column = match &expression {
                Expression::Column { index, data_type } if !self.is_outer(*index) => {
                    Column { id: *index, name, data_type: data_type.clone() }
                }
                other => self.new_column(name, other.data_type()),
            };
            keys.push(Computed { column, expression });
        }
        Ok(keys)
    }

    /// A key is an ordinal, a column, a name of the select list, or any expression of these.
    fn group_key(
        &mut self,
        key: &tree::Expression,
        items: &[Item],
        frame: &mut Frame,
    ) -> Result<(Expression, String)> {
        let position = match (ordinal(key), &key.kind) {
            (Some(ordinal), _) => Some(item_at(ordinal, items.len(), "GROUP BY", key.span)?),
            (None, ExpressionKind::Column(names)) if frame.scope.find(names)?.is_none() => {
                match names.as_slice() {
                    [name] => items.iter().position(|item| name.is(&item.name)),
                    _ => None,
                }
            }
            _ => None,
        };
        let Some(item) = position.and_then(|position| items.get(position)) else {
            let expression = self.untyped_as_text(key, frame)?.expression;
            return Ok((expression, key.column_name()));
        };
        if frame.reads_aggregate(&item.expression) {
            let message = format!("GROUP BY cannot hold \"{}\", which holds an aggregate", item.name);
            return Err(Error::invalid(message, key.span));
        }
        if frame.reads_window(&item.expression) {
            let message = format!("GROUP BY cannot hold \"{}\", which is over a window", item.name);
            return Err(Error::invalid(message, key.span));
        }
        Ok((item.expression.clone(), item.name.clone()))
    }

    fn order(&mut self, order_by: &OrderBy, items: &[Item], frame: &mut Frame) -> Result<Vec<Order>> {
        frame.clause = Clause::OrderBy;
        match order_by {
            OrderBy::None => Ok(Vec::new()),
            OrderBy::All { descending, nulls_first } => Ok((0..items.len())
                .map(|item| Order {
                    target: Target::Item(item),
                    descending: *descending,
                    nulls_first: nulls_first.unwrap_or(false),
                })
                .collect()),
            OrderBy::Terms(terms) => {
                let mut order = Vec::with_capacity(terms.len());
                for term in terms {
                    let target = self.order_target(&term.expression, items, frame)?;
                    let nulls_first = term.nulls_first.unwrap_or(false);
                    order.push(Order { target, descending: term.descending, nulls_first });
                }
                Ok(order)
            }
        }
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
        distinct: bool,
    ) -> Relation {
        let count = items.len();
        let mut expressions: Vec<(String, Expression)> =
            items.into_iter().map(|item| (item.name, item.expression)).collect();
        let mut positions = Vec::with_capacity(order.len());
        for (target, descending, nulls_first) in
            order.into_iter().map(|order| (order.target, order.descending, order.nulls_first))
        {
            let position = match target {
                Target::Item(position) => position,
                Target::Hidden(expression) => {
                    expressions.push((String::new(), expression));
                    expressions.len() - 1
                }
            };
            positions.push((position, descending, nulls_first));
        }
        let mut relation = self.project(relation, expressions);
        let columns = relation.columns();
        if distinct {
            relation = distinct_rows(relation);
        }
        if !positions.is_empty() {
            let keys = positions.into_iter().filter_map(|(position, descending, nulls_first)| {
                Some(SortKey { expression: columns.get(position)?.read(), descending, nulls_first })
            });
            relation = Relation::Sort { input: Box::new(relation), keys: keys.collect(), limit: None };
        }
        if columns.len() > count {
            let columns = columns.into_iter().take(count).map(Computed::passed).collect();
            relation = Relation::Project { input: Box::new(relation), columns };
        }
        relation
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
pub(super) fn distinct_rows(relation: Relation) -> Relation {
    let keys = relation.columns().into_iter().map(Computed::passed).collect();
    Relation::Aggregate { input: Box::new(relation), keys, aggregates: Vec::new() }
}

/// Rewrites everything above the grouping in terms of keys and aggregates.
fn group_all(
    keys: &[Computed],
    items: &mut [Item],
    conditions: [&mut Option<Expression>; 2],
    order: &mut [Order],
    frame: &mut Frame,
) -> Result<()> {
    let mut available: std::collections::HashSet<usize> = keys.iter().map(|key| key.column.id).collect();
    available.extend(frame.calls.iter().map(|(column, _)| column.id));
    available.extend(frame.unnests.iter().map(|list| list.column.id));
    available.extend(frame.windows.iter().map(|(column, _)| column.id));
    available.extend(frame.pending.iter().flat_map(Pending::columns));
    // What is not of FROM here belongs to a query around this one, or inside: it is the same for a whole group.
    let scope = Rc::clone(&frame.scope);
    let here: std::collections::HashSet<usize> =
        scope.columns().iter().map(|column| column.column.id).collect();
    let is_available = |id: usize| available.contains(&id) || !here.contains(&id);
    let grouping = Grouping { keys, available: &is_available };
    let mut unnests = std::mem::take(&mut frame.unnests);
    let mut pending = std::mem::take(&mut frame.pending);
    let mut windows = std::mem::take(&mut frame.windows);
    for item in items {
        grouping.rewrite(&mut item.expression, frame)?;
    }
    for condition in conditions.into_iter().flatten() {
        grouping.rewrite(condition, frame)?;
    }
    for expression in windows.iter_mut().flat_map(|(_, window)| window.expressions_mut()) {
        grouping.rewrite(expression, frame)?;
    }
    for order in order {
        if let Target::Hidden(expression) = &mut order.target {
            grouping.rewrite(expression, frame)?;
        }
    }
    for list in &mut unnests {
        grouping.rewrite(&mut list.expression, frame)?;
    }
    for subquery in &mut pending {
        let span = subquery.span;
        group_subquery(subquery, &grouping, frame).map_err(|error| error.at(span))?;
    }
    frame.unnests = unnests;
    frame.pending = pending;
    frame.windows = windows;
    Ok(())
}

/// A subquery of a grouped query reads keys where it reads columns around it.
fn group_subquery(subquery: &mut Pending, grouping: &Grouping<'_>, frame: &Frame) -> Result<()> {
    if let Meeting::Mark { keys, .. } = &mut subquery.meeting {
        keys.iter_mut().try_for_each(|key| grouping.rewrite(&mut key.left, frame))?;
    }
    if !subquery.is_correlated {
        return Ok(());
    }
    let mut outcome = Ok(());
    subquery.relation.walk_mut(&mut |part| {
        for expression in part.expressions_mut() {
            if outcome.is_ok() {
                outcome = grouping.rewrite(expression, frame);
            }
        }
    });
    outcome
}

fn aliases(items: &[SelectItem]) -> Vec<Alias> {
    let named = items.iter().filter_map(|item| Some((item.alias.as_ref()?, item)));
    named
        .map(|(alias, item)| Alias { name: alias.text.clone(), expression: Rc::new(item.expression.clone()) })
        .collect()
}

fn item_name(item: &SelectItem) -> String {
    item.alias.as_ref().map_or_else(|| item.expression.column_name(), |alias| alias.text.clone())
}

fn is_unnest_of_struct(call: &Call) -> bool {
    call.name.is("unnest") && call.is_plain() && call.arguments.len() == 1
}

fn reads_unnest(item: &Item, frame: &Frame) -> bool {
    item.expression.columns().iter().any(|id| frame.unnests.iter().any(|list| list.column.id == *id))
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
    let hidden = order.iter().zip(terms).find(|(order, _)| matches!(order.target, Target::Hidden(_)));
    match hidden {
        Some((_, term)) => {
            let message = "ORDER BY of SELECT DISTINCT can only hold what is selected";
            Err(Error::invalid(message, term.expression.span))
        }
        None => Ok(()),
    }
}

/// A null of this type, for columns that one side of a union lacks.
pub(super) fn null_of(data_type: Type) -> Expression {
    Expression::Literal(Literal::null(data_type))
}
