//! Models, options and outputs that can't be used.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Ran, Room, fixture, list, ran};

fn room() -> Room {
    let room = Room::new();
    room.lists("a.jsonl", &[list("u1", &["a", "b"], "a")]);
    room
}

fn with_model(room: &Room, model: &str) -> Ran {
    let mut command =
        room.command("rescore a.jsonl --lm-weight 0 --device cpu --offline --output out.tsv --model");
    let ran = ran(command.arg(model).output().unwrap());
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(!room.path("out.tsv").exists());
    ran
}

#[test]
fn what_is_no_model() {
    let room = room();
    with_model(&room, "no-such-model").says(&["model no-such-model", "no such file or folder", "smollm2"]);
    let gguf = std::fs::read(fixture("tiny-llama.gguf")).unwrap();
    for (name, length) in
        [("cut.gguf", gguf.len() - 1000), ("head.gguf", 100), ("magic.gguf", 4), ("empty.gguf", 0)]
    {
        room.write(name, &gguf[..length]);
        with_model(&room, name).says(&["error: ", name]);
    }
    room.write("text.gguf", "hello, this is no model at all");
    with_model(&room, "text.gguf").says(&["text.gguf"]);
    std::fs::create_dir(room.path("folder")).unwrap();
    with_model(&room, "folder").says(&["folder", "config.json"]);
    room.write("folder/config.json", "{}");
    with_model(&room, "folder").says(&["folder"]);
    room.write("folder/config.json", "{");
    with_model(&room, "folder").says(&["config.json"]);
    let copy = |name: &str| {
        std::fs::copy(fixture("tiny-llama").join(name), room.path("folder").join(name)).unwrap();
    };
    copy("config.json");
    copy("tokenizer.json");
    with_model(&room, "folder").says(&["model.safetensors"]);
    room.write("folder/model.safetensors", [255; 64]);
    with_model(&room, "folder").says(&["model.safetensors"]);
}

#[test]
fn a_named_model_that_is_absent_says_how_to_place_it() {
    let room = room();
    let ran = ran(room.command("models pull --offline").output().unwrap());
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    ran.says(&["is not at", "to place it by hand", "SHA-256", "put it at"]);
    assert_eq!(ran.stderr.matches("by hand").count(), 1, "said once: {ran:?}");
    let list = common::ran(room.command("models list --json").output().unwrap()).ok();
    for model in list.json() {
        for key in ["name", "description", "licence", "bytes", "path", "present"] {
            assert!(!model[key].is_null(), "{key} is not in {model}");
        }
        let files = model["files"].as_array().unwrap();
        let bytes: u64 = files.iter().map(|file| file["bytes"].as_u64().unwrap()).sum();
        assert_eq!(model["bytes"], bytes);
        for key in ["sha256", "pypi", "hub"] {
            let whole = if let [file] = files.as_slice() { &file[key] } else { &serde_json::Value::Null };
            assert_eq!(&model[key], whole, "{key} of {model}");
        }
        assert_eq!(model["present"], false);
        assert!(
            ran.stderr.contains(model["path"].as_str().unwrap())
                || !ran.stderr.contains(model["name"].as_str().unwrap())
        );
        let name = model["name"].as_str().unwrap();
        with_model(&room, name).says(&["to place it by hand"]);
        room.write(name, "");
        with_model(&room, name).says(&[&format!("./{name}")]);
    }
    let plain = common::ran(room.command("models list").output().unwrap()).ok();
    for words in ["not fetched", "Gemma Terms of Use", "https://ai.google.dev/gemma/terms", "  folder  "] {
        assert!(plain.stdout.contains(words), "{words} is not in {}", plain.stdout);
    }
    let unknown = common::ran(room.command("models pull nothing").output().unwrap());
    assert_eq!(unknown.code, 2);
    unknown.says(&["there is no model named nothing", "models list"]);
}

#[test]
fn what_there_is_not_is_refused_by_name() {
    let room = room();
    let ran = ran(room.command("rescroe a.jsonl").output().unwrap());
    assert_eq!(ran.code, 2);
    ran.says(&["unrecognized subcommand 'rescroe'", "similar subcommand", "'rescore'", "--help"]);
    room.refused_plain("rescore a.jsonl --lm-wieght 1", &["--lm-wieght", "similar argument", "--lm-weight"]);
    room.refused(
        "rescore a.jsonl --lm-weight 0 --adapter x",
        &["x/adapter_config.json", "adapter_config.json"],
    );
}

#[test]
fn a_precision_that_the_device_lacks_is_refused() {
    let room = room();
    for (words, says) in [
        (
            "--precision int8 --device gpu",
            "gpu can't compute in int8: its kernels are for the CPU; compute on the CPU",
        ),
        (
            "--precision f16 --device cpu",
            "cpu can't compute in f16: its kernels are for GPUs; compute in f32",
        ),
    ] {
        let mut command = room.command(&format!("rescore a.jsonl --lm-weight 0 {words} --model"));
        let ran = ran(command.arg(fixture("tiny-llama")).output().unwrap());
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        ran.says(&[says]);
    }
}

#[test]
fn options_out_of_range() {
    let room = room();
    let command = |words: &str| {
        let mut command = room.command("rescore a.jsonl --lm-weight 0 --model");
        command.arg(fixture("tiny-llama")).args(words.split(' '));
        let ran = ran(command.output().unwrap());
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{words}: {ran:?}");
        ran
    };
    command("--threads 0").says(&["--threads"]);
    command("--device tpu").says(&["a device is auto, cpu, gpu or gpu:NUMBER"]);
    command("--device gpu:x").says(&["a device is auto, cpu, gpu or gpu:NUMBER"]);
    command("--limit x").says(&["--limit"]);
    command("--precision f64").says(&["--precision", "auto, f32, int8 or f16"]);
    #[cfg(not(feature = "wgpu"))]
    command("--device gpu").says(&["no GPU backend", "--device cpu"]);
}

#[test]
fn numbers_are_refused_with_their_range() {
    let room = room();
    let finite = "expected a finite number";
    let comma = "with a decimal point and no comma: 0.3";
    for (words, parts) in [
        ("rescore a.jsonl --lm-weight 0,3", ["--lm-weight", comma]),
        ("evaluate a.jsonl --lm-weight 1 --length-bonus 0,3", ["--length-bonus", comma]),
        ("rescore a.jsonl --lm-weight 1 --margin 0,3", ["--margin", comma]),
        ("rescore a.jsonl --lm-weight 1 --margin -1", ["--margin", "at least 0"]),
        ("rescore a.jsonl --lm-weight NaN", ["--lm-weight", finite]),
        ("rescore a.jsonl --lm-weight x", ["--lm-weight", finite]),
        ("rescore a.jsonl --lm-weight 1 --limit -1", ["--limit", "invalid"]),
        ("rescore a.jsonl --lm-weight 1 --deadline-ms -1", ["--deadline-ms", "invalid"]),
        ("tune a.jsonl --output p --cascade e.toml --cascade-rate 0,3", ["--cascade-rate", comma]),
        ("tune a.jsonl --output p --cascade e.toml --cascade-rate NaN", ["--cascade-rate", "from 0 to 1"]),
        ("evaluate a.jsonl --cross-validate 1", ["--cross-validate", "at least 2"]),
        ("perturb a.jsonl --kind n-best --rate 0,3", ["--rate", comma]),
        ("perturb a.jsonl --kind n-best --rate -0.1", ["--rate", "from 0 to 1"]),
        ("perturb a.jsonl --kind distractors --rate 0.1 --copies 0", ["--copies", "at least 1"]),
        ("homophones their --near 0,3", ["--near", comma]),
        ("perturb-audio a.wav --output o --noise white --snr 0,3", ["--snr", comma]),
        ("perturb-audio a.wav --output o --speed NaN", ["--speed", finite]),
        ("train --train a.jsonl --output o --checkpoint-every 0", ["--checkpoint-every", "at least 1"]),
        (
            "train --train a.jsonl --output o --learning-rate 0,3",
            ["--learning-rate", "decimal point and no comma: 0.3"],
        ),
        ("adapter truncate dir --rank 0 --output o", ["--rank", "at least 1"]),
    ] {
        room.refused_plain(words, &parts);
    }
}

#[test]
fn options_that_would_do_nothing_are_refused() {
    let room = room();
    for words in [
        "rescore a.jsonl --lm-weight 1 --seed 7",
        "score a.jsonl --seed 7",
        "tune a.jsonl --output p.toml --seed 7",
        "explain a.jsonl --lm-weight 1 --utterance u1 --seed 7",
        "transcribe a.wav --lm-weight 1 --seed 7",
        "robustness plan.toml --output out --seed 7",
    ] {
        room.refused_plain(words, &["--seed", "no random numbers", "leave the seed out"]);
    }
    room.refused_plain("perturb-audio a.wav --output o --speed 1.1 --seed 7", &["--noise"]);
    room.refused_plain(
        "perturb a.jsonl --kind n-best --rate 0.5 --copies 3",
        &["--copies", "n-best adds no copies"],
    );
    room.run("evaluate a.jsonl --lm-weight 0 --seed 7").ok();
}

#[test]
fn outputs_that_cannot_be_written_are_refused_before_the_work() {
    let room = room();
    std::fs::create_dir(room.path("folder")).unwrap();
    for words in [
        "rescore a.jsonl --lm-weight 0 --output nowhere/out.tsv",
        "tune a.jsonl --output nowhere/out.toml",
        "evaluate a.jsonl --lm-weight 0 --rows nowhere/out.jsonl",
    ] {
        room.refused(words, &["cannot write nowhere/out", "no folder nowhere"]);
        assert_eq!(room.run(words).stderr.lines().count(), 1, "no model was loaded");
    }
    room.refused("rescore a.jsonl --lm-weight 0 --output folder", &["cannot write folder"]);
}

#[test]
fn a_message_gives_each_reason_once() {
    let room = room();
    for words in [
        "rescore nowhere.jsonl --lm-weight 0",
        "rescore a.jsonl --policy nowhere.toml",
        "score --text nowhere.txt",
        "compare nowhere.jsonl nowhere.jsonl",
    ] {
        let ran = ran(room.command(words).output().unwrap());
        assert_eq!(ran.code, 2);
        assert_eq!(ran.stderr.matches("No such file").count(), 1, "{}", ran.stderr);
        assert_eq!(ran.stderr.matches("error").count() - ran.stderr.matches("os error").count(), 1);
    }
}
