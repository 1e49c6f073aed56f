//! Formats of lines hold one record a line, whatever stands in the texts.
#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use proptest::prelude::*;
use rescorer_nbest::{
    Answer, AnswerLine, Error, Hypothesis, NBest, OutputContent, OutputFormat, ReadOptions, Reader, Utterance,
};
use serde_json::json;

/// What ends a line for one reader or another, beside what words are made of.
const TEXT: &str = "[a-c é\u{3000}\\x00-\\x1F\u{85}\u{2028}\u{2029}\"',]{0,12}";

/// Lines as the most eager reader counts them: Python's `splitlines`.
fn lines(text: &str) -> Vec<&str> {
    let ends =
        |c| matches!(c, '\n' | '\r' | '\x0B' | '\x0C' | '\x1C'..='\x1E' | '\u{85}' | '\u{2028}' | '\u{2029}');
    text.split_terminator(ends).collect()
}

fn write(format: OutputFormat, lists: bool, id: &str, texts: &[String]) -> Result<String, Error> {
    let list = texts.iter().map(|text| Hypothesis::scored(text.as_str(), -1.0)).collect();
    let mut utterance = Utterance::new(id, NBest::new(list).unwrap());
    utterance.reference = Some(texts[0].clone());
    let mut encoder = format.encoder(OutputContent { lists, second_pass: true });
    let count = if lists { texts.len() } else { 1 };
    let line = |position| AnswerLine { position, lm_score: Some(-1.0), total: Some(0.0 - position as f64) };
    let answer = Answer::new(&utterance, (0..count).map(line).collect())?;
    let mut bytes = encoder.encode(&answer)?.to_vec();
    bytes.extend(encoder.finish()?);
    Ok(String::from_utf8(bytes).unwrap())
}

proptest! {
    #[test]
    fn winners_take_a_line(text in TEXT) {
        for format in [OutputFormat::Text, OutputFormat::Kaldi, OutputFormat::Trn] {
            let written = write(format, false, "u1", std::slice::from_ref(&text)).unwrap();
            prop_assert_eq!(lines(&written).len(), 1, "{} {:?}", format, written);
            prop_assert!(written.ends_with('\n') && !written.contains('\0'));
            if format == OutputFormat::Text {
                prop_assert_eq!(written.matches('\t').count(), 1);
            }
        }
    }

    #[test]
    fn lists_take_a_line_a_hypothesis(texts in prop::collection::vec(TEXT, 1..4)) {
        let written = write(OutputFormat::Text, true, "u1", &texts).unwrap();
        let mut distinct = texts.clone();
        distinct.dedup();
        prop_assert_eq!(lines(&written).len(), distinct.len(), "{:?}", written);
        prop_assert_eq!(written.matches('\t').count(), 3 * distinct.len());
    }

    #[test]
    fn tables_come_back(texts in prop::collection::vec(TEXT, 1..4), id in "[a-c]{1,3}") {
        for format in [OutputFormat::Csv, OutputFormat::Tsv] {
            let written = write(format, true, &id, &texts).unwrap();
            let read = Reader::from_read("x", Cursor::new(written), &ReadOptions::default()).unwrap();
            let read: Vec<Utterance> = read.map(Result::unwrap).collect();
            let found: Vec<&str> = read[0].nbest.iter().map(|found| found.text.as_str()).collect();
            prop_assert_eq!((read.len(), found), (1, texts.iter().map(String::as_str).collect()));
        }
    }

    #[test]
    fn an_id_with_a_break_is_refused(id in "[ab][\\x00-\\x08\\x0E-\\x1F\t\n\r\x0B\x0C\u{85}\u{2028}\u{2029}][ab]") {
        let written = write(OutputFormat::Text, false, &id, &["a".to_owned()]);
        match written {
            Ok(written) => prop_assert_eq!((lines(&written).len(), written.matches('\t').count()), (1, 1)),
            Err(error) => prop_assert!(error.to_string().contains("its id holds a line break or a tab")),
        }
    }
}

#[test]
fn breaks_are_blanks_and_the_rest_stays() {
    let texts = [" Hello, this is long\n enough.\n".to_owned(), "a\tb\u{2028}c\0d".to_owned()];
    assert_eq!(write(OutputFormat::Text, false, "u1", &texts).unwrap(), "u1\t Hello, this is long enough.\n");
    assert_eq!(
        write(OutputFormat::Text, true, "u1", &texts).unwrap(),
        "u1\t0\t0.0000\t Hello, this is long enough.\nu1\t1\t-1.0000\ta b c d\n"
    );
    assert_eq!(write(OutputFormat::Kaldi, false, "u1", &texts).unwrap(), "u1 Hello, this is long enough.\n");
    assert_eq!(write(OutputFormat::Trn, false, "u1", &texts[1..]).unwrap(), "a b c d (u1)\n");
}

#[test]
fn ids_and_words_with_breaks_are_refused_where_they_cannot_stand() {
    let refusal = |format, id| write(format, false, id, &["a".to_owned()]).unwrap_err().to_string();
    assert_eq!(
        refusal(OutputFormat::Text, "u\n1"),
        "cannot write utterance \"u\\n1\" as text: its id holds a line break or a tab, but stands in one line; rename \
         it, or write jsonl"
    );
    for format in [OutputFormat::Kaldi, OutputFormat::Trn, OutputFormat::Ctm] {
        for id in ["u\u{2028}1", "u\x1C1", "u\x001"] {
            assert!(refusal(format, id).contains("holds white space"), "{format} {id:?}");
        }
    }
    let mut hypothesis = Hypothesis::new("a b");
    hypothesis.extra.insert("words".into(), json!([{"word": "a\x1Cb", "start": 0, "end": 1}]));
    let utterance = Utterance::new("u1", NBest::new(vec![hypothesis]).unwrap());
    let mut encoder = OutputFormat::Ctm.encoder(OutputContent::default());
    let refusal = encoder.encode(&Answer::first_pass(&utterance)).unwrap_err().to_string();
    assert!(refusal.contains("is no word that a line can hold"), "{refusal}");
}
