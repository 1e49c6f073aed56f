use std::sync::Arc;

use rescorer_nbest::Utterance;

use super::data::Example;
use super::recipe::Recipe;
use super::stage::Stage;
use super::teacher::Teacher;
use super::text::TextCorpus;
use crate::error::Error;
use crate::scoring::scorer::Scorer;

/// The lists and the text of a training, in the form that it reads.
#[derive(Default)]
pub struct TrainingSet {
    pub(super) examples: Vec<Example>,
    pub(super) dev: Vec<Utterance>,
    pub(super) text: Option<Arc<TextCorpus>>,
    teacher: Option<Teacher>,
}

impl TrainingSet {
    /// A set whose lists have scores to learn from.
    pub fn with_teacher(teacher: Teacher) -> Self {
        Self { teacher: Some(teacher), ..Self::default() }
    }

    /// Trains on a text too, or on it alone.
    #[must_use]
    pub fn with_text(self, text: TextCorpus) -> Self {
        Self { text: Some(Arc::new(text)), ..self }
    }

    /// Adds a list to train on.
    ///
    /// # Errors
    /// No reference where a stage needs one; a text longer than the model's context, or one that the teacher has no score for.
    pub fn add(&mut self, scorer: &Scorer, recipe: &Recipe, utterance: &Utterance) -> Result<(), Error> {
        if utterance.reference.is_none() && recipe.stages()?.iter().any(Stage::needs_references) {
            return Err(Error::NoReference { id: utterance.id.clone() });
        }
        self.examples.push(Example::new(scorer, utterance, recipe.data.metric(), self.teacher.as_ref())?);
        Ok(())
    }

    /// Adds a list that the WER is watched on.
    ///
    /// # Errors
    /// No reference; a text longer than the model's context.
    pub fn add_dev(&mut self, scorer: &Scorer, utterance: Utterance) -> Result<(), Error> {
        if utterance.reference.is_none() {
            return Err(Error::NoReference { id: utterance.id });
        }
        scorer.prepare_utterance(&utterance)?;
        self.dev.push(utterance);
        Ok(())
    }

    /// The lists to train on.
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// Number of lists to train on.
    pub fn len(&self) -> usize {
        self.examples.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.examples.is_empty()
    }

    /// Lists that the WER is watched on.
    pub fn dev_len(&self) -> usize {
        self.dev.len()
    }
}
