//! The `hypostyle` program.

#![forbid(unsafe_code)]
// Tests may stop at once; the program itself reports what went wrong.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod allocator;
mod arguments;
mod demo;
mod error;
mod functions;
mod generate;
mod interrupt;
mod output;
mod progress;
mod runner;
mod shell;
mod source;
mod transform;
mod watch;

use std::process::ExitCode;

use clap::Parser;
use hypostyle::{Configuration, Session};

use arguments::{Arguments, Command, OutputArguments, SessionArguments};
use error::{Error, Result};
use interrupt::Interrupt;
use output::Output;
use output::format::Format;
use runner::Runner;
use watch::Watch;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    allocator::ask_for_large_pages();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let message = error.to_string();
            if !message.is_empty() {
                eprintln!("hypostyle: {message}");
            }
            error.exit_code()
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let Arguments { command, session } = arguments;
    let interrupt = Interrupt::on_ctrl_c()?;
    let runner =
        |output: OutputArguments| runner(&session, Output::new(output.format, output.output), &interrupt);
    match command {
        Command::Query { sql, output } => {
            let text = source::read(&sql)?;
            runner(output)?.run(&text)
        }
        Command::Run { file, output } => {
            let text = source::read_file(&file)?;
            runner(output)?.run(&text)
        }
        Command::Substrait { file, output } => {
            let plan = source::read_bytes(&file)?;
            runner(output)?.run_substrait(&plan)
        }
        Command::Explain { sql, analyze, format, output } => {
            let text = source::read(&sql)?;
            let none = Output::new(Some(Format::None), None);
            let runner = self::runner(&session, none, &interrupt)?;
            runner.explain(&text, analyze, format, output.as_deref())
        }
        Command::Shell { output } => shell::run(runner(output)?),
        Command::Functions { name } => functions::print(name.as_deref(), &open_session(&session)?),
        Command::Describe { table, summarize, output } => {
            let runner = runner(output)?;
            let name = source::table_reference(&table);
            runner.run(&if summarize {
                format!("SUMMARIZE FROM {name}")
            } else {
                format!("DESCRIBE FROM {name}")
            })
        }
        Command::Fit { sql, from, partial, states, output } => {
            let definition = source::read(&sql)?;
            let none = Output::new(Some(Format::None), None);
            let runner = self::runner(&session, none, &interrupt)?;
            transform::fit(&runner, &definition, from.as_deref(), partial, &states, &output)
        }
        Command::Apply { transform, from, columns, train, output } => {
            transform::apply(&runner(output)?, &transform, &from, &columns, train)
        }
        Command::Inspect { transform, output } => transform::inspect(&runner(output)?, &transform),
        Command::Generate(dataset) => generate::run(&dataset, session.thread_count() as u64, &interrupt),
        Command::Demo { rows, keep } => {
            let output = Output::new(Some(Format::Table), None);
            demo::run(
                rows,
                keep.as_deref(),
                &self::runner(&session, output, &interrupt)?,
                session.thread_count(),
            )
        }
    }
}

fn runner(arguments: &SessionArguments, output: Output, interrupt: &Interrupt) -> Result<Runner> {
    let session = open_session(arguments)?;
    let interrupt = interrupt.clone();
    Ok(Runner { session, output, timing: arguments.timing, interrupt, watch: Watch::default() })
}

/// A session with the settings and tables of the command line.
fn open_session(arguments: &SessionArguments) -> Result<Session> {
    let mut configuration = Configuration { threads: arguments.thread_count(), ..Configuration::default() };
    if arguments.memory_limit.is_some() {
        configuration.memory_limit_bytes = arguments.memory_limit;
    }
    hypostyle::remove_stale_directories(configuration.temp_directory.as_deref());
    let session = Session::with_configuration(configuration);
    #[cfg(feature = "media")]
    session.extend(hypostyle_media::register);
    for (name, path) in &arguments.tables {
        session.register_file(name, path).map_err(|error| Error::Query(error.to_string()))?;
    }
    Ok(session)
}
