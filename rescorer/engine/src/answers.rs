//! Answers for many lists, computed window by window.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rescorer_nbest::Utterance;

use crate::answer::choice::Choice;
use crate::answer::ranking::Ranking;
use crate::answer::rule::DecisionRule;
use crate::answer::{Answer, Completeness, Origin};
use crate::error::Error;
use crate::parts::Parts;
use crate::request::{Request, Wanted};
use crate::routes::Route;
use crate::routing::router::{LogOdds, Router, Routing};
use crate::scoring::deadline::Deadline;
use crate::scoring::list::PreparedList;
use crate::scoring::stream::{Cost, ScoringStats, Windows, Work};
use crate::second_pass::SecondPass;

/// Answers in the order of their requests, see [`Rescorer::rescore_many`](crate::Rescorer::rescore_many).
pub struct Answers<I> {
    windows: Windows<Requests<I>, Answering>,
}

impl<I> Answers<I> {
    pub(crate) fn new(parts: Arc<Parts>, requests: I) -> Self {
        let requests = Requests { items: requests, read: 0 };
        Self { windows: Windows::new(Answering::new(parts), requests, false) }
    }

    /// Answers every list before the next one is read, for lists that a running recogniser writes.
    #[must_use]
    pub fn immediate(self) -> Self {
        Self { windows: self.windows.immediate() }
    }

    /// What scoring has cost so far.
    pub fn stats(&self) -> ScoringStats {
        self.windows.stats()
    }

    /// Answers that are computed and not yet taken: 0 means that the next one needs a forward pass.
    pub fn ready(&self) -> usize {
        self.windows.ready()
    }
}

impl<I> Iterator for Answers<I>
where
    I: Iterator,
    I::Item: TryInto<Request>,
    <I::Item as TryInto<Request>>::Error: Into<Error>,
{
    type Item = Result<Answer, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.windows.next()
    }
}

/// Requests, numbered where they have no id.
struct Requests<I> {
    items: I,
    read: usize,
}

impl<I> Iterator for Requests<I>
where
    I: Iterator,
    I::Item: TryInto<Request>,
    <I::Item as TryInto<Request>>::Error: Into<Error>,
{
    type Item = Result<Request, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.items.next()?;
        let number = self.read;
        self.read += 1;
        let request = item.try_into().map_err(Into::into);
        Some(request.map(|request| request.numbered(number)))
    }
}

/// Answers the lists of a window, each as it was asked for.
pub(crate) struct Answering {
    parts: Arc<Parts>,
}

/// A request whose list is tokenised.
pub(crate) struct Kept {
    utterance: Utterance,
    wanted: Wanted,
    way: Way,
    /// What answers.
    route: Arc<Route>,
    /// Whether its adapter is to be chosen.
    is_open: bool,
    /// What was chosen.
    routing: Option<Routing>,
}

/// How an answer is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By a search that skips what can't win.
    Search,
    /// From all scores.
    Scores,
    /// From what can be scored in time.
    Within(Duration),
}

impl Way {
    fn new(pass: &SecondPass, deadline: Option<Duration>, wanted: Wanted) -> Self {
        match (deadline, wanted) {
            (Some(limit), _) => Self::Within(limit),
            (None, Wanted::Text) if pass.decision().rule == DecisionRule::Maximum => Self::Search,
            (None, _) => Self::Scores,
        }
    }

    fn deadline(self) -> Option<Duration> {
        match self {
            Self::Within(limit) => Some(limit),
            Self::Search | Self::Scores => None,
        }
    }
}

/// Lists of a window that go through the model together.
struct Alike {
    /// That of each.
    routes: Vec<Arc<Route>>,
    way: Way,
    /// Their places in the window.
    numbers: Vec<usize>,
    lists: Vec<PreparedList>,
}

impl Alike {
    /// Whether a list goes with these.
    fn takes(&self, route: &Arc<Route>, way: Way) -> bool {
        let alike = |own: &Arc<Route>| {
            Arc::ptr_eq(own, route) || own.pass.scorer().computes_like(route.pass.scorer())
        };
        self.way == way && self.routes.first().is_some_and(alike)
    }
}

impl Answering {
    pub(crate) fn new(parts: Arc<Parts>) -> Self {
        Self { parts }
    }

    /// Chooses the adapters of open lists, and prepares these for them. Gives the nodes computed.
    fn route(&self, kept: &mut [Kept], lists: &mut [PreparedList]) -> Result<usize, Error> {
        let Some(router) = &self.parts.router else { return Ok(0) };
        // All that have time go through the model together.
        let together = kept.iter().filter(|kept| kept.is_open && kept.way.deadline().is_none());
        let together: Vec<&Utterance> = together.map(|kept| &kept.utterance).collect();
        let (log_odds, mut nodes) = router.log_odds(&together)?;
        let mut log_odds = log_odds.into_iter();
        for (kept, list) in kept.iter_mut().zip(lists).filter(|(kept, _)| kept.is_open) {
            let mut deadline = kept.way.deadline();
            let log_odds = match &mut deadline {
                Some(limit) => {
                    let (log_odds, computed) = self.log_odds_within(router, &kept.utterance, list, limit)?;
                    nodes += computed;
                    log_odds
                }
                None => log_odds.next().ok_or(Error::Unscored)?,
            };
            let routing = router.route(&kept.utterance, &log_odds);
            (kept.route, *list) = self.parts.prepared_for(&mut kept.utterance, &routing)?;
            kept.way = Way::new(&kept.route.pass, deadline, kept.wanted);
            kept.routing = Some(routing);
        }
        Ok(nodes)
    }

    /// What speaks for the adapters of a list with a deadline, which loses the time that this takes. Where the time is too short,
    /// nothing is known of the list but its conversation.
    fn log_odds_within(
        &self,
        router: &Router,
        utterance: &Utterance,
        list: &PreparedList,
        limit: &mut Duration,
    ) -> Result<(LogOdds, usize), Error> {
        let started = Instant::now();
        let mut deadline = Deadline::at_pace(*limit, *self.parts.pace());
        if deadline.affordable(*limit) < router.nodes(list.tokens(0)) {
            return Ok((router.unknown(), 0));
        }
        let (mut log_odds, nodes) = router.log_odds(&[utterance])?;
        deadline.learn(nodes, started.elapsed());
        *self.parts.pace() = deadline.pace();
        *limit = limit.saturating_sub(started.elapsed());
        Ok((log_odds.pop().ok_or(Error::Unscored)?, nodes))
    }

    /// Answers lists that go through the model together. Gives the nodes computed.
    fn answer(&self, alike: Alike, mut take: impl FnMut(Found)) -> Result<usize, Error> {
        let Alike { routes, way, lists, .. } = alike;
        let passes: Vec<&SecondPass> = routes.iter().map(|route| &route.pass).collect();
        match way {
            Way::Search => {
                let chosen = SecondPass::choose_together(&passes, lists)?;
                chosen.choices.into_iter().for_each(|choice| take(Found::of(choice)));
                Ok(chosen.nodes)
            }
            Way::Scores => {
                let (rankings, nodes) = SecondPass::rescore_together(&passes, lists)?;
                for ranking in rankings {
                    take(Found { choice: ranking.choice(), ranking: Some(ranking), progress: None });
                }
                Ok(nodes)
            }
            Way::Within(limit) => {
                let mut nodes = 0;
                for (pass, list) in passes.into_iter().zip(lists) {
                    let mut deadline = Deadline::at_pace(limit, *self.parts.pace());
                    let found = pass.choose_within(&list, &mut deadline)?;
                    *self.parts.pace() = deadline.pace();
                    nodes += found.nodes;
                    let progress = Completeness { decided: found.decided, unique: found.hypotheses };
                    // Without time for a single one the first-pass best stays.
                    let choice = found.choice.unwrap_or_else(|| Choice::first(&list));
                    take(Found { progress: Some(progress), ..Found::of(choice) });
                }
                Ok(nodes)
            }
        }
    }
}

/// What was found for a list.
struct Found {
    choice: Choice,
    ranking: Option<Ranking>,
    progress: Option<Completeness>,
}

impl Found {
    fn of(choice: Choice) -> Self {
        Self { choice, ranking: None, progress: None }
    }

    fn into_answer(self, Kept { utterance, wanted, .. }: Kept, origin: Arc<Origin>) -> Answer {
        let Self { choice, ranking, progress } = self;
        let with_list = wanted == Wanted::List;
        let ranking = ranking.map(|ranking| ranking.with_times(&utterance));
        Answer { utterance, choice, ranking, with_list, progress, nodes: 0, origin }
    }
}

impl Work for Answering {
    type Input = Request;
    type Kept = Kept;
    type Output = Answer;

    fn prepare(&mut self, request: Request) -> Result<(Kept, PreparedList), Error> {
        let Request { utterance, wanted, deadline, attached, route } = request;
        let utterance = self.parts.with_terms(utterance?)?;
        let is_pooled = route.is_some();
        let route = match route {
            Some(route) => route,
            None => self.parts.routes.of(&utterance)?.clone(),
        };
        self.parts.check_terms(&route, &utterance)?;
        let pass = &route.pass;
        let list = pass.prepare_utterance(&utterance)?;
        let is_attached = attached.is_some();
        let list = match attached {
            Some(adapter) => list.with_adapter(Some(adapter)),
            None => list,
        };
        let can = pass.scorer().list_scorer().capabilities();
        if deadline.is_some() && !can.deadlines && !can.first_stage {
            return Err(Error::DeadlineOnGpu);
        }
        let way = Way::new(pass, deadline, wanted);
        let is_open = self.parts.router.is_some()
            && !(is_attached || is_pooled)
            && list.is_asked
            && Router::is_open(&utterance);
        Ok((Kept { utterance, wanted, way, route, is_open, routing: None }, list))
    }

    fn compute(
        &mut self,
        mut kept: Vec<Kept>,
        mut lists: Vec<PreparedList>,
    ) -> Result<(Vec<Answer>, Cost), Error> {
        let parts = self.parts.clone();
        let routing_nodes = parts.run(|| self.route(&mut kept, &mut lists))?;
        // Lists that are computed alike go through the model together, whatever their adapters and policies.
        let mut groups: Vec<Alike> = Vec::new();
        for (number, (kept, list)) in kept.iter().zip(lists).enumerate() {
            let (route, way) = (kept.route.clone(), kept.way);
            match groups.iter_mut().find(|group| group.takes(&route, way)) {
                Some(group) => {
                    group.routes.push(route);
                    group.numbers.push(number);
                    group.lists.push(list);
                }
                None => {
                    groups.push(Alike { routes: vec![route], way, numbers: vec![number], lists: vec![list] });
                }
            }
        }
        let mut found: Vec<Option<Found>> = kept.iter().map(|_| None).collect();
        let mut nodes = routing_nodes;
        for mut group in groups {
            let mut numbers = std::mem::take(&mut group.numbers).into_iter();
            nodes += parts.run(|| {
                self.answer(group, |one| {
                    if let Some(number) = numbers.next() {
                        found[number] = Some(one);
                    }
                })
            })?;
        }
        let answers = kept.into_iter().zip(found).map(|(mut kept, found)| {
            let route = kept.route.clone();
            let origin = match kept.routing.take() {
                Some(routing) => route.routed(routing),
                None => route.origin(&kept.utterance),
            };
            Ok(found.ok_or(Error::Unscored)?.into_answer(kept, origin))
        });
        Ok((answers.collect::<Result<_, Error>>()?, Cost { nodes, routing_nodes }))
    }
}
