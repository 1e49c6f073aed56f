//! Lists that can't be used: the place and the remedy, never a panic, never half an output.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Room, list};

const GOOD: &str =
    r#"{"id": "good", "hypotheses": [{"text": "a", "score": -1}, {"text": "b", "score": -2}]}"#;

/// A file whose second line is bad: refused with its place, and without it where that is asked for.
fn bad_line(line: impl AsRef<[u8]>, parts: &[&str]) {
    let room = Room::new();
    let content = [GOOD.as_bytes(), line.as_ref(), GOOD.replace("good", "also").as_bytes()].join(&b'\n');
    room.write("a.jsonl", content);
    let ran = room.run("rescore a.jsonl --lm-weight 0 --output out.tsv");
    assert_eq!(ran.code, 2, "{ran:?}");
    ran.says(&["error: a.jsonl:2: ", "--skip-invalid"]);
    ran.says(parts);
    assert_eq!(room.files(), ["a.jsonl"]);
    let ran = room.run("rescore a.jsonl --lm-weight 0 --skip-invalid");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "good\ta\nalso\ta\n"), "{ran:?}");
    ran.says(&["warning: skipped: a.jsonl:2: ", "warning: skipped 1 of 3 utterances"]);
}

#[test]
fn one_bad_utterance() {
    bad_line("{oops}", &["not valid JSON, column 2"]);
    bad_line("[1]", &["expected an object"]);
    bad_line(r#"{"id": "u", "hypotheses": [{"te"#, &["not valid JSON", "the line ends"]);
    bad_line(GOOD, &["\"good\" has an id that an earlier utterance has"]);
    bad_line(r#"{"id": "u", "hypotheses": []}"#, &["\"u\" has no hypotheses"]);
    bad_line(r#"{"id": "u"}"#, &["no field `hypotheses`"]);
    bad_line(r#"{"id": "u", "hypotheses": [{"text": 1}]}"#, &["`hypotheses[0].text` is a number"]);
    bad_line(
        r#"{"id": "u", "hypotheses": [{"text": "a", "score": NaN}]}"#,
        &["`hypotheses[0].score` is NaN"],
    );
    bad_line(
        r#"{"id": "u", "hypotheses": [{"text": "a", "score": 1e999}]}"#,
        &["`hypotheses[0].score` is infinite"],
    );
    bad_line(
        r#"{"id": "u", "hypotheses": [{"text": "a", "score": -Infinity}]}"#,
        &["`hypotheses[0].score` is infinite"],
    );
    bad_line(
        r#"{"id": "u", "hypotheses": [{"text": "a", "score": 1}, {"text": "b"}]}"#,
        &["mixes hypotheses"],
    );
    bad_line(b"{\"id\": \"\xff\", \"hypotheses\": [{\"text\": \"a\"}]}", &["not valid UTF-8", "iconv"]);
    let long = vec!["word"; 10_000].join(" ");
    let room = Room::new();
    room.lists("a.jsonl", &[list("u1", &["a", &long], "a"), list("u2", &["b"], "b")]);
    room.refused(
        "rescore a.jsonl --lm-weight 1",
        &["\"u1\", position 1", "context is 128", "--skip-invalid"],
    );
    let ran = room.run("rescore a.jsonl --lm-weight 1 --skip-invalid");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "u2\tb\n"), "{ran:?}");
}

#[test]
fn files_that_are_no_lists() {
    let room = Room::new();
    let refused =
        |words: &str, parts: &[&str]| room.refused(&format!("rescore --lm-weight 0 {words}"), parts);
    room.write("empty.jsonl", "");
    refused("empty.jsonl", &["empty.jsonl is empty"]);
    refused("empty.jsonl --skip-invalid", &["empty.jsonl is empty"]);
    room.write("blank.jsonl", " \n\n");
    refused("blank.jsonl", &["blank.jsonl is empty"]);
    room.write("none.json", "[]");
    refused("none.json", &["none.json is empty"]);
    room.write("text.txt", "turn left\n");
    refused("text.txt", &["text.txt", "--input-format"]);
    room.write("zip.gz", b"\x1f\x8b\x08\0\xff\xff");
    refused("zip.gz", &["zip.gz:1: cannot read on"]);
    refused("nowhere.jsonl", &["nowhere.jsonl", "No such file"]);
    std::fs::create_dir(room.path("folder")).unwrap();
    refused("folder", &["folder", "logdir/output.1/1best_recog/text"]);
    room.write("good.jsonl", GOOD);
    refused("good.jsonl --input-format ctm", &["ctm", "jsonl, hyporadise, am-json, espnet, kaldi, vosk"]);
    let ran = room.run("rescore --lm-weight 0 good.jsonl good.jsonl");
    assert_eq!(ran.code, 2, "{ran:?}");
    ran.says(&["good.jsonl:1", "ids must be unique over all files"]);
    refused("good.jsonl --input-format hyporadise", &["good.jsonl"]);
}

#[test]
fn documents() {
    let room = Room::new();
    let refused =
        |words: &str, parts: &[&str]| room.refused(&format!("rescore --lm-weight 0 {words}"), parts);
    room.write("count.json", r#"[{"input": ["a", "b"], "output": "a", "am_score": [-1]}]"#);
    refused("count.json", &["count.json:1", "2 hypotheses but 1 scores in `am_score`"]);
    room.write("mixed.json", "[{\"input\": [\"a\"], \"output\": \"a\"},\n{\"hypotheses\": []}]");
    let ran = room.run("rescore --lm-weight 0 mixed.json");
    assert_eq!(ran.code, 2);
    ran.says(&["mixed.json:2", "looks like jsonl", "read as hyporadise"]);
    room.write("cut.json", r#"[{"input": ["a"], "output": "a"}, {"input": ["#);
    let ran = room.run("rescore --lm-weight 0 --output out.tsv --skip-invalid cut.json");
    assert_eq!(ran.code, 2, "{ran:?}");
    ran.says(&["cut.json:1", "broken hyporadise document"]);
    room.write("gap.json", r#"{"u1": {"hyp_1": {"text": "a"}, "hyp_3": {"text": "b"}}}"#);
    refused("gap.json", &["\"u1\"", "hyp_3", "hyp_2"]);
    assert!(!room.path("out.tsv").exists());
}

#[test]
fn all_invalid_is_nothing_usable() {
    let room = Room::new();
    room.write("a.jsonl", "{\"id\": \"u\", \"hypotheses\": []}\n{\"hypotheses\": 1}\n");
    for words in ["rescore a.jsonl --lm-weight 0", "score a.jsonl", "evaluate a.jsonl --lm-weight 0"] {
        let ran = room.run(&format!("{words} --skip-invalid"));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        ran.says(&["nothing usable: 2 of 2 utterances were skipped"]);
    }
}

#[test]
fn odd_but_legal() {
    let room = Room::new();
    room.write("windows.jsonl", format!("\u{feff}{GOOD}\r\n\r\n{}\r\n", GOOD.replace("good", "also")));
    assert_eq!(room.run("rescore windows.jsonl --lm-weight 0").ok().stdout, "good\ta\nalso\ta\n");
    let texts: Vec<String> = (0..10_000).map(|i| format!("w{i}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    room.lists("long.jsonl", &[list("u", &texts, "w7")]);
    let row = &room.run("rescore long.jsonl --lm-weight 0 --nbest --json").ok().json()[0];
    assert_eq!(row["hypotheses"].as_array().unwrap().len(), 10_000);
    room.lists("odd.jsonl", &[list("u", &["<s> </s> <|endoftext|> \u{0} \u{1f600}\u{301}"], "")]);
    room.run("rescore odd.jsonl --lm-weight 1").ok();
}
