//! UNION, INTERSECT and EXCEPT.

use hypostyle_engine::plan::{Expression, JoinKey, JoinKind};
use hypostyle_functions::coercion::common_type;
use hypostyle_functions::{Literal, Type, Value};

use crate::bind::Binder;
use crate::bind::scope::Bound;
use crate::bind::select::{distinct_rows, null_of};
use crate::error::{Error, Result};
use crate::logical::{Column, Computed, Join, Relation};
use crate::span::Span;
use crate::tree::{QueryBody, SetOperator};

impl Binder<'_> {
    /// Binds a chain of set operations, whose left spine may be long: branches of one UNION ALL become one relation.
    pub(super) fn set_operation(&mut self, body: &QueryBody) -> Result<Relation> {
        let mut links = Vec::new();
        let mut first = body;
        while let QueryBody::Set { operator, all, by_name, left, right } = first {
            links.push((*operator, *all, *by_name, &**right));
            first = left;
        }
        let mut relation = self.deeper(first.span(), |binder| binder.body(first))?;
        for (operator, all, by_name, right) in links.into_iter().rev() {
            let span = right.span();
            let right = self.deeper(span, |binder| binder.body(right))?;
            let (left, right) = match by_name {
                true => self.by_name(relation, right),
                false => self.by_position(relation, right, operator),
            }
            .map_err(|error| error.at(span))?;
            relation = self.combined(left, right, operator, all).map_err(|error| error.at(span))?;
        }
        Ok(relation)
    }

    /// A set operation over columns of the same types.
    fn combined(
        &mut self,
        left: Relation,
        right: Relation,
        operator: SetOperator,
        all: bool,
    ) -> Result<Relation> {
        Ok(match (operator, all) {
            (SetOperator::Union, true) => self.union(left, right),
            (SetOperator::Union, false) => distinct_rows(self.union(left, right)),
            (SetOperator::Intersect, false) => matching(left, right, JoinKind::LeftSemi),
            (SetOperator::Except, false) => matching(left, right, JoinKind::LeftAnti),
            (SetOperator::Intersect | SetOperator::Except, true) => self.counted(left, right, operator)?,
        })
    }

    /// A set operation over columns paired by position.
    pub(crate) fn set_of(
        &mut self,
        left: Relation,
        right: Relation,
        operator: SetOperator,
        all: bool,
    ) -> Result<Relation> {
        let (left, right) = self.by_position(left, right, operator)?;
        self.combined(left, right, operator, all)
    }

    fn union(&mut self, left: Relation, right: Relation) -> Relation {
        let names: Vec<Column> = left.columns();
        let inputs = match left {
            // The columns of a union are its own, so its inputs can be taken over as they are.
            Relation::Union { mut inputs, columns } => {
                inputs.push(right);
                return Relation::Union { inputs, columns };
            }
            left => vec![left, right],
        };
        let columns =
            names.into_iter().map(|column| self.new_column(column.name, column.data_type)).collect();
        Relation::Union { inputs, columns }
    }

    /// INTERSECT ALL and EXCEPT ALL: rows are counted on both sides, and come out as often as the counts say.
    fn counted(&mut self, left: Relation, right: Relation, operator: SetOperator) -> Result<Relation> {
        let columns = left.columns();
        let left = self.marked(left, true);
        let right = self.marked(right, false);
        let union = self.union(left, right);
        let mut read = union.columns();
        let Some(is_left) = read.pop().map(|column| column.read()) else {
            return Err(Error::internal("the mark of a side vanished"));
        };
        let is_right = self.not(is_left.clone(), Span::NONE)?.expression;
        let keys: Vec<Computed> = read
            .iter()
            .zip(&columns)
            .map(|(column, named)| Computed {
                column: Column { name: named.name.clone(), ..column.clone() },
                expression: column.read(),
            })
            .collect();
        let kept = keys.iter().map(|key| Computed::passed(key.column.clone())).collect();
        let mut aggregates = Vec::with_capacity(2);
        for filter in [is_left, is_right] {
            let mut call = self.plain_aggregate("count", Vec::new())?;
            call.filter = Some(filter);
            aggregates.push((self.new_column("count", Type::Int64), call));
        }
        let counts: Vec<(Bound, Span)> =
            aggregates.iter().map(|(column, _)| (Bound::typed(column.read()), Span::NONE)).collect();
        let function = if operator == SetOperator::Intersect { "least" } else { "-" };
        let count = self.apply(function, counts, Span::NONE)?.expression;
        let input = Box::new(Relation::Aggregate { input: Box::new(union), keys, sets: None, aggregates });
        let repeated = Relation::Repeat { input, count };
        Ok(Relation::Project { input: Box::new(repeated), columns: kept })
    }

    /// The rows of one side with a column that tells which it is.
    fn marked(&mut self, relation: Relation, is_left: bool) -> Relation {
        let mut columns: Vec<(String, Expression)> =
            relation.columns().into_iter().map(|column| (column.name.clone(), column.read())).collect();
        columns.push(("left".to_owned(), Expression::Literal(Literal::new(Value::Boolean(is_left)))));
        self.project(relation, columns)
    }

    fn by_position(
        &mut self,
        left: Relation,
        right: Relation,
        operator: SetOperator,
    ) -> Result<(Relation, Relation)> {
        let (left_columns, right_columns) = (left.columns(), right.columns());
        if left_columns.len() != right_columns.len() {
            let message = format!(
                "both sides of {} need as many columns; the left has {}, the right {}",
                words(operator),
                left_columns.len(),
                right_columns.len()
            );
            return Err(Error::invalid(message, Span::NONE));
        }
        let mut types = Vec::with_capacity(left_columns.len());
        for (left, right) in left_columns.iter().zip(&right_columns) {
            types.push(set_type(left, right)?);
        }
        let left = self.as_types(left, &types)?;
        Ok((left, self.as_types(right, &types)?))
    }

    /// Pairs columns by name; a column that one side lacks is null there.
    fn by_name(&mut self, left: Relation, right: Relation) -> Result<(Relation, Relation)> {
        let (left_columns, right_columns) = (left.columns(), right.columns());
        refuse_duplicates(&left_columns)?;
        refuse_duplicates(&right_columns)?;
        let find = |columns: &[Column], name: &str| {
            columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)).cloned()
        };
        let mut names: Vec<String> = left_columns.iter().map(|column| column.name.clone()).collect();
        for column in &right_columns {
            if find(&left_columns, &column.name).is_none() {
                names.push(column.name.clone());
            }
        }
        let (mut left_side, mut right_side) = (Vec::new(), Vec::new());
        for name in names {
            let (left, right) = (find(&left_columns, &name), find(&right_columns, &name));
            let data_type = match (&left, &right) {
                (Some(left), Some(right)) => set_type(left, right)?,
                (Some(one), None) | (None, Some(one)) => one.data_type.clone(),
                (None, None) => Type::Null,
            };
            for (column, side) in [(left, &mut left_side), (right, &mut right_side)] {
                let expression = match column {
                    Some(column) => self.cast(Bound::typed(column.read()), &data_type, Span::NONE)?,
                    None => null_of(data_type.clone()),
                };
                side.push((name.clone(), expression));
            }
        }
        let left = self.project(left, left_side);
        Ok((left, self.project(right, right_side)))
    }

    pub(super) fn as_types(&mut self, relation: Relation, types: &[Type]) -> Result<Relation> {
        let columns = relation.columns();
        if columns.iter().zip(types).all(|(column, data_type)| column.data_type == *data_type) {
            return Ok(relation);
        }
        if let Relation::Union { inputs, columns } = relation {
            // Inputs are cast below the union, so that it stays one.
            let inputs =
                inputs.into_iter().map(|input| self.as_types(input, types)).collect::<Result<_>>()?;
            let columns = columns.into_iter().zip(types);
            let columns = columns
                .map(|(column, data_type)| Column { data_type: data_type.clone(), ..column })
                .collect();
            return Ok(Relation::Union { inputs, columns });
        }
        let mut expressions: Vec<(String, Expression)> = Vec::with_capacity(columns.len());
        for (column, data_type) in columns.into_iter().zip(types) {
            let read = Bound::typed(column.read());
            expressions.push((column.name, self.cast(read, data_type, Span::NONE)?));
        }
        Ok(self.project(relation, expressions))
    }
}

fn refuse_duplicates(columns: &[Column]) -> Result<()> {
    for (position, column) in columns.iter().enumerate() {
        let is_there = |other: &Column| other.name.eq_ignore_ascii_case(&column.name);
        if columns.iter().take(position).any(is_there) {
            let message = format!("UNION BY NAME of a query with two columns \"{}\"", column.name);
            return Err(Error::invalid(message, Span::NONE));
        }
    }
    Ok(())
}

fn words(operator: SetOperator) -> &'static str {
    match operator {
        SetOperator::Union => "UNION",
        SetOperator::Intersect => "INTERSECT",
        SetOperator::Except => "EXCEPT",
    }
}

/// The type of a column that both sides have; text takes up what has nothing in common with it.
fn set_type(left: &Column, right: &Column) -> Result<Type> {
    let (left_type, right_type) = (&left.data_type, &right.data_type);
    if let Some(common) = common_type(left_type, right_type) {
        return Ok(common);
    }
    let text_and_plain = (*left_type == Type::Text && !right_type.is_nested())
        || (*right_type == Type::Text && !left_type.is_nested());
    match text_and_plain {
        true => Ok(Type::Text),
        false => {
            let message =
                format!("column \"{}\" is {left_type} on the left and {right_type} on the right", left.name);
            Err(Error::invalid(message, Span::NONE))
        }
    }
}

/// Distinct rows of the left with, or without, an equal row on the right; null equals null.
fn matching(left: Relation, right: Relation, kind: JoinKind) -> Relation {
    let pairs = left.columns().into_iter().zip(right.columns());
    let keys = pairs
        .map(|(left, right)| JoinKey { left: left.read(), right: right.read(), nulls_match: true })
        .collect();
    let (left, right) = (Box::new(distinct_rows(left)), Box::new(right));
    Relation::Join(Join { left, right, kind, keys, residual: Vec::new(), mark: None })
}
