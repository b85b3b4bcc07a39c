//! Limits on the shape of a text, checked on its tokens before a tree is built.
//!
//! The parser limits nesting; chains such as `1 + 1 + ..` nest only in the tree, so they are counted here.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, ErrorKind, Result};
use crate::parse::span_of;

/// Levels of parentheses, subqueries and prefix operators.
pub const NESTING_MAX: usize = 200;

/// Operators in one chain without parentheses: a plan is refused where an expression nests 500 levels deep.
pub const CHAIN_MAX: usize = 480;

/// Operators of AND, OR and set operations in one chain: they do not nest in a plan.
pub const FLAT_CHAIN_MAX: usize = 20_000;

/// Refuses a text whose tree would be too deep.
///
/// # Errors
/// [`ErrorKind::TooDeep`] at the first token beyond a limit.
pub fn check(tokens: &[TokenWithSpan]) -> Result<()> {
    let mut open: Vec<Chain> = vec![Chain::default()];
    for token in tokens {
        let Some(chain) = open.last_mut() else { return Ok(()) };
        let beyond = match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                chain.operators += 1;
                open.push(Chain::default());
                (open.len() > NESTING_MAX).then_some(NESTING_MAX)
            }
            Token::RParen | Token::RBracket | Token::RBrace => {
                if open.len() > 1 {
                    open.pop();
                }
                None
            }
            Token::Comma | Token::SemiColon => {
                *chain = Chain::default();
                None
            }
            Token::Word(word) => chain.word(word.keyword),
            Token::Whitespace(_) | Token::Number(..) | Token::SingleQuotedString(_) | Token::Period => None,
            _ => chain.operator(),
        };
        if let Some(limit) = beyond {
            return Err(Error::new(ErrorKind::TooDeep { limit }, span_of(token.span)));
        }
    }
    Ok(())
}

/// Operators seen since the last comma or clause at one level of nesting.
#[derive(Default)]
struct Chain {
    operators: usize,
    flat_operators: usize,
}

impl Chain {
    fn operator(&mut self) -> Option<usize> {
        self.operators += 1;
        (self.operators > CHAIN_MAX).then_some(CHAIN_MAX)
    }

    fn word(&mut self, keyword: Keyword) -> Option<usize> {
        match keyword {
            Keyword::AND | Keyword::OR => {
                self.operators = 0;
                self.flat_operators += 1;
                (self.flat_operators > FLAT_CHAIN_MAX).then_some(FLAT_CHAIN_MAX)
            }
            Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT => {
                self.operators = 0;
                self.flat_operators += 1;
                (self.flat_operators > CHAIN_MAX).then_some(CHAIN_MAX)
            }
            Keyword::WHEN
            | Keyword::THEN
            | Keyword::ELSE
            | Keyword::SELECT
            | Keyword::FROM
            | Keyword::WHERE => {
                self.operators = 0;
                None
            }
            Keyword::NOT | Keyword::CASE => {
                self.operators += 1;
                (self.operators > NESTING_MAX).then_some(NESTING_MAX)
            }
            Keyword::IS | Keyword::LIKE | Keyword::ILIKE | Keyword::IN | Keyword::BETWEEN | Keyword::JOIN => {
                self.operator()
            }
            _ => None,
        }
    }
}
