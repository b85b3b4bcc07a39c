//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::generate::Dataset;
use crate::output::format::Format;

/// Feature engineering in SQL over files, with one engine for training and serving
#[derive(Parser)]
#[command(name = "hypostyle", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) session: SessionArguments,
}

/// Options that hold for every command.
#[derive(clap::Args)]
#[command(next_help_heading = "Session")]
pub(crate) struct SessionArguments {
    /// Threads to run on [default: one for each processor]
    #[arg(long, global = true, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Most memory that queries hold, such as 512MB or 1GiB; what does not fit goes to disk
    #[arg(long, global = true, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) memory_limit: Option<usize>,
    /// Name a file, pattern or folder as a table; repeatable
    #[arg(long = "table", global = true, value_name = "NAME=PATH", value_parser = parse_table)]
    pub(crate) tables: Vec<(String, String)>,
    /// Print the time of each statement to standard error
    #[arg(long, global = true)]
    pub(crate) timing: bool,
}

/// Where results go.
#[derive(clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArguments {
    /// Format of the result [default: by the name of --output, else a table on a terminal and csv elsewhere]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// File to write instead of standard output; it appears when it is complete
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// SQL text from the command line, a file or standard input.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SqlArguments {
    /// SQL text; - reads it from standard input
    pub(crate) sql: Option<String>,
    /// Read SQL from a file
    #[arg(long, short, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// How a plan is shown.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum PlanFormat {
    /// Indented text.
    Text,
    /// JSON.
    Json,
    /// A self-contained page.
    Html,
    /// A Substrait plan: bytes, or their base64 text on a terminal.
    Substrait,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run SQL and print its result
    Query {
        #[command(flatten)]
        sql: SqlArguments,
        #[command(flatten)]
        output: OutputArguments,
    },
    /// Run a file of SQL statements
    Run {
        /// The file; - reads from standard input
        file: PathBuf,
        #[command(flatten)]
        output: OutputArguments,
    },
    /// Run a Substrait plan, of any planner
    Substrait {
        /// The file with the bytes of the plan; - reads from standard input
        file: PathBuf,
        #[command(flatten)]
        output: OutputArguments,
    },
    /// Show how a query would run
    Explain {
        #[command(flatten)]
        sql: SqlArguments,
        /// Run it, and show rows, time and memory of each operator
        #[arg(long)]
        analyze: bool,
        /// As indented text, JSON, an HTML page with the plan drawn, or a Substrait plan for other engines
        #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
        format: PlanFormat,
        /// Write to this file instead of standard output
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// Type SQL line by line
    Shell {
        #[command(flatten)]
        output: OutputArguments,
    },
    /// List functions, or explain those whose name contains a text
    Functions {
        /// Part of a name
        name: Option<String>,
    },
    /// Show the columns of a file or table
    Describe {
        /// A file, a pattern or the name of a table
        table: String,
        /// Also minimum, maximum, distinct values, nulls
        #[arg(long)]
        summarize: bool,
        #[command(flatten)]
        output: OutputArguments,
    },
    /// Fit the analyzers of a definition, SELECT .. FROM input, and save the transform
    Fit {
        #[command(flatten)]
        sql: SqlArguments,
        /// What it is fitted on: a file, a pattern or the name of a table
        #[arg(long, value_name = "SOURCE", required_unless_present = "states")]
        from: Option<String>,
        /// Fit these rows as one piece of all and write its state, for --state; pieces are numbered from 0 in the order of their rows
        #[arg(long, value_name = "PIECE", requires = "from")]
        partial: Option<u32>,
        /// Finish from the state of a piece, or with --partial go on from it; repeatable
        #[arg(long = "state", value_name = "FILE")]
        states: Vec<PathBuf>,
        /// File of the transform, such as features.hyp, or of the state
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
    /// Apply a saved transform to files or a table
    Apply {
        /// File of the transform
        transform: PathBuf,
        /// What it is applied to: a file, a pattern or the name of a table
        #[arg(long, value_name = "SOURCE")]
        from: String,
        /// Columns to give [default: all]
        #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
        columns: Vec<String>,
        /// The rows are those of the fit: target encodings leave the fold of each row out
        #[arg(long)]
        train: bool,
        #[command(flatten)]
        output: OutputArguments,
    },
    /// Verify a saved transform, and show its columns and what was fitted
    Inspect {
        /// File of the transform
        transform: PathBuf,
        #[command(flatten)]
        output: OutputArguments,
    },
    /// Generate seeded data to Parquet or CSV
    #[command(subcommand)]
    Generate(Dataset),
    /// Generate data, build a training table, print a sample and the throughput
    Demo {
        /// Rows of the click log
        #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
        rows: u64,
        /// Folder for the files [default: a temporary one, removed at the end]
        #[arg(long, value_name = "FOLDER")]
        keep: Option<PathBuf>,
    },
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

fn parse_size(text: &str) -> Result<usize, String> {
    hypostyle::parse_bytes(text).ok_or_else(|| "expected a size such as 512MB or 1GiB".into())
}

fn parse_table(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok((name.into(), path.into())),
        _ => Err("expected NAME=PATH, such as trips=data/trips.parquet".into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Arguments, Command};

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn tables_are_named_after_the_command_and_repeat() {
        let words = ["hypostyle", "query", "SELECT 1", "--table", "a=x.csv", "--table", "b=y=z.csv"];
        let arguments = Arguments::try_parse_from(words).unwrap();
        let expected = [("a", "x.csv"), ("b", "y=z.csv")].map(|(name, path)| (name.into(), path.into()));
        assert_eq!(arguments.session.tables, expected);
        assert!(Arguments::try_parse_from(["hypostyle", "query", "SELECT 1", "--table", "x.csv"]).is_err());
    }

    #[test]
    fn sql_comes_from_one_place() {
        let parse = |words: &[&str]| Arguments::try_parse_from([&["hypostyle", "query"], words].concat());
        assert!(parse(&[]).is_err());
        assert!(parse(&["SELECT 1", "-f", "x.sql"]).is_err());
        let parsed = parse(&["-f", "x.sql"]).unwrap();
        assert!(matches!(parsed.command, Command::Query { sql, .. } if sql.file.is_some()));
    }
}
