//! Compiling and running C programs.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub fn manifest() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo puts `librescorer_c` for tests: beside this one.
fn library_folder() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

/// Runs a command that has to succeed.
pub fn finished(command: &mut Command) -> Output {
    // Cargo's has the folder above first, where a library of an earlier build may lie.
    let output =
        command.env_remove("LD_LIBRARY_PATH").output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    output
}

/// Compiles a program against the header and the shared library; `options` go to the compiler.
pub fn compiled(source: &Path, options: &[&str], folder: &Path) -> PathBuf {
    compiled_by("cc", source, options, folder)
}

/// Compiles a program with a compiler that takes the options of `cc`.
pub fn compiled_by(compiler: &str, source: &Path, options: &[&str], folder: &Path) -> PathBuf {
    let program = folder.join(source.file_stem().unwrap());
    let library = library_folder();
    finished(
        Command::new(compiler)
            .args(["-Wall", "-Wextra", "-Werror", "-g", "-o"])
            .arg(&program)
            .arg(source)
            .arg("-I")
            .arg(manifest().join("include"))
            .arg("-L")
            .arg(&library)
            .arg("-lrescorer_c")
            .args(options)
            .arg(format!("-Wl,-rpath,{}", library.display())),
    );
    program
}
