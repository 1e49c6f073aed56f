use std::collections::VecDeque;
use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rescorer_nbest::{NBest, TextLine, Utterance};
use rescorer_perturb::Metric;

use super::corpus::TextCorpus;
use super::pieces::{Piece, cut};
use crate::error::Error;
use crate::scoring::scorer::Scorer;
use crate::train::data::Example;
use crate::train::seed::mix;

/// Lines, and bytes of lines, that the next one is drawn from.
const WINDOW_LINES: usize = 1 << 16;
const WINDOW_BYTES: usize = 32 << 20;

/// Most tokens of a piece: longer than what people say in one breath.
const PIECE_TOKENS: usize = 128;

/// The pieces of a text, batch by batch, in an order that a seed gives. The same seed, the same batches.
pub struct TextStream {
    corpus: Arc<TextCorpus>,
    seed: u64,
    lines: Box<dyn Iterator<Item = Result<TextLine, Error>> + Send>,
    window: Vec<String>,
    bytes: usize,
    epoch: u64,
    rng: ChaCha8Rng,
    pieces: VecDeque<Piece>,
    /// Number of the next batch.
    next: usize,
}

impl TextStream {
    /// A stream that begins anew.
    pub fn new(corpus: Arc<TextCorpus>, seed: u64) -> Self {
        let (lines, rng) = (Box::new(corpus.lines()), ChaCha8Rng::seed_from_u64(seed));
        let (window, pieces) = (Vec::new(), VecDeque::new());
        Self { corpus, seed, lines, window, bytes: 0, epoch: 0, rng, pieces, next: 0 }
    }

    /// Tokens that a pass over the text has, BOS left out, estimated from a sample.
    pub fn tokens(corpus: &TextCorpus, scorer: &Scorer) -> Result<usize, Error> {
        let (mut tokens, mut words, mut pieces) = (0, 0, Vec::new());
        for line in corpus.sample() {
            words += line.split_whitespace().count();
            pieces.clear();
            cut_line(corpus, scorer, line, &mut pieces)?;
            tokens += pieces.iter().map(|piece| len(scorer, piece)).sum::<usize>();
        }
        Ok((tokens as f64 * corpus.word_count() as f64 / words.max(1) as f64).round() as usize)
    }

    /// Batch number `number`: pieces until they have `size` tokens.
    ///
    /// # Errors
    /// A file that can't be read any more.
    pub fn batch(
        &mut self,
        scorer: &Scorer,
        metric: Metric,
        number: usize,
        size: usize,
    ) -> Result<Vec<Example>, Error> {
        if number < self.next {
            *self = Self::new(self.corpus.clone(), self.seed);
        }
        while self.next < number {
            self.pieces(scorer, size)?;
        }
        let pieces = self.pieces(scorer, size)?;
        let examples = pieces.into_iter().enumerate().map(|(place, piece)| {
            let seed = mix(&[self.seed, number as u64, place as u64]);
            self.example(scorer, metric, piece, seed)
        });
        examples.collect()
    }

    fn example(&self, scorer: &Scorer, metric: Metric, piece: Piece, seed: u64) -> Result<Example, Error> {
        let (text, tokens) = piece;
        let Some(hallucinator) = &self.corpus.hallucinator else {
            return Ok(Example::of_reference(tokens));
        };
        let hypotheses = hallucinator.list(&text, self.corpus.hypotheses, seed);
        let mut list = Utterance::new("text", NBest::from_texts(hypotheses)?);
        list.reference = Some(text);
        Example::new(scorer, &list, metric, None)
    }

    fn pieces(&mut self, scorer: &Scorer, size: usize) -> Result<Vec<Piece>, Error> {
        let (mut batch, mut tokens) = (Vec::new(), 0);
        while tokens < size {
            while self.pieces.is_empty() {
                let line = self.line()?;
                let mut pieces = Vec::new();
                cut_line(&self.corpus, scorer, &line, &mut pieces)?;
                self.pieces.extend(pieces);
            }
            if let Some(piece) = self.pieces.pop_front() {
                tokens += len(scorer, &piece);
                batch.push(piece);
            }
        }
        self.next += 1;
        Ok(batch)
    }

    /// A line drawn from the window. Each pass over the text takes every line once.
    fn line(&mut self) -> Result<String, Error> {
        loop {
            while self.window.len() < WINDOW_LINES && self.bytes < WINDOW_BYTES {
                let Some(line) = self.lines.next() else { break };
                let text = line?.text;
                self.bytes += text.len();
                self.window.push(text);
            }
            if !self.window.is_empty() {
                let line = self.window.swap_remove(self.rng.random_range(0..self.window.len()));
                self.bytes -= line.len();
                return Ok(line);
            }
            self.epoch += 1;
            self.rng = ChaCha8Rng::seed_from_u64(mix(&[self.seed, self.epoch]));
            self.lines = Box::new(self.corpus.lines());
        }
    }
}

fn cut_line(corpus: &TextCorpus, scorer: &Scorer, line: &str, pieces: &mut Vec<Piece>) -> Result<(), Error> {
    let config = scorer.config();
    let encode = |text: &str| -> Result<Vec<u32>, Error> {
        Ok(scorer.model().tokenizer().encode(&config.lm_text.apply(text))?)
    };
    let longest = PIECE_TOKENS.min(scorer.model().context_len().saturating_sub(2));
    cut(&corpus.written.apply(line), longest, &encode, pieces)
}

/// Log-probabilities that the score of a piece is made of.
fn len(scorer: &Scorer, (_, tokens): &Piece) -> usize {
    tokens.len() + usize::from(scorer.config().eos)
}
