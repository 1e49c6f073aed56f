//! The best decision that can be had by a deadline.

use std::time::{Duration, Instant};

use crate::answer::choice::Choice;
use crate::answer::rule::DecisionRule;
use crate::error::Error;
use crate::scoring::decoder::search::{BestSoFar, PartialHypothesis, Search};
use crate::scoring::encoder::EncodedText;
use crate::scoring::prepare::PreparedList;
use crate::scoring::scorer::require_finite;
use crate::second_pass::SecondPass;

/// What a forward pass costs besides its nodes, in nodes.
const OVERHEAD: f64 = 16.0;

/// Most nodes of a round: what they show may spare others.
const ROUND_NODES: usize = 128;

/// How much a new measurement of the pace counts.
const FRESHNESS: f64 = 0.3;

/// A time limit for every list, and how fast the machine was so far.
///
/// The pace is learned while lists are answered: before the first round of the first list nothing is known of it, and that round may
/// take longer than the limit.
#[derive(Debug, Clone)]
pub struct Deadline {
    limit: Duration,
    seconds_per_node: f64,
}

/// A decision, and how far it got.
#[derive(Debug, Clone, PartialEq)]
pub struct Anytime {
    /// The winner; `None` where not even the first-pass best was scored in time, so that it stays.
    pub choice: Option<Choice>,
    /// Distinct hypotheses that were scored, or could not win any more.
    pub decided: usize,
    /// Distinct hypotheses.
    pub hypotheses: usize,
    /// Trie nodes computed.
    pub nodes: usize,
}

impl Anytime {
    /// Whether the decision is that of a search without a limit.
    pub fn is_complete(&self) -> bool {
        self.decided == self.hypotheses
    }

    /// Position of the winner.
    pub fn position(&self) -> usize {
        self.choice.as_ref().map_or(0, |choice| choice.position)
    }
}

impl Deadline {
    /// This much time for every list, from when [`SecondPass::choose_within`] is called.
    pub fn new(limit: Duration) -> Self {
        Self { limit, seconds_per_node: 0.0 }
    }

    /// A limit for a machine that took so many seconds for a node; 0 where nothing is known of it.
    pub(crate) fn at_pace(limit: Duration, seconds_per_node: f64) -> Self {
        Self { limit, seconds_per_node }
    }

    /// Seconds that a node takes, as far as is known.
    pub(crate) fn pace(&self) -> f64 {
        self.seconds_per_node
    }

    /// Most nodes that can be computed in the time that is left, if the pace stays.
    fn affordable(&self, left: Duration) -> usize {
        if self.seconds_per_node > 0.0 {
            (left.as_secs_f64() / self.seconds_per_node - OVERHEAD).max(0.0) as usize
        } else {
            usize::MAX
        }
    }

    fn learn(&mut self, nodes: usize, taken: Duration) {
        let seconds = taken.as_secs_f64() / (nodes as f64 + OVERHEAD);
        let known = if self.seconds_per_node > 0.0 { self.seconds_per_node } else { seconds };
        self.seconds_per_node = known + FRESHNESS * (seconds - known);
    }

    /// Hopes for a better pace after a list for which nothing could be afforded: without a measurement one slow moment would be
    /// believed for ever.
    fn hope(&mut self) {
        self.seconds_per_node *= 1.0 - FRESHNESS;
    }
}

impl SecondPass {
    /// The winner among the hypotheses that can be scored in time, the first-pass best first, then those of the largest total so
    /// far; with an encoder, which scores a hypothesis at once, in the order of the first pass. What can't win any more is not
    /// scored, as in [`SecondPass::choose`]; given time enough, the winner is the same. A list that needs no score is decided at once.
    ///
    /// # Errors
    /// A rule other than the maximum, which needs all scores; an earlier rescorer; as [`SecondPass::score`]; a device other than the
    /// CPU, where a list is computed whole.
    pub fn choose_within(&self, list: &PreparedList, deadline: &mut Deadline) -> Result<Anytime, Error> {
        let start = Instant::now();
        let (scorer, fusion) = (self.scorer(), self.fusion());
        if self.decision().rule != DecisionRule::Maximum {
            return Err(Error::DeadlineOfRule { rule: self.decision().rule });
        }
        if scorer.cascade().is_some() {
            return Err(Error::DeadlineOfTwo);
        }
        let asks = self.need().asks(list.distinct());
        if asks && !list.is_asked {
            return Err(Error::Unscored);
        }
        if !asks {
            let list = list.clone().needed(fusion, None)?;
            let choice = BestSoFar::unasked(fusion, &list).into_choice(fusion, &list);
            let hypotheses = list.distinct();
            return Ok(Anytime { choice, decided: hypotheses, hypotheses, nodes: 0 });
        }
        if scorer.model().is_bidirectional() {
            return self.choose_encoded_within(list, deadline, start);
        }
        let sequences: Vec<&Vec<u32>> = list.sequences.iter().collect();
        let tries = scorer.tries(&list.context, &sequences, usize::MAX);
        let hypotheses = sequences.len();
        let Some(trie) = tries.first() else {
            return Ok(Anytime { choice: None, decided: 0, hypotheses, nodes: 0 });
        };
        let mut walks: Vec<PartialHypothesis<'_>> =
            trie.paths().iter().map(|(sequence, path)| PartialHypothesis::new(0, *sequence, path)).collect();
        let mut search = Search::new(scorer, list, trie)?;
        let lists = std::slice::from_ref(list);
        let mut standing = [BestSoFar::default()];
        loop {
            search.settle(scorer, fusion, lists, &mut standing, &mut walks)?;
            let left = deadline.limit.saturating_sub(start.elapsed());
            let total = |walk: &PartialHypothesis<'_>| fusion.total(&walk.so_far(scorer, lists));
            walks.sort_by(|a, b| {
                let first = (a.index() != 0).cmp(&(b.index() != 0));
                first.then(total(b).total_cmp(&total(a))).then(a.index().cmp(&b.index()))
            });
            let affordable = deadline.affordable(left).min(ROUND_NODES);
            let next = if left.is_zero() { Vec::new() } else { search.first_whole(&walks, affordable) };
            if walks.is_empty() || next.is_empty() {
                if search.nodes() == 0 {
                    deadline.hope();
                }
                let decided = hypotheses - walks.len();
                let [standing] = standing;
                let choice = standing.into_choice(fusion, list);
                return Ok(Anytime { choice, decided, hypotheses, nodes: search.nodes() });
            }
            let (nodes, before) = (next.len(), Instant::now());
            search.compute(next)?;
            deadline.learn(nodes, before.elapsed());
        }
    }
}

impl SecondPass {
    fn choose_encoded_within(
        &self,
        list: &PreparedList,
        deadline: &mut Deadline,
        start: Instant,
    ) -> Result<Anytime, Error> {
        let (scorer, fusion) = (self.scorer(), self.fusion());
        let (adapter, hypotheses) = (list.adapter.as_ref(), list.sequences.len());
        let score = scorer.encoder_score(adapter)?;
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
            let (scores, computed) = scorer.score_encoded(&texts)?;
            deadline.learn(computed, before.elapsed());
            nodes += computed;
            for score in scores {
                require_finite(&list.name, list.position(decided), score.lm_score)?;
                standing.add(fusion, decided, list.candidate(decided, score.lm_score));
                decided += 1;
            }
        }
        if nodes == 0 {
            deadline.hope();
        }
        Ok(Anytime { choice: standing.into_choice(fusion, list), decided, hypotheses, nodes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_says_what_can_be_afforded() {
        let mut deadline = Deadline::new(Duration::from_millis(20));
        assert_eq!(deadline.affordable(Duration::ZERO), usize::MAX, "nothing is known yet");
        deadline.learn(84, Duration::from_millis(100));
        assert_eq!(
            deadline.affordable(Duration::from_millis(50)),
            34,
            "a node takes a millisecond, a round 16 more"
        );
        assert_eq!(deadline.affordable(Duration::from_millis(16)), 0);
        deadline.learn(84, Duration::from_millis(200));
        assert!((deadline.seconds_per_node - 1.3e-3).abs() < 1e-12);
    }

    #[test]
    fn one_slow_moment_is_forgotten() {
        let mut deadline = Deadline::new(Duration::from_millis(20));
        deadline.learn(84, Duration::from_secs(60));
        let mut lists = 0;
        while deadline.affordable(deadline.limit) < 10 {
            deadline.hope();
            lists += 1;
        }
        assert!((1..30).contains(&lists), "{lists} lists went without a second pass");
    }
}
