//! Lists with references, each scored by what answers it.

use rescorer_nbest::Utterance;
use rescorer_perturb::Metric;

use crate::error::Error;
use crate::fusion::tuning::scored_reference::ScoredReference;
use crate::parts::Parts;
use crate::rescorer::Rescorer;
use crate::routing::router::Router;
use crate::scoring::list::PreparedList;
use crate::scoring::scorer::Scorer;
use crate::scoring::stream::{Cost, ScoringStats, Windows, Work};
use crate::second_pass::SecondPass;

/// Lists in the order of the input, see [`Rescorer::judge_many`].
pub struct Judging<'a> {
    windows: Windows<Box<dyn Iterator<Item = Result<Utterance, Error>> + 'a>, Judge<'a>>,
}

/// A list with the errors of its hypotheses, and what answers it.
#[derive(Clone)]
pub struct Judged<'a> {
    /// Errors and scores.
    pub list: ScoredReference,
    /// Weights and rule.
    pub pass: &'a SecondPass,
    /// Where a list was routed to that named no adapter: the name of one, or `None` for the model alone.
    pub routed: Option<Option<String>>,
}

impl Rescorer {
    /// Scores lists with references by what answers each, and counts the errors of their hypotheses, several lists in a forward pass.
    /// Lists that name no adapter are [routed](crate::RescorerBuilder::route_adapters) where that was asked for.
    ///
    /// # Errors
    /// An item for each list that can't be scored or has no reference; as [`Rescorer::rescore`].
    pub fn judge_many<'a, I, E>(&'a self, lists: I, metric: impl Into<Metric>) -> Judging<'a>
    where
        I: IntoIterator<Item = Result<Utterance, E>>,
        I::IntoIter: 'a,
        E: Into<Error>,
    {
        let lists = Box::new(lists.into_iter().map(|list| list.map_err(Into::into)));
        Judging { windows: Windows::new(Judge::new(&self.parts, metric.into()), lists, false) }
    }
}

impl Judging<'_> {
    /// What scoring has cost so far.
    pub fn stats(&self) -> ScoringStats {
        self.windows.stats()
    }
}

impl<'a> Iterator for Judging<'a> {
    type Item = Result<Judged<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.windows.next().map(Result::flatten)
    }
}

struct Judge<'a> {
    parts: &'a Parts,
    /// That of each route, counting in the units of the metric.
    scorers: Vec<Scorer>,
    metric: Metric,
}

/// A list that is tokenised.
struct Kept {
    utterance: Utterance,
    /// Number of the route that answers.
    route: usize,
    /// Whether its adapter is to be chosen.
    is_open: bool,
    /// What was chosen.
    routed: Option<Option<String>>,
}

impl<'a> Judge<'a> {
    fn new(parts: &'a Parts, metric: Metric) -> Self {
        let of_route = |pass: &SecondPass| pass.scorer().clone().with_unit(metric.unit);
        Self { parts, scorers: parts.routes.passes().map(of_route).collect(), metric }
    }

    /// The number of the way that answers a list, and the list as it is prepared for it.
    fn prepared(&self, utterance: &Utterance) -> Result<(usize, PreparedList), Error> {
        let route = self.parts.routes.number(utterance)?;
        let way = self.parts.routes.at(route);
        self.parts.check_terms(way, utterance)?;
        let need = way.pass.need();
        Ok((route, self.scorers[route].prepare_utterance_as(need, utterance)?))
    }

    /// Chooses the adapters of open lists, and prepares these for them. Gives the nodes computed.
    fn route(&self, kept: &mut [Kept], lists: &mut [PreparedList]) -> Result<usize, Error> {
        let Some(router) = &self.parts.router else { return Ok(0) };
        let open: Vec<&Utterance> =
            kept.iter().filter(|kept| kept.is_open).map(|kept| &kept.utterance).collect();
        let (log_odds, nodes) = router.log_odds(&open)?;
        let open = kept.iter_mut().zip(lists).filter(|(kept, _)| kept.is_open);
        for ((kept, list), log_odds) in open.zip(log_odds) {
            let routing = router.route(&kept.utterance, &log_odds);
            routing.label(&mut kept.utterance);
            (kept.route, *list) = self.prepared(&kept.utterance)?;
            kept.routed = Some(routing.adapter);
        }
        Ok(nodes)
    }
}

impl<'a> Work for Judge<'a> {
    type Input = Utterance;
    type Kept = Kept;
    type Output = Result<Judged<'a>, Error>;

    fn prepare(&mut self, utterance: Utterance) -> Result<(Kept, PreparedList), Error> {
        let utterance = self.parts.with_terms(utterance)?;
        let (route, list) = self.prepared(&utterance)?;
        let is_open = self.parts.router.is_some() && Router::is_open(&utterance);
        Ok((Kept { utterance, route, is_open, routed: None }, list))
    }

    fn compute(
        &mut self,
        mut kept: Vec<Kept>,
        mut lists: Vec<PreparedList>,
    ) -> Result<(Vec<Self::Output>, Cost), Error> {
        let routing_nodes = self.parts.run(|| self.route(&mut kept, &mut lists))?;
        let mut judged: Vec<Option<Self::Output>> = kept.iter().map(|_| None).collect();
        let mut nodes = routing_nodes;
        let mut lists: Vec<Option<PreparedList>> = lists.into_iter().map(Some).collect();
        // Lists of one route go through the model together.
        for (route, scorer) in self.scorers.iter().enumerate() {
            let numbers: Vec<usize> = (0..kept.len()).filter(|&number| kept[number].route == route).collect();
            let own: Vec<PreparedList> = numbers.iter().filter_map(|&number| lists[number].take()).collect();
            if own.is_empty() {
                continue;
            }
            let scored = self.parts.run(|| scorer.score(own))?;
            nodes += scored.nodes;
            for (number, scores) in numbers.into_iter().zip(scored.lists) {
                let Kept { utterance, routed, .. } = &mut kept[number];
                let (routed, pass) = (routed.take(), &self.parts.routes.at(route).pass);
                let list = ScoredReference::new(utterance, &scores, self.metric);
                judged[number] = Some(list.map(|list| Judged { list, pass, routed }));
            }
        }
        let judged = judged.into_iter().map(|one| one.unwrap_or(Err(Error::Unscored))).collect();
        Ok((judged, Cost { nodes, routing_nodes }))
    }
}
