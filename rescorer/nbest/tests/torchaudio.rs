//! Beams of torchaudio, as Python prints them.
#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use rescorer_nbest::{Error, Format, ReadOptions, Reader, Utterance};

const PRINTED: &str = "[[CTCHypothesis(tokens=tensor([ 0,  7,\n         3,  0]), words=['i', \"can't\", 'sea'], score=37.25, \
    timesteps=tensor([ 0, 10, 12, 20], dtype=torch.int32)),\n  CTCHypothesis(tokens=tensor([0, 7, 0]), words=['i', 'see'], \
    score=-1e-05, timesteps=tensor([0, 1, 2], dtype=torch.int32))],\n [CTCHypothesis(tokens=tensor([], dtype=torch.int64), \
    words=[], score=tensor(0.5), timesteps=tensor([], dtype=torch.int32))]]\n";

fn read(text: &str) -> Vec<Result<Utterance, Error>> {
    let reader =
        Reader::from_read("beams.txt", Cursor::new(text.as_bytes().to_vec()), &ReadOptions::default());
    reader.map_or_else(|error| vec![Err(error)], Iterator::collect)
}

#[test]
fn lists_of_hypotheses_are_lists() {
    let reader = Reader::from_read("beams.txt", Cursor::new(PRINTED), &ReadOptions::default()).unwrap();
    assert_eq!(reader.format(), Format::Torchaudio);
    let found: Vec<Utterance> = reader.map(Result::unwrap).collect();
    let ids: Vec<&str> = found.iter().map(|utterance| utterance.id.as_str()).collect();
    assert_eq!(ids, ["beams:0", "beams:1"]);
    let texts: Vec<&str> = found[0].nbest.iter().map(|hypothesis| hypothesis.text.as_str()).collect();
    assert_eq!((texts, found[0].nbest.first_pass()), (vec!["i can't sea", "i see"], vec![37.25, -1e-5]));
    assert_eq!((found[1].nbest.first().text.as_str(), found[1].nbest.first_pass()), ("", vec![0.5]));
    let one = "[CTCHypothesis(tokens=[1, 2], words=['a'], score=1.5)]\n";
    let cuda = one.replace("CTC", "CUCTC");
    let lists: Vec<Utterance> = read(&format!("{one}{cuda}")).into_iter().map(Result::unwrap).collect();
    assert_eq!((lists.len(), lists[1].nbest.first_pass()), (2, vec![1.5]));
}

#[test]
fn what_is_broken_is_named() {
    let good = "[CTCHypothesis(tokens=[1], words=['a'], score=1)]\n";
    let cases = [
        (
            "[CTCHypothesis(tokens=[1, 2], words=[], score=1)]",
            "a hypothesis has tokens but no words; decode with a lexicon",
        ),
        (
            "[CTCHypothesis(tokens=[1], words=['a'], score=x)]",
            "the score of a hypothesis is \"x\", expected a number",
        ),
        ("[CTCHypothesis(tokens=[1], words=['a'])]", "a hypothesis has no `score`; print it whole"),
        (
            "[CTCHypothesis(tokens=[1], words=[a], score=1)]",
            "the `words` of a hypothesis are no list of texts",
        ),
        ("[CTCHypothesis(tokens=[1], words=['a'], score=nan)]", "holds NaN, which is not a finite number"),
        ("[CTCHypothesis(tokens=[1], words=['a'], score=1), 7]", "\"7\" is no CTCHypothesis(...)"),
        ("[]", "has no hypotheses"),
    ];
    for (bad, reason) in cases {
        let found = read(&format!("{good}{bad}\n{good}"));
        let message = found[1].as_ref().unwrap_err().to_string();
        assert!(found.len() == 3 && found[0].is_ok() && found[2].is_ok(), "{bad}: {found:?}");
        let place = "beams.txt:2: utterance \"beams:1\"";
        assert!(message.starts_with(place) && message.contains(reason), "{message}");
    }
    let cut = &PRINTED[..PRINTED.len() - 20];
    let found = read(cut);
    assert_eq!((found.len(), found[0].is_ok()), (2, true));
    let message = found[1].as_ref().unwrap_err().to_string();
    assert!(message.contains("expected the `]` of the list, found the end of the file"), "{message}");
    let bare = read("CTCHypothesis(tokens=[1], words=['a'], score=1)\n").remove(0).unwrap_err().to_string();
    assert!(
        bare.contains("expected the `[` of an utterance's list of hypotheses, found \"CTCHypothesis("),
        "{bare}"
    );
}
