//! A small parser of SQL expressions: literals, operators, calls, casts.

use crate::types::{Field, TimeUnit, Type};
use crate::value::{DecimalDigits, Literal, Value};

#[derive(Debug, Clone)]
pub(super) enum Expression {
    Text(String),
    Integer(i128),
    Constant(Literal),
    List(Vec<Expression>),
    Record(Vec<(String, Expression)>),
    Entries(Vec<(Expression, Expression)>),
    Call(String, Vec<(Option<String>, Expression)>),
    Cast(Box<Expression>, Type, bool),
    Try(Box<Expression>),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Number(String),
    Symbol(&'static str),
    End,
}

const SYMBOLS: [&str; 37] = [
    "<=>", "::", "->", "=>", "<>", "!=", "<=", ">=", "<<", ">>", "//", "**", "||", "(", ")", "[", "]", "{",
    "}", ",", ":", "+", "-", "*", "/", "%", "^", "=", "<", ">", "&", "|", "~", "@", "!", ".", ";",
];

pub(super) fn expression(sql: &str) -> Expression {
    let mut parser = Parser { tokens: tokens(sql), at: 0, sql };
    let expression = parser.level(0);
    parser.expect_end();
    expression
}

fn tokens(sql: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '\'' || first == '"' {
            let (text, after) = quoted(&rest[1..], first);
            found.push(if first == '"' { Token::Word(text) } else { Token::Quoted(text) });
            rest = after;
        } else if first.is_ascii_digit()
            || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()))
        {
            let bytes = rest.as_bytes();
            let mut length = 0;
            while length < bytes.len() {
                let byte = bytes[length];
                let sign = matches!(byte, b'+' | b'-') && matches!(bytes[length - 1], b'e' | b'E');
                if !(byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'e' | b'E') || sign) {
                    break;
                }
                length += 1;
            }
            found.push(Token::Number(rest[..length].replace('_', "")));
            rest = &rest[length..];
        } else if first.is_alphabetic() || first == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            found.push(Token::Word(rest[..length].into()));
            rest = &rest[length..];
        } else {
            let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
            let symbol = symbol.unwrap_or_else(|| panic!("no token at {rest:?}"));
            found.push(Token::Symbol(symbol));
            rest = &rest[symbol.len()..];
        }
        rest = rest.trim_start();
    }
    found
}

fn quoted(text: &str, quote: char) -> (String, &str) {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let position = rest.find(quote).expect("a closing quote");
        value.push_str(&rest[..position]);
        rest = &rest[position + 1..];
        match rest.strip_prefix(quote) {
            Some(after) => {
                value.push(quote);
                rest = after;
            }
            None => return (value, rest),
        }
    }
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    sql: &'a str,
}

/// Binary operators by level, loosest first.
const LEVELS: [&[&str]; 5] = [
    &["=", "<>", "!=", "<", "<=", ">", ">="],
    &["|", "&", "<<", ">>", "||"],
    &["+", "-"],
    &["*", "/", "//", "%"],
    &["^", "**"],
];

impl Parser<'_> {
    fn peek(&self) -> Token {
        self.tokens.get(self.at).cloned().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned().unwrap_or(Token::End)
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(next) if next == symbol);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(next) if next.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) {
        assert!(self.symbol(symbol), "expected {symbol} in {} at {:?}", self.sql, self.peek());
    }

    fn expect_end(&self) {
        assert_eq!(self.peek(), Token::End, "in {}", self.sql);
    }

    fn call(name: &str, arguments: impl IntoIterator<Item = Expression>) -> Expression {
        Expression::Call(name.into(), arguments.into_iter().map(|argument| (None, argument)).collect())
    }

    fn level(&mut self, level: usize) -> Expression {
        if level == 0 && self.word("not") {
            let operand = self.level(0);
            return Self::call("not", [operand]);
        }
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1);
        loop {
            let operator = operators.iter().find(|operator| self.symbol(operator));
            if let Some(operator) = operator {
                let right = self.level(level + 1);
                let name = if *operator == "!=" { "<>" } else { operator };
                left = Self::call(name, [left, right]);
            } else if level == 0 && self.word("is") {
                left = self.after_is(left);
            } else if level == 0 && self.word("in") {
                self.expect("(");
                let mut arguments = vec![left];
                arguments.extend(self.list(")"));
                left = Self::call("in_list", arguments);
            } else {
                return left;
            }
        }
    }

    fn after_is(&mut self, left: Expression) -> Expression {
        let negated = self.word("not");
        if self.word("null") {
            return Self::call(if negated { "is_not_null" } else { "is_null" }, [left]);
        }
        assert!(self.word("distinct") && self.word("from"), "in {}", self.sql);
        let right = self.level(1);
        Self::call(if negated { "is_not_distinct_from" } else { "is_distinct_from" }, [left, right])
    }

    fn unary(&mut self) -> Expression {
        if self.symbol("-") {
            return match self.unary() {
                Expression::Integer(value) => Expression::Integer(-value),
                operand => Self::call("negate", [operand]),
            };
        }
        if self.symbol("+") {
            return self.unary();
        }
        if self.symbol("~") {
            let operand = self.unary();
            return Self::call("~", [operand]);
        }
        let mut operand = self.primary();
        loop {
            if self.symbol("::") {
                let target = self.data_type();
                operand = Expression::Cast(Box::new(operand), target, false);
            } else if self.word("at") {
                assert!(self.word("time") && self.word("zone"), "in {}", self.sql);
                let zone = self.unary();
                operand = Self::call("timezone", [zone, operand]);
            } else {
                return operand;
            }
        }
    }

    fn list(&mut self, close: &str) -> Vec<Expression> {
        let mut items = Vec::new();
        while !self.symbol(close) {
            items.push(self.level(0));
            if !self.symbol(",") {
                self.expect(close);
                break;
            }
        }
        items
    }

    fn primary(&mut self) -> Expression {
        match self.next() {
            Token::Quoted(text) => Expression::Text(text),
            Token::Number(text) => number(&text),
            Token::Symbol("(") => {
                let inner = self.level(0);
                self.expect(")");
                inner
            }
            Token::Symbol("[") => Expression::List(self.list("]")),
            Token::Symbol("{") => Expression::Record(self.record()),
            Token::Symbol("@") => Self::call("abs", [self.unary()]),
            Token::Word(word) => self.after_word(&word),
            other => panic!("unexpected {other:?} in {}", self.sql),
        }
    }

    fn record(&mut self) -> Vec<(String, Expression)> {
        let mut fields = Vec::new();
        while !self.symbol("}") {
            let (Token::Quoted(name) | Token::Word(name)) = self.next() else {
                panic!("a field in {}", self.sql)
            };
            self.expect(":");
            fields.push((name, self.level(0)));
            self.symbol(",");
        }
        fields
    }

    fn after_word(&mut self, word: &str) -> Expression {
        let lower = word.to_ascii_lowercase();
        match (lower.as_str(), self.peek()) {
            ("null", _) => return Expression::Constant(Literal::null(Type::Null)),
            ("true" | "false", _) => {
                return Expression::Constant(Literal::new(Value::Boolean(lower == "true")));
            }
            ("interval", Token::Number(_) | Token::Quoted(_)) => return self.interval(),
            ("map", Token::Symbol("{")) => {
                self.expect("{");
                let mut entries = Vec::new();
                while !self.symbol("}") {
                    let key = self.level(0);
                    self.expect(":");
                    entries.push((key, self.level(0)));
                    self.symbol(",");
                }
                return Expression::Entries(entries);
            }
            ("cast" | "try_cast", Token::Symbol("(")) => {
                self.expect("(");
                let operand = self.level(0);
                assert!(self.word("as"), "in {}", self.sql);
                let target = self.data_type();
                self.expect(")");
                return Expression::Cast(Box::new(operand), target, lower == "try_cast");
            }
            ("extract", Token::Symbol("(")) => {
                self.expect("(");
                let (Token::Word(part) | Token::Quoted(part)) = self.next() else {
                    panic!("a part in {}", self.sql)
                };
                assert!(self.word("from"), "in {}", self.sql);
                let operand = self.level(0);
                self.expect(")");
                return Self::call("date_part", [Expression::Text(part), operand]);
            }
            ("try", Token::Symbol("(")) => {
                self.expect("(");
                let operand = self.level(0);
                self.expect(")");
                return Expression::Try(Box::new(operand));
            }
            (_, Token::Quoted(text)) => {
                self.at -= 1;
                let target = self.data_type();
                assert_eq!(self.next(), Token::Quoted(text.clone()), "in {}", self.sql);
                return Expression::Cast(Box::new(Expression::Text(text)), target, false);
            }
            (_, Token::Symbol("(")) => {
                self.expect("(");
                return Expression::Call(lower, self.arguments());
            }
            _ => {}
        }
        Expression::Call(lower, Vec::new())
    }

    fn arguments(&mut self) -> Vec<(Option<String>, Expression)> {
        let mut arguments = Vec::new();
        while !self.symbol(")") {
            let named = matches!(self.tokens.get(self.at + 1), Some(Token::Symbol("=>")));
            let name = named.then(|| {
                let Token::Word(name) = self.next() else { panic!("a name in {}", self.sql) };
                self.expect("=>");
                name
            });
            arguments.push((name, self.level(0)));
            if !self.symbol(",") {
                self.expect(")");
                break;
            }
        }
        arguments
    }

    fn interval(&mut self) -> Expression {
        let text = match self.next() {
            Token::Number(count) => match self.next() {
                Token::Word(unit) => format!("{count} {unit}"),
                other => panic!("a unit, not {other:?}, in {}", self.sql),
            },
            Token::Quoted(text) => text,
            other => panic!("an interval, not {other:?}, in {}", self.sql),
        };
        Expression::Cast(Box::new(Expression::Text(text)), Type::Interval, false)
    }

    fn numbers(&mut self) -> Vec<usize> {
        let mut numbers = Vec::new();
        if self.symbol("(") {
            while !self.symbol(")") {
                match self.next() {
                    Token::Number(number) => numbers.push(number.parse().expect("a whole number")),
                    Token::Symbol(",") => {}
                    other => panic!("{other:?} in {}", self.sql),
                }
            }
        }
        numbers
    }

    fn data_type(&mut self) -> Type {
        let Token::Word(word) = self.next() else { panic!("a type in {}", self.sql) };
        let mut data_type = match word.to_ascii_lowercase().as_str() {
            "boolean" | "bool" => Type::Boolean,
            "tinyint" => Type::Int8,
            "smallint" => Type::Int16,
            "integer" | "int" => Type::Int32,
            "bigint" => Type::Int64,
            "utinyint" => Type::UInt8,
            "usmallint" => Type::UInt16,
            "uinteger" => Type::UInt32,
            "ubigint" => Type::UInt64,
            "hugeint" => Type::HUGEINT,
            "half" => Type::Float16,
            "float" => Type::Float32,
            "double" => Type::Float64,
            "decimal" => match self.numbers()[..] {
                [precision, scale] => Type::Decimal(precision as u8, scale as i8),
                _ => Type::Decimal(18, 3),
            },
            "varchar" | "text" => Type::Text,
            "blob" => Type::Binary,
            "date" => Type::Date,
            "time" => Type::Time,
            "timestamp" => Type::TIMESTAMP,
            "timestamp_s" => Type::Timestamp(TimeUnit::Second),
            "timestamp_ms" => Type::Timestamp(TimeUnit::Millisecond),
            "timestamp_ns" => Type::Timestamp(TimeUnit::Nanosecond),
            "timestamptz" => Type::TimestampTz,
            "interval" => Type::Interval,
            "struct" => Type::Struct(self.fields()),
            "map" => {
                self.expect("(");
                let key = self.data_type();
                self.expect(",");
                let value = self.data_type();
                self.expect(")");
                Type::map(key, value)
            }
            other => panic!("no type {other} in {}", self.sql),
        };
        while self.symbol("[") {
            data_type = match self.next() {
                Token::Symbol("]") => Type::list(data_type),
                Token::Number(size) => {
                    self.expect("]");
                    Type::fixed_list(data_type, size.parse().expect("a whole number"))
                }
                other => panic!("{other:?} in {}", self.sql),
            };
        }
        data_type
    }

    fn fields(&mut self) -> Vec<Field> {
        self.expect("(");
        let mut fields = Vec::new();
        while !self.symbol(")") {
            let Token::Word(name) = self.next() else { panic!("a field in {}", self.sql) };
            fields.push(Field::new(name, self.data_type()));
            self.symbol(",");
        }
        fields
    }
}

fn number(text: &str) -> Expression {
    if let Ok(value) = text.parse::<i128>() {
        return Expression::Integer(value);
    }
    if text.contains(['e', 'E']) {
        return Expression::Constant(Literal::new(Value::float64(text.parse().expect("a float"))));
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().expect("digits");
    let whole_digits = whole.trim_start_matches('0').len().max(1);
    let precision = (whole_digits + fraction.len()) as u8;
    Expression::Constant(Literal::new(Value::Decimal(DecimalDigits(digits), precision, fraction.len() as i8)))
}
