//! Evaluation of lists that are routed to adapters.

use std::time::Instant;

use anyhow::bail;
use rescorer::fusion::{GainCalibration, Metric, ScoredReference};
use rescorer::scoring::{Need, ScoringStats, SecondPass};
use rescorer::{NBest, Rescorer, RescorerBuilder, Utterance};

use super::choice::Choice;
use crate::args::{ChoiceArgs, WeightArgs};
use crate::judge_args::EvaluateArgs;
use crate::lists::Skipped;
use crate::model;
use crate::read_item::ReadItem;
use crate::reference_warnings::References;
use crate::routing::Tally;
use crate::status::Status;

/// Lists that are routed together.
const WINDOW: usize = 256;

/// Field of a list that names its adapter.
const FIELD: &str = "adapter";

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
        mut utterances: impl Iterator<Item = ReadItem>,
        metric: Metric,
        skipped: &mut Skipped,
        status: Status,
    ) -> anyhow::Result<Self> {
        let mut routed = Self::default();
        let mut references = References::new(metric);
        let bar = status.counter();
        loop {
            let items: Vec<ReadItem> = utterances.by_ref().take(WINDOW).collect();
            if items.is_empty() {
                break;
            }
            let mut lists: Vec<Utterance> = Vec::new();
            for item in items {
                let Some(list) = skipped.pass(item)? else { continue };
                references.add(&list);
                if let Some(best) = GainCalibration::text_of(&list) {
                    let best = NBest::from_texts([best])?;
                    if skipped.pass(rescorer.scorer().prepare(&list.id, &best))?.is_none() {
                        continue;
                    }
                }
                lists.push(list);
            }
            bar.inc(lists.len() as u64);
            routed.window(rescorer, lists, metric, skipped)?;
        }
        bar.finish_and_clear();
        references.warn(status);
        if routed.judged.is_empty() {
            skipped.outcome(0)?;
        }
        Ok(routed)
    }

    /// Routes and scores the lists of a window.
    fn window(
        &mut self,
        rescorer: &Rescorer,
        mut lists: Vec<Utterance>,
        metric: Metric,
        skipped: &mut Skipped,
    ) -> anyhow::Result<()> {
        let named: Vec<bool> = lists.iter().map(|list| list.extra.contains_key(FIELD)).collect();
        let started = Instant::now();
        let nodes = rescorer.route(&mut lists)?;
        self.stats.time += started.elapsed();
        self.stats.nodes += nodes;
        self.stats.routing_nodes += nodes;
        for (list, named) in lists.iter().zip(named) {
            match list.extra.get(FIELD) {
                Some(adapter) if !named => self.tally.count(adapter.as_str()),
                _ => self.tally.count_other(),
            }
        }
        // Those that one second pass answers are scored together.
        let mut passes: Vec<(&SecondPass, Vec<(usize, Utterance)>)> = Vec::new();
        for (number, list) in lists.into_iter().enumerate() {
            let pass = rescorer.second_pass(&list)?;
            match passes.iter_mut().find(|(own, _)| std::ptr::eq(*own, pass)) {
                Some((_, own)) => own.push((number, list)),
                None => passes.push((pass, vec![(number, list)])),
            }
        }
        let mut found: Vec<(usize, ScoredReference, &SecondPass)> = Vec::new();
        for (pass, lists) in passes {
            let scorer = pass.scorer().clone().with_unit(metric.unit);
            let (numbers, lists): (Vec<usize>, Vec<Utterance>) = lists.into_iter().unzip();
            let items = lists.into_iter().map(Ok::<_, rescorer::Error>);
            let mut stream = scorer.score_stream_as(Need::of(pass.weighting()), items, false);
            for (number, scored) in numbers.into_iter().zip(stream.by_ref()) {
                let Some((list, scores)) = skipped.pass(scored)? else { continue };
                let judged = skipped.pass(ScoredReference::new(&list, &scores, metric))?;
                found.extend(judged.map(|judged| (number, judged, pass)));
            }
            self.stats += stream.stats();
        }
        found.sort_by_key(|(number, ..)| *number);
        for (_, judged, pass) in found {
            self.judged.push(judged);
            self.choice.push(pass);
        }
        Ok(())
    }
}
