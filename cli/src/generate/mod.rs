//! `hypostyle generate`: seeded tables of any size, the same bytes for the same arguments.

pub(crate) mod file;

mod criteo;
mod events;
mod parts;
mod random;
mod recommender;
mod table;
mod tpch;
mod wide;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::progress;
use file::{FileFormat, Writing};
use table::Table;

const EVENT_USERS: u64 = 10_000;
const EVENT_ITEMS: u64 = 50_000;
const EVENT_DIMENSION: u16 = 64;

const RECOMMENDER_ROWS: u64 = 100_000;
const RECOMMENDER_DENSE: u32 = 504;
const RECOMMENDER_SPARSE: u32 = 42;
/// Lengths of lists, from none to 40 ids: 20 on average.
const RECOMMENDER_LENGTHS: u64 = 41;

const WIDE_ROWS: u64 = 100_000;
const WIDE_COLUMNS: u32 = 5_000;

/// What to generate.
#[derive(clap::Subcommand)]
pub(crate) enum Dataset {
    /// Click prediction: a label, 13 counts with nulls, 26 hashed categories
    Criteo {
        #[command(flatten)]
        rows: Rows,
        #[command(flatten)]
        target: Target,
    },
    /// Shop behaviour: sessions, prices, id lists, embeddings, search queries
    Events {
        #[command(flatten)]
        rows: Rows,
        /// Distinct users
        #[arg(long, default_value_t = EVENT_USERS, value_parser = clap::value_parser!(u64).range(1..))]
        users: u64,
        /// Distinct items
        #[arg(long, default_value_t = EVENT_ITEMS, value_parser = clap::value_parser!(u64).range(1..))]
        items: u64,
        /// Numbers in an embedding
        #[arg(long, default_value_t = EVENT_DIMENSION, value_parser = clap::value_parser!(u16).range(1..=4096))]
        dimension: u16,
        #[command(flatten)]
        target: Target,
    },
    /// Training examples of a large recommender: a label, 504 dense features with nulls, 42 lists of about 20 ids
    Recommender {
        /// Rows to generate
        #[arg(long, default_value_t = RECOMMENDER_ROWS)]
        rows: u64,
        /// Dense features, named d0, d1 and so on
        #[arg(long, default_value_t = RECOMMENDER_DENSE, value_parser = clap::value_parser!(u32).range(0..=100_000))]
        dense: u32,
        /// Lists of ids, named s0, s1 and so on
        #[arg(long, default_value_t = RECOMMENDER_SPARSE, value_parser = clap::value_parser!(u32).range(0..=100_000))]
        sparse: u32,
        /// Seed: another one gives other values
        #[arg(long, default_value_t = 42)]
        seed: u64,
        #[command(flatten)]
        target: Target,
    },
    /// The eight tables of TPC-H
    Tpch {
        /// Scale factor; 1 is about 1 GB of text
        #[arg(long, default_value_t = 1.0, value_parser = parse_scale)]
        scale: f64,
        #[command(flatten)]
        target: Target,
    },
    /// A feature table of thousands of columns: measurements, and counts with nulls
    Wide {
        /// Rows to generate
        #[arg(long, default_value_t = WIDE_ROWS)]
        rows: u64,
        /// Columns, named f0, f1 and so on
        #[arg(long, default_value_t = WIDE_COLUMNS, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        columns: u32,
        /// Seed: another one gives other values
        #[arg(long, default_value_t = 42)]
        seed: u64,
        #[command(flatten)]
        target: Target,
    },
}

impl Dataset {
    /// A click log of this size as a Parquet file.
    pub(crate) fn criteo(rows: u64, seed: u64, output: Option<PathBuf>) -> Self {
        Self::Criteo { rows: Rows { rows, seed }, target: Target { output, format: None } }
    }

    /// A behaviour log of this size as a Parquet file.
    pub(crate) fn events(rows: u64, seed: u64, output: Option<PathBuf>) -> Self {
        Self::Events {
            rows: Rows { rows, seed },
            users: EVENT_USERS,
            items: EVENT_ITEMS,
            dimension: EVENT_DIMENSION,
            target: Target { output, format: None },
        }
    }
}

/// Number of rows and the seed behind them.
#[derive(clap::Args)]
pub(crate) struct Rows {
    /// Rows to generate
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Seed: another one gives other values
    #[arg(long, default_value_t = 42)]
    seed: u64,
}

/// Where the files go.
#[derive(clap::Args)]
pub(crate) struct Target {
    /// File to write, or for tpch the folder for its files [default: the name of the dataset]
    #[arg(long, short)]
    output: Option<PathBuf>,
    /// Format [default: by the end of --output's name, else parquet]
    #[arg(long, value_enum)]
    format: Option<FileFormat>,
}

fn parse_scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if (0.001..=100_000.0).contains(&scale) => Ok(scale),
        _ => Err("expected a number from 0.001 to 100000".into()),
    }
}

/// Generates a dataset and says on standard error what was written.
///
/// # Errors
/// A file cannot be written, or Ctrl-C was pressed.
pub(crate) fn run(dataset: &Dataset, threads: u64, interrupt: &Interrupt) -> Result<()> {
    match dataset {
        Dataset::Criteo { rows, target } => {
            write_one(&criteo::table(rows.rows, rows.seed), target, threads, interrupt)
        }
        Dataset::Events { rows, users, items, dimension, target } => {
            let world = events::World { users: *users, items: *items, dimension: *dimension };
            write_one(&events::table(rows.rows, world, rows.seed), target, threads, interrupt)
        }
        Dataset::Recommender { rows, dense, sparse, seed, target } => {
            let shape = recommender::Shape { dense: *dense, sparse: *sparse, lengths: RECOMMENDER_LENGTHS };
            write_one(&recommender::table(*rows, shape, *seed), target, threads, interrupt)
        }
        Dataset::Wide { rows, columns, seed, target } => {
            write_one(&wide::table(*rows, *columns, *seed), target, threads, interrupt)
        }
        Dataset::Tpch { scale, target } => write_tpch(*scale, target, threads, interrupt),
    }
}

fn write_one(table: &Table, target: &Target, threads: u64, interrupt: &Interrupt) -> Result<()> {
    let format = target.format.unwrap_or_else(|| format_of(target.output.as_deref()));
    let default = || PathBuf::from(format!("{}.{}", table.name, format.extension()));
    let path = target.output.clone().unwrap_or_else(default);
    write(table, &path, format, threads, interrupt)
}

fn write_tpch(scale: f64, target: &Target, threads: u64, interrupt: &Interrupt) -> Result<()> {
    let format = target.format.unwrap_or(FileFormat::Parquet);
    let folder = target.output.clone().unwrap_or_else(|| PathBuf::from("tpch"));
    std::fs::create_dir_all(&folder).map_err(|error| Error::file("cannot create", &folder, error))?;
    for table in tpch::tables(scale) {
        let path = folder.join(format!("{}.{}", table.name, format.extension()));
        write(&table, &path, format, threads, interrupt)?;
    }
    Ok(())
}

fn format_of(path: Option<&Path>) -> FileFormat {
    match path.and_then(Path::extension) {
        Some(extension) if extension.eq_ignore_ascii_case("csv") => FileFormat::Csv,
        _ => FileFormat::Parquet,
    }
}

fn write(table: &Table, path: &Path, format: FileFormat, threads: u64, interrupt: &Interrupt) -> Result<()> {
    let started = std::time::Instant::now();
    let progress = progress::rows(table.name, table.rows);
    let written = file::write(table, path, format, &Writing { threads, progress: &progress, interrupt });
    progress.finish_and_clear();
    let (rows, seconds) = (progress::grouped(written?), started.elapsed().as_secs_f64());
    eprintln!("{}: {rows} rows in {seconds:.1} s", path.display());
    Ok(())
}

#[cfg(test)]
mod tests;
