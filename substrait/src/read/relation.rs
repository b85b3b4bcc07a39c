//! Relations.

use hypostyle_engine::plan::{JoinKind, SortKey};
use hypostyle_functions::{Type, Value};
use hypostyle_planner::logical::{Column, Relation};

use crate::error::{Error, Result};
use crate::message::expression::Expression;
use crate::message::plan::PlanRoot;
use crate::message::relation::{
    Common, Cross, EmitKind, Fetch, FetchCount, FetchOffset, Filter, Join, Project, Reference, Rel, RelKind,
    Set, Sort, SortField, SortKind, TopN,
};

use super::expression::Scope;
use super::{FIRST_SHARED, Reader, Rows};

/// `FETCH_MODE_WITH_TIES`.
const WITH_TIES: i32 = 2;

/// Runs `read` and says in which relation it failed.
fn named<T>(relation: &str, result: Result<T>) -> Result<T> {
    result.map_err(|error| error.within(relation))
}

impl Reader<'_> {
    pub(super) fn node(&mut self, rel: &Rel) -> Result<Rows> {
        let kind = rel.kind.as_ref().ok_or_else(|| Error::missing("kind of a relation"))?;
        let (rows, common) = match kind {
            RelKind::Read(read) => (named("read", self.read(read))?, &read.common),
            RelKind::Filter(filter) => (named("filter", self.filter(filter))?, &filter.common),
            RelKind::Fetch(fetch) => (named("fetch", self.fetch(fetch))?, &fetch.common),
            RelKind::Aggregate(aggregate) => {
                (named("aggregate", self.aggregate(aggregate))?, &aggregate.common)
            }
            RelKind::Sort(sort) => (named("sort", self.sort(sort))?, &sort.common),
            RelKind::Join(join) => (named("join", self.join(join))?, &join.common),
            RelKind::Project(project) => (named("project", self.project(project))?, &project.common),
            RelKind::Set(set) => (named("set", self.set(set))?, &set.common),
            RelKind::Cross(cross) => (named("cross", self.cross(cross))?, &cross.common),
            RelKind::TopN(top) => (named("top-n", self.top_n(top))?, &top.common),
            RelKind::Reference(reference) => return named("reference", self.reference(reference)),
            other => return Err(Error::unsupported(format!("the Substrait relation {}", name(other)))),
        };
        emitted(rows, common.as_ref())
    }

    pub(super) fn input(&mut self, input: Option<&Rel>) -> Result<Rows> {
        self.rel(input.ok_or_else(|| Error::missing("input"))?)
    }

    fn filter(&mut self, filter: &Filter) -> Result<Rows> {
        let rows = self.input(filter.input.as_deref())?;
        self.filtered(rows, filter.condition.as_deref())
    }

    /// The rows for which a condition is true; all if there is none.
    pub(super) fn filtered(&mut self, mut rows: Rows, condition: Option<&Expression>) -> Result<Rows> {
        let Some(condition) = condition else { return Ok(rows) };
        let mut scope = Scope::over(&rows.columns, Some(&mut rows.relation));
        let condition = self.condition(condition, &mut scope)?;
        rows.relation = Relation::Filter { input: Box::new(rows.relation), predicates: vec![condition] };
        Ok(rows)
    }

    fn project(&mut self, project: &Project) -> Result<Rows> {
        let mut rows = self.input(project.input.as_deref())?;
        if project.expressions.is_empty() {
            return Ok(rows);
        }
        let mut expressions = Vec::with_capacity(project.expressions.len());
        let mut scope = Scope::over(&rows.columns, Some(&mut rows.relation));
        for expression in &project.expressions {
            expressions.push((String::new(), self.expression(expression, &mut scope)?));
        }
        // The columns of the input are passed on under their numbers, each once.
        let own = rows.relation.columns();
        let (relation, computed) = self.builder.project(rows.relation, expressions);
        let Relation::Project { input, columns } = relation else {
            return Err(Error::missing("projection"));
        };
        let passed = own.into_iter().map(hypostyle_planner::logical::Computed::passed);
        rows.relation = Relation::Project { input, columns: passed.chain(columns).collect() };
        rows.columns.extend(computed);
        Ok(rows)
    }

    fn fetch(&mut self, fetch: &Fetch) -> Result<Rows> {
        let rows = self.input(fetch.input.as_deref())?;
        let offset = match &fetch.offset {
            None => None,
            Some(FetchOffset::Number(number)) => u64::try_from(*number).ok(),
            Some(FetchOffset::Expression(expression)) => self.amount(expression)?,
        };
        let count = match &fetch.count {
            None => None,
            // The old form has -1 for all rows.
            Some(FetchCount::CountNumber(number)) => u64::try_from(*number).ok(),
            Some(FetchCount::CountExpression(expression)) => self.amount(expression)?,
        };
        Ok(limited(rows, offset.unwrap_or(0), count))
    }

    /// A constant number of rows; `None` for null.
    fn amount(&mut self, expression: &Expression) -> Result<Option<u64>> {
        let value = self.expression(expression, &mut Scope::default())?;
        match self.builder.cast(value, &Type::Int64, false) {
            hypostyle_engine::plan::Expression::Literal(literal) => match literal.value {
                Value::Null => Ok(None),
                Value::Int64(number) => match u64::try_from(number) {
                    Ok(number) => Ok(Some(number)),
                    Err(_) => {
                        Err(Error::invalid(format!("a number of rows is {number}; expected 0 or more")))
                    }
                },
                _ => Err(Error::unsupported("a number of rows that is no constant")),
            },
            _ => Err(Error::unsupported("a number of rows that is no constant")),
        }
    }

    fn sort(&mut self, sort: &Sort) -> Result<Rows> {
        let rows = self.input(sort.input.as_deref())?;
        self.sorted(rows, &sort.sorts)
    }

    fn sorted(&mut self, mut rows: Rows, sorts: &[SortField]) -> Result<Rows> {
        let mut scope = Scope::over(&rows.columns, Some(&mut rows.relation));
        let keys = self.sort_keys(sorts, &mut scope)?;
        if !keys.is_empty() {
            rows.relation = Relation::Sort { input: Box::new(rows.relation), keys, limit: None };
        }
        Ok(rows)
    }

    /// Keys of an order.
    pub(super) fn sort_keys(&mut self, sorts: &[SortField], scope: &mut Scope<'_>) -> Result<Vec<SortKey>> {
        let mut keys = Vec::with_capacity(sorts.len());
        for sort in sorts {
            let expression = sort.expression.as_ref().ok_or_else(|| Error::missing("key of an order"))?;
            let expression = self.expression(expression, scope)?;
            let (descending, nulls_first) = match &sort.kind {
                Some(SortKind::Direction(1)) => (false, true),
                None | Some(SortKind::Direction(0 | 2 | 5)) => (false, false),
                Some(SortKind::Direction(3)) => (true, true),
                Some(SortKind::Direction(4)) => (true, false),
                Some(SortKind::Direction(other)) => {
                    return Err(Error::invalid(format!("sort direction {other} is none; expected 1 to 5")));
                }
                Some(SortKind::ComparisonFunction(_)) => {
                    return Err(Error::unsupported("an order by a comparison function"));
                }
            };
            keys.push(SortKey { expression, descending, nulls_first });
        }
        Ok(keys)
    }

    fn top_n(&mut self, top: &TopN) -> Result<Rows> {
        let rows = self.input(top.input.as_deref())?;
        if top.mode == WITH_TIES {
            return Err(Error::unsupported("WITH TIES"));
        }
        let rows = self.sorted(rows, &top.sorts)?;
        let offset = top.offset.as_deref().map(|offset| self.amount(offset)).transpose()?.flatten();
        let count = top.count.as_deref().map(|count| self.amount(count)).transpose()?.flatten();
        Ok(limited(rows, offset.unwrap_or(0), count))
    }

    fn cross(&mut self, cross: &Cross) -> Result<Rows> {
        let left = self.input(cross.left.as_deref())?;
        let right = self.input(cross.right.as_deref())?;
        let relation = self.builder.join(left.relation, right.relation, JoinKind::Inner, None, None)?;
        let mut columns = left.columns;
        columns.extend(right.columns);
        Ok(Rows { relation, columns })
    }

    fn join(&mut self, join: &Join) -> Result<Rows> {
        let left = self.input(join.left.as_deref())?;
        let right = self.input(join.right.as_deref())?;
        let kind = join_kind(join.kind)?;
        let both: Vec<Column> = left.columns.iter().chain(&right.columns).cloned().collect();
        let condition = match join.expression.as_deref() {
            Some(condition) => Some(self.condition(condition, &mut Scope::over(&both, None))?),
            None => None,
        };
        let mark = (kind == JoinKind::LeftMark).then(|| self.builder.column("mark", Type::Boolean));
        let columns = match kind {
            JoinKind::LeftSemi | JoinKind::LeftAnti => left.columns,
            JoinKind::RightSemi | JoinKind::RightAnti => right.columns,
            JoinKind::LeftMark => left.columns.into_iter().chain(mark.clone()).collect(),
            _ => both,
        };
        let relation = self.builder.join(left.relation, right.relation, kind, condition, mark)?;
        self.filtered(Rows { relation, columns }, join.post_join_filter.as_deref())
    }

    fn set(&mut self, set: &Set) -> Result<Rows> {
        let mut inputs = Vec::with_capacity(set.inputs.len());
        for input in &set.inputs {
            let rows = self.rel(input)?;
            inputs.push(self.exact(rows));
        }
        let mut inputs = inputs.into_iter();
        let first = inputs.next().ok_or_else(|| Error::missing("input"))?;
        let relation = match set.operation {
            1 => inputs.try_fold(first, |left, right| self.builder.difference(left, right, false)),
            7 => inputs.try_fold(first, |left, right| self.builder.difference(left, right, true)),
            // What all the others have in common.
            2 => match self
                .reduced(inputs, |reader, left, right| reader.builder.intersection(left, right, false))?
            {
                Some(others) => self.builder.difference(first, others, false),
                None => Ok(first),
            },
            // What any of the others has.
            3 => match self.reduced(inputs, |reader, left, right| reader.builder.union(left, right))? {
                Some(others) => self.builder.intersection(first, others, false),
                None => Ok(first),
            },
            4 => inputs.try_fold(first, |left, right| self.builder.intersection(left, right, false)),
            8 => inputs.try_fold(first, |left, right| self.builder.intersection(left, right, true)),
            5 => {
                let all = inputs.try_fold(first, |left, right| self.builder.union(left, right))?;
                Ok(self.builder.distinct(all))
            }
            6 => inputs.try_fold(first, |left, right| self.builder.union(left, right)),
            other => return Err(Error::unsupported(format!("set operation {other}"))),
        }?;
        Ok(Rows::of(relation))
    }

    fn reduced(
        &mut self,
        mut inputs: impl Iterator<Item = Relation>,
        combine: impl Fn(&mut Self, Relation, Relation) -> hypostyle_planner::Result<Relation>,
    ) -> Result<Option<Relation>> {
        let Some(first) = inputs.next() else { return Ok(None) };
        Ok(Some(inputs.try_fold(first, |left, right| combine(self, left, right))?))
    }

    /// Rows of another tree, which are gathered once.
    fn reference(&mut self, reference: &Reference) -> Result<Rows> {
        let ordinal = reference.ordinal;
        if self.reading.contains(&ordinal) {
            return Err(Error::invalid(format!("tree {ordinal} of the plan reads itself")));
        }
        if !self.shared.contains_key(&ordinal) {
            let tree = usize::try_from(ordinal).ok().and_then(|position| self.trees.get(position));
            let rel = match tree.and_then(|tree| tree.kind.as_ref()) {
                Some(PlanRoot::Relation(rel)) => rel,
                Some(PlanRoot::Root(root)) => root.input.as_ref().ok_or_else(|| Error::missing("input"))?,
                None => return Err(Error::invalid(format!("the plan has no tree {ordinal}"))),
            };
            self.reading.push(ordinal);
            // A shared tree sees nothing of the queries around its readers.
            let outer = std::mem::take(&mut self.outer);
            let rows = self.rel(rel);
            self.outer = outer;
            self.reading.pop();
            let relation = self.exact(rows?);
            let columns = relation.columns();
            let table = FIRST_SHARED + u32::try_from(self.definitions.len()).unwrap_or(0);
            self.definitions.push((table, relation));
            self.shared.insert(ordinal, (table, columns));
        }
        let (table, columns) = self.shared.get(&ordinal).ok_or_else(|| Error::missing("tree"))?;
        Ok(Rows::of(self.builder.shared_rows(*table, columns)))
    }
}

fn limited(mut rows: Rows, offset: u64, count: Option<u64>) -> Rows {
    if offset > 0 || count.is_some() {
        rows.relation = Relation::Limit { input: Box::new(rows.relation), offset, count };
    }
    rows
}

/// Chooses the columns that come out.
fn emitted(mut rows: Rows, common: Option<&Common>) -> Result<Rows> {
    let Some(EmitKind::Emit(emit)) = common.and_then(|common| common.emit.as_ref()) else { return Ok(rows) };
    let mut columns = Vec::with_capacity(emit.output_mapping.len());
    for position in &emit.output_mapping {
        let column = usize::try_from(*position).ok().and_then(|position| rows.columns.get(position));
        columns.push(column.cloned().ok_or_else(|| {
            Error::invalid(format!("a relation emits column {position} of {}", rows.columns.len()))
        })?);
    }
    rows.columns = columns;
    Ok(rows)
}

fn join_kind(number: i32) -> Result<JoinKind> {
    Ok(match number {
        1 => JoinKind::Inner,
        2 => JoinKind::Full,
        3 => JoinKind::Left,
        4 => JoinKind::Right,
        5 => JoinKind::LeftSemi,
        6 => JoinKind::LeftAnti,
        7 => JoinKind::LeftSingle,
        8 => JoinKind::RightSemi,
        9 => JoinKind::RightAnti,
        11 => JoinKind::LeftMark,
        10 => return Err(Error::unsupported("join type right single")),
        12 => return Err(Error::unsupported("join type right mark")),
        other => return Err(Error::invalid(format!("join type {other} is none; expected 1 to 12"))),
    })
}

/// The name of a relation in the format.
fn name(kind: &RelKind) -> &'static str {
    match kind {
        RelKind::Read(_) => "read",
        RelKind::Filter(_) => "filter",
        RelKind::Fetch(_) => "fetch",
        RelKind::Aggregate(_) => "aggregate",
        RelKind::Sort(_) => "sort",
        RelKind::Join(_) => "join",
        RelKind::Project(_) => "project",
        RelKind::Set(_) => "set",
        RelKind::Cross(_) => "cross",
        RelKind::Reference(_) => "reference",
        RelKind::TopN(_) => "top_n",
        RelKind::ExtensionSingle(_) => "extension_single",
        RelKind::ExtensionMulti(_) => "extension_multi",
        RelKind::ExtensionLeaf(_) => "extension_leaf",
        RelKind::HashJoin(_) => "hash_join",
        RelKind::MergeJoin(_) => "merge_join",
        RelKind::NestedLoopJoin(_) => "nested_loop_join",
        RelKind::LateralJoin(_) => "lateral_join",
        RelKind::Exchange(_) => "exchange",
        RelKind::Expand(_) => "expand",
        RelKind::Window(_) => "window",
        RelKind::Write(_) => "write",
        RelKind::Ddl(_) => "ddl",
        RelKind::Update(_) => "update",
    }
}
