//! A small parser of SQL expressions: literals, operators, calls, subscripts, casts and lambdas.

use super::token::{Token, tokens};
use crate::error::{Error, Result};
use crate::json::leading_type;
use crate::types::Type;
use crate::value::{DecimalDigits, Literal, Value};

/// An expression.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    /// A text that adapts to its place.
    Text(String),
    /// An integer that adapts to its place.
    Integer(i128),
    /// Another constant.
    Constant(Literal),
    /// A parameter of a lambda, or a function called without parentheses.
    Name(String),
    /// A function or operator, and arguments that may be named.
    Call(String, Vec<(Option<String>, Expression)>),
    /// A cast; `true` for one that gives null instead of an error.
    Cast(Box<Expression>, Type, bool),
    /// Null in place of an error.
    Try(Box<Expression>),
    /// AND or, where `false`, OR.
    Logic(Box<Expression>, Box<Expression>, bool),
    /// Parameters and body.
    Lambda(Vec<String>, Box<Expression>),
}

/// Reads one expression.
pub(super) fn expression(sql: &str) -> Result<Expression> {
    let mut expressions = expressions(sql)?;
    match expressions.len() {
        1 => Ok(expressions.remove(0)),
        count => Err(Error::user(format!("{count} expressions in {sql}"))),
    }
}

/// Reads expressions with commas between them.
pub(super) fn expressions(sql: &str) -> Result<Vec<Expression>> {
    let mut parser = Parser { tokens: tokens(sql)?, at: 0, sql };
    let mut expressions = vec![parser.expression(0)?];
    while parser.symbol(",") {
        expressions.push(parser.expression(0)?);
    }
    match parser.peek() {
        Token::End => Ok(expressions),
        _ => Err(parser.unexpected("the end")),
    }
}

struct Parser<'a> {
    tokens: Vec<(Token, usize)>,
    at: usize,
    sql: &'a str,
}

/// Binary operators and how strongly they bind.
const OPERATORS: [(&str, u8); 36] = [
    ("or", 1),
    ("and", 2),
    ("is", 3),
    ("=", 4),
    ("==", 4),
    ("<>", 4),
    ("!=", 4),
    ("<", 4),
    (">", 4),
    ("<=", 4),
    (">=", 4),
    ("in", 5),
    ("like", 5),
    ("ilike", 5),
    ("glob", 5),
    ("|", 6),
    ("&", 6),
    ("<<", 6),
    (">>", 6),
    ("||", 6),
    ("->>", 6),
    ("->", 6),
    ("^@", 6),
    ("<@", 6),
    ("@>", 6),
    ("&&", 6),
    ("<=>", 6),
    ("<->", 6),
    ("+", 7),
    ("-", 7),
    ("*", 8),
    ("/", 8),
    ("//", 8),
    ("%", 8),
    ("^", 9),
    ("**", 9),
];

/// How strongly NOT binds its operand.
const NOT_STRENGTH: u8 = 2;

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(next) if *next == symbol);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(next) if next.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn unexpected(&self, wanted: &str) -> Error {
        Error::user(format!("expected {wanted}, found {:?} in {}", self.peek(), self.sql))
    }

    fn expect(&mut self, symbol: &str) -> Result<()> {
        if self.symbol(symbol) { Ok(()) } else { Err(self.unexpected(symbol)) }
    }

    fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.word(word) { Ok(()) } else { Err(self.unexpected(word)) }
    }

    fn name(&mut self) -> Result<String> {
        match self.next() {
            Token::Word(name) | Token::Name(name) | Token::Text(name) => Ok(name),
            _ => Err(self.unexpected("a name")),
        }
    }

    /// An expression of operators that bind more strongly than `least`.
    fn expression(&mut self, least: u8) -> Result<Expression> {
        let mut left =
            if self.word("not") { call("not", [self.expression(NOT_STRENGTH)?]) } else { self.unary()? };
        loop {
            let operator = match self.peek() {
                Token::Symbol(symbol) => (*symbol).to_owned(),
                Token::Word(word) => word.to_ascii_lowercase(),
                _ => return Ok(left),
            };
            let known = OPERATORS.iter().find(|(known, strength)| *known == operator && *strength > least);
            let Some(&(operator, strength)) = known else { return Ok(left) };
            self.at += 1;
            left = self.binary(left, operator, strength)?;
        }
    }

    fn binary(&mut self, left: Expression, operator: &'static str, strength: u8) -> Result<Expression> {
        match operator {
            "is" => return self.after_is(left),
            "in" => {
                self.expect("(")?;
                let list = self.list(")")?;
                return Ok(call("in_list", std::iter::once(left).chain(list)));
            }
            "->" => {
                if let Some(names) = lambda_names(&left) {
                    return Ok(Expression::Lambda(names, Box::new(self.expression(0)?)));
                }
            }
            _ => {}
        }
        let right = self.expression(strength)?;
        Ok(match operator {
            "and" | "or" => Expression::Logic(Box::new(left), Box::new(right), operator == "and"),
            "!=" => call("<>", [left, right]),
            "==" => call("=", [left, right]),
            _ => call(operator, [left, right]),
        })
    }

    fn after_is(&mut self, left: Expression) -> Result<Expression> {
        let negated = self.word("not");
        if self.word("null") {
            return Ok(call(if negated { "is_not_null" } else { "is_null" }, [left]));
        }
        self.expect_word("distinct")?;
        self.expect_word("from")?;
        let right = self.expression(5)?;
        Ok(call(if negated { "is_not_distinct_from" } else { "is_distinct_from" }, [left, right]))
    }

    fn unary(&mut self) -> Result<Expression> {
        for (symbol, function) in [("-", "negate"), ("~", "~"), ("@", "abs")] {
            if self.symbol(symbol) {
                return Ok(match self.unary()? {
                    Expression::Integer(value) if symbol == "-" => Expression::Integer(-value),
                    operand => call(function, [operand]),
                });
            }
        }
        if self.symbol("+") {
            return self.unary();
        }
        let mut operand = self.primary()?;
        loop {
            operand = if self.symbol("::") {
                Expression::Cast(Box::new(operand), self.data_type()?, false)
            } else if self.symbol("[") {
                self.subscript(operand)?
            } else if self.symbol(".") {
                let field = self.name()?;
                call("struct_extract", [operand, Expression::Text(field)])
            } else if self.word("at") {
                self.expect_word("time")?;
                self.expect_word("zone")?;
                let zone = self.unary()?;
                call("timezone", [zone, operand])
            } else {
                return Ok(operand);
            };
        }
    }

    /// `[index]`, `[first:last]` or `[first:last:step]`, behind its bracket.
    fn subscript(&mut self, operand: Expression) -> Result<Expression> {
        let first = if self.symbol(":") { None } else { Some(self.expression(0)?) };
        if let Some(index) = &first {
            if self.symbol("]") {
                return Ok(call("array_extract", [operand, index.clone()]));
            }
            self.expect(":")?;
        }
        let is_left_out = |token: &Token| matches!(token, Token::Symbol("]" | ":"));
        let last = if is_left_out(self.peek()) {
            None
        } else if *self.peek() == Token::Symbol("-") && is_left_out(&self.tokens[self.at + 1].0) {
            self.at += 1;
            None
        } else {
            Some(self.expression(0)?)
        };
        let bound =
            |bound: Option<Expression>| bound.unwrap_or(Expression::Constant(Literal::null(Type::Null)));
        let mut arguments = vec![operand, bound(first), bound(last)];
        if self.symbol(":") {
            arguments.push(self.expression(0)?);
        }
        self.expect("]")?;
        Ok(call("array_slice", arguments))
    }

    fn list(&mut self, close: &str) -> Result<Vec<Expression>> {
        let mut items = Vec::new();
        while !self.symbol(close) {
            if !items.is_empty() {
                self.expect(",")?;
            }
            items.push(self.expression(0)?);
        }
        Ok(items)
    }

    /// `{key: value, ..}` behind its bracket; `read_key` reads what stands before the colon.
    fn entries<K>(&mut self, read_key: impl Fn(&mut Self) -> Result<K>) -> Result<Vec<(K, Expression)>> {
        let mut entries = Vec::new();
        while !self.symbol("}") {
            if !entries.is_empty() {
                self.expect(",")?;
            }
            let key = read_key(self)?;
            self.expect(":")?;
            entries.push((key, self.expression(0)?));
        }
        Ok(entries)
    }

    fn primary(&mut self) -> Result<Expression> {
        match self.next() {
            Token::Text(text) => Ok(Expression::Text(text)),
            Token::Number(digits) => number(&digits),
            Token::Name(name) => Ok(Expression::Name(name)),
            Token::Symbol("(") => {
                let mut items = self.list(")")?;
                Ok(if items.len() == 1 { items.remove(0) } else { call("row", items) })
            }
            Token::Symbol("[") => Ok(call("list_value", self.list("]")?)),
            Token::Symbol("{") => {
                let fields = self.entries(Self::name)?;
                let fields = fields.into_iter().flat_map(|(name, value)| [Expression::Text(name), value]);
                Ok(call("struct_pack", fields))
            }
            Token::Word(word) => self.after_word(&word),
            _ => Err(self.unexpected("an expression")),
        }
    }

    fn after_word(&mut self, word: &str) -> Result<Expression> {
        let lower = word.to_ascii_lowercase();
        match (lower.as_str(), self.peek().clone()) {
            ("null", _) => Ok(Expression::Constant(Literal::null(Type::Null))),
            ("true" | "false", _) => Ok(Expression::Constant(Literal::new(Value::Boolean(lower == "true")))),
            ("interval", Token::Number(_) | Token::Text(_)) => self.interval(),
            ("lambda", Token::Word(_)) => {
                let mut names = vec![self.name()?];
                while self.symbol(",") {
                    names.push(self.name()?);
                }
                self.expect(":")?;
                Ok(Expression::Lambda(names, Box::new(self.expression(0)?)))
            }
            ("map", Token::Symbol("{")) => {
                self.at += 1;
                let (keys, values): (Vec<_>, Vec<_>) =
                    self.entries(|parser| parser.expression(0))?.into_iter().unzip();
                Ok(call("map", [call("list_value", keys), call("list_value", values)]))
            }
            (_, Token::Text(text)) => {
                self.at -= 1;
                let target = self.data_type()?;
                match self.next() {
                    Token::Text(_) => Ok(Expression::Cast(Box::new(Expression::Text(text)), target, false)),
                    _ => Err(self.unexpected("a text")),
                }
            }
            (_, Token::Symbol("(")) => {
                self.at += 1;
                self.form(lower)
            }
            _ => Ok(Expression::Name(word.into())),
        }
    }

    /// What looks like a call, behind its bracket.
    fn form(&mut self, word: String) -> Result<Expression> {
        match word.as_str() {
            "cast" | "try_cast" => {
                let operand = self.expression(0)?;
                self.expect_word("as")?;
                let target = self.data_type()?;
                self.expect(")")?;
                Ok(Expression::Cast(Box::new(operand), target, word == "try_cast"))
            }
            "extract" => {
                let part = self.name()?;
                self.expect_word("from")?;
                let operand = self.expression(0)?;
                self.expect(")")?;
                Ok(call("date_part", [Expression::Text(part), operand]))
            }
            "try" => {
                let operand = self.expression(0)?;
                self.expect(")")?;
                Ok(Expression::Try(Box::new(operand)))
            }
            _ => Ok(Expression::Call(word, self.arguments()?)),
        }
    }

    fn arguments(&mut self) -> Result<Vec<(Option<String>, Expression)>> {
        let mut arguments = Vec::new();
        while !self.symbol(")") {
            if !arguments.is_empty() {
                self.expect(",")?;
            }
            let next = self.tokens.get(self.at + 1).map(|(token, _)| token);
            let name = match next {
                Some(Token::Symbol("=>" | ":=")) => {
                    let name = self.name()?;
                    self.at += 1;
                    Some(name)
                }
                _ => None,
            };
            arguments.push((name, self.expression(0)?));
        }
        Ok(arguments)
    }

    fn interval(&mut self) -> Result<Expression> {
        let text = match self.next() {
            Token::Number(count) => format!("{count} {}", self.name()?),
            Token::Text(text) => text,
            _ => return Err(self.unexpected("an interval")),
        };
        Ok(Expression::Cast(Box::new(Expression::Text(text)), Type::Interval, false))
    }

    fn data_type(&mut self) -> Result<Type> {
        let start = self.tokens.get(self.at).map_or(self.sql.len(), |(_, place)| *place);
        let (data_type, length) =
            leading_type(&self.sql[start..]).ok_or_else(|| self.unexpected("a type"))?;
        while self.tokens.get(self.at).is_some_and(|(_, place)| *place < start + length) {
            self.at += 1;
        }
        Ok(data_type)
    }
}

/// The parameters of a lambda, where the left side of an arrow is a name or names in parentheses.
fn lambda_names(left: &Expression) -> Option<Vec<String>> {
    match left {
        Expression::Name(name) => Some(vec![name.clone()]),
        Expression::Call(row, names) if row == "row" => {
            names.iter().map(|(_, name)| lambda_names(name).and_then(|mut name| name.pop())).collect()
        }
        _ => None,
    }
}

fn call(name: &str, arguments: impl IntoIterator<Item = Expression>) -> Expression {
    Expression::Call(name.into(), arguments.into_iter().map(|argument| (None, argument)).collect())
}

fn number(text: &str) -> Result<Expression> {
    let refused = || Error::user(format!("no number: {text}"));
    if let Ok(value) = text.parse::<i128>() {
        return Ok(Expression::Integer(value));
    }
    if text.contains(['e', 'E']) {
        let value = text.parse().map_err(|_| refused())?;
        return Ok(Expression::Constant(Literal::new(Value::float64(value))));
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().map_err(|_| refused())?;
    let whole_digits = whole.trim_start_matches('0').len().max(1);
    let precision = (whole_digits + fraction.len()) as u8;
    let value = Value::Decimal(DecimalDigits(digits), precision, fraction.len() as i8);
    Ok(Expression::Constant(Literal::new(value)))
}
