//! The WER on the dev lists in the course of a training.

use std::time::Instant;

use super::event::DevReport;
use super::trainer::Trainer;
use crate::error::Error;
use crate::fusion::tuning::grid::{cross_validate, tune};
use crate::fusion::tuning::scored_reference::ScoredReference;
use crate::fusion::weighting::Weighting;
use crate::scoring::adapters::AdapterSet;
use crate::scoring::need::Need;

impl Trainer {
    /// The best look at the dev lists of the last stage, with the features of their hypotheses, taken anew where it was before a
    /// break; `None` without dev lists.
    ///
    /// # Errors
    /// As scoring.
    pub fn final_look(&mut self) -> Result<Option<(DevReport, Vec<ScoredReference>)>, Error> {
        if self.last_dev.is_none() && !self.set.dev.is_empty() {
            self.progress.best = None;
            self.look(0)?;
        }
        // The looks themselves are classic and need no features.
        Ok(self.last_dev.take().map(|(report, judged)| {
            let judged =
                judged.into_iter().zip(&self.set.dev).map(|(list, utterance)| list.featured(utterance));
            (report, judged.collect())
        }))
    }

    /// Looks at the dev lists.
    pub(super) fn look(&mut self, step: usize) -> Result<DevReport, Error> {
        let started = Instant::now();
        let scorer = self.scorer.clone().with_adapters(AdapterSet::one(self.trainable.snapshot()));
        let utterances = self.set.dev.iter().map(|utterance| Ok::<_, Error>(utterance.clone()));
        let judged = scorer.score_stream_as(Need::Answers, utterances, false).map(|scored| {
            let (utterance, scores) = scored?;
            ScoredReference::without_features(&utterance, &scores, self.recipe.data.metric())
        });
        let judged = judged.collect::<Result<Vec<ScoredReference>, Error>>()?;
        let tuned = tune(&judged)?;
        let words: usize = judged.iter().map(|list| list.reference_words).sum();
        let percent = |errors: usize| 100.0 * errors as f64 / words.max(1) as f64;
        let rescored_wer = match cross_validate(&judged, 5, self.recipe.seed) {
            Ok(fusions) => {
                let errors = judged
                    .iter()
                    .zip(&fusions)
                    .map(|(list, fusion)| list.rescored(&Weighting::Classic(*fusion)).errors);
                percent(errors.sum())
            }
            // Too few lists for five folds.
            Err(Error::Folds { .. }) => tuned.rescored_wer,
            Err(error) => return Err(error),
        };
        let is_best = self.progress.best.is_none_or(|best| rescored_wer < best);
        if is_best {
            self.progress.best = Some(rescored_wer);
            self.progress.looks_since_best = 0;
            self.best = self.trainable.values();
        } else {
            self.progress.looks_since_best += 1;
        }
        let report = DevReport {
            stage: self.progress.stage + 1,
            step,
            first_pass_wer: tuned.first_pass_wer,
            rescored_wer,
            oracle_wer: percent(judged.iter().map(|list| list.oracle().errors).sum()),
            fusion: tuned.fusion,
            is_best,
            seconds: started.elapsed().as_secs_f64(),
        };
        if is_best {
            self.last_dev = Some((report.clone(), judged));
        }
        Ok(report)
    }
}
