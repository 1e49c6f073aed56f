use std::sync::Arc;

use rescorer_models::{Adapter, LanguageModel, TreeBatch};
use rescorer_nbest::{Distinct, NBest};
use rescorer_perturb::Unit;

use crate::error::{Error, SettingsError};
use crate::fusion::policy::ModelIdentity;
use crate::fusion::weights::{Candidate, Fusion};
use crate::scoring::adapters::AdapterSet;
use crate::scoring::cascade::{Cascade, FirstStageScores};
use crate::scoring::config::ScoringConfig;
use crate::scoring::decoder::grouping::Group;
use crate::scoring::decoder::prefix_cache::{PrefixCache, PrefixState};
use crate::scoring::decoder::trie::TokenTrie;
#[cfg(feature = "training")]
use crate::scoring::encoder::EncodedText;
use crate::scoring::need::Need;
use crate::scoring::prepare::PreparedList;

/// Lists that are scored together where only their sequences are at hand.
#[cfg(feature = "training")]
const WINDOW_LISTS: usize = 64;

/// Tokens of a text with their log-probabilities.
#[derive(Debug, Clone, PartialEq)]
pub struct TextScore {
    /// Token ids, without BOS, with EOS where it is scored.
    pub tokens: Vec<u32>,
    /// `ln p(token | everything before)`, one for every token; of an encoder `ln p(token | the others)`. None where a score head gives
    /// one number for the whole text.
    pub log_probs: Vec<f32>,
    /// The score under the convention: their sum, or their mean; or that number.
    pub lm_score: f64,
}

/// The scores of a list: one for every distinct hypothesis, or none where the model was not asked.
#[derive(Debug, Clone, PartialEq)]
pub struct ListScores {
    /// The distinct hypotheses.
    pub distinct: Distinct,
    /// Their words, or other units that a length bonus is for, in the same order.
    pub words: Vec<usize>,
    /// Their scores, in the same order. Empty where the answer needs none, see [`Need`].
    pub scores: Vec<TextScore>,
    /// What the rescorer before knows of the list, where there is one. Of a settled list all scores are its own.
    pub first_stage: Option<FirstStageScores>,
}

impl ListScores {
    /// Whether the model was asked about the list.
    pub fn is_scored(&self) -> bool {
        !self.scores.is_empty()
    }

    /// The weights that the list is answered with: those of the rescorer before, where its answer stands.
    pub(crate) fn weights<'a>(&'a self, fusion: &'a Fusion) -> &'a Fusion {
        self.first_stage.as_ref().filter(|known| known.exits_early).map_or(fusion, |known| &known.fusion)
    }

    /// Whether totals under these weights are known.
    pub(crate) fn has_totals(&self, fusion: &Fusion) -> bool {
        self.is_scored() || !Need::of(self.weights(fusion)).asks(usize::MAX)
    }

    /// Refuses what was prepared for weights that need fewer scores.
    pub(crate) fn require_scores(&self, fusion: &Fusion) -> Result<(), Error> {
        let needed = Need::of(self.weights(fusion)).asks(self.distinct.hypotheses().len());
        if needed && !self.is_scored() { Err(Error::Unscored) } else { Ok(()) }
    }
}

/// What fusion needs of the distinct hypotheses of a list. Where the model was not asked its scores count nothing, and are 0.
pub fn candidates(scores: &ListScores) -> Vec<Candidate> {
    let early_exit = scores.first_stage.as_ref().filter(|known| known.exits_early).map(|known| known.fusion);
    let distinct = scores.distinct.hypotheses().iter().zip(&scores.words).enumerate();
    distinct
        .map(|(index, (hypothesis, &words))| Candidate {
            first_pass: hypothesis.first_pass,
            lm_score: scores.scores.get(index).map_or(0.0, |score| score.lm_score),
            words,
            early_exit,
        })
        .collect()
}

/// Lists that were scored together.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// Their scores, in the order in which they were given.
    pub lists: Vec<ListScores>,
    /// Trie nodes that were computed; beginnings that lists have in common count once, contexts not.
    pub nodes: usize,
}

/// Scores texts and lists with a language model under a config.
#[derive(Clone)]
pub struct Scorer {
    pub(crate) model: Arc<LanguageModel>,
    config: ScoringConfig,
    bos: u32,
    pub(crate) eos: Option<u32>,
    pub(crate) adapters: AdapterSet,
    contexts: Arc<PrefixCache>,
    pub(crate) cascade: Option<Arc<Cascade>>,
    pub(crate) unit: Unit,
}

impl Scorer {
    /// Checks that the model can score under this config.
    ///
    /// # Errors
    /// No BOS or EOS where one is needed, or a BOS outside the vocabulary; what is for encoders with a decoder, and the other way
    /// round.
    pub fn new(model: Arc<LanguageModel>, config: ScoringConfig) -> Result<Self, Error> {
        let tokenizer = model.tokenizer();
        let bos = config.bos.or(tokenizer.bos()).or(tokenizer.eos()).ok_or(SettingsError::NoBos)?;
        if bos as usize >= model.vocab_size() {
            return Err(SettingsError::BosOutside { id: bos, vocab_size: model.vocab_size() }.into());
        }
        if !config.eos && model.is_bidirectional() {
            return Err(SettingsError::EncoderWithoutEnd.into());
        }
        if config.encoder.is_some() && !model.is_bidirectional() {
            return Err(SettingsError::NotAnEncoder.into());
        }
        let eos = match config.eos {
            true => Some(tokenizer.eos().ok_or(SettingsError::NoEos)?),
            false => None,
        };
        Ok(Self {
            model,
            config,
            bos,
            eos,
            adapters: AdapterSet::default(),
            contexts: Arc::default(),
            cascade: None,
            unit: Unit::Word,
        })
    }

    /// Counts other units than words in hypotheses: what a length bonus is for. A rescorer before this one counts them too.
    #[must_use]
    pub fn with_unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    /// What is counted in hypotheses.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// The same scorer with adapters: the first is for all lists that ask for none by name.
    pub fn with_adapters(self, adapters: AdapterSet) -> Self {
        Self { adapters, ..self }
    }

    /// The same scorer behind another rescorer, which is asked first.
    pub fn behind(self, cascade: Cascade) -> Self {
        Self { cascade: Some(Arc::new(cascade)), ..self }
    }

    /// The rescorer that is asked first, where there is one.
    pub fn cascade(&self) -> Option<&Cascade> {
        self.cascade.as_deref()
    }

    /// The adapter of lists that ask for none, for a policy.
    pub fn adapter_identity(&self) -> Option<ModelIdentity> {
        let default = self.adapters.default_adapter()?;
        let name = self.adapters.named().first().map(|(name, _)| name.clone()).unwrap_or_default();
        Some(ModelIdentity { name, fingerprint: default.fingerprint().unwrap_or_default().to_owned() })
    }

    /// Whether lists may ask for adapters.
    pub(crate) fn has_adapters(&self) -> bool {
        !self.adapters.named().is_empty()
    }

    /// The model.
    pub fn model(&self) -> &Arc<LanguageModel> {
        &self.model
    }

    /// What a score means.
    pub fn config(&self) -> &ScoringConfig {
        &self.config
    }

    /// A text with the tokens that begin and end a sequence.
    pub(crate) fn sequence(&self, tokens: &[u32]) -> Vec<u32> {
        std::iter::once(self.bos).chain(tokens.iter().copied()).chain(self.eos).collect()
    }

    pub(crate) fn tries(
        &self,
        context: &[u32],
        sequences: &[impl AsRef<[u32]>],
        max_nodes: usize,
    ) -> Vec<TokenTrie> {
        TokenTrie::build(sequences, context.last().copied().unwrap_or(self.bos), self.eos, max_nodes)
    }

    /// What stands before the roots of tries with this context; on the CPU it is computed.
    pub(crate) fn beginning(
        &self,
        context: &[u32],
        adapter: Option<&Arc<dyn Adapter>>,
    ) -> Result<PrefixState, Error> {
        if context.is_empty() || !self.model.device().is_cpu() {
            return Ok(PrefixState::new(self.bos, context, adapter.cloned()));
        }
        self.contexts.computed(&self.model, self.bos, context, adapter.cloned())
    }

    /// The score under the convention of `edges` log-probabilities with this sum.
    pub(crate) fn lm_score(&self, sum: f64, edges: usize) -> f64 {
        if self.config.mean { sum / edges.max(1) as f64 } else { sum }
    }

    /// Scores prepared lists; those that were prepared without a need for scores get none. What their hypotheses have in common is computed once, within a list and
    /// between lists; by an encoder, which has no beginnings, the same text once.
    ///
    /// # Errors
    /// The model fails, or gives what is not a log-probability.
    pub fn score(&self, lists: Vec<PreparedList>) -> Result<Scored, Error> {
        match &self.cascade {
            Some(cascade) => cascade.score(self, lists),
            None => self.score_alone(lists),
        }
    }

    /// Without the rescorer before.
    pub(crate) fn score_alone(&self, lists: Vec<PreparedList>) -> Result<Scored, Error> {
        if self.model.is_bidirectional() {
            return self.score_encoded_lists(lists);
        }
        let budget = self.model.node_budget();
        let sequences: Vec<&Vec<u32>> = lists.iter().flat_map(|list| &list.sequences).collect();
        let mut log_probs = vec![Vec::new(); sequences.len()];
        let mut nodes = 0;
        let mut compute = |tries: &[Group]| -> Result<(), Error> {
            nodes += tries.iter().map(|own| own.trie.nodes()).sum::<usize>();
            let values = self.compute(tries)?;
            let mut first = 0;
            for Group { trie, sequences, .. } in tries {
                for (sequence, path) in trie.paths() {
                    let values = path.iter().map(|&edge| values[first + edge as usize]);
                    log_probs[sequences[*sequence]] = values.collect();
                }
                first += trie.edges();
            }
            Ok(())
        };
        // Tries of different adapters share a batch where they fit into one; those with a context have one each.
        let mut waiting: Vec<Group> = Vec::new();
        for trie in self.grouped_tries(&lists, &sequences) {
            if !trie.context.is_empty() {
                compute(&[trie])?;
                continue;
            }
            let filled: usize = waiting.iter().map(|waiting| waiting.trie.nodes()).sum();
            if !waiting.is_empty() && filled + trie.trie.nodes() > budget {
                compute(&waiting)?;
                waiting.clear();
            }
            waiting.push(trie);
        }
        if !waiting.is_empty() {
            compute(&waiting)?;
        }
        let mut log_probs = log_probs.into_iter();
        let lists = lists.into_iter().map(|list| self.collect(list, &mut log_probs));
        Ok(Scored { lists: lists.collect::<Result<_, _>>()?, nodes })
    }

    /// Log-probabilities of the edges of tries. One with a context comes alone.
    fn compute(&self, tries: &[Group]) -> Result<Vec<f32>, Error> {
        if let [Group { trie, adapter, context, .. }] = tries
            && !context.is_empty()
        {
            let beginning = self.beginning(context, adapter.as_ref())?;
            let before = beginning.before();
            let PrefixState { mut batch, mut past } = beginning;
            trie.push_behind(before, &mut batch);
            return Ok(match self.model.device().is_cpu() {
                true => self.model.continued_log_probs(&batch, &mut past)?,
                false => self.model.edge_log_probs(&batch)?,
            });
        }
        let mut batch = TreeBatch::default();
        for Group { trie, adapter, .. } in tries {
            batch.set_adapter(adapter.clone());
            trie.push_to(&mut batch);
        }
        Ok(self.model.edge_log_probs(&batch)?)
    }

    /// Scores of token sequences, list by list, with the first of the adapters.
    #[cfg(feature = "training")]
    pub(crate) fn score_sequences<'a>(
        &self,
        lists: impl Iterator<Item = &'a [Vec<u32>]>,
    ) -> Result<Vec<Vec<f64>>, Error> {
        let score = |sequences: &[Vec<u32>]| -> Result<Vec<f64>, Error> {
            if self.model.is_bidirectional() {
                let adapter = self.adapters.default_adapter();
                let texts: Vec<EncodedText<'_>> =
                    sequences.iter().map(|tokens| EncodedText { tokens, adapter }).collect();
                return Ok(self.score_encoded(&texts)?.0.iter().map(|score| score.lm_score).collect());
            }
            let mut scores = vec![0.0; sequences.len()];
            for trie in self.tries(&[], sequences, self.model.node_budget()) {
                let mut batch = TreeBatch::default();
                batch.set_adapter(self.adapters.default_adapter().cloned());
                trie.push_to(&mut batch);
                let values = self.model.edge_log_probs(&batch)?;
                for (sequence, path) in trie.paths() {
                    let sum = path.iter().map(|&edge| f64::from(values[edge as usize])).sum();
                    scores[*sequence] = self.lm_score(sum, path.len());
                }
            }
            Ok(scores)
        };
        // Several lists together, so that batches are full.
        let lists: Vec<&[Vec<u32>]> = lists.collect();
        let mut scores = Vec::with_capacity(lists.len());
        for lists in lists.chunks(WINDOW_LISTS) {
            let all: Vec<Vec<u32>> = lists.concat();
            let mut values = score(&all)?.into_iter();
            scores.extend(lists.iter().map(|list| values.by_ref().take(list.len()).collect::<Vec<f64>>()));
        }
        Ok(scores)
    }

    /// Scores one list.
    ///
    /// # Errors
    /// As [`Scorer::prepare`] and [`Scorer::score`].
    pub fn score_list(&self, nbest: &NBest) -> Result<ListScores, Error> {
        self.score_one(self.prepare("(list)", nbest)?)
    }

    /// Scores one prepared list.
    pub(crate) fn score_one(&self, prepared: PreparedList) -> Result<ListScores, Error> {
        Ok(self.score(vec![prepared])?.lists.remove(0))
    }

    /// Takes the log-probabilities of a list from those of all.
    fn collect(
        &self,
        list: PreparedList,
        log_probs: &mut impl Iterator<Item = Vec<f32>>,
    ) -> Result<ListScores, Error> {
        let PreparedList { name, distinct, sequences, words, .. } = list;
        let hypotheses = distinct.hypotheses().iter().zip(sequences).zip(log_probs);
        let scores = hypotheses.map(|((hypothesis, mut tokens), log_probs)| -> Result<_, Error> {
            tokens.extend(self.eos);
            let sum: f64 = log_probs.iter().map(|&value| f64::from(value)).sum();
            let lm_score = self.lm_score(sum, tokens.len());
            require_finite(&name, hypothesis.position, lm_score)?;
            Ok(TextScore { tokens, log_probs, lm_score })
        });
        Ok(ListScores { scores: scores.collect::<Result<_, _>>()?, words, distinct, first_stage: None })
    }
}

/// Refuses what is no sum of log-probabilities.
pub(crate) fn require_finite(list: &str, position: usize, value: f64) -> Result<(), Error> {
    if value.is_finite() {
        return Ok(());
    }
    Err(Error::NotFinite { subject: format!("utterance {list:?}, position {position}"), value })
}
