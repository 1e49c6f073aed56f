//! Snapshots of all help texts and of the HTML pages, in `tests/snapshots`. `UPDATE_EXPECT=1 cargo test --test snapshots` renews them.
#![allow(clippy::unwrap_used)]
// The lists of formats are those of a build with Parquet.
#![cfg(feature = "parquet")]

mod common;

use common::{Room, ran, tuned};
use expect_test::expect_file;

/// What a command prints on a terminal of 100 columns.
fn printed(words: &str) -> common::Ran {
    ran(Room::new().command(words).env("COLUMNS", "100").output().unwrap())
}

fn help(words: &str) -> String {
    let ran = printed(words).ok();
    assert_eq!(ran.stderr, "", "{words}");
    ran.stdout
}

/// The commands that a help lists.
fn subcommands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    listed.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// Checks the help of a command and of all below it; gives how many these are.
fn check_help(command: &str) -> usize {
    let name = if command.is_empty() { "rescorer".to_owned() } else { command.replace(' ', "-") };
    let (short, long) = (help(&format!("{command} -h")), help(&format!("{command} --help")));
    expect_file![format!("snapshots/help/{name}.short.txt")].assert_eq(&short);
    expect_file![format!("snapshots/help/{name}.long.txt")].assert_eq(&long);
    let below = subcommands(&short);
    1 + below.iter().map(|below| check_help(format!("{command} {below}").trim())).sum::<usize>()
}

#[test]
fn help_of_every_command() {
    assert_eq!(check_help(""), 27);
}

#[test]
fn short_help_has_a_line_for_each_flag() {
    for command in subcommands(&help("-h")) {
        let words = format!("{command} -h");
        let wide = ran(Room::new().command(&words).env("COLUMNS", "1000").output().unwrap()).ok();
        // Not the paragraphs below, which may be folded.
        let lines = |text: &str| -> Vec<String> {
            text.lines().filter(|line| line.starts_with(' ')).map(str::to_owned).collect()
        };
        assert_eq!(lines(&help(&words)), lines(&wide.stdout), "{command} -h does not fit into 100 columns");
    }
}

#[test]
fn without_arguments_it_shows_what_to_do() {
    let ran = printed("");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    expect_file!["snapshots/start.txt"].assert_eq(&ran.stderr);
}

/// A page whose numbers are `#`, without the drawings: scores differ from machine to machine, and times from run to run.
fn without_numbers(page: &str) -> String {
    let (style, body) = page.split_once("</style>").unwrap();
    let mut text = String::new();
    let mut rest = body;
    while let Some((before, drawing)) = rest.split_once("<svg") {
        text += before;
        text += "<svg>";
        rest = drawing.split_once("</svg>").unwrap().1;
    }
    text += rest;
    let mut shown = String::new();
    for word in text.split_inclusive([' ', '\n', '<', '>', '[', '(', '/', ',']) {
        let end = word.len() - usize::from(word.ends_with([' ', '\n', '<', '>', '[', '(', '/', ',']));
        let (word, separator) = word.split_at(end);
        let number = word.trim_start_matches(['+', '-']).trim_end_matches(['.', ']', ';', ')', '%']);
        let is_number =
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        shown +=
            &if is_number { word.trim_start_matches(['+', '-']).replace(number, "#") } else { word.into() };
        if !(separator == " " && shown.ends_with(' ')) {
            shown += separator;
        }
    }
    // An element a line, for whoever compares two versions.
    format!("{style}</style>{shown}").replace("><", ">\n<") + "\n"
}

#[test]
fn the_page_of_evaluate() {
    let room = tuned();
    room.run("evaluate test.jsonl --policy p.toml --html page.html --quiet").ok();
    expect_file!["snapshots/evaluate.html"].assert_eq(&without_numbers(&room.read("page.html")));
}

#[test]
fn the_page_of_compare() {
    let room = Room::new();
    let answer = |id: &str, text: &str, reference: &str| serde_json::json!({"utterance": id, "text": text, "position": 0, "changed": false, "reference": reference});
    let (cat, hat) = ("the cat sat", "a hat & a mat");
    room.lists(
        "a.jsonl",
        &[answer("u1", "the cat", cat), answer("u2", "a hat & a mat", hat), answer("u3", "x", "x")],
    );
    room.lists(
        "b.jsonl",
        &[answer("u1", "the cat sat", cat), answer("u2", "a <hat> a mat", hat), answer("u3", "x", "x")],
    );
    room.run_plain("compare a.jsonl b.jsonl --html page.html").ok();
    expect_file!["snapshots/compare.html"].assert_eq(&(room.read("page.html").replace("><", ">\n<") + "\n"));
}
