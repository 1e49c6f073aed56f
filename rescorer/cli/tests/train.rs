//! `rescorer train` on the tiny model.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Ran, Room, fixture, list, ran, ten_lists};
use serde_json::{Value, json};

const RECIPE: &str = "
seed = 3

[adapter]
rank = 2
dropout = 0.1

[data]
train = [\"train.jsonl\"]
dev = [\"dev.jsonl\"]

[training]
batch = 4
learning_rate = 1e-2

[[stage]]
nll = 1.0
epochs = 3
evaluate_every = 3

[[stage]]
mwer = 1.0
preference = 0.5
epochs = 2
";

fn room() -> Room {
    let room = Room::new();
    room.write("recipe.toml", RECIPE);
    room.lists("train.jsonl", &ten_lists("a"));
    room.lists("dev.jsonl", &ten_lists("b"));
    room
}

fn train(room: &Room, words: &str) -> Ran {
    let mut command = room.command(&format!("train {words}"));
    ran(command.arg("--model").arg(fixture("tiny-llama")).args(["--threads", "1"]).output().unwrap())
}

fn events(room: &Room, folder: &str) -> Vec<Value> {
    room.read(&format!("{folder}/log.jsonl"))
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The log without what differs from run to run.
fn steps(room: &Room, folder: &str) -> Vec<Value> {
    let mut events = events(room, folder);
    events.retain(|event| event["event"] != "checkpoint");
    events.iter_mut().for_each(|event| _ = event.as_object_mut().unwrap().remove("seconds"));
    events
}

#[test]
fn a_recipe_gives_an_adapter_a_policy_and_a_log() {
    let room = room();
    train(&room, "recipe.toml --output out").ok().says(&["stage 1: 8 steps", "stage 2", "dev WER", "policy"]);
    let losses: Vec<f64> = events(&room, "out").iter().filter_map(|event| event["nll"].as_f64()).collect();
    assert_eq!(losses.len(), 8);
    assert!(losses[7] < losses[0], "{losses:?}");
    room.lists("test.jsonl", &ten_lists("c"));
    let report = room.run("evaluate test.jsonl --policy out/policy.toml --adapter out --json").ok();
    assert_eq!(report.stderr.matches("does not say which model").count(), 0);
    // What was trained or tuned on is not reported on.
    let seen = room.run("evaluate train.jsonl --policy out/policy.toml --adapter out");
    seen.says(&["tuned on all 10 lists"]);
    let again = train(&room, "recipe.toml --output out").ok();
    again.says(&["resuming after stage 3"]);
}

/// Numbers agree nearly, all else exactly.
fn close(one: &toml::Value, other: &toml::Value, key: &str) {
    match (one, other) {
        (toml::Value::Table(one), toml::Value::Table(other)) => {
            assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{key}");
            one.iter().for_each(|(key, value)| close(value, &other[key], key));
        }
        // Scores of training and of tuning are both f32, computed in another order.
        (toml::Value::Float(one), toml::Value::Float(other)) => {
            assert!((one - other).abs() < 1e-3, "{key}: {one} {other}");
        }
        _ => assert_eq!(one, other, "{key}"),
    }
}

#[test]
fn the_policy_beside_an_adapter_is_that_of_tune() {
    let room = room();
    let policy = |file: &str| toml::from_str::<toml::Table>(&room.read(file)).unwrap();
    for (folder, options, table) in [("out", "", "features"), ("old", "--fusion classic", "fusion")] {
        train(&room, &format!("recipe.toml --epochs 1 --output {folder} {options}")).ok();
        let tune =
            format!("tune dev.jsonl {options} --adapter {folder} --precision f32 --output {folder}.toml");
        room.run(&tune).ok();
        let [own, tuned] = [policy(&format!("{folder}/policy.toml")), policy(&format!("{folder}.toml"))];
        [table, "decision", "convention"].iter().for_each(|table| close(&own[*table], &tuned[*table], table));
        assert_eq!(
            own["confidence"].as_table().unwrap().len(),
            tuned["confidence"].as_table().unwrap().len()
        );
        assert_eq!(own["adapter"]["fingerprint"], tuned["adapter"]["fingerprint"]);
        assert_eq!(own["model"]["fingerprint"], tuned["model"]["fingerprint"]);
        let first_pass = |policy: &toml::Table| policy["tuned_on"]["first_pass_wer"].as_float();
        assert_eq!(first_pass(&own), first_pass(&tuned));
        assert_eq!(own["tuned_on"]["hashes"].as_array().unwrap().len(), 20, "trained on and tuned on");
    }
}

#[test]
fn scores_that_are_means_have_a_classic_policy() {
    let room = room();
    let words = "recipe.toml --epochs 1 --set convention.mean=true --output";
    let told = "the policy is classic: the scores of the recipe are means";
    train(&room, &format!("{words} out")).ok().says(&[told]);
    assert!(room.read("out/policy.toml").contains("[fusion]"));
    let asked = train(&room, &format!("{words} asked --fusion classic")).ok();
    assert!(!asked.stderr.contains(told), "{}", asked.stderr);
    let refused = train(&room, &format!("{words} none --fusion features"));
    assert_eq!(refused.code, 2);
    refused.says(&["weights of features and scores that are means over the tokens exclude each other"]);
    assert!(!room.path("none").exists(), "before anything is done");
}

#[test]
fn the_same_seed_gives_the_same_adapter_and_a_break_changes_nothing() {
    let room = room();
    let words = "recipe.toml --checkpoint-every 1 --output";
    train(&room, &format!("{words} whole")).ok();
    train(&room, &format!("{words} again")).ok();
    let weights = |folder: &str| std::fs::read(room.path(folder).join("adapter_model.safetensors")).unwrap();
    assert_eq!(weights("whole"), weights("again"));
    assert_eq!(steps(&room, "whole"), steps(&room, "again"));

    // Killed over and over, each time a little later, until it comes to its end.
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("rescorer"));
    child.current_dir(room.path("")).env("RESCORER_HOME", room.path("home"));
    child.args(["train", "recipe.toml", "--checkpoint-every", "1", "--output", "broken", "--threads", "1"]);
    child.arg("--model").arg(fixture("tiny-llama")).stderr(std::process::Stdio::null());
    let mut ended = false;
    for wait in 1..200u64 {
        let mut running = child.spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(10 * wait));
        ended = running.try_wait().unwrap().is_some();
        let _ = running.kill();
        running.wait().unwrap();
        if ended {
            break;
        }
    }
    assert!(ended);
    assert_eq!(weights("whole"), weights("broken"));
    assert_eq!(steps(&room, "whole"), steps(&room, "broken"));
}

#[test]
fn every_method_trains() {
    let room = room();
    for (method, options) in [
        ("rank-allocated", "--init-rank 3 --rank 2 --allocation-interval 1"),
        ("mixed-rank", "--rank 3"),
        ("lora", "--targets q_proj,gate_proj,down_proj --rslora true"),
    ] {
        let words = format!("recipe.toml --method {method} {options} --epochs 1 --output {method}");
        train(&room, &words).ok();
        room.run(&format!("score dev.jsonl --adapter {method}")).ok();
    }
    let words = "adapter inspect rank-allocated --json";
    let report = ran(room.command(words).output().unwrap()).ok().json();
    assert_eq!(report[0]["ranks"], 8, "2 for each of 4 layers");
    ran(room.command("adapter truncate mixed-rank --rank 1 --output one").output().unwrap()).ok();
    room.run("score dev.jsonl --adapter one").ok();

    train(&room, "recipe.toml --method full --epochs 1 --output full").ok();
    let score = ran(room.command("score dev.jsonl --device cpu --model full/model").output().unwrap());
    score.ok();
}

#[test]
fn a_high_rank_warm_up_is_projected() {
    let room = room();
    let recipe =
        "[data]\ntrain = [\"train.jsonl\"]\n[[stage]]\nrank = 6\n[[stage]]\nrank = 2\nlearning_rate = 1e-4\n";
    room.write("warm.toml", recipe);
    train(&room, "warm.toml --output out --checkpoint-every 1").ok();
    let report = ran(room.command("adapter inspect out --json").output().unwrap()).ok().json();
    assert_eq!((&report[0]["rank"], &report[0]["ranks"]), (&json!(2), &json!(8)));
}

#[test]
fn preferences_need_no_references() {
    let room = room();
    let mut lists = ten_lists("a");
    lists.iter_mut().for_each(|list| _ = list.as_object_mut().unwrap().remove("reference"));
    room.lists("unlabelled.jsonl", &lists);
    let words = "--train unlabelled.jsonl --preference 1 --judge rescorer --batch 5 --output out";
    train(&room, words).ok().says(&["stage 1: 2 steps over 10 lists"]);
    let refused = train(&room, "--train unlabelled.jsonl --output other");
    assert_eq!(refused.code, 2);
    refused.says(&["has no reference"]);
}

#[test]
fn lists_with_nothing_to_prefer_are_counted() {
    let room = room();
    let lists = [
        list("one", &["the cat", "the cat"], "the cat"),
        list("equal", &["a hat", "the mat"], "cat"),
        list("good", &["the cat", "the hat"], "the hat"),
    ];
    room.lists("few.jsonl", &lists);
    train(&room, "--train few.jsonl --mwer 1 --output out")
        .ok()
        .says(&["steps over 1 lists", "1 lists of one distinct hypothesis, 1 of equally good ones"]);
    room.lists("none.jsonl", &lists[..2]);
    let refused = train(&room, "--train none.jsonl --mwer 1 --output other");
    assert_eq!(refused.code, 2);
    refused.says(&["stage 1: 1 lists have one distinct hypothesis, 1 only equally good ones"]);
}

#[test]
fn excluded_lists_are_left_out() {
    let room = room();
    room.lists("test.jsonl", &ten_lists("a")[..3]);
    train(&room, "--train train.jsonl --exclude test.jsonl --output out")
        .ok()
        .says(&["7 lists to train on", "3 excluded"]);
    let ran = train(&room, "--train train.jsonl --dev-share 0.5 --output held").ok();
    assert!(!ran.stderr.contains("10 lists to train on, 0 to watch"), "{}", ran.stderr);
}

#[test]
fn bad_recipes_and_data_are_refused() {
    let room = room();
    let refused = |words: &str, parts: &[&str]| {
        let ran = train(&room, words);
        assert_eq!(ran.code, 2, "{words}: {ran:?}");
        ran.says(parts);
    };
    refused("--output out", &["nothing to train on", "--text"]);
    room.write("typo.toml", "[adapter]\nrnak = 3\n");
    refused("typo.toml --output out", &["typo.toml", "unknown field `rnak`"]);
    refused("recipe.toml --output out --learning-rate -1", &["learning_rate", "above 0"]);
    refused("recipe.toml --output out --targets nothing", &["name no linear layer"]);
    refused("recipe.toml --output out --train nowhere.jsonl", &["nowhere.jsonl"]);
    room.write("file", "");
    refused("recipe.toml --output file", &["--output file"]);
    train(&room, "recipe.toml --output out").ok();
    refused("recipe.toml --output out --rank 3", &["belongs to another recipe", "--restart"]);
    train(&room, "recipe.toml --output out --rank 3 --restart").ok();
    let diverged = train(&room, "recipe.toml --output wild --learning-rate 3e38 --clip 1e30 --warmup 0");
    assert_eq!(diverged.code, 2);
    diverged.says(&["the last checkpoint is kept"]);
}

#[test]
fn any_key_can_be_set() {
    let room = room();
    let words = "recipe.toml --set training.epochs=1 --set adapter.rank=3 --set data.dev=dev.jsonl --output";
    train(&room, &format!("{words} out")).ok();
    let recipe: toml::Table = toml::from_str(&room.read("out/recipe.toml")).unwrap();
    assert_eq!(recipe["adapter"]["rank"].as_integer(), Some(3));
    assert_eq!(recipe["training"]["epochs"].as_float(), Some(1.0), "for all stages");
    assert!(recipe["stage"].as_array().unwrap().iter().all(|stage| stage.get("epochs").is_none()));
    // A flag, shown or hidden, does what `--set` does.
    train(&room, "recipe.toml --epochs 1 --rank 3 --dev dev.jsonl --clip 0.5 --output flags").ok();
    train(&room, &format!("{words} set --set training.clip=0.5")).ok();
    assert_eq!(room.read("flags/recipe.toml"), room.read("set/recipe.toml"));
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let room = room();
    for (words, parts) in [
        ("--set training.mwre=1", &["'training.mwre=1'", "unknown key", "training.mwer"][..]),
        ("--set mwer=1", &["unknown key", "nearest key is training.mwer"]),
        ("--set training.mwer", &["TABLE.KEY=VALUE", "training.mwer=1"]),
        ("--set training.mwer=much", &["'training.mwer=much' for '--set", "finite number"]),
        ("--set training.mwer=0,5", &["no comma: 0.5"]),
        ("--set training.batch=1.5", &["whole number"]),
        ("--set adapter.method=dora", &["'adapter.method=dora'", "rank-allocated", "mixed-rank"]),
        ("--set training.mwer=1 --set training.mwer=2", &["training.mwer is given twice", "=1", "=2"]),
        ("--mwer 1 --set training.mwer=2", &["given twice", "--mwer 1", "--set training.mwer=2"]),
        ("--method dora", &["'dora' for '--method", "rank-allocated"]),
        ("--mwer 1 --mwer 2", &["--mwer", "cannot be used multiple times"]),
    ] {
        room.refused_plain(&format!("train recipe.toml --output out {words}"), parts);
    }
    assert!(!room.path("out").exists());
    room.write("odd.toml", "adapter = 3\n");
    room.refused_plain("train odd.toml --output out --set adapter.rank=2", &["odd.toml"]);
}

/// A limit on the size of files stands for a disk that fills up: the checkpoint grows when the first look at the dev lists
/// adds the best matrices, and then it no longer fits.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_checkpoint_before() {
    let room = room();
    let words = "train recipe.toml --checkpoint-every 1 --threads 1 --output";
    train(&room, "recipe.toml --checkpoint-every 1 --output whole").ok();
    let binary = assert_cmd::cargo::cargo_bin!("rescorer");
    for blocks in 8..400 {
        let folder = format!("full{blocks}");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" {words} {folder} --model \"$1\"");
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &script]).arg(binary).arg(fixture("tiny-llama")).current_dir(room.path(""));
        let failed = ran(shell.env("RESCORER_HOME", room.path("home")).output().unwrap());
        assert_eq!(failed.code, 2, "{blocks} blocks: {failed:?}");
        if !room.path(&folder).join("checkpoint.safetensors").exists() {
            continue;
        }
        failed.says(&["make room", "the checkpoint before this one is kept"]);
        let steps_done = steps(&room, &folder).len();
        assert!(steps_done > 1);
        train(&room, &format!("recipe.toml --checkpoint-every 1 --output {folder}"))
            .ok()
            .says(&["resuming after"]);
        let weights =
            |folder: &str| std::fs::read(room.path(folder).join("adapter_model.safetensors")).unwrap();
        assert_eq!(weights("whole"), weights(&folder));
        return;
    }
    unreachable!("no limit between the sizes of two checkpoints");
}
