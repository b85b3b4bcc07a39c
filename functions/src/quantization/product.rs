//! Product quantization with a given codebook.

use super::eight_bits::not_a_number;
use super::function;
use crate::embedding::{Embeddings, known_dimension, vector_of, write_vector};
use crate::error::{Error, Result};
use crate::kernel::vector::product_code::Codebook;
use crate::registry::Registry;
use crate::scalar::{Arguments, Bound};
use crate::signature::{Parameter, Pattern, parameter};
use crate::types::Type;
use crate::value::Value;

const CODEBOOK: &str = "The codebook is a constant list with, for each part of the vector, a list of centroids: FLOAT[][][]. Parts have one width and one number of centroids, at most 256.";

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        function("pq_encode", "A vector as the numbers of the nearest centroids of its parts: product quantization.")
            .note(CODEBOOK)
            .note("Of equally near centroids the first is taken. Another dimension than the codebook's is an error, while planning where it is known; so are a NaN and a null element. Source: Jégou, Douze and Schmid 2011.")
            .example("pq_encode([0.9, 5.0], [[[0.0], [1.0]], [[4.0], [9.0]]])", "[1, 0]")
            .overload([parameter("x", vector_of(Type::Float32)), codebook()], encode),
    );
    registry.register_scalar(
        function("pq_decode", "The vector of the centroids that codes of pq_encode stand for.")
            .note(CODEBOOK)
            .note("Another number of codes than parts, or a code without a centroid, is an error.")
            .example("pq_decode([1, 0]::UTINYINT[2], [[[0.0], [1.0]], [[4.0], [9.0]]])", "[1.0, 4.0]")
            .overload([parameter("codes", vector_of(Type::UInt8)), codebook()], decode),
    );
    registry.register_scalar(
        function("pq_l2_squared", "Squared Euclidean distance of a vector to the one that codes of pq_encode stand for.")
            .note(CODEBOOK)
            .note("Distances of the parts to the centroids are tabled once for a vector that stays the same from row to row; so a constant query costs one look-up a part.")
            .example("pq_l2_squared([1.0, 5.0], [1, 0]::UTINYINT[2], [[[0.0], [1.0]], [[4.0], [9.0]]])", "1.0")
            .overload(
                [parameter("query", vector_of(Type::Float32)), parameter("codes", vector_of(Type::UInt8)), codebook()],
                distance,
            ),
    );
}

fn codebook() -> Parameter {
    let list = |pattern| Pattern::List(Box::new(pattern));
    parameter("codebook", list(list(list(Pattern::Exact(Type::Float32)))))
}

/// Reads the constant codebook at a position.
fn read_codebook(arguments: &Arguments<'_>, position: usize) -> Result<Codebook> {
    let refused = |problem: &str| {
        let problem = format!("{problem}; expected a list of parts, each a list of centroids of one width");
        Error::argument(arguments.function, position + 1, problem)
    };
    let elements = |value: &'_ Value| match value {
        Value::FixedList(_, values) => Some(values.clone()),
        list => list.as_list().map(<[Value]>::to_vec),
    };
    let parts = elements(arguments.constant(position)?).ok_or_else(|| refused("is NULL"))?;
    let (mut centroids, mut width, mut count) = (Vec::new(), None, None);
    for part in &parts {
        let part = elements(part).ok_or_else(|| refused("holds a null part"))?;
        if *count.get_or_insert(part.len()) != part.len() {
            return Err(refused("has parts with different numbers of centroids"));
        }
        for centroid in &part {
            let centroid = elements(centroid).ok_or_else(|| refused("holds a null centroid"))?;
            if *width.get_or_insert(centroid.len()) != centroid.len() {
                return Err(refused("has centroids of different widths"));
            }
            for value in &centroid {
                let value = value.as_f64().filter(|value| value.is_finite());
                centroids.push(value.ok_or_else(|| refused("holds a null, NaN or infinity"))? as f32);
            }
        }
    }
    Codebook::new(centroids, width.unwrap_or(0), count.unwrap_or(0))
        .ok_or_else(|| refused("is empty, or has more than 256 centroids in a part"))
}

/// Refuses a vector whose known dimension is not `expected`.
fn check_known(arguments: &Arguments<'_>, position: usize, expected: usize, what: &str) -> Result<()> {
    match known_dimension(arguments, position).filter(|&actual| actual != expected) {
        Some(actual) => Err(mismatch(arguments.function, position + 1, actual, expected, what)),
        None => Ok(()),
    }
}

fn mismatch(function: &str, position: usize, actual: usize, expected: usize, what: &str) -> Error {
    let problem = format!("has dimension {actual}; expected {expected}, the {what} of the codebook");
    Error::argument(function, position, problem)
}

fn encode(arguments: &Arguments<'_>) -> Result<Bound> {
    let book = read_codebook(arguments, 1)?;
    check_known(arguments, 0, book.dimension(), "dimension")?;
    let function = arguments.function.to_owned();
    Ok(Bound::strict(Type::fixed_list(Type::UInt8, book.parts()), move |arguments, rows, output, _| {
        let vectors = Embeddings::<f32>::new(&arguments[0]);
        rows.for_each(|row| {
            let Some(vector) = vectors.get(row, &function, 1, output) else { return };
            if vector.len() != book.dimension() {
                let error = || mismatch(&function, 1, vector.len(), book.dimension(), "dimension");
                return output.fail(row, error);
            }
            if vector.iter().any(|value| value.is_nan()) {
                return output.fail(row, || not_a_number(&function));
            }
            write_vector(output, row, book.parts(), |codes| book.encode(vector, codes));
        });
        Ok(())
    }))
}

fn no_centroid(function: &str, position: usize, book: &Codebook) -> Error {
    let problem = format!("holds a code without a centroid; expected codes below {}", book.count());
    Error::argument(function, position, problem)
}

fn decode(arguments: &Arguments<'_>) -> Result<Bound> {
    let book = read_codebook(arguments, 1)?;
    check_known(arguments, 0, book.parts(), "number of parts")?;
    let function = arguments.function.to_owned();
    Ok(Bound::strict(Type::fixed_list(Type::Float32, book.dimension()), move |arguments, rows, output, _| {
        let vectors = Embeddings::<u8>::new(&arguments[0]);
        rows.for_each(|row| {
            let Some(codes) = vectors.get(row, &function, 1, output) else { return };
            if codes.len() != book.parts() {
                let error = || mismatch(&function, 1, codes.len(), book.parts(), "number of parts");
                return output.fail(row, error);
            }
            let mut is_known = true;
            write_vector(output, row, book.dimension(), |vector| is_known = book.decode(codes, vector));
            if !is_known {
                output.fail(row, || no_centroid(&function, 1, &book));
            }
        });
        Ok(())
    }))
}

/// The table of the query seen last.
#[derive(Default)]
struct Tabled {
    query: Vec<f32>,
    table: Vec<f32>,
}

fn distance(arguments: &Arguments<'_>) -> Result<Bound> {
    let book = read_codebook(arguments, 2)?;
    check_known(arguments, 0, book.dimension(), "dimension")?;
    check_known(arguments, 1, book.parts(), "number of parts")?;
    let function = arguments.function.to_owned();
    Ok(Bound::strict(Type::Float32, move |arguments, rows, output, scratch| {
        let queries = Embeddings::<f32>::new(&arguments[0]);
        let codes = Embeddings::<u8>::new(&arguments[1]);
        let tabled = scratch.slot::<Tabled>();
        // The slot may hold the table of another codebook.
        tabled.query.clear();
        tabled.table.clear();
        rows.for_each(|row| {
            let (Some(query), Some(codes)) =
                (queries.get(row, &function, 1, output), codes.get(row, &function, 2, output))
            else {
                return;
            };
            if query.len() != book.dimension() || codes.len() != book.parts() {
                let (position, actual, expected, what) = match query.len() == book.dimension() {
                    true => (2, codes.len(), book.parts(), "number of parts"),
                    false => (1, query.len(), book.dimension(), "dimension"),
                };
                return output.fail(row, || mismatch(&function, position, actual, expected, what));
            }
            if tabled.table.is_empty() || !same_bits(&tabled.query, query) {
                tabled.query.clear();
                tabled.query.extend_from_slice(query);
                book.distances(query, &mut tabled.table);
            }
            match book.distance(&tabled.table, codes) {
                Some(distance) => output.fixed::<f32>()[row] = distance,
                None => output.fail(row, || no_centroid(&function, 2, &book)),
            }
        });
        Ok(())
    }))
}

fn same_bits(left: &[f32], right: &[f32]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(a, b)| a.to_bits() == b.to_bits())
}
