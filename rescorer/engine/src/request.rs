//! What a rescorer is asked.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use rescorer_models::Adapter;
use rescorer_nbest::{Hypothesis, NBest, Utterance};

use crate::conversations::CONVERSATION;
use crate::error::Error;
use crate::pool::PooledAdapter;
use crate::routes::Route;
use crate::scoring::adapters::FIELD as ADAPTER;

/// An N-best list, and what is wanted of its answer.
///
/// ```
/// use rescorer::Request;
///
/// let request = Request::new([("please right it down", -1.2), ("please write it down", -1.4)])
///     .context("Have you got a pencil?");
/// let without_scores = Request::new(["please right it down", "please write it down"]);
/// ```
pub struct Request {
    pub(crate) utterance: Result<Utterance, rescorer_nbest::Error>,
    pub(crate) wanted: Wanted,
    pub(crate) deadline: Option<Duration>,
    pub(crate) attached: Option<Arc<dyn Adapter>>,
    /// The way of an adapter of a pool.
    pub(crate) route: Option<Arc<Route>>,
}

/// How much of an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Wanted {
    /// The text alone.
    Text,
    /// The text with its confidence and its words.
    #[default]
    Answer,
    /// That, and the list in its new order.
    List,
}

/// Stands for a list without an id in messages.
const UNNAMED: &str = "(list)";

impl Request {
    /// Asks about hypotheses in first-pass order, best first: texts, or pairs of text and first-pass score (higher is better).
    ///
    /// A list that can't be answered, such as an empty one, is reported when it is rescored.
    pub fn new<H: Into<Hypothesis>>(hypotheses: impl IntoIterator<Item = H>) -> Self {
        let nbest = NBest::new(hypotheses.into_iter().map(Into::into).collect());
        Self {
            utterance: nbest.map(|nbest| Utterance::new(UNNAMED, nbest)),
            wanted: Wanted::default(),
            deadline: None,
            attached: None,
            route: None,
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Utterance)) -> Self {
        if let Ok(utterance) = &mut self.utterance {
            change(utterance);
        }
        self
    }

    /// Names the list: messages and the answer carry the name.
    #[must_use]
    pub fn id(self, id: impl Into<String>) -> Self {
        self.with(|utterance| utterance.id = id.into())
    }

    /// Has the model read a text before every hypothesis, without scoring it: earlier turns of a conversation, or names that may be
    /// said. Decoders only.
    #[must_use]
    pub fn context(self, context: impl Into<String>) -> Self {
        self.with(|utterance| utterance.context = Some(context.into()))
    }

    /// Takes the adapter of this name, and its policy where it has one of its own.
    #[must_use]
    pub fn adapter(self, name: impl Into<String>) -> Self {
        self.with(|utterance| _ = utterance.extra.insert(ADAPTER.to_owned(), name.into().into()))
    }

    /// Name of the adapter that the list asks for.
    pub(crate) fn adapter_name(&self) -> Option<&str> {
        self.utterance.as_ref().ok()?.extra.get(ADAPTER)?.as_str()
    }

    /// Names the conversation of the list. Where lists are [routed](crate::RescorerBuilder::route_adapters) to adapters, the list before in
    /// the conversation counts too.
    #[must_use]
    pub fn conversation(self, name: impl Into<String>) -> Self {
        self.with(|utterance| _ = utterance.extra.insert(CONVERSATION.to_owned(), name.into().into()))
    }

    /// Computes with an adapter that is attached to the rescorer's model, such as one of a user that was loaded for this list. The
    /// policy of lists that ask for no adapter decides.
    #[must_use]
    pub fn attached(self, adapter: Arc<dyn Adapter>) -> Self {
        Self { attached: Some(adapter), ..self }
    }

    /// Takes an adapter of a [pool](crate::AdapterPool) of this rescorer, and its policy.
    #[must_use]
    pub fn pooled(self, adapter: &PooledAdapter) -> Self {
        Self { route: Some(adapter.route.clone()), ..self.adapter(adapter.name()) }
    }

    /// Asks for the text alone. Hypotheses that can't win are then not scored to their end, which is faster; the answer has no
    /// confidences.
    #[must_use]
    pub fn text_only(self) -> Self {
        Self { wanted: Wanted::Text, ..self }
    }

    /// Asks for the list in its new order too, see [`Answer::hypotheses`](crate::Answer::hypotheses).
    #[must_use]
    pub fn with_list(self) -> Self {
        Self { wanted: Wanted::List, ..self }
    }

    /// Answers within this time, by the most probable hypotheses that could be scored until then.
    /// [`Answer::completeness`](crate::Answer::completeness) says how far that got. On the CPU.
    #[must_use]
    pub fn deadline(self, limit: Duration) -> Self {
        Self { deadline: Some(limit), ..self }
    }

    /// Names a list that has no name after its place among others.
    pub(crate) fn numbered(self, number: usize) -> Self {
        self.with(|utterance| {
            if utterance.id == UNNAMED {
                utterance.id = format!("list:{number}");
            }
        })
    }
}

impl From<Utterance> for Request {
    fn from(utterance: Utterance) -> Self {
        Self {
            utterance: Ok(utterance),
            wanted: Wanted::default(),
            deadline: None,
            attached: None,
            route: None,
        }
    }
}

impl From<NBest> for Request {
    fn from(nbest: NBest) -> Self {
        Utterance::new(UNNAMED, nbest).into()
    }
}

impl From<&NBest> for Request {
    fn from(nbest: &NBest) -> Self {
        nbest.clone().into()
    }
}

/// Items of a reader, so that its errors come out in their places.
impl<E: Into<Error>> TryFrom<Result<Utterance, E>> for Request {
    type Error = Error;

    fn try_from(item: Result<Utterance, E>) -> Result<Self, Error> {
        item.map(Self::from).map_err(Into::into)
    }
}

impl<E: Into<Error>> TryFrom<Result<Request, E>> for Request {
    type Error = Error;

    fn try_from(item: Result<Request, E>) -> Result<Self, Error> {
        item.map_err(Into::into)
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
