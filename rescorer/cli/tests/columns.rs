//! Names of columns, costs given as scores, breaks inside texts: what the command line makes of them.
#![allow(clippy::unwrap_used)]

mod common;

use common::Room;
use serde_json::json;

#[test]
fn columns_may_be_named() {
    let room = Room::new();
    room.write("t.csv", "utt,hyp,loss,ref\nu1,a,9,b\nu1,b,1,b\n");
    room.refused(
        "rescore t.csv --lm-weight 0",
        &[
            "error: t.csv:1: no column is `id` or `utterance`",
            "`utt`, `hyp`, `loss`, `ref`",
            "as id=NAME (--columns FIELD=NAME)",
        ],
    );
    let named = "--columns id=utt,text=hyp,reference=ref,score=-loss";
    let ran = room.run(&format!("rescore t.csv --lm-weight 0 {named}")).ok();
    assert_eq!((ran.stdout.as_str(), ran.stderr.contains("warning")), ("u1\tb\n", false), "{ran:?}");
    let ran = room.run_plain(&format!("stats t.csv {named} --quiet")).ok();
    assert!(!ran.stdout.is_empty());
    room.refused(
        "rescore t.csv --lm-weight 0 --columns id=utt,text=words",
        &["no column is `words`, which was named for"],
    );
    room.refused(
        "rescore t.csv --lm-weight 0 --columns hyp=text",
        &["there is no field `hyp`; the fields are id, text"],
    );
    room.write("b.txt", "u1 | 1 | 1 | 0 | 0 | a\n");
    room.refused(
        "rescore b.txt --lm-weight 0 --columns text=hyp",
        &["b.txt: it is read as wav2letter, which has no fields"],
    );
}

#[test]
fn costs_given_as_scores_are_told_with_the_remedy() {
    let room = Room::new();
    let lists: Vec<_> = (0..4)
        .map(|n| {
            let hypothesis = |text: &str, score: f64| json!({"text": text, "score": score});
            json!({"id": format!("u{n}"), "hypotheses": [hypothesis("a", 1.5), hypothesis("b", 2.5), hypothesis("c", 4.0)]})
        })
        .collect();
    room.lists("costs.jsonl", &lists);
    let ran = room.run("rescore costs.jsonl --lm-weight 0 --quiet").ok();
    assert_eq!(ran.stdout, "u0\tc\nu1\tc\nu2\tc\nu3\tc\n");
    ran.says(&[
        "warning: costs.jsonl: in 4 of 4 lists the scores rise from the first hypothesis to the last",
        "first in utterance \"u0\"",
        "if they are costs, pass --columns score=-score",
    ]);
    assert_eq!(ran.stderr.matches("the scores rise").count(), 1, "{ran:?}");
    let ran = room.run("rescore costs.jsonl --lm-weight 0 --quiet --columns score=-score").ok();
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("u0\ta\nu1\ta\nu2\ta\nu3\ta\n", ""));
}

#[test]
fn a_break_inside_a_text_stays_in_its_line() {
    let room = Room::new();
    let hypothesis = |text: &str, score: f64| json!({"text": text, "score": score});
    let list = json!({"id": "u1", "hypotheses": [hypothesis("two\nlines\u{2028}and\ta tab", -1.0), hypothesis("b\r\n", -2.0)]});
    room.lists("a.jsonl", &[list]);
    let line = "u1\ttwo lines and a tab\n";
    assert_eq!(room.run("rescore a.jsonl --lm-weight 0").ok().stdout, line);
    let list = room.run("rescore a.jsonl --lm-weight 0 --nbest").ok().stdout;
    assert_eq!(list, "u1\t0\t-1.0000\ttwo lines and a tab\nu1\t1\t-2.0000\tb\n");
    assert_eq!(room.run("score a.jsonl").ok().stdout.lines().count(), 2);
    let kaldi = room.run("rescore a.jsonl --lm-weight 0 --output-format kaldi").ok().stdout;
    assert_eq!(kaldi, "u1 two lines and a tab\n");
}
