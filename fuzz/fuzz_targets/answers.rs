//! Lists that are valid, and what has to be true of every answer: it is in its list, a list comes back from the native format as it
//! was, lists are answered in their order, no weight of the model keeps the order of the recogniser, and the search that skips work
//! takes the winner that all scores give.
#![no_main]

use std::io::Cursor;
use std::sync::{Arc, LazyLock};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use rescorer::{Fusion, Hypothesis, NBest, Request, Rescorer, Utterance};
use rescorer_fuzz::tiny_model;
use rescorer_models::LanguageModel;
use rescorer_nbest::{JsonlWriter, ReadOptions, Reader};

static MODEL: LazyLock<Arc<LanguageModel>> = LazyLock::new(|| Arc::new(tiny_model()));

/// Totals of the same hypothesis from two batches differ by rounding.
const ROUNDING: f64 = 1e-3;

#[derive(Arbitrary, Debug)]
struct Input {
    lists: Vec<List>,
    lm_weight: i8,
    length_bonus: i8,
    margin: u8,
}

#[derive(Arbitrary, Debug)]
struct List {
    hypotheses: Vec<(Text, i16)>,
    has_scores: bool,
    context: Option<Text>,
}

#[derive(Arbitrary, Debug)]
enum Text {
    /// Words that make hypotheses share their beginnings.
    Words(Vec<Word>),
    Any(String),
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Word {
    The,
    Cat,
    Sat,
    Hat,
    Id,
    Year,
    Tokyo,
    Upper,
}

impl Text {
    fn text(&self) -> String {
        let word = |word: &Word| match word {
            Word::The => "the",
            Word::Cat => "cat",
            Word::Sat => "sat",
            Word::Hat => "hat",
            Word::Id => "I'd",
            Word::Year => "1984",
            Word::Tokyo => "東京",
            Word::Upper => "Cat,",
        };
        match self {
            Self::Words(words) => words.iter().take(8).map(word).collect::<Vec<_>>().join(" "),
            Self::Any(text) => text.chars().take(24).collect(),
        }
    }
}

fn utterance(number: usize, list: &List) -> Option<Utterance> {
    let hypotheses = list.hypotheses.iter().take(8).map(|(text, score)| match list.has_scores {
        true => Hypothesis::scored(text.text(), f64::from(*score) / 64.0),
        false => Hypothesis::new(text.text()),
    });
    let mut utterance = Utterance::new(format!("u{number}"), NBest::new(hypotheses.collect()).ok()?);
    utterance.context = list.context.as_ref().map(Text::text).filter(|context| !context.trim().is_empty());
    Some(utterance)
}

fuzz_target!(|input: Input| {
    let lists = input.lists.iter().take(6).enumerate();
    let lists: Vec<Utterance> = lists.filter_map(|(number, list)| utterance(number, list)).collect();
    come_back(&lists);

    let weights = Fusion {
        lm_weight: f64::from(input.lm_weight) / 64.0,
        length_bonus: f64::from(input.length_bonus) / 32.0,
        margin: f64::from(input.margin) / 32.0,
    };
    for weights in [Fusion { lm_weight: 0.0, length_bonus: 0.0, margin: 0.0 }, weights] {
        let rescorer = Rescorer::builder(MODEL.clone()).weights(weights).build();
        let rescorer = rescorer.unwrap_or_else(|error| panic!("{error}"));
        let requests = || lists.iter().cloned().map(Request::from);
        let searched: Vec<_> = rescorer.rescore_many(requests().map(Request::text_only)).collect();
        let scored: Vec<_> = rescorer.rescore_many(requests().map(Request::with_list)).collect();
        assert_eq!((searched.len(), scored.len()), (lists.len(), lists.len()));
        for ((list, searched), scored) in lists.iter().zip(searched).zip(scored) {
            let (searched, scored) = match (searched, scored) {
                (Ok(searched), Ok(scored)) => (searched, scored),
                // Such as a text that is longer than the model reads.
                (Err(one), Err(other)) => return assert_eq!(one.to_string(), other.to_string()),
                (one, other) => panic!("{:?} but {:?}", one.err(), other.err()),
            };
            assert_eq!((&searched.utterance().id, &scored.utterance().id), (&list.id, &list.id));
            assert!(list.nbest.iter().any(|h| h.text == scored.text()), "{}", scored.text());
            if weights.lm_weight == 0.0 && weights.length_bonus == 0.0 && !has_scores(list) {
                assert_eq!(scored.text(), list.nbest.first().text);
            }
            if searched.text() != scored.text() {
                let total = |text: &str| scored.hypotheses().iter().find(|h| h.text == text).and_then(|h| h.total);
                let (one, other) = (total(searched.text()), total(scored.text()));
                let is_tie = one.zip(other).is_some_and(|(one, other)| (one - other).abs() < ROUNDING);
                assert!(is_tie, "{:?} {one:?}, {:?} {other:?}", searched.text(), scored.text());
            }
        }
    }
});

fn has_scores(list: &Utterance) -> bool {
    list.nbest.iter().any(|h| h.score.is_some())
}

fn come_back(lists: &[Utterance]) {
    if lists.is_empty() {
        return;
    }
    let mut writer = JsonlWriter::new("fuzz", Vec::new());
    lists.iter().for_each(|list| writer.write(list).unwrap_or_else(|error| panic!("{error}")));
    let lines = writer.finish().unwrap_or_else(|error| panic!("{error}"));
    let reader = Reader::from_read("fuzz", Cursor::new(lines), &ReadOptions::default());
    let back: Result<Vec<Utterance>, _> = reader.and_then(Iterator::collect);
    assert_eq!(back.unwrap_or_else(|error| panic!("{error}")), lists);
}
