//! Evaluation of lists that are routed to adapters.

use std::cell::RefCell;

use anyhow::bail;
use rescorer::fusion::{Metric, ScoredReference};
use rescorer::scoring::ScoringStats;
use rescorer::{Rescorer, RescorerBuilder};

use super::choice::Choice;
use crate::args::{ChoiceArgs, WeightArgs};
use crate::judge_args::EvaluateArgs;
use crate::lists::Skipped;
use crate::model;
use crate::read_item::ReadItem;
use crate::reference_warnings::References;
use crate::routing::Tally;
use crate::status::Status;

/// Scored lists, what answers each, and where they went.
#[derive(Default)]
pub(super) struct Routed {
    pub(super) judged: Vec<ScoredReference>,
    pub(super) stats: ScoringStats,
    pub(super) choice: Choice,
    pub(super) tally: Tally,
}

/// A rescorer that routes lists.
pub(super) fn builder(args: &EvaluateArgs, status: Status) -> anyhow::Result<RescorerBuilder> {
    if args.cross_validate.is_some() {
        bail!(
            "--cross-validate tunes one policy, and --adapter auto takes that of each adapter; leave one of them out"
        );
    }
    let WeightArgs { lm_weight, length_bonus, margin } = args.weights;
    let choice = ChoiceArgs {
        policy: args.policy.clone(),
        weights: WeightArgs { lm_weight, length_bonus, margin },
        decision: args.decision,
        unit: args.unit,
    };
    model::deciding(&choice, &args.scoring, status)
}

impl Routed {
    /// Routes and scores lists, and counts the errors of their hypotheses; says what is wrong with their references.
    pub(super) fn judge(
        rescorer: &Rescorer,
        utterances: impl Iterator<Item = ReadItem>,
        metric: Metric,
        skipped: &mut Skipped,
        status: Status,
    ) -> anyhow::Result<Self> {
        let mut routed = Self::default();
        let references = RefCell::new(References::new(metric));
        let bar = status.counter();
        let utterances = utterances.inspect(|item| {
            if let Ok(list) = item {
                references.borrow_mut().add(list);
            }
        });
        let mut lists = rescorer.judge_many(utterances, metric);
        for judged in lists.by_ref() {
            let Some(judged) = skipped.pass(judged)? else { continue };
            match &judged.routed {
                Some(adapter) => routed.tally.count(adapter.as_deref()),
                None => routed.tally.count_other(),
            }
            routed.choice.push(judged.pass);
            routed.judged.push(judged.list);
            bar.inc(1);
        }
        routed.stats = lists.stats();
        drop(lists);
        bar.finish_and_clear();
        references.into_inner().warn(status);
        if routed.judged.is_empty() {
            skipped.outcome(0)?;
        }
        routed.tally.say(routed.stats.routing_nodes, status);
        Ok(routed)
    }
}
