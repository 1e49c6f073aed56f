//! What is known of a shape of JSON: how to tell it, and where in it the lists, texts and scores are.

use serde_json::{Map, Value};

use crate::fields::{Fields, Unread};
use crate::{ScoreKind, Utterance, path};

/// A shape of JSON text. A format has one or more.
pub(crate) struct Json {
    /// Paths of keys in a list's object, each of which tells that it is of this shape; `a&b` is two that do together.
    pub(crate) marks: &'static [&'static str],
    /// Whether a mark settles the format at once. If not, a mark that does goes before it, wherever in the
    /// first object it stands.
    pub(crate) certain: bool,
    /// How a file is made up of lists.
    pub(crate) layout: Layout,
    /// Objects that are no lists, and left out.
    pub(crate) unfinished: &'static [Unfinished],
    /// Turns an object into the utterance that it holds.
    pub(crate) read: Read,
}

/// How an object becomes an utterance.
pub(crate) enum Read {
    /// By code of its own.
    Own(fn(Fields) -> Result<Utterance, Unread>),
    /// By a table of paths.
    Mapped(Mapping),
}

/// How a file is made up of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Whether a list stands in a line, so that a broken line spoils no other.
    pub(crate) lines: bool,
    /// Whether a document is itself a list; others are objects, one behind the other or in lists.
    pub(crate) lists: bool,
    /// The path in a document to the objects that hold a list each; empty if that is the document.
    pub(crate) path: &'static str,
}

impl Layout {
    /// One object a line.
    pub(crate) const LINES: Self = Self { lines: true, lists: false, path: "" };
    /// Objects one behind the other, line breaks wherever they like, or lists of objects.
    pub(crate) const DOCUMENTS: Self = Self { lines: false, lists: false, path: "" };
    /// Lists one behind the other.
    pub(crate) const LISTS: Self = Self { lines: false, lists: true, path: "" };

    /// Objects inside documents.
    pub(crate) const fn inside(path: &'static str) -> Self {
        Self { lines: false, lists: false, path }
    }
}

/// What tells an object that holds no list to answer: a path, and what stands there.
pub(crate) enum Unfinished {
    /// A result that a later one takes the place of.
    Partial(&'static str, Test),
    /// An answer without speech, or a message about something else.
    Silent(&'static str, Test),
}

/// What a value has to be.
pub(crate) enum Test {
    /// Any.
    Any,
    /// True or false.
    Is(bool),
    /// This text.
    Text(&'static str),
    /// Another text.
    NotText(&'static str),
    /// Any, where these other keys are missing.
    Missing(&'static [&'static str]),
}

impl Json {
    /// Whether an object is of this shape, with or without the path in front of its lists.
    pub(crate) fn has_marks(&self, has: &impl Fn(&str) -> bool) -> bool {
        self.marks.iter().any(|mark| mark.split('&').all(has))
    }

    /// What a reader has met that belongs to this shape's marks, in a whole document.
    pub(crate) fn path_of(&self, mark: &str) -> String {
        let path = self.layout.path.replace("{}", ".*");
        let path = path.trim_start_matches('.');
        match path {
            "" | "[]" => mark.to_owned(),
            path => format!("{path}.{mark}"),
        }
    }
}

impl Unfinished {
    /// What is said of it.
    fn parts(&self) -> (&'static str, &Test) {
        let (Self::Partial(path, test) | Self::Silent(path, test)) = self;
        (path, test)
    }

    /// The path that it looks at.
    pub(crate) fn path(&self) -> &'static str {
        self.parts().0
    }

    /// Whether an object is one.
    pub(crate) fn is(&self, object: &Map<String, Value>) -> bool {
        let (path, test) = self.parts();
        let Some(value) = path::get(object, path).filter(|value| !value.is_null()) else { return false };
        match test {
            Test::Any => true,
            Test::Is(expected) => value == expected,
            Test::Text(expected) => value == expected,
            Test::NotText(expected) => value.is_string() && value != expected,
            Test::Missing(others) => others.iter().all(|other| path::get(object, other).is_none()),
        }
    }
}

/// How an object becomes an utterance, as data.
pub(crate) struct Mapping {
    /// Where several lists are in the object, each of which makes an utterance; empty if it is one.
    pub(crate) lists: &'static str,
    /// Where the hypotheses of a list are; empty if the list is its only one.
    pub(crate) hypotheses: &'static str,
    /// Where the text of a hypothesis is.
    pub(crate) text: Text,
    /// Where its score is.
    pub(crate) score: Score,
    /// Where the id of a list is.
    pub(crate) id: Id,
    /// Where the reference is.
    pub(crate) reference: Reference,
}

impl Mapping {
    /// An object that is a list of one hypothesis: `text`, a score that is known by its name, and `reference`.
    pub(crate) const ONE_TEXT: Self = Self {
        lists: "",
        hypotheses: "",
        text: Text::Field(&["text"]),
        score: Score::Known,
        id: Id::Own,
        reference: Reference::List("reference"),
    };
}

/// Where a text is.
pub(crate) enum Text {
    /// In the first of these fields that is there.
    Field(&'static [&'static str]),
    /// In a field, without this at its end.
    Without(&'static str, &'static str),
    /// In a field of each element of a list, joined.
    Joined(&'static str, &'static str),
}

/// Where a score is.
pub(crate) enum Score {
    /// In the field whose name is known.
    Known,
    /// In a field, of this kind, and else under a known name.
    Field(&'static str, ScoreKind),
    /// The sum of a number in each element of a list.
    Sum(&'static str, &'static str, ScoreKind),
    /// The mean of a number in each element of the lists in the elements of a list.
    Mean(&'static str, &'static str, &'static str, ScoreKind),
}

/// Where an id is.
pub(crate) enum Id {
    /// In `id`.
    Own,
    /// In another field.
    Field(&'static str),
    /// The name of a file without folder and end, with the offset in it if there is one.
    Audio(&'static str, &'static str),
    /// Nowhere: a field `id` is not one of the utterance.
    None,
}

/// Where a reference is.
pub(crate) enum Reference {
    /// In this field of the list.
    List(&'static str),
    /// In this field of every hypothesis.
    Hypotheses(&'static str),
}
