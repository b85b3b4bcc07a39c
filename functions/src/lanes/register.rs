//! Owned lanes of one kind: the registers of fused programs, and how they meet columns.

use arrow::datatypes::IntervalMonthDayNano;
use half::f16;

use super::{LaneKind, Lanes, LanesMut};
use crate::column::{Data, Output, View};
use crate::kernel::lane_loop;
use crate::kernel::look_up::write_values;
use crate::kernel::stream::copy_past_caches;

/// Bytes of a line of the caches, which is also the longest vector.
const LINE_BYTES: usize = 64;

/// Values that begin at a line of the caches: a vector that lies across two takes twice as long to load or store.
#[derive(Debug)]
pub struct Aligned<T> {
    values: Vec<T>,
    start: usize,
    length: usize,
}

impl<T: Copy> Aligned<T> {
    fn new(value: T, length: usize) -> Self {
        let spare = LINE_BYTES / size_of::<T>();
        let values = vec![value; length + spare];
        let start = values.as_ptr().align_offset(LINE_BYTES).min(spare);
        Self { values, start, length }
    }
}

impl<T> std::ops::Deref for Aligned<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        &self.values[self.start..self.start + self.length]
    }
}

impl<T> std::ops::DerefMut for Aligned<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values[self.start..self.start + self.length]
    }
}

macro_rules! registers {
    ($($variant:ident($rust:ty)),*) => {
        /// Lanes that a program computes in. `Empty` stands where lanes have been lent out.
        #[derive(Debug, Default)]
        pub enum Register {
            /// No lanes.
            #[default]
            Empty,
            /// Truth values, one byte each.
            Boolean(Aligned<bool>),
            $(#[doc = concat!("Lanes of `", stringify!($rust), "`.")] $variant(Aligned<$rust>)),*
        }

        impl Register {
            /// This many lanes of a kind.
            pub fn new(kind: LaneKind, lanes: usize) -> Self {
                match kind {
                    LaneKind::Boolean => Self::Boolean(Aligned::new(false, lanes)),
                    $(LaneKind::$variant => Self::$variant(Aligned::new(<$rust>::default(), lanes))),*
                }
            }

            /// The first `lanes` lanes, for reading.
            ///
            /// # Panics
            /// If there are fewer.
            #[inline(always)]
            pub fn lanes(&self, lanes: usize) -> Lanes<'_> {
                match self {
                    Self::Empty => Lanes::Boolean(&[]),
                    Self::Boolean(values) => Lanes::Boolean(&values[..lanes]),
                    $(Self::$variant(values) => Lanes::$variant(&values[..lanes])),*
                }
            }

            /// The first `lanes` lanes, for writing.
            ///
            /// # Panics
            /// If there are fewer.
            #[inline(always)]
            pub fn lanes_mut(&mut self, lanes: usize) -> LanesMut<'_> {
                match self {
                    Self::Empty => LanesMut::Boolean(&mut []),
                    Self::Boolean(values) => LanesMut::Boolean(&mut values[..lanes]),
                    $(Self::$variant(values) => LanesMut::$variant(&mut values[..lanes])),*
                }
            }

            /// Sets all lanes to value `index` of a column of the same kind.
            pub fn splat(&mut self, source: &View<'_>, index: usize) {
                match (self, source.data) {
                    (Self::Boolean(lanes), Data::Boolean(bits)) => lanes.fill(bits.get(index)),
                    $((Self::$variant(lanes), Data::$variant(values)) => lanes.fill(values[index]),)*
                    _ => {}
                }
            }

            /// Reads the values of these rows of a column of the same kind, whatever its encoding.
            /// Lanes of null rows hold arbitrary values.
            pub fn load(&mut self, source: &View<'_>, rows: impl ExactSizeIterator<Item = usize>) {
                match (self, source.data) {
                    (Self::Boolean(lanes), Data::Boolean(bits)) => {
                        lanes.iter_mut().zip(rows).for_each(|(lane, row)| *lane = bits.get(source.value_index(row)));
                    }
                    $((Self::$variant(lanes), Data::$variant(values)) => {
                        lanes.iter_mut().zip(rows).for_each(|(lane, row)| *lane = values[source.value_index(row)]);
                    })*
                    _ => {}
                }
            }

            /// Reads the values at these indices of a column of the same kind, its encoding left aside.
            pub fn gather(&mut self, source: &View<'_>, indices: &[u32]) {
                match (self, source.data) {
                    (Self::Boolean(lanes), Data::Boolean(bits)) => {
                        lanes.iter_mut().zip(indices).for_each(|(lane, &index)| *lane = bits.get(index as usize));
                    }
                    $((Self::$variant(lanes), Data::$variant(values)) => write_values(values, indices, &mut **lanes),)*
                    _ => {}
                }
            }

            /// Writes the first `length` lanes to rows `start ..` of a column of the same kind, past the caches: they are there for
            /// others after [`settle`](crate::kernel::stream::settle). Truth values are left out.
            pub fn stream(&self, length: usize, output: &mut Output, start: usize) {
                match self {
                    Self::Empty | Self::Boolean(_) => {}
                    $(Self::$variant(lanes) => {
                        copy_past_caches(&lanes[..length], &mut output.fixed::<$rust>()[start..start + length]);
                    })*
                }
            }

            /// Writes lane `i` to row `rows[i]` of a column of the same kind.
            pub fn scatter(&self, rows: &[u32], output: &mut Output) {
                match self {
                    Self::Empty => {}
                    Self::Boolean(lanes) => {
                        let bits = output.boolean();
                        rows.iter().zip(&**lanes).for_each(|(&row, &lane)| bits.set(row as usize, lane));
                    }
                    $(Self::$variant(lanes) => {
                        let values = output.fixed::<$rust>();
                        rows.iter().zip(&**lanes).for_each(|(&row, &lane)| values[row as usize] = lane);
                    })*
                }
            }
        }

        impl<'a> Lanes<'a> {
            /// Rows `start .. start + length` of a flat column, where its values lie as lanes do:
            /// `None` for truth values, which are bits.
            #[inline(always)]
            pub fn of_view(view: &View<'a>, start: usize, length: usize) -> Option<Self> {
                match view.data {
                    $(Data::$variant(values) => Some(Self::$variant(&values[start..start + length])),)*
                    _ => None,
                }
            }
        }

        impl<'a> LanesMut<'a> {
            /// Rows `start .. start + length` of an output to write; `None` for truth values, which are bits.
            #[inline(always)]
            pub fn of_output(output: &'a mut Output, kind: LaneKind, start: usize, length: usize) -> Option<Self> {
                match kind {
                    LaneKind::Boolean => None,
                    $(LaneKind::$variant => Some(Self::$variant(&mut output.fixed::<$rust>()[start..start + length])),)*
                }
            }

            /// Lane by lane the first where the condition holds, else the second; all of one kind.
            pub fn select(&mut self, conditions: &[bool], first: &Lanes<'_>, second: &Lanes<'_>) {
                match (self, first, second) {
                    (Self::Boolean(results), Lanes::Boolean(a), Lanes::Boolean(b)) => {
                        lane_loop::select(conditions, a, b, results);
                    }
                    $((Self::$variant(results), Lanes::$variant(a), Lanes::$variant(b)) => {
                        lane_loop::select(conditions, a, b, results);
                    })*
                    _ => debug_assert!(false, "select over lanes of different kinds"),
                }
            }

            /// Replaces lanes where the condition holds by those of the same kind.
            pub fn replace(&mut self, conditions: &[bool], source: &Lanes<'_>) {
                match (self, source) {
                    (Self::Boolean(results), Lanes::Boolean(values)) => lane_loop::replace(conditions, values, results),
                    $((Self::$variant(results), Lanes::$variant(values)) => {
                        lane_loop::replace(conditions, values, results);
                    })*
                    _ => debug_assert!(false, "replacement by lanes of a different kind"),
                }
            }

            /// Copies lanes of the same kind.
            pub fn copy(&mut self, source: &Lanes<'_>) {
                match (self, source) {
                    (Self::Boolean(results), Lanes::Boolean(values)) => results.copy_from_slice(values),
                    $((Self::$variant(results), Lanes::$variant(values)) => results.copy_from_slice(values),)*
                    _ => debug_assert!(false, "copy between lanes of different kinds"),
                }
            }
        }
    };
}
// Each entry makes one variant of `Register` and the arms that move its values; truth values are apart, as columns hold them as bits.
registers!(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Type;
    use bumpalo::Bump;

    #[test]
    fn a_register_reads_and_writes_selected_rows() {
        let bump = Bump::new();
        let mut source = Output::new(Type::Int32);
        source.prepare(4);
        source.fixed::<i32>().copy_from_slice(&[10, 20, 30, 40]);
        let mut register = Register::new(LaneKind::Int32, 8);
        register.load(&source.view(&bump), [3usize, 1].into_iter());
        let mut target = Output::new(Type::Int32);
        target.prepare(4);
        register.scatter(&[0, 2], &mut target);
        assert_eq!(target.fixed::<i32>(), [40, 0, 20, 0]);
    }

    #[test]
    fn lanes_begin_at_a_line_of_the_caches() {
        for kind in LaneKind::ALL {
            let mut register = Register::new(*kind, 5);
            if let LanesMut::Float64(values) = register.lanes_mut(5) {
                assert!(values.as_ptr().addr().is_multiple_of(LINE_BYTES));
            }
            assert_eq!(register.lanes(5).len(), 5);
        }
    }

    #[test]
    fn a_splat_fills_all_lanes() {
        let bump = Bump::new();
        let mut source = Output::new(Type::Boolean);
        source.prepare(1);
        source.boolean().set(0, true);
        let mut register = Register::new(LaneKind::Boolean, 3);
        register.splat(&source.view(&bump), 0);
        assert!(matches!(register.lanes(3), Lanes::Boolean(&[true, true, true])));
    }
}
