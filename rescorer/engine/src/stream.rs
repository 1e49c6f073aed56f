use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rescorer_nbest::Utterance;

use crate::scorer::ListScores;
use crate::{Anytime, Choice, Deadline, Error, Need, PreparedList, Rescored, Rescorer, Scorer};

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
    /// Distinct hypotheses of these.
    pub hypotheses: usize,
    /// Listed hypotheses that these stand for.
    pub listed: usize,
    /// Trie nodes of the lists that the model was asked about, each list by itself.
    pub trie_nodes: usize,
    /// Trie nodes computed; beginnings that lists have in common count once, what could not win not at all.
    pub nodes: usize,
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

/// Answers for a window of lists, and the nodes computed for them.
type Work<'a, T> = Box<dyn Fn(Vec<PreparedList>) -> Result<(Vec<T>, usize), Error> + 'a>;

/// Utterances with their answers, in the order of the input.
///
/// Holds a window of utterances, never the file. Created by [`Scorer::score_stream`] and
/// [`Rescorer::choose_stream`].
pub struct Stream<'a, I, T> {
    scorer: &'a Scorer,
    need: Need,
    work: Work<'a, T>,
    input: I,
    window: usize,
    ready: VecDeque<Result<(Utterance, T), Error>>,
    stats: ScoringStats,
    finished: bool,
}

impl Scorer {
    /// Scores utterances as they come, several in a forward pass.
    ///
    /// With `immediate` an utterance is answered before the next one is read, for input that is typed or
    /// comes from a running recogniser.
    pub fn score_stream<I, E>(&self, input: I, immediate: bool) -> Stream<'_, I::IntoIter, ListScores>
    where
        I: IntoIterator<Item = Result<Utterance, E>>,
        E: Into<Error>,
    {
        self.score_stream_as(Need::Scores, input, immediate)
    }

    /// Scores those lists that `need` says; the others come without scores.
    pub fn score_stream_as<I, E>(
        &self,
        need: Need,
        input: I,
        immediate: bool,
    ) -> Stream<'_, I::IntoIter, ListScores>
    where
        I: IntoIterator<Item = Result<Utterance, E>>,
        E: Into<Error>,
    {
        let work = |lists| self.score(lists).map(|scored| (scored.lists, scored.nodes));
        Stream::new(self, need, Box::new(work), input.into_iter(), immediate)
    }
}

impl Rescorer {
    /// Answers utterances as they come, with all that is known of each list: see [`Rescorer::rescore_utterance`].
    ///
    /// `immediate` is that of [`Scorer::score_stream`].
    pub fn rescore_stream<I, E>(&self, input: I, immediate: bool) -> Stream<'_, I::IntoIter, Rescored>
    where
        I: IntoIterator<Item = Result<Utterance, E>>,
        E: Into<Error>,
    {
        let work = |lists| self.rescore_prepared(lists);
        Stream::new(self.scorer(), self.need(), Box::new(work), input.into_iter(), immediate)
    }

    /// Answers utterances as they come; where the rule is the maximum, without scoring what can't win: see [`Rescorer::choose`].
    ///
    /// `immediate` is that of [`Scorer::score_stream`].
    pub fn choose_stream<I, E>(&self, input: I, immediate: bool) -> Stream<'_, I::IntoIter, Choice>
    where
        I: IntoIterator<Item = Result<Utterance, E>>,
        E: Into<Error>,
    {
        let work = |lists| self.choose(lists).map(|chosen| (chosen.choices, chosen.nodes));
        Stream::new(self.scorer(), self.need(), Box::new(work), input.into_iter(), immediate)
    }
}

impl Rescorer {
    /// The best decisions that can be had in time, one utterance after the other: see [`Rescorer::choose_within`].
    pub fn choose_within_stream<I, E>(&self, input: I, deadline: Deadline) -> Stream<'_, I::IntoIter, Anytime>
    where
        I: IntoIterator<Item = Result<Utterance, E>>,
        E: Into<Error>,
    {
        let deadline = RefCell::new(deadline);
        let work = move |lists: Vec<PreparedList>| {
            let within = |list: &PreparedList| self.choose_within(list, &mut deadline.borrow_mut());
            let found = lists.iter().map(within).collect::<Result<Vec<_>, _>>()?;
            let nodes = found.iter().map(|found| found.nodes).sum();
            Ok((found, nodes))
        };
        Stream::new(self.scorer(), self.need(), Box::new(work), input.into_iter(), true)
    }
}

impl<'a, I, T> Stream<'a, I, T> {
    fn new(scorer: &'a Scorer, need: Need, work: Work<'a, T>, input: I, immediate: bool) -> Self {
        Self {
            scorer,
            need,
            work,
            input,
            window: if immediate { 0 } else { WINDOW_NODES },
            ready: VecDeque::new(),
            stats: ScoringStats::default(),
            finished: false,
        }
    }
}

impl<I, E, T> Stream<'_, I, T>
where
    I: Iterator<Item = Result<Utterance, E>>,
    E: Into<Error>,
{
    /// What scoring has cost so far.
    pub fn stats(&self) -> ScoringStats {
        self.stats
    }

    /// Reads a window of utterances and answers it.
    fn fill(&mut self) {
        let mut slots: Vec<Result<(Utterance, usize), Error>> = Vec::new();
        let mut lists: Vec<PreparedList> = Vec::new();
        let (mut nodes, mut size, mut asked) = (0, 0, 0);
        while size <= self.window {
            let Some(next) = self.input.next() else {
                self.finished = true;
                break;
            };
            let started = Instant::now();
            slots.push(next.map_err(Into::into).and_then(|utterance| {
                let list = self.scorer.prepare_utterance_as(self.need, &utterance)?;
                nodes += list.nodes();
                size += list.size();
                asked += usize::from(list.is_asked);
                let distinct = list.distinct();
                lists.push(list);
                Ok((utterance, distinct))
            }));
            self.stats.time += started.elapsed();
            // An error is handed on at once: it may be what the reader wants to stop at.
            if slots.last().is_some_and(Result::is_err) {
                break;
            }
        }
        let started = Instant::now();
        self.stats.trie_nodes += nodes;
        let answers = (self.work)(lists);
        self.stats.time += started.elapsed();
        let mut answers = match answers {
            Ok((answers, nodes)) => {
                self.stats.nodes += nodes;
                self.stats.asked += asked;
                answers.into_iter()
            }
            Err(error) => {
                self.finished = true;
                self.ready.push_back(Err(error));
                return;
            }
        };
        for slot in slots {
            let item = slot.map(|(utterance, distinct)| (utterance, distinct, answers.next()));
            self.ready.extend(match item {
                Ok((utterance, distinct, Some(answer))) => {
                    self.stats.utterances += 1;
                    self.stats.hypotheses += distinct;
                    self.stats.listed += utterance.nbest.len();
                    Some(Ok((utterance, answer)))
                }
                Ok((_, _, None)) => None,
                Err(error) => Some(Err(error)),
            });
        }
    }
}

impl<I, E, T> Iterator for Stream<'_, I, T>
where
    I: Iterator<Item = Result<Utterance, E>>,
    E: Into<Error>,
{
    type Item = Result<(Utterance, T), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.finished {
            self.fill();
        }
        self.ready.pop_front()
    }
}
