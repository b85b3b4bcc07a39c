//! Expressions as written.

use crate::span::Span;
use crate::tree::{Over, Query};

/// A name with its place. Names are compared without regard to case, and printed as written.
#[derive(Debug, Clone)]
pub struct Name {
    /// The name without quotes.
    pub text: String,
    /// True where it was written in quotes, so that it is never a keyword.
    pub quoted: bool,
    /// Where it is.
    pub span: Span,
}

impl Name {
    /// A name that stands for `text` at this place.
    pub fn new(text: impl Into<String>, span: Span) -> Self {
        Self { text: text.into(), quoted: false, span }
    }

    /// True if both are the same name.
    pub fn is(&self, other: &str) -> bool {
        self.text.eq_ignore_ascii_case(other)
    }
}

/// An expression and its place.
#[derive(Debug, Clone)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// Where it is.
    pub span: Span,
}

impl Expression {
    /// An expression at this place.
    pub fn new(kind: ExpressionKind, span: Span) -> Self {
        Self { kind, span }
    }
}

/// The forms of an expression.
#[derive(Debug, Clone)]
pub enum ExpressionKind {
    /// A column, perhaps behind a table, or a field behind a column: `a`, `t.a`, `t.a.b`.
    Column(Vec<Name>),
    /// A constant.
    Literal(LiteralText),
    /// `?`, `$1` or `$name`: the name without its sign; `?` are numbered in order of appearance.
    Parameter(String),
    /// A function call.
    Call(Box<Call>),
    /// An operator before its operand.
    Unary(UnaryOperator, Box<Expression>),
    /// An operator between its operands.
    Binary(BinaryOperator, Box<Expression>, Box<Expression>),
    /// All of these, at least two.
    And(Vec<Expression>),
    /// Any of these, at least two.
    Or(Vec<Expression>),
    /// `x IS [NOT] NULL`.
    IsNull { operand: Box<Expression>, negated: bool },
    /// `x IS [NOT] TRUE | FALSE`.
    IsBoolean { operand: Box<Expression>, value: bool, negated: bool },
    /// `x IS [NOT] DISTINCT FROM y`; `negated` is `NOT DISTINCT`.
    IsDistinct { left: Box<Expression>, right: Box<Expression>, negated: bool },
    /// `x [NOT] IN (a, b)`.
    InList { operand: Box<Expression>, list: Vec<Expression>, negated: bool },
    /// `x [NOT] IN (SELECT ..)`.
    InQuery { operand: Box<Expression>, query: Box<Query>, negated: bool },
    /// `x [NOT] BETWEEN a AND b`.
    Between { operand: Box<Expression>, low: Box<Expression>, high: Box<Expression>, negated: bool },
    /// `x [NOT] LIKE y [ESCAPE z]` and its relatives.
    Match {
        kind: MatchKind,
        operand: Box<Expression>,
        pattern: Box<Expression>,
        escape: Option<Box<Expression>>,
        negated: bool,
    },
    /// `x = ANY (..)`, `x < ALL (..)`.
    Quantified {
        quantifier: Quantifier,
        operator: BinaryOperator,
        left: Box<Expression>,
        right: Box<Expression>,
    },
    /// `CAST(x AS t)`, `TRY_CAST(x AS t)`, `x::t`, `DATE '..'`.
    Cast { operand: Box<Expression>, target: TypeName, lenient: bool },
    /// Both forms of CASE.
    Case { operand: Option<Box<Expression>>, branches: Vec<CaseBranch>, otherwise: Option<Box<Expression>> },
    /// `[NOT] EXISTS (SELECT ..)`.
    Exists { query: Box<Query>, negated: bool },
    /// `(SELECT ..)` as a value.
    ScalarQuery(Box<Query>),
    /// `ARRAY(SELECT ..)`.
    ArrayQuery(Box<Query>),
    /// `(a, b)`.
    Row(Vec<Expression>),
    /// `[a, b]`.
    List(Vec<Expression>),
    /// `{'a': 1}`.
    Struct(Vec<(Name, Expression)>),
    /// `MAP {a: b}`.
    Map(Vec<(Expression, Expression)>),
    /// `x[1]`.
    Index(Box<Expression>, Box<Expression>),
    /// `x[low:high:step]`.
    Slice {
        operand: Box<Expression>,
        low: Option<Box<Expression>>,
        high: Option<Box<Expression>>,
        step: Option<Box<Expression>>,
    },
    /// `(x).field`.
    Field(Box<Expression>, Name),
    /// `x -> body`, `lambda x, y: body`; with `arrow` it may also be a JSON access.
    Lambda { parameters: Vec<Name>, body: Box<Expression>, arrow: bool },
    /// `INTERVAL value unit`, `INTERVAL '1 day 2 hours'`.
    Interval { value: Box<Expression>, unit: Option<String> },
    /// `*`, `t.*` with their options: in a select list, `count(*)` or `COLUMNS(*)`.
    Star(Box<Star>),
    /// `x COLLATE name`.
    Collate(Box<Expression>, Name),
}

/// A constant as written.
#[derive(Debug, Clone, PartialEq)]
pub enum LiteralText {
    /// NULL.
    Null,
    /// TRUE or FALSE.
    Boolean(bool),
    /// Digits, perhaps with a point or an exponent; no underscores.
    Number(String),
    /// Text without its quotes.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A function call as written.
#[derive(Debug, Clone)]
pub struct Call {
    /// Name of the function.
    pub name: Name,
    /// Arguments in order.
    pub arguments: Vec<Argument>,
    /// `f(DISTINCT x)`.
    pub distinct: bool,
    /// `f(x ORDER BY y)` or `WITHIN GROUP (ORDER BY y)`.
    pub order_by: Vec<OrderTerm>,
    /// `FILTER (WHERE condition)`.
    pub filter: Option<Box<Expression>>,
    /// True where the order was written as `WITHIN GROUP`, which makes it the argument.
    pub within_group: bool,
    /// `IGNORE NULLS` or `RESPECT NULLS` behind the arguments; true for IGNORE.
    pub ignore_nulls: Option<bool>,
    /// OVER: the call is one of a window function.
    pub over: Option<Box<Over>>,
}

impl Call {
    /// A plain call of this function.
    pub fn plain(name: Name, values: Vec<Expression>) -> Self {
        let arguments = values.into_iter().map(|value| Argument { name: None, value }).collect();
        Self {
            name,
            arguments,
            distinct: false,
            order_by: Vec::new(),
            filter: None,
            within_group: false,
            ignore_nulls: None,
            over: None,
        }
    }

    /// True if nothing but arguments was written.
    pub fn is_plain(&self) -> bool {
        !self.distinct
            && self.order_by.is_empty()
            && self.filter.is_none()
            && self.ignore_nulls.is_none()
            && self.over.is_none()
    }
}

/// One argument of a call.
#[derive(Debug, Clone)]
pub struct Argument {
    /// The name in `name => value` or `name := value`.
    pub name: Option<Name>,
    /// The value.
    pub value: Expression,
}

/// `WHEN condition THEN result`.
#[derive(Debug, Clone)]
pub struct CaseBranch {
    /// The condition, or the value the operand is compared with.
    pub condition: Expression,
    /// The result.
    pub result: Expression,
}

/// One term of ORDER BY.
#[derive(Debug, Clone)]
pub struct OrderTerm {
    /// What is ordered by.
    pub expression: Expression,
    /// True for DESC.
    pub descending: bool,
    /// NULLS FIRST or LAST where written.
    pub nulls_first: Option<bool>,
}

/// `[table.]* [EXCLUDE ..] [REPLACE ..] [RENAME ..]`.
#[derive(Debug, Clone, Default)]
pub struct Star {
    /// The table before the point; empty for a bare star.
    pub qualifier: Vec<Name>,
    /// Columns left out.
    pub exclude: Vec<Excluded>,
    /// Columns whose value is another expression.
    pub replace: Vec<Replacement>,
    /// Columns under another name: old, new.
    pub rename: Vec<(Name, Name)>,
    /// `* LIKE 'pattern'` keeps the columns whose names match; `* ILIKE` without regard to case.
    pub like: Option<(MatchKind, String)>,
}

/// A column that a star leaves out.
#[derive(Debug, Clone)]
pub struct Excluded {
    /// The table before the point, if there is one.
    pub table: Option<Name>,
    /// The column.
    pub column: Name,
}

/// `expression AS column` of a star's REPLACE.
#[derive(Debug, Clone)]
pub struct Replacement {
    /// The value.
    pub expression: Expression,
    /// The column it stands for.
    pub column: Name,
}

/// A type as written.
#[derive(Debug, Clone)]
pub struct TypeName {
    /// The type's name in upper case: `INTEGER`, `DECIMAL`, `STRUCT`, `MAP`; empty for lists.
    pub name: String,
    /// Numbers in parentheses: `DECIMAL(10, 2)`.
    pub numbers: Vec<i64>,
    /// Fields of a struct; key and value of a map; element of a list.
    pub children: Vec<(Name, TypeName)>,
    /// Dimension of a fixed list, `FLOAT[3]`.
    pub dimension: Option<u64>,
    /// Where it is.
    pub span: Span,
}

/// Operators before their operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOperator {
    /// `-x`
    Minus,
    /// `+x`
    Plus,
    /// `NOT x`
    Not,
    /// `~x`
    BitNot,
    /// `@x`, the absolute value.
    Absolute,
    /// `x!`
    Factorial,
}

/// Operators between two operands; AND and OR have their own form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOperator {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Multiply,
    /// `/`, on floats.
    Divide,
    /// `//`
    IntegerDivide,
    /// `%`
    Modulo,
    /// `^`
    Power,
    /// `**`
    PowerStars,
    /// `||`
    Concat,
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `&`
    BitAnd,
    /// `|`
    BitOr,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
    /// `^@`
    StartsWith,
    /// `->`
    JsonGet,
    /// `->>`
    JsonGetText,
    /// `@>`
    ContainsAll,
    /// `<@`
    ContainedBy,
    /// `&&`
    Overlaps,
}

impl BinaryOperator {
    /// The operator as written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::IntegerDivide => "//",
            Self::Modulo => "%",
            Self::Power => "^",
            Self::PowerStars => "**",
            Self::Concat => "||",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::BitAnd => "&",
            Self::BitOr => "|",
            Self::ShiftLeft => "<<",
            Self::ShiftRight => ">>",
            Self::StartsWith => "^@",
            Self::JsonGet => "->",
            Self::JsonGetText => "->>",
            Self::ContainsAll => "@>",
            Self::ContainedBy => "<@",
            Self::Overlaps => "&&",
        }
    }

    /// True for `=`, `<` and their relatives.
    pub fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Less
                | Self::LessOrEqual
                | Self::Greater
                | Self::GreaterOrEqual
        )
    }
}

/// How text is matched with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchKind {
    /// `LIKE`
    Like,
    /// `ILIKE`: LIKE without regard to case.
    ILike,
    /// `SIMILAR TO`: a regular expression for the whole text.
    SimilarTo,
    /// `GLOB`: shell patterns.
    Glob,
}

/// `ANY` or `ALL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// At least one.
    Any,
    /// Each one.
    All,
}
