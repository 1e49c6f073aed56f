//! Help, version and completions.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Room, ran};

fn stdout(words: &str) -> String {
    let ran = ran(Room::new().command(words).output().unwrap()).ok();
    assert_eq!(ran.stderr, "");
    ran.stdout
}

/// Whether a help has an option of its own, not one that begins with its name: `--skip` beside `--skip-invalid`.
fn names(help: &str, option: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '-');
    help.match_indices(option).any(|(at, _)| ends(&help[at + option.len()..]))
}

#[test]
fn an_option_is_not_found_inside_another() {
    assert!(!names("  --skip-invalid\n", "--skip") && !names("--skipped", "--skip"));
    for help in ["--skip-invalid --skip <N>", "--skip", "[--skip]", "--skip=5"] {
        assert!(names(help, "--skip"), "{help}");
    }
}

#[test]
fn help_names_the_options() {
    let model = ["--model", "--device", "--precision", "--warm-up", "--threads", "--offline"];
    let lists = ["--input-format", "--skip", "--limit", "--skip-invalid", "--json", "--quiet"];
    let convention = ["--text-casing", "--bos", "--no-eos", "--score-mean"];
    let own: [(&str, &[&str]); 4] = [
        ("score", &["--text", "--tokens"]),
        (
            "rescore",
            &[
                "--policy",
                "--lm-weight",
                "--length-bonus",
                "--margin",
                "--nbest",
                "--output",
                "--output-format",
            ],
        ),
        ("tune", &["--output", "--normalize"]),
        (
            "evaluate",
            &["--policy", "--cross-validate", "--lm-weight", "--normalize", "--show", "--rows", "--seed"],
        ),
    ];
    for (subcommand, own) in own {
        let help = stdout(&format!("{subcommand} --help"));
        for option in own.iter().chain(&model).chain(&lists).chain(&convention) {
            assert!(names(&help, option), "{subcommand}: {option}");
        }
        assert!(help.contains("Example"), "{subcommand}");
        assert_eq!(
            names(&help, "--seed"),
            subcommand == "evaluate",
            "{subcommand}: a seed is offered where something is drawn"
        );
    }
    let help = stdout("compare --help");
    assert!(names(&help, "--normalize") && names(&help, "--seed"));
    assert!(stdout("models --help").contains("pull"));
    assert!(names(&stdout("models pull --help"), "--verify"));
}

#[test]
fn the_command_itself() {
    let help = stdout("--help");
    for word in [
        "models",
        "score",
        "rescore",
        "tune",
        "evaluate",
        "compare",
        "transcribe",
        "completions",
        "Exit codes",
    ] {
        assert!(help.contains(word), "{word}");
    }
    assert_eq!(stdout("--version"), format!("rescorer {}\n", env!("CARGO_PKG_VERSION")));
    let ran = ran(Room::new().command("").output().unwrap());
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    ran.says(&["Usage"]);
}

#[test]
fn man_pages_of_every_subcommand() {
    let room = Room::new();
    let run = ran(room.command("man --output pages/man1").output().unwrap()).ok();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    for page in ["rescorer", "rescorer-rescore", "rescorer-adapter-truncate"] {
        let text = room.read(&format!("pages/man1/{page}.1"));
        assert!(text.contains(".SH SYNOPSIS") || text.contains(".SH \"SYNOPSIS\""), "{page}: {text}");
    }
    room.write("file", "");
    room.refused_plain("man --output file", &["--output file", "can be written"]);
}

#[test]
fn completions_of_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(stdout(&format!("completions {shell}")).contains("rescore"), "{shell}");
    }
}
