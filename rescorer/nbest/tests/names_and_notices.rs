//! Fields under other names, and what a reader says of an input.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use rescorer_nbest::{Notice, ReadOptions, Reader, Utterance};

/// The lists of a text, and what was said of it.
fn read(text: &'static str, options: ReadOptions) -> (Vec<Utterance>, Vec<Notice>) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let to = said.clone();
    let options = options.with_notices(Arc::new(move |notice| to.lock().unwrap().push(notice.clone())));
    let reader = Reader::from_read("lists.jsonl", text.as_bytes(), &options).unwrap();
    let lists = reader.collect::<Result<_, _>>().unwrap();
    let said = said.lock().unwrap().clone();
    (lists, said)
}

fn scores(list: &Utterance) -> Vec<Option<f64>> {
    list.nbest.iter().map(|one| one.score).collect()
}

#[test]
fn a_number_that_is_not_used_is_told_once() {
    let text = r#"{"id": "u1", "hypotheses": [{"text": "a cat", "rank": 1}, {"text": "a hat", "rank": 2}]}
{"id": "u2", "hypotheses": [{"text": "a cat", "foo": -9}, {"text": "a hat", "foo": -1}]}
{"id": "u3", "hypotheses": [{"text": "a cat", "foo": -9}, {"text": "a hat", "foo": -1}]}"#;
    let (lists, said) = read(text, ReadOptions::default());
    assert_eq!(lists.len(), 3);
    let [Notice::UnusedNumber { place, field }] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!((field.as_str(), place.line), ("foo", Some(2)));
    assert_eq!(
        said[0].to_string(),
        "lists.jsonl:2: utterance \"u2\" has no scores, but `foo` is a number beside every text and is not used"
    );
    let (lists, said) = read(text, ReadOptions::default().with_names("score=foo".parse().unwrap()));
    assert_eq!((scores(&lists[0]), scores(&lists[1])), (vec![None, None], vec![Some(-9.0), Some(-1.0)]));
    assert_eq!(said, []);
}

#[test]
fn fields_are_found_under_the_users_names() {
    let text = r#"{"utt": "u1", "beams": [{"hyp": "a cat", "total": 9, "text": 1}, {"hyp": "a hat", "total": 1}], "ref": "a hat"}"#;
    let names = "id=utt,hypotheses=beams,text=hyp,score=-total,reference=ref".parse().unwrap();
    let (lists, said) = read(text, ReadOptions::default().with_names(names));
    let [list] = lists.as_slice() else { panic!("{lists:?}") };
    assert_eq!((list.id.as_str(), list.reference.as_deref()), ("u1", Some("a hat")));
    assert_eq!((list.nbest.first().text.as_str(), scores(list)), ("a cat", vec![Some(-9.0), Some(-1.0)]));
    assert_eq!((list.extra.len(), said), (0, vec![]));
}

#[test]
fn texts_that_only_the_user_can_name() {
    let text = "{\"utt\": 7, \"out\": \"a cat\", \"p\": 0.5}\n{\"utt\": 8, \"out\": \"a hat\", \"p\": 0.25}";
    assert!(Reader::from_read("lists.jsonl", text.as_bytes(), &ReadOptions::default()).is_err());
    let names = "id=utt,text=out,score=ln:p".parse().unwrap();
    let (lists, _) = read(text, ReadOptions::default().with_names(names));
    assert_eq!((lists[1].id.as_str(), lists[1].nbest.first().text.as_str()), ("8", "a hat"));
    assert_eq!(scores(&lists[1]), [Some(0.25_f64.ln())]);
    // Another text of a known shape, and numbers in a list beside that of the texts.
    let text = r#"{"NBest": [{"Lexical": "fair enough", "Display": "Fair enough.", "Confidence": 0.5}]}"#;
    let (lists, _) = read(text, ReadOptions::default().with_names("text=Lexical".parse().unwrap()));
    assert_eq!(lists[0].nbest.first().text, "fair enough");
    let text = r#"{"out": ["a", "b"], "cost_of": [1, 2]}"#;
    let (lists, _) =
        read(text, ReadOptions::default().with_names("hypotheses=out,score=-cost_of".parse().unwrap()));
    assert_eq!(scores(&lists[0]), [Some(-1.0), Some(-2.0)]);
}
