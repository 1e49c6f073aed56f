//! What an input of an unknown shape looks like, and which known shapes come nearest to it.

use std::path::Path;

use crate::keys::Keys;
use crate::{Format, formats};

/// Keys that are named in a message.
const NAMED: usize = 8;

/// What OpenFst writes first, as in `fst/fst.h`.
const FST_MARK: [u8; 4] = 0x7eb2_fdd6_u32.to_le_bytes();

/// Whether an input is a binary archive of Kaldi: a key, a blank, and an automaton or what Kaldi marks as binary.
pub(crate) fn is_lattice(text: &[u8]) -> bool {
    let key = text.iter().take(1024).position(|byte| !byte.is_ascii_graphic());
    let Some(rest) = key.filter(|&end| end > 0).and_then(|end| text[end..].strip_prefix(b" ")) else {
        return false;
    };
    rest.starts_with(&FST_MARK) || rest.starts_with(b"\0B")
}

/// How a text begins, in words, and what to do about it. `name` is that of the input.
pub(crate) fn describe(name: &str, text: &[u8]) -> (String, String) {
    if is_lattice(text) {
        let remedy =
            "write its N-best lists with lattice-to-nbest and nbest-to-linear, and name their folder";
        return ("a binary archive of Kaldi".to_owned(), remedy.to_owned());
    }
    let native =
        "write each list as a line {\"id\": \"u1\", \"hypotheses\": [{\"text\": \"...\", \"score\": -1.5}]}";
    let seen = match text.first() {
        Some(b'{' | b'[') => {
            let mut met: Vec<String> = Vec::new();
            for key in Keys::new(text).take(2000) {
                if !met.contains(&key) {
                    met.push(key);
                }
            }
            let what = if text[0] == b'{' { "a JSON object" } else { "a JSON list" };
            let seen = match met.as_slice() {
                [] => format!("{what} without keys"),
                met => format!("{what} with the keys {}", named(met)),
            };
            return (
                seen,
                format!("no known shape has these; the nearest are {}. Or {native}", shapes(&met)),
            );
        }
        _ if text.starts_with(b"PAR1") || text.starts_with(b"ARROW1") => {
            "columns of Parquet or Arrow, which this program was built without (feature `parquet`)".to_owned()
        }
        _ if text.starts_with(b"\xFF\xFE") || text.starts_with(b"\xFE\xFF") => {
            "UTF-16 (convert it to UTF-8)".to_owned()
        }
        _ => {
            let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
            let start = String::from_utf8_lossy(&line[..line.len().min(160)]);
            format!("{:?}", start.chars().take(40).collect::<String>())
        }
    };
    if Path::new(name).file_name().is_some_and(|name| name == "words_text") {
        return (seen, "a folder of Kaldi is read whole: name the folder that holds this file".to_owned());
    }
    let remedy = format!("name the format ({}), or {native}", Format::names());
    (seen, remedy)
}

/// The first keys.
fn named(met: &[String]) -> String {
    let mut names: Vec<_> = met.iter().take(NAMED).map(|key| format!("`{}`", short(key))).collect();
    if met.len() > NAMED {
        names.push(format!("{} more", met.len() - NAMED));
    }
    names.join(", ")
}

/// A key that fits into a message.
fn short(key: &str) -> String {
    match key.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &key[..end]),
        None => key.to_owned(),
    }
}

/// The three shapes whose marks share the most keys with those that were met.
fn shapes(met: &[String]) -> String {
    let parts = |path: &str| -> Vec<String> {
        path.split(['.', '&']).map(|part| part.trim_end_matches("[]").to_lowercase()).collect()
    };
    let seen: Vec<String> = met.iter().flat_map(|path| parts(path)).collect();
    let mut found: Vec<(f64, Format, String)> = Vec::new();
    for (format, json) in formats::shapes() {
        for mark in json.marks {
            let path = json.path_of(mark).replace('&', "` and `");
            let wanted: Vec<_> = parts(&path.replace("` and `", "."))
                .into_iter()
                .filter(|part| !part.is_empty() && part != "*")
                .collect();
            let shared = wanted.iter().filter(|part| seen.contains(part)).count();
            let share = shared as f64 / wanted.len().max(1) as f64;
            match found.iter_mut().find(|(_, of, _)| *of == format) {
                Some(best) if best.0 >= share => {}
                Some(best) => (best.0, best.2) = (share, path),
                None => found.push((share, format, path)),
            }
        }
    }
    // Stable: of equal ones those that come first among the formats.
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    let named = found.iter().take(3).map(|(_, format, path)| format!("{format} (`{path}`)"));
    named.collect::<Vec<_>>().join(", ")
}
