//! `hash_bucket`: a value into one of a number of buckets, by a hash that is named.

use super::CATEGORY;
use crate::column::{Bits, BytesData, Rows, View};
use crate::error::{Error, Result};
use crate::feature::elements::{over_elements, with_element};
use crate::kernel::divisor::{Divisor, UnsignedRemainder};
use crate::kernel::hash::crc32c::crc32c;
use crate::kernel::hash::farm::farm_fingerprint64;
use crate::kernel::hash::murmur3::murmur3_32;
use crate::kernel::hash::xxhash3::xxhash3_64;
use crate::kernel::hash::xxhash64::{xxhash64, xxhash64_u64};
use crate::kernel::hash::xxhash64_short::{BLOCK, xxhash64_short};
use crate::lanes::unary;
use crate::scalar::{Arguments, Bound, ScalarFunction};
use crate::signature::{Parameter, Pattern, exact, parameter};
use crate::types::Type;
use crate::value::{Literal, Value};

/// What a null is hashed as where nulls get a bucket: bytes that are no text and longer than a number.
pub(crate) const NULL_BYTES: &[u8] = b"\xffhypnull\xff";

pub(super) fn function() -> ScalarFunction {
    let list = |element| parameter("x", Pattern::AnyList(Box::new(Pattern::Exact(element))));
    let function = ScalarFunction::new("hash_bucket", CATEGORY, "Bucket of a text, bytes or an integer, from 0 to below the number of buckets.")
        .alias("list_hash")
        .note("The remainder of a hash: of the bytes, or of the eight bytes of an integer, lowest first. 0 buckets give the hash itself, as a signed integer.")
        .note("algorithm => 'xxhash64' (the default) and 'murmur3' take the seed; 'farm', 'xxhash3' and 'crc32c' have none. All are read as unsigned.")
        .note("'farm' gives the buckets of ML.HASH_BUCKETIZE and of string_to_hash_bucket_fast. 'murmur3_signed' takes the remainder of a signed hash that is not negative, as HashingTF (with seed 42).")
        .note("nulls => 'null' (the default) keeps nulls, 'bucket' puts them into the bucket of a text of their own. Of a list every element gets its bucket.")
        .note("The number of buckets, the seed and the options must be constant.")
        .example("hash_bucket('a', 1000)", "955")
        .example("hash_bucket(['a', 'b'], 3, algorithm => 'farm')", "[0, 1]");
    [
        exact("x", Type::Text),
        exact("x", Type::Binary),
        exact("x", Type::Int64),
        list(Type::Int64),
        list(Type::Text),
    ]
    .into_iter()
    .fold(function, |function, x| function.overload(parameters(x), bind))
}

fn parameters(x: Parameter) -> [Parameter; 5] {
    let text = |name, default: &str| exact(name, Type::Text).or(Literal::new(Value::from(default)));
    [
        x,
        exact("buckets", Type::Int64),
        exact("seed", Type::Int64).or(Literal::new(Value::Int64(0))),
        text("algorithm", "xxhash64"),
        text("nulls", "null"),
    ]
}

#[derive(Clone, Copy, PartialEq)]
enum Algorithm {
    Xxhash64,
    Xxhash3,
    Farm,
    Murmur3,
    Murmur3Signed,
    Crc32c,
}

/// Values up to here are hashed one by one, since a block costs as much to begin.
const FEW: u32 = 8;

/// A hash, its seed, and the number of buckets if it is not 0.
#[derive(Clone, Copy)]
struct Bucketing {
    algorithm: Algorithm,
    seed: u64,
    divisor: Option<Divisor>,
    /// The remainders by it, of many values.
    remainder: Option<UnsignedRemainder>,
}

impl Bucketing {
    fn of(arguments: &Arguments<'_>) -> Result<Self> {
        let refused = |position: usize, problem: String| {
            Err(Error::argument(arguments.function, position + 1, problem))
        };
        let divisor = match arguments.constant(1)?.as_i64() {
            Some(0) => None,
            Some(count) if count > 0 => Divisor::new(count),
            _ => return refused(1, "is not a number of buckets; expected a constant of at least 0".into()),
        };
        let Some(seed) = arguments.constant(2)?.as_i64() else {
            return refused(2, "must be a constant, not NULL".into());
        };
        let algorithm = match arguments.constant_text(3)? {
            "xxhash64" => Algorithm::Xxhash64,
            "xxhash3" | "xxh3" => Algorithm::Xxhash3,
            "farm" => Algorithm::Farm,
            "murmur3" => Algorithm::Murmur3,
            "murmur3_signed" => Algorithm::Murmur3Signed,
            "crc32c" => Algorithm::Crc32c,
            other => {
                let known = "'xxhash64', 'xxhash3', 'farm', 'murmur3', 'murmur3_signed' or 'crc32c'";
                return refused(3, format!("is \"{other}\"; expected {known}"));
            }
        };
        let takes_seed =
            matches!(algorithm, Algorithm::Xxhash64 | Algorithm::Murmur3 | Algorithm::Murmur3Signed);
        if seed != 0 && !takes_seed {
            return refused(2, format!("is {seed}; expected 0, since this algorithm takes no seed"));
        }
        Ok(Self { algorithm, seed: seed as u64, divisor, remainder: divisor.map(UnsignedRemainder::new) })
    }

    #[inline(always)]
    fn of_bytes(&self, bytes: &[u8]) -> i64 {
        let hash = match self.algorithm {
            Algorithm::Xxhash64 => xxhash64(bytes, self.seed),
            Algorithm::Xxhash3 => xxhash3_64(bytes),
            Algorithm::Farm => farm_fingerprint64(bytes),
            Algorithm::Murmur3 => murmur3_32(bytes, self.seed as u32).into(),
            Algorithm::Murmur3Signed => {
                let hash = i64::from(murmur3_32(bytes, self.seed as u32) as i32);
                return self.divisor.map_or(hash, |divisor| divisor.floor_remainder(hash));
            }
            Algorithm::Crc32c => crc32c(bytes).into(),
        };
        self.reduce(hash)
    }

    /// xxHash64 of values, a block at a time; rows may be null, which get any bucket.
    fn hash_in_blocks(&self, view: &View<'_>, rows: Rows<'_>, buckets: &mut [i64]) {
        let bytes = view.bytes();
        if let (Rows::All(count), Some(data)) = (rows, bytes.flat()) {
            return self.hash_all(&data, view.validity, &mut buckets[..count]);
        }
        let (mut views, mut places, mut count) = ([0; BLOCK], [0; BLOCK], 0);
        let mut hashed = [0; BLOCK];
        let mut hash = |views: &[u128; BLOCK], places: &[usize]| {
            let hashed = &mut hashed[..places.len()];
            self.hash_block(&bytes.data, views, whole(places.len()), hashed);
            places.iter().zip(hashed).for_each(|(&row, bucket)| buckets[row] = *bucket);
        };
        let may_be_null = view.may_be_null();
        rows.for_each(|row| {
            if may_be_null && view.is_null(row) {
                return;
            }
            views[count] = bytes.view(row);
            places[count] = row;
            count += 1;
            if count == BLOCK {
                hash(&views, &places);
                count = 0;
            }
        });
        hash(&views, &places[..count]);
    }

    /// xxHash64 of values that lie side by side.
    fn hash_all(&self, data: &BytesData<'_>, validity: Option<Bits<'_>>, buckets: &mut [i64]) {
        let valid_of = |index, rows| whole(rows) & validity.map_or(u64::MAX, |validity| validity.word(index));
        let (blocks, rest) = data.views[..buckets.len()].as_chunks::<BLOCK>();
        let (targets, last) = buckets.as_chunks_mut::<BLOCK>();
        for (index, (views, buckets)) in blocks.iter().zip(targets).enumerate() {
            self.hash_block(data, views, valid_of(index, BLOCK), buckets);
        }
        let mut views = [0; BLOCK];
        views[..rest.len()].copy_from_slice(rest);
        self.hash_block(data, &views, valid_of(blocks.len(), rest.len()), last);
    }

    /// xxHash64 of the values of those views of `data` whose bit in `valid` is set, into as many buckets as there are rows.
    fn hash_block(&self, data: &BytesData<'_>, views: &[u128; BLOCK], valid: u64, buckets: &mut [i64]) {
        let mut hashes = [0; BLOCK];
        if valid.count_ones() < FEW || !xxhash64_short(views, valid, self.seed, &mut hashes) {
            for (place, bucket) in buckets.iter_mut().enumerate().filter(|(place, _)| valid >> place & 1 == 1)
            {
                *bucket = self.of_bytes(data.bytes_of(&views[place]));
            }
            return;
        }
        let hashes = &hashes[..buckets.len()];
        match &self.remainder {
            Some(remainder) => remainder.write(hashes, buckets),
            None => buckets.iter_mut().zip(hashes).for_each(|(bucket, hash)| *bucket = *hash as i64),
        }
    }

    #[inline(always)]
    fn of_integer(&self, x: i64) -> i64 {
        match self.algorithm {
            Algorithm::Xxhash64 => self.reduce(xxhash64_u64(x as u64, self.seed)),
            _ => self.of_bytes(&x.to_le_bytes()),
        }
    }

    #[inline(always)]
    fn reduce(&self, hash: u64) -> i64 {
        self.divisor.map_or(hash, |divisor| divisor.remainder(hash)) as i64
    }
}

/// A set bit for each of the first rows of a block.
fn whole(rows: usize) -> u64 {
    if rows == BLOCK { u64::MAX } else { (1 << rows) - 1 }
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound> {
    let bucketing = Bucketing::of(arguments)?;
    let has_null_bucket = match arguments.constant_text(4)? {
        "null" => false,
        "bucket" => true,
        other => {
            let problem = format!("is \"{other}\"; expected 'null' or 'bucket'");
            return Err(Error::argument(arguments.function, 5, problem));
        }
    };
    let of_null = has_null_bucket.then(|| bucketing.of_bytes(NULL_BYTES));
    let bound = match (&arguments.types[0], of_null) {
        (Type::Int64, None) => {
            // The other arguments are constants that the kernel was made with.
            Bound::lanes(Type::Int64, unary(move |x: i64| bucketing.of_integer(x)))
        }
        (Type::Int64, Some(of_null)) => Bound::null_aware(Type::Int64, move |arguments, rows, output, _| {
            let (view, ids) = (&arguments[0], arguments[0].fixed::<i64>());
            let buckets = output.fixed::<i64>();
            rows.for_each(|row| {
                buckets[row] = if view.is_valid(row) { bucketing.of_integer(ids.get(row)) } else { of_null };
            });
            Ok(())
        }),
        (Type::Text | Type::Binary, None) if bucketing.algorithm == Algorithm::Xxhash64 => {
            Bound::covered(Type::Int64, move |arguments, rows, output, _| {
                bucketing.hash_in_blocks(&arguments[0], rows, output.fixed::<i64>());
                Ok(())
            })
        }
        (Type::Text | Type::Binary, None) => Bound::strict(Type::Int64, move |arguments, rows, output, _| {
            let bytes = arguments[0].bytes();
            let buckets = output.fixed::<i64>();
            rows.for_each(|row| buckets[row] = bucketing.of_bytes(bytes.get(row)));
            Ok(())
        }),
        (Type::Text | Type::Binary, Some(of_null)) => {
            Bound::null_aware(Type::Int64, move |arguments, rows, output, _| {
                let (view, bytes) = (&arguments[0], arguments[0].bytes());
                let buckets = output.fixed::<i64>();
                rows.for_each(|row| {
                    buckets[row] =
                        if view.is_valid(row) { bucketing.of_bytes(bytes.get(row)) } else { of_null };
                });
                Ok(())
            })
        }
        (list, None) if list.element() == Some(&Type::Int64) => {
            over_elements(list, Type::Int64, move |ids: &[i64], buckets: &mut [i64]| {
                buckets.iter_mut().zip(ids).for_each(|(bucket, &id)| *bucket = bucketing.of_integer(id));
            })
        }
        (list, _) => elements(list, of_null, bucketing),
    };
    Ok(bound.holding(&[1, 2, 3, 4]))
}

/// The form over lists whose elements are taken one by one.
fn elements(list: &Type, of_null: Option<i64>, bucketing: Bucketing) -> Bound {
    let is_text = list.element() == Some(&Type::Text);
    Bound::strict(with_element(list, Type::Int64), move |arguments, rows, output, _| {
        let list = arguments[0].list();
        let child = list.child();
        let is_fixed = matches!(output.data_type(), Type::FixedList(..));
        rows.for_each(|row| {
            let range = list.range(row);
            let length = range.len();
            let mut writer;
            let (target, start) = if is_fixed {
                (output.fixed_list_child(), row * length)
            } else {
                writer = output.list();
                let start = writer.child().grow(length);
                writer.set(row, start, length);
                (writer.child(), start)
            };
            for (position, element) in range.enumerate() {
                let bucket = match (child.is_valid(element), of_null) {
                    (false, None) => {
                        target.set_null(start + position);
                        continue;
                    }
                    (false, Some(of_null)) => of_null,
                    (true, _) if is_text => bucketing.of_bytes(child.bytes().get(element)),
                    (true, _) => bucketing.of_integer(child.fixed::<i64>().get(element)),
                };
                target.fixed::<i64>()[start + position] = bucket;
            }
        });
        output.check_capacity()
    })
}
