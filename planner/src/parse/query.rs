//! The parser's queries into ours; clauses that are not supported are refused by name.

use sqlparser::ast::{self, SelectItem as AstItem, SetExpr, SetQuantifier, Spanned};

use crate::error::{Error, Result};
use crate::parse::adjust::Hint;
use crate::parse::expression::{convert as convert_expression, convert_all, name_of, names_of, order_terms};
use crate::parse::{Notes, adjust, reshape, span_of, table, window};
use crate::span::Span;
use crate::tree::{
    CommonTable, Excluded, Expression, ExpressionKind, GroupBy, GroupElement, LiteralText, MatchKind, Name,
    OrderBy, Query, QueryBody, Replacement, Select, SelectItem, SetOperator, Star,
};

/// Converts one query.
pub(super) fn convert(query: ast::Query, notes: &mut Notes) -> Result<Query> {
    let span = first_place(&query.body);
    for (clause, present) in [
        ("FOR UPDATE and its like are", !query.locks.is_empty()),
        ("FOR XML and FOR JSON are", query.for_clause.is_some()),
        ("SETTINGS is", query.settings.is_some()),
        ("FORMAT is", query.format_clause.is_some()),
        ("the pipe operator |> is", !query.pipe_operators.is_empty()),
    ] {
        refuse(clause, present, span)?;
    }
    let with = query.with.map(|with| common_tables(with, notes)).transpose()?.unwrap_or_default();
    let body = convert_body(*query.body, span, notes)?;
    let order_by = query.order_by.map_or(Ok(OrderBy::None), |order_by| convert_order(order_by, notes))?;
    let (mut limit, offset) = convert_limit(query.limit_clause, span, notes)?;
    if let Some(fetch) = query.fetch {
        refuse("FETCH .. PERCENT and WITH TIES are", fetch.percent || fetch.with_ties, span)?;
        // FETCH FIRST ROW ONLY is one row.
        let one = || Expression::new(ExpressionKind::Literal(LiteralText::Number("1".to_owned())), span);
        let quantity = fetch.quantity.map(|quantity| convert_expression(quantity, notes)).transpose()?;
        limit = Some(quantity.unwrap_or_else(one));
    }
    let span = span.union(body.span());
    let (limit, percent) = split_percent(limit);
    Ok(Query { with, body, order_by, limit, percent, offset, span })
}

/// The number of a limit, and whether it is a percentage.
pub(super) fn split_percent(limit: Option<Expression>) -> (Option<Expression>, bool) {
    match limit {
        Some(Expression { kind: ExpressionKind::Call(mut call), span })
            if call.name.text == adjust::PERCENT =>
        {
            let value = call.arguments.pop().map(|argument| argument.value);
            (value.or_else(|| Some(Expression::new(ExpressionKind::Call(call), span))), true)
        }
        limit => (limit, false),
    }
}

/// The first word of a query. The parser's own `span` recurses through every expression, which a long chain would not
/// survive.
fn first_place(body: &SetExpr) -> Span {
    let mut body = body;
    loop {
        body = match body {
            SetExpr::SetOperation { left, .. } => left,
            SetExpr::Query(query) => &query.body,
            SetExpr::Select(select) => return span_of(select.select_token.0.span),
            _ => return Span::NONE,
        }
    }
}

fn refuse(clause: &str, present: bool, span: Span) -> Result<()> {
    match present {
        true => Err(Error::unsupported(clause, span)),
        false => Ok(()),
    }
}

fn common_tables(with: ast::With, notes: &mut Notes) -> Result<Vec<CommonTable>> {
    let recursive = with.recursive;
    with.cte_tables
        .into_iter()
        .map(|table| {
            let columns = table.alias.columns.into_iter().map(|column| name_of(column.name)).collect();
            let name = name_of(table.alias.name);
            let query = convert(*table.query, notes)?;
            let (mut materialized, mut keys) = (None, Vec::new());
            for (place, hint) in notes.hints_between(name.span, query.span) {
                match hint {
                    Hint::Materialized(asks) => materialized = Some(*asks),
                    Hint::Keys(Some(names)) => keys.clone_from(names),
                    Hint::Keys(None) => {
                        return Err(Error::unsupported("USING KEY of anything but columns is", *place));
                    }
                }
            }
            Ok(CommonTable { name, columns, materialized, keys, query, recursive })
        })
        .collect()
}

pub(super) fn convert_order(order_by: ast::OrderBy, notes: &mut Notes) -> Result<OrderBy> {
    match order_by.kind {
        ast::OrderByKind::All(options) => Ok(OrderBy::All {
            descending: matches!(options.sort, Some(ast::OrderBySort::Desc)),
            nulls_first: options.nulls_first,
        }),
        ast::OrderByKind::Expressions(terms) => Ok(OrderBy::Terms(order_terms(terms, notes)?)),
    }
}

fn convert_limit(
    clause: Option<ast::LimitClause>,
    span: Span,
    notes: &mut Notes,
) -> Result<(Option<Expression>, Option<Expression>)> {
    let mut expression =
        |value: Option<ast::Expr>| value.map(|value| convert_expression(value, notes)).transpose();
    match clause {
        None => Ok((None, None)),
        Some(ast::LimitClause::LimitOffset { limit, offset, limit_by }) => {
            refuse("LIMIT .. BY is", !limit_by.is_empty(), span)?;
            Ok((expression(limit)?, expression(offset.map(|offset| offset.value))?))
        }
        Some(ast::LimitClause::OffsetCommaLimit { offset, limit }) => {
            Ok((expression(Some(limit))?, expression(Some(offset))?))
        }
    }
}

/// Walks the left spine of UNION chains in a loop: generated queries have hundreds of branches.
fn convert_body(body: SetExpr, span: Span, notes: &mut Notes) -> Result<QueryBody> {
    let mut links = Vec::new();
    let mut first = body;
    while let SetExpr::SetOperation { left, op, set_quantifier, right } = first {
        links.push((op, set_quantifier, *right));
        first = *left;
    }
    let mut body = convert_leaf(first, span, notes)?;
    for (op, quantifier, right) in links.into_iter().rev() {
        let operator = match op {
            ast::SetOperator::Union => SetOperator::Union,
            ast::SetOperator::Intersect => SetOperator::Intersect,
            ast::SetOperator::Except | ast::SetOperator::Minus => SetOperator::Except,
        };
        let all = matches!(quantifier, SetQuantifier::All | SetQuantifier::AllByName);
        let by_name = matches!(
            quantifier,
            SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName
        );
        refuse("BY NAME with INTERSECT or EXCEPT is", by_name && operator != SetOperator::Union, span)?;
        let right = convert_body(right, span, notes)?;
        body = QueryBody::Set { operator, all, by_name, left: Box::new(body), right: Box::new(right) };
    }
    Ok(body)
}

fn convert_leaf(body: SetExpr, span: Span, notes: &mut Notes) -> Result<QueryBody> {
    match body {
        SetExpr::Select(select) => {
            convert_select(*select, notes).map(|select| QueryBody::Select(Box::new(select)))
        }
        SetExpr::Query(query) => convert(*query, notes).map(|query| QueryBody::Query(Box::new(query))),
        SetExpr::Values(values) => {
            let rows =
                values.rows.into_iter().map(|row| convert_all(row.content, notes)).collect::<Result<_>>()?;
            Ok(QueryBody::Values(rows))
        }
        SetExpr::Table(table) => {
            let name = table.table_name.ok_or_else(|| Error::syntax("TABLE needs a name", span))?;
            Ok(QueryBody::Select(Box::new(table::select_all(Name::new(name, span)))))
        }
        SetExpr::Insert(_) => Err(Error::unsupported("INSERT is", span)),
        SetExpr::Update(_) => Err(Error::unsupported("UPDATE is", span)),
        SetExpr::Delete(_) => Err(Error::unsupported("DELETE is", span)),
        SetExpr::Merge(_) => Err(Error::unsupported("MERGE is", span)),
        SetExpr::SetOperation { .. } => Err(Error::internal("a set operation was taken for a leaf")),
    }
}

fn convert_select(mut select: ast::Select, notes: &mut Notes) -> Result<Select> {
    let span = span_of(select.select_token.0.span);
    let sample = reshape::take_sample(&mut select.named_window, notes)?;
    for (clause, present) in [
        ("LATERAL VIEW is", !select.lateral_views.is_empty()),
        ("SELECT .. INTO is", select.into.is_some()),
        ("TOP is", select.top.is_some()),
        ("PREWHERE is", select.prewhere.is_some()),
        ("CONNECT BY is", !select.connect_by.is_empty()),
        ("CLUSTER BY, DISTRIBUTE BY and SORT BY are", has_hive_clauses(&select)),
    ] {
        refuse(clause, present, span)?;
    }
    let (distinct, distinct_on) = match select.distinct {
        None | Some(ast::Distinct::All) => (false, Vec::new()),
        Some(ast::Distinct::Distinct) => (true, Vec::new()),
        Some(ast::Distinct::On(keys)) if keys.is_empty() => {
            return Err(Error::syntax("DISTINCT ON needs an expression in its parentheses", span));
        }
        Some(ast::Distinct::On(keys)) => (false, convert_all(keys, notes)?),
    };
    let items: Vec<SelectItem> = match select.flavor {
        ast::SelectFlavor::FromFirstNoSelect => {
            vec![SelectItem {
                expression: Expression::new(ExpressionKind::Star(Box::default()), span),
                alias: None,
            }]
        }
        _ => select.projection.into_iter().map(|item| convert_item(item, notes)).collect::<Result<_>>()?,
    };
    let selected = items.iter().fold(span, |span, item| span.union(item.expression.span));
    let from = select.from.into_iter().map(|table| table::convert(table, notes)).collect::<Result<_>>()?;
    let filter = select.selection.map(|filter| convert_expression(filter, notes)).transpose()?;
    let group_by = convert_group(select.group_by, span, notes)?;
    let having = select.having.map(|having| convert_expression(having, notes)).transpose()?;
    let windows = window::named(select.named_window, span, notes)?;
    let qualify = select.qualify.map(|qualify| convert_expression(qualify, notes)).transpose()?;
    Ok(Select {
        distinct,
        distinct_on,
        items,
        from,
        filter,
        group_by,
        having,
        sample,
        windows,
        qualify,
        span: selected,
    })
}

fn has_hive_clauses(select: &ast::Select) -> bool {
    !select.cluster_by.is_empty() || !select.distribute_by.is_empty() || !select.sort_by.is_empty()
}

fn convert_group(group_by: ast::GroupByExpr, span: Span, notes: &mut Notes) -> Result<GroupBy> {
    let (expressions, modifiers) = match group_by {
        ast::GroupByExpr::All(modifiers) => (None, modifiers),
        ast::GroupByExpr::Expressions(expressions, modifiers) => (Some(expressions), modifiers),
    };
    let mut sets = Vec::new();
    for modifier in modifiers {
        match modifier {
            // GROUPING SETS are read as a modifier where they stand behind other keys.
            ast::GroupByWithModifier::GroupingSets(expression) => {
                sets.push(group_element(expression, notes)?)
            }
            _ => return Err(Error::unsupported("WITH ROLLUP, WITH CUBE and WITH TOTALS are", span)),
        }
    }
    let Some(expressions) = expressions else {
        refuse("GROUP BY ALL with GROUPING SETS is", !sets.is_empty(), span)?;
        return Ok(GroupBy::All);
    };
    if expressions.is_empty() && sets.is_empty() {
        return Ok(GroupBy::None);
    }
    if sets.is_empty() && !expressions.iter().any(is_set) {
        return Ok(GroupBy::Expressions(convert_all(expressions, notes)?));
    }
    let mut elements = Vec::with_capacity(expressions.len() + sets.len());
    for expression in expressions {
        elements.push(group_element(expression, notes)?);
    }
    elements.extend(sets);
    Ok(GroupBy::Sets(elements))
}

/// True for what stands for several grouping sets, and for the empty set.
fn is_set(expression: &ast::Expr) -> bool {
    match expression {
        ast::Expr::GroupingSets(_) | ast::Expr::Cube(_) | ast::Expr::Rollup(_) => true,
        ast::Expr::Tuple(keys) => keys.is_empty(),
        _ => false,
    }
}

fn group_element(expression: ast::Expr, notes: &mut Notes) -> Result<GroupElement> {
    let mut all = |lists: Vec<Vec<ast::Expr>>| {
        lists.into_iter().map(|keys| convert_all(keys, notes)).collect::<Result<Vec<_>>>()
    };
    match expression {
        ast::Expr::Rollup(lists) => Ok(GroupElement::Rollup(all(lists)?)),
        ast::Expr::Cube(lists) => Ok(GroupElement::Cube(all(lists)?)),
        ast::Expr::GroupingSets(lists) => {
            let sets = lists.into_iter().map(|keys| {
                let keys = convert_all(keys, notes)?;
                Ok(set_inside(keys))
            });
            Ok(GroupElement::Sets(sets.collect::<Result<_>>()?))
        }
        ast::Expr::Tuple(keys) => Ok(GroupElement::Keys(convert_all(keys, notes)?)),
        other => Ok(GroupElement::Keys(vec![convert_expression(other, notes)?])),
    }
}

/// ROLLUP and CUBE inside GROUPING SETS are read as calls.
fn set_inside(mut keys: Vec<Expression>) -> GroupElement {
    let lists = |call: crate::tree::Call| {
        let values = call.arguments.into_iter().map(|argument| match argument.value.kind {
            ExpressionKind::Row(items) => items,
            kind => vec![Expression::new(kind, argument.value.span)],
        });
        values.collect::<Vec<_>>()
    };
    match (keys.pop(), keys.is_empty()) {
        (Some(Expression { kind: ExpressionKind::Call(call), .. }), true)
            if call.name.is("rollup") && !call.name.quoted =>
        {
            GroupElement::Rollup(lists(*call))
        }
        (Some(Expression { kind: ExpressionKind::Call(call), .. }), true)
            if call.name.is("cube") && !call.name.quoted =>
        {
            GroupElement::Cube(lists(*call))
        }
        (last, _) => {
            keys.extend(last);
            GroupElement::Keys(keys)
        }
    }
}

pub(super) fn convert_item(item: AstItem, notes: &mut Notes) -> Result<SelectItem> {
    match item {
        AstItem::UnnamedExpr(expression) => {
            Ok(SelectItem { expression: convert_expression(expression, notes)?, alias: None })
        }
        AstItem::ExprWithAlias { expr, alias } => {
            Ok(SelectItem { expression: convert_expression(expr, notes)?, alias: Some(name_of(alias)) })
        }
        AstItem::Wildcard(options) => {
            let span = span_of(options.wildcard_token.0.span);
            let star = star(Vec::new(), options, notes)?;
            Ok(SelectItem {
                expression: Expression::new(ExpressionKind::Star(Box::new(star)), span),
                alias: None,
            })
        }
        AstItem::QualifiedWildcard(ast::SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
            let span = span_of(name.span()).union(span_of(options.wildcard_token.0.span));
            let star = star(names_of(name)?, options, notes)?;
            Ok(SelectItem {
                expression: Expression::new(ExpressionKind::Star(Box::new(star)), span),
                alias: None,
            })
        }
        AstItem::QualifiedWildcard(ast::SelectItemQualifiedWildcardKind::Expr(_), options) => {
            Err(Error::unsupported("a star behind an expression is", span_of(options.wildcard_token.0.span)))
        }
        AstItem::ExprWithAliases { expr, .. } => {
            let span = convert_expression(expr, notes)?.span;
            Err(Error::unsupported("several aliases for one expression are", span))
        }
    }
}

/// Converts a star with its options.
pub(super) fn star(
    qualifier: Vec<Name>,
    options: ast::WildcardAdditionalOptions,
    notes: &mut Notes,
) -> Result<Star> {
    let span = span_of(options.wildcard_token.0.span);
    refuse("an alias for a star is", options.opt_alias.is_some(), span)?;
    refuse("* EXCEPT is written * EXCLUDE, and EXCEPT is", options.opt_except.is_some(), span)?;
    let excluded = |name: ast::ObjectName| {
        let mut names = names_of(name)?;
        let column = names.pop().ok_or_else(|| Error::syntax("EXCLUDE needs a name", span))?;
        Ok(Excluded { table: names.pop(), column })
    };
    let exclude = match options.opt_exclude {
        None => Vec::new(),
        Some(ast::ExcludeSelectItem::Single(name)) => vec![excluded(name)?],
        Some(ast::ExcludeSelectItem::Multiple(names)) => {
            names.into_iter().map(excluded).collect::<Result<_>>()?
        }
    };
    let replace = options.opt_replace.map(|replace| replace.items).unwrap_or_default();
    let replace = replace
        .into_iter()
        .map(|item| {
            let expression = convert_expression(item.expr, notes)?;
            Ok(Replacement { expression, column: name_of(item.column_name) })
        })
        .collect::<Result<_>>()?;
    let pair = |item: ast::IdentWithAlias| (name_of(item.ident), name_of(item.alias));
    let rename = match options.opt_rename {
        None => Vec::new(),
        Some(ast::RenameSelectItem::Single(item)) => vec![pair(item)],
        Some(ast::RenameSelectItem::Multiple(items)) => items.into_iter().map(pair).collect(),
    };
    let like = options.opt_ilike.map(|ilike| (MatchKind::ILike, ilike.pattern));
    Ok(Star { qualifier, exclude, replace, rename, like })
}
