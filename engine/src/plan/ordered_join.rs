//! Joins by order: of the nearest row (as-of), and of all rows inside a range.

use hypostyle_functions::types::Type;
use serde::{Deserialize, Serialize};

use super::{Expression, JoinKey, JoinKind, Plan, SortKey};

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Inequality {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Inequality {
    /// Its operator in SQL.
    pub fn operator(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The same comparison with its sides exchanged.
    pub fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }

    /// Whether the left value is the greater one.
    pub fn is_greater(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual)
    }

    /// Whether equal values fail it.
    pub fn is_strict(self) -> bool {
        matches!(self, Self::Less | Self::Greater)
    }
}

/// `left comparison right`, over one side each and of one type. Null fails it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderCondition {
    /// Over the left side's columns.
    pub left: Expression,
    /// Over the right side's columns.
    pub right: Expression,
    /// How they compare.
    pub comparison: Inequality,
}

/// The side of an as-of join that is gathered and indexed, while the rows of the other pass by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AsofIndex {
    /// The left side: rows of the right side leave their mark on the left rows they are the nearest of.
    Left,
    /// The right side: each row of the left side looks its nearest up.
    Right,
}

/// Pairs each left row with the nearest right row: of those with equal keys that satisfy the order and the condition,
/// the one whose order value is nearest to the left row's. Of several at one distance the first by `ties` is taken, and
/// then the last in the input's order. Output columns and order are those of a hash join.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AsofJoin {
    /// The rows that look for their nearest.
    pub left: Plan,
    /// The rows that are looked for.
    pub right: Plan,
    /// Which rows come out; neither null-aware nor mark.
    pub kind: JoinKind,
    /// Pairs of keys, of equal types.
    pub keys: Vec<JoinKey>,
    /// The order.
    pub order: OrderCondition,
    /// The farthest order value that counts, over the left side's columns; null sets no limit.
    pub limit: Option<Expression>,
    /// Order among right rows of one order value, over the right side's columns.
    pub ties: Vec<SortKey>,
    /// Columns of the right side that take the nearest value that is not null, each for itself.
    pub last_not_null: Vec<usize>,
    /// A further condition over the columns of both sides, left first.
    pub residual: Option<Expression>,
    /// Which side is indexed.
    pub index: AsofIndex,
}

/// Pairs of rows that satisfy one or two inequalities between the sides. Output columns and order are those of a cross
/// join with these conditions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RangeJoin {
    /// Probe side, whose order the output keeps.
    pub left: Plan,
    /// The side that is sorted and searched.
    pub right: Plan,
    /// Which rows come out; neither null-aware nor mark.
    pub kind: JoinKind,
    /// One or two inequalities.
    pub conditions: Vec<OrderCondition>,
    /// A further condition over the columns of both sides, left first.
    pub residual: Option<Expression>,
}

/// Whether values of this type are ordered by one machine word, which a range join asks for.
pub fn is_word_ordered(data_type: &Type) -> bool {
    match data_type {
        Type::Decimal(precision, _) => *precision <= 18,
        Type::Boolean
        | Type::Int8
        | Type::Int16
        | Type::Int32
        | Type::Int64
        | Type::UInt8
        | Type::UInt16
        | Type::UInt32
        | Type::UInt64
        | Type::Float16
        | Type::Float32
        | Type::Float64
        | Type::Date
        | Type::Time
        | Type::Timestamp(_)
        | Type::TimestampTz => true,
        _ => false,
    }
}

impl JoinKind {
    /// Whether pairs of rows come out, and not only rows of the left side.
    pub fn gives_pairs(self) -> bool {
        matches!(self, Self::Inner | Self::Left | Self::Right | Self::Full | Self::LeftSingle)
    }
}

impl AsofJoin {
    /// The expressions, in order.
    pub(super) fn expressions(&self) -> Vec<&Expression> {
        let keys = self.keys.iter().flat_map(|key| [&key.left, &key.right]);
        let ties = self.ties.iter().map(|key| &key.expression);
        keys.chain([&self.order.left, &self.order.right])
            .chain(&self.limit)
            .chain(ties)
            .chain(&self.residual)
            .collect()
    }

    /// What is wrong with it, beside the expressions themselves, which `check` is given with the side they read.
    pub(super) fn verify(
        &self,
        check: &dyn Fn(&Expression, Side) -> Result<(), String>,
    ) -> Result<(), String> {
        verify_kind(self.kind)?;
        for key in &self.keys {
            same_type("a key", &key.left, &key.right)?;
            check(&key.left, Side::Left)?;
            check(&key.right, Side::Right)?;
        }
        verify_order(&self.order, check)?;
        if let Some(limit) = &self.limit {
            same_type("the limit", limit, &self.order.right)?;
            check(limit, Side::Left)?;
        }
        self.ties.iter().try_for_each(|key| check(&key.expression, Side::Right))?;
        let width = self.right.schema.fields.len();
        if let Some(column) = self.last_not_null.iter().find(|&&column| column >= width) {
            return Err(format!("it takes column {column} of its right side; there are {width}"));
        }
        if self.index == AsofIndex::Left {
            if matches!(self.kind, JoinKind::Right | JoinKind::Full) {
                return Err("it keeps right rows without a partner, so its right side must be indexed".into());
            }
            if self.residual.is_some() {
                return Err("it has a condition on both sides, so its right side must be indexed".into());
            }
        }
        self.residual.iter().try_for_each(|condition| check(condition, Side::Both))
    }
}

impl RangeJoin {
    /// The expressions, in order.
    pub(super) fn expressions(&self) -> Vec<&Expression> {
        let conditions = self.conditions.iter().flat_map(|condition| [&condition.left, &condition.right]);
        conditions.chain(&self.residual).collect()
    }

    /// What is wrong with it, beside the expressions themselves, which `check` is given with the side they read.
    pub(super) fn verify(
        &self,
        check: &dyn Fn(&Expression, Side) -> Result<(), String>,
    ) -> Result<(), String> {
        verify_kind(self.kind)?;
        if !matches!(self.conditions.len(), 1 | 2) {
            return Err(format!("it has {} inequalities; expected one or two", self.conditions.len()));
        }
        for condition in &self.conditions {
            verify_order(condition, check)?;
            let data_type = condition.left.data_type();
            if !is_word_ordered(&data_type) {
                return Err(format!("it orders values of type {data_type}, which do not fit one word"));
            }
        }
        self.residual.iter().try_for_each(|condition| check(condition, Side::Both))
    }
}

/// The columns that an expression may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
    /// A condition over both.
    Both,
}

fn verify_kind(kind: JoinKind) -> Result<(), String> {
    match kind {
        JoinKind::Inner
        | JoinKind::Left
        | JoinKind::Right
        | JoinKind::Full
        | JoinKind::LeftSemi
        | JoinKind::LeftAnti => Ok(()),
        _ => Err("it is of a kind that only joins by equality have".into()),
    }
}

fn verify_order(
    order: &OrderCondition,
    check: &dyn Fn(&Expression, Side) -> Result<(), String>,
) -> Result<(), String> {
    same_type("an inequality", &order.left, &order.right)?;
    check(&order.left, Side::Left)?;
    check(&order.right, Side::Right)
}

fn same_type(what: &str, left: &Expression, right: &Expression) -> Result<(), String> {
    let (left, right) = (left.data_type(), right.data_type());
    if left == right {
        return Ok(());
    }
    Err(format!("{what} has type {left} on the left and {right} on the right"))
}
