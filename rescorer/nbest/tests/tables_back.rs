//! Tables of our own are read back as they were.
#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use rescorer_nbest::{
    Answer, AnswerLine, Format, Hypothesis, NBest, OutputContent, OutputFormat, ReadOptions, Reader,
    Utterance,
};
use serde_json::json;

const TABLES: [(OutputFormat, Format); 2] =
    [(OutputFormat::Csv, Format::Csv), (OutputFormat::Tsv, Format::Tsv)];

fn lists() -> Vec<Utterance> {
    let mut list = vec![Hypothesis::scored("a,\t\"b\"\r\n", -1.0e-300), Hypothesis::scored("", 2.5)];
    list[0].extra.insert("ctc".into(), json!({"x": [1, null, 0.1]}));
    list[1].extra.insert("extra".into(), json!("{\"a\": 1}"));
    let mut first = Utterance::new("u1", NBest::new(list).unwrap());
    first.reference = Some(String::new());
    first.extra.insert("speaker".into(), json!("s, 1"));
    let mut second = Utterance::new("ü 2", NBest::from_texts(["x", "x"]).unwrap());
    second.context = Some("before".into());
    vec![first, second]
}

fn read(text: Vec<u8>, format: Format) -> Vec<Utterance> {
    let reader = Reader::from_read("x", Cursor::new(text), &ReadOptions::default()).unwrap();
    assert_eq!(reader.format(), format, "it tells itself");
    reader.map(Result::unwrap).collect()
}

#[test]
fn lists_come_back_the_same() {
    for (output, input) in TABLES {
        let mut encoder = output.encoder(OutputContent { lists: true, second_pass: false });
        let mut bytes = Vec::new();
        for utterance in &lists() {
            bytes.extend(encoder.encode(&Answer::first_pass(utterance)).unwrap());
        }
        bytes.extend(encoder.finish().unwrap());
        assert_eq!(read(bytes, input), lists());
    }
}

#[test]
fn answers_come_back_in_their_order_with_their_scores() {
    for (output, input) in TABLES {
        let mut utterance = lists().remove(0);
        for round in 0..2 {
            let line = |position, total| AnswerLine { position, lm_score: Some(-9.5), total: Some(total) };
            let answer = Answer::new(&utterance, vec![line(1, -2.0), line(0, -3.25)]).unwrap();
            let mut encoder = output.encoder(OutputContent { lists: true, second_pass: true });
            let mut bytes = encoder.encode(&answer.with_confidence(0.75)).unwrap().to_vec();
            bytes.extend(encoder.finish().unwrap());
            let found = read(bytes, input).remove(0);
            let best = found.nbest.first();
            let mut extra =
                json!({"first_pass_position": 1, "lm_score": -9.5, "total": -2.0, "confidence": 0.75});
            match round {
                0 => {
                    assert_eq!((best.text.as_str(), best.score), ("", Some(2.5)));
                    extra["extra"] = json!("{\"a\": 1}");
                }
                // The second answer turns the list back, and what the first said is not there twice.
                _ => {
                    assert_eq!((best.text.as_str(), best.score), ("a,\t\"b\"\r\n", Some(-1.0e-300)));
                    extra["ctc"] = json!({"x": [1, null, 0.1]});
                }
            }
            assert_eq!(json!(best.extra), extra);
            assert_eq!((&found.reference, &found.extra["speaker"]), (&Some(String::new()), &json!("s, 1")));
            utterance = found;
        }
    }
}
