use super::*;
use crate::{HomophoneOptions, Lexicon, Normalization};
use rescorer_nbest::NBest;

fn report(lists: &[(&[&str], Option<&str>)]) -> ListReport {
    let homophones = Homophones::new(Lexicon::english(), HomophoneOptions::default());
    let mut diagnostics = Diagnostics::new(&homophones, Normalization::None);
    for (number, (texts, reference)) in lists.iter().enumerate() {
        let nbest = NBest::from_texts(texts.iter().copied()).unwrap();
        let mut utterance = Utterance::new(format!("u{number}"), nbest);
        utterance.reference = reference.map(str::to_owned);
        diagnostics.add(&utterance);
    }
    diagnostics.report(3)
}

#[test]
fn by_hand() {
    let found = report(&[
        (&["i no the way", "i know the way", "i no the way", "i no away"], Some("i know the way")),
        (&["yes"], Some("yes")),
    ]);
    assert_eq!((found.utterances, found.single), (2, 0.5));
    assert_eq!((found.listed.max, found.distinct.max, found.distinct.mean), (4, 3, 2.0));
    assert_eq!((found.length_range.max, found.length_range.min), (1, 0));
    // 1 of 4 words, 2 of 4, 3 of 4.
    assert!((found.pairwise_distance - 0.5).abs() < 1e-12);
    assert_eq!((found.differences.compared, found.differences.homophone), (2, 0.5));
    let errors = found.errors.unwrap();
    assert_eq!((errors.first_pass_wer, errors.fixable), (20.0, 1.0));
    assert_eq!(
        errors.oracle.iter().map(|at| (at.n, at.wer)).collect::<Vec<_>>(),
        [(1, 20.0), (2, 0.0), (3, 0.0), (4, 0.0)]
    );
    assert_eq!((errors.wrong, errors.wrong_fixable, errors.homophones), (0.5, 1.0, 1.0));
    assert_eq!(errors.by_third, [1.0, 0.0, 0.0]);
    let top = &errors.substitutions[0];
    assert_eq!(
        (top.reference.as_deref(), top.hypothesis.as_deref(), top.count),
        (Some("know"), Some("no"), 1)
    );
    assert_eq!(errors.common_wrong, Some(0.2));
    assert_eq!(errors.rare_wrong, None);
}

#[test]
fn by_characters() {
    let homophones = Homophones::new(Lexicon::english(), HomophoneOptions::default());
    let metric = Metric { unit: Unit::Character, ..Metric::default() };
    let mut diagnostics = Diagnostics::new(&homophones, metric);
    let mut list = Utterance::new("u", NBest::from_texts(["今天下五", "今天下午"]).unwrap());
    list.reference = Some("今天下午".into());
    diagnostics.add(&list);
    let found = diagnostics.report(3);
    assert_eq!((found.unit, found.words.max, found.pairwise_distance), (Unit::Character, 4, 0.25));
    let errors = found.errors.unwrap();
    assert_eq!((errors.first_pass_wer, errors.oracle[1].wer), (25.0, 0.0));
    assert_eq!(errors.substitutions[0].reference.as_deref(), Some("午"));
}

#[test]
fn without_references_the_lists_are_described() {
    let found = report(&[(&["a", "b"], None), (&[""], None)]);
    assert_eq!((found.errors, found.words.min), (None, 0));
    assert_eq!(report(&[]).utterances, 0);
}
