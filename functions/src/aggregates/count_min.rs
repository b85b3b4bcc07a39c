//! count_min: a sketch of how often values occur, which `count_min_estimate` asks.
//!
//! Rows of counters, each under another hash: a value counts once in each row, and the least of its counters is an estimate
//! that is never too low (Cormode and Muthukrishnan 2005). Sketches add up, so their bits depend on no order.

use crate::aggregate::{Accumulator, AggregateFunction, BoundAggregate};
use crate::column::{Output, Rows, View, hash};
use crate::error::{Error, Result};
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{any, exact};
use crate::types::Type;
use crate::value::{Literal, Value};

/// Bytes before the counters: width and depth, 32 bits each.
const HEADER: usize = 8;
const WIDTH_MAX: i64 = 1 << 20;
const DEPTH_MAX: i64 = 16;

pub(super) fn functions() -> Vec<AggregateFunction> {
    let option =
        |name: &'static str, value: i64| exact(name, Type::Int64).or(Literal::new(Value::Int64(value)));
    vec![
        AggregateFunction::new("count_min", "aggregate", "Count-min sketch of how often each value occurs, for count_min_estimate.")
            .overload([any("value"), option("width", 1024), option("depth", 4)], bind)
            .note("Width counters in each of depth rows, 8 bytes each. An estimate is never too low, and too high by more than 2.72 / width of the number of values with a probability of at most 0.37 to the power of depth: by 0.27 % with 1.8 % as given.")
            .note("Nulls are skipped; a group without values gives null. Sketches of one width and depth merge to the same bits in any order.")
            .example("count_min_estimate(count_min(42), 42)", "1"),
    ]
}

/// `count_min_estimate`, which reads sketches.
pub(super) fn estimate() -> ScalarFunction {
    ScalarFunction::new("count_min_estimate", "hash", "How often a value occurs at most, by a sketch of count_min.")
        .note("The value must have the type of the values counted. Bytes that are no sketch are an error.")
        .example("count_min_estimate('\\x01\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x07\\x00\\x00\\x00\\x00\\x00\\x00\\x00'::BLOB, 'a')", "7")
        .overload([exact("sketch", Type::Binary), any("value")], |_| {
            Ok(Bound::strict(Type::Int64, |arguments, rows, output, _| {
                let sketches = arguments[0].bytes();
                rows.for_each(|row| match least(sketches.get(row), &arguments[1], row) {
                    Some(count) => output.fixed::<i64>()[row] = count,
                    None => output.fail(row, || {
                        Error::argument("count_min_estimate", 1, "is not a sketch; expected one of count_min")
                    }),
                });
                Ok(())
            }))
        })
}

/// The least counter of a value; `None` if the bytes are no sketch.
fn least(sketch: &[u8], values: &View<'_>, row: usize) -> Option<i64> {
    let (header, counters) = sketch.split_at_checked(HEADER)?;
    let number = |bytes: &[u8]| bytes.try_into().map(u32::from_le_bytes).ok().map(|number| number as usize);
    let (width, depth) = (number(&header[..4])?, number(&header[4..])?);
    if width == 0 || depth == 0 || width.checked_mul(depth)?.checked_mul(8)? != counters.len() {
        return None;
    }
    let counter = |place: usize| counters[place * 8..place * 8 + 8].try_into().map(i64::from_le_bytes).ok();
    (0..depth).map(|line| counter(line * width + place_of(values, row, line, width))).min()?
}

/// The counter of a value in a row of the sketch.
fn place_of(values: &View<'_>, row: usize, line: usize, width: usize) -> usize {
    let code = hash(values, row, line as u64 + 1);
    ((u128::from(code) * width as u128) >> 64) as usize
}

fn bind(arguments: &Arguments<'_>) -> Result<BoundAggregate> {
    let size = |position: usize, greatest: i64| {
        let number = arguments.constant(position)?.as_i64().filter(|number| (1..=greatest).contains(number));
        number.map(|number| number as usize).ok_or_else(|| {
            let problem = format!("must be a constant number from 1 to {greatest}");
            Error::argument(arguments.function, position + 1, problem)
        })
    };
    let (width, depth) = (size(1, WIDTH_MAX)?, size(2, DEPTH_MAX)?);
    Ok(BoundAggregate::strict(Type::Binary, vec![Type::Binary], move || Sketch {
        width,
        depth,
        groups: Vec::new(),
        held: 0,
    }))
}

struct Sketch {
    width: usize,
    depth: usize,
    /// The counters of each group, none before its first value.
    groups: Vec<Option<Box<[i64]>>>,
    /// Groups that have counters.
    held: usize,
}

impl Sketch {
    fn counters(&mut self, group: u32) -> &mut [i64] {
        let (size, held) = (self.width * self.depth, &mut self.held);
        self.groups[group as usize].get_or_insert_with(|| {
            *held += 1;
            vec![0; size].into_boxed_slice()
        })
    }
}

impl Accumulator for Sketch {
    fn resize(&mut self, groups: usize) {
        self.groups.resize(groups, None);
    }

    fn update(&mut self, arguments: &[View<'_>], rows: Rows<'_>, groups: &[u32], _: u64) -> Result<()> {
        let (width, depth) = (self.width, self.depth);
        for row in rows {
            let counters = self.counters(groups[row]);
            for line in 0..depth {
                counters[line * width + place_of(&arguments[0], row, line, width)] += 1;
            }
        }
        Ok(())
    }

    fn merge(&mut self, states: &[View<'_>], groups: &[u32]) -> Result<()> {
        let (sketches, expected) = (states[0].bytes(), HEADER + self.width * self.depth * 8);
        for (row, &group) in groups.iter().enumerate().filter(|(row, _)| states[0].is_valid(*row)) {
            let bytes = sketches.get(row);
            if bytes.len() != expected {
                return Err(Error::internal("a state of count_min has another size"));
            }
            let counters = self.counters(group).iter_mut().zip(bytes[HEADER..].chunks_exact(8));
            for (counter, bytes) in counters {
                *counter += bytes.try_into().map(i64::from_le_bytes).unwrap_or_default();
            }
        }
        Ok(())
    }

    fn state(&mut self, groups: &[u32], output: &mut [Output]) -> Result<()> {
        self.finish(groups, &mut output[0])
    }

    fn finish(&mut self, groups: &[u32], output: &mut Output) -> Result<()> {
        for (row, &group) in groups.iter().enumerate() {
            let Some(counters) = &self.groups[group as usize] else {
                output.set_null(row);
                continue;
            };
            let bytes = output.bytes();
            let start = bytes.begin();
            let block = bytes.block();
            block.extend_from_slice(&(self.width as u32).to_le_bytes());
            block.extend_from_slice(&(self.depth as u32).to_le_bytes());
            counters.iter().for_each(|counter| block.extend_from_slice(&counter.to_le_bytes()));
            bytes.finish(row, start);
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.held * self.width * self.depth * 8 + self.groups.capacity() * size_of::<Option<Box<[i64]>>>()
    }
}
