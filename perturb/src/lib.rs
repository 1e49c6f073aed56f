//! Word alignment, word error rate and its significance.
//!
//! Texts are sequences of words, `&[&str]`; [`words`] makes them from a text, after
//! [`Normalization`] where that is asked for, and [`Unit::split`] makes characters, for languages
//! without spaces. [`ReferenceCheck`] tells of references that make a rate wrong. [`word_errors`] counts the errors behind every word
//! error rate, [`Wer`] pools them over a corpus, and [`align`] tells substitutions, deletions and
//! insertions apart as sclite does. [`wer_interval`] says how sure a rate is; [`mapsswe()`] and
//! [`paired_bootstrap`] say whether two systems differ.
//!
//! ```
//! use rescorer_perturb::{DRAWS, UtteranceErrors, Wer, wer_interval, words};
//!
//! let pairs = [("turn left here", "turn left here"), ("no it is not", "no is it not")];
//! let rows: Vec<_> = pairs
//!     .iter()
//!     .map(|(reference, hypothesis)| UtteranceErrors::count(&words(reference), &words(hypothesis)))
//!     .collect();
//! let wer: Wer = rows.iter().copied().collect();
//! assert_eq!(wer.errors, 2);
//! let interval = wer_interval(&rows, None, DRAWS, 1)?;
//! assert_eq!((interval.low, interval.high), (0.0, 50.0));
//! # Ok::<(), rescorer_perturb::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod align;
#[cfg(feature = "audio")]
mod audio;
mod bootstrap;
mod diagnostics;
mod edit;
mod error;
mod hallucination;
mod homophones;
mod letter_to_sound;
mod lexicon;
mod mapsswe;
mod metric;
mod normalize;
mod nprr;
mod paired;
mod perturbation;
mod references;
mod report;
mod script;
mod unit;
mod vocabulary;
mod wer;

pub use align::{Alignment, EditOp, ErrorCounts, align};
#[cfg(feature = "audio")]
pub use audio::{Audio, AudioPerturbation, AudioReport, Noise, SampleFormat};
pub use bootstrap::{DRAWS, Interval, group_numbers, wer_interval};
pub use diagnostics::{Confusion, Diagnostics, Differences, ErrorsReport, ListReport, OracleAt, Spread};
pub use edit::word_errors;
pub use error::Error;
pub use hallucination::{ConfusionTable, Hallucinator};
pub use homophones::{Homophone, HomophoneOptions, Homophones};
pub use letter_to_sound::LetterToSound;
pub use lexicon::{Lexicon, Phone, Pronunciation};
pub use mapsswe::{Mapsswe, mapsswe};
pub use metric::Metric;
pub use normalize::{Normalization, spoken, words};
pub use nprr::{
    NPRR_DEFINITION, NPRR_VERSION, Nprr, NprrDifference, RobustnessErrors, gain_kept, nprr, nprr_difference,
};
pub use paired::{PairedBootstrap, paired_bootstrap, werr_interval};
pub use perturbation::{
    HypothesisReplacement, Perturbation, PerturbationKind, Perturbed, PerturbedText, Replacement, WordCounts,
};
pub use references::{Example, MarkedReference, ReferenceCheck, ReferenceFinding, ReferenceKind};
pub use report::ErrorReport;
pub use unit::Unit;
pub use vocabulary::{Term, TermMatch, Vocabulary, VocabularyNotice, VocabularyOptions};
pub use wer::{UtteranceErrors, Wer, oracle_errors};
