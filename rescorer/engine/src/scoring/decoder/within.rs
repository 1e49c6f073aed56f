//! A list against the clock.

use std::collections::HashMap;
use std::time::Instant;

use crate::error::Error;
use crate::scoring::best_so_far::BestSoFar;
use crate::scoring::deadline::{Anytime, Deadline, ROUND_NODES};
use crate::scoring::decoder::Decoder;
use crate::scoring::decoder::search::{PartialHypothesis, Search};
use crate::scoring::list::PreparedList;
use crate::scoring::list_scorer::Aim;

impl Decoder {
    /// The largest total of what can be scored in time: whole hypotheses, the first-pass best first, then those of the largest total
    /// so far.
    pub(super) fn search_within(
        &self,
        aim: Aim<'_>,
        list: &PreparedList,
        deadline: &mut Deadline,
    ) -> Result<Anytime, Error> {
        let start = Instant::now();
        let sequences: Vec<&Vec<u32>> = list.sequences.iter().collect();
        let tries = self.tries(&list.context, &sequences, usize::MAX);
        let hypotheses = sequences.len();
        let Some(trie) = tries.first() else {
            return Ok(Anytime { choice: None, decided: 0, hypotheses, nodes: 0 });
        };
        let mut walks: Vec<PartialHypothesis<'_>> =
            trie.paths().iter().map(|(sequence, path)| PartialHypothesis::new(0, *sequence, path)).collect();
        let mut search = Search::new(self, list, trie, HashMap::new())?;
        let lists = std::slice::from_ref(list);
        let mut standing = [BestSoFar::default()];
        loop {
            search.settle(self, &[aim], lists, &mut standing, &mut walks)?;
            let left = deadline.limit.saturating_sub(start.elapsed());
            let first = standing[0].first().unwrap_or_else(|| list.candidate(0, 0.0));
            let total = |walk: &PartialHypothesis<'_>| aim.weighting.total(&walk.so_far(self, lists), &first);
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
                let choice = standing.into_choice(aim.weighting, list);
                return Ok(Anytime { choice, decided, hypotheses, nodes: search.nodes() });
            }
            let (nodes, before) = (next.len(), Instant::now());
            search.compute(next)?;
            deadline.learn(nodes, before.elapsed());
        }
    }
}
