//! Which column of a table is what.

use crate::answer::OF_SECOND_PASS;
use crate::rows::Row;
use crate::scores::names::known;
use crate::{FieldNames, ScoreKind};

/// What a column is.
#[derive(Clone, Copy)]
struct Role {
    /// Its names, the usual one first.
    names: &'static [&'static str],
    /// The name that the user gave it.
    named: fn(&FieldNames) -> Option<&str>,
}

const ID: Role = Role { names: &["id", "utterance"], named: FieldNames::id };
const TEXT: Role = Role { names: &["text", "hypothesis"], named: FieldNames::text };
const REFERENCE: Role = Role { names: &["reference"], named: FieldNames::reference };
const CONTEXT: Role = Role { names: &["context"], named: FieldNames::context };
const POSITION: Role = Role { names: &["position"], named: FieldNames::position };
const ROLES: [Role; 5] = [ID, TEXT, REFERENCE, CONTEXT, POSITION];

/// The usual name of a column of scores.
const SCORE: &str = "score";

/// The columns in which our own tables keep fields that we don't know, as JSON.
pub(super) const OF_HYPOTHESIS: &str = "extra";
pub(super) const OF_UTTERANCE: &str = "utterance_extra";

/// Names of columns are hardly longer, in bytes.
const LONGEST: usize = 40;

/// Which column is what.
pub(super) struct Columns {
    /// The names of all, as they are carried along.
    pub(super) names: Vec<String>,
    pub(super) id: usize,
    pub(super) text: usize,
    pub(super) score: Option<usize>,
    pub(super) reference: Option<usize>,
    pub(super) context: Option<usize>,
    pub(super) position: Option<usize>,
    /// What the score is made of, where the user said so.
    pub(super) scores: Vec<(String, ScoreKind)>,
}

impl Columns {
    /// Whether a row names the columns that are needed.
    pub(super) fn are_in(header: &Row, user: &FieldNames) -> bool {
        let names = names(header, user);
        let is_there = |role: Role| match (role.named)(user) {
            Some(name) => names.iter().any(|other| other == name),
            None => role.names.iter().any(|name| names.iter().any(|other| other == name)),
        };
        is_there(ID) && is_there(TEXT)
    }

    /// Finds the columns, or says what is wrong and the remedy.
    pub(super) fn find(header: &Row, user: &FieldNames, delimiter: u8) -> Result<Self, String> {
        if header.flaw.is_some() {
            return Err("the row that names the columns is broken; mend its quotes and its UTF-8".to_owned());
        }
        let names = names(header, user);
        let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
        if let Some((_, name)) = twice {
            return Err(format!("the column `{name}` stands twice; rename or remove one"));
        }
        if user.hypotheses().is_some() {
            return Err(
                "a row is one hypothesis, so no column is `hypotheses`; name the column of its `text`"
                    .to_owned(),
            );
        }
        let seen = Seen { names: &names, delimiter };
        let find = |role: Role| seen.find(role, user);
        let needed = |role: Role| seen.find(role, user)?.ok_or_else(|| seen.missing(role));
        let score = names.iter().position(|name| name == SCORE).filter(|_| user.scores().len() == 0);
        let mut columns = Self {
            id: needed(ID)?,
            text: needed(TEXT)?,
            score,
            reference: find(REFERENCE)?,
            context: find(CONTEXT)?,
            position: find(POSITION)?,
            scores: user.scores().map(|(name, kind)| (name.to_owned(), kind)).collect(),
            names: names.clone(),
        };
        for (name, _) in user.scores() {
            seen.named(name, SCORE)?;
        }
        let read =
            ROLES.iter().filter_map(|role| (role.named)(user)).chain(user.scores().map(|(name, _)| name));
        let read: Vec<&str> = read.collect();
        if let Some((_, name)) = read.iter().enumerate().find(|(at, name)| read[..*at].contains(name)) {
            return Err(format!("the column `{name}` is named for two things; name it once"));
        }
        // A field of ours that another column stands for keeps its value under a name that is free.
        for (index, name) in names.iter().enumerate() {
            let of_ours = ROLES.iter().any(|role| role.names[0] == name);
            if of_ours && !columns.is_read(index) && !read.contains(&name.as_str()) {
                columns.names[index] = format!("{name}_column");
            }
        }
        Ok(columns)
    }

    /// Whether the column at this index is read, and so not carried along.
    pub(super) fn is_read(&self, index: usize) -> bool {
        let optional = [self.score, self.reference, self.context, self.position];
        index == self.id || index == self.text || optional.contains(&Some(index))
    }

    /// Whether the user named this column for the score.
    pub(super) fn is_named_score(&self, index: usize) -> bool {
        self.scores.iter().any(|(name, _)| *name == self.names[index])
    }

    /// Whether a number of this column may become the score.
    pub(super) fn may_score(&self, index: usize) -> bool {
        self.is_named_score(index) || (self.scores.is_empty() && known(&self.names[index]).is_some())
    }
}

/// The names of the columns: known ones in their usual case, those without a name after the first by their place.
fn names(header: &Row, user: &FieldNames) -> Vec<String> {
    let is_named = |name: &str| {
        ROLES.iter().any(|role| (role.named)(user) == Some(name))
            || user.scores().any(|(other, _)| other == name)
    };
    let is_usual = |name: &str| {
        let ours = [OF_HYPOTHESIS, OF_UTTERANCE].into_iter().chain(OF_SECOND_PASS);
        known(name).is_some()
            || ours.chain(ROLES.iter().flat_map(|role| role.names.iter().copied())).any(|n| n == name)
    };
    let mut nameless = false;
    let name = |(index, text): (usize, &str)| {
        let name = text.trim();
        if name.is_empty() && std::mem::replace(&mut nameless, true) {
            return format!("column {}", index + 1);
        }
        let usual = name.to_lowercase();
        if !is_named(name) && is_usual(&usual) { usual } else { name.to_owned() }
    };
    header.cells.iter().map(|cell| cell.text.as_str()).enumerate().map(name).collect()
}

/// The columns that are there.
struct Seen<'a> {
    names: &'a [String],
    delimiter: u8,
}

impl Seen<'_> {
    fn find(&self, role: Role, user: &FieldNames) -> Result<Option<usize>, String> {
        if let Some(name) = (role.named)(user) {
            return self.named(name, role.names[0]).map(Some);
        }
        let mut found =
            role.names.iter().filter_map(|known| self.names.iter().position(|name| name == known));
        match (found.next(), found.next()) {
            (Some(one), Some(other)) => Err(format!(
                "the columns `{}` and `{}` mean the same; rename or remove one",
                self.names[one], self.names[other]
            )),
            (found, _) => Ok(found),
        }
    }

    /// The column that the user named.
    fn named(&self, name: &str, role: &str) -> Result<usize, String> {
        self.names.iter().position(|other| other == name).ok_or_else(|| {
            format!("no column is `{name}`, which was named for `{role}`: {}; name one of them", self.all())
        })
    }

    fn missing(&self, role: Role) -> String {
        let known: Vec<_> = ROLES.iter().map(|role| role.names.join(" or ")).collect();
        format!(
            "no column is `{}`: {}; known are {}, {SCORE} and usual names of scores, so rename one, or say which it is, as \
             {}=NAME",
            role.names.join("` or `"),
            self.all(),
            known.join(", "),
            role.names[0]
        )
    }

    fn all(&self) -> String {
        let names: Vec<_> = self.names.iter().map(|name| format!("`{name}`")).collect();
        let between = match self.delimiter {
            b'\t' => "with tabs between them, ",
            b';' => "with semicolons between them, ",
            b',' => "with commas between them, ",
            _ => "",
        };
        format!("{between}the columns are {}", names.join(", "))
    }
}

/// Whether a row looks like the names of columns: several short words, none of them a number.
pub(super) fn look_like_names(header: &Row) -> bool {
    let is_name = |name: &str| {
        let is_part =
            |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | ':' | '/' | '(' | ')' | '#');
        let words = name.split_whitespace().count();
        words <= 2 && name.len() <= LONGEST && name.chars().all(is_part) && name.parse::<f64>().is_err()
    };
    let names: Vec<&str> = header.cells.iter().map(|cell| cell.text.trim()).collect();
    names.len() > 1
        && header.flaw.is_none()
        && names.iter().all(|name| is_name(name))
        && names.iter().filter(|name| name.is_empty()).count() < 2
}
