//! Runs statements one after another: rows to the output, progress and times to standard error.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hypostyle::{Answer, RunHandle, Session};

use crate::arguments::PlanFormat;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::output::format::Format;
use crate::watch::{Watch, Watched};

/// A session with a place for its answers.
pub(crate) struct Runner {
    /// The session.
    pub(crate) session: Session,
    /// Where and how answers are written.
    pub(crate) output: Output,
    /// Whether the time of each statement goes to standard error.
    pub(crate) timing: bool,
    /// Ctrl-C.
    pub(crate) interrupt: Interrupt,
    /// What passes it on.
    pub(crate) watch: Watch,
}

impl Runner {
    /// Runs all statements of a text. In formats that hold one result, only the last statement's is written.
    ///
    /// # Errors
    /// The first error; its text shows the line and the place in `text`.
    pub(crate) fn run(&self, text: &str) -> Result<()> {
        let failed = |error| self.failed(error, text);
        let mut answers = self.session.script(text).map_err(failed)?;
        loop {
            self.interrupt.check()?;
            let started = Instant::now();
            // Each statement starts when it is asked for.
            let Some(answer) = self.watching_fits(|| answers.next()) else { return Ok(()) };
            let shown = answers.size_hint().1 == Some(0) || self.output.format.holds_several_results();
            let result = answer.map_err(failed).and_then(|answer| self.write(answer, shown, text));
            if self.timing {
                eprintln!("time: {:.6} s", started.elapsed().as_secs_f64());
            }
            result?;
        }
    }

    /// Prints the plan of a query, or writes it to a file; with `analyze` it runs, and operators show their figures.
    ///
    /// # Errors
    /// As [`Runner::run`]; a file that cannot be written.
    pub(crate) fn explain(
        &self,
        text: &str,
        analyze: bool,
        format: PlanFormat,
        output: Option<&Path>,
    ) -> Result<()> {
        if let PlanFormat::Substrait = format {
            return self.write_substrait(text, analyze, output);
        }
        let failed = |error| self.failed(error, text);
        let prepared = self.watching_fits(|| self.session.prepare_fitted(text)).map_err(failed)?;
        let metrics = if analyze {
            let mut answer = prepared.run(&[]).map_err(failed)?;
            self.watched(&mut answer, |answer| {
                while answer.next_batch().map_err(failed)?.is_some() {}
                Ok(())
            })?;
            Some(answer.metrics().unwrap_or_default())
        } else {
            None
        };
        let plan = prepared.plan();
        let shown = match (format, &metrics) {
            (PlanFormat::Text, Some(metrics)) => plan.display_analyzed(metrics),
            (PlanFormat::Text, None) => plan.to_string(),
            (PlanFormat::Json, metrics) => plan.to_json_text(metrics.as_ref()),
            (PlanFormat::Html | PlanFormat::Substrait, metrics) => plan.to_html(metrics.as_ref()),
        };
        let shown = format!("{}\n", shown.trim_end());
        match output {
            Some(path) => {
                std::fs::write(path, shown).map_err(|error| Error::file("cannot write", path, error))
            }
            None => std::io::stdout().write_all(shown.as_bytes()).map_err(Error::output),
        }
    }

    /// Writes a query as a Substrait plan: bytes to a file or another program, base64 where someone looks at them.
    fn write_substrait(&self, text: &str, analyze: bool, output: Option<&Path>) -> Result<()> {
        if analyze {
            return Err(Error::Query("a Substrait plan has no place for the figures of --analyze".into()));
        }
        let mut bytes = self.session.substrait_plan(text).map_err(|error| self.failed(error, text))?;
        if let Some(path) = output {
            return std::fs::write(path, bytes).map_err(|error| Error::file("cannot write", path, error));
        }
        let mut out = std::io::stdout();
        if out.is_terminal() {
            bytes = (STANDARD.encode(bytes) + "\n").into_bytes();
        }
        out.write_all(&bytes).and_then(|()| out.flush()).map_err(Error::output)
    }

    /// Runs a Substrait plan.
    ///
    /// # Errors
    /// What is wrong with the plan, or the error that ended it.
    pub(crate) fn run_substrait(&self, plan: &[u8]) -> Result<()> {
        self.interrupt.check()?;
        let started = Instant::now();
        let answer = self.session.substrait(plan).map_err(|error| self.failed(error, ""));
        let result = answer.and_then(|answer| self.write(answer, true, ""));
        if self.timing {
            eprintln!("time: {:.6} s", started.elapsed().as_secs_f64());
        }
        result
    }

    pub(crate) fn failed(&self, error: hypostyle::Error, text: &str) -> Error {
        if error.is_cancelled() { Error::Interrupted } else { Error::Query(error.render(text)) }
    }

    fn write(&self, mut answer: Answer, shown: bool, text: &str) -> Result<()> {
        // SET and its like have no columns, and the number of rows that COPY wrote is not asked for.
        let writes = shown && !answer.schema().fields.is_empty() && !answer.counts_writes();
        let writes = writes && !matches!(self.output.format, Format::None);
        let mut writer = writes.then(|| self.output.open(answer.arrow_schema())).transpose()?;
        self.watched(&mut answer, |answer| {
            let failed = |error| self.failed(error, text);
            let Some(writer) = &mut writer else {
                while answer.skip_batch().map_err(failed)?.is_some() {}
                return Ok(());
            };
            while let Some(batch) = answer.next_batch().map_err(failed)? {
                writer.write(&batch)?;
            }
            Ok(())
        })?;
        writer.map_or(Ok(()), |writer| writer.finish())
    }

    /// Runs `work` while another thread passes Ctrl-C on to the run and shows its progress.
    fn watched(&self, answer: &mut Answer, work: impl FnOnce(&mut Answer) -> Result<()>) -> Result<()> {
        let Some(handle) = answer.handle() else { return work(answer) };
        let _watched = self.begin_watch(Some(handle));
        work(answer)
    }

    /// Runs `work`, which may fit transforms, while another thread passes Ctrl-C on to their passes and shows their progress.
    pub(crate) fn watching_fits<T>(&self, work: impl FnOnce() -> T) -> T {
        let handles = self.watch.handles();
        self.session.observe_fits(Arc::new(move |handle| handles.set(handle)));
        let _watched = self.begin_watch(None);
        work()
    }

    fn begin_watch(&self, handle: Option<RunHandle>) -> Watched<'_> {
        self.watch.begin(&self.interrupt, self.output.leaves_terminal_free(), handle)
    }
}
