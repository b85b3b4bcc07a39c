//! Sparse vectors as lists of index and value.

use crate::column::Output;
use crate::types::{Field, Type};

/// The type of a sparse vector.
pub fn sparse_type() -> Type {
    Type::list(Type::Struct(vec![Field::new("index", Type::Int32), Field::new("value", Type::Float64)]))
}

/// How the values of a vector are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Norm {
    /// Not at all.
    None,
    /// So that absolute values add up to 1.
    L1,
    /// So that squares add up to 1.
    L2,
}

impl Norm {
    /// The norm of a name.
    pub fn of_name(name: &str) -> Option<Norm> {
        match name {
            "none" => Some(Self::None),
            "l1" => Some(Self::L1),
            "l2" => Some(Self::L2),
            _ => None,
        }
    }

    /// Scales entries; a vector of zeros stays.
    pub fn scale(self, entries: &mut [(i32, f64)]) {
        let length = match self {
            Self::None => return,
            Self::L1 => entries.iter().map(|(_, value)| value.abs()).sum::<f64>(),
            Self::L2 => entries.iter().map(|(_, value)| value * value).sum::<f64>().sqrt(),
        };
        if length > 0.0 {
            entries.iter_mut().for_each(|(_, value)| *value /= length);
        }
    }
}

/// Puts entries in order of index and adds up those of one index.
pub fn sum_up(entries: &mut Vec<(i32, f64)>) {
    // The sort is stable, so values of one index are added in the order of the tokens.
    entries.sort_by_key(|(index, _)| *index);
    entries.dedup_by(|later, kept| {
        let is_same = later.0 == kept.0;
        if is_same {
            kept.1 += later.1;
        }
        is_same
    });
}

/// Writes a sparse vector.
pub fn write(output: &mut Output, row: usize, entries: &[(i32, f64)]) {
    let mut list = output.list();
    let start = list.child().grow(entries.len());
    let indexes = &mut list.child().field(0).fixed::<i32>()[start..];
    indexes.iter_mut().zip(entries).for_each(|(index, entry)| *index = entry.0);
    let values = &mut list.child().field(1).fixed::<f64>()[start..];
    values.iter_mut().zip(entries).for_each(|(value, entry)| *value = entry.1);
    list.finish(row, start);
}
