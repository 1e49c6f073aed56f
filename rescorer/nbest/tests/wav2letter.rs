//! Beams of wav2letter and flashlight.
#![allow(clippy::unwrap_used)]

use std::io::{Cursor, Write};

use rescorer_nbest::{Format, ReadOptions, Reader, Utterance};
use serde_json::json;

const BEAMS: &str = "test-1 | 905.125 | 921.25 | -43.5 | 20.000000 | i can sea it\n\
    test-1 | 904.5 | 921.0 | -44.5 | 0.000000 | i can see it\n\
    test-2 | -3.5 | -2 | -1 | -nan | \n\
    test-3 | 7 | 8 | -1 | 50.0 | a | b\n";

fn with_errors(text: impl AsRef<[u8]>) -> (Vec<String>, Vec<String>) {
    let options = ReadOptions::default().with_format(Format::Wav2letter);
    let reader = Reader::from_read("b.txt", Cursor::new(text.as_ref().to_vec()), &options).unwrap();
    let (mut ids, mut errors) = (vec![], vec![]);
    for item in reader {
        match item {
            Ok(utterance) => ids.push(format!("{} {}", utterance.id, utterance.nbest.len())),
            Err(error) => errors.push(error.to_string()),
        }
    }
    (ids, errors)
}

#[test]
fn beams_are_lists_with_the_decoder_s_score() {
    let reader = Reader::from_read("b.txt", Cursor::new(BEAMS), &ReadOptions::default()).unwrap();
    assert_eq!(reader.format(), Format::Wav2letter);
    let found: Vec<Utterance> = reader.map(Result::unwrap).collect();
    let ids: Vec<&str> = found.iter().map(|utterance| utterance.id.as_str()).collect();
    assert_eq!(ids, ["test-1", "test-2", "test-3"]);
    assert_eq!(found[0].nbest.first_pass(), [905.125, 904.5]);
    let extra = json!({"decoder_am_score": 921.25, "decoder_lm_score": -43.5, "wer": 20.0});
    assert_eq!(found[0].nbest.first().extra, *extra.as_object().unwrap());
    assert_eq!(
        (found[1].nbest.first().text.as_str(), &found[1].nbest.first().extra["wer"]),
        ("", &json!("-nan"))
    );
    assert_eq!(found[2].nbest.first().text, "a | b");
}

#[test]
fn an_utterance_is_there_with_the_first_line_of_the_next() {
    let (input, mut output) = std::io::pipe().unwrap();
    output.write_all(b"u1 | 2 | 2 | 0 | 0 | a\nu1 | 1 | 1 | 0 | 0 | b\nu2 | 1 | 1 | 0 | 0 | c\n").unwrap();
    let mut reader = Reader::from_read("stdin", input, &ReadOptions::default()).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().nbest.len(), 2);
    drop(output);
    assert_eq!(reader.next().unwrap().unwrap().id, "u2");
    assert!(reader.next().is_none());
}

#[test]
fn broken_lines_spoil_their_own_list() {
    let good = "u0 | 1 | 1 | 0 | 0 | a\n";
    let cases = [
        (
            "u1 | 1 | 1 | 0\n",
            "b.txt:2: utterance \"u1\": its line has 4 fields between `|`, expected ID | SCORE | AM SCORE",
        ),
        (
            "u1 | high | 1 | 0 | 0 | a\n",
            "b.txt:2: utterance \"u1\": its score is \"high\", expected a number; mend it",
        ),
        ("u1 | nan | 1 | 0 | 0 | a\n", "b.txt:2: utterance \"u1\" holds nan, which is not a finite number"),
        (" | 1 | 1 | 0 | 0 | a\n", "b.txt:2: the utterance: its line begins with no id"),
        (
            "u1 | 1 | 1 | 0 | 0 | a\nu0 | 1 | 1 | 0 | 0 | b\n",
            "b.txt:3: utterance \"u0\": its lines do not stand together, others come between; sort the file (sort -s -t '|' \
             -k 1,1)",
        ),
    ];
    for (line, start) in cases {
        let (ids, errors) = with_errors(format!("{good}{line}u9 | 1 | 1 | 0 | 0 | a\n"));
        assert!(errors.len() == 1 && errors[0].starts_with(start), "{errors:?}");
        assert_eq!((ids.first().unwrap().as_str(), ids.last().unwrap().as_str()), ("u0 1", "u9 1"));
    }
    let (ids, errors) = with_errors(b"u1 | 1 | 1 | 0 | 0 | caf\xE9\nu2 | 1 | 1 | 0 | 0 | a\n");
    assert_eq!((ids, errors.len()), (vec!["u2 1".to_owned()], 1));
    assert_eq!(with_errors("\n").1, ["b.txt is empty: it holds no utterance"]);
}
