//! Names that flags had before: each does what its new name does, and no help shows it.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Ran, Room, fixture, list, ran};

fn room() -> Room {
    let room = Room::new();
    room.lists("a.jsonl", &[list("u1", &["Turn left", "turn right"], "turn right")]);
    room
}

/// Runs a command with each name of a flag; both have to end alike.
fn both(room: &Room, words: &str, old: &str, new: &str) -> Ran {
    assert!(words.contains(old), "{old} is not in {words}");
    let run = |words: &str| {
        let mut command = room.command(words);
        let needs_model = ["score", "rescore", "tune"].iter().any(|name| words.starts_with(name));
        if needs_model {
            command.args(["--device", "cpu", "--threads", "1", "--model"]).arg(fixture("tiny-llama"));
        }
        ran(command.output().unwrap())
    };
    let [before, after] = [run(words), run(&words.replace(old, new))];
    assert_eq!((before.code, &before.stdout), (after.code, &after.stdout), "{words}: {before:?} {after:?}");
    assert!(!before.stderr.contains("unexpected argument"), "{words}: {before:?}");
    after
}

#[test]
fn flags_that_change_what_is_printed() {
    let room = room();
    for (words, old, new) in [
        ("score a.jsonl --format jsonl", "--format", "--input-format"),
        ("score a.jsonl --lm-text lower", "--lm-text", "--text-casing"),
        ("rescore a.jsonl --lm-weight 1 --to trn", "--to", "--output-format"),
        ("perturb a.jsonl --kind n-best --rate 1 --to trn", "--to", "--output-format"),
    ] {
        let ran = both(&room, words, old, new).ok();
        assert!(!ran.stdout.is_empty(), "{words}");
    }
}

#[test]
fn a_message_says_the_new_name() {
    let room = room();
    room.run("tune a.jsonl --output p.toml --quiet").ok();
    for (words, old, new) in [
        ("score a.jsonl --format ctm", "--format", "--input-format"),
        ("score a.jsonl --lm-text upper", "--lm-text", "--text-casing"),
        ("rescore a.jsonl --lm-weight 1 --to trn --nbest", "--to", "--output-format"),
        ("rescore a.jsonl --policy p.toml --lm-text lower", "--lm-text", "--text-casing"),
        ("rescore a.jsonl --policy p.toml --earlier-model x", "--earlier-model", "--cascade-model"),
        ("rescore a.jsonl --policy p.toml --earlier-adapter x", "--earlier-adapter", "--cascade-adapter"),
        ("tune a.jsonl --output q.toml --earlier p.toml --unit character", "--earlier", "--cascade"),
        (
            "tune a.jsonl --output q.toml --cascade p.toml --earlier-cost 2",
            "--earlier-cost",
            "--cascade-rate",
        ),
        ("transcribe a.jsonl --lm-weight 1 --nbest-out l.ctm", "--nbest-out", "--nbest-output"),
        ("adapter convert nowhere --output x --to full", "--to", "--output-format"),
    ] {
        let ran = both(&room, words, old, new);
        assert_eq!(ran.code, 2, "{words}: {ran:?}");
        ran.says(&[new]);
        assert!(!ran.stderr.contains(&format!("{old} ")), "{words}: {}", ran.stderr);
    }
}

#[test]
fn no_help_shows_them() {
    let old = ["--format", "--to", "--earlier", "--earlier-cost", "--lm-text", "--nbest-out"];
    for command in ["score", "rescore", "tune", "evaluate", "perturb", "transcribe", "adapter convert"] {
        let help = ran(Room::new().command(&format!("{command} --help")).output().unwrap()).ok().stdout;
        for name in old {
            assert!(!help.split_whitespace().any(|word| word == name), "{command}: {name}");
        }
    }
}
