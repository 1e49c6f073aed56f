//! What the output formats write, letter by letter, and what they refuse.
#![allow(clippy::unwrap_used)]

use rescorer_nbest::{
    Answer, AnswerLine, Error, Hypothesis, NBest, OutputContent, OutputFormat, ReadOptions, Reader, Utterance,
};
use serde_json::{Value, json};

const LISTS: OutputContent = OutputContent { lists: true, second_pass: false };
const WINNERS: OutputContent = OutputContent { lists: false, second_pass: true };
const RESCORED: OutputContent = OutputContent { lists: true, second_pass: true };

fn line(position: usize, lm_score: f64, total: f64) -> AnswerLine {
    AnswerLine { position, lm_score: Some(lm_score), total: Some(total) }
}

/// Three hypotheses, the first and the last the same, with fields of their own.
fn utterance() -> Utterance {
    let mut list = vec![
        Hypothesis::scored("a, b", -1.0),
        Hypothesis::scored("a\t\"c\"", -2.5),
        Hypothesis::scored("a, b", -3.0),
    ];
    list[0].extra.insert("ctc".into(), json!(-7));
    list[0].extra.insert("total".into(), json!("old"));
    let mut utterance = Utterance::new("u1", NBest::new(list).unwrap());
    utterance.reference = Some(String::new());
    utterance.extra.insert("speaker".into(), json!("s"));
    utterance
}

fn encode(format: OutputFormat, content: OutputContent, answers: &[Answer]) -> Result<String, Error> {
    let mut encoder = format.encoder(content);
    let mut bytes = Vec::new();
    for answer in answers {
        bytes.extend(encoder.encode(answer)?);
    }
    bytes.extend(encoder.finish()?);
    Ok(String::from_utf8(bytes).unwrap())
}

fn first_pass(format: OutputFormat, utterance: &Utterance) -> Result<String, Error> {
    encode(format, LISTS, &[Answer::first_pass(utterance)])
}

fn rescored(format: OutputFormat, content: OutputContent) -> String {
    let utterance = utterance();
    let lines = vec![line(1, -8.25, -4.0), line(0, -9.0, -5.5), line(2, -9.0, -5.5)];
    let lines = if content.lists { lines } else { lines[..1].to_vec() };
    let answer = Answer::new(&utterance, lines).unwrap();
    let answer = if content.lists { answer.with_confidence(0.5) } else { answer };
    encode(format, content, &[answer]).unwrap()
}

#[test]
fn text() {
    assert_eq!(rescored(OutputFormat::Text, WINNERS), "u1\ta \"c\"\n");
    assert_eq!(rescored(OutputFormat::Text, RESCORED), "u1\t1\t-4.0000\ta \"c\"\nu1\t0\t-5.5000\ta, b\n");
    assert_eq!(
        first_pass(OutputFormat::Text, &utterance()).unwrap(),
        "u1\t0\ta, b\nu1\t1\ta \"c\"\nu1\t2\ta, b\n"
    );
}

#[test]
fn jsonl() {
    assert_eq!(
        rescored(OutputFormat::Jsonl, WINNERS),
        concat!(
            r#"{"id":"u1","hypotheses":[{"text":"a\t\"c\"","score":-2.5,"lm_score":-8.25,"total":-4.0}],"#,
            r#""reference":"","speaker":"s"}"#,
            "\n"
        )
    );
    let list = rescored(OutputFormat::Jsonl, RESCORED);
    assert!(list.contains(r#"{"text":"a, b","score":-1.0,"ctc":-7,"total":-5.5,"lm_score":-9.0}"#), "{list}");
    let same = first_pass(OutputFormat::Jsonl, &utterance()).unwrap();
    let read = Reader::from_read("x", std::io::Cursor::new(same), &ReadOptions::default()).unwrap();
    assert_eq!(read.map(Result::unwrap).collect::<Vec<_>>(), [utterance()]);
}

#[test]
fn csv_and_tsv() {
    assert_eq!(
        rescored(OutputFormat::Csv, RESCORED),
        concat!(
            "id,position,text,score,first_pass_position,lm_score,total,confidence,reference,context,extra,utterance_extra\n",
            "u1,0,\"a\t\"\"c\"\"\",-2.5,1,-8.25,-4.0,0.5,\"\",,,\"{\"\"speaker\"\":\"\"s\"\"}\"\n",
            "u1,1,\"a, b\",-1.0,0,-9.0,-5.5,0.5,\"\",,\"{\"\"ctc\"\":-7}\",\"{\"\"speaker\"\":\"\"s\"\"}\"\n",
            "u1,2,\"a, b\",-3.0,2,-9.0,-5.5,0.5,\"\",,,\"{\"\"speaker\"\":\"\"s\"\"}\"\n",
        )
    );
    assert_eq!(
        rescored(OutputFormat::Tsv, WINNERS),
        concat!(
            "id\tposition\ttext\tscore\tfirst_pass_position\tlm_score\ttotal\treference\tcontext\textra\tutterance_extra\n",
            "u1\t0\t\"a\t\"\"c\"\"\"\t-2.5\t1\t-8.25\t-4.0\t\"\"\t\t\t\"{\"\"speaker\"\":\"\"s\"\"}\"\n",
        )
    );
    let mut plain = Utterance::new("u,2", NBest::from_texts(["", "two\r\nlines"]).unwrap());
    plain.context = Some("so".to_owned());
    let bare = Utterance::new("u3", NBest::new(vec![Hypothesis::scored("x", 1e300)]).unwrap());
    assert_eq!(
        encode(OutputFormat::Csv, LISTS, &[Answer::first_pass(&plain), Answer::first_pass(&bare)]).unwrap(),
        concat!(
            "id,position,text,score,reference,context,extra,utterance_extra\n",
            "\"u,2\",0,\"\",,,so,,\n",
            "\"u,2\",1,\"two\r\nlines\",,,so,,\n",
            "u3,0,x,1e300,,,,\n",
        )
    );
    let mut twice = bare;
    twice.extra.insert("reference".into(), json!("x"));
    let refusal = first_pass(OutputFormat::Csv, &twice).unwrap_err().to_string();
    assert!(refusal.contains("as csv: its unread field `reference` has the name"), "{refusal}");
    let empty = encode(OutputFormat::Tsv, LISTS, &[]).unwrap();
    assert_eq!(empty, "id\tposition\ttext\tscore\treference\tcontext\textra\tutterance_extra\n");
}

#[test]
fn trn_and_kaldi() {
    let list = NBest::from_texts(["  a\tcat's\u{3000}hat\n", "b"]).unwrap();
    let utterance = Utterance::new("spk_1", list);
    assert_eq!(first_pass(OutputFormat::Trn, &utterance).unwrap(), "a cat's hat (spk_1)\n");
    assert_eq!(first_pass(OutputFormat::Kaldi, &utterance).unwrap(), "spk_1 a cat's hat\n");
    let silence = Utterance::new("u1", NBest::from_texts([""]).unwrap());
    assert_eq!(first_pass(OutputFormat::Kaldi, &silence).unwrap(), "u1\n");
    for (id, what) in [("", "is empty"), ("a b", "holds white space")] {
        let utterance = Utterance::new(id, NBest::from_texts(["a"]).unwrap());
        assert_eq!(
            first_pass(OutputFormat::Kaldi, &utterance).unwrap_err().to_string(),
            format!("cannot write utterance {id:?} as kaldi: its id {what}, but words follow it; rename it")
        );
        assert!(first_pass(OutputFormat::Ctm, &utterance).unwrap_err().to_string().contains(what));
    }
    assert!(!OutputFormat::Kaldi.holds_lists() && OutputFormat::Text.holds_lists());
}

fn timed(text: &str, extra: Value) -> Utterance {
    let mut hypothesis = Hypothesis::new(text);
    hypothesis.extra = extra.as_object().unwrap().clone();
    Utterance::new("call-1", NBest::new(vec![hypothesis]).unwrap())
}

#[test]
fn ctm() {
    let vosk = json!({"result": [
        {"word": "two", "start": 0.84, "end": 1.02, "conf": 0.5}, {"word": "bits", "start": 1.02, "end": 1.5, "conf": 1},
    ]});
    let expected = "call-1 1 0.840 0.180 two 0.5000\ncall-1 1 1.020 0.480 bits 1.0000\n";
    assert_eq!(first_pass(OutputFormat::Ctm, &timed("two bits", vosk)).unwrap(), expected);
    let whisper = json!({"words": [{"word": " Hi,", "start": 0, "end": 0.3004, "probability": 0.25}]});
    let expected = "call-1 1 0.000 0.300 Hi, 0.2500\n";
    assert_eq!(first_pass(OutputFormat::Ctm, &timed(" Hi,", whisper)).unwrap(), expected);
    let segments = json!({"segments": [
        {"words": [{"word": "a", "start": 0.1, "end": 0.2, "score": 0.9}]},
        {"words": [{"word": "b", "start": 0.2, "end": 0.2}]},
    ]});
    let expected = "call-1 1 0.100 0.100 a 0.9000\ncall-1 1 0.200 0.000 b\n";
    assert_eq!(first_pass(OutputFormat::Ctm, &timed("A b.", segments.clone())).unwrap(), expected);
    // The only hypothesis may leave its words at the utterance.
    let mut above = timed("a b", json!({}));
    above.extra = segments.as_object().unwrap().clone();
    assert_eq!(first_pass(OutputFormat::Ctm, &above).unwrap(), expected);
    // AssemblyAI counts milliseconds.
    above.extra = json!({"audio_url": "talk.wav", "words": [
        {"text": "a", "start": 100, "end": 200, "confidence": 0.9}, {"text": "b", "start": 200, "end": 200},
    ]})
    .as_object()
    .unwrap()
    .clone();
    assert_eq!(first_pass(OutputFormat::Ctm, &above).unwrap(), expected);
    // Nothing was said: nothing is written.
    assert_eq!(first_pass(OutputFormat::Ctm, &timed(" ", json!({"result": []}))).unwrap(), "");
}

#[test]
fn ctm_of_the_winner_not_of_the_first() {
    let words = |word: &str| json!([{"word": word, "start": 1, "end": 2}]);
    let mut list = vec![Hypothesis::new("to"), Hypothesis::new("two"), Hypothesis::new("too")];
    list[0].extra.insert("words".into(), words("to"));
    list[1].extra.insert("words".into(), words("two"));
    let utterance = Utterance::new("u1", NBest::new(list).unwrap());
    let of = |position| {
        let answer = Answer::new(&utterance, vec![line(position, -1.0, -1.0)]).unwrap();
        encode(OutputFormat::Ctm, WINNERS, &[answer])
    };
    assert_eq!(of(1).unwrap(), "u1 1 1.000 1.000 two\n");
    assert_eq!(
        of(2).unwrap_err().to_string(),
        "cannot write utterance \"u1\" as ctm: its winner came without word times (`result`, `words`, `segments`); \
         let the recogniser write word times, or write another format"
    );
}

#[test]
fn ctm_refuses_times_that_are_none() {
    let refusal = |words: Value| {
        let error = first_pass(OutputFormat::Ctm, &timed("a b", json!({ "words": words }))).unwrap_err();
        error.to_string()
    };
    let word = |word: &str| json!({"word": word, "start": 0.5, "end": 1});
    let cases = [
        (json!([]), "came without word times"),
        (json!([word("a"), {"word": "b", "start": 1}]), "its word \"b\" has no `end`"),
        (json!([word("a"), {"word": "b", "start": "1", "end": 2}]), "its word \"b\" has no `start`"),
        (json!([word("a"), {"word": "b", "start": 2, "end": 1.5}]), "its word \"b\" lasts from 2 to 1.5 s"),
        (json!([word("a"), {"word": "b", "start": -2, "end": 1}]), "lasts from -2 to 1 s"),
        (json!([word("a"), word("c")]), "its word times are for \"a c\", but its text is \"a b\""),
        (json!([word("a b")]), "\"a b\" is no word that a line can hold"),
        (json!([word("a"), word(" ")]), "has no text in `word`"),
        (json!(["a", "b"]), "its word \"a\" has no text in `word`"),
    ];
    for (words, reason) in cases {
        let message = refusal(words);
        assert!(message.starts_with("cannot write utterance \"call-1\" as ctm: "), "{message}");
        assert!(message.contains(reason), "{message}");
    }
    let mut comment = timed("", json!({}));
    comment.id = ";;x".into();
    assert!(first_pass(OutputFormat::Ctm, &comment).unwrap_err().to_string().contains("a comment"));
}

#[test]
fn what_cannot_be_written_leaves_nothing() {
    let good = utterance();
    let bad = Utterance::new("a b", good.nbest.clone());
    let mut encoder = OutputFormat::Kaldi.encoder(WINNERS);
    assert!(encoder.encode(&Answer::first_pass(&bad)).is_err());
    assert_eq!(encoder.encode(&Answer::first_pass(&good)).unwrap(), b"u1 a, b\n");
    assert!(encoder.finish().unwrap().is_empty());
}
