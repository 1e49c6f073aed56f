//! The names of numbers that stand beside a text, and what each is. To add one: a line of [`KNOWN`].

use crate::score_kind::ScoreKind;
use crate::score_part::ScorePart;
use crate::score_scale::ScoreScale;

/// A number beside a text that is known by its name.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) name: &'static str,
    pub(crate) kind: ScoreKind,
    pub(crate) role: Role,
}

/// What a number is to the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The score itself.
    Whole,
    /// One of several scores that are added up; of names of one part the first counts.
    Part(ScorePart),
}

const fn whole(name: &'static str, kind: ScoreKind) -> Known {
    Known { name, kind, role: Role::Whole }
}

const fn part(name: &'static str, kind: ScoreKind, part: ScorePart) -> Known {
    Known { name, kind, role: Role::Part(part) }
}

/// The known names, each line before those that it wins against: the whole score as a logarithm, parts that are added
/// up, costs, probabilities.
pub(crate) const KNOWN: &[Known] = {
    use ScoreKind::{Cost, Log, Probability};
    use ScorePart::{Acoustic, Attention, Ctc, Language, Transducer};
    &[
        whole("score", Log),
        whole("total_score", Log),
        whole("log_probability", Log),
        whole("log_prob", Log),
        whole("logprob", Log),
        whole("logp", Log),
        whole("log_likelihood", Log),
        whole("loglikelihood", Log),
        whole("avg_logprob", Log),
        whole("avg_log_prob", Log),
        whole("logit_score", Log),
        part("am_score", Log, Acoustic),
        part("ac_score", Log, Acoustic),
        part("acoustic_score", Log, Acoustic),
        part("acoustic", Log, Acoustic),
        part("am", Log, Acoustic),
        part("am_cost", Cost, Acoustic),
        part("ac_cost", Cost, Acoustic),
        part("acoustic_cost", Cost, Acoustic),
        part("att_score", Log, Attention),
        part("attention_score", Log, Attention),
        part("att", Log, Attention),
        part("attention", Log, Attention),
        part("decoder_score", Log, Attention),
        part("decoder", Log, Attention),
        part("ctc_score", Log, Ctc),
        part("ctc", Log, Ctc),
        part("transducer_score", Log, Transducer),
        part("rnnt_score", Log, Transducer),
        part("transducer", Log, Transducer),
        part("rnnt", Log, Transducer),
        part("lm_score", Log, Language),
        part("lm", Log, Language),
        part("lm_cost", Cost, Language),
        part("graph_cost", Cost, Language),
        whole("total_cost", Cost),
        whole("cost", Cost),
        whole("neg_log_prob", Cost),
        whole("neg_logprob", Cost),
        whole("neg_log_likelihood", Cost),
        whole("nll", Cost),
        whole("confidence", Probability),
        whole("Confidence", Probability),
        whole("conf", Probability),
        whole("probability", Probability),
        whole("prob", Probability),
        whole("posterior", Probability),
    ]
};

/// Whisper's name of a mean over the tokens.
pub(crate) const MEAN: &str = "avg_logprob";

impl Known {
    /// What scores of this name are logarithms of, where the name says it.
    pub(crate) fn scale(&self) -> ScoreScale {
        match (self.name, self.role, self.kind) {
            (MEAN | "avg_log_prob", ..) => ScoreScale::MeanPerToken,
            (_, _, ScoreKind::Probability) => ScoreScale::Posterior,
            (_, Role::Part(_), _) | ("logit_score" | "total_cost" | "cost", ..) => ScoreScale::Sum,
            _ => ScoreScale::Unknown,
        }
    }
}

/// What is known of a name.
pub(crate) fn known(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}

impl ScoreKind {
    /// What a number of this name is, where it is one of the known names of scores, or several of them in the plural.
    ///
    /// ```
    /// use rescorer_nbest::ScoreKind;
    ///
    /// assert_eq!(ScoreKind::of("confidence"), Some(ScoreKind::Probability));
    /// assert_eq!(ScoreKind::of("costs"), Some(ScoreKind::Cost));
    /// assert_eq!(ScoreKind::of("text"), None);
    /// ```
    pub fn of(name: &str) -> Option<Self> {
        let singular = name.strip_suffix('s').unwrap_or(name);
        known(name).or_else(|| known(singular)).map(|known| known.kind)
    }
}

/// Numbers that say where, how long or how many, never how good.
const OTHER: &[&str] = &[
    "id",
    "rank",
    "position",
    "first_pass_position",
    "index",
    "order",
    "n",
    "start",
    "begin",
    "end",
    "offset",
    "duration",
    "length",
    "time",
    "channel",
    "speaker",
    "segment",
    "tokens",
    "words",
    "count",
    "seed",
    "seek",
    "temperature",
    "compression_ratio",
    "no_speech_prob",
    "lm_score",
    "total",
    "wer",
    "cer",
];

/// Whether a number of this name may be a score that nobody read.
pub(crate) fn may_be_score(name: &str) -> bool {
    let counts = name.starts_with("num_") || name.starts_with("n_") || name.starts_with("Unnamed");
    !counts && !name.is_empty() && known(name).is_none() && !OTHER.contains(&name)
}
