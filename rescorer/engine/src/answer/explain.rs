use rescorer_nbest::Utterance;
use rescorer_perturb::{EditOp, align};
use serde::Serialize;

use crate::error::Error;
use crate::fusion::features::Feature;
use crate::fusion::weighting::Weighting;
use crate::fusion::weights::Candidate;
use crate::scoring::list::ListScores;
use crate::scoring::list::PreparedList;
use crate::scoring::list::candidates;
use crate::second_pass::SecondPass;

/// Why one hypothesis is ahead of another: its lead in total, taken apart.
///
/// `lead = first_pass + length_bonus + Σ features + Σ (model + adapter) + whole`, the last sum over the tokens of both texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Position of the hypothesis whose lead it is.
    pub position: usize,
    /// Its text.
    pub text: String,
    /// Position of the one it is compared with.
    pub against: usize,
    /// The text of that.
    pub against_text: String,
    /// The difference of the totals.
    pub lead: f64,
    /// What the first pass gives to it.
    pub first_pass: f64,
    /// What the numbers of words give to it.
    pub length_bonus: f64,
    /// What features give to it that the model has no part in, where features are weighed. Then first pass and length give nothing by
    /// themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<FeatureShare>,
    /// What the tokens give to it, in the order of the texts. Where a score head gives one number for a text, that of a token is what
    /// the score loses without it (leave one out), and the adapter's, since without it there is no head.
    pub tokens: Vec<TokenShare>,
    /// What a score head gives beyond that to the texts as wholes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whole: Option<f64>,
}

/// What a place of the texts gives to the lead.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TokenShare {
    /// The token there, if there is one.
    pub piece: Option<String>,
    /// That of the other text.
    pub against: Option<String>,
    /// What the model without its adapter gives: `lm_weight` times the difference of the log-probabilities, where a token that is
    /// missing has none. Where features are weighed, what those of the model give together, by the tokens' differences.
    pub model: f64,
    /// What the adapter adds to that.
    pub adapter: f64,
}

/// What a feature gives to the lead.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeatureShare {
    /// Name of the feature.
    pub feature: &'static str,
    /// Its weight times the difference of the values.
    pub share: f64,
}

/// What the lead of one candidate over another consists of, before the model's part is laid on tokens.
struct Parts {
    first_pass: f64,
    length_bonus: f64,
    features: Vec<FeatureShare>,
    /// What a nat of the model counts.
    of_model: f64,
}

impl Parts {
    fn new(weighting: &Weighting, candidates: &[Candidate], one: usize, other: usize) -> Self {
        let [one, other] = [&candidates[one], &candidates[other]];
        match weighting {
            Weighting::Classic(fusion) => Self {
                first_pass: one.first_pass - other.first_pass,
                length_bonus: fusion.length_bonus * (one.words as f64 - other.words as f64),
                features: Vec::new(),
                of_model: fusion.lm_weight,
            },
            Weighting::Features(fusion) => {
                let (values, others) = (one.values(&candidates[0]), other.values(&candidates[0]));
                let share = |feature: Feature| {
                    fusion.weight(feature) * (values[feature.index()] - others[feature.index()])
                };
                let (of_model, rest): (Vec<Feature>, Vec<Feature>) =
                    Feature::ALL.into_iter().partition(|feature| Feature::OF_MODEL.contains(feature));
                let features = rest.into_iter().map(|feature| (feature, share(feature)));
                let features = features.filter(|(_, share)| *share != 0.0);
                // The model's features bend what a nat counts; this is the mean over the nats between both.
                let apart = one.lm_score - other.lm_score;
                let given: f64 = of_model.into_iter().map(share).sum();
                Self {
                    first_pass: 0.0,
                    length_bonus: 0.0,
                    features: features
                        .map(|(feature, share)| FeatureShare { feature: feature.name(), share })
                        .collect(),
                    of_model: if apart == 0.0 { 0.0 } else { given / apart },
                }
            }
        }
    }
}

impl Explanation {
    /// What the language model without its adapter gives.
    pub fn model(&self) -> f64 {
        self.tokens.iter().map(|token| token.model).sum()
    }

    /// What the adapter adds.
    pub fn adapter(&self) -> f64 {
        self.tokens.iter().map(|token| token.adapter).sum::<f64>() + self.whole.unwrap_or(0.0)
    }
}

impl SecondPass {
    /// Takes the lead of the hypothesis at `position` over the one `against` it apart, which may be negative. `scores` are those of
    /// the list, all of them, as [`Scorer::score`](crate::scoring::Scorer::score) gives them; where an adapter took part, the model alone is asked again.
    ///
    /// # Errors
    /// A position that the list does not have; two that have the same text; as [`Scorer::score`](crate::scoring::Scorer::score).
    pub fn explain(
        &self,
        utterance: &Utterance,
        scores: &ListScores,
        position: usize,
        against: usize,
    ) -> Result<Explanation, Error> {
        let scorer = self.scorer();
        if !scores.is_scored() {
            return Err(Error::Unscored);
        }
        if scores.first_stage.as_ref().is_some_and(|known| known.exits_early) {
            return Err(Error::EarlyExit { id: utterance.id.clone() });
        }
        let listed = scores.distinct.listed();
        let index = |position: usize| {
            listed.get(position).copied().ok_or_else(|| Error::Position {
                id: utterance.id.clone(),
                position,
                count: listed.len(),
            })
        };
        let [one, other] = [index(position)?, index(against)?];
        if one == other {
            return Err(Error::SameText { id: utterance.id.clone(), position, against });
        }
        let prepared = scorer.prepare_utterance(utterance)?;
        let has_head = scorer.list_scorer().scores_texts_whole(prepared.adapter.as_ref())?;
        let left_out: Vec<Vec<f32>> = if has_head {
            let texts = [one, other].map(|index| &*scores.scores[index].tokens);
            self.losses_without_tokens(
                texts,
                [one, other].map(|index| scores.scores[index].lm_score),
                &prepared,
            )?
        } else {
            Vec::new()
        };
        let asked = match &prepared.adapter {
            Some(_) if !has_head => scorer.score(vec![prepared.with_adapter(None)])?.lists.pop(),
            _ => None,
        };
        let bare = asked.as_ref().unwrap_or(scores);
        let candidates = candidates(scores);
        let Parts { first_pass, length_bonus, features, of_model } =
            Parts::new(self.weighting(), &candidates, one, other);
        let side = |index: usize| {
            let (scored, bare) = (&scores.scores[index], &bare.scores[index]);
            let weight = scorer.sequences().lm_score(of_model, scored.tokens.len());
            Side { tokens: &scored.tokens, scored: &scored.log_probs, bare: Some(&bare.log_probs), weight }
        };
        let of_head = |which: usize, index: usize| Side {
            tokens: &scores.scores[index].tokens,
            scored: &left_out[which],
            bare: None,
            weight: of_model,
        };
        let tokens = match has_head {
            true => self.shares(&of_head(0, one), &of_head(1, other)),
            false => self.shares(&side(one), &side(other)),
        };
        let of_tokens: f64 = tokens.iter().map(|token| token.model + token.adapter).sum();
        let whole = has_head.then(|| {
            let apart = candidates[one].lm_score - candidates[other].lm_score;
            of_model * apart - of_tokens
        });
        let text = |position: usize| utterance.nbest.hypotheses()[position].text.clone();
        Ok(Explanation {
            position,
            text: text(position),
            against,
            against_text: text(against),
            lead: first_pass
                + length_bonus
                + features.iter().map(|share| share.share).sum::<f64>()
                + of_tokens
                + whole.unwrap_or(0.0),
            first_pass,
            length_bonus,
            features,
            tokens,
            whole,
        })
    }

    /// The hypothesis that is explained and the one it is compared with: those that are given, else the answer and the first-pass
    /// best; where these are the same, the answer and the runner-up.
    ///
    /// # Errors
    /// A list with one text.
    pub(crate) fn pair(
        &self,
        utterance: &Utterance,
        scores: &ListScores,
        position: Option<usize>,
        against: Option<usize>,
    ) -> Result<(usize, usize), Error> {
        if let (Some(position), Some(against)) = (position, against) {
            return Ok((position, against));
        }
        let ranking = self.decide(&utterance.nbest, scores)?;
        let order: Vec<usize> = ranking.hypotheses().iter().map(|hypothesis| hypothesis.position).collect();
        let position = position.unwrap_or(order[0]);
        let against = against.or_else(|| match position {
            0 => order.iter().copied().find(|&other| other != 0),
            _ => Some(0),
        });
        let against = against.ok_or_else(|| Error::NoRival { id: utterance.id.clone() })?;
        Ok((position, against))
    }

    /// What each of two scores loses when one of its tokens is left out.
    fn losses_without_tokens(
        &self,
        texts: [&[u32]; 2],
        scores: [f64; 2],
        prepared: &PreparedList,
    ) -> Result<Vec<Vec<f32>>, Error> {
        let adapter = prepared.adapter.as_ref();
        let losses = texts.iter().zip(scores).map(|(tokens, score)| {
            let without = |at: usize| [&tokens[..at], &tokens[at + 1..]].concat();
            let shorter: Vec<Vec<u32>> = (0..tokens.len()).map(without).collect();
            let shorter: Vec<&[u32]> = shorter.iter().map(Vec::as_slice).collect();
            let rest = self.scorer().list_scorer().score_texts(&shorter, adapter)?;
            Ok(rest.into_iter().map(|rest| (score - rest) as f32).collect())
        });
        losses.collect()
    }

    /// Lays the tokens of two texts beside each other.
    fn shares(&self, one: &Side<'_>, other: &Side<'_>) -> Vec<TokenShare> {
        let tokenizer = self.scorer().model().tokenizer();
        let numbers =
            |side: &Side<'_>| -> Vec<String> { side.tokens.iter().map(ToString::to_string).collect() };
        let (own, others) = (numbers(one), numbers(other));
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        let steps = align(&others, &own);
        let (mut at, mut other_at) = (0, 0);
        let share = |op: &EditOp| {
            let take = |side: &Side<'_>, place: &mut usize, missing: EditOp| {
                let found = (*op != missing).then(|| side.token(*place));
                *place += usize::from(found.is_some());
                found
            };
            let here = take(one, &mut at, EditOp::Deletion);
            let there = take(other, &mut other_at, EditOp::Insertion);
            let piece = |found: Option<Place>| {
                found.map(|place| tokenizer.piece(place.id).unwrap_or_else(|| place.id.to_string()))
            };
            let of =
                |part: fn(&Place) -> f64| here.as_ref().map_or(0.0, part) - there.as_ref().map_or(0.0, part);
            TokenShare {
                piece: piece(here),
                against: piece(there),
                model: of(|place| place.model),
                adapter: of(|place| place.adapter),
            }
        };
        steps.ops().iter().map(share).collect()
    }
}

/// A text with its scores, with and without the adapter.
struct Side<'a> {
    tokens: &'a [u32],
    /// What every token gives with the adapter.
    scored: &'a [f32],
    /// The same without; `None` where without an adapter nothing is given.
    bare: Option<&'a [f32]>,
    /// What a log-probability counts in the total.
    weight: f64,
}

/// A token in its place.
#[derive(Clone, Copy)]
struct Place {
    id: u32,
    model: f64,
    adapter: f64,
}

impl Side<'_> {
    fn token(&self, at: usize) -> Place {
        let scored = f64::from(self.scored[at]);
        let bare = self.bare.map_or(0.0, |bare| f64::from(bare[at]));
        let (model, adapter) = (self.weight * bare, self.weight * (scored - bare));
        Place { id: self.tokens[at], model, adapter }
    }
}
