use std::sync::Arc;

use rescorer_models::{LanguageModel, TreeBatch};
use rescorer_nbest::{Distinct, NBest};

use crate::{Convention, Error, TokenTrie};

/// Nodes of a forward pass: enough to keep the matrix kernels busy, few enough to stay in memory.
const NODE_BUDGET: usize = 1024;

/// Tokens of a text with their log-probabilities.
#[derive(Debug, Clone, PartialEq)]
pub struct TextScore {
    /// Token ids, without BOS, with EOS where it is scored.
    pub tokens: Vec<u32>,
    /// `ln p(token | everything before)`, one for every token.
    pub log_probs: Vec<f32>,
    /// The score under the convention: their sum, or their mean.
    pub lm_score: f64,
}

/// The scores of a list: one for every distinct hypothesis.
#[derive(Debug, Clone, PartialEq)]
pub struct ListScores {
    /// The distinct hypotheses.
    pub distinct: Distinct,
    /// Their scores, in the same order.
    pub scores: Vec<TextScore>,
    /// Trie nodes that were computed for the list.
    pub nodes: usize,
}

/// A list on its way to the model: token sequences folded into tries.
#[derive(Debug, Clone)]
pub struct PreparedList {
    /// Stands for the list in messages.
    name: String,
    distinct: Distinct,
    sequences: Vec<Vec<u32>>,
    tries: Vec<TokenTrie>,
}

impl PreparedList {
    /// Nodes that a forward pass will compute for this list.
    pub fn nodes(&self) -> usize {
        self.tries.iter().map(TokenTrie::nodes).sum()
    }
}

/// Scores texts and lists with a language model under a convention.
#[derive(Clone)]
pub struct Scorer {
    model: Arc<LanguageModel>,
    convention: Convention,
    bos: u32,
    eos: Option<u32>,
}

impl Scorer {
    /// Checks that the model can score under this convention.
    ///
    /// # Errors
    /// No BOS or EOS where one is needed, or a BOS outside the vocabulary.
    pub fn new(model: Arc<LanguageModel>, convention: Convention) -> Result<Self, Error> {
        let tokenizer = model.tokenizer();
        let bos = convention.bos.or(tokenizer.bos()).or(tokenizer.eos()).ok_or(Error::NoBos)?;
        if bos as usize >= model.vocab_size() {
            return Err(Error::BosOutside { id: bos, vocab_size: model.vocab_size() });
        }
        let eos = match convention.eos {
            true => Some(tokenizer.eos().ok_or(Error::NoEos)?),
            false => None,
        };
        Ok(Self { model, convention, bos, eos })
    }

    /// The model.
    pub fn model(&self) -> &Arc<LanguageModel> {
        &self.model
    }

    /// The convention.
    pub fn convention(&self) -> &Convention {
        &self.convention
    }

    /// Tokenises the distinct hypotheses of a list and folds them into tries.
    ///
    /// `name` stands for the list in messages.
    ///
    /// # Errors
    /// A hypothesis longer than the model's context.
    pub fn prepare(&self, name: &str, nbest: &NBest) -> Result<PreparedList, Error> {
        let distinct = nbest.distinct();
        let sequences = distinct
            .hypotheses()
            .iter()
            .map(|hypothesis| {
                let text = &nbest.hypotheses()[hypothesis.position].text;
                self.encode(text, || format!("utterance {name:?}, position {}", hypothesis.position))
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let tries = TokenTrie::build(&sequences, self.bos, self.eos, NODE_BUDGET);
        Ok(PreparedList { name: name.into(), distinct, sequences, tries })
    }

    fn encode(&self, text: &str, subject: impl Fn() -> String) -> Result<Vec<u32>, Error> {
        let tokens = self.model.tokenizer().encode(&self.convention.lm_text.apply(text))?;
        let len = tokens.len() + 1 + usize::from(self.eos.is_some());
        let context = self.model.context_len();
        if len > context {
            return Err(Error::TooLong { subject: subject(), tokens: len, context });
        }
        Ok(tokens)
    }

    /// Scores prepared lists, as many in a forward pass as fit.
    ///
    /// # Errors
    /// The model fails, or gives what is not a log-probability.
    pub fn score(&self, lists: Vec<PreparedList>) -> Result<Vec<ListScores>, Error> {
        let log_probs = self.run(lists.iter().flat_map(|list| &list.tries))?;
        let mut log_probs = log_probs.into_iter();
        lists.into_iter().map(|list| self.collect(list, &mut log_probs)).collect()
    }

    /// Scores one list.
    ///
    /// # Errors
    /// As [`Scorer::prepare`] and [`Scorer::score`].
    pub fn score_list(&self, nbest: &NBest) -> Result<ListScores, Error> {
        let prepared = self.prepare("(list)", nbest)?;
        let mut scores = self.score(vec![prepared])?;
        Ok(scores.remove(0))
    }

    /// The log-probabilities of the edges of every trie.
    fn run<'a>(&self, tries: impl Iterator<Item = &'a TokenTrie>) -> Result<Vec<Vec<f32>>, Error> {
        let mut results = Vec::new();
        let mut batch = TreeBatch::default();
        let mut edges: Vec<usize> = Vec::new();
        let mut flush = |batch: &mut TreeBatch, edges: &mut Vec<usize>| -> Result<(), Error> {
            let values = self.model.edge_log_probs(batch)?;
            let mut rest = values.as_slice();
            for count in edges.drain(..) {
                let (values, tail) = rest.split_at(count);
                results.push(values.to_vec());
                rest = tail;
            }
            *batch = TreeBatch::default();
            Ok(())
        };
        for trie in tries {
            if !batch.is_empty() && batch.len() + trie.nodes() > NODE_BUDGET {
                flush(&mut batch, &mut edges)?;
            }
            trie.push_to(&mut batch);
            edges.push(trie.edges());
        }
        if !batch.is_empty() {
            flush(&mut batch, &mut edges)?;
        }
        Ok(results)
    }

    fn collect(
        &self,
        list: PreparedList,
        log_probs: &mut impl Iterator<Item = Vec<f32>>,
    ) -> Result<ListScores, Error> {
        let nodes = list.nodes();
        let PreparedList { name, distinct, sequences, tries } = list;
        let mut scores: Vec<Option<TextScore>> = vec![None; sequences.len()];
        for (trie, values) in tries.iter().zip(log_probs) {
            for (sequence, path) in trie.paths() {
                let mut tokens = sequences[*sequence].clone();
                tokens.extend(self.eos);
                let log_probs: Vec<f32> = path.iter().map(|&edge| values[edge as usize]).collect();
                let sum: f64 = log_probs.iter().map(|&value| f64::from(value)).sum();
                let lm_score = if self.convention.mean { sum / tokens.len().max(1) as f64 } else { sum };
                if !lm_score.is_finite() {
                    let position = distinct.hypotheses()[*sequence].position;
                    return Err(Error::NotFinite {
                        subject: format!("utterance {name:?}, position {position}"),
                        value: lm_score,
                    });
                }
                scores[*sequence] = Some(TextScore { tokens, log_probs, lm_score });
            }
        }
        let scores = scores.into_iter().flatten().collect();
        Ok(ListScores { distinct, scores, nodes })
    }
}
