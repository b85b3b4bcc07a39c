//! As-of joins, of which the parser knows only another system's form.
//!
//! ```text
//! t ASOF [INNER | LEFT | RIGHT | FULL | SEMI | ANTI] JOIN u {ON condition | USING (key, .., order)}
//!     [WITHIN distance] [TIES BY term, ..] [LAST NOT NULL [(column, ..)]]
//! ```
//!
//! The tokens lose ASOF and get a name after ON (or in place of USING) that no text can hold. There the dialect reads
//! the condition and the clauses behind it into a call of that name, which becomes [`AsOfCondition`] again.

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName,
};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use crate::error::{Error, Result};
use crate::parse::Notes;
use crate::parse::adjust::keyword;
use crate::parse::expression::{convert as convert_expression, name_of, order_terms};
use crate::span::Span;
use crate::tree::{AsOfCondition, AsOfOn, LastNotNull};

/// Name after ON.
pub(super) const ON: &str = "\u{0}asof on";
/// Name in place of USING.
pub(super) const USING: &str = "\u{0}asof using";

/// Names of the arguments that the clauses become.
const WITHIN: &str = "within";
const LAST: &str = "last";
const LAST_ALL: &str = "last all";

/// True if ASOF stands before the words of a join.
pub(super) fn begins_join(tokens: &[TokenWithSpan], position: usize) -> bool {
    let word = |distance: usize| tokens.get(position + distance).map_or(Keyword::NoKeyword, keyword);
    match word(1) {
        Keyword::JOIN => true,
        Keyword::INNER | Keyword::SEMI | Keyword::ANTI => word(2) == Keyword::JOIN,
        Keyword::LEFT | Keyword::RIGHT | Keyword::FULL => {
            word(2) == Keyword::JOIN || word(2) == Keyword::OUTER && word(3) == Keyword::JOIN
        }
        _ => false,
    }
}

/// The name at which the dialect reads the condition, at the place of a token.
pub(super) fn marker(form: &str, at: &TokenWithSpan) -> TokenWithSpan {
    let word = Word { value: form.to_owned(), quote_style: Some('"'), keyword: Keyword::NoKeyword };
    TokenWithSpan { token: Token::Word(word), span: at.span }
}

/// True for the names of [`marker`].
pub(super) fn is_marker(word: &Word) -> bool {
    word.quote_style.is_some() && (word.value == ON || word.value == USING)
}

/// Reads the condition and the clauses behind it; the next token is a marker.
pub(super) fn condition(parser: &mut Parser) -> Result<Expr, ParserError> {
    let marker = parser.next_token();
    let Token::Word(form) = marker.token else { return parser.expected("ON or USING", marker) };
    let on = if form.value == USING {
        parser.expect_token(&Token::LParen)?;
        let names = parser.parse_comma_separated(Parser::parse_identifier)?;
        parser.expect_token(&Token::RParen)?;
        Expr::Tuple(names.into_iter().map(Expr::Identifier).collect())
    } else {
        parser.parse_expr()?
    };
    let mut args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(on))];
    let mut clauses = Vec::new();
    loop {
        if is_word(parser, 0, "within") && !holds(&args, WITHIN) {
            parser.advance_token();
            let distance = parser.parse_expr()?;
            args.push(named(WITHIN, distance));
        } else if is_word(parser, 0, "ties") && is_word(parser, 1, "by") && clauses.is_empty() {
            parser.advance_token();
            parser.advance_token();
            let terms = parser.parse_comma_separated(Parser::parse_order_by_expr)?;
            clauses.push(FunctionArgumentClause::OrderBy(terms));
        } else if is_word(parser, 0, "last") && is_word(parser, 1, "not") && is_word(parser, 2, "null") {
            if holds(&args, LAST) || holds(&args, LAST_ALL) {
                break;
            }
            (0..3).for_each(|_| parser.advance_token());
            last_columns(parser, &mut args)?;
        } else {
            break;
        }
    }
    Ok(Expr::Function(Function {
        name: ObjectName::from(vec![Ident::with_quote_and_span('"', marker.span, form.value)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    }))
}

fn last_columns(parser: &mut Parser, args: &mut Vec<FunctionArg>) -> Result<(), ParserError> {
    if !parser.consume_token(&Token::LParen) {
        args.push(named(LAST_ALL, Expr::Identifier(Ident::new(LAST_ALL))));
        return Ok(());
    }
    for column in parser.parse_comma_separated(Parser::parse_identifier)? {
        args.push(named(LAST, Expr::Identifier(column)));
    }
    parser.expect_token(&Token::RParen)?;
    Ok(())
}

fn is_word(parser: &Parser, distance: usize, expected: &str) -> bool {
    matches!(
        &parser.peek_nth_token_ref(distance).token,
        Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected)
    )
}

fn named(name: &str, value: Expr) -> FunctionArg {
    let operator = sqlparser::ast::FunctionArgOperator::RightArrow;
    FunctionArg::Named { name: Ident::new(name), arg: FunctionArgExpr::Expr(value), operator }
}

fn holds(args: &[FunctionArg], wanted: &str) -> bool {
    args.iter().any(|arg| matches!(arg, FunctionArg::Named { name, .. } if name.value == wanted))
}

/// True for what [`condition`] made.
pub(super) fn is_condition(expression: &Expr) -> bool {
    match expression {
        Expr::Function(function) => match function.name.0.as_slice() {
            [part] => part.as_ident().is_some_and(|name| name.value == ON || name.value == USING),
            _ => false,
        },
        _ => false,
    }
}

/// The condition of an as-of join from what [`condition`] made of it.
pub(super) fn convert(expression: Expr, span: Span, notes: &mut Notes) -> Result<AsOfCondition> {
    let foreign = || Error::internal("the condition of an as-of join has another form");
    let Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) = expression else {
        return Err(foreign());
    };
    let is_using = name.0.first().and_then(|part| part.as_ident()).is_some_and(|name| name.value == USING);
    let (mut on, mut within, mut last_not_null) = (None, None, LastNotNull::None);
    for argument in list.args {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Tuple(names))) if is_using => {
                let name = |name| match name {
                    Expr::Identifier(name) => Ok(name_of(name)),
                    _ => Err(foreign()),
                };
                on = Some(AsOfOn::Using(names.into_iter().map(name).collect::<Result<_>>()?));
            }
            FunctionArg::Unnamed(FunctionArgExpr::Expr(condition)) => {
                on = Some(AsOfOn::On(convert_expression(condition, notes)?));
            }
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), .. } => {
                match (name.value.as_str(), value) {
                    (WITHIN, value) => within = Some(convert_expression(value, notes)?),
                    (LAST, Expr::Identifier(column)) => match &mut last_not_null {
                        LastNotNull::Columns(columns) => columns.push(name_of(column)),
                        other => *other = LastNotNull::Columns(vec![name_of(column)]),
                    },
                    (LAST_ALL, _) => last_not_null = LastNotNull::All,
                    _ => return Err(foreign()),
                }
            }
            _ => return Err(foreign()),
        }
    }
    let mut ties = Vec::new();
    for clause in list.clauses {
        if let FunctionArgumentClause::OrderBy(terms) = clause {
            ties.extend(order_terms(terms, notes)?);
        }
    }
    let on = on.ok_or_else(|| Error::syntax("this join needs ON or USING after its second table", span))?;
    Ok(AsOfCondition { on, within, ties, last_not_null })
}
