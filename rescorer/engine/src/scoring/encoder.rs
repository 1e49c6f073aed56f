//! Scores by an encoder, which sees a text whole: nothing is shared but equal texts, and nothing is bounded.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use rescorer_models::{Adapter, Edge, LanguageModel, ScoreHead, TreeBatch};

use crate::error::{Error, SettingsError};
use crate::scoring::best_so_far::BestSoFar;
use crate::scoring::config::ScoringConfig;
use crate::scoring::deadline::{Anytime, Deadline, ROUND_NODES};
use crate::scoring::encoder_score::EncoderScore;
use crate::scoring::list::{ListScores, PreparedList, Scored, TextScore};
use crate::scoring::list_scorer::{Aim, Capabilities, ListScorer};
use crate::scoring::sequences::{Sequences, require_finite};

/// An encoder.
pub(crate) struct Encoder {
    sequences: Sequences,
}

impl ListScorer for Encoder {
    fn sequences(&self) -> &Sequences {
        &self.sequences
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { deadlines: self.sequences.model.device().is_cpu(), ..Capabilities::default() }
    }

    fn nodes(&self, texts: &[Vec<u32>], adapter: Option<&Arc<dyn Adapter>>) -> usize {
        // Where it can't be scored, scoring says so: training prepares its lists before there is a head.
        let score = self.encoder_score(adapter).unwrap_or(EncoderScore::Head);
        texts.iter().map(|text| score.nodes(text.len())).sum()
    }

    fn score(&self, lists: Vec<PreparedList>) -> Result<Scored, Error> {
        self.score_lists(lists)
    }

    fn score_texts(&self, texts: &[&[u32]], adapter: Option<&Arc<dyn Adapter>>) -> Result<Vec<f64>, Error> {
        let texts: Vec<EncodedText<'_>> =
            texts.iter().map(|tokens| EncodedText { tokens, adapter }).collect();
        Ok(self.score_encoded(&texts)?.0.iter().map(|score| score.lm_score).collect())
    }

    fn scores_texts_whole(&self, adapter: Option<&Arc<dyn Adapter>>) -> Result<bool, Error> {
        Ok(self.encoder_score(adapter)? == EncoderScore::Head)
    }

    /// Hypotheses in the order of the first pass.
    fn choose_within(
        &self,
        Aim { weighting, .. }: Aim<'_>,
        list: &PreparedList,
        deadline: &mut Deadline,
    ) -> Result<Anytime, Error> {
        let start = Instant::now();
        let (adapter, hypotheses) = (list.adapter.as_ref(), list.sequences.len());
        let score = self.encoder_score(adapter)?;
        let (mut standing, mut decided, mut nodes) = (BestSoFar::default(), 0, 0);
        while decided < hypotheses {
            let left = deadline.limit.saturating_sub(start.elapsed());
            let affordable = if left.is_zero() { 0 } else { deadline.affordable(left).min(ROUND_NODES) };
            let rest = &list.sequences[decided..];
            let mut costs = 0;
            let fitting = rest.iter().take_while(|tokens| {
                costs += score.nodes(tokens.len());
                costs <= affordable
            });
            let mut round = &rest[..fitting.count()];
            // One that is larger than a round has one of its own.
            if round.is_empty() && deadline.affordable(left) >= score.nodes(rest[0].len()) && !left.is_zero()
            {
                round = &rest[..1];
            }
            if round.is_empty() {
                break;
            }
            let texts: Vec<EncodedText<'_>> =
                round.iter().map(|tokens| EncodedText { tokens, adapter }).collect();
            let before = Instant::now();
            let (scores, computed) = self.score_encoded(&texts)?;
            deadline.learn(computed, before.elapsed());
            nodes += computed;
            for score in scores {
                require_finite(&list.name, list.position(decided), score.lm_score)?;
                standing.add(weighting, decided, list.candidate(decided, score.lm_score));
                decided += 1;
            }
        }
        if nodes == 0 {
            deadline.hope();
        }
        Ok(Anytime { choice: standing.into_choice(weighting, list), decided, hypotheses, nodes })
    }
}

impl Encoder {
    /// Checks that the model can score so.
    ///
    /// # Errors
    /// What is for decoders; as [`Sequences::new`].
    pub(crate) fn new(model: Arc<LanguageModel>, config: ScoringConfig) -> Result<Self, Error> {
        if !config.eos {
            return Err(SettingsError::EncoderWithoutEnd.into());
        }
        Ok(Self { sequences: Sequences::new(model, config)? })
    }
}

/// A text on its way to an encoder.
#[derive(Clone, Copy)]
struct EncodedText<'a> {
    /// Its tokens, without those that begin and end the sequence.
    pub tokens: &'a [u32],
    pub adapter: Option<&'a Arc<dyn Adapter>>,
}

/// A sequence of a batch: the text that it is for, and the token that is masked.
struct Sequence {
    text: usize,
    masked: Option<usize>,
}

impl Encoder {
    /// How texts with this adapter are scored: as the convention says, else by the adapter's score head, else by
    /// pseudo-log-likelihood.
    ///
    /// # Errors
    /// An adapter without a head, a checkpoint without one for masked tokens, where it is needed.
    fn encoder_score(&self, adapter: Option<&Arc<dyn Adapter>>) -> Result<EncoderScore, Error> {
        let has_head = self.score_head(adapter).is_some();
        let usual = if has_head { EncoderScore::Head } else { EncoderScore::Pll };
        let score = self.sequences.config.encoder.unwrap_or(usual);
        match score {
            EncoderScore::Head if !has_head => Err(SettingsError::NoScoreHead.into()),
            EncoderScore::Head if self.sequences.config.mean => Err(SettingsError::MeanOfHead.into()),
            EncoderScore::Head => Ok(score),
            _ if !self.sequences.model.predicts_tokens() => Err(SettingsError::NoMaskedHead.into()),
            EncoderScore::Pll if self.sequences.model.tokenizer().mask().is_none() => {
                Err(SettingsError::NoMask.into())
            }
            EncoderScore::Pll | EncoderScore::PllUnmasked => Ok(score),
        }
    }

    /// The head of an adapter, else that of the model.
    fn score_head<'a>(&'a self, adapter: Option<&'a Arc<dyn Adapter>>) -> Option<&'a ScoreHead> {
        adapter.and_then(|adapter| adapter.score_head()).or(self.sequences.model.score_head())
    }

    /// The scores of texts, and the nodes computed for them. What is asked for twice is computed once.
    fn score_encoded(&self, texts: &[EncodedText<'_>]) -> Result<(Vec<TextScore>, usize), Error> {
        let mut known: HashMap<(Option<*const ()>, &[u32]), usize> = HashMap::new();
        let mut distinct: Vec<(EncodedText<'_>, EncoderScore)> = Vec::new();
        let mut places = Vec::with_capacity(texts.len());
        for text in texts {
            let adapter = text.adapter.map(|adapter| Arc::as_ptr(adapter).cast::<()>());
            let next = distinct.len();
            let place = *known.entry((adapter, text.tokens)).or_insert(next);
            if place == next {
                distinct.push((*text, self.encoder_score(text.adapter)?));
            }
            places.push(place);
        }
        let mut scores: Vec<TextScore> = distinct.iter().map(|(text, _)| empty(text.tokens)).collect();
        let mut nodes = 0;
        for score in [EncoderScore::Pll, EncoderScore::PllUnmasked, EncoderScore::Head] {
            let mut waiting: Vec<Sequence> = Vec::new();
            let mut filled = 0;
            for text in (0..distinct.len()).filter(|&text| distinct[text].1 == score) {
                let tokens = distinct[text].0.tokens.len();
                let sequences: Vec<Sequence> = match score {
                    EncoderScore::Pll => {
                        (0..tokens).map(|place| Sequence { text, masked: Some(place) }).collect()
                    }
                    EncoderScore::PllUnmasked | EncoderScore::Head => vec![Sequence { text, masked: None }],
                };
                for sequence in sequences {
                    if !waiting.is_empty() && filled + tokens + 2 > self.sequences.model.node_budget() {
                        self.run_encoder(score, &distinct, &waiting, &mut scores)?;
                        waiting.clear();
                        nodes += std::mem::take(&mut filled);
                    }
                    filled += tokens + 2;
                    waiting.push(sequence);
                }
            }
            if !waiting.is_empty() {
                self.run_encoder(score, &distinct, &waiting, &mut scores)?;
                nodes += filled;
            }
        }
        for ((_, kind), score) in distinct.iter().zip(&mut scores) {
            if *kind != EncoderScore::Head {
                let sum = score.log_probs.iter().map(|&value| f64::from(value)).sum();
                score.lm_score = self.sequences.lm_score(sum, score.tokens.len());
            }
        }
        Ok((places.into_iter().map(|place| scores[place].clone()).collect(), nodes))
    }

    /// One forward pass.
    fn run_encoder(
        &self,
        score: EncoderScore,
        texts: &[(EncodedText<'_>, EncoderScore)],
        sequences: &[Sequence],
        scores: &mut [TextScore],
    ) -> Result<(), Error> {
        let mut batch = TreeBatch::default();
        for Sequence { text, masked } in sequences {
            let EncodedText { tokens, adapter } = texts[*text].0;
            let edge = |place: usize| Edge { node: place as u32 + 1, token: tokens[place] };
            let edges: Vec<Edge> = match (score, masked) {
                (EncoderScore::Head, _) => Vec::new(),
                (_, Some(place)) => vec![edge(*place)],
                (_, None) => (0..tokens.len()).map(edge).collect(),
            };
            batch.set_adapter(adapter.cloned());
            let mut ids = self.sequences.whole(tokens);
            if let (Some(place), Some(mask)) = (masked, self.sequences.model.tokenizer().mask()) {
                ids[place + 1] = mask;
            }
            batch.push_chain(&ids, &edges);
        }
        if score == EncoderScore::Head {
            let states = self.sequences.model.root_states(&batch)?;
            for (Sequence { text, .. }, state) in
                sequences.iter().zip(states.chunks_exact(self.sequences.model.d_model()))
            {
                let head = self.score_head(texts[*text].0.adapter);
                scores[*text].lm_score = head.ok_or(SettingsError::NoScoreHead)?.score(state);
            }
            return Ok(());
        }
        let mut values = self.sequences.model.edge_log_probs(&batch)?.into_iter();
        for Sequence { text, masked } in sequences {
            let count = if masked.is_some() { 1 } else { texts[*text].0.tokens.len() };
            scores[*text].log_probs.extend(values.by_ref().take(count));
        }
        Ok(())
    }

    /// Scores of prepared lists.
    fn score_lists(&self, lists: Vec<PreparedList>) -> Result<Scored, Error> {
        let texts: Vec<EncodedText<'_>> = lists
            .iter()
            .flat_map(|list| {
                let text = |tokens| EncodedText { tokens, adapter: list.adapter.as_ref() };
                list.sequences.iter().map(move |tokens| text(tokens))
            })
            .collect();
        let (scores, nodes) = self.score_encoded(&texts)?;
        let mut scores = scores.into_iter();
        let lists = lists.into_iter().map(|list| {
            let own: Vec<TextScore> = scores.by_ref().take(list.sequences.len()).collect();
            for (index, score) in own.iter().enumerate() {
                require_finite(&list.name, list.position(index), score.lm_score)?;
            }
            Ok(ListScores {
                distinct: list.distinct,
                words: list.words,
                features: list.features,
                scores: own,
                first_stage: None,
            })
        });
        Ok(Scored { lists: lists.collect::<Result<_, Error>>()?, nodes })
    }
}

/// A score that nothing is known of yet.
fn empty(tokens: &[u32]) -> TextScore {
    TextScore { tokens: tokens.to_vec(), log_probs: Vec::new(), lm_score: 0.0 }
}
