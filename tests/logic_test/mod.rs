//! Runs sqllogictest files in a session: every record is checked, and all that fail are told at the end.

#![allow(dead_code)] // Each test takes one of the ways.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use hypostyle::{Answer, Configuration, Session, Type, row_texts};
use sqllogictest::{DB, DBOutput, DefaultColumnType, MakeConnection, Record, Runner};

/// Real data beside the project; tests that need it skip where it is absent.
pub const DATA: &str = "../shared/data";

/// How a session runs the statements of a file.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Rows of a batch; `None` is the default.
    pub batch_rows: Option<usize>,
    /// Workers.
    pub threads: usize,
}

impl Setting {
    /// A session of this kind.
    pub fn session(self) -> Session {
        let mut configuration = Configuration { threads: self.threads, ..Configuration::default() };
        if let Some(rows) = self.batch_rows {
            configuration.batch_rows = rows;
        }
        Session::with_configuration(configuration)
    }
}

/// All `.slt` files under a folder, sorted; only those whose path contains the environment's `SLT`, if it is set.
pub fn files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder of tests exists") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "slt") {
                files.push(path);
            }
        }
    }
    let part = std::env::var("SLT").unwrap_or_default();
    files.retain(|path| path.to_string_lossy().contains(&part));
    files.sort();
    files
}

/// Runs every file of a folder; panics with all records that failed.
pub fn run_folder(folder: &str, setting: Setting) {
    run_folder_with(folder, setting, |_| ());
}

/// Runs every file of a folder in sessions to which `extend` has added what the files use.
pub fn run_folder_with(folder: &str, setting: Setting, extend: impl Fn(&Session)) {
    let run = |path: &PathBuf| {
        let session = setting.session();
        extend(&session);
        run_file(path, session, None)
    };
    let failures: Vec<String> = files(folder).iter().flat_map(run).collect();
    let count = failures.len();
    assert!(failures.is_empty(), "{}\n{count} records failed with {setting:?}", failures.join("\n"));
}

/// Runs every file of a folder with each query written as a Substrait plan and read back, where it has one.
pub fn run_folder_by_substrait(folder: &str, setting: Setting) -> Detours {
    let detours = Arc::<Mutex<Detours>>::default();
    let run = |path: &PathBuf| run_file(path, setting.session(), Some(Arc::clone(&detours)));
    let failures: Vec<String> = files(folder).iter().flat_map(run).collect();
    assert!(failures.is_empty(), "{}\n{} records failed", failures.join("\n"), failures.len());
    let detours = detours.lock().expect("no test panicked");
    detours.clone()
}

/// How queries fared as Substrait plans.
#[derive(Clone, Debug, Default)]
pub struct Detours {
    /// Queries that were written and read.
    pub taken: usize,
    /// Why others were not written, with how often.
    pub refused: BTreeMap<String, usize>,
}

/// Runs a file in a session; what failed, record by record.
fn run_file(path: &Path, session: Session, detours: Option<Arc<Mutex<Detours>>>) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let by_plans = detours.is_some();
    let mut runner = Runner::new(SessionMaker { session, folder: folder.path().to_owned(), detours });
    runner.with_column_validator(column_types_match);
    if by_plans {
        // A plan says of the order of rows what its sorts say, and no more.
        runner.with_validator(|_, actual, expected| {
            let mut lines: Vec<String> = actual.iter().map(|row| row.join("\t")).collect();
            let mut expected = expected.to_vec();
            lines.sort();
            expected.sort();
            lines == expected
        });
    } else {
        runner.with_validator(|_, actual, expected| {
            let lines: Vec<String> = actual.iter().map(|row| row.join("\t")).collect();
            lines == expected
        });
    }
    let records = match sqllogictest::parse_file::<DefaultColumnType>(path) {
        Ok(records) => records,
        Err(error) => return vec![format!("{}: {error}", path.display())],
    };
    let outcomes = records.into_iter().filter(|record| !matches!(record, Record::Halt { .. }));
    outcomes.filter_map(|record| runner.run(record).err()).map(|error| error.to_string()).collect()
}

/// A `?` stands for any type.
#[allow(clippy::ptr_arg)] // The runner asks for this type.
fn column_types_match(actual: &Vec<DefaultColumnType>, expected: &Vec<DefaultColumnType>) -> bool {
    let matches = |(actual, expected): (&DefaultColumnType, &DefaultColumnType)| {
        *expected == DefaultColumnType::Any || actual == expected
    };
    actual.len() == expected.len() && actual.iter().zip(expected).all(matches)
}

/// Opens the one session of a file.
struct SessionMaker {
    session: Session,
    folder: PathBuf,
    detours: Option<Arc<Mutex<Detours>>>,
}

impl MakeConnection for SessionMaker {
    type Conn = SessionUnderTest;
    type MakeFuture = std::future::Ready<Result<SessionUnderTest, hypostyle::Error>>;

    fn make(&mut self) -> Self::MakeFuture {
        std::future::ready(Ok(SessionUnderTest {
            session: self.session.clone(),
            folder: self.folder.clone(),
            detours: self.detours.clone(),
        }))
    }
}

struct SessionUnderTest {
    session: Session,
    folder: PathBuf,
    detours: Option<Arc<Mutex<Detours>>>,
}

impl SessionUnderTest {
    /// The answer by way of a Substrait plan; `None` for what has none.
    fn detour(&self, sql: &str) -> Result<Option<Answer>, hypostyle::Error> {
        let Some(detours) = &self.detours else { return Ok(None) };
        let plan = self.session.substrait_plan(sql);
        let mut detours = detours.lock().expect("no test panicked");
        match plan {
            Ok(plan) => {
                detours.taken += 1;
                drop(detours);
                self.session.substrait(&plan).map(Some)
            }
            Err(hypostyle::Error::Substrait(error)) => {
                *detours.refused.entry(error.to_string()).or_default() += 1;
                Ok(None)
            }
            // Statements that are no queries, and queries that are wrong.
            Err(_) => Ok(None),
        }
    }
}

impl DB for SessionUnderTest {
    type Error = hypostyle::Error;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, hypostyle::Error> {
        let sql =
            sql.replace("$__TEST_DIR__", &self.folder.display().to_string()).replace("$__DATA_DIR__", DATA);
        let answer = match self.detour(&sql)? {
            Some(answer) => answer,
            None => self.session.sql(&sql)?,
        };
        let types: Vec<_> =
            answer.schema().fields.iter().map(|field| column_type(&field.data_type)).collect();
        let batches = answer.collect_all()?;
        if types.is_empty() {
            return Ok(DBOutput::StatementComplete(0));
        }
        let mut rows = Vec::new();
        for batch in &batches {
            rows.extend(row_texts(batch)?.into_iter().map(|row| row.into_iter().map(shown).collect()));
        }
        Ok(DBOutput::Rows { types, rows })
    }
}

fn column_type(data_type: &Type) -> DefaultColumnType {
    match data_type {
        Type::Decimal(_, 0) => DefaultColumnType::Integer,
        Type::Decimal(..) => DefaultColumnType::FloatingPoint,
        other if other.is_integer() => DefaultColumnType::Integer,
        other if other.is_float() => DefaultColumnType::FloatingPoint,
        _ => DefaultColumnType::Text,
    }
}

/// A value on one line: a null by name, an empty text marked, line breaks escaped.
fn shown(text: Option<String>) -> String {
    match text {
        None => "NULL".into(),
        Some(text) if text.is_empty() => "(empty)".into(),
        Some(text) => text.replace('\n', "\\n"),
    }
}
