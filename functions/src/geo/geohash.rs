//! Geohashes: the globe halved again and again, longitude first, five halvings a letter.

use super::{CATEGORY, refused};
use crate::error::Error;
use crate::registry::Registry;
use crate::scalar::{Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::{Field, Type};
use crate::value::{Literal, Value};

const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

/// Letters beyond this would halve past the precision of doubles.
const LETTERS_MAX: i64 = 12;

/// Halvings that an id holds below its sign bit.
const BITS_MAX: i64 = 62;

pub(super) fn register(registry: &mut Registry) {
    let places = || [exact("latitude", Type::Float64), exact("longitude", Type::Float64)];
    let precision = exact("precision", Type::Int64).or(Literal::new(Value::Int64(LETTERS_MAX)));
    registry.register_scalar(
        ScalarFunction::new("geohash_encode", CATEGORY, "Geohash of a place, as text of so many letters.")
            .cost(Cost::Parse)
            .note("Precision is 1 to 12. A place on a border belongs to the cell north or east of it. Other coordinates than places on the earth are an error.")
            .example("geohash_encode(57.64911, 10.40744, 11)", "u4pruydqqvj")
            .overload(places().into_iter().chain([precision]), |_| Ok(encode())),
    );
    registry.register_scalar(
        ScalarFunction::new("geohash_decode", CATEGORY, "Centre of the cell of a geohash, and how far its borders are, in degrees.")
            .cost(Cost::Parse)
            .note("Letters of either case; any other character, an empty text and more than 12 letters are an error.")
            .example(
                "geohash_decode('ezs42')",
                "{'latitude': 42.60498046875, 'longitude': -5.60302734375, 'latitude_error': 0.02197265625, 'longitude_error': 0.02197265625}",
            )
            .overload([exact("geohash", Type::Text)], |_| Ok(decode())),
    );
    let bits = exact("bits", Type::Int64).or(Literal::new(Value::Int64(52)));
    registry.register_scalar(
        ScalarFunction::new("geohash_id", CATEGORY, "Geohash of a place as a number of so many bits.")
            .note("Bits are 1 to 62, longitude first; id >> 2 is the id of the cell around it two bits up. 52 bits equal the scores of Redis.")
            .example("geohash_id(42.605, -5.603, 25)", "14672002")
            .overload(places().into_iter().chain([bits]), |_| Ok(identify())),
    );
}

/// Lower and upper end of what is left of a coordinate.
struct Interval(f64, f64);

impl Interval {
    /// Leaves the half that holds a value; 1 for the upper one.
    fn halve_around(&mut self, value: f64) -> u64 {
        let is_upper = value >= self.middle();
        self.halve(is_upper);
        u64::from(is_upper)
    }

    fn halve(&mut self, upper: bool) {
        let middle = self.middle();
        if upper { self.0 = middle } else { self.1 = middle }
    }

    fn middle(&self) -> f64 {
        (self.0 + self.1) / 2.0
    }

    fn half_width(&self) -> f64 {
        (self.1 - self.0) / 2.0
    }
}

/// Longitudes and latitudes of the globe, in the order in which they are halved.
fn globe() -> [Interval; 2] {
    [Interval(-180.0, 180.0), Interval(-90.0, 90.0)]
}

/// The first `bits` halvings around a place.
fn halvings(latitude: f64, longitude: f64, bits: i64) -> u64 {
    let mut intervals = globe();
    (0..bits as usize).fold(0, |id, turn| {
        let value = if turn % 2 == 0 { longitude } else { latitude };
        id << 1 | intervals[turn % 2].halve_around(value)
    })
}

fn encode() -> Bound {
    Bound::strict(Type::Text, |arguments, rows, output, _| {
        let (latitudes, longitudes) = (arguments[0].fixed::<f64>(), arguments[1].fixed::<f64>());
        let precisions = arguments[2].fixed::<i64>();
        rows.for_each(|row| {
            let (latitude, longitude) = (latitudes.get(row), longitudes.get(row));
            let precision = precisions.get(row);
            if let Some(error) = refused("geohash_encode", latitude, longitude) {
                return output.fail(row, || error);
            }
            if !(1..=LETTERS_MAX).contains(&precision) {
                let problem = format!("is {precision}; expected a precision from 1 to {LETTERS_MAX}");
                return output.fail(row, || Error::argument("geohash_encode", 3, problem));
            }
            let id = halvings(latitude, longitude, precision * 5);
            output.text().build(row, |text| {
                for letter in (0..precision).rev() {
                    text.push(char::from(LETTERS[(id >> (letter * 5)) as usize & 31]));
                }
            });
        });
        Ok(())
    })
}

fn identify() -> Bound {
    Bound::strict(Type::Int64, |arguments, rows, output, _| {
        let (latitudes, longitudes) = (arguments[0].fixed::<f64>(), arguments[1].fixed::<f64>());
        let counts = arguments[2].fixed::<i64>();
        rows.for_each(|row| {
            let (latitude, longitude, bits) = (latitudes.get(row), longitudes.get(row), counts.get(row));
            if let Some(error) = refused("geohash_id", latitude, longitude) {
                return output.fail(row, || error);
            }
            if !(1..=BITS_MAX).contains(&bits) {
                let problem = format!("is {bits}; expected 1 to {BITS_MAX} bits");
                return output.fail(row, || Error::argument("geohash_id", 3, problem));
            }
            output.fixed::<i64>()[row] = halvings(latitude, longitude, bits) as i64;
        });
        Ok(())
    })
}

fn decode() -> Bound {
    let fields = ["latitude", "longitude", "latitude_error", "longitude_error"];
    let fields = fields.map(|name| Field::new(name, Type::Float64));
    Bound::strict(Type::Struct(fields.into()), |arguments, rows, output, _| {
        let texts = arguments[0].text();
        rows.for_each(|row| match cell(texts.get(row)) {
            Ok([longitudes, latitudes]) => {
                let values = [
                    latitudes.middle(),
                    longitudes.middle(),
                    latitudes.half_width(),
                    longitudes.half_width(),
                ];
                for (field, value) in values.into_iter().enumerate() {
                    output.field(field).fixed::<f64>()[row] = value;
                }
            }
            Err(problem) => output.fail(row, || Error::argument("geohash_decode", 1, problem)),
        });
        Ok(())
    })
}

fn cell(geohash: &str) -> Result<[Interval; 2], String> {
    if geohash.is_empty() || geohash.len() > LETTERS_MAX as usize {
        return Err(format!("has {} bytes; expected 1 to {LETTERS_MAX} letters", geohash.len()));
    }
    let mut intervals = globe();
    let mut turn = 0;
    for character in geohash.chars() {
        let lower = character.to_ascii_lowercase();
        let Some(number) = LETTERS.iter().position(|&letter| char::from(letter) == lower) else {
            return Err(format!("holds \"{character}\"; expected digits and letters but a, i, l and o"));
        };
        for bit in (0..5).rev() {
            intervals[turn % 2].halve(number >> bit & 1 == 1);
            turn += 1;
        }
    }
    Ok(intervals)
}
