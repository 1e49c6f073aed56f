//! N-best lists of SRILM and Decipher.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use rescorer_nbest::{Error, Format, ReadOptions, Reader, Utterance};
use serde_json::json;
use tempfile::TempDir;

const FIRST: &str = "NBestList1.0\n(-2310) turn left at the light\n(-2344) turn left at the lights\n";
const THIRD: &str =
    "-1200.5 -20.25 3 <s> a cat sat </s>\n-1204 -19 3 <s> a -pau- hat sat </s>\n-1300 -25 0\n";

fn read(name: &str, text: &str) -> Vec<Result<Utterance, Error>> {
    let reader = Reader::from_read(name, Cursor::new(text.as_bytes().to_vec()), &ReadOptions::default());
    reader.map_or_else(|error| vec![Err(error)], Iterator::collect)
}

fn refusal(text: &str) -> String {
    read("u1.nbest", text).remove(0).unwrap_err().to_string()
}

fn close(found: &[f64], expected: &[f64]) {
    let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9);
    assert!(found.len() == expected.len() && near, "{found:?} {expected:?}");
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    folder
}

fn of_folder(path: &Path) -> Vec<Result<Utterance, Error>> {
    Reader::open(path, &ReadOptions::default()).unwrap().collect()
}

#[test]
fn bytelogs_become_natural_logarithms() {
    let list = read("lists/sw_2001.A.0010.nbest", FIRST).remove(0).unwrap();
    assert_eq!((list.id.as_str(), list.nbest.len()), ("sw_2001.A.0010", 2));
    assert_eq!(list.nbest.hypotheses()[1].text, "turn left at the lights");
    // 1.0001^(1024 · score), as far as SRILM's own 10000.5 goes.
    close(&list.nbest.first_pass(), &[-2310.0 * 1024.0 / 10000.5, -2344.0 * 1024.0 / 10000.5]);
    let exact = -2310.0 * 1024.0 * 1.0001_f64.ln();
    assert!((list.nbest.first_pass()[0] - exact).abs() < 1e-3);
}

#[test]
fn both_models_of_the_third_format_are_added_up() {
    let list = read("u1", THIRD).remove(0).unwrap();
    let texts: Vec<&str> = list.nbest.iter().map(|hypothesis| hypothesis.text.as_str()).collect();
    assert_eq!(texts, ["a cat sat", "a hat sat", ""]);
    let expected = [(-1200.5, -20.25), (-1204.0, -19.0), (-1300.0, -25.0)];
    close(&list.nbest.first_pass(), &expected.map(|(ac, lm)| std::f64::consts::LN_10 * (ac / 8.0 + lm)));
    let extra = json!({"ac_log10": -1200.5, "lm_log10": -20.25, "num_words": 3});
    assert_eq!(list.nbest.first().extra, *extra.as_object().unwrap());
}

#[test]
fn a_folder_has_a_file_for_each_utterance() {
    let folder = folder(&[("u2.nbest", FIRST), ("u1", THIRD), (".hidden", "x")]);
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(FIRST.as_bytes()).unwrap();
    fs::write(folder.path().join("u3.gz"), packed.finish().unwrap()).unwrap();
    assert_eq!(Reader::open(folder.path(), &ReadOptions::default()).unwrap().format(), Format::Srilm);
    let found: Vec<Utterance> = of_folder(folder.path()).into_iter().map(Result::unwrap).collect();
    let ids: Vec<&str> = found.iter().map(|utterance| utterance.id.as_str()).collect();
    assert_eq!(ids, ["u1", "u2", "u3"]);
    let one = Reader::open(folder.path().join("u3.gz"), &ReadOptions::default()).unwrap();
    assert_eq!((one.format(), one.map(Result::unwrap).next().unwrap()), (Format::Srilm, found[2].clone()));
}

#[test]
fn a_bad_file_of_a_folder_leaves_the_others() {
    let folder =
        folder(&[("u1", FIRST), ("u2", THIRD), ("u3", FIRST), ("u4", "a cat\n"), ("u5", ""), ("u6", FIRST)]);
    fs::write(folder.path().join("u1.nbest"), THIRD).unwrap();
    let found = of_folder(folder.path());
    let errors: Vec<String> =
        found.iter().filter_map(|item| Some(item.as_ref().err()?.to_string())).collect();
    assert_eq!((found.len(), errors.len()), (7, 3), "{errors:?}");
    assert!(
        errors[0].contains("u1.nbest:1: utterance \"u1\" has an id that an earlier utterance has"),
        "{errors:?}"
    );
    assert!(
        errors[1].contains("u4:1: utterance \"u4\": its line is \"a cat\", expected ACOUSTIC LM COUNT WORDS")
    );
    assert!(errors[2].contains("u5:1: utterance \"u5\" has no hypotheses"));
    let strange = tempfile::tempdir().unwrap();
    fs::write(strange.path().join("notes.txt"), "a cat\n").unwrap();
    let refused = Reader::open(strange.path(), &ReadOptions::default()).unwrap_err().to_string();
    assert!(refused.contains("it is a folder, and holds no lists that are known"), "{refused}");
    let empty = tempfile::tempdir().unwrap();
    let named = ReadOptions::default().with_format(Format::Srilm);
    assert!(Reader::open(empty.path(), &named).unwrap_err().to_string().contains("is empty"));
}

#[test]
fn lines_that_are_no_hypotheses_are_refused() {
    let place = "u1.nbest:2: utterance \"u1\"";
    let cases = [
        ("NBestList1.0\n", "u1.nbest:1: utterance \"u1\" has no hypotheses".to_owned()),
        (
            "NBestList1.0\nturn left\n",
            format!("{place}: its line does not begin with (SCORE), but with \"turn left\""),
        ),
        (
            "NBestList1.0\n(x) turn\n",
            format!("{place}: its score is \"x\", expected a number in parentheses"),
        ),
        ("NBestList1.0\n(NaN) turn\n", format!("{place} holds NaN, which is not a finite number")),
        (
            "NBestList1.0\nNBestList1.0\n",
            format!("{place}: a second list begins here; write each list to a file"),
        ),
        (
            "NBestList2.0\n(-1) a ( st: 0.1 et: 0.2 g: -1 a: -2 )\n",
            "u1.nbest:1: utterance \"u1\": is NBestList2.0".to_owned(),
        ),
        (
            "-1 -2 1 a\n-1 -2 3 a b\n",
            format!("{place}: says 3 words, but 2 stand in its line; it may be cut short"),
        ),
        ("-1 -2 1 a\n-1 -2\n", format!("{place}: its line is \"-1 -2\", expected ACOUSTIC LM COUNT WORDS")),
        ("-1 -2 1 a\n-1 x 1 a\n", format!("{place}: its LM score is \"x\", expected a number")),
        ("-1 -2 1 a\n-1 -2 a a\n", format!("{place}: its number of words is \"a\", expected one")),
        ("-1 -2 1 a\n-1 -inf 1 a\n", format!("{place} holds -inf, which is not a finite number")),
    ];
    for (text, start) in cases {
        let message = refusal(text);
        assert!(message.starts_with(&start), "{message}");
    }
    let bytes = b"-1 -2 1 a\n-1 -2 1 caf\xE9\n";
    let mut reader = Reader::from_read("u1", Cursor::new(bytes), &ReadOptions::default()).unwrap();
    assert!(matches!(reader.next(), Some(Err(Error::Encoding { .. }))));
    assert!(reader.next().is_none());
}
