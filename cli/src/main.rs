//! The `hypostyle` program.

#![forbid(unsafe_code)]
// Tests may stop at once; the program itself reports what went wrong.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod arguments;
mod error;
mod generate;
mod interrupt;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use error::Result;
use interrupt::Interrupt;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
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

fn run(arguments: &Arguments) -> Result<()> {
    let interrupt = Interrupt::on_ctrl_c()?;
    match &arguments.command {
        Command::Generate(dataset) => {
            generate::run(dataset, arguments.session.thread_count() as u64, &interrupt)
        }
    }
}
