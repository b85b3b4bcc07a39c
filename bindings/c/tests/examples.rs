//! The examples in C and C++, and the edges of the interface, built with the system's compilers and run against the library.
//!
//! Without a compiler a test says so and passes. `HYPOSTYLE_VALGRIND=1` runs each program under valgrind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The compiler of an environment variable, or one by its usual name, if there is one.
fn compiler(variable: &str, names: &[&str]) -> Option<String> {
    let given = std::env::var(variable).ok().into_iter();
    let mut candidates = given.chain(names.iter().map(ToString::to_string));
    candidates
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()))
}

/// Where the shared library of this build lies: beside the program of the test, or above it.
fn library_directory() -> PathBuf {
    let program = std::env::current_exe().expect("the test knows its program");
    let name = format!("{}hypostyle_c{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let found = program.ancestors().skip(1).take(2).find(|directory| directory.join(&name).exists());
    found.unwrap_or_else(|| panic!("no {name} near {}", program.display())).to_path_buf()
}

/// Builds a program and runs it with a directory of its own; what it prints. `None` without a compiler.
fn printed(source: &str, arguments: &[&str]) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_cpp = source.ends_with(".cpp");
    let (variable, names, standard) = match is_cpp {
        true => ("CXX", ["c++", "g++", "clang++"], "-std=c++17"),
        false => ("CC", ["cc", "gcc", "clang"], "-std=gnu11"),
    };
    let Some(compiler) = compiler(variable, &names) else {
        eprintln!("skipped: there is no compiler for {source}");
        return None;
    };
    let directory = tempfile::tempdir().expect("a directory for the program");
    let program = directory.path().join("program");
    let library = library_directory();
    let built = Command::new(&compiler)
        .args([standard, "-g", "-Wall", "-Wextra", "-Werror", "-pthread", "-I"])
        .arg(root.join("include"))
        .arg(root.join(source))
        .arg("-L")
        .arg(&library)
        .arg("-lhypostyle_c")
        .arg(format!("-Wl,-rpath,{}", library.display()))
        .arg("-o")
        .arg(&program)
        .output()
        .expect("the compiler runs");
    assert!(built.status.success(), "{source}: {}", String::from_utf8_lossy(&built.stderr));
    let mut command = if std::env::var_os("HYPOSTYLE_VALGRIND").is_some() {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite,indirect"]);
        valgrind.args(["--errors-for-leak-kinds=definite,indirect", "--fair-sched=yes"]);
        valgrind.arg(&program);
        valgrind
    } else {
        Command::new(&program)
    };
    let output = command.args(arguments).current_dir(directory.path()).output().expect("the program runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{source} ended with {}: {errors}", output.status);
    if std::env::var_os("HYPOSTYLE_VALGRIND").is_some() {
        eprintln!("{errors}");
    }
    Some(String::from_utf8(output.stdout).expect("a program prints text"))
}

#[test]
fn the_example_in_c_prints_what_it_says() {
    let Some(printed) = printed("examples/features.c", &["clicks.hyp"]) else { return };
    let expected =
        include_str!("../examples/features.expected").replace("VERSION", env!("CARGO_PKG_VERSION"));
    assert_eq!(printed, expected);
}

#[test]
fn the_example_in_cpp_serves_from_two_threads() {
    let Some(printed) = printed("examples/serving.cpp", &[]) else { return };
    assert_eq!(printed, "1000 rows, last 1.000\nrefused: argument \"session\" is NULL\n");
}

#[test]
fn the_edges_hold() {
    let Some(printed) = printed("tests/edges.c", &[]) else { return };
    assert_eq!(printed, "all edges hold\n");
}
