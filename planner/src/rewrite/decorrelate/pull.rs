//! Pulls what ties a subquery to its outer row up through its relations, one kind of relation each.

use hypostyle_engine::plan::{Expression, JoinKind, SortKey, Window};
use hypostyle_functions::{Literal, Type};

use super::limit::sorted;
use super::pulled::Pulled;
use super::{Decorrelator, equality, joined};
use crate::bind::operator;
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Relation, conjuncts, one_row};
use crate::rewrite::or_factors;
use crate::rewrite::substitute::{Values, substitute};
use crate::span::Span;

/// What a subquery that reads columns around it cannot hold yet.
fn refused(what: &str) -> Error {
    Error::unsupported(format!("{what} over columns of the query around a subquery are"), Span::NONE)
}

impl Decorrelator<'_> {
    /// The relation without outer columns.
    pub(super) fn pull(&mut self, relation: Relation) -> Result<Pulled> {
        if self.outer_of_relation(&relation).is_empty() {
            return Ok(Pulled::independent(relation));
        }
        stacker::maybe_grow(128 << 10, 2 << 20, || match relation {
            Relation::Filter { input, predicates } => self.pull_filter(*input, predicates),
            Relation::Project { input, columns } => self.pull_project(*input, columns),
            Relation::Aggregate { input, keys, sets: None, aggregates } => {
                self.pull_aggregate(*input, keys, aggregates)
            }
            Relation::Aggregate { input, keys, sets: Some(sets), aggregates } => {
                self.pull_grouping_sets(*input, keys, sets, aggregates)
            }
            Relation::Join(join) => self.pull_join(join),
            Relation::Sort { input, keys, limit: None } => self.pull_sort(*input, keys),
            Relation::Sort { input, keys, limit: Some(limit) } => {
                self.pull_limit(sorted(*input, keys), 0, Some(limit))
            }
            Relation::Limit { input, offset, count } => self.pull_limit(*input, offset, count),
            Relation::SingleRow { input } => self.pull_single(*input),
            Relation::Union { inputs, columns } => self.pull_union(inputs, columns),
            Relation::Unnest { input, lists, outer } => self.pull_unnest(*input, lists, outer),
            Relation::Window { input, window, columns } => self.pull_window(*input, window, columns),
            Relation::Values { columns, rows } => self.pull_values(columns, rows),
            Relation::AsOf(_) => Err(refused("as-of joins")),
            Relation::Repeat { input, count } => self.pull_repeat(*input, count),
            Relation::Sample { .. } => Err(refused("samples")),
            Relation::ComputedLimit { .. } => Err(refused("limits that are computed")),
            Relation::Positional { .. } => Err(refused("POSITIONAL JOIN")),
            Relation::Recursive { .. } => Err(refused("WITH RECURSIVE")),
            Relation::Scan(_)
            | Relation::WorkTable { .. }
            | Relation::SharedRows(_)
            | Relation::Shared { .. }
            | Relation::Write { .. } => Err(Error::internal("a table reads columns of the query around it")),
        })
    }

    fn pull_filter(&mut self, input: Relation, predicates: Vec<Expression>) -> Result<Pulled> {
        let mut pulled = self.pull(input)?;
        if pulled.always_one {
            pulled = self.ground(pulled, Default::default())?;
        }
        let mut inner = Vec::new();
        let values = pulled.values();
        let predicates: Vec<Expression> =
            predicates.into_iter().map(|predicate| substitute(predicate, &values)).collect();
        for predicate in predicates {
            let mut terms = Vec::new();
            conjuncts(or_factors::factored(predicate), &mut terms);
            for term in terms {
                match self.reads_outer(&term) {
                    true => pulled.conditions.push(term),
                    false => inner.push(term),
                }
            }
        }
        pulled.relation = super::filtered(pulled.relation, inner);
        Ok(pulled)
    }

    fn pull_project(&mut self, input: Relation, columns: Vec<Computed>) -> Result<Pulled> {
        let mut pulled = self.pull(input)?;
        let mut kept: Vec<Computed> = Vec::new();
        let mut computed = Vec::new();
        {
            let values = pulled.values();
            for Computed { column, expression } in columns {
                let expression = substitute(expression, &values);
                let is_passed =
                    matches!(&expression, Expression::Column { index, .. } if *index == column.id);
                // Above the row that stands for none, only its nulls come without being computed.
                let stays = match pulled.always_one {
                    true => is_passed,
                    false => !self.reads_outer(&expression),
                };
                match stays {
                    true => kept.push(Computed { column, expression }),
                    false => computed.push(Computed { column, expression }),
                }
            }
        }
        pulled.computed = computed;
        let needed = pulled.needed();
        for column in pulled.columns_of(&needed) {
            if !kept.iter().any(|held| held.column.id == column.id) {
                kept.push(Computed::passed(column));
            }
        }
        if !kept.iter().all(Computed::is_passed) {
            let input = std::mem::replace(&mut pulled.relation, one_row());
            pulled.relation = Relation::Project { input: Box::new(input), columns: kept };
        }
        Ok(pulled)
    }

    fn pull_sort(&mut self, input: Relation, mut keys: Vec<SortKey>) -> Result<Pulled> {
        let mut pulled = self.pull(input)?;
        if pulled.at_most_one {
            return Ok(pulled);
        }
        self.substitute_keys(&mut keys, &pulled.values());
        if keys.iter().any(|key| self.reads_outer(&key.expression)) {
            let further = self.outer_of(keys.iter().map(|key| &key.expression));
            pulled = self.ground(pulled, further)?;
            let ties = self.ties(&pulled);
            self.substitute_keys(&mut keys, &values_of(&ties));
        }
        pulled.relation = sorted(pulled.relation, keys);
        Ok(pulled)
    }

    pub(super) fn substitute_keys(&self, keys: &mut [SortKey], values: &Values<'_>) {
        for key in keys {
            let taken =
                std::mem::replace(&mut key.expression, Expression::Literal(Literal::null(Type::Null)));
            key.expression = substitute(taken, values);
        }
    }

    /// What outer columns equal in a grounded relation.
    pub(super) fn ties(&self, pulled: &Pulled) -> Vec<(usize, Expression)> {
        let pairs = pulled.conditions.iter().filter_map(|condition| self.key_pair(condition));
        pairs
            .filter_map(|(outer, inner, _)| match outer {
                Expression::Column { index, .. } => Some((index, inner)),
                _ => None,
            })
            .collect()
    }

    fn pull_single(&mut self, input: Relation) -> Result<Pulled> {
        let pulled = self.pull(input)?;
        if pulled.always_one {
            return Ok(pulled);
        }
        let grounded = self.ground(pulled, Default::default())?;
        let outer = self.outer_of(grounded.conditions.iter());
        if outer.is_empty() {
            let relation = Relation::SingleRow { input: Box::new(grounded.relation) };
            return Ok(Pulled { relation, at_most_one: true, ..grounded });
        }
        let domain = self.domain(&outer)?;
        let reads = domain.reads();
        let values = values_of(&reads);
        let ties = grounded.conditions.into_iter().map(|tie| substitute(tie, &values)).collect();
        let conditions = domain.conditions();
        let kind = if grounded.at_most_one { JoinKind::Left } else { JoinKind::LeftSingle };
        let relation = joined(domain.relation, grounded.relation, kind, ties);
        Ok(Pulled { relation, conditions, computed: Vec::new(), always_one: false, at_most_one: true })
    }

    /// Every input gets the outer values beside its columns.
    fn pull_union(&mut self, inputs: Vec<Relation>, mut columns: Vec<Column>) -> Result<Pulled> {
        let further = inputs.iter().fold(std::collections::BTreeMap::new(), |mut outer, input| {
            outer.extend(self.outer_of_relation(input));
            outer
        });
        let mut grounded = Vec::with_capacity(inputs.len());
        for input in inputs {
            let own = input.columns();
            let pulled = self.pull(input)?;
            let pulled = self.ground(pulled, further.clone())?;
            let ties = self.ties(&pulled);
            let mut passed: Vec<Computed> = own.into_iter().map(Computed::passed).collect();
            for (id, data_type) in &further {
                let Some((_, inner)) = ties.iter().find(|(outer, _)| outer == id) else {
                    return Err(Error::internal(format!("outer column #{id} is not in a branch")));
                };
                let column = self.numbering.column("outer", data_type.clone());
                passed.push(Computed { column, expression: inner.clone() });
            }
            grounded.push(Relation::Project { input: Box::new(pulled.relation), columns: passed });
        }
        let mut conditions = Vec::with_capacity(further.len());
        for (id, data_type) in further {
            let column = self.numbering.column("outer", data_type.clone());
            conditions.push(equality(Expression::column(id, data_type), column.read(), true));
            columns.push(column);
        }
        let relation = Relation::Union { inputs: grounded, columns };
        Ok(Pulled { conditions, ..Pulled::independent(relation) })
    }

    fn pull_unnest(&mut self, input: Relation, mut lists: Vec<Computed>, outer: bool) -> Result<Pulled> {
        let mut pulled = self.pull(input)?;
        let values = pulled.values();
        for list in &mut lists {
            list.expression = substitute(list.expression.clone(), &values);
        }
        drop(values);
        if pulled.always_one || lists.iter().any(|list| self.reads_outer(&list.expression)) {
            let further = self.outer_of(lists.iter().map(|list| &list.expression));
            pulled = self.ground(pulled, further)?;
            let ties = self.ties(&pulled);
            let values = values_of(&ties);
            for list in &mut lists {
                list.expression = substitute(list.expression.clone(), &values);
            }
        }
        pulled.relation = Relation::Unnest { input: Box::new(pulled.relation), lists, outer };
        pulled.at_most_one = false;
        Ok(pulled)
    }

    fn pull_repeat(&mut self, input: Relation, count: Expression) -> Result<Pulled> {
        let mut pulled = self.pull(input)?;
        if pulled.always_one || !pulled.computed.is_empty() {
            pulled = self.ground(pulled, Default::default())?;
        }
        let input = Box::new(pulled.relation);
        Ok(Pulled { relation: Relation::Repeat { input, count }, at_most_one: false, ..pulled })
    }

    /// The rows of each outer row are partitions of their own.
    fn pull_window(&mut self, input: Relation, mut window: Window, columns: Vec<Column>) -> Result<Pulled> {
        let mut pulled = self.pull(input)?;
        replace_columns(&mut window, &pulled.values());
        let further = self.outer_of(window.expressions().into_iter());
        pulled = self.ground(pulled, further)?;
        let ties = self.ties(&pulled);
        replace_columns(&mut window, &values_of(&ties));
        window.partition.extend(ties.into_iter().map(|(_, inner)| inner));
        pulled.relation = Relation::Window { input: Box::new(pulled.relation), window, columns };
        Ok(pulled)
    }

    /// Rows of outer columns are lists that are unnested side by side.
    fn pull_values(&mut self, columns: Vec<Column>, rows: Vec<Vec<Expression>>) -> Result<Pulled> {
        let computed = columns.into_iter().enumerate().map(|(position, column)| {
            let values = rows.iter().filter_map(|row| row.get(position).cloned()).collect::<Vec<_>>();
            (column, values)
        });
        let one = Relation::Values { columns: Vec::new(), rows: vec![Vec::new()] };
        let list = |(column, values): (Column, Vec<Expression>)| {
            let data_type = Type::list(column.data_type.clone());
            Computed { column, expression: Expression::call(operator::LIST, values, data_type) }
        };
        let first = |(column, values): (Column, Vec<Expression>)| {
            let expression = values.into_iter().next();
            let null = || Expression::Literal(Literal::null(column.data_type.clone()));
            Computed { expression: expression.unwrap_or_else(null), column }
        };
        match rows.len() {
            1 => self.pull_project(one, computed.map(first).collect()),
            _ => self.pull_unnest(one, computed.map(list).collect(), false),
        }
    }
}

fn replace_columns(window: &mut Window, values: &Values<'_>) {
    for expression in window.expressions_mut() {
        let taken = std::mem::replace(expression, Expression::Literal(Literal::null(Type::Null)));
        *expression = substitute(taken, values);
    }
}

/// Pairs of a column and its value, for substitution.
pub(super) fn values_of(pairs: &[(usize, Expression)]) -> Values<'_> {
    pairs.iter().map(|(id, value)| (*id, value)).collect()
}
