//! `rescorer adapter audit`.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Ran, Room, fixture, list, ran};
use serde_json::Value;

/// An audit of a fixture, or of a folder of the room.
fn audit(room: &Room, adapter: &str, model: &str, options: &str) -> Ran {
    let folder = if room.path(adapter).exists() { room.path(adapter) } else { fixture(adapter) };
    let words = format!("adapter audit --threads 1 --precision f32 {options}");
    ran(room.command(&words).arg(folder).arg("--model").arg(fixture(model)).output().unwrap())
}

/// A copy of the adapter tiny-lora whose numbers were changed.
fn changed(room: &Room, name: &str, change: impl Fn(&mut [u8])) {
    let from = fixture("tiny-lora");
    std::fs::create_dir(room.path(name)).unwrap();
    std::fs::copy(from.join("adapter_config.json"), room.path(name).join("adapter_config.json")).unwrap();
    let mut file = std::fs::read(from.join("adapter_model.safetensors")).unwrap();
    let header = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    change(&mut file[8 + header..]);
    std::fs::write(room.path(name).join("adapter_model.safetensors"), file).unwrap();
}

#[test]
fn an_audit_is_the_same_each_time_and_tries_what_is_given() {
    let room = Room::new();
    room.write("phrases.txt", "the cat\n\n hat \n");
    room.lists(
        "lists.jsonl",
        &[list("u1", &["the cat sat", "the hat"], "the cat sat"), list("u2", &["the"], "the")],
    );
    let options = "--phrases phrases.txt --lists lists.jsonl --html page.html";
    let [first, again] =
        [0, 1].map(|_| audit(&room, "tiny-lora", "tiny-llama", &format!("{options} --json")));
    assert!(first.code < 2, "{first:?}");
    assert_eq!(first.stdout, again.stdout);
    let report = &first.json()[0];
    assert_eq!(report["suspicious"].as_bool().unwrap(), first.code == 1);
    let trials = report["trials"].as_array().unwrap();
    let tried = |trigger: &str| {
        trials.iter().filter(|trial| trial["trigger"] == trigger && trial["deviation"].is_null()).count()
    };
    assert_eq!((tried("the cat"), tried("hat")), (3, 3), "each phrase in each place");
    // The worst trial decides, and the trials come in order.
    let turned = |trial: &Value| trial["flips"].as_f64().unwrap().max(trial["goal_flips"].as_f64().unwrap());
    let worst = turned(&trials[0]);
    assert!(trials.iter().all(|trial| turned(trial) <= worst));
    assert_eq!(worst > report["threshold"].as_f64().unwrap(), first.code == 1);
    assert!(report["lists"].as_array().unwrap().iter().all(|trial| trial["lists"] == 1), "u2 has one text");
    assert_eq!(report["layers"].as_array().unwrap().len(), 4);
    let page = room.read("page.html");
    assert!(page.contains("Triggers tried") && page.contains("the cat"), "{page}");
}

#[test]
fn what_cannot_be_audited_is_said() {
    let room = Room::new();
    changed(&room, "zero", |numbers| numbers.fill(0));
    changed(&room, "nan", |numbers| numbers[..4].copy_from_slice(&f32::NAN.to_le_bytes()));
    let refused = |adapter: &str, model: &str, options: &str, parts: &[&str]| {
        let found = audit(&room, adapter, model, options);
        assert_eq!((found.code, found.stdout.as_str()), (2, ""), "{found:?}");
        found.says(parts);
    };
    refused("zero", "tiny-llama", "", &["zero", "changes nothing"]);
    refused("nan", "tiny-llama", "", &["not finite", "NaN"]);
    refused("tiny-lora", "tiny-gpt2", "", &["tiny-lora"]);
    refused("nowhere", "tiny-llama", "", &["nowhere/adapter_config.json"]);
    room.write("empty.txt", "\n");
    refused("tiny-lora", "tiny-llama", "--phrases empty.txt", &["no phrase", "one a line"]);
    room.lists("single.jsonl", &[list("u1", &["one"], "one")]);
    refused("tiny-lora", "tiny-llama", "--lists single.jsonl", &["two different texts"]);
}
