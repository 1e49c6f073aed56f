//! A C program that uses the library: compiled, linked and run.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rescorer::{
    Convention, DeviceRequest, Fusion, LanguageModel, ModelIdentity, Normalization, Policy, Precision,
    TunedOn,
};
use rescorer_lora::LoraAdapter;

fn manifest() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn fixture(name: &str) -> PathBuf {
    manifest().join("../../tests/fixtures").join(name)
}

/// Where cargo puts `librescorer_c` for tests: beside this one.
fn library_folder() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

fn finished(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    output
}

/// Compiles `smoke.c` against the header and the shared library.
fn compiled(folder: &Path) -> PathBuf {
    let program = folder.join("smoke");
    let library = library_folder();
    finished(
        Command::new("cc")
            .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g", "-o"])
            .arg(&program)
            .arg(manifest().join("tests/c/smoke.c"))
            .arg("-I")
            .arg(manifest().join("include"))
            .arg("-L")
            .arg(&library)
            .args(["-lrescorer_c", "-lpthread", "-lm"])
            .arg(format!("-Wl,-rpath,{}", library.display())),
    );
    program
}

/// A policy for the tiny model with its adapter.
fn policy(folder: &Path) -> PathBuf {
    let model = LanguageModel::load(&fixture("tiny-llama"), DeviceRequest::Cpu, Precision::F32).unwrap();
    let adapter = LoraAdapter::read(&fixture("tiny-lora")).unwrap();
    let identity = |fingerprint: &str| ModelIdentity { name: "tiny".into(), fingerprint: fingerprint.into() };
    let policy = Policy::new(
        Normalization::None,
        Fusion { lm_weight: 0.5, length_bonus: 0.0, margin: 0.0 },
        Convention::default(),
        identity(model.fingerprint()),
        Some(identity(&adapter.fingerprint())),
        TunedOn { first_pass_wer: 1.0, rescored_wer: 1.0, hashes: vec![] },
    );
    let path = folder.join("policy.toml");
    std::fs::write(&path, policy.to_toml().unwrap()).unwrap();
    path
}

fn arguments(folder: &Path, threads: usize, calls: usize) -> Vec<String> {
    let paths = [fixture("tiny-llama"), fixture("tiny-lora"), policy(folder)];
    let paths = paths.iter().map(|path| path.to_str().unwrap().to_owned());
    paths.chain([threads, calls].map(|number| number.to_string())).collect()
}

#[test]
fn every_function_rightly_and_wrongly() {
    let folder = tempfile::tempdir().unwrap();
    let program = compiled(folder.path());
    let output = finished(Command::new(program).args(arguments(folder.path(), 8, 500)));
    assert_eq!(output.stdout, b"ok\n");
}

#[test]
#[ignore = "needs valgrind, and minutes: run with --ignored"]
fn valgrind_finds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let program = compiled(folder.path());
    finished(
        Command::new("valgrind")
            .args(["--quiet", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite"])
            .arg(program)
            .args(arguments(folder.path(), 2, 3)),
    );
}
