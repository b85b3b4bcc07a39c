//! Cells of S2: the six sides of a cube around the earth, each divided into four 30 times, numbered along a Hilbert curve.
//!
//! An id holds three bits of the side, two for each division, a one, and zeros. So the ids of the cells in a cell are one
//! range around its own. Source: the definition of S2 cell ids (s2geometry), with the quadratic projection.

use super::{CATEGORY, refused};
use crate::error::Error;
use crate::kernel::transcendental::{atan2_one, cos_one, sin_one};
use crate::registry::Registry;
use crate::scalar::{Bound, Cost, ScalarFunction};
use crate::signature::exact;
use crate::types::{Field, Type};
use crate::value::{Literal, Value};

/// Divisions of the smallest cells.
const LEVEL_MAX: u32 = 30;

/// Of a quarter: its place along the curve, by the orientation of the curve and by the bits of column and row.
const PLACE: [[u64; 4]; 4] = [[0, 1, 3, 2], [0, 3, 1, 2], [2, 3, 1, 0], [2, 1, 3, 0]];

/// How the curve turns in the quarter at a place.
const TURN: [usize; 4] = [1, 0, 0, 3];

pub(super) fn register(registry: &mut Registry) {
    let level = || exact("level", Type::Int64);
    registry.register_scalar(
        ScalarFunction::new("s2_cell", CATEGORY, "Id of the S2 cell of a level that holds a place.")
            .cost(Cost::Parse)
            .note("Levels are 0 (a sixth of the earth) to 30 (about a square centimetre), the default. Ids are signed, as in BigQuery.")
            .note("Other coordinates than places on the earth are an error. Source: s2geometry, quadratic projection.")
            .example("s2_cell(49.703498679, 11.770681595)", "5161630766136961849")
            .overload(
                [
                    exact("latitude", Type::Float64),
                    exact("longitude", Type::Float64),
                    level().or(Literal::new(Value::Int64(LEVEL_MAX.into()))),
                ],
                |_| Ok(bind_cell()),
            ),
    );
    registry.register_scalar(
        ScalarFunction::new("s2_parent", CATEGORY, "Id of the S2 cell of a level that holds a cell.")
            .note("A level below the cell's own size, and an id that is no cell, are an error.")
            .example("s2_parent(s2_cell(40.7, -74.0), 12) = s2_cell(40.7, -74.0, 12)", "true")
            .overload([exact("cell", Type::Int64), level()], |_| Ok(bind_parent())),
    );
    registry.register_scalar(
        ScalarFunction::new("s2_level", CATEGORY, "Level of an S2 cell.")
            .note("An id that is no cell is an error.")
            .example("s2_level(s2_cell(40.7, -74.0, 12))", "12")
            .overload([exact("cell", Type::Int64)], |_| {
                Ok(Bound::strict(Type::Int64, |arguments, rows, output, _| {
                    let cells = arguments[0].fixed::<i64>();
                    rows.for_each(|row| match level_of(cells.get(row) as u64) {
                        Some(level) => output.fixed::<i64>()[row] = level.into(),
                        None => output.fail(row, || no_cell("s2_level", cells.get(row))),
                    });
                    Ok(())
                }))
            }),
    );
    registry.register_scalar(
        ScalarFunction::new("s2_center", CATEGORY, "Centre of an S2 cell, in degrees.")
            .note("An id that is no cell is an error.")
            .example("round(struct_extract(s2_center(s2_cell(40.7, -74.0)), 'latitude'), 6)", "40.7")
            .overload([exact("cell", Type::Int64)], |_| Ok(bind_center())),
    );
}

fn no_cell(function: &str, id: i64) -> Error {
    Error::argument(function, 1, format!("is {id}; expected the id of a cell"))
}

/// The level in an id; `None` if the id is no cell.
fn level_of(id: u64) -> Option<u32> {
    let zeros = id.trailing_zeros();
    (id >> 61 < 6 && zeros.is_multiple_of(2) && zeros <= 2 * LEVEL_MAX).then(|| LEVEL_MAX - zeros / 2)
}

/// The cell of a level around a cell that is not larger.
pub(super) fn parent(id: u64, level: u32) -> u64 {
    let lowest = 1u64 << (2 * (LEVEL_MAX - level));
    id & lowest.wrapping_neg() | lowest
}

/// The cell of a level around a place.
pub(super) fn parent_of_place(latitude: f64, longitude: f64, level: u32) -> u64 {
    parent(leaf(latitude, longitude), level)
}

fn bind_cell() -> Bound {
    Bound::strict(Type::Int64, |arguments, rows, output, _| {
        let (latitudes, longitudes) = (arguments[0].fixed::<f64>(), arguments[1].fixed::<f64>());
        let levels = arguments[2].fixed::<i64>();
        rows.for_each(|row| {
            let (latitude, longitude) = (latitudes.get(row), longitudes.get(row));
            if let Some(error) = refused("s2_cell", latitude, longitude) {
                return output.fail(row, || error);
            }
            match u32::try_from(levels.get(row)) {
                Ok(level) if level <= LEVEL_MAX => {
                    output.fixed::<i64>()[row] = parent_of_place(latitude, longitude, level) as i64;
                }
                _ => {
                    let problem = format!("is {}; expected a level from 0 to {LEVEL_MAX}", levels.get(row));
                    output.fail(row, || Error::argument("s2_cell", 3, problem));
                }
            }
        });
        Ok(())
    })
}

fn bind_parent() -> Bound {
    Bound::strict(Type::Int64, |arguments, rows, output, _| {
        let (cells, levels) = (arguments[0].fixed::<i64>(), arguments[1].fixed::<i64>());
        rows.for_each(|row| {
            let id = cells.get(row) as u64;
            let Some(own) = level_of(id) else {
                return output.fail(row, || no_cell("s2_parent", cells.get(row)));
            };
            match u32::try_from(levels.get(row)) {
                Ok(level) if level <= own => output.fixed::<i64>()[row] = parent(id, level) as i64,
                _ => {
                    let problem =
                        format!("is {}; expected a level from 0 to {own}, that of the cell", levels.get(row));
                    output.fail(row, || Error::argument("s2_parent", 2, problem));
                }
            }
        });
        Ok(())
    })
}

fn bind_center() -> Bound {
    let fields = ["latitude", "longitude"].map(|name| Field::new(name, Type::Float64));
    Bound::strict(Type::Struct(fields.into()), |arguments, rows, output, _| {
        let cells = arguments[0].fixed::<i64>();
        rows.for_each(|row| {
            let id = cells.get(row) as u64;
            let Some(level) = level_of(id) else {
                return output.fail(row, || no_cell("s2_center", cells.get(row)));
            };
            let (latitude, longitude) = center(id, level);
            output.field(0).fixed::<f64>()[row] = latitude;
            output.field(1).fixed::<f64>()[row] = longitude;
        });
        Ok(())
    })
}

/// The smallest cell that holds a place.
fn leaf(latitude: f64, longitude: f64) -> u64 {
    const RADIANS: f64 = std::f64::consts::PI / 180.0;
    let (latitude, longitude) = (latitude * RADIANS, longitude * RADIANS);
    let flat = cos_one(latitude);
    let (side, u, v) = onto_cube(cos_one(longitude) * flat, sin_one(longitude) * flat, sin_one(latitude));
    let (column, row) = (division(u), division(v));
    let (mut place, mut orientation) = (0u64, side as usize & 1);
    for bit in (0..LEVEL_MAX).rev() {
        let quarter = PLACE[orientation][((column >> bit & 1) << 1 | row >> bit & 1) as usize];
        place = place << 2 | quarter;
        orientation ^= TURN[quarter as usize];
    }
    side << 61 | place << 1 | 1
}

/// The side of the cube that a direction meets, and where on it, from -1 to 1.
fn onto_cube(x: f64, y: f64, z: f64) -> (u64, f64, f64) {
    let (across, along, up) = (x.abs(), y.abs(), z.abs());
    if across > along && across > up {
        if x >= 0.0 { (0, y / x, z / x) } else { (3, z / x, y / x) }
    } else if along >= across && along > up {
        if y >= 0.0 { (1, -x / y, z / y) } else { (4, z / y, -x / y) }
    } else if z >= 0.0 {
        (2, -x / z, -y / z)
    } else {
        (5, -y / z, -x / z)
    }
}

/// Which of the 2^30 divisions of a side a coordinate falls into, after the projection that evens their sizes out.
fn division(u: f64) -> u64 {
    const DIVISIONS: f64 = (1u64 << LEVEL_MAX) as f64;
    let share = if u >= 0.0 { 0.5 * (1.0 + 3.0 * u).sqrt() } else { 1.0 - 0.5 * (1.0 - 3.0 * u).sqrt() };
    // The conversion saturates at 0 below it.
    ((share * DIVISIONS).floor() as u64).min((1 << LEVEL_MAX) - 1)
}

/// The middle of a cell, in degrees.
fn center(id: u64, level: u32) -> (f64, f64) {
    let side = id >> 61;
    let (mut column, mut row, mut orientation) = (0u64, 0u64, side as usize & 1);
    for step in 0..level {
        let place = id >> (59 - 2 * step) & 3;
        // Every row of the table holds every place once.
        let quarter = PLACE[orientation].iter().position(|&held| held == place).unwrap_or(0) as u64;
        column = column << 1 | quarter >> 1;
        row = row << 1 | quarter & 1;
        orientation ^= TURN[place as usize];
    }
    let coordinate = |division: u64| {
        let share = (2 * division + 1) as f64 / (2u64 << level) as f64;
        if share >= 0.5 {
            (4.0 * share * share - 1.0) / 3.0
        } else {
            (1.0 - 4.0 * (1.0 - share) * (1.0 - share)) / 3.0
        }
    };
    let (u, v) = (coordinate(column), coordinate(row));
    let (x, y, z) = match side {
        0 => (1.0, u, v),
        1 => (-u, 1.0, v),
        2 => (-u, -v, 1.0),
        3 => (-1.0, -v, -u),
        4 => (v, -1.0, -u),
        _ => (v, u, -1.0),
    };
    const DEGREES: f64 = 180.0 / std::f64::consts::PI;
    // A pole has the longitude 0, and not that of a negative zero.
    let (x, y) = (x + 0.0, y + 0.0);
    (atan2_one(z, (x * x + y * y).sqrt()) * DEGREES, atan2_one(y, x) * DEGREES)
}
