//! Principal components and product quantizers, trained on embeddings.

use super::scale::{flag, integer};
use super::{Analyzer, Form, Given, Reading, Statistic};
use crate::error::{Error, Result};
use crate::registry::Registry;
use crate::signature::exact;
use crate::types::Type;

pub(super) fn register(registry: &mut Registry) {
    registry.register_analyzer(
        Analyzer::new("pca", "An embedding in the coordinates of the directions in which the column varies most, measured from its mean.", components)
            .option(exact("n_components", Type::Int64))
            .option(flag("whiten", false))
            .positional(1)
            .set("sklearn", Vec::new())
            .set("spark", Vec::new())
            .note("mean = vector_mean(x), components = principal_components(x, n_components, whiten): exact covariances, whose bits depend on no order; the greatest element of each direction is positive by magnitude. With whiten => true each coordinate has the sample deviation 1.")
            .note("compat => 'spark' is PCA of Spark ML: the same directions, in whose coordinates an embedding is given as it is, without the mean taken from it. Spark leaves the signs of the directions to its solver; here they are as above.")
            .note("A null embedding gives null and does not count; a null, NaN or infinity in one is an error. Computed in DOUBLE, and rounded once to the type of the elements."),
    );
    registry.register_analyzer(
        Analyzer::new("product_quantize", "An embedding as the numbers of the nearest centroids of its parts, which are trained on the column.", quantizer)
            .option(exact("parts", Type::Int64))
            .option(integer("centroids", 256))
            .option(integer("seed", 0))
            .option(integer("sample", 16_384))
            .positional(1)
            .note("codebook = pq_codebook(x, parts, centroids, seed, sample): k-means of each part, started from the seed, on a sample that depends on no order. pq_encode(x, codebook) is the scalar; pq_decode and pq_l2_squared take the same codebook.")
            .note("A null embedding gives null and does not count; a null, NaN or infinity in one is an error, and so is a column without embeddings."),
    );
}

fn refuse_values(given: &Given<'_>) -> Result<()> {
    match given.is_list(0) {
        true => Ok(()),
        false => Err(Error::argument(given.name, 1, "is no list; expected embeddings")),
    }
}

fn components(given: &Given<'_>) -> Result<Form> {
    refuse_values(given)?;
    given.count("n_components", 1)?;
    let is_spark = given.compat == Some("spark");
    if is_spark && given.flag("whiten")? {
        return Err(Error::User("pca: compat => 'spark' has no whiten, as Spark has none".to_owned()));
    }
    let mean = match is_spark {
        true => "list_transform(vector_mean(x::DOUBLE[]), element -> 0::DOUBLE)",
        false => "vector_mean(x::DOUBLE[])",
    };
    Ok(Form {
        readings: vec![Reading::Plain],
        statistics: vec![
            Statistic::value("mean", mean),
            Statistic::value("components", "principal_components(x::DOUBLE[], n_components, whiten)"),
        ],
        scalar: "linear_projection(x, components, mean, n_components)".into(),
        ..Form::default()
    })
}

fn quantizer(given: &Given<'_>) -> Result<Form> {
    refuse_values(given)?;
    given.count("parts", 1)?;
    given.count("centroids", 1)?;
    given.count("sample", 1)?;
    Ok(Form {
        readings: vec![Reading::Plain],
        statistics: vec![Statistic::value(
            "codebook",
            "pq_codebook(x::FLOAT[], parts, centroids, seed, sample)",
        )],
        scalar: "pq_encode(x, codebook)".into(),
        ..Form::default()
    })
}
