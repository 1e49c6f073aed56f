//! Aligns every hypothesis of a file of lists with its reference, on one thread, and says how long that took: the other side of
//! `benches/peers/alignment.py`.
#![allow(clippy::unwrap_used)]

use std::time::Instant;

use rescorer_nbest::{ReadOptions, Readers};
use rescorer_perturb::{ErrorCounts, UtteranceErrors, Wer, align, words};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("a file of lists with references");
    let rounds: usize = arguments.next().map_or(5, |rounds| rounds.parse().expect("a number of rounds"));
    let mut pairs = Vec::new();
    for utterance in Readers::new(&[std::path::PathBuf::from(path)], &ReadOptions::default()).unwrap() {
        let utterance = utterance.unwrap();
        let reference = utterance.reference.clone().expect("a reference");
        pairs.extend(utterance.nbest.iter().map(|hypothesis| (reference.clone(), hypothesis.text.clone())));
    }
    let mut seconds = f64::INFINITY;
    let (mut wer, mut counts) = (Wer::default(), ErrorCounts::default());
    for _ in 0..rounds {
        let started = Instant::now();
        (wer, counts) = (Wer::default(), ErrorCounts::default());
        for (reference, hypothesis) in &pairs {
            let (reference, hypothesis) = (words(reference), words(hypothesis));
            wer.add(UtteranceErrors::count(&reference, &hypothesis));
            counts += align(&reference, &hypothesis).counts();
        }
        seconds = seconds.min(started.elapsed().as_secs_f64());
    }
    let ErrorCounts { substitutions, deletions, insertions, .. } = counts;
    println!(
        "{{\"pairs\": {}, \"seconds\": {seconds}, \"errors\": {}, \"reference_words\": {}, \"substitutions\": {substitutions}, \
         \"deletions\": {deletions}, \"insertions\": {insertions}}}",
        pairs.len(),
        wer.errors,
        wer.reference_words
    );
}
