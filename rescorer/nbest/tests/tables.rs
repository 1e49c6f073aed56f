//! Tables as people bring them: other separators, other names, decimal commas.
#![allow(clippy::unwrap_used)]

use std::io::Cursor;
use std::sync::{Arc, Mutex};

use rescorer_nbest::{Error, FieldNames, Format, ReadOptions, Reader, Utterance};
use serde_json::json;

fn open(text: &str, names: &str) -> Result<Reader, Error> {
    let names: FieldNames = if names.is_empty() { FieldNames::default() } else { names.parse().unwrap() };
    let options = ReadOptions::default().with_names(names);
    Reader::from_read("l.csv", Cursor::new(text.as_bytes().to_vec()), &options)
}

fn read(text: &str, names: &str) -> (Format, Vec<Utterance>) {
    let reader = open(text, names).unwrap();
    (reader.format(), reader.map(Result::unwrap).collect())
}

fn scores(text: &str, names: &str) -> Vec<f64> {
    let (_, found) = read(text, names);
    assert!(found.iter().all(|list| list.nbest.is_scored()), "{text:?} has no scores");
    found.iter().flat_map(|list| list.nbest.first_pass()).collect()
}

/// What the reader refuses, at its start or later.
fn refusal(text: &str, names: &str) -> String {
    let found = open(text, names).and_then(|mut reader| reader.find_map(Result::err).map_or(Ok(()), Err));
    found.unwrap_err().to_string()
}

#[test]
fn semicolons_stand_between_columns_too() {
    let text = "\u{FEFF}\"ID\"; Text ;SCORE;Reference\r\nu1;\"a; cat\";-1,25;a hat\r\nu1;a hat, so;-2.5;\r\nu2;;0;\r\n";
    let (format, found) = read(text, "");
    assert_eq!((format, found.len()), (Format::Csv, 2));
    assert_eq!((found[0].id.as_str(), found[0].reference.as_deref()), ("u1", Some("a hat")));
    let texts: Vec<&str> = found[0].nbest.iter().map(|hypothesis| hypothesis.text.as_str()).collect();
    assert_eq!((texts, found[0].nbest.first_pass()), (vec!["a; cat", "a hat, so"], vec![-1.25, -2.5]));
    assert_eq!(found[1].nbest.first().text, "");
    assert_eq!(scores("id;text;cost\nu1;a;1,5\nu1;b;2\n", ""), [-1.5, -2.0]);
    // Named, with columns that are missing: the separator is the one that there is more of.
    let options = ReadOptions::default().with_format(Format::Csv);
    let refused =
        Reader::from_read("l.csv", Cursor::new(b"utt;text, so\n"), &options).unwrap_err().to_string();
    assert!(refused.contains("with commas between them, the columns are `utt;text`, `so`"), "{refused}");
}

#[test]
fn a_decimal_comma_is_named_where_it_is_not_read() {
    assert_eq!(
        refusal("id\ttext\tscore\nu1\ta\t-1,5\n", ""),
        "l.csv:2: utterance \"u1\": `score` is \"-1,5\", a number with a decimal comma; write a point, or put semicolons \
         between the columns, where the comma is read"
    );
    assert!(
        refusal("id,text,score\nu1,a,\"-1,5\"\n", "")
            .contains("`score` is \"-1,5\", a number with a decimal comma")
    );
    assert!(
        refusal("id,text,logprob\nu1,a,\"-1,5\"\n", "")
            .contains("`logprob` is \"-1,5\", a number with a decimal")
    );
    assert_eq!(
        refusal("id,text,score,speaker\nu1,a,-1,5,s\n", ""),
        "l.csv:2: utterance \"u1\": its row has 5 fields, but there are 4 columns: `-1,5` looks like a number with a \
         decimal comma; write a point, or put semicolons between the columns"
    );
    assert!(
        refusal("id;text;score\nu1;a;1,2,3\n", "")
            .contains("`score` is \"1,2,3\", expected a number; mend it")
    );
    // Nobody reads it beside a score.
    assert_eq!(scores("id\ttext\tscore\tconfidence\nu1\ta\t-1\t0,5\n", ""), [-1.0]);
}

#[test]
fn scores_under_their_usual_names() {
    let table = |name: &str, numbers: [&str; 2]| {
        format!("id,text,{name},reference\nu1,a cat,{},a hat\nu1,a hat,{},a hat\n", numbers[0], numbers[1])
    };
    for name in ["am_score", "logprob", "log_prob", "AM_Score"] {
        assert_eq!(scores(&table(name, ["-9.0", "-1.0"]), ""), [-9.0, -1.0], "{name}");
    }
    assert_eq!(scores(&table("cost", ["9.0", "1"]), ""), [-9.0, -1.0]);
    assert_eq!(scores(&table("Confidence", ["0.5", "0.25"]), ""), [0.5_f64.ln(), 0.25_f64.ln()]);
    assert!(
        refusal(&table("confidence", ["91", "85"]), "")
            .contains("`confidence` is 91, but a confidence is a probability")
    );
    assert!(
        refusal(&table("am_score", ["NaN", "-1"]), "")
            .contains("`am_score` is NaN, which is not a finite number")
    );
    assert_eq!(scores("id,text,am,lm\nu1,a,-1,-2\nu1,b,-3,-4\n", ""), [-3.0, -7.0]);
    // Of both, the score; where it is empty, the other.
    assert_eq!(scores("id,text,score,confidence\nu1,a,-1,NaN\n", ""), [-1.0]);
    assert_eq!(scores("id,text,score,cost\nu1,a,,2\n", ""), [-2.0]);
    let (_, found) = read(&table("am_score", ["-9.0", "-1.0"]), "");
    assert_eq!(found[0].nbest.first().extra, *json!({"am_score": "-9.0"}).as_object().unwrap());
    // What a second pass wrote is no score of the first.
    let ours =
        "id,position,text,score,first_pass_position,lm_score,total,confidence\nu1,0,a,,1,-3.5,-3.5,0.75\n";
    assert!(!read(ours, "").1[0].nbest.is_scored());
}

#[test]
fn a_number_that_is_not_used_is_told() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let to = said.clone();
    let options =
        ReadOptions::default().with_notices(Arc::new(move |n| to.lock().unwrap().push(n.to_string())));
    let text = b"id,text,foo\nu1,a,-9.0\nu1,b,-1.0\n";
    let lists: Vec<_> = Reader::from_read("l.csv", Cursor::new(text), &options).unwrap().collect();
    assert_eq!(lists.len(), 1);
    let expected =
        "l.csv:2: utterance \"u1\" has no scores, but `foo` is a number beside every text and is not used";
    assert_eq!(*said.lock().unwrap(), [expected]);
}

#[test]
fn columns_are_found_under_the_users_names() {
    let text = "utt,hyp,am,text,Ref\nu1,a cat,-1,x,a hat\nu1,a hat,-2,y,a hat\n";
    let (format, found) = read(text, "id=utt,text=hyp,score=am,reference=Ref");
    assert_eq!(
        (format, found[0].id.as_str(), found[0].reference.as_deref()),
        (Format::Csv, "u1", Some("a hat"))
    );
    assert_eq!(
        (found[0].nbest.first().text.as_str(), found[0].nbest.first_pass()),
        ("a cat", vec![-1.0, -2.0])
    );
    assert_eq!(found[0].nbest.first().extra, *json!({"am": "-1", "text_column": "x"}).as_object().unwrap());
    let table = "id\ttext\tscore\tp\nu1\ta\t3\t0.5\nu1\tb\t4\t0.25\n";
    assert_eq!(scores(table, "score=-score"), [-3.0, -4.0]);
    assert_eq!(scores(table, "score=ln:p"), [0.5_f64.ln(), 0.25_f64.ln()]);
    assert_eq!(scores(table, "score=-score,score=p"), [-2.5, -3.75]);
    let (_, found) = read(table, "score=p");
    assert_eq!(found[0].nbest.first().extra, *json!({"p": "0.5", "other_score": "3"}).as_object().unwrap());
    assert_eq!(scores("id;text;m\nu1;a;-1,5\n", "score=m"), [-1.5]);
}

#[test]
fn names_that_are_not_there_are_refused() {
    let table = "utt,hyp,am\nu1,a,-1\nu1,b,x\n";
    assert_eq!(
        refusal(table, "id=utt,text=hyp,score=acoustic"),
        "l.csv:1: no column is `acoustic`, which was named for `score`: with commas between them, the columns are `utt`, \
         `hyp`, `am`; name one of them"
    );
    assert_eq!(
        refusal(table, "text=words"),
        "l.csv:1: no column is `id` or `utterance`: with commas between them, the columns are `utt`, `hyp`, `am`; known are \
         id or utterance, text or hypothesis, reference, context, position, score and usual names of scores, so rename \
         one, or say which it is, as id=NAME"
    );
    assert!(refusal(table, "id=utt,text=words").contains("no column is `words`, which was named for `text`"));
    assert!(
        refusal(table, "id=utt,text=utt").contains("the column `utt` is named for two things; name it once")
    );
    assert!(refusal(table, "id=utt,text=hyp,hypotheses=am").contains("a row is one hypothesis"));
    assert!(refusal(table, "id=utt,text=hyp,score=am").contains("`am` is \"x\", expected a number; mend it"));
}

#[test]
fn a_table_of_other_names_is_recognised_as_one() {
    for (text, seen) in [
        (
            "utterance_id,hypothesis,am_score\nu1,a,-1\n",
            "with commas between them, the columns are `utterance_id`,",
        ),
        ("utterance_id\thyp\nu1\ta\n", "with tabs between them, the columns are `utterance_id`, `hyp`"),
        ("utt;hyp;am\nu1;a;1\n", "with semicolons between them, the columns are `utt`, `hyp`, `am`"),
        ("id;hyp;am\nu1;a;1\n", "no column is `text` or `hypothesis`: "),
    ] {
        let refused = refusal(text, "");
        assert!(refused.starts_with("l.csv:1: no column is `") && refused.contains(seen), "{refused}");
    }
    let prose = refusal("Well, then: it was so, and so on, he said\n", "");
    assert!(prose.starts_with("cannot tell the format of l.csv: it begins with \"Well, then"), "{prose}");
}

#[test]
fn indexes_and_empty_columns_do_no_harm() {
    for text in [
        ",id,text,score\n0,u1,a cat,-1.0\n1,u1,a hat,-1.1\n",
        "\tid\ttext\tscore\n0\tu1\ta cat\t-1.0\n1\tu1\ta hat\t-1.1\n",
        "id,text,score,,\nu1,a cat,-1.0,,\nu1,a hat,-1.1,,\n",
        "Unnamed: 0,id,text,score\n0,u1,a cat,-1.0\n1,u1,a hat,-1.1\n",
    ] {
        let (_, found) = read(text, "");
        assert_eq!((found.len(), found[0].id.as_str()), (1, "u1"), "{text}");
        assert_eq!(found[0].nbest.first_pass(), [-1.0, -1.1], "{text}");
    }
}
