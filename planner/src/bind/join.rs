//! Joins: which rows pair, and which columns both sides share.

use std::rc::Rc;

use hypostyle_engine::plan::{Expression, JoinKey, JoinKind as Kind};
use hypostyle_functions::Type;

use crate::bind::Binder;
use crate::bind::call::equality_of;
use crate::bind::frame::{Clause, Frame, Pending};
use crate::bind::from::{Source, named};
use crate::bind::scope::{Bound, Scope, ScopeColumn};
use crate::bind::subquery_attach::reads_columns_of;
use crate::bind::table_function::numbered_lists;
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Join, Relation, conjuncts, one_row};
use crate::nearest::nearest;
use crate::span::Span;
use crate::tree::{
    Argument, ExpressionKind, JoinCondition, JoinKind, LiteralText, Name, Table, TableAlias, TableKind,
};

impl Binder<'_> {
    /// Joins a table to what stands left of it.
    pub(super) fn join(
        &mut self,
        left: Source,
        right: &Table,
        kind: JoinKind,
        condition: &JoinCondition,
        span: Span,
    ) -> Result<Source> {
        if let TableKind::Function { name, arguments, ordinality } = &right.kind
            && (name.is("unnest") || *ordinality)
            && let Some(outer) = direct_unnest(kind, condition)
        {
            let alias = right.alias.as_ref();
            if *ordinality {
                let (lists, alias) = numbered_lists(name, arguments, alias, right.span);
                return self.unnest_table(left, &lists, Some(&alias), outer, right.span);
            }
            return self.unnest_table(left, arguments, alias, outer, right.span);
        }
        // Names of the left side make the right side depend on it, whether it says LATERAL or not.
        let reads = self.outer_reads;
        let right_span = right.span;
        self.outer.push(Rc::new(left.scope.clone()));
        let right = self.deeper(span, |binder| binder.table(right));
        self.outer.pop();
        let right = right?;
        if let Some(call) = self.outer_calls.iter().find(|call| call.scopes == self.outer.len()) {
            let message = "an aggregate of columns of the tables before this one stands in FROM";
            return Err(Error::invalid(message, call.span));
        }
        let depends = self.outer_reads > reads && reads_columns_of(&right.relation, &left.relation);
        if depends && !matches!(kind, JoinKind::Inner | JoinKind::Cross | JoinKind::Left) {
            let message =
                "a table that reads columns of the tables before it can only be joined by INNER or LEFT JOIN";
            return Err(Error::invalid(message, right_span));
        }
        let lateral = depends.then_some(right_span);
        if kind == JoinKind::Positional {
            let mut scope = left.scope;
            scope.extend(right.scope);
            let (left, right) = (Box::new(left.relation), Box::new(right.relation));
            return Ok(Source { relation: Relation::Positional { left, right }, scope });
        }
        let kind = match kind {
            JoinKind::Inner | JoinKind::Cross | JoinKind::Positional => Kind::Inner,
            JoinKind::Left => Kind::Left,
            JoinKind::Right => Kind::Right,
            JoinKind::Full => Kind::Full,
            JoinKind::Semi => Kind::LeftSemi,
            JoinKind::Anti => Kind::LeftAnti,
        };
        match condition {
            JoinCondition::None => self.joined(left, right, kind, (Vec::new(), Vec::new()), lateral),
            JoinCondition::On(condition) => self.join_on(left, right, kind, condition, lateral),
            JoinCondition::Using(names) => self.join_using(left, right, kind, names, lateral),
            JoinCondition::AsOf(_) if lateral.is_some() => Err(Error::unsupported(
                "ASOF JOIN of a table that reads columns of the tables before it is",
                right_span,
            )),
            JoinCondition::AsOf(condition) => self.join_as_of(left, right, kind, condition, span),
            JoinCondition::Natural => {
                let names = shared_names(&left.scope, &right.scope, span)?;
                self.join_using(left, right, kind, &names, lateral)
            }
        }
    }

    fn join_on(
        &mut self,
        mut left: Source,
        mut right: Source,
        kind: Kind,
        condition: &crate::tree::Expression,
        lateral: Option<Span>,
    ) -> Result<Source> {
        let mut scope = left.scope.clone();
        scope.extend(right.scope.clone());
        let mut frame = Frame::new(Rc::new(scope), Clause::On);
        let bound = self.condition(condition, &mut frame)?;
        if kind == Kind::Inner && !frame.pending.is_empty() {
            let mut source = self.joined(left, right, kind, (Vec::new(), Vec::new()), lateral)?;
            source.relation = self.attach_and_filter(source.relation, Some(bound), frame.pending)?;
            return Ok(source);
        }
        // The columns of a subquery stand beside those of the side that it reads.
        let reads = |pending: &Pending, relation: &Relation| {
            pending.outer_columns().iter().any(|id| relation.has_column(*id))
        };
        let both = |pending: &&Pending| reads(pending, &left.relation) && reads(pending, &right.relation);
        if let Some(span) = frame.pending.iter().find(both).map(|pending| pending.span) {
            return self.join_by_subquery(left, right, kind, bound, frame.pending, span);
        }
        for pending in frame.pending {
            let side = if reads(&pending, &right.relation) { &mut right } else { &mut left };
            let relation = std::mem::replace(&mut side.relation, one_row());
            side.relation = self.attach(relation, vec![pending])?;
        }
        let mut terms = Vec::new();
        conjuncts(bound, &mut terms);
        let parts = split_keys(terms, &left.relation, &right.relation);
        self.joined(left, right, kind, parts, lateral)
    }

    /// A join whose condition holds a subquery that reads both sides: the side without rows of its own to keep is
    /// filtered for each row of the other one, as a lateral table is.
    fn join_by_subquery(
        &mut self,
        left: Source,
        right: Source,
        kind: Kind,
        condition: Expression,
        pending: Vec<Pending>,
        span: Span,
    ) -> Result<Source> {
        let mut scope = left.scope;
        if !matches!(kind, Kind::LeftSemi | Kind::LeftAnti) {
            scope.extend(right.scope);
        }
        let (kept, filtered, kind) = match kind {
            Kind::Right => (right.relation, left.relation, Kind::Left),
            Kind::Full => {
                let (left, right) = (left.relation, right.relation);
                let relation = self.full_join_by_subquery(left, right, condition, pending, span)?;
                return Ok(Source { relation, scope });
            }
            kind => (left.relation, right.relation, kind),
        };
        let filtered = self.attach_and_filter(filtered, Some(condition), pending)?;
        let (left, right) = (Box::new(kept), Box::new(filtered));
        let join = Join { left, right, kind, keys: Vec::new(), residual: Vec::new(), mark: None };
        Ok(Source { relation: self.dependent_join(join, span)?, scope })
    }

    /// USING: the pair of columns is one column afterwards.
    fn join_using(
        &mut self,
        left: Source,
        right: Source,
        kind: Kind,
        names: &[Name],
        lateral: Option<Span>,
    ) -> Result<Source> {
        let mut keys = Vec::with_capacity(names.len());
        let mut pairs = Vec::with_capacity(names.len());
        for name in names {
            let left_column = side_column(&left.scope, name)?;
            let right_column = side_column(&right.scope, name)?;
            self.check_present(left_column.id, name.span)?;
            self.check_present(right_column.id, name.span)?;
            let (left_bound, right_bound) =
                (Bound::typed(left_column.read()), Bound::typed(right_column.read()));
            let Some(common) = self.comparable(&[&left_bound, &right_bound]) else {
                let (left, right) = (left_column.data_type, right_column.data_type);
                let message =
                    format!("column \"{}\" is {left} on one side and {right} on the other", name.text);
                return Err(Error::invalid(message, name.span));
            };
            keys.push(JoinKey {
                left: self.cast(left_bound, &common, name.span)?,
                right: self.cast(right_bound, &common, name.span)?,
                nulls_match: false,
            });
            pairs.push((name.text.clone(), left_column, right_column, common));
        }
        let mut source = self.joined(left, right, kind, (keys, Vec::new()), lateral)?;
        for (name, left, right, common) in pairs {
            source = self.merged(source, kind, &name, left, right, &common)?;
        }
        Ok(source)
    }

    /// Hides the side of a pair that may be null without a match; of a full join neither side is enough.
    pub(super) fn merged(
        &mut self,
        mut source: Source,
        kind: Kind,
        name: &str,
        left: Column,
        right: Column,
        common: &Type,
    ) -> Result<Source> {
        match kind {
            Kind::Inner | Kind::Left => source.scope.hide(right.id),
            Kind::Right => {
                source.scope = exchanged(&source.scope, left.id, right.id);
            }
            Kind::Full => {
                let sides = vec![
                    self.cast(Bound::typed(left.read()), common, Span::NONE)?,
                    self.cast(Bound::typed(right.read()), common, Span::NONE)?,
                ];
                let value = Expression::Coalesce { arguments: sides, data_type: common.clone() };
                let column = self.new_column(name, common.clone());
                let passed = source.relation.columns().into_iter().map(Computed::passed);
                let columns =
                    passed.chain([Computed { column: column.clone(), expression: value }]).collect();
                source.relation = Relation::Project { input: Box::new(source.relation), columns };
                source.scope = replaced(&source.scope, left.id, right.id, column);
            }
            // Semi and anti joins keep only the left column.
            _ => {}
        }
        Ok(source)
    }

    /// The join of two sources; `lateral` is the place of a right one that reads columns of the left one.
    fn joined(
        &mut self,
        left: Source,
        right: Source,
        kind: Kind,
        (keys, mut residual): (Vec<JoinKey>, Vec<Expression>),
        lateral: Option<Span>,
    ) -> Result<Source> {
        let mut scope = left.scope;
        if matches!(kind, Kind::Inner | Kind::Left | Kind::Right | Kind::Full) {
            scope.extend(right.scope);
        }
        residual.retain(
            |term| !matches!(term, Expression::Literal(literal) if literal.value.as_bool() == Some(true)),
        );
        let (left, right) = (Box::new(left.relation), Box::new(right.relation));
        let join = Join { left, right, kind, keys, residual, mark: None };
        let relation = match lateral {
            Some(span) => self.dependent_join(join, span)?,
            None => Relation::Join(join),
        };
        Ok(Source { relation, scope })
    }

    /// Unnests lists beside the rows of a source.
    pub(super) fn unnest_table(
        &mut self,
        left: Source,
        arguments: &[Argument],
        alias: Option<&TableAlias>,
        outer: bool,
        span: Span,
    ) -> Result<Source> {
        let mut frame = Frame::new(Rc::new(left.scope.clone()), Clause::Arguments);
        let mut lists = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let bound = self.expression(&argument.value, &mut frame)?;
            let (expression, element) = self.unnestable(bound, argument.value.span)?;
            lists.push(Computed { column: self.new_column("unnest", element), expression });
        }
        if lists.is_empty() {
            return Err(Error::invalid("unnest takes a list", span));
        }
        let columns: Vec<Column> = lists.iter().map(|list| list.column.clone()).collect();
        let input = Box::new(self.attach(left.relation, frame.pending)?);
        let relation = Relation::Unnest { input, lists, outer };
        let own = Relation::Values { columns, rows: Vec::new() };
        let mut scope = left.scope;
        scope.extend(named(own, Some("unnest"), alias, span)?.scope);
        Ok(Source { relation, scope })
    }

    /// The list that is unnested, and the type of its elements; a map is a list of its entries.
    pub(super) fn unnestable(&mut self, bound: Bound, span: Span) -> Result<(Expression, Type)> {
        match bound.data_type() {
            Type::List(element) | Type::FixedList(element, _) => Ok((bound.expression, *element)),
            Type::Null => {
                let list = Type::list(Type::Int32);
                Ok((self.cast(bound, &list, span)?, Type::Int32))
            }
            Type::Map(key, value) => {
                let entries = self.apply("map_entries", vec![(bound, span)], span)?;
                Ok((entries.expression, Type::map_entry(&key, &value)))
            }
            other => Err(Error::invalid(format!("unnest takes a list; this is {other}"), span)),
        }
    }
}

/// Whether `unnest` on the right of this join can run on the rows of the left side themselves, and if so, whether it
/// keeps rows without elements.
fn direct_unnest(kind: JoinKind, condition: &JoinCondition) -> Option<bool> {
    let is_true = match condition {
        JoinCondition::None => true,
        JoinCondition::On(condition) => {
            matches!(condition.kind, ExpressionKind::Literal(LiteralText::Boolean(true)))
        }
        _ => false,
    };
    match kind {
        JoinKind::Inner | JoinKind::Cross if is_true => Some(false),
        JoinKind::Left if is_true => Some(true),
        _ => None,
    }
}

/// Conjuncts that compare one side with the other are keys; the rest stays a condition.
pub(crate) fn split_keys(
    terms: Vec<Expression>,
    left: &Relation,
    right: &Relation,
) -> (Vec<JoinKey>, Vec<Expression>) {
    let ids = |relation: &Relation| {
        relation.columns().into_iter().map(|column| column.id).collect::<std::collections::HashSet<_>>()
    };
    let (left_ids, right_ids) = (ids(left), ids(right));
    let only = |expression: &Expression, ids: &std::collections::HashSet<usize>| {
        let columns = expression.columns();
        !columns.is_empty() && columns.iter().all(|id| ids.contains(id))
    };
    let mut keys = Vec::new();
    let mut residual = Vec::new();
    for term in terms {
        let key = equality_of(&term).and_then(|(first, second, nulls_match)| {
            if only(first, &left_ids) && only(second, &right_ids) {
                Some(JoinKey { left: first.clone(), right: second.clone(), nulls_match })
            } else if only(second, &left_ids) && only(first, &right_ids) {
                Some(JoinKey { left: second.clone(), right: first.clone(), nulls_match })
            } else {
                None
            }
        });
        match key {
            Some(key) => keys.push(key),
            None => residual.push(term),
        }
    }
    (keys, residual)
}

pub(super) fn side_column(scope: &Scope, name: &Name) -> Result<Column> {
    match scope.find(std::slice::from_ref(name))? {
        Some(found) => Ok(found.column.column.clone()),
        None => {
            let known = scope.columns().iter().map(|column| column.column.name.as_str());
            Err(Error::unknown("column", &name.text, nearest(&name.text, known), name.span))
        }
    }
}

fn shared_names(left: &Scope, right: &Scope, span: Span) -> Result<Vec<Name>> {
    let visible = |scope: &Scope| {
        let columns = scope.columns().iter().filter(|column| !column.hidden);
        columns.map(|column| column.column.name.clone()).collect::<Vec<_>>()
    };
    let right = visible(right);
    let mut names: Vec<Name> = Vec::new();
    for name in visible(left) {
        let shared = right.iter().any(|other| other.eq_ignore_ascii_case(&name));
        if shared && !names.iter().any(|held| held.is(&name)) {
            names.push(Name::new(name, span));
        }
    }
    match names.is_empty() {
        true => Err(Error::invalid("NATURAL JOIN needs a column of the same name on both sides", span)),
        false => Ok(names),
    }
}

/// The scope of a right join: the right column stands where the left one stood, which is hidden.
fn exchanged(scope: &Scope, left: usize, right: usize) -> Scope {
    let Some(kept) = scope.columns().iter().find(|column| column.column.id == right).cloned() else {
        return scope.clone();
    };
    let mut exchanged = Scope::default();
    for column in scope.columns() {
        if column.column.id == left {
            exchanged.push(kept.clone());
            exchanged.push(ScopeColumn { hidden: true, ..column.clone() });
        } else if column.column.id != right {
            exchanged.push(column.clone());
        }
    }
    exchanged
}

/// The scope of a full join: the merged column stands where the left one stood; both sides are hidden.
fn replaced(scope: &Scope, left: usize, right: usize, merged: Column) -> Scope {
    let mut replaced = Scope::default();
    for column in scope.columns() {
        if column.column.id == left {
            replaced.push(ScopeColumn {
                table: None,
                source: column.source,
                column: merged.clone(),
                hidden: false,
            });
        }
        let hidden = column.hidden || column.column.id == left || column.column.id == right;
        replaced.push(ScopeColumn { hidden, ..column.clone() });
    }
    replaced
}
