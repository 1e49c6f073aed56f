//! Lists that come one by one, and go through the model several at a time.

use std::collections::VecDeque;
use std::ops::AddAssign;
use std::time::{Duration, Instant};

use rescorer_nbest::Utterance;

use crate::error::Error;
use crate::scoring::list::ListScores;
use crate::scoring::list::PreparedList;
use crate::scoring::need::Need;
use crate::scoring::scorer::Scorer;

/// Trie nodes that are gathered before the model runs, so that its batches are full and lists find others
/// that begin as they do.
const WINDOW_NODES: usize = 8192;

/// What scoring has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ScoringStats {
    /// Utterances answered.
    pub utterances: usize,
    /// Of these, the lists that the model was asked about: others have one text, or the model's weight is 0.
    pub asked: usize,
    /// Unique hypotheses of all utterances.
    pub hypotheses: usize,
    /// Listed hypotheses that these stand for.
    pub listed: usize,
    /// Trie nodes of the lists that the model was asked about, each list by itself.
    pub trie_nodes: usize,
    /// Trie nodes computed; prefixes that lists share count once, what could not win not at all.
    pub nodes: usize,
    /// Of these, the nodes by which lists were routed to adapters.
    pub routing_nodes: usize,
    /// Time spent tokenising and computing; reading and writing are not in it.
    pub time: Duration,
}

impl ScoringStats {
    /// `count` by the time that scoring took, 0 where it took none.
    pub fn per_second(&self, count: usize) -> f64 {
        let seconds = self.time.as_secs_f64();
        if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
    }
}

/// Trie nodes that a window took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    /// All of them.
    pub(crate) nodes: usize,
    /// Of these, those by which lists were routed.
    pub(crate) routing_nodes: usize,
}

/// What becomes of the lists of a window.
pub(crate) trait Work {
    /// What comes in.
    type Input;
    /// What is kept of it until its window is computed.
    type Kept;
    /// What comes out.
    type Output;

    /// Tokenises a list.
    fn prepare(&mut self, input: Self::Input) -> Result<(Self::Kept, PreparedList), Error>;

    /// Computes the lists of a window, and says what that took. There is an output for every input, in their order.
    fn compute(
        &mut self,
        kept: Vec<Self::Kept>,
        lists: Vec<PreparedList>,
    ) -> Result<(Vec<Self::Output>, Cost), Error>;
}

/// Results in the order of the input. Holds a window of lists, never all of them.
pub(crate) struct Windows<I, W: Work> {
    work: W,
    input: I,
    window: usize,
    ready: VecDeque<Result<W::Output, Error>>,
    stats: ScoringStats,
    finished: bool,
}

impl<I, W: Work> Windows<I, W> {
    /// With `immediate` a list is answered before the next one is read.
    pub(crate) fn new(work: W, input: I, immediate: bool) -> Self {
        let window = if immediate { 0 } else { WINDOW_NODES };
        Self { work, input, window, ready: VecDeque::new(), stats: ScoringStats::default(), finished: false }
    }

    /// Has every list answered before the next one is read.
    pub(crate) fn immediate(self) -> Self {
        Self { window: 0, ..self }
    }

    pub(crate) fn stats(&self) -> ScoringStats {
        self.stats
    }

    /// Results that are computed and not yet taken.
    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }
}

impl<I, W> Windows<I, W>
where
    W: Work,
    I: Iterator<Item = Result<W::Input, Error>>,
{
    /// Reads a window of lists and computes it.
    fn fill(&mut self) {
        let mut slots: Vec<Result<(), Error>> = Vec::new();
        let (mut kept, mut lists) = (Vec::new(), Vec::new());
        let mut size = 0;
        let mut stats = ScoringStats::default();
        while size <= self.window {
            let Some(next) = self.input.next() else {
                self.finished = true;
                break;
            };
            let started = Instant::now();
            let slot = next.and_then(|input| self.work.prepare(input)).map(|(input, list)| {
                size += list.size();
                stats.utterances += 1;
                stats.asked += usize::from(list.is_asked);
                stats.hypotheses += list.unique();
                stats.listed += list.listed();
                stats.trie_nodes += list.nodes();
                kept.push(input);
                lists.push(list);
            });
            self.stats.time += started.elapsed();
            // An error is handed on at once: it may be what the reader wants to stop at.
            let is_error = slot.is_err();
            slots.push(slot);
            if is_error {
                break;
            }
        }
        let started = Instant::now();
        let outputs = self.work.compute(kept, lists);
        self.stats.time += started.elapsed();
        match outputs {
            Ok((outputs, cost)) => {
                self.stats.add(stats, cost);
                let mut outputs = outputs.into_iter();
                self.ready.extend(slots.into_iter().filter_map(|slot| match slot {
                    Ok(()) => outputs.next().map(Ok),
                    Err(error) => Some(Err(error)),
                }));
            }
            Err(error) => {
                self.finished = true;
                self.ready.push_back(Err(error));
            }
        }
    }
}

impl AddAssign for ScoringStats {
    fn add_assign(&mut self, other: Self) {
        self.add(other, Cost { nodes: other.nodes, routing_nodes: other.routing_nodes });
        self.time += other.time;
    }
}

impl ScoringStats {
    /// Adds a window.
    fn add(&mut self, window: Self, cost: Cost) {
        self.utterances += window.utterances;
        self.asked += window.asked;
        self.hypotheses += window.hypotheses;
        self.listed += window.listed;
        self.trie_nodes += window.trie_nodes;
        self.nodes += cost.nodes;
        self.routing_nodes += cost.routing_nodes;
    }
}

impl<I, W> Iterator for Windows<I, W>
where
    W: Work,
    I: Iterator<Item = Result<W::Input, Error>>,
{
    type Item = Result<W::Output, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.finished {
            self.fill();
        }
        self.ready.pop_front()
    }
}

/// Utterances with their scores, in the order of the input. Created by [`Scorer::score_stream`].
pub struct Stream<'a> {
    windows: Windows<Box<dyn Iterator<Item = Result<Utterance, Error>> + 'a>, Scores<'a>>,
}

/// Scores lists as far as they are needed.
struct Scores<'a> {
    scorer: &'a Scorer,
    need: Need,
}

impl Work for Scores<'_> {
    type Input = Utterance;
    type Kept = Utterance;
    type Output = (Utterance, ListScores);

    fn prepare(&mut self, utterance: Utterance) -> Result<(Utterance, PreparedList), Error> {
        let list = self.scorer.prepare_utterance_as(self.need, &utterance)?;
        Ok((utterance, list))
    }

    fn compute(
        &mut self,
        utterances: Vec<Utterance>,
        lists: Vec<PreparedList>,
    ) -> Result<(Vec<Self::Output>, Cost), Error> {
        let scored = self.scorer.score(lists)?;
        let cost = Cost { nodes: scored.nodes, routing_nodes: 0 };
        Ok((utterances.into_iter().zip(scored.lists).collect(), cost))
    }
}

impl Stream<'_> {
    /// What scoring has cost so far.
    pub fn stats(&self) -> ScoringStats {
        self.windows.stats()
    }
}

impl Iterator for Stream<'_> {
    type Item = Result<(Utterance, ListScores), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.windows.next()
    }
}

impl Scorer {
    /// Scores utterances as they come, several in a forward pass.
    ///
    /// With `immediate` an utterance is answered before the next one is read, for input that is typed or
    /// comes from a running recogniser.
    pub fn score_stream<'a, I, E>(&'a self, input: I, immediate: bool) -> Stream<'a>
    where
        I: IntoIterator<Item = Result<Utterance, E>>,
        I::IntoIter: 'a,
        E: Into<Error>,
    {
        self.score_stream_as(Need::Scores, input, immediate)
    }

    /// Scores those lists that `need` says; the others come without scores.
    pub fn score_stream_as<'a, I, E>(&'a self, need: Need, input: I, immediate: bool) -> Stream<'a>
    where
        I: IntoIterator<Item = Result<Utterance, E>>,
        I::IntoIter: 'a,
        E: Into<Error>,
    {
        let input = Box::new(input.into_iter().map(|item| item.map_err(Into::into)));
        Stream { windows: Windows::new(Scores { scorer: self, need }, input, immediate) }
    }
}
