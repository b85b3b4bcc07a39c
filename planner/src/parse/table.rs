//! The parser's tables and joins into ours.

use sqlparser::ast::{self, JoinConstraint, JoinOperator, Spanned, TableFactor};

use crate::error::{Error, Result};
use crate::parse::expression::{convert as convert_expression, convert_all, name_of, names_of, single_name};
use crate::parse::{Notes, asof, call, query, reshape, span_of};
use crate::span::Span;
use crate::tree::{
    Argument, Expression, ExpressionKind, JoinCondition, JoinKind, Name, Select, SelectItem, Statement,
    Table, TableAlias, TableKind,
};

/// Converts a table with the tables joined to it, from left to right.
pub(super) fn convert(tables: ast::TableWithJoins, notes: &mut Notes) -> Result<Table> {
    let mut left = convert_factor(tables.relation, notes)?;
    for join in tables.joins {
        let right = convert_factor(join.relation, notes)?;
        let span = left.span.union(right.span);
        let (kind, condition) = convert_operator(join.join_operator, right.span, notes)?;
        // A right semi join keeps right rows: the same join with its sides exchanged.
        let (left_side, right_side, kind) = match kind {
            Sided::Left(kind) => (left, right, kind),
            Sided::Right(kind) => (right, left, kind),
        };
        let join =
            TableKind::Join { kind, left: Box::new(left_side), right: Box::new(right_side), condition };
        left = Table { kind: join, alias: None, span };
    }
    Ok(left)
}

/// `SELECT * FROM name`.
pub(super) fn select_all(name: Name) -> Select {
    let span = name.span;
    select_table(Table { kind: TableKind::Named(vec![name]), alias: None, span })
}

/// `SELECT * FROM table`.
pub(super) fn select_table(table: Table) -> Select {
    let span = table.span;
    let star = Expression::new(ExpressionKind::Star(Box::default()), span);
    Select {
        items: vec![SelectItem { expression: star, alias: None }],
        from: vec![table],
        span,
        ..Select::default()
    }
}

enum Sided {
    Left(JoinKind),
    Right(JoinKind),
}

fn convert_operator(operator: JoinOperator, span: Span, notes: &mut Notes) -> Result<(Sided, JoinCondition)> {
    let (kind, constraint) = match operator {
        JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => {
            (Sided::Left(JoinKind::Inner), constraint)
        }
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => {
            (Sided::Left(JoinKind::Left), constraint)
        }
        JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
            (Sided::Left(JoinKind::Right), constraint)
        }
        JoinOperator::FullOuter(constraint) => (Sided::Left(JoinKind::Full), constraint),
        JoinOperator::CrossJoin(constraint) => (Sided::Left(JoinKind::Cross), constraint),
        JoinOperator::Semi(constraint) | JoinOperator::LeftSemi(constraint) => {
            (Sided::Left(JoinKind::Semi), constraint)
        }
        JoinOperator::Anti(constraint) | JoinOperator::LeftAnti(constraint) => {
            (Sided::Left(JoinKind::Anti), constraint)
        }
        JoinOperator::RightSemi(constraint) => (Sided::Right(JoinKind::Semi), constraint),
        JoinOperator::RightAnti(constraint) => (Sided::Right(JoinKind::Anti), constraint),
        // The word that stands for POSITIONAL JOIN.
        JoinOperator::StraightJoin(constraint) => (Sided::Left(JoinKind::Positional), constraint),
        JoinOperator::AsOf { .. } => return Err(Error::unsupported("MATCH_CONDITION is", span)),
        _ => return Err(Error::unsupported("this kind of join is", span)),
    };
    let condition = match constraint {
        JoinConstraint::On(condition) if asof::is_condition(&condition) => {
            JoinCondition::AsOf(Box::new(asof::convert(condition, span, notes)?))
        }
        JoinConstraint::On(condition) => JoinCondition::On(convert_expression(condition, notes)?),
        JoinConstraint::Using(columns) => JoinCondition::Using(
            columns.into_iter().map(|column| single_name(column, span)).collect::<Result<_>>()?,
        ),
        JoinConstraint::Natural => JoinCondition::Natural,
        JoinConstraint::None => JoinCondition::None,
    };
    if matches!(kind, Sided::Left(JoinKind::Positional)) && !matches!(condition, JoinCondition::None) {
        return Err(Error::syntax("POSITIONAL JOIN takes no condition", span));
    }
    let needs_none = matches!(kind, Sided::Left(JoinKind::Cross | JoinKind::Positional));
    if matches!(condition, JoinCondition::None) && !needs_none {
        return Err(Error::syntax("this join needs ON or USING after its second table", span));
    }
    Ok((kind, condition))
}

fn convert_factor(factor: TableFactor, notes: &mut Notes) -> Result<Table> {
    let span = match &factor {
        TableFactor::Table { name, .. } | TableFactor::Function { name, .. } => span_of(name.span()),
        TableFactor::Pivot { table, .. } | TableFactor::Unpivot { table, .. } => match &**table {
            TableFactor::Table { name, .. } => span_of(name.span()),
            _ => Span::NONE,
        },
        _ => Span::NONE,
    };
    match factor {
        TableFactor::Table { name, alias, args, with_ordinality, sample, version, with_hints, .. } => {
            if sample.is_some() {
                return Err(Error::unsupported("TABLESAMPLE is", span));
            }
            if version.is_some() || !with_hints.is_empty() {
                return Err(Error::unsupported("table versions and hints are", span));
            }
            let kind = match args {
                Some(args) => {
                    let name = single_name(name, span)?;
                    let arguments = call::table_arguments(args.args, notes)?;
                    TableKind::Function { name, arguments, ordinality: with_ordinality }
                }
                None if with_ordinality => {
                    return Err(Error::syntax(
                        "WITH ORDINALITY stands behind a function; a table has none",
                        span,
                    ));
                }
                None => match cut_out(&name, notes) {
                    Some(statement) => TableKind::Statement(Box::new(statement?)),
                    None => named(name)?,
                },
            };
            let span = place_of(&kind, span, notes);
            Ok(Table { kind, alias: alias.map(convert_alias), span })
        }
        TableFactor::Function { name, args, alias, with_ordinality, .. } => {
            let name = single_name(name, span)?;
            let arguments = call::table_arguments(args, notes)?;
            let kind = TableKind::Function { name, arguments, ordinality: with_ordinality };
            Ok(Table { kind, alias: alias.map(convert_alias), span })
        }
        TableFactor::UNNEST { alias, array_exprs, with_ordinality, .. } => {
            let arguments = convert_all(array_exprs, notes)?;
            let arguments = arguments.into_iter().map(|value| Argument { name: None, value }).collect();
            let name = Name::new("unnest", span);
            let kind = TableKind::Function { name, arguments, ordinality: with_ordinality };
            Ok(Table { kind, alias: alias.map(convert_alias), span })
        }
        TableFactor::Derived { lateral, subquery, alias, sample } => {
            if sample.is_some() {
                return Err(Error::unsupported("TABLESAMPLE is", span));
            }
            let query = Box::new(query::convert(*subquery, notes)?);
            let span = span.union(query.span);
            Ok(Table { kind: TableKind::Query { query, lateral }, alias: alias.map(convert_alias), span })
        }
        TableFactor::NestedJoin { table_with_joins, alias } => {
            let table = convert(*table_with_joins, notes)?;
            match (alias, &table.alias) {
                (Some(alias), None) => Ok(Table { alias: Some(convert_alias(alias)), ..table }),
                (Some(alias), Some(_)) => Err(Error::syntax("a second alias", span_of(alias.name.span))),
                (None, _) => Ok(table),
            }
        }
        TableFactor::Pivot { table, aggregate_functions, alias, .. } => {
            let table = convert_factor(*table, notes)?;
            let suffix = aggregate_functions.first().map(|function| &function.expr);
            let kind = reshape::behind_table(suffix, table, notes)?;
            Ok(Table { kind, alias: alias.map(convert_alias), span })
        }
        other => Err(Error::unsupported(format!("the table {other} is"), span)),
    }
}

/// A table by name; a single name in single quotes is a path.
pub(super) fn named(name: ast::ObjectName) -> Result<TableKind> {
    match name.0.as_slice() {
        [ast::ObjectNamePart::Identifier(ident)] if ident.quote_style == Some('\'') => {
            Ok(TableKind::Path(ident.value.clone()))
        }
        _ => names_of(name).map(TableKind::Named),
    }
}

pub(super) fn convert_alias(alias: ast::TableAlias) -> TableAlias {
    let columns = alias.columns.into_iter().map(|column| name_of(column.name)).collect();
    TableAlias { name: name_of(alias.name), columns }
}

/// The statement that was cut out where this name stands.
fn cut_out(name: &ast::ObjectName, notes: &Notes) -> Option<Result<Statement>> {
    match name.0.as_slice() {
        [ast::ObjectNamePart::Identifier(ident)] => notes.statement(&ident.value),
        _ => None,
    }
}

fn place_of(kind: &TableKind, span: Span, notes: &Notes) -> Span {
    match kind {
        TableKind::Path(path) if !span.is_known() => notes.place_of(path),
        _ => span,
    }
}

/// A table as a statement names it.
pub(super) fn table_of(name: ast::ObjectName, notes: &Notes) -> Result<Table> {
    let span = span_of(name.span());
    let kind = named(name)?;
    let span = place_of(&kind, span, notes);
    Ok(Table { kind, alias: None, span })
}
