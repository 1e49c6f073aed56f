//! Reads a file of terms.

use super::term::Term;
use crate::{Phone, Pronunciation};

/// The terms of a file with their lines, from 1.
pub fn parse(text: &str) -> Result<Vec<(usize, Term)>, (usize, String)> {
    let mut terms = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if !line.starts_with('#') && !line.trim().is_empty() {
            terms.push((index + 1, term(line).map_err(|reason| (index + 1, reason))?));
        }
    }
    Ok(terms)
}

fn term(line: &str) -> Result<Term, String> {
    let mut fields = line.split('\t').map(str::trim);
    let mut term = Term::new(fields.next().unwrap_or_default());
    if term.text.is_empty() {
        return Err("the line begins with a tab; write the term before it".into());
    }
    for field in fields.filter(|field| !field.is_empty()) {
        match field.split_once('=') {
            Some(("weight", weight)) => {
                let read = weight.trim().parse::<f64>();
                term.weight =
                    read.map_err(|_| format!("weight {weight:?} is no number; write weight=2.5"))?;
            }
            Some(("class", class)) => term.class = Some(class.trim().to_owned()),
            Some(("sounds-like", words)) => term.sounds_like.push(words.trim().to_owned()),
            Some((field, _)) => {
                return Err(format!("unknown field {field:?}; use weight=, class=, sounds-like= or phones"));
            }
            None => term.pronunciations.push(phones(field)?),
        }
    }
    Ok(term)
}

fn phones(field: &str) -> Result<Pronunciation, String> {
    let phone = |part: &str| {
        Phone::from_name(part).ok_or_else(|| {
            let known: Vec<&str> = Phone::all().filter_map(Phone::name).collect();
            format!(
                "{part:?} is no phone of English; use {}, or write sounds-like= before words",
                known.join(" ")
            )
        })
    };
    field.split_whitespace().map(phone).collect()
}
