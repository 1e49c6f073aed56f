//! Tables with commas and with tabs.
#![allow(clippy::unwrap_used)]

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use rescorer_nbest::{Error, Format, ReadOptions, Reader, Utterance};
use serde_json::json;

const TABLE: &str = "\u{FEFF}id,position,text,score,reference,speaker\r\n\
    u1,0,\"two, \"\"too\"\"\",-1.5,two,s1\r\n\
    u1,1,\"to\r\nthe\",-2,,s1\r\n\
    \r\n\
    u2,0,,0,\"\",\"\"\r\n\
    u3,0,a 5\" disk, 1e-3 ,,s2";

fn open(format: Option<Format>, name: &str, text: impl AsRef<[u8]>) -> Result<Reader, Error> {
    let options = ReadOptions::default().with_format(format);
    Reader::from_read(name, Cursor::new(text.as_ref().to_vec()), &options)
}

fn read(text: impl AsRef<[u8]>) -> (Format, Vec<Utterance>) {
    let reader = open(None, "lists.csv", text).unwrap();
    (reader.format(), reader.map(Result::unwrap).collect())
}

/// The ids of what is read, and the errors.
fn with_errors(text: impl AsRef<[u8]>) -> (Vec<String>, Vec<String>) {
    let (mut ids, mut errors) = (vec![], vec![]);
    for item in open(Some(Format::Csv), "l.csv", text).unwrap() {
        match item {
            Ok(utterance) => ids.push(utterance.id),
            Err(error) => errors.push(error.to_string()),
        }
    }
    (ids, errors)
}

/// The one error of a table, which must leave the utterances around it readable.
fn bad_rows(header: &str, rows: &str) -> String {
    let width = header.matches(',').count() - 1;
    let row = |id: &str| format!("{id},a{}\n", ",".repeat(width));
    let (ids, errors) = with_errors(format!("{header}\n{}{rows}\n{}", row("u1"), row("u3")));
    assert_eq!((ids, errors.len()), (vec!["u1".to_owned(), "u3".to_owned()], 1), "{errors:?}");
    errors[0].clone()
}

fn refusal(format: Option<Format>, name: &str, text: impl AsRef<[u8]>) -> String {
    open(format, name, text).unwrap_err().to_string()
}

#[test]
fn a_table_with_all_columns() {
    let (format, found) = read(TABLE);
    assert_eq!(format, Format::Csv);
    let ids: Vec<&str> = found.iter().map(|utterance| utterance.id.as_str()).collect();
    assert_eq!(ids, ["u1", "u2", "u3"]);
    let texts: Vec<&str> = found[0].nbest.iter().map(|hypothesis| hypothesis.text.as_str()).collect();
    assert_eq!(texts, ["two, \"too\"", "to\r\nthe"]);
    assert_eq!(found[0].nbest.first_pass(), [-1.5, -2.0]);
    assert_eq!(found[0].nbest.hypotheses()[1].extra, *json!({"speaker": "s1"}).as_object().unwrap());
    assert_eq!((found[1].nbest.first().text.as_str(), found[1].nbest.first_pass()), ("", vec![0.0]));
    assert_eq!(
        (found[2].nbest.first().text.as_str(), found[2].nbest.first_pass()),
        ("a 5\" disk", vec![0.001])
    );
    let references: Vec<_> = found.iter().map(|utterance| utterance.reference.as_deref()).collect();
    assert_eq!(references, [Some("two"), Some(""), None]);
}

#[test]
fn other_names_tabs_and_no_scores() {
    let text = "hypothesis\tutterance\tcontext\tscore\na, b\tu1\t\t\nc\tu1\tbefore\t\n";
    let (format, found) = read(text);
    assert_eq!((format, found.len()), (Format::Tsv, 1));
    assert_eq!((found[0].id.as_str(), found[0].context.as_deref()), ("u1", Some("before")));
    assert!(!found[0].nbest.is_scored());
    assert_eq!(found[0].nbest.first().text, "a, b");
    assert!(found[0].nbest.first().extra.is_empty() && found[0].extra.is_empty());
}

#[test]
fn gzip_is_unpacked() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(TABLE.as_bytes()).unwrap();
    assert_eq!(read(packed.finish().unwrap()).1, read(TABLE).1);
}

#[test]
fn an_utterance_is_there_with_the_first_row_of_the_next() {
    let (input, mut output) = std::io::pipe().unwrap();
    output.write_all(b"id,text\nu1,a\nu1,b\nu2,c\n").unwrap();
    let mut reader = Reader::from_read("stdin", input, &ReadOptions::default()).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().nbest.len(), 2);
    drop(output);
    assert_eq!(reader.next().unwrap().unwrap().id, "u2");
    assert!(reader.next().is_none());
}

#[test]
fn columns_that_are_missing_or_double() {
    assert_eq!(
        refusal(Some(Format::Csv), "l.csv", "\nutt,text,am\nu1,a,1\n"),
        "l.csv:2: no column is `id` or `utterance`: with commas between them, the columns are `utt`, `text`, `am`; \
         known are id or utterance, text or hypothesis, reference, context, position, score and usual names of scores, so \
         rename one, or say which it is, as id=NAME"
    );
    let message = refusal(Some(Format::Tsv), "l.tsv", "id,text\nu1,a\n");
    assert!(message.starts_with(
        "l.tsv:1: no column is `id` or `utterance`: with tabs between them, the columns are `id,text`;"
    ));
    assert!(
        refusal(Some(Format::Csv), "l.csv", "id,words\n").contains("no column is `text` or `hypothesis`")
    );
    assert_eq!(
        refusal(None, "l.csv", "id,utterance,text\n"),
        "l.csv:1: the columns `id` and `utterance` mean the same; rename or remove one"
    );
    assert!(refusal(None, "l.csv", "id,text,hypothesis\n").contains("`text` and `hypothesis` mean the same"));
    assert_eq!(
        refusal(None, "l.csv", "id,text,am,am\n"),
        "l.csv:1: the column `am` stands twice; rename or remove one"
    );
    assert!(
        refusal(Some(Format::Csv), "l.csv", "id,\"te\"xt\n")
            .contains("the row that names the columns is broken")
    );
    assert!(
        refusal(None, "l.csv", "Well, then: it was so, and so on,\n")
            .contains("it begins with \"Well, then: it was")
    );
}

#[test]
fn tables_that_are_empty_or_cut_short() {
    assert_eq!(refusal(Some(Format::Csv), "l.csv", "\n"), "l.csv is empty: it holds no utterance");
    assert_eq!(with_errors("id,text\n\n").1, ["l.csv is empty: it holds no utterance"]);
    let (ids, errors) = with_errors("id,text\nu1,a\nu2,\"b\nu3,c\n");
    assert!(ids.is_empty());
    assert_eq!(
        errors,
        [
            "l.csv:3: broken csv document: expected the closing quote of a field of the row that begins here, found the \
          end of the file: it is cut short, or a quote is missing; everything from here on is unread"
        ]
    );
}

#[test]
fn rows_that_are_broken() {
    assert_eq!(
        bad_rows("id,text,score", "u2,b,c,-1\nu2,c,-1"),
        "l.csv:3: utterance \"u2\": its row has 4 fields, but there are 3 columns; mend it, a field with a separator in \
         quotes"
    );
    assert!(
        bad_rows("id,text,score", "u2,b,-1\nu2\nu2,c,-1")
            .starts_with("l.csv:4: utterance \"u2\": its row has 1 fields")
    );
    assert_eq!(
        bad_rows("id,text", "u2,\"so \"he said\nu2,c"),
        "l.csv:3: utterance \"u2\": text stands behind the closing quote of a field; double the quotes inside a quoted \
         field"
    );
    assert_eq!(bad_rows("id,text", ",b"), "l.csv:3: the utterance: its row has no id; add it");
    let (ids, errors) = with_errors(b"id,text\nu1,a\nu2,caf\xE9\nu2,b\nu3,c\n");
    assert_eq!(ids, ["u1", "u3"]);
    assert_eq!(errors, ["l.csv:3: utterance \"u2\" is not valid UTF-8; convert the file (iconv -t UTF-8)"]);
}

#[test]
fn a_row_of_nobody_spoils_the_lists_around_it() {
    let (ids, errors) = with_errors("text,id\na,u1\nb,b,u1\nc,u2\nd,u3\n");
    assert_eq!((ids, errors.len()), (vec!["u3".to_owned()], 2));
    assert!(errors[0].starts_with("l.csv:3: utterance \"u1\": its row has 3 fields"));
    assert_eq!(
        errors[1],
        "l.csv:4: utterance \"u2\": the row before it, on line 3, is broken and may be one of its own; mend that row"
    );
    let (ids, errors) = with_errors("text,id\na,u1\nb,b,u1\nc,u1\nd,u2\n");
    assert_eq!((ids, errors.len()), (vec!["u2".to_owned()], 1));
    let (ids, errors) = with_errors("text,id\nb,b,u1\nc,u1\nd,u2\n");
    assert_eq!((ids, errors.len()), (vec!["u2".to_owned()], 2));
    assert!(errors[0].starts_with("l.csv:2: the utterance: its row has 3 fields"));
}

#[test]
fn scores_and_positions_that_are_none() {
    assert_eq!(
        bad_rows("id,text,score", "u2,b,-1\nu2,c,high"),
        "l.csv:4: utterance \"u2\": `score` is \"high\", expected a number; mend it"
    );
    for value in ["NaN", "-inf", "1e999"] {
        assert_eq!(
            bad_rows("id,text,score", &format!("u2,b,{value}")),
            format!("l.csv:3: utterance \"u2\" holds {value}, which is not a finite number; mend the score")
        );
    }
    assert_eq!(
        bad_rows("id,text,score", "u2,b,-1\nu2,c,"),
        "l.csv:3: utterance \"u2\" mixes hypotheses with a score (position 0) and without (position 1); \
         score all or none"
    );
    let (ids, errors) = with_errors("id,text,position\nu1,a,0\nu1,b,2\nu2,a,1\nu3,a,\nu4,a,x\nu5,a, 0\n");
    assert_eq!((ids, errors.len()), (vec!["u5".to_owned()], 4));
    assert_eq!(
        errors[0],
        "l.csv:3: utterance \"u1\": `position` is \"2\" where 1 should be; sort its rows by position, numbered from 0"
    );
}

#[test]
fn rows_that_contradict_each_other_or_are_scattered() {
    assert_eq!(
        bad_rows("id,text,reference", "u2,b,\nu2,c,so\nu2,d,no"),
        "l.csv:5: utterance \"u2\": `reference` is \"no\", but \"so\" in a row before; keep one of them"
    );
    assert!(
        bad_rows("id,text,context", "u2,b,so\nu2,c,\"\"")
            .contains("`context` is \"\", but \"so\" in a row before")
    );
    let (ids, errors) = with_errors("id,text\nu1,b\nu0,c\nu1,d\nu1,e\nu2,f\n");
    assert_eq!(ids, ["u1", "u0", "u2"]);
    assert_eq!(
        errors,
        [
            "l.csv:4: utterance \"u1\": its rows do not stand together, others come between; sort the rows by id"
        ]
    );
}
