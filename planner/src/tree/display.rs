//! Expressions as text, in the form DuckDB gives to columns without an alias: `sum((a + b))`.

use std::fmt::{self, Display, Formatter};

use crate::tree::{
    Call, CaseBranch, Expression, ExpressionKind as Kind, Frame, FrameBound, FrameExclusion, FrameUnits,
    LiteralText, MatchKind, Name, OrderTerm, Over, Quantifier, Star, TypeName, UnaryOperator, WindowSpec,
};

/// Names that are words of the grammar too, so that they are printed in quotes.
const GRAMMAR_WORDS: [&str; 33] = [
    "cube",
    "day",
    "decade",
    "first",
    "grouping",
    "hour",
    "if",
    "interval",
    "isnull",
    "last",
    "left",
    "map",
    "microsecond",
    "millisecond",
    "minute",
    "month",
    "nullif",
    "overlay",
    "position",
    "quarter",
    "replace",
    "right",
    "rollup",
    "row",
    "second",
    "similar",
    "substring",
    "treat",
    "trim",
    "values",
    "week",
    "year",
    "zone",
];

impl Expression {
    /// The name of the column this expression becomes where the query gives none.
    pub fn column_name(&self) -> String {
        match &self.kind {
            Kind::Column(names) => names.last().map(|name| name.text.clone()).unwrap_or_default(),
            Kind::Collate(operand, _) => operand.column_name(),
            _ => self.to_string(),
        }
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        stacker::maybe_grow(64 << 10, 1 << 20, || self.write(f))
    }
}

impl Expression {
    fn write(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Column(names) => write!(f, "{}", List(names, ".")),
            Kind::Literal(literal) => literal.fmt(f),
            Kind::Parameter(name) => write!(f, "${name}"),
            Kind::Call(call) => call.fmt(f),
            Kind::Unary(operator, operand) => write_unary(f, *operator, operand),
            Kind::Binary(operator, left, right) => write!(f, "({left} {} {right})", operator.symbol()),
            Kind::And(terms) => write!(f, "({})", List(terms, " AND ")),
            Kind::Or(terms) => write!(f, "({})", List(terms, " OR ")),
            Kind::IsNull { operand, negated } => write!(f, "({operand} IS {}NULL)", not(*negated)),
            Kind::IsBoolean { operand, value, negated } => {
                let distinct = if *negated { "DISTINCT" } else { "NOT DISTINCT" };
                write!(f, "(CAST({operand} AS BOOLEAN) IS {distinct} FROM {value})")
            }
            Kind::IsDistinct { left, right, negated } => {
                write!(f, "({left} IS {}DISTINCT FROM {right})", not(*negated))
            }
            Kind::InList { operand, list, negated } => {
                negatable(f, *negated, format_args!("({operand} IN ({}))", List(list, ", ")))
            }
            Kind::InQuery { operand, negated, .. } => {
                negatable(f, *negated, format_args!("({operand} = ANY(SELECT ..))"))
            }
            Kind::Between { operand, low, high, negated } => {
                negatable(f, *negated, format_args!("({operand} BETWEEN {low} AND {high})"))
            }
            Kind::Match { kind, operand, pattern, escape, negated } => {
                write_match(f, *kind, operand, pattern, escape.as_deref(), *negated)
            }
            Kind::Quantified { quantifier, operator, left, right } => {
                let word = if *quantifier == Quantifier::Any { "ANY" } else { "ALL" };
                write!(f, "({left} {} {word}({right}))", operator.symbol())
            }
            Kind::Cast { operand, target, lenient } => {
                write!(f, "{}CAST({operand} AS {target})", if *lenient { "TRY_" } else { "" })
            }
            Kind::Case { operand, branches, otherwise } => {
                write_case(f, operand.as_deref(), branches, otherwise.as_deref())
            }
            Kind::Exists { negated, .. } => negatable(f, *negated, format_args!("EXISTS(SELECT ..)")),
            Kind::ScalarQuery(_) => f.write_str("(SELECT ..)"),
            Kind::ArrayQuery(_) => f.write_str("ARRAY(SELECT ..)"),
            Kind::Row(items) => write!(f, "\"row\"({})", List(items, ", ")),
            Kind::List(items) => write!(f, "list_value({})", List(items, ", ")),
            Kind::Struct(fields) => {
                f.write_str("struct_pack(")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    write!(f, "{}{name} := {value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
            Kind::Map(entries) => {
                let (keys, values): (Vec<_>, Vec<_>) =
                    entries.iter().map(|(key, value)| (key, value)).unzip();
                write!(f, "\"map\"(list_value({}), list_value({}))", List(&keys, ", "), List(&values, ", "))
            }
            Kind::Index(operand, index) => write!(f, "{operand}[{index}]"),
            Kind::Slice { operand, low, high, step } => {
                write!(f, "{operand}[{}:{}", Optional(low.as_deref()), Optional(high.as_deref()))?;
                match step {
                    Some(step) => write!(f, ":{step}]"),
                    None => f.write_str("]"),
                }
            }
            Kind::Field(operand, name) => write!(f, "({operand}).{name}"),
            Kind::Lambda { parameters, body, .. } => write!(f, "(lambda {}: {body})", List(parameters, ", ")),
            Kind::Interval { value, unit: Some(unit) } => {
                write!(f, "INTERVAL {value} {}", unit.to_uppercase())
            }
            Kind::Interval { value, unit: None } => write!(f, "CAST({value} AS INTERVAL)"),
            Kind::Star(star) => star.fmt(f),
            Kind::Collate(operand, collation) => write!(f, "{operand} COLLATE {collation}"),
        }
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

fn negatable(f: &mut Formatter<'_>, negated: bool, inner: fmt::Arguments<'_>) -> fmt::Result {
    if negated { write!(f, "(NOT {inner})") } else { f.write_fmt(inner) }
}

fn write_unary(f: &mut Formatter<'_>, operator: UnaryOperator, operand: &Expression) -> fmt::Result {
    let sign = match operator {
        UnaryOperator::Not => return write!(f, "(NOT {operand})"),
        UnaryOperator::Factorial => return write!(f, "factorial({operand})"),
        UnaryOperator::Minus => "-",
        UnaryOperator::Plus => "+",
        UnaryOperator::BitNot => "~",
        UnaryOperator::Absolute => "@",
    };
    write!(f, "({sign}({operand}))")
}

fn write_match(
    f: &mut Formatter<'_>,
    kind: MatchKind,
    operand: &Expression,
    pattern: &Expression,
    escape: Option<&Expression>,
    negated: bool,
) -> fmt::Result {
    let symbol = match (kind, negated, escape) {
        (MatchKind::SimilarTo, ..) => {
            return negatable(f, negated, format_args!("regexp_full_match({operand}, {pattern})"));
        }
        (MatchKind::Like, _, Some(escape)) => {
            return negatable(f, negated, format_args!("like_escape({operand}, {pattern}, {escape})"));
        }
        (MatchKind::ILike, _, Some(escape)) => {
            return negatable(f, negated, format_args!("ilike_escape({operand}, {pattern}, {escape})"));
        }
        (MatchKind::Glob, ..) => "~~~",
        (MatchKind::Like, false, _) => "~~",
        (MatchKind::Like, true, _) => "!~~",
        (MatchKind::ILike, false, _) => "~~*",
        (MatchKind::ILike, true, _) => "!~~*",
    };
    write!(f, "({operand} {symbol} {pattern})")
}

fn write_case(
    f: &mut Formatter<'_>,
    operand: Option<&Expression>,
    branches: &[CaseBranch],
    otherwise: Option<&Expression>,
) -> fmt::Result {
    f.write_str("CASE ")?;
    for branch in branches {
        match operand {
            Some(operand) => {
                write!(f, " WHEN (({operand} = {})) THEN ({})", branch.condition, branch.result)?
            }
            None => write!(f, " WHEN ({}) THEN ({})", branch.condition, branch.result)?,
        }
    }
    match otherwise {
        Some(otherwise) => write!(f, " ELSE {otherwise} END"),
        None => f.write_str(" ELSE NULL END"),
    }
}

impl Display for LiteralText {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Boolean(value) => value.fmt(f),
            Self::Number(digits) => f.write_str(digits),
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Bytes(bytes) => {
                f.write_str("X'")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str("'")
            }
        }
    }
}

/// The name, in quotes where it would not read back without them.
impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let starts_plain = self.text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        match starts_plain && self.text.chars().all(plain) {
            true => f.write_str(&self.text),
            false => write!(f, "\"{}\"", self.text.replace('"', "\"\"")),
        }
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = self.name.text.to_lowercase();
        let star = matches!(
            self.arguments.as_slice(),
            [] | [crate::tree::Argument { value: Expression { kind: Kind::Star(_), .. }, .. }]
        );
        match name.as_str() {
            _ if self.over.is_some() => write!(f, "{}(", over_name(&name))?,
            "count" if star && !self.distinct => f.write_str("count_star(")?,
            "coalesce" | "try" | "grouping" => write!(f, "{}(", name.to_uppercase())?,
            "grouping_id" => f.write_str("GROUPING(")?,
            word if GRAMMAR_WORDS.contains(&word) => write!(f, "\"{word}\"(")?,
            _ => write!(f, "{}(", Name { text: name.clone(), ..self.name.clone() })?,
        }
        if self.distinct {
            f.write_str("DISTINCT ")?;
        }
        if !(name == "count" && star) {
            for (index, argument) in self.arguments.iter().enumerate() {
                f.write_str(if index == 0 { "" } else { ", " })?;
                if let Some(name) = &argument.name {
                    write!(f, "{name} := ")?;
                }
                argument.value.fmt(f)?;
            }
        }
        if !self.order_by.is_empty() {
            let space = if self.arguments.is_empty() && self.over.is_none() { "" } else { " " };
            write!(f, "{space}ORDER BY {}", List(&self.order_by, ", "))?;
        }
        f.write_str(if self.ignore_nulls == Some(true) { " IGNORE NULLS)" } else { ")" })?;
        if let Some(filter) = &self.filter {
            write!(f, " FILTER (WHERE {filter})")?;
        }
        self.over.as_deref().map_or(Ok(()), |over| write!(f, " OVER {over}"))
    }
}

/// The name of a function over a window, which is not that of the aggregate for these.
fn over_name(name: &str) -> &str {
    match name {
        "first" => "first_value",
        "last" => "last_value",
        other => other,
    }
}

impl Display for Over {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => name.fmt(f),
            Self::Window(window) => write!(f, "({window})"),
        }
    }
}

impl Display for WindowSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut space = "";
        if let Some(base) = &self.base {
            write!(f, "{base}")?;
            space = " ";
        }
        if !self.partition_by.is_empty() {
            write!(f, "{space}PARTITION BY {}", List(&self.partition_by, ", "))?;
            space = " ";
        }
        if !self.order_by.is_empty() {
            write!(f, "{space}ORDER BY {}", List(&self.order_by, ", "))?;
            space = " ";
        }
        match &self.frame {
            Some(frame) if !frame.is_default() => write!(f, "{space}{frame}"),
            _ => Ok(()),
        }
    }
}

impl Display for Frame {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let is_whole =
            matches!((&self.start, &self.end), (FrameBound::Preceding(None), FrameBound::Following(None)));
        f.write_str(match self.units {
            _ if is_whole => "ROWS",
            FrameUnits::Rows => "ROWS",
            FrameUnits::Range => "RANGE",
            FrameUnits::Groups => "GROUPS",
        })?;
        write!(f, " BETWEEN {} AND {}", self.start, self.end)?;
        f.write_str(match self.exclude {
            FrameExclusion::NoOthers => "",
            FrameExclusion::CurrentRow => " EXCLUDE CURRENT ROW",
            FrameExclusion::Group => " EXCLUDE GROUP",
            FrameExclusion::Ties => " EXCLUDE TIES",
        })
    }
}

impl Display for FrameBound {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preceding(None) => f.write_str("UNBOUNDED PRECEDING"),
            Self::Preceding(Some(value)) => write!(f, "{value} PRECEDING"),
            Self::CurrentRow => f.write_str("CURRENT ROW"),
            Self::Following(Some(value)) => write!(f, "{value} FOLLOWING"),
            Self::Following(None) => f.write_str("UNBOUNDED FOLLOWING"),
        }
    }
}

impl Display for OrderTerm {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)?;
        f.write_str(if self.descending { " DESC" } else { "" })?;
        match self.nulls_first {
            Some(true) => f.write_str(" NULLS FIRST"),
            Some(false) => f.write_str(" NULLS LAST"),
            None => Ok(()),
        }
    }
}

impl Display for Star {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for name in &self.qualifier {
            write!(f, "{name}.")?;
        }
        f.write_str("*")
    }
}

impl Display for TypeName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.name.as_str(), self.children.as_slice()) {
            ("LIST", [(_, element)]) => match self.dimension {
                Some(dimension) => write!(f, "{element}[{dimension}]"),
                None => write!(f, "{element}[]"),
            },
            ("MAP", [(_, key), (_, value)]) => write!(f, "MAP({key}, {value})"),
            (name, []) if self.numbers.is_empty() => f.write_str(name),
            (name, []) => write!(f, "{name}({})", List(&self.numbers, ", ")),
            (name, fields) => {
                write!(f, "{name}(")?;
                for (index, (field, field_type)) in fields.iter().enumerate() {
                    write!(f, "{}{field} {field_type}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
        }
    }
}

/// Items with a separator between them.
struct List<'a, T>(&'a [T], &'static str);

impl<T: Display> Display for List<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { self.1 })?;
            item.fmt(f)?;
        }
        Ok(())
    }
}

struct Optional<'a>(Option<&'a Expression>);

impl Display for Optional<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |expression| expression.fmt(f))
    }
}
