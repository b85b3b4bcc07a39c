//! `hypostyle shell`: statements as they are typed, or as they come through a pipe.

mod completion;
mod statement_end;

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use crate::error::{Error, Result};
use crate::runner::Runner;
use completion::ShellHelper;
use statement_end::is_complete;

/// Statements that the history keeps.
const HISTORY_LENGTH: usize = 10_000;

const HELP: &str = "\
Statements end with a semicolon and may take several lines. Tab completes names, arrows walk the history.
.tables            tables and views
.schema TABLE      columns of a table
.timing on|off     time of each statement
.help              this text
.exit              leave, as does Ctrl-D
";

/// Reads statements until the end of input and runs each as it is complete. An error is printed and the next
/// statement is read; through a pipe as well, so that a driving program sees each answer.
///
/// # Errors
/// The input cannot be read, or the output is gone.
pub(crate) fn run(runner: Runner) -> Result<()> {
    if std::io::stdin().is_terminal() { interactive(runner) } else { piped(&runner) }
}

fn piped(runner: &Runner) -> Result<()> {
    let mut statement = String::new();
    for line in std::io::stdin().lock().lines() {
        statement.push_str(&line.map_err(|error| Error::file("cannot read", "-".as_ref(), error))?);
        statement.push('\n');
        if is_complete(&statement) {
            report(runner.run(&statement))?;
            statement.clear();
        }
    }
    report(runner.run(&statement))
}

/// Prints an error that the session survives.
fn report(result: Result<()>) -> Result<()> {
    match result {
        Err(error @ (Error::Query(_) | Error::File { .. } | Error::Encoding(_))) => {
            eprintln!("hypostyle: {error}");
            Ok(())
        }
        Err(Error::Interrupted) => {
            eprintln!("interrupted");
            Ok(())
        }
        other => other,
    }
}

fn interactive(mut runner: Runner) -> Result<()> {
    let failed = |error: ReadlineError| Error::Encoding(format!("cannot use the terminal: {error}"));
    let config = Config::builder().completion_type(CompletionType::List).max_history_size(HISTORY_LENGTH);
    let config = config.map_err(failed)?.auto_add_history(true).build();
    let history = history_path();
    println!("Hypostyle {}. Type .help for help.", env!("CARGO_PKG_VERSION"));
    loop {
        match read_statement(&config, history.as_deref(), &runner) {
            Ok(text) => {
                runner.interrupt.clear();
                if let Some(command) = text.trim().strip_prefix('.') {
                    if !dot_command(command, &mut runner)? {
                        break;
                    }
                } else {
                    report(runner.run(&text))?;
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(())
}

/// Reads one statement. The editor catches Ctrl-C as long as it lives, so it lives no longer than that: a statement
/// that runs is stopped by the program. The history is kept after each statement.
fn read_statement(config: &Config, history: Option<&Path>, runner: &Runner) -> rustyline::Result<String> {
    let mut editor: Editor<ShellHelper, FileHistory> = Editor::with_config(config.clone())?;
    if let Some(path) = history {
        // There is none before the first use.
        let _ = editor.load_history(path);
    }
    editor.set_helper(Some(helper(runner)));
    let statement = editor.readline("hypostyle> ");
    if let Some(path) = history {
        // A history that cannot be written is no reason to leave the shell.
        let _ = editor.append_history(path);
    }
    statement
}

/// Runs a command that starts with a dot; false ends the shell.
fn dot_command(command: &str, runner: &mut Runner) -> Result<bool> {
    let (name, argument) = command.split_once(' ').unwrap_or((command, ""));
    match (name.trim(), argument.trim().trim_end_matches(';')) {
        ("exit" | "quit" | "q", _) => return Ok(false),
        ("tables", _) => report(runner.run("SHOW TABLES"))?,
        ("schema", table) if !table.is_empty() => report(runner.run(&format!("DESCRIBE {table}")))?,
        ("timing", "on") => runner.timing = true,
        ("timing", "off") => runner.timing = false,
        ("help", _) => print!("{HELP}"),
        _ => eprintln!("hypostyle: no command \".{command}\"; .help lists them"),
    }
    Ok(true)
}

/// Names as they are before the next line is typed.
fn helper(runner: &Runner) -> ShellHelper {
    let catalog = runner.session.catalog();
    let mut names = runner.session.view_names();
    for name in catalog.table_names() {
        let columns = catalog.table(&name).map(|table| table.schema().fields.clone()).unwrap_or_default();
        names.extend(columns.into_iter().map(|column| column.name));
        names.push(name);
    }
    names.sort();
    names.dedup();
    let registry = runner.session.registry();
    let scalars = registry.scalars().into_iter().map(|function| function.name.clone());
    let aggregates = registry.aggregates().into_iter().map(|function| function.name.clone());
    ShellHelper { names, functions: scalars.chain(aggregates).chain(catalog.function_names()).collect() }
}

/// The history is kept with the user's other state.
fn history_path() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let folder = state.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")))?;
    let folder = folder.join("hypostyle");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}
