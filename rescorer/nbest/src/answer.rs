//! What is written of one utterance.

use crate::{Error, Hypothesis, NBest, Utterance};

/// The lines of an answer to one utterance, the winner first: of a second pass, or the list as it is.
///
/// ```
/// use rescorer_nbest::{Answer, AnswerLine, NBest, OutputContent, OutputFormat, Utterance};
///
/// let utterance = Utterance::new("u1", NBest::from_texts(["a cat", "a hat"])?);
/// let winner = AnswerLine { position: 1, lm_score: Some(-7.5), total: Some(-4.25) };
/// let answer = Answer::new(&utterance, vec![winner])?;
/// let mut encoder = OutputFormat::Kaldi.encoder(OutputContent::default());
/// assert_eq!(encoder.encode(&answer)?, b"u1 a hat\n");
/// assert!(encoder.finish()?.is_empty());
/// # Ok::<(), rescorer_nbest::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<'a> {
    utterance: &'a Utterance,
    lines: Vec<AnswerLine>,
    confidence: Option<f64>,
}

/// One hypothesis of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AnswerLine {
    /// Its position in the first-pass list.
    pub position: usize,
    /// The language-model score, after a second pass.
    pub lm_score: Option<f64>,
    /// The fused score, after a second pass.
    pub total: Option<f64>,
}

/// What numbers of a second pass are called, as fields of a hypothesis and as columns.
pub(crate) const OF_SECOND_PASS: [&str; 4] = ["first_pass_position", "lm_score", "total", "confidence"];

impl<'a> Answer<'a> {
    /// An answer of these lines, the winner first.
    ///
    /// # Errors
    /// [`Error::AnswerLine`] if there is no line, or one whose position or scores cannot be.
    pub fn new(utterance: &'a Utterance, lines: Vec<AnswerLine>) -> Result<Self, Error> {
        let fail = |reason: String| Err(Error::AnswerLine { utterance: utterance.id.clone(), reason });
        if lines.is_empty() {
            return fail("there is none; give the winner's at least".to_owned());
        }
        for AnswerLine { position, lm_score, total } in &lines {
            if *position >= utterance.nbest.len() {
                return fail(format!("position {position} is not in the list of {}", utterance.nbest.len()));
            }
            if let Some(score) = lm_score.iter().chain(total).find(|score| !score.is_finite()) {
                return fail(format!("position {position} has the score {score}, which is not finite"));
            }
        }
        Ok(Self { utterance, lines, confidence: None })
    }

    /// The list as it is, in first-pass order.
    pub fn first_pass(utterance: &'a Utterance) -> Self {
        let line = |position| AnswerLine { position, ..AnswerLine::default() };
        Self { utterance, lines: (0..utterance.nbest.len()).map(line).collect(), confidence: None }
    }

    /// With the posterior of the winner.
    pub fn with_confidence(mut self, confidence: f64) -> Self {
        self.confidence = Some(confidence);
        self
    }

    /// The utterance.
    pub fn utterance(&self) -> &'a Utterance {
        self.utterance
    }

    /// The posterior of the winner, where it is known.
    pub fn confidence(&self) -> Option<f64> {
        self.confidence
    }

    /// The lines with their hypotheses, the winner first.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = (&AnswerLine, &'a Hypothesis)> {
        let listed = self.utterance.nbest.hypotheses();
        self.lines.iter().map(|line| (line, &listed[line.position]))
    }

    /// The hypothesis that won.
    pub fn winner(&self) -> &'a Hypothesis {
        &self.utterance.nbest.hypotheses()[self.lines[0].position]
    }

    /// The utterance with these hypotheses in this order; scores of a second pass are fields of theirs.
    pub(crate) fn to_utterance(&self) -> Result<Utterance, Error> {
        let hypotheses = self.lines().map(|(line, hypothesis)| {
            let mut hypothesis = hypothesis.clone();
            for (name, score) in line.scores() {
                hypothesis.extra.insert(name.to_owned(), score.into());
            }
            hypothesis
        });
        let Utterance { id, reference, context, extra, .. } = self.utterance.clone();
        Ok(Utterance { id, nbest: NBest::new(hypotheses.collect())?, reference, context, extra })
    }
}

impl AnswerLine {
    /// The scores of a second pass that are there, with their names in files.
    pub(crate) fn scores(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let named = [("lm_score", self.lm_score), ("total", self.total)];
        named.into_iter().filter_map(|(name, score)| Some((name, score?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_must_be_of_the_list() {
        let utterance = Utterance::new("u1", NBest::from_texts(["a", "b"]).unwrap());
        let refusal = |lines| Answer::new(&utterance, lines).unwrap_err().to_string();
        let line = |position, total| AnswerLine { position, total, ..AnswerLine::default() };
        let begin = "cannot write the answer to utterance \"u1\": ";
        assert_eq!(refusal(vec![]), format!("{begin}there is none; give the winner's at least"));
        assert_eq!(
            refusal(vec![line(1, None), line(2, None)]),
            format!("{begin}position 2 is not in the list of 2")
        );
        assert!(refusal(vec![line(0, Some(f64::NAN))]).contains("the score NaN, which is not finite"));
        assert_eq!(Answer::new(&utterance, vec![line(1, None)]).unwrap().winner().text, "b");
    }
}
