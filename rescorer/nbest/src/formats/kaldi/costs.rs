//! The files of costs in a folder of Kaldi's, and which of them make the score.

use std::io::Read;
use std::path::Path;

use crate::keyed::{KeyedLine, KeyedLines};
use crate::{Error, Hypothesis};

/// Names of acoustic costs: the first that is there is taken.
const ACOUSTIC: [&str; 2] = ["ac_cost", "acwt"];

/// Names of graph and language-model costs: of the first row that is there whole, the sum is taken.
const GRAPH: [&[&str]; 7] = [
    &["lm_cost"],
    &["lmwt.withlm"],
    &["lmwt.nolm", "lmwt.lmonly"],
    &[INTERPOLATED],
    &["lmwt.nolm"],
    &["lmwt.lmonly"],
    &["lmwt.rnn"],
];

/// What the costs of interpolated models begin with; the weight stands behind it.
const INTERPOLATED: &str = "lmwt.interp.";

/// Files that hold no numbers to score with.
const OTHERS: [&str; 5] = ["ali", "words", "words_text", "text", "ref.txt"];

/// Bytes that are looked at of a file that may hold numbers.
const LOOK: u64 = 16 * 1024;

/// The costs that are read.
pub(super) struct Costs {
    /// Each with the name of its file and its weight in the score.
    files: Vec<(String, f64, KeyedLines)>,
    /// Files with a number for every hypothesis that are not read.
    pub(super) unread: Vec<String>,
    /// The name of the other file where one kind of costs stands alone.
    pub(super) missing: Option<&'static str>,
}

impl Costs {
    /// Reads the costs that a folder has for these texts.
    pub(super) fn open(folder: &Path, texts: &KeyedLines, acoustic_scale: f64) -> Result<Self, Error> {
        let acoustic = ACOUSTIC.iter().find_map(|name| there(folder, name));
        let all = |names: &&[&str]| names.iter().map(|name| there(folder, name)).collect::<Option<Vec<_>>>();
        let graph = GRAPH.iter().find_map(all).unwrap_or_default();
        let missing = match (&acoustic, graph.is_empty()) {
            (Some(_), true) => Some("lm_cost"),
            (None, false) => Some("ac_cost"),
            _ => None,
        };
        let named = acoustic.map(|name| (name, acoustic_scale));
        let named = named.into_iter().chain(graph.into_iter().map(|name| (name, 1.0)));
        let files = named.map(|(name, weight)| {
            let costs = KeyedLines::read(&folder.join(&name))?;
            Ok((name, weight, costs))
        });
        let files = files.collect::<Result<Vec<_>, Error>>()?;
        for (_, _, costs) in &files {
            let stray = costs.lines().iter().find(|line| texts.get(&line.key).is_none());
            if let Some(KeyedLine { key, line, .. }) = stray {
                let reason =
                    format!("{key:?} (line {line}) has no text in {}; remove the line", texts.path());
                return Err(Error::Parts { path: costs.path().to_owned(), reason });
            }
        }
        let read: Vec<&str> = files.iter().map(|(name, ..)| name.as_str()).collect();
        let unread = unread(folder, texts, &read);
        Ok(Self { files, unread, missing })
    }

    /// The names of the files.
    pub(super) fn names(&self) -> Vec<&str> {
        self.files.iter().map(|(name, ..)| name.as_str()).collect()
    }

    /// How the score is made: `−(lm_cost + 0.1 · ac_cost)`; empty without costs.
    pub(super) fn formula(&self) -> String {
        if self.files.is_empty() {
            return String::new();
        }
        let terms = self.files.iter().rev().map(|(name, weight, _)| match weight {
            1.0 => name.clone(),
            weight => format!("{weight} · {name}"),
        });
        format!("−({})", terms.collect::<Vec<_>>().join(" + "))
    }

    /// Gives a hypothesis its score, and the costs as fields.
    pub(super) fn apply(&self, key: &str, hypothesis: &mut Hypothesis) -> Result<(), Flaw> {
        for (name, weight, costs) in &self.files {
            let cost = costs.get(key).map(|line| line.text.as_str());
            let cost =
                cost.ok_or_else(|| Flaw::Reason(format!("{key} has no line in {}; add one", costs.path())))?;
            let Ok(value) = cost.parse::<f64>() else {
                return Err(Flaw::Reason(format!(
                    "{key} costs {cost:?} in {}, expected a number; mend it",
                    costs.path()
                )));
            };
            if !value.is_finite() {
                return Err(Flaw::NotFinite(cost.to_owned()));
            }
            hypothesis.score = Some(hypothesis.score.unwrap_or(0.0) - weight * value);
            hypothesis.extra.insert(name.clone(), value.into());
        }
        Ok(())
    }
}

/// What is wrong with a cost.
pub(super) enum Flaw {
    /// What, and the remedy.
    Reason(String),
    NotFinite(String),
}

/// Whether a folder has a file of costs.
pub(super) fn are_in(folder: &Path) -> bool {
    ACOUSTIC.iter().chain(GRAPH.into_iter().flatten()).any(|name| there(folder, name).is_some())
}

/// The file of this name; of interpolated models the only one, whatever its weight.
fn there(folder: &Path, name: &str) -> Option<String> {
    if name != INTERPOLATED {
        return folder.join(name).is_file().then(|| name.to_owned());
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut found = names.filter(|name| name.starts_with(INTERPOLATED) && folder.join(name).is_file());
    found.next().filter(|_| found.next().is_none())
}

/// The files of lines `KEY NUMBER` whose keys are the hypotheses, other than those that are read.
fn unread(folder: &Path, texts: &KeyedLines, read: &[&str]) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.path().is_file());
    let mut found: Vec<String> = files
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !OTHERS.contains(&name.as_str()) && !read.contains(&name.as_str()))
        .filter(|name| holds_numbers(&folder.join(name), texts))
        .collect();
    found.sort();
    found
}

/// Whether the lines that a file begins with have a key of the texts and a number each.
fn holds_numbers(path: &Path, texts: &KeyedLines) -> bool {
    let mut start = Vec::new();
    let Ok(file) = std::fs::File::open(path) else { return false };
    let Ok(length) = file.take(LOOK).read_to_end(&mut start) else { return false };
    // The last line may be cut short.
    if length as u64 == LOOK {
        start.truncate(start.iter().rposition(|&byte| byte == b'\n').unwrap_or_default());
    }
    let Ok(start) = String::from_utf8(start) else { return false };
    let mut lines = start.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    lines.peek().is_some()
        && lines.all(|line| {
            let mut words = line.split_whitespace();
            let key = words.next().is_some_and(|key| texts.get(key).is_some());
            let number = words.next().is_some_and(|number| number.parse::<f64>().is_ok());
            key && number && words.next().is_none()
        })
}
