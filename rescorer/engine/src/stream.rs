use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rescorer_nbest::Utterance;

use crate::scorer::{ListScores, PreparedList};
use crate::{Error, Scorer};

/// Trie nodes that are gathered before the model runs, so that its batches are full and lists find others
/// that begin as they do.
const WINDOW_NODES: usize = 8192;

/// What scoring has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ScoringStats {
    /// Utterances scored.
    pub utterances: usize,
    /// Distinct hypotheses scored.
    pub hypotheses: usize,
    /// Listed hypotheses that these stand for.
    pub listed: usize,
    /// Trie nodes computed; beginnings that lists have in common count once.
    pub nodes: usize,
    /// Time spent tokenising and computing; reading and writing are not in it.
    pub time: Duration,
}

/// Utterances with their scores, in the order of the input.
///
/// Holds a window of utterances, never the file. Created by [`Scorer::score_stream`].
pub struct ScoredStream<'a, I> {
    scorer: &'a Scorer,
    input: I,
    window: usize,
    ready: VecDeque<Result<(Utterance, ListScores), Error>>,
    stats: ScoringStats,
    finished: bool,
}

impl Scorer {
    /// Scores utterances as they come, several in a forward pass.
    ///
    /// With `immediate` an utterance is answered before the next one is read, for input that is typed or
    /// comes from a running recogniser.
    pub fn score_stream<I, E>(&self, input: I, immediate: bool) -> ScoredStream<'_, I::IntoIter>
    where
        I: IntoIterator<Item = Result<Utterance, E>>,
        E: Into<Error>,
    {
        ScoredStream {
            scorer: self,
            input: input.into_iter(),
            window: if immediate { 0 } else { WINDOW_NODES },
            ready: VecDeque::new(),
            stats: ScoringStats::default(),
            finished: false,
        }
    }
}

impl<I, E> ScoredStream<'_, I>
where
    I: Iterator<Item = Result<Utterance, E>>,
    E: Into<Error>,
{
    /// What scoring has cost so far.
    pub fn stats(&self) -> ScoringStats {
        self.stats
    }

    /// Reads a window of utterances and scores it.
    fn fill(&mut self) {
        let mut slots: Vec<Result<Utterance, Error>> = Vec::new();
        let mut lists: Vec<PreparedList> = Vec::new();
        let mut nodes = 0;
        while nodes <= self.window {
            let Some(next) = self.input.next() else {
                self.finished = true;
                break;
            };
            let started = Instant::now();
            slots.push(next.map_err(Into::into).and_then(|utterance| {
                let list = self.scorer.prepare(&utterance.id, &utterance.nbest)?;
                nodes += list.nodes();
                lists.push(list);
                Ok(utterance)
            }));
            self.stats.time += started.elapsed();
            // An error is handed on at once: it may be what the reader wants to stop at.
            if slots.last().is_some_and(Result::is_err) {
                break;
            }
        }
        let started = Instant::now();
        let scored = self.scorer.score(lists);
        self.stats.time += started.elapsed();
        let mut scored = match scored {
            Ok(scored) => {
                self.stats.nodes += scored.nodes;
                scored.lists.into_iter()
            }
            Err(error) => {
                self.finished = true;
                self.ready.push_back(Err(error));
                return;
            }
        };
        for slot in slots {
            let item = slot.map(|utterance| (utterance, scored.next()));
            self.ready.extend(match item {
                Ok((utterance, Some(scores))) => {
                    self.stats.utterances += 1;
                    self.stats.hypotheses += scores.scores.len();
                    self.stats.listed += utterance.nbest.len();
                    Some(Ok((utterance, scores)))
                }
                Ok((_, None)) => None,
                Err(error) => Some(Err(error)),
            });
        }
    }
}

impl<I, E> Iterator for ScoredStream<'_, I>
where
    I: Iterator<Item = Result<Utterance, E>>,
    E: Into<Error>,
{
    type Item = Result<(Utterance, ListScores), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.finished {
            self.fill();
        }
        self.ready.pop_front()
    }
}
