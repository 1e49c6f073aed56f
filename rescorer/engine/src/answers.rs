//! Answers for many lists, computed window by window.

use std::sync::Arc;
use std::time::Duration;

use rescorer_nbest::Utterance;

use crate::answer::choice::Choice;
use crate::answer::ranking::Ranking;
use crate::answer::rule::DecisionRule;
use crate::answer::{Answer, Completeness, Origin};
use crate::error::Error;
use crate::parts::Parts;
use crate::request::{Request, Wanted};
use crate::routes::Route;
use crate::scoring::deadline::Deadline;
use crate::scoring::list::PreparedList;
use crate::scoring::stream::{ScoringStats, Windows, Work};

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
    /// Number of the route that answers.
    route: usize,
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

/// Lists of a window that go through the model together.
struct Alike {
    route: usize,
    way: Way,
    /// Their places in the window.
    numbers: Vec<usize>,
    lists: Vec<PreparedList>,
}

impl Answering {
    pub(crate) fn new(parts: Arc<Parts>) -> Self {
        Self { parts }
    }

    /// Lists of one route that are computed in one way. Gives the nodes computed.
    fn answer(
        &self,
        route: &Route,
        way: Way,
        lists: Vec<PreparedList>,
        mut take: impl FnMut(Found),
    ) -> Result<usize, Error> {
        let pass = &route.pass;
        match way {
            Way::Search => {
                let chosen = pass.choose(lists)?;
                chosen.choices.into_iter().for_each(|choice| take(Found::of(choice)));
                Ok(chosen.nodes)
            }
            Way::Scores => {
                let (rankings, nodes) = pass.rescore_prepared(lists)?;
                for ranking in rankings {
                    take(Found { choice: ranking.choice(), ranking: Some(ranking), progress: None });
                }
                Ok(nodes)
            }
            Way::Within(limit) => {
                let mut nodes = 0;
                for list in lists {
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
        let Request { utterance, wanted, deadline, attached } = request;
        let utterance = utterance?;
        let route = self.parts.routes.number(&utterance)?;
        let pass = &self.parts.routes.at(route).pass;
        let list = pass.prepare_utterance(&utterance)?;
        let list = match attached {
            Some(adapter) => list.with_adapter(Some(adapter)),
            None => list,
        };
        let can = pass.scorer().list_scorer().capabilities();
        if deadline.is_some() && !can.deadlines && !can.first_stage {
            return Err(Error::DeadlineOnGpu);
        }
        let way = match (deadline, wanted) {
            (Some(limit), _) => Way::Within(limit),
            (None, Wanted::Text) if pass.decision().rule == DecisionRule::Maximum => Way::Search,
            (None, _) => Way::Scores,
        };
        Ok((Kept { utterance, wanted, way, route }, list))
    }

    fn compute(&mut self, kept: Vec<Kept>, lists: Vec<PreparedList>) -> Result<(Vec<Answer>, usize), Error> {
        let parts = self.parts.clone();
        // Lists of one route that are computed alike go through the model together.
        let mut groups: Vec<Alike> = Vec::new();
        for (number, (kept, list)) in kept.iter().zip(lists).enumerate() {
            let (route, way) = (kept.route, kept.way);
            match groups.iter_mut().find(|group| (group.route, group.way) == (route, way)) {
                Some(group) => {
                    group.numbers.push(number);
                    group.lists.push(list);
                }
                None => groups.push(Alike { route, way, numbers: vec![number], lists: vec![list] }),
            }
        }
        let mut found: Vec<Option<Found>> = kept.iter().map(|_| None).collect();
        let mut nodes = 0;
        for Alike { route, way, numbers, lists } in groups {
            let mut numbers = numbers.into_iter();
            nodes += parts.run(|| {
                self.answer(parts.routes.at(route), way, lists, |one| {
                    if let Some(number) = numbers.next() {
                        found[number] = Some(one);
                    }
                })
            })?;
        }
        let answers = kept.into_iter().zip(found).map(|(kept, found)| {
            let origin = parts.routes.at(kept.route).origin(&kept.utterance);
            Ok(found.ok_or(Error::Unscored)?.into_answer(kept, origin))
        });
        Ok((answers.collect::<Result<_, Error>>()?, nodes))
    }
}
