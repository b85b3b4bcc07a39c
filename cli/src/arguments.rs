//! The command line.

use clap::{Parser, Subcommand};

use crate::generate::Dataset;

/// Feature engineering in SQL over files, with one engine for training and serving
#[derive(Parser)]
#[command(name = "hypostyle", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) session: SessionArguments,
}

/// Options that hold for every command.
#[derive(clap::Args)]
pub(crate) struct SessionArguments {
    /// Threads to run on [default: one for each processor]
    #[arg(long, global = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Generate seeded data to Parquet or CSV
    #[command(subcommand)]
    Generate(Dataset),
}

impl SessionArguments {
    /// Threads asked for, or one for each processor.
    pub(crate) fn thread_count(&self) -> usize {
        match self.threads {
            Some(threads) => usize::from(threads),
            None => std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}
