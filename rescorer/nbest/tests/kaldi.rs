//! Folders of Kaldi's `nbest-to-linear`.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rescorer_nbest::{Error, Format, Notice, ReadOptions, Reader, Utterance};
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
        "DIR/words_text:3: utterance \"spk-a\": spk-a-3 has no line in DIR/lm_cost; add one"
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
    assert!(refusal("text", "spk-a two\n").contains("\"spk-b\": DIR/text has no line for it"));
    assert!(refusal("words_text", "spk two\n").contains("\"spk\" (line 1) does not end in -N"));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("words_text"), "u-1 a\nu-3 b\n").unwrap();
    let gap = read(folder.path()).remove(0).unwrap_err().to_string();
    assert!(gap.contains("has u-3 where u-2 should be"), "{gap}");
}

/// What `steps/rnnlmrescore.sh` leaves of one job.
fn archive(folder: &Path, number: u32, id: &str) {
    let folder = folder.join(format!("archives.{number}"));
    fs::create_dir_all(&folder).unwrap();
    let put = |name: &str, content: &str| fs::write(folder.join(name), content.replace("ID", id)).unwrap();
    put("words_text", "ID-1 two bits\nID-2 to bits\nID-3 two bit\n");
    put("words", "ID-1 4 5\nID-2 6 5\nID-3 4 7\n");
    put("ali", "ID-1 1 1 2\nID-2 1 1 2\nID-3 1 1 2\n");
    put("acwt", "ID-1 100\nID-2 90\nID-3 120\n");
    put("lmwt.nolm", "ID-1 5\nID-2 5.5\nID-3 6\n");
    put("lmwt.withlm", "ID-1 15\nID-2 17\nID-3 15\n");
}

fn first_passes(folder: &Path) -> Vec<Vec<f64>> {
    read(folder).into_iter().map(|utterance| utterance.unwrap().nbest.first_pass()).collect()
}

#[test]
fn archives_of_rnnlmrescore_are_one_set() {
    let folder = tempfile::tempdir().unwrap();
    for (number, id) in [(1, "b-1"), (2, "a"), (10, "c"), (3, "d")] {
        archive(folder.path(), number, id);
    }
    for number in 4..10 {
        archive(folder.path(), number, &format!("e{number}"));
    }
    fs::write(folder.path().join("text"), "a two bits\nb-1 x\nc y\nd z\n").unwrap();
    let found = read(folder.path());
    let reference = found[0].as_ref().unwrap().reference.as_deref();
    assert_eq!((found.len(), reference), (10, Some("x")));
    assert!(found[3].as_ref().unwrap_err().to_string().contains("\"e4\": "), "{:?}", found[3]);
    let ids: Vec<_> = found.iter().flatten().map(|utterance| utterance.id.as_str()).collect();
    assert_eq!(ids, ["b-1", "a", "d", "c"]);
    fs::remove_file(folder.path().join("text")).unwrap();
    let one = folder.path().join("archives.2");
    assert_eq!(first_passes(folder.path())[1], [-25.0, -26.0, -27.0]);
    assert_eq!(first_passes(&one), [[-25.0, -26.0, -27.0]]);
    let costs = json!({"acwt": 100.0, "lmwt.withlm": 15.0});
    let list = read(&one).remove(0).unwrap().nbest;
    assert_eq!(list.first().extra, *costs.as_object().unwrap());
}

#[test]
fn of_several_costs_the_first_pass_s_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    archive(folder.path(), 1, "a");
    let folder = folder.path().join("archives.1");
    let put = |name: &str, costs: [f64; 3]| {
        let lines: String = (1..).zip(costs).map(|(n, cost)| format!("a-{n} {cost}\n")).collect();
        fs::write(folder.join(name), lines).unwrap();
    };
    put("lmwt.rnn", [1.0; 3]);
    put("lmwt.interp.0.5", [2.0; 3]);
    put("lmwt.lmonly", [10.0, 11.0, 9.5]);
    assert_eq!(first_passes(&folder), [[-25.0, -26.0, -27.0]]);
    fs::remove_file(folder.join("lmwt.withlm")).unwrap();
    assert_eq!(first_passes(&folder), [[-25.0, -25.5, -27.5]]);
    put("lm_cost", [0.5; 3]);
    assert_eq!(first_passes(&folder), [[-10.5, -9.5, -12.5]]);
    fs::remove_file(folder.join("lm_cost")).unwrap();
    fs::remove_file(folder.join("lmwt.nolm")).unwrap();
    assert_eq!(first_passes(&folder), [[-12.0, -11.0, -14.0]]);
    // Of two interpolations neither is taken.
    put("lmwt.interp.0.25", [3.0; 3]);
    assert_eq!(first_passes(&folder), [[-20.0, -20.0, -21.5]]);
    fs::remove_file(folder.join("lmwt.interp.0.5")).unwrap();
    fs::remove_file(folder.join("lmwt.interp.0.25")).unwrap();
    fs::remove_file(folder.join("lmwt.lmonly")).unwrap();
    assert_eq!(first_passes(&folder), [[-11.0, -10.0, -13.0]]);
    fs::remove_file(folder.join("acwt")).unwrap();
    assert_eq!(first_passes(&folder), [[-1.0; 3]]);
}

#[test]
fn archives_that_do_not_fit_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = || {
        let error = read(folder.path()).into_iter().find_map(Result::err).unwrap().to_string();
        error.replace(&folder.path().display().to_string(), "DIR")
    };
    archive(folder.path(), 1, "a");
    archive(folder.path(), 3, "c");
    assert_eq!(
        refused(),
        "DIR/archives.3: there is no archives.2 with `words_text` before it; bring it, or name the folders to read"
    );
    archive(folder.path(), 2, "b");
    fs::remove_file(folder.path().join("archives.2/lmwt.withlm")).unwrap();
    assert_eq!(
        refused(),
        "DIR/archives.2: its costs are acwt, lmwt.nolm, but those of the archive before are acwt, lmwt.withlm; bring the \
         files that are missing, or name the folders one by one"
    );
    archive(folder.path(), 2, "a");
    assert!(refused().contains("\"a\" has an id that an earlier utterance has"));
    archive(folder.path(), 2, "b");
    fs::write(folder.path().join("archives.2/acwt"), "b-1 1\nb-2 x\nb-3 1\n").unwrap();
    assert!(refused().contains("b-2 costs \"x\" in DIR/archives.2/acwt, expected a number"));
}

/// What is said of a folder while it is read.
fn said(folder: &Path) -> Vec<String> {
    let said = Arc::new(Mutex::new(Vec::new()));
    let to = said.clone();
    let options = ReadOptions::default().with_notices(Arc::new(move |notice: &Notice| {
        to.lock().unwrap().push(notice.to_string());
    }));
    let _ = Reader::open(folder, &options).unwrap().map(Result::unwrap).count();
    let said = said.lock().unwrap();
    said.iter().map(|text| text.replace(&folder.display().to_string(), "DIR")).collect()
}

#[test]
fn numbers_that_are_not_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    archive(folder.path(), 1, "a");
    archive(folder.path(), 2, "b");
    assert_eq!(
        said(folder.path()),
        [
            "DIR/archives.1: the score is −(lmwt.withlm + 0.1 · acwt). Not read: lmwt.nolm; to read one of them \
             instead, copy it to `lm_cost`"
        ]
    );
    let folder = folder.path().join("archives.1");
    for name in ["acwt", "lmwt.nolm", "lmwt.withlm"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    assert_eq!(said(&folder), [""; 0]);
    // Alignments and words of one number, and what is not of the hypotheses, are no costs.
    fs::write(folder.join("words"), "a-1 4\na-2 5\na-3 4\n").unwrap();
    fs::write(folder.join("durations"), "a 1.5\n").unwrap();
    fs::write(folder.join("broken"), "a-1 1.5\na-2 x\n").unwrap();
    assert_eq!(said(&folder), [""; 0]);
    fs::write(folder.join("nnlm"), "a-1 1.5\na-2 1.25\na-3 2\n").unwrap();
    assert_eq!(
        said(&folder),
        [
            "DIR: no costs are read, but nnlm has a number for each hypothesis; if they are costs, copy the file to `lm_cost`"
        ]
    );
    assert_eq!(said(nbest().path()), [""; 0]);
}

#[test]
fn one_kind_of_costs_alone_is_told() {
    let folder = nbest();
    fs::rename(folder.path().join("ac_cost"), folder.path().join("ac_cost.gz")).unwrap();
    assert_eq!(
        said(folder.path())[0],
        "DIR: the score is −(lm_cost), for there is no `ac_cost`; put it there, not packed"
    );
    let folder = nbest();
    fs::remove_file(folder.path().join("lm_cost")).unwrap();
    assert_eq!(
        said(folder.path()),
        ["DIR: the score is −(0.1 · ac_cost), for there is no `lm_cost`; put it there, not packed"]
    );
}

/// What a person hands over instead of a folder with `words_text`.
#[test]
fn other_files_of_kaldi_are_refused_with_the_way_to_lists() {
    let folder = nbest();
    let refused = |name: &str| read(&folder.path().join(name)).remove(0).unwrap_err().to_string();
    assert!(refused("words_text").contains("name the folder that holds this file"));
    for mark in [&b"\xd6\xfd\xb2\x7e\x06\0\0\0vector"[..], b"\0BFM "] {
        fs::write(folder.path().join("lat.1"), [b"spk-a ", mark].concat()).unwrap();
        let said = refused("lat.1");
        assert!(
            said.contains("a binary archive of Kaldi; write its N-best lists with lattice-to-nbest"),
            "{said}"
        );
    }
    fs::remove_file(folder.path().join("words_text")).unwrap();
    let said = refused("");
    assert!(
        said.contains("does not end in -N") && said.contains("write the hypotheses to `words_text`"),
        "{said}"
    );
}

#[test]
fn likelihoods_in_the_place_of_costs_are_told() {
    let folder = nbest();
    fs::write(
        folder.path().join("ac_cost"),
        "spk-a-1 -100\nspk-a-2 -110\nspk-a-3 -130\nspk-b-1 1\nspk-b-2 1\n",
    )
    .unwrap();
    fs::write(folder.path().join("lm_cost"), "spk-a-1 0\nspk-a-2 0\nspk-a-3 0\nspk-b-1 0\nspk-b-2 0\n")
        .unwrap();
    let [said] = said(folder.path()).try_into().unwrap_or_else(|said| panic!("{said:?}"));
    assert!(
        said.starts_with("DIR: in 1 of 1 lists the scores rise from the first hypothesis to the last"),
        "{said}"
    );
}
