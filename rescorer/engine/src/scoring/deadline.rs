//! How much can be computed until a deadline.

use std::time::Duration;

use crate::answer::choice::Choice;

/// What a forward pass costs besides its nodes, in nodes.
const OVERHEAD: f64 = 16.0;

/// Most nodes of a round: what they show may spare others.
pub(crate) const ROUND_NODES: usize = 128;

/// How much a new measurement of the pace counts.
const FRESHNESS: f64 = 0.3;

/// A time limit for every list, and how fast the machine was so far.
///
/// The pace is learned while lists are answered: before the first round of the first list nothing is known of it, and that round may
/// take longer than the limit.
#[derive(Debug, Clone)]
pub struct Deadline {
    pub(crate) limit: Duration,
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
    /// This much time for every list, from when [`SecondPass::choose_within`](crate::scoring::SecondPass::choose_within) is called.
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
    pub(crate) fn affordable(&self, left: Duration) -> usize {
        if self.seconds_per_node > 0.0 {
            (left.as_secs_f64() / self.seconds_per_node - OVERHEAD).max(0.0) as usize
        } else {
            usize::MAX
        }
    }

    pub(crate) fn learn(&mut self, nodes: usize, taken: Duration) {
        let seconds = taken.as_secs_f64() / (nodes as f64 + OVERHEAD);
        let known = if self.seconds_per_node > 0.0 { self.seconds_per_node } else { seconds };
        self.seconds_per_node = known + FRESHNESS * (seconds - known);
    }

    /// Hopes for a better pace after a list for which nothing could be afforded: without a measurement one slow moment would be
    /// believed for ever.
    pub(crate) fn hope(&mut self) {
        self.seconds_per_node *= 1.0 - FRESHNESS;
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
