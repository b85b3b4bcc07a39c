//! `hypostyle fit`, `apply` and `inspect`: transforms as files.

use std::path::{Path, PathBuf};
use std::time::Instant;

use hypostyle::FitState;

use crate::error::{Error, Result};
use crate::runner::Runner;
use crate::source::{sql_identifier, table_reference};

/// Fits a definition, on rows or on states of pieces, and saves the transform; tells on standard error what was read and found. With
/// `partial` the rows are the piece of this number, and its state is saved.
///
/// # Errors
/// What is wrong with the definition, the source or the states, or a file that cannot be written.
pub(crate) fn fit(
    runner: &Runner,
    definition: &str,
    from: Option<&str>,
    partial: Option<u32>,
    states: &[PathBuf],
    output: &Path,
) -> Result<()> {
    let started = Instant::now();
    let failed = |error: hypostyle::Error| runner.failed(error, definition);
    let states = states.iter().map(FitState::load).collect::<hypostyle::Result<Vec<_>>>();
    let states = states.map_err(|error| Error::Query(error.to_string()))?;
    let session = &runner.session;
    let fitted = match (from.map(table_reference), partial) {
        (Some(source), Some(piece)) => {
            let state = runner.watching_fits(|| session.fit_partial(definition, &source, piece, &states));
            let state = state.map_err(failed)?;
            state.save(output).map_err(|error| Error::Query(error.to_string()))?;
            eprintln!(
                "{}: state of level {} of piece {piece}, {:.3} s",
                output.display(),
                state.level(),
                started.elapsed().as_secs_f64()
            );
            return Ok(());
        }
        (Some(_), None) if !states.is_empty() => {
            return Err(Error::Query(
                "a fit is finished with --state alone; rows that are not in a state yet become one with --partial".into(),
            ));
        }
        (Some(source), None) => runner.watching_fits(|| session.fit(definition, &source)),
        (None, _) => runner.watching_fits(|| session.finish_fit(definition, &states)),
    };
    let transform = fitted.map_err(failed)?;
    let name = output.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let transform = transform.named(&name);
    transform.save(output).map_err(|error| Error::Query(error.to_string()))?;
    let provenance = &transform.fitted().provenance;
    let rows = provenance
        .rows
        .map_or_else(String::new, |rows| format!(" on {rows} rows in {} passes", provenance.passes));
    eprintln!(
        "{}: {} columns, {} analyzers fitted{rows}, {:.3} s",
        output.display(),
        transform.outputs().fields.len(),
        transform.fitted().calls.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Applies a saved transform and writes its rows.
///
/// # Errors
/// A file that is no transform, a source that lacks a column, or what the run reports.
pub(crate) fn apply(runner: &Runner, path: &Path, from: &str, columns: &[String], train: bool) -> Result<()> {
    let name = load(runner, path)?;
    let columns = match columns {
        [] => "*".to_owned(),
        chosen => chosen.iter().map(|column| sql_identifier(column)).collect::<Vec<_>>().join(", "),
    };
    let mode = if train { "train" } else { "serve" };
    let source = table_reference(from);
    runner.run(&format!("SELECT {columns} FROM {}({source}, mode => '{mode}')", sql_identifier(&name)))
}

/// Verifies a saved transform and shows what it holds.
///
/// # Errors
/// A file that is no transform or is damaged.
pub(crate) fn inspect(runner: &Runner, path: &Path) -> Result<()> {
    let loaded = runner.session.load_transform_verified(path);
    let transform = loaded.map_err(|error| Error::Query(error.to_string()))?;
    let name = transform.name().to_owned();
    runner.session.register_transform(&name, &transform);
    runner.run(&format!("DESCRIBE TRANSFORM {}", sql_identifier(&name)))
}

/// Gives a transform its own name in the session.
fn load(runner: &Runner, path: &Path) -> Result<String> {
    let transform = runner.session.load_transform(path).map_err(|error| Error::Query(error.to_string()))?;
    runner.session.register_transform(transform.name(), &transform);
    Ok(transform.name().to_owned())
}
