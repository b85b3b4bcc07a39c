//! One lane by itself: a value of fixed width where a single row is computed.

use arrow::datatypes::IntervalMonthDayNano;
use half::f16;

use super::{Lane, LaneKind, Lanes, LanesMut};
use crate::column::{Bits, Data, Output};

/// The bits of a truth value that a view can borrow.
static TRUE: [u64; 1] = [1];
static FALSE: [u64; 1] = [0];

macro_rules! cells {
    ($($variant:ident($rust:ty)),*) => {
        /// One value of a kind of lanes, lent to kernels as a block of one lane.
        #[derive(Debug, Clone, Copy)]
        pub enum LaneCell {
            /// A truth value.
            Boolean([bool; 1]),
            $(#[doc = concat!("A lane of `", stringify!($rust), "`.")] $variant([$rust; 1])),*
        }

        impl LaneCell {
            /// A cell of this kind; its value is zero.
            pub fn new(kind: LaneKind) -> Self {
                match kind {
                    LaneKind::Boolean => Self::Boolean([false]),
                    $(LaneKind::$variant => Self::$variant([<$rust>::default()])),*
                }
            }

            /// The lane, for reading.
            #[inline(always)]
            pub fn lanes(&self) -> Lanes<'_> {
                match self {
                    Self::Boolean(value) => Lanes::Boolean(value),
                    $(Self::$variant(value) => Lanes::$variant(value)),*
                }
            }

            /// The lane, for writing.
            #[inline(always)]
            pub fn lanes_mut(&mut self) -> LanesMut<'_> {
                match self {
                    Self::Boolean(value) => LanesMut::Boolean(value),
                    $(Self::$variant(value) => LanesMut::$variant(value)),*
                }
            }

            /// The value as that of a column of one row.
            #[inline]
            pub fn data(&self) -> Data<'_> {
                match self {
                    Self::Boolean([value]) => Data::Boolean(Bits::of_words(if *value { &TRUE } else { &FALSE }, 1)),
                    $(Self::$variant(value) => Data::$variant(value)),*
                }
            }

            /// Takes the first value of a column of the same kind.
            ///
            /// # Panics
            /// If the column is of another kind or has no rows.
            #[inline]
            pub fn load(&mut self, column: &Output) {
                match self {
                    Self::Boolean(value) => value[0] = column.truth(0),
                    $(Self::$variant(value) => value[0] = column.fixed_values::<$rust>()[0]),*
                }
            }
        }
    };
}
// Each entry makes one variant of `LaneCell` and the arms that move its value; truth values are apart, as columns hold them as bits.
cells!(
    Int8(i8),
    Int16(i16),
    Int32(i32),
    Int64(i64),
    UInt8(u8),
    UInt16(u16),
    UInt32(u32),
    UInt64(u64),
    Float16(f16),
    Float32(f32),
    Float64(f64),
    Int128(i128),
    Interval(IntervalMonthDayNano)
);

impl LaneCell {
    /// The value.
    ///
    /// # Panics
    /// If the cell is of another kind.
    #[inline]
    pub fn get<T: Lane>(&self) -> T {
        T::read(&self.lanes())[0]
    }

    /// True if the cell holds the truth value true.
    #[inline]
    pub fn is_true(&self) -> bool {
        matches!(self, Self::Boolean([true]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Type;

    #[test]
    fn a_cell_lends_takes_and_shows_its_value() {
        for kind in LaneKind::ALL {
            let cell = LaneCell::new(*kind);
            assert_eq!(cell.lanes().len(), 1, "{kind:?}");
        }
        let mut column = Output::new(Type::Int32);
        column.prepare(1);
        column.fixed::<i32>()[0] = 7;
        let mut cell = LaneCell::new(LaneKind::Int32);
        cell.load(&column);
        assert_eq!(cell.get::<i32>(), 7);
        assert!(matches!(cell.data(), Data::Int32(&[7])));
        let mut truth = LaneCell::new(LaneKind::Boolean);
        if let LanesMut::Boolean(lanes) = truth.lanes_mut() {
            lanes[0] = true;
        }
        assert!(truth.is_true() && matches!(truth.data(), Data::Boolean(bits) if bits.get(0)));
    }
}
