//! `hypostyle demo`: seeded data, a training table by SQL, a sample, times and throughput.

use std::path::Path;
use std::time::Instant;

use crate::error::{Error, Result};
use crate::generate::{self, Dataset};
use crate::interrupt::Interrupt;
use crate::progress::grouped;
use crate::runner::Runner;

/// Queries of the demo, with `{folder}` for the place of the files.
const CLICKS: &str = include_str!("clicks.sql");
const CLICKS_SAMPLE: &str = include_str!("clicks_sample.sql");
const RATES: &str = include_str!("rates.sql");
const BEHAVIOUR: &str = include_str!("behaviour.sql");
const BEHAVIOUR_SAMPLE: &str = include_str!("behaviour_sample.sql");
const SEED: u64 = 42;

/// Runs the demo in `folder`, or in a temporary one.
///
/// # Errors
/// A file cannot be written, or Ctrl-C was pressed.
pub(crate) fn run(rows: u64, folder: Option<&Path>, runner: &Runner, threads: usize) -> Result<()> {
    let temporary;
    let folder = if let Some(folder) = folder {
        std::fs::create_dir_all(folder).map_err(|error| Error::file("cannot create", folder, error))?;
        folder
    } else {
        temporary = tempfile::tempdir().map_err(|error| Error::file("cannot create", "".as_ref(), error))?;
        temporary.path()
    };
    let events = (rows / 5).max(1);
    println!("1. Seeded data: {} ad impressions, {} shop events", grouped(rows), grouped(events));
    generate(folder, rows, events, threads, &runner.interrupt)?;

    println!("\n2. A training table: counts filled, clipped and scaled, categories hashed\n");
    println!("{}", CLICKS.trim_end());
    let clicks = build(runner, folder, CLICKS)?;
    show(runner, folder, CLICKS_SAMPLE)?;
    report("training table", rows, folder, "criteo.parquet", clicks);

    println!("\n3. What the table holds: click rate by bucket of the first count\n");
    show(runner, folder, RATES)?;

    println!("\n4. Embeddings, id lists and text of a behaviour log\n");
    println!("{}", BEHAVIOUR.trim_end());
    let behaviour = build(runner, folder, BEHAVIOUR)?;
    show(runner, folder, BEHAVIOUR_SAMPLE)?;
    report("behaviour table", events, folder, "events.parquet", behaviour);
    Ok(())
}

fn generate(folder: &Path, rows: u64, events: u64, threads: usize, interrupt: &Interrupt) -> Result<()> {
    let file = |name: &str| Some(folder.join(name));
    let datasets = [
        Dataset::criteo(rows, SEED, file("criteo.parquet")),
        Dataset::events(events, SEED, file("events.parquet")),
    ];
    datasets.iter().try_for_each(|dataset| generate::run(dataset, threads as u64, interrupt))
}

/// Runs a statement whose result is a file; seconds it took.
fn build(runner: &Runner, folder: &Path, sql: &str) -> Result<f64> {
    let started = Instant::now();
    runner.run(&in_folder(sql, folder))?;
    Ok(started.elapsed().as_secs_f64())
}

fn show(runner: &Runner, folder: &Path, sql: &str) -> Result<()> {
    runner.run(&in_folder(sql, folder))
}

fn in_folder(sql: &str, folder: &Path) -> String {
    sql.replace("{folder}", &folder.display().to_string().replace('\'', "''"))
}

fn report(what: &str, rows: u64, folder: &Path, input: &str, seconds: f64) {
    let bytes = std::fs::metadata(folder.join(input)).map_or(0, |metadata| metadata.len());
    let rate = grouped((rows as f64 / seconds) as u64);
    let megabytes = bytes as f64 / 1e6;
    println!(
        "{what}: {} rows in {seconds:.2} s, {rate} rows/s, {:.0} MB/s of Parquet",
        grouped(rows),
        megabytes / seconds
    );
}
