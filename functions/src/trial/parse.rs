//! Reads the expressions that tests use: literals, calls, operators, subscripts, casts and lambdas.

use crate::error::{Error, Result};
use crate::types::{Field, TimeUnit, Type};
use crate::value::{DecimalDigits, Literal, Value};

/// An expression.
#[derive(Debug, Clone)]
pub enum Expression {
    /// A constant; `true` for one that was written as a literal and adapts to its place.
    Constant(Literal),
    /// A lambda parameter.
    Name(String),
    /// A call of a registered function, or of an operator by its symbol.
    Call(String, Vec<Expression>),
    /// A cast.
    Cast(Box<Expression>, Type),
    /// Parameters and body.
    Lambda(Vec<String>, Box<Expression>),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(String),
    Text(String),
    Word(String),
    Quoted(String),
    Symbol(String),
    End,
}

const SYMBOLS: [&str; 37] = [
    "<@", "@>", "&&", "->>", "::", ":=", "->", "||", "<=", ">=", "<>", "!=", "==", "^@", "//", "=>", "(",
    ")", "[", "]", "{", "}", ",", ":", ".", "+", "-", "*", "/", "%", "<", ">", "=", "^", "@", "?", "~",
];

fn tokens(sql: &str) -> Result<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = if first == '\'' || (first == 'E' && rest.starts_with("E'")) {
            quoted(rest, first == 'E')?
        } else if first == '"' {
            let end = rest[1..].find('"').ok_or_else(|| Error::user("open quote"))?;
            (Token::Quoted(rest[1..=end].into()), end + 2)
        } else if first.is_ascii_digit() {
            let bytes = rest.as_bytes();
            let mut end = 1;
            while end < bytes.len()
                && (bytes[end].is_ascii_digit()
                    || bytes[end] == b'.'
                    || bytes[end] == b'e'
                    || (bytes[end] == b'-' && bytes[end - 1] == b'e'))
            {
                end += 1;
            }
            (Token::Number(rest[..end].into()), end)
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (Token::Word(rest[..end].into()), end)
        } else {
            let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
            let symbol = symbol.ok_or_else(|| Error::user(format!("unexpected {rest}")))?;
            (Token::Symbol((*symbol).into()), symbol.len())
        };
        found.push(token);
        rest = rest[length..].trim_start();
    }
    found.push(Token::End);
    Ok(found)
}

fn quoted(rest: &str, escapes: bool) -> Result<(Token, usize)> {
    let skipped = 1 + usize::from(escapes);
    let mut text = String::new();
    let mut characters = rest[skipped..].char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            '\'' if characters.peek().is_some_and(|(_, next)| *next == '\'') => {
                characters.next();
                text.push('\'');
            }
            '\'' => return Ok((Token::Text(text), skipped + at + 1)),
            '\\' if escapes => match characters.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, 'r')) => text.push('\r'),
                Some((_, other)) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    Err(Error::user("open text literal"))
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

/// Reads one expression.
pub fn parse(sql: &str) -> Result<Expression> {
    let mut expressions = parse_all(sql)?;
    if expressions.len() == 1 {
        Ok(expressions.remove(0))
    } else {
        Err(Error::user("one expression was expected"))
    }
}

/// Reads expressions with commas between them.
pub fn parse_all(sql: &str) -> Result<Vec<Expression>> {
    let mut parser = Parser { tokens: tokens(sql)?, at: 0 };
    let mut expressions = vec![parser.expression(0)?];
    while parser.accept(",") {
        expressions.push(parser.expression(0)?);
    }
    match parser.peek() {
        Token::End => Ok(expressions),
        other => Err(Error::user(format!("unexpected {other:?} in {sql}"))),
    }
}

const OPERATORS: [(&str, u8); 24] = [
    ("or", 1),
    ("and", 2),
    ("=", 4),
    ("==", 4),
    ("<>", 4),
    ("!=", 4),
    ("<", 4),
    (">", 4),
    ("<=", 4),
    (">=", 4),
    ("like", 5),
    ("ilike", 5),
    ("glob", 5),
    ("||", 6),
    ("->>", 6),
    ("->", 6),
    ("^@", 6),
    ("+", 7),
    ("-", 7),
    ("*", 8),
    ("/", 8),
    ("<@", 6),
    ("@>", 6),
    ("&&", 6),
];

impl Parser {
    fn peek(&self) -> Token {
        self.tokens.get(self.at).cloned().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned().unwrap_or(Token::End)
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let found = match self.peek() {
            Token::Symbol(held) => held == symbol,
            Token::Word(held) => held.eq_ignore_ascii_case(symbol),
            _ => false,
        };
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<()> {
        if self.accept(symbol) {
            Ok(())
        } else {
            Err(Error::user(format!("expected {symbol}, found {:?}", self.peek())))
        }
    }

    fn expression(&mut self, least: u8) -> Result<Expression> {
        let mut left = self.postfix()?;
        loop {
            let word = match self.peek() {
                Token::Symbol(held) => held,
                Token::Word(held) => held.to_ascii_lowercase(),
                _ => return Ok(left),
            };
            if word == "%" && least < 8 {
                self.next();
                left = Expression::Call(word, vec![left, self.expression(8)?]);
                continue;
            }
            let negated = word == "not" || word == "is";
            if negated {
                return self.suffix(left, &word);
            }
            let Some((_, strength)) =
                OPERATORS.iter().find(|(symbol, strength)| *symbol == word && *strength > least)
            else {
                return Ok(left);
            };
            self.next();
            if word == "->"
                && let Some(names) = lambda_names(&left)
            {
                return Ok(Expression::Lambda(names, Box::new(self.expression(0)?)));
            }
            left = Expression::Call(word, vec![left, self.expression(*strength)?]);
        }
    }

    fn suffix(&mut self, left: Expression, word: &str) -> Result<Expression> {
        self.next();
        if word == "is" {
            let negated = self.accept("not");
            self.expect("null")?;
            return Ok(Expression::Call(if negated { "is_not_null" } else { "is_null" }.into(), vec![left]));
        }
        Err(Error::user("NOT is not read here"))
    }

    fn list_until(&mut self, close: &str) -> Result<Vec<Expression>> {
        let mut items = Vec::new();
        while !self.accept(close) {
            if !items.is_empty() {
                self.expect(",")?;
            }
            items.push(self.expression(0)?);
        }
        Ok(items)
    }

    fn postfix(&mut self) -> Result<Expression> {
        let mut value = self.primary()?;
        loop {
            if self.accept("::") {
                value = Expression::Cast(Box::new(value), self.data_type()?);
            } else if self.accept("[") {
                value = self.subscript(value)?;
            } else if self.accept(".") {
                let name = match self.next() {
                    Token::Word(name) | Token::Quoted(name) => name,
                    other => return Err(Error::user(format!("unexpected {other:?}"))),
                };
                value = call("struct_extract", vec![value, constant(Value::text(name))]);
            } else {
                return Ok(value);
            }
        }
    }

    fn subscript(&mut self, value: Expression) -> Result<Expression> {
        let first = if self.accept(":") { None } else { Some(self.expression(0)?) };
        if let Some(index) = &first
            && self.accept("]")
        {
            return Ok(call("array_extract", vec![value, index.clone()]));
        }
        if first.is_some() {
            self.expect(":")?;
        }
        let bound = |bound: Option<Expression>| bound.unwrap_or_else(|| constant(Value::Null));
        let last = match self.peek() {
            Token::Symbol(symbol) if symbol == "]" || symbol == ":" => None,
            Token::Symbol(symbol)
                if symbol == "-" && self.tokens.get(self.at + 1) == Some(&Token::Symbol(":".into())) =>
            {
                self.next();
                None
            }
            _ => Some(self.expression(0)?),
        };
        let mut arguments = vec![value, bound(first), bound(last)];
        if self.accept(":") {
            arguments.push(self.expression(0)?);
        }
        self.expect("]")?;
        Ok(call("array_slice", arguments))
    }

    fn primary(&mut self) -> Result<Expression> {
        match self.next() {
            Token::Number(digits) => number(&digits).map(Expression::Constant),
            Token::Text(text) => Ok(constant(Value::Text(text))),
            Token::Quoted(name) => Ok(Expression::Name(name)),
            Token::Symbol(symbol) => self.bracketed(&symbol),
            Token::Word(word) => self.word(&word),
            Token::End => Err(Error::user("unexpected end")),
        }
    }

    fn bracketed(&mut self, symbol: &str) -> Result<Expression> {
        match symbol {
            "-" => match self.postfix()? {
                Expression::Constant(literal) => Ok(Expression::Constant(negated(literal))),
                other => Ok(call("negate", vec![other])),
            },
            "(" => {
                let mut items = self.list_until(")")?;
                Ok(if items.len() == 1 { items.remove(0) } else { call("row", items) })
            }
            "[" => Ok(call("list_value", self.list_until("]")?)),
            "{" => {
                let mut arguments = Vec::new();
                while !self.accept("}") {
                    if !arguments.is_empty() {
                        self.expect(",")?;
                    }
                    let name = match self.next() {
                        Token::Text(name) | Token::Word(name) | Token::Quoted(name) => name,
                        other => return Err(Error::user(format!("unexpected {other:?}"))),
                    };
                    self.expect(":")?;
                    arguments.extend([constant(Value::Text(name)), self.expression(0)?]);
                }
                Ok(call("struct_pack", arguments))
            }
            other => Err(Error::user(format!("unexpected {other}"))),
        }
    }

    fn word(&mut self, word: &str) -> Result<Expression> {
        let lower = word.to_ascii_lowercase();
        match lower.as_str() {
            "null" => return Ok(constant(Value::Null)),
            "true" => return Ok(constant(Value::Boolean(true))),
            "false" => return Ok(constant(Value::Boolean(false))),
            "lambda" => {
                let mut names = Vec::new();
                while let Token::Word(name) = self.next() {
                    names.push(name);
                    if self.accept(":") {
                        break;
                    }
                    self.expect(",")?;
                }
                return Ok(Expression::Lambda(names, Box::new(self.expression(0)?)));
            }
            "map" if self.peek() == Token::Symbol("{".into()) => {
                self.next();
                let (mut keys, mut values) = (Vec::new(), Vec::new());
                while !self.accept("}") {
                    if !keys.is_empty() {
                        self.expect(",")?;
                    }
                    keys.push(self.expression(0)?);
                    self.expect(":")?;
                    values.push(self.expression(0)?);
                }
                return Ok(call("map", vec![call("list_value", keys), call("list_value", values)]));
            }
            _ => {}
        }
        if !self.accept("(") {
            return Ok(Expression::Name(word.into()));
        }
        let arguments = self.list_until(")")?;
        Ok(Expression::Call(lower, arguments))
    }

    fn data_type(&mut self) -> Result<Type> {
        let Token::Word(word) = self.next() else { return Err(Error::user("a type was expected")) };
        let mut found = match word.to_ascii_lowercase().as_str() {
            "boolean" | "bool" => Type::Boolean,
            "tinyint" => Type::Int8,
            "smallint" => Type::Int16,
            "integer" | "int" => Type::Int32,
            "bigint" => Type::Int64,
            "utinyint" => Type::UInt8,
            "uinteger" => Type::UInt32,
            "ubigint" => Type::UInt64,
            "hugeint" => Type::HUGEINT,
            "float" => Type::Float32,
            "double" => Type::Float64,
            "varchar" | "text" | "json" => Type::Text,
            "blob" => Type::Binary,
            "date" => Type::Date,
            "interval" => Type::Interval,
            "timestamp" => Type::Timestamp(TimeUnit::Microsecond),
            "decimal" => {
                self.expect("(")?;
                let sizes: Vec<_> = self.list_until(")")?.iter().filter_map(small).collect();
                Type::Decimal(sizes[0] as u8, sizes[1] as i8)
            }
            "struct" => {
                self.expect("(")?;
                let mut fields = Vec::new();
                while !self.accept(")") {
                    self.accept(",");
                    let (Token::Word(name) | Token::Quoted(name)) = self.next() else {
                        return Err(Error::user("a field was expected"));
                    };
                    fields.push(Field::new(name, self.data_type()?));
                }
                Type::Struct(fields)
            }
            "map" => {
                self.expect("(")?;
                let key = self.data_type()?;
                self.expect(",")?;
                let value = self.data_type()?;
                self.expect(")")?;
                Type::map(key, value)
            }
            other => return Err(Error::user(format!("no type {other}"))),
        };
        while self.accept("[") {
            found = match self.list_until("]")?.first().and_then(small) {
                Some(size) => Type::fixed_list(found, size as usize),
                None => Type::list(found),
            };
        }
        Ok(found)
    }
}

/// The parameters of a lambda, where the left side of an arrow is a name or names in parentheses.
fn lambda_names(left: &Expression) -> Option<Vec<String>> {
    match left {
        Expression::Name(name) => Some(vec![name.clone()]),
        Expression::Call(row, names) if row == "row" => {
            names.iter().map(|name| lambda_names(name).and_then(|mut name| name.pop())).collect()
        }
        _ => None,
    }
}

fn small(expression: &Expression) -> Option<i64> {
    match expression {
        Expression::Constant(literal) => literal.value.as_i64(),
        _ => None,
    }
}

fn constant(value: Value) -> Expression {
    Expression::Constant(Literal::new(value))
}

fn call(name: &str, arguments: Vec<Expression>) -> Expression {
    Expression::Call(name.into(), arguments)
}

fn number(digits: &str) -> Result<Literal> {
    let refused = |_| Error::user(format!("no number: {digits}"));
    if digits.contains('e') {
        return Ok(Literal::new(Value::float64(digits.parse().map_err(|_| refused(()))?)));
    }
    if let Some((_, fraction)) = digits.split_once('.') {
        let unscaled: i128 = digits.replace('.', "").parse().map_err(|_| refused(()))?;
        let (precision, scale) = (digits.len() as u8 - 1, fraction.len() as i8);
        return Ok(Literal::new(Value::Decimal(DecimalDigits(unscaled), precision, scale)));
    }
    let value: i128 = digits.parse().map_err(|_| refused(()))?;
    Ok(Literal::new(integer(value)))
}

fn integer(value: i128) -> Value {
    if let Ok(value) = i32::try_from(value) {
        Value::Int32(value)
    } else if let Ok(value) = i64::try_from(value) {
        Value::Int64(value)
    } else {
        Value::hugeint(value)
    }
}

fn negated(literal: Literal) -> Literal {
    let value = match literal.value {
        Value::Int32(value) => integer(-i128::from(value)),
        Value::Int64(value) => integer(-i128::from(value)),
        Value::Decimal(digits, 38, 0) => integer(-digits.0),
        Value::Decimal(digits, precision, scale) => {
            Value::Decimal(DecimalDigits(-digits.0), precision, scale)
        }
        Value::Float64(bits) => Value::float64(-f64::from_bits(bits.0)),
        other => other,
    };
    Literal::new(value)
}
