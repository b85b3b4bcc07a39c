//! What a session may take: memory, files and time for plans. Runs that are cancelled at any moment, and many queries in
//! a row, leave nothing behind; a statement of thousands of expressions is planned in proportion to its length.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cancelled;
mod many_queries;
mod planning;
mod readers;

use std::path::Path;

use hypostyle::{Configuration, Session};

/// A session with this budget whose spill files go to a folder.
fn limited(folder: &Path, threads: usize, memory_limit_bytes: usize) -> Session {
    Session::with_configuration(Configuration {
        threads,
        memory_limit_bytes: Some(memory_limit_bytes),
        temp_directory: Some(folder.to_path_buf()),
        ..Configuration::default()
    })
}

/// Bytes that are reserved in a session.
fn used_bytes(session: &Session) -> usize {
    session.prepare("SELECT 1").unwrap().context().memory.used_bytes()
}

fn files_in(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

fn run(session: &Session, sql: &str) {
    session.sql(sql).unwrap_or_else(|error| panic!("{sql}: {error}")).drain().unwrap();
}

/// Random numbers that are the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn pick<'a>(&mut self, options: &[&'a str]) -> &'a str {
        options[self.below(options.len() as u64) as usize]
    }
}
