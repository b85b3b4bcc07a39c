//! GROUP BY: keys, grouping sets, and what stands above the groups in terms of them.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use hypostyle_engine::plan::{Expression, GROUPING_KEYS_MAX, GROUPING_SETS_MAX};
use hypostyle_functions::{Literal, Type, Value};

use crate::bind::Binder;
use crate::bind::aggregate::Grouping;
use crate::bind::frame::{Clause, Frame, Meeting, Pending};
use crate::bind::scope::Bound;
use crate::bind::select::{Item, Order, Target, item_at, ordinal};
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, GroupingSets};
use crate::span::Span;
use crate::tree::{self, Call, ExpressionKind, GroupBy, GroupElement};

/// What rows are grouped by.
pub(super) struct Groups {
    /// The keys.
    pub keys: Vec<Computed>,
    /// The grouping sets, unless all keys are the only one.
    pub sets: Option<GroupingSets>,
    /// Values of which any of the group is shown, with the key whose collation made them equal.
    pub shown: Vec<(Expression, Column)>,
}

/// Keys while they are gathered: equal ones are one key.
#[derive(Default)]
struct Keys {
    keys: Vec<Key>,
}

struct Key {
    expression: Expression,
    name: String,
    /// The value before its collation.
    shown: Option<Expression>,
}

impl Keys {
    fn add(&mut self, key: Key) -> usize {
        match self.keys.iter().position(|known| known.expression == key.expression) {
            Some(position) => position,
            None => {
                self.keys.push(key);
                self.keys.len() - 1
            }
        }
    }
}

impl Binder<'_> {
    /// The keys and sets of GROUP BY.
    pub(super) fn groups(&mut self, group_by: &GroupBy, items: &[Item], frame: &mut Frame) -> Result<Groups> {
        frame.clause = Clause::GroupBy;
        let mut keys = Keys::default();
        let mut sets = None;
        match group_by {
            GroupBy::None => {}
            GroupBy::All => {
                if let Some(item) = items.iter().find(|item| frame.reads_window(&item.expression)) {
                    let message =
                        format!("GROUP BY ALL cannot hold \"{}\", which is over a window", item.name);
                    return Err(Error::invalid(message, Span::NONE));
                }
                for item in items {
                    if !frame.reads_aggregate(&item.expression) && !reads_unnest(item, frame) {
                        let expression = item.expression.clone();
                        keys.add(Key { expression, name: item.name.clone(), shown: None });
                    }
                }
            }
            GroupBy::Expressions(expressions) => {
                for key in expressions {
                    keys.add(self.group_key(key, items, frame)?);
                }
            }
            GroupBy::Sets(elements) => sets = Some(self.all_sets(elements, &mut keys, items, frame)?),
        }
        if let Some(grouping) = frame.groupings.first()
            && matches!(group_by, GroupBy::None | GroupBy::All)
        {
            return Err(Error::invalid("GROUPING needs the keys of a GROUP BY", grouping.span));
        }
        let sets = sets.map(|sets| GroupingSets { sets, id: self.new_column("grouping_id", Type::Int64) });
        if sets.is_some() && keys.keys.len() > GROUPING_KEYS_MAX {
            let message = format!(
                "grouping sets of {} keys; at most {GROUPING_KEYS_MAX} are possible",
                keys.keys.len()
            );
            return Err(Error::invalid(message, Span::NONE));
        }
        self.computed_keys(keys, sets, frame)
    }

    fn computed_keys(&mut self, keys: Keys, sets: Option<GroupingSets>, frame: &mut Frame) -> Result<Groups> {
        let mut shown = Vec::new();
        let mut computed = Vec::with_capacity(keys.keys.len());
        for Key { expression, name, shown: value } in keys.keys {
            let column = match &expression {
                Expression::Column { index, data_type } if sets.is_none() && !self.is_outer(*index) => {
                    Column { id: *index, name, data_type: data_type.clone() }
                }
                other => self.new_column(name, other.data_type()),
            };
            if let Some(value) = value {
                let call = self.first_value(value.clone())?;
                let first = self.new_column(column.name.clone(), call.data_type.clone());
                frame.calls.push((first.clone(), call));
                shown.push((value, first));
            }
            computed.push(Computed { column, expression });
        }
        Ok(Groups { keys: computed, sets, shown })
    }

    /// A key is an ordinal, a column, a name of the select list, or any expression of these.
    fn group_key(&mut self, key: &tree::Expression, items: &[Item], frame: &mut Frame) -> Result<Key> {
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
        let (value, name, collation) = match position.and_then(|position| items.get(position)) {
            Some(item) => {
                if frame.reads_aggregate(&item.expression) {
                    let message = format!("GROUP BY cannot hold \"{}\", which holds an aggregate", item.name);
                    return Err(Error::invalid(message, key.span));
                }
                if frame.reads_window(&item.expression) {
                    let message = format!("GROUP BY cannot hold \"{}\", which is over a window", item.name);
                    return Err(Error::invalid(message, key.span));
                }
                (item.expression.clone(), item.name.clone(), item.collation.clone())
            }
            None => {
                let expression = self.untyped_as_text(key, frame)?.expression;
                (expression, key.column_name(), self.collation(key, frame)?)
            }
        };
        match collation {
            None => Ok(Key { expression: value, name, shown: None }),
            Some(collation) => {
                let expression = self.collated(Bound::typed(value.clone()), &collation, key.span)?.expression;
                Ok(Key { expression, name, shown: Some(value) })
            }
        }
    }

    /// The sets of all elements combined, each as positions of keys.
    fn all_sets(
        &mut self,
        elements: &[GroupElement],
        keys: &mut Keys,
        items: &[Item],
        frame: &mut Frame,
    ) -> Result<Vec<Vec<usize>>> {
        let mut all: Vec<Vec<usize>> = vec![Vec::new()];
        for element in elements {
            let own = self.element_sets(element, keys, items, frame)?;
            check_count(all.len().saturating_mul(own.len()))?;
            let combined = all.iter().flat_map(|set| {
                own.iter().map(|more| {
                    let mut set = set.clone();
                    set.extend(more.iter().filter(|key| !set.contains(key)).copied().collect::<Vec<_>>());
                    set
                })
            });
            all = combined.collect();
        }
        Ok(all)
    }

    fn element_sets(
        &mut self,
        element: &GroupElement,
        keys: &mut Keys,
        items: &[Item],
        frame: &mut Frame,
    ) -> Result<Vec<Vec<usize>>> {
        match element {
            GroupElement::Keys(expressions) => {
                Ok(vec![self.key_positions(expressions, keys, items, frame)?])
            }
            GroupElement::Rollup(lists) => {
                let mut sets = vec![Vec::new()];
                let mut held: Vec<usize> = Vec::new();
                for list in lists {
                    held.extend(self.key_positions(list, keys, items, frame)?);
                    sets.push(held.clone());
                }
                sets.reverse();
                Ok(sets)
            }
            GroupElement::Cube(lists) => {
                let count = u32::try_from(lists.len()).ok().and_then(|count| 1usize.checked_shl(count));
                check_count(count.unwrap_or(usize::MAX))?;
                let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
                for list in lists {
                    let more = self.key_positions(list, keys, items, frame)?;
                    let with: Vec<Vec<usize>> =
                        sets.iter().map(|set| set.iter().chain(&more).copied().collect()).collect();
                    sets.extend(with);
                }
                Ok(sets)
            }
            GroupElement::Sets(elements) => {
                let mut sets = Vec::new();
                for element in elements {
                    sets.extend(self.element_sets(element, keys, items, frame)?);
                    check_count(sets.len())?;
                }
                Ok(sets)
            }
        }
    }

    fn key_positions(
        &mut self,
        expressions: &[tree::Expression],
        keys: &mut Keys,
        items: &[Item],
        frame: &mut Frame,
    ) -> Result<Vec<usize>> {
        expressions.iter().map(|key| Ok(keys.add(self.group_key(key, items, frame)?))).collect()
    }

    /// `GROUPING(a, b)`: a number whose value is known once the keys are. It stands for a column until then.
    pub(super) fn grouping_call(&mut self, call: &Call, span: Span, frame: &mut Frame) -> Result<Bound> {
        if !matches!(frame.clause, Clause::Select | Clause::Having | Clause::OrderBy)
            || frame.inside_aggregate
        {
            let message = "GROUPING stands in the select list, in HAVING and in ORDER BY";
            return Err(Error::invalid(message, span));
        }
        let mut keys = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            let name = argument.value.column_name();
            keys.push((self.untyped_as_text(&argument.value, frame)?.expression, name));
        }
        let column = self.new_column("grouping", Type::Int64);
        let read = column.read();
        frame.groupings.push(GroupingCall { column, keys, span });
        Ok(Bound::typed(read))
    }

    /// What each GROUPING stands for, by the number of its column.
    fn grouping_values(&mut self, groups: &Groups, frame: &mut Frame) -> Result<HashMap<usize, Expression>> {
        let mut values = HashMap::new();
        for call in std::mem::take(&mut frame.groupings) {
            values.insert(call.column.id, self.grouping_value(groups, &call)?);
        }
        Ok(values)
    }

    fn grouping_value(&mut self, groups: &Groups, call: &GroupingCall) -> Result<Expression> {
        let mut positions = Vec::with_capacity(call.keys.len());
        for (key, name) in &call.keys {
            let position = groups.keys.iter().position(|known| known.expression == *key);
            positions.push(position.ok_or_else(|| {
                Error::invalid(format!("GROUPING takes keys of GROUP BY; \"{name}\" is none"), call.span)
            })?);
        }
        let count = groups.keys.len();
        let number = |value: i64| Expression::Literal(Literal::new(Value::Int64(value)));
        let Some(sets) = &groups.sets else { return Ok(number(0)) };
        let all_in_order = positions.len() == count && positions.iter().copied().eq(0..count);
        if positions.is_empty() || all_in_order {
            return Ok(sets.id.read());
        }
        let mut apply = |function: &str, left: Expression, right: Expression| {
            let arguments = vec![(Bound::typed(left), call.span), (Bound::typed(right), call.span)];
            self.apply(function, arguments, call.span).map(|bound| bound.expression)
        };
        let mut value: Option<Expression> = None;
        for position in positions {
            let shift = i64::try_from(count - 1 - position).unwrap_or(0);
            let shifted = apply(">>", sets.id.read(), number(shift))?;
            let bit = apply("&", shifted, number(1))?;
            value = Some(match value {
                None => bit,
                Some(higher) => {
                    let higher = apply("<<", higher, number(1))?;
                    apply("|", higher, bit)?
                }
            });
        }
        value.ok_or_else(|| Error::internal("GROUPING without a key"))
    }

    /// Rewrites everything above the grouping in terms of keys and aggregates.
    pub(super) fn group_all(
        &mut self,
        groups: &Groups,
        items: &mut [Item],
        conditions: [&mut Option<Expression>; 2],
        order: &mut [Order],
        frame: &mut Frame,
    ) -> Result<()> {
        let values = self.grouping_values(groups, frame)?;
        let available = available(groups, frame);
        // What is not of FROM here belongs to a query around this one, or inside: it is the same for a whole group.
        let scope = Rc::clone(&frame.scope);
        let here: HashSet<usize> = scope.columns().iter().map(|column| column.column.id).collect();
        let is_available = |id: usize| available.contains(&id) || !here.contains(&id);
        let grouping =
            Grouping { keys: &groups.keys, shown: &groups.shown, values: &values, available: &is_available };
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
}

/// A GROUPING that was met, and the column that stands for it.
#[derive(Debug)]
pub struct GroupingCall {
    column: Column,
    /// Its arguments, with their names.
    keys: Vec<(Expression, String)>,
    span: Span,
}

/// Columns that are there after grouping.
fn available(groups: &Groups, frame: &Frame) -> HashSet<usize> {
    let mut available: HashSet<usize> = groups.keys.iter().map(|key| key.column.id).collect();
    available.extend(frame.calls.iter().map(|(column, _)| column.id));
    available.extend(frame.unnests.iter().map(|list| list.column.id));
    available.extend(frame.windows.iter().map(|(column, _)| column.id));
    available.extend(groups.sets.iter().map(|sets| sets.id.id));
    available.extend(frame.pending.iter().flat_map(Pending::columns));
    available
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

fn check_count(sets: usize) -> Result<()> {
    match sets > GROUPING_SETS_MAX {
        true => {
            let message = format!("more than {GROUPING_SETS_MAX} grouping sets");
            Err(Error::invalid(message, Span::NONE))
        }
        false => Ok(()),
    }
}

fn reads_unnest(item: &Item, frame: &Frame) -> bool {
    item.expression.columns().iter().any(|id| frame.unnests.iter().any(|list| list.column.id == *id))
}
