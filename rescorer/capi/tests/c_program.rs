//! C programs that use the library: compiled, linked and run.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use common::{compiled, compiled_by, finished, manifest};
use rescorer::fusion::{Decision, ModelIdentity, TunedOn};
use rescorer::scoring::{AdapterSet, LanguageModel, SecondPass};
use rescorer::{
    DecisionRule, DeviceRequest, Fusion, Hypothesis, NBest, Normalization, Policy, Precision, ScoringConfig,
};
use rescorer_lora::LoraAdapter;

/// The list of `by_rule` in smoke.c: the first is likeliest, the others are near each other.
const SPREAD: [(&str, f64); 5] = [
    ("a hat", -1.0),
    ("the cat sat on that", -1.1),
    ("the cat sat on mats", -1.1),
    ("the cats sat on that", -1.2),
    ("the cat sit on that mat", -1.2),
];

fn fixture(name: &str) -> PathBuf {
    manifest().join("../../tests/fixtures").join(name)
}

fn load(name: &str) -> LanguageModel {
    LanguageModel::load(&fixture(name), DeviceRequest::Cpu, Precision::F32).unwrap()
}

fn identity(fingerprint: &str) -> ModelIdentity {
    ModelIdentity { name: "tiny".into(), fingerprint: fingerprint.into() }
}

fn policy(model: &str, lm_weight: f64, adapter: Option<ModelIdentity>) -> Policy {
    let fusion = Fusion { lm_weight, length_bonus: 0.0, margin: 0.0 };
    let tuned_on = TunedOn { first_pass_wer: 1.0, rescored_wer: 1.0, hashes: vec![] };
    let model = identity(load(model).fingerprint());
    Policy::new(Normalization::None, fusion, ScoringConfig::default(), model, adapter, tuned_on)
}

fn written(policy: &Policy, name: &str, folder: &Path) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, policy.to_toml().unwrap()).unwrap();
    path
}

/// A policy for the tiny model with its adapter, and one that asks a tiny encoder first.
fn policies(folder: &Path) -> [PathBuf; 2] {
    let adapter = LoraAdapter::read(&fixture("tiny-lora")).unwrap();
    let alone = policy("tiny-llama", 0.5, Some(identity(&adapter.fingerprint())));
    let earlier = policy("tiny-bert", 0.25, None).first_stage();
    let both = Policy { cascade: earlier, ..alone.clone() };
    [("alone.toml", alone), ("both.toml", both)].map(|(name, policy)| written(&policy, name, folder))
}

/// A folder with the tiny adapter and a policy of its own.
fn adapter(folder: &Path, name: &str, lm_weight: f64) -> PathBuf {
    let own = folder.join(name);
    LoraAdapter::read(&fixture("tiny-lora")).unwrap().write(&own).unwrap();
    let print = LoraAdapter::read(&own).unwrap().fingerprint();
    written(&policy("tiny-llama", lm_weight, Some(identity(&print))), "policy.toml", &own);
    own
}

/// Lists with references.
fn lists(path: &Path, reference: &str) -> PathBuf {
    let line = |number: usize| {
        format!(
            r#"{{"id": "u{number}", "reference": "{reference}", "hypotheses": [{{"text": "the cat sat", "score": -1.0}}, {{"text": "the hat sat", "score": -1.5}}]}}"#
        )
    };
    std::fs::write(path, (0..6).map(line).collect::<Vec<_>>().join("\n")).unwrap();
    path.to_owned()
}

/// A policy of each rule, and what the library of Rust answers by it.
fn rules(folder: &Path) -> Vec<(PathBuf, String)> {
    let model = Arc::new(load("tiny-llama"));
    let list = || NBest::new(SPREAD.map(|(text, score)| Hypothesis::scored(text, score)).to_vec()).unwrap();
    let rules = [DecisionRule::Maximum, DecisionRule::Mbr, DecisionRule::Merge];
    let answered = rules.map(|rule| {
        let decision = Decision { rule, scale: 1.0, mbr_margin: 0.0, merge_margin: 0.0 };
        let policy = Policy { decision: Some(decision), ..policy("tiny-llama", 1e-6, None) };
        let rescorer = SecondPass::from_policy(model.clone(), AdapterSet::default(), &policy).unwrap();
        let text = rescorer.rescore(&list()).unwrap().text().to_owned();
        (written(&policy, &format!("{rule}.toml"), folder), text)
    });
    assert_eq!(answered[0].1, "a hat");
    assert!(answered[1..].iter().all(|(_, text)| text.starts_with("the cat sat on")), "{answered:?}");
    answered.into()
}

/// Compiles one of the test programs in C.
fn program(name: &str, folder: &Path, options: &[&str]) -> PathBuf {
    let usual = ["-std=c11", "-Wpedantic", "-D_POSIX_C_SOURCE=200809L", "-lpthread", "-lm"];
    compiled(&manifest().join("tests/c").join(name), &[&usual, options].concat(), folder)
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn smoke(folder: &Path, threads: usize, calls: usize, options: &[&str]) -> Command {
    let [alone, both] = policies(folder);
    let paths = [fixture("tiny-llama"), fixture("tiny-lora"), alone, fixture("tiny-bert"), both];
    let mut command = Command::new(program("smoke.c", folder, options));
    command.args(paths).args([threads, calls].map(|number| number.to_string()));
    command.arg(written(&policy("tiny-llama", 0.25, None), "bare.toml", folder));
    command.args([("medical", 0.5), ("legal", 0.75)].map(|(name, weight)| adapter(folder, name, weight)));
    lists(&folder.join("dev.jsonl"), "the hat sat");
    command.current_dir(folder);
    command.args(rules(folder).iter().flat_map(|(path, answer)| [text(path), answer.clone()]));
    command
}

fn refusals(folder: &Path, options: &[&str]) -> Command {
    let [alone, both] = policies(folder);
    let mut command = Command::new(program("refusals.c", folder, options));
    command.args([fixture("tiny-llama"), alone, fixture("tiny-bert"), fixture("tiny-lora"), both]);
    command
}

#[test]
fn every_function_rightly() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(finished(&mut smoke(folder.path(), 8, 500, &[])).stdout, b"ok\n");
    for (name, is_classic) in [("classic.toml", true), ("features.toml", false)] {
        let tuned = Policy::read(folder.path().join(name)).unwrap();
        assert_eq!(tuned.weighting.classic().is_some(), is_classic, "{name}");
    }
}

#[test]
fn every_function_wrongly() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(finished(&mut refusals(folder.path(), &[])).stdout, b"ok\n");
}

#[test]
fn a_forked_process_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program("forked.c", folder.path(), &[]));
    assert_eq!(finished(command.arg(fixture("tiny-llama"))).stdout, b"ok\n");
}

#[test]
fn an_error_of_a_kind_has_its_status() {
    let folder = tempfile::tempdir().unwrap();
    let program = program("errors.c", folder.path(), &[]);
    let rule = rules(folder.path()).into_iter().find(|(path, _)| path.ends_with("mbr.toml")).unwrap().0;
    let empty = lists(&folder.path().join("empty.jsonl"), "");
    let output = finished(Command::new(program).arg(fixture("tiny-llama")).arg(rule).arg(empty)).stdout;
    let output = String::from_utf8(output).unwrap();
    let mut found: Vec<Vec<&str>> = output.lines().map(|line| line.splitn(3, '\t').collect()).collect();
    let kinds = std::fs::read_to_string(fixture("error-kinds.json")).unwrap();
    let kinds: Vec<serde_json::Value> = serde_json::from_str(&kinds).unwrap();
    let page = std::fs::read_to_string(manifest().join("../../docs/c.md")).unwrap();
    let header = std::fs::read_to_string(manifest().join("include/rescorer.h")).unwrap();
    for kind in kinds {
        let [name, status, message] =
            ["kind", "status", "message"].map(|field| kind[field].as_str().unwrap());
        let place =
            found.iter().position(|line| line[0] == name).unwrap_or_else(|| panic!("{name}: {output}"));
        let line = found.remove(place);
        assert_eq!(line[1], kind["number"].to_string(), "{name}: {output}");
        assert!(line[2].contains(message), "{name}: {}", line[2]);
        assert!(header.contains(&format!("{status} = {},", kind["number"])), "{status}");
        assert!(page.contains(&format!("| {name} | `{status}` |")), "docs/c.md has no row of {name}");
    }
    assert!(found.is_empty(), "no kinds: {found:?}");
}

#[test]
fn first_steps_from_loading_to_tuning() {
    let folder = tempfile::tempdir().unwrap();
    let source = manifest().join("../../examples/c/first_steps.c");
    let program = compiled(&source, &["-std=c99", "-Wpedantic", "-Wconversion"], folder.path());
    std::fs::create_dir(folder.path().join("adapters")).unwrap();
    adapter(&folder.path().join("adapters"), "medical", 0.5);
    written(&policy("tiny-llama", 0.25, None), "policy.toml", folder.path());
    lists(&folder.path().join("dev.jsonl"), "the hat sat");
    let mut command = Command::new(program);
    let output = finished(command.arg(fixture("tiny-llama")).current_dir(folder.path())).stdout;
    let output = String::from_utf8(output).unwrap();
    let lines: Vec<&str> = output.lines().filter(|line| !line.starts_with("  ")).collect();
    assert_eq!(lines.len(), 3, "{output}");
    assert!(lines.iter().all(|line| line.starts_with("please ")), "{output}");
    assert!(
        lines[0].contains("by policy.toml") && lines[1].contains("by adapters/medical/policy.toml"),
        "{output}"
    );
    let tuned = Policy::read(folder.path().join("tuned.toml")).unwrap();
    assert_eq!(tuned.tuned_on.first_pass_wer, 100.0 / 3.0);
}

/// The program in the comment at the top of the header.
fn example() -> String {
    let header = std::fs::read_to_string(manifest().join("include/rescorer.h")).unwrap();
    let lines = header.lines().skip_while(|line| !line.starts_with(" *   #include <rescorer.h>"));
    let lines = lines.take_while(|line| *line != " * Errors");
    lines.map(|line| line.strip_prefix(" *   ").unwrap_or("").to_owned() + "\n").collect()
}

#[test]
fn the_example_of_the_header_runs_in_c_and_in_cpp() {
    let folder = tempfile::tempdir().unwrap();
    let kinds: [(&str, &str, &[&str]); 3] = [
        ("cc", "c99.c", &["-std=c99", "-Wpedantic", "-Wconversion"]),
        ("cc", "c11.c", &["-std=c11", "-Wpedantic"]),
        ("c++", "example.cpp", &["-std=c++11", "-Wpedantic", "-Wconversion"]),
    ];
    for (compiler, name, options) in kinds {
        let source = folder.path().join(name);
        std::fs::write(&source, example()).unwrap();
        let program = compiled_by(compiler, &source, options, folder.path());
        let output = finished(Command::new(program).arg(fixture("tiny-llama")));
        let output = String::from_utf8(output.stdout).unwrap();
        assert!(output.starts_with("please ") && output.lines().count() == 3, "{name}: {output}");
    }
}

#[test]
#[ignore = "needs valgrind, and minutes: run with --ignored"]
fn valgrind_finds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for command in [smoke(folder.path(), 2, 3, &[]), refusals(folder.path(), &[])] {
        finished(
            Command::new("valgrind")
                .args([
                    "--quiet",
                    "--error-exitcode=9",
                    "--leak-check=full",
                    "--errors-for-leak-kinds=definite",
                ])
                .current_dir(folder.path())
                .arg(command.get_program())
                .args(command.get_args()),
        );
    }
}

#[test]
#[ignore = "needs the sanitizers of the C compiler: run with --ignored"]
fn sanitizers_find_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    for mut command in [smoke(folder.path(), 4, 20, &sanitizers), refusals(folder.path(), &sanitizers)] {
        assert_eq!(finished(&mut command).stdout, b"ok\n");
    }
}
