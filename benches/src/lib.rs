//! What the benches share: flame graphs for `cargo bench -- --profile-time SECONDS`.

use std::fs::File;
use std::path::Path;

use criterion::profiler::Profiler;
use pprof::{ProfilerGuard, ProfilerGuardBuilder};

/// Samples a second; a prime, so that it does not beat with timers of the kernel.
const FREQUENCY: i32 = 997;

/// Writes `flamegraph.svg` into the directory of each bench that is profiled.
#[derive(Default)]
pub struct FlameGraph {
    guard: Option<ProfilerGuard<'static>>,
}

impl Profiler for FlameGraph {
    fn start_profiling(&mut self, _: &str, _: &Path) {
        let blocked = ["libc", "libgcc", "pthread", "vdso"];
        match ProfilerGuardBuilder::default().frequency(FREQUENCY).blocklist(&blocked).build() {
            Ok(guard) => self.guard = Some(guard),
            Err(error) => eprintln!("no profile: {error}"),
        }
    }

    fn stop_profiling(&mut self, name: &str, directory: &Path) {
        let Some(report) = self.guard.take().map(|guard| guard.report().build()) else { return };
        let written = std::fs::create_dir_all(directory)
            .and_then(|()| File::create(directory.join("flamegraph.svg")))
            .map_err(pprof::Error::from)
            .and_then(|file| report?.flamegraph(file));
        if let Err(error) = written {
            eprintln!("no flame graph for {name}: {error}");
        }
    }
}
