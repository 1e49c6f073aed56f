//! N-best lists with words replaced by homophones.

mod text;

use std::fmt;
use std::str::FromStr;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rescorer_nbest::{Hypothesis, NBest, Utterance};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use text::{PerturbedText, Replacement, WordCounts};

use crate::{Error, Homophones, Unit};
use text::perturb_text;
pub(crate) use text::{Word, find_words, in_the_case_of};

/// What of a list is perturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PerturbationKind {
    /// Every copy of the first-pass best, nothing else.
    OneBest,
    /// Every distinct hypothesis, independently.
    NBest,
    /// The list stays, and each distinct hypothesis gains perturbed copies with its score, right behind it: the oracle cannot
    /// get worse.
    Distractors,
}

impl PerturbationKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::OneBest, Self::NBest, Self::Distractors];

    /// The name by which the command line knows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OneBest => "one-best",
            Self::NBest => "n-best",
            Self::Distractors => "distractors",
        }
    }
}

impl fmt::Display for PerturbationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for PerturbationKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| Error::UnknownPerturbation { name: name.to_owned() })
    }
}

/// A perturbation of N-best lists: each word that has a homophone is replaced with a probability, independently.
///
/// What happens to a text depends on the seed, the utterance's id and the text, and on nothing else: neither on threads nor on
/// the order of utterances. All copies of a text in a list are replaced alike. With a higher rate the same words are replaced,
/// and more.
#[derive(Debug)]
pub struct Perturbation<'a> {
    homophones: &'a Homophones,
    kind: PerturbationKind,
    rate: f64,
    seed: u64,
    copies: usize,
    unit: Unit,
}

/// A list after a perturbation.
#[derive(Debug, Clone, PartialEq)]
pub struct Perturbed {
    /// The utterance; its reference and whatever else it carries are as they were.
    pub utterance: Utterance,
    /// Every replacement, in the order of the distinct hypotheses.
    pub replacements: Vec<HypothesisReplacement>,
    /// Words of the texts that were perturbed, each distinct text once (each copy of a distractor once).
    pub counts: WordCounts,
}

/// A replacement and where it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HypothesisReplacement {
    /// Position of the hypothesis in the list before the perturbation; of texts that repeat, the first.
    pub position: usize,
    /// Number of the copy, from 0, for distractors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<usize>,
    /// The replacement.
    #[serde(flatten)]
    pub replacement: Replacement,
}

impl<'a> Perturbation<'a> {
    /// Copies of each hypothesis that distractors add unless told otherwise.
    pub const COPIES: usize = 2;

    /// A perturbation; `copies` matter to distractors only.
    ///
    /// # Errors
    /// [`Error::Rate`]: a rate outside of 0 to 1; [`Error::NoCopies`].
    pub fn new(
        homophones: &'a Homophones,
        kind: PerturbationKind,
        rate: f64,
        seed: u64,
        copies: usize,
    ) -> Result<Self, Error> {
        if !(0.0..=1.0).contains(&rate) {
            return Err(Error::Rate { value: rate.to_string() });
        }
        if copies == 0 {
            return Err(Error::NoCopies);
        }
        Ok(Self { homophones, kind, rate, seed, copies, unit: Unit::Word })
    }

    /// Perturbs in another unit of error than the word: characters of scripts without spaces are looked up one by one,
    /// whatever stands between them by words.
    #[must_use]
    pub fn with_unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    /// Perturbs a list.
    ///
    /// First-pass scores stay. A list without scores keeps none, but for distractors, which move what follows: there each
    /// hypothesis gets −position from before as its score.
    ///
    /// # Errors
    /// Never for a list that an [`NBest`] holds; its own refusals else.
    pub fn apply(&self, utterance: &Utterance) -> Result<Perturbed, Error> {
        let distinct = utterance.nbest.unique();
        let mut perturbed = Collected::default();
        let list = match self.kind {
            PerturbationKind::Distractors => {
                let scores = utterance.nbest.first_pass();
                let mut list =
                    Vec::with_capacity(utterance.nbest.len() + self.copies * distinct.hypotheses().len());
                for (position, (hypothesis, score)) in utterance.nbest.iter().zip(scores).enumerate() {
                    list.push(Hypothesis { score: Some(score), ..hypothesis.clone() });
                    let first = distinct.hypotheses()[distinct.listed()[position]];
                    if first.position != position {
                        continue;
                    }
                    for copy in 0..self.copies {
                        let text = perturbed.add(position, Some(copy), self.text(utterance, position, copy));
                        list.push(Hypothesis { text, score: Some(first.first_pass), ..hypothesis.clone() });
                    }
                }
                list
            }
            PerturbationKind::OneBest | PerturbationKind::NBest => {
                let is_perturbed = |index: usize| self.kind == PerturbationKind::NBest || index == 0;
                let mut texts = Vec::with_capacity(distinct.hypotheses().len());
                for (index, hypothesis) in distinct.hypotheses().iter().enumerate() {
                    texts.push(if is_perturbed(index) {
                        perturbed.add(hypothesis.position, None, self.text(utterance, hypothesis.position, 0))
                    } else {
                        utterance.nbest.hypotheses()[hypothesis.position].text.clone()
                    });
                }
                let listed = utterance.nbest.iter().zip(distinct.listed());
                listed.map(|(old, &index)| Hypothesis { text: texts[index].clone(), ..old.clone() }).collect()
            }
        };
        let nbest = NBest::new(list)
            .map_err(|e| Error::List { utterance: utterance.id.clone(), reason: e.to_string() })?;
        let utterance = Utterance { nbest, ..utterance.clone() };
        Ok(Perturbed { utterance, replacements: perturbed.replacements, counts: perturbed.counts })
    }

    fn text(&self, utterance: &Utterance, position: usize, copy: usize) -> PerturbedText {
        let text = &utterance.nbest.hypotheses()[position].text;
        let mut rng = self.random(&utterance.id, text, copy);
        perturb_text(text, self.unit, self.homophones, self.rate, &mut rng)
    }

    /// The random numbers of a text, the same wherever and whenever it is perturbed.
    fn random(&self, id: &str, text: &str, copy: usize) -> ChaCha8Rng {
        let mut hasher = Sha256::new();
        hasher.update(self.seed.to_le_bytes());
        for part in [self.kind.name(), id, text] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.update((copy as u64).to_le_bytes());
        ChaCha8Rng::from_seed(hasher.finalize().into())
    }
}

/// What happened to the texts of a list so far.
#[derive(Default)]
struct Collected {
    replacements: Vec<HypothesisReplacement>,
    counts: WordCounts,
}

impl Collected {
    fn add(&mut self, position: usize, copy: Option<usize>, text: PerturbedText) -> String {
        self.counts += text.counts;
        let replacements = text.replacements.into_iter();
        self.replacements.extend(replacements.map(|replacement| HypothesisReplacement {
            position,
            copy,
            replacement,
        }));
        text.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HomophoneOptions, Lexicon, oracle_errors, words};

    fn homophones() -> Homophones {
        Homophones::new(Lexicon::english(), HomophoneOptions { max_size: Some(35), ..Default::default() })
    }

    fn list() -> Utterance {
        let texts = ["write to their son", "right to there sun", "write to their son", "no homophones"];
        let mut utterance = Utterance::new("u1", NBest::from_texts(texts).unwrap());
        utterance.reference = Some("write to their son".into());
        utterance
    }

    fn texts(utterance: &Utterance) -> Vec<&str> {
        utterance.nbest.iter().map(|hypothesis| hypothesis.text.as_str()).collect()
    }

    fn apply(kind: PerturbationKind, rate: f64, seed: u64) -> Perturbed {
        let homophones = homophones();
        Perturbation::new(&homophones, kind, rate, seed, 2).unwrap().apply(&list()).unwrap()
    }

    #[test]
    fn one_best_changes_every_copy_of_the_first_and_nothing_else() {
        let perturbed = apply(PerturbationKind::OneBest, 1.0, 3);
        let found = texts(&perturbed.utterance);
        assert_eq!(found[0], found[2]);
        assert_ne!(found[0], "write to their son");
        assert_eq!((found[1], found[3]), ("right to there sun", "no homophones"));
        assert_eq!(perturbed.utterance.reference.as_deref(), Some("write to their son"));
        assert!(!perturbed.utterance.nbest.is_scored());
        assert!(perturbed.replacements.iter().all(|replacement| replacement.position == 0));
        assert_eq!((perturbed.counts.words, perturbed.counts.replaced), (4, perturbed.replacements.len()));
    }

    #[test]
    fn n_best_changes_all_and_copies_alike() {
        let perturbed = apply(PerturbationKind::NBest, 1.0, 3);
        let (found, before) = (texts(&perturbed.utterance), list());
        assert_eq!(found[0], found[2]);
        assert!(found.iter().zip(texts(&before)).take(2).all(|(new, old)| *new != old));
        assert_eq!(perturbed.counts.words, 10);
    }

    #[test]
    fn distractors_stand_behind_with_the_same_score_and_the_oracle_stays() {
        for seed in 0..20 {
            let perturbed = apply(PerturbationKind::Distractors, 0.7, seed);
            let (found, before) = (texts(&perturbed.utterance), list());
            assert_eq!(found.len(), 4 + 2 * 3);
            assert_eq!(
                (found[0], found[3], found[6], found[7]),
                (texts(&before)[0], texts(&before)[1], texts(&before)[2], texts(&before)[3])
            );
            let scores = perturbed.utterance.nbest.first_pass();
            assert_eq!(scores, [0.0, 0.0, 0.0, -1.0, -1.0, -1.0, -2.0, -3.0, -3.0, -3.0]);
            let oracle = |texts: &[&str]| {
                oracle_errors(&words("write to their son"), texts.iter().map(|text| words(text)))
            };
            assert!(oracle(&found) <= oracle(&texts(&before)));
        }
    }

    #[test]
    fn rate_0_is_nothing_and_the_seed_decides() {
        for kind in [PerturbationKind::OneBest, PerturbationKind::NBest] {
            assert_eq!(apply(kind, 0.0, 1).utterance, list());
            assert_eq!(apply(kind, 0.5, 7), apply(kind, 0.5, 7));
        }
        let different = (0..10).filter(|&seed| {
            apply(PerturbationKind::NBest, 0.5, seed) != apply(PerturbationKind::NBest, 0.5, seed + 1)
        });
        assert!(different.count() > 5);
    }

    #[test]
    fn the_share_replaced_is_the_rate() {
        let homophones = homophones();
        let text = "they write to see the right sea by one hour too late for their son to buy new flour here";
        for rate in [0.1, 0.4] {
            let perturbation = Perturbation::new(&homophones, PerturbationKind::OneBest, rate, 5, 2).unwrap();
            let mut counts = WordCounts::default();
            for number in 0..400 {
                let utterance = Utterance::new(format!("u{number}"), NBest::from_texts([text]).unwrap());
                counts += perturbation.apply(&utterance).unwrap().counts;
            }
            let share = counts.replaced as f64 / counts.replaceable as f64;
            let error = (rate * (1.0 - rate) / counts.replaceable as f64).sqrt();
            assert!((share - rate).abs() < 4.0 * error, "{share} against {rate} ± {error}");
        }
    }

    #[test]
    fn refuses_what_is_no_rate() {
        let homophones = homophones();
        for rate in [-0.1, 1.5, f64::NAN] {
            let error = Perturbation::new(&homophones, PerturbationKind::NBest, rate, 0, 2).unwrap_err();
            assert!(error.to_string().contains("between 0 and 1"), "{error}");
        }
        assert!(matches!("two-best".parse::<PerturbationKind>(), Err(Error::UnknownPerturbation { .. })));
    }
}
