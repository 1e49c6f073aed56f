//! A C program that uses the library: compiled, linked and run.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{compiled, finished, manifest};
use rescorer::{
    Convention, DeviceRequest, EarlierPolicy, Fusion, LanguageModel, ModelIdentity, Normalization, Policy,
    Precision, TunedOn,
};
use rescorer_lora::LoraAdapter;

fn fixture(name: &str) -> PathBuf {
    manifest().join("../../tests/fixtures").join(name)
}

fn load(name: &str) -> LanguageModel {
    LanguageModel::load(&fixture(name), DeviceRequest::Cpu, Precision::F32).unwrap()
}

/// A policy for the tiny model with its adapter, and one that asks a tiny encoder first.
fn policies(folder: &Path) -> [PathBuf; 2] {
    let identity = |fingerprint: &str| ModelIdentity { name: "tiny".into(), fingerprint: fingerprint.into() };
    let adapter = LoraAdapter::read(&fixture("tiny-lora")).unwrap();
    let fusion = |lm_weight| Fusion { lm_weight, length_bonus: 0.0, margin: 0.0 };
    let policy = |model: &str, fusion, adapter| {
        let model = identity(load(model).fingerprint());
        let tuned_on = TunedOn { first_pass_wer: 1.0, rescored_wer: 1.0, hashes: vec![] };
        Policy::new(Normalization::None, fusion, Convention::default(), model, adapter, tuned_on)
    };
    let alone = policy("tiny-llama", fusion(0.5), Some(identity(&adapter.fingerprint())));
    let earlier = EarlierPolicy::of(&policy("tiny-bert", fusion(0.25), None));
    let both = Policy { earlier: Some(earlier), ..alone.clone() };
    [("alone.toml", alone), ("both.toml", both)].map(|(name, policy)| {
        let path = folder.join(name);
        std::fs::write(&path, policy.to_toml().unwrap()).unwrap();
        path
    })
}

fn smoke(folder: &Path) -> PathBuf {
    compiled(&manifest().join("tests/c/smoke.c"), &["-std=c11", "-Wpedantic", "-lpthread", "-lm"], folder)
}

fn arguments(folder: &Path, threads: usize, calls: usize) -> Vec<String> {
    let [alone, both] = policies(folder);
    let paths = [fixture("tiny-llama"), fixture("tiny-lora"), alone, fixture("tiny-bert"), both];
    let paths = paths.iter().map(|path| path.to_str().unwrap().to_owned());
    paths.chain([threads, calls].map(|number| number.to_string())).collect()
}

#[test]
fn every_function_rightly_and_wrongly() {
    let folder = tempfile::tempdir().unwrap();
    let program = smoke(folder.path());
    let output = finished(Command::new(program).args(arguments(folder.path(), 8, 500)));
    assert_eq!(output.stdout, b"ok\n");
}

#[test]
#[ignore = "needs valgrind, and minutes: run with --ignored"]
fn valgrind_finds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let program = smoke(folder.path());
    finished(
        Command::new("valgrind")
            .args(["--quiet", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite"])
            .arg(program)
            .args(arguments(folder.path(), 2, 3)),
    );
}
