//! Folders of Kaldi's `nbest-to-linear`.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use rescorer_nbest::{Error, Format, ReadOptions, Reader, Utterance};
use serde_json::json;
use tempfile::TempDir;

/// Keys sorted as text, as Kaldi's tables are.
fn nbest() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, content: &str| fs::write(folder.path().join(name), content).unwrap();
    put("words_text", "spk-a-1 two\nspk-a-2 to\nspk-a-3 too\nspk-b-1\nspk-b-2 uh\n");
    put("ac_cost", "spk-a-1 100\nspk-a-2 110\nspk-a-3 130\nspk-b-1 -20.5\nspk-b-2 -10\n");
    put("lm_cost", "spk-a-1 2.5\nspk-a-2 2\nspk-a-3 3\nspk-b-1 0\nspk-b-2 1\n");
    put("text", "spk-a two\nspk-b\n");
    folder
}

fn read(folder: &Path) -> Vec<Result<Utterance, Error>> {
    Reader::open(folder, &ReadOptions::default()).map_or_else(|error| vec![Err(error)], Iterator::collect)
}

fn refusal(name: &str, content: &str) -> String {
    let folder = nbest();
    fs::write(folder.path().join(name), content).unwrap();
    let error = read(folder.path()).into_iter().find_map(Result::err).unwrap();
    error.to_string().replace(&folder.path().display().to_string(), "DIR")
}

#[test]
fn costs_become_scores() {
    let folder = nbest();
    assert_eq!(Reader::open(folder.path(), &ReadOptions::default()).unwrap().format(), Format::Kaldi);
    let found: Vec<Utterance> = read(folder.path()).into_iter().map(Result::unwrap).collect();
    assert_eq!((found[0].id.as_str(), found[0].reference.as_deref()), ("spk-a", Some("two")));
    assert_eq!(found[0].nbest.first_pass(), [-12.5, -13.0, -16.0]);
    assert_eq!(found[0].nbest.hypotheses()[1].extra["ac_cost"], json!(110.0));
    assert!((found[1].nbest.first_pass()[0] - 2.05).abs() < 1e-12);
    assert_eq!(found[1].nbest.first_pass()[1], 0.0);
    assert_eq!((found[1].nbest.first().text.as_str(), found[1].reference.as_deref()), ("", Some("")));
    fs::remove_file(folder.path().join("ac_cost")).unwrap();
    fs::remove_file(folder.path().join("lm_cost")).unwrap();
    assert!(read(folder.path()).into_iter().all(|utterance| !utterance.unwrap().nbest.is_scored()));
}

#[test]
fn the_tenth_best_comes_behind_the_second() {
    let folder = tempfile::tempdir().unwrap();
    let mut keys: Vec<String> = (1..=10).map(|n| format!("u-{n} w{n}\n")).collect();
    keys.sort();
    fs::write(folder.path().join("words_text"), keys.concat()).unwrap();
    let list = read(folder.path()).remove(0).unwrap();
    let texts: Vec<&str> = list.nbest.iter().map(|hypothesis| hypothesis.text.as_str()).collect();
    assert_eq!((texts[1], texts[9], list.reference), ("w2", "w10", None));
}

#[test]
fn files_that_do_not_fit_together_are_refused() {
    assert_eq!(
        refusal("lm_cost", "spk-a-1 2.5\nspk-a-2 2\nspk-b-1 0\nspk-b-2 1\n"),
        "DIR/words_text:3: utterance \"spk-a\": spk-a-3 has no line in DIR/lm_cost; add one, or pass --skip-invalid"
    );
    let stray = refusal("ac_cost", "spk-a-1 100\nspk-c-1 3\n");
    assert_eq!(stray, "DIR/ac_cost: \"spk-c-1\" (line 2) has no text in DIR/words_text; remove the line");
    assert!(
        refusal("ac_cost", "spk-a-1 x\nspk-a-2 1\nspk-a-3 1\nspk-b-1 1\nspk-b-2 1\n")
            .contains("costs \"x\" in DIR/ac_cost")
    );
    assert!(
        refusal("ac_cost", "spk-a-1 inf\nspk-a-2 1\nspk-a-3 1\nspk-b-1 1\nspk-b-2 1\n")
            .contains("not a finite number")
    );
    let turned = refusal("ac_cost", "spk-a-1 -100\nspk-a-2 -110\nspk-a-3 -130\nspk-b-1 1\nspk-b-2 1\n");
    assert!(turned.contains("\"spk-a\": its last hypothesis costs least"), "{turned}");
    assert!(refusal("text", "spk-a two\n").contains("\"spk-b\": DIR/text has no line for it"));
    assert!(refusal("words_text", "spk two\n").contains("\"spk\" (line 1) does not end in -N"));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("words_text"), "u-1 a\nu-3 b\n").unwrap();
    let gap = read(folder.path()).remove(0).unwrap_err().to_string();
    assert!(gap.contains("has u-3 where u-2 should be"), "{gap}");
}
