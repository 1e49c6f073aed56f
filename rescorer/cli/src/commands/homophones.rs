use std::io::Write;

use rescorer_perturb::{Homophone, Homophones};
use serde::Serialize;

use crate::perturb_args::HomophonesArgs;
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};

#[derive(Serialize)]
struct Found<'a> {
    word: &'a str,
    known: bool,
    pronunciations: Vec<String>,
    homophones: &'a [Homophone],
}

pub fn run(args: HomophonesArgs) -> anyhow::Result<Outcome> {
    let status = Status::new(args.common.quiet);
    let homophones = args.homophones.homophones()?;
    let mut out = Sink::open(None)?;
    let mut unknown = Vec::new();
    for asked in &args.words {
        let words: Vec<String> = asked.split_whitespace().map(str::to_lowercase).collect();
        let found = match words.as_slice() {
            [word] => homophones.of(word),
            [first, second] => homophones.of_pair(first, second),
            _ => anyhow::bail!("{asked:?}: give one word, or two in quotes"),
        };
        if words.len() == 2 && !args.homophones.multi_word {
            anyhow::bail!("{asked:?}: looking up two words needs --multi-word");
        }
        let missing: Vec<&String> =
            words.iter().filter(|word| !homophones.lexicon().contains(word)).collect();
        unknown.extend(missing.iter().map(|word| word.to_string()));
        let pronunciations = pronunciations(&homophones, &words);
        if args.common.json {
            let known = missing.is_empty();
            write_json(&mut out, &Found { word: asked, known, pronunciations, homophones: &found })?;
        } else {
            let texts: Vec<String> = found
                .iter()
                .map(|Homophone { text, similarity }| match similarity {
                    1.0 => text.clone(),
                    similarity => format!("{text} ({similarity:.2})"),
                })
                .collect();
            writeln!(out, "{asked}\t{}\t{}", pronunciations.join(" / "), texts.join(", "))?;
        }
    }
    out.finish()?;
    if unknown.is_empty() {
        return Ok(Outcome::Complete);
    }
    status.warn(format_args!("not in the dictionary: {}; add them with --lexicon FILE", unknown.join(", ")));
    Ok(Outcome::Partial)
}

/// The pronunciations of a word, or of each of two.
fn pronunciations(homophones: &Homophones, words: &[String]) -> Vec<String> {
    let of = |word: &String| {
        homophones.lexicon().pronunciations(word).iter().map(|phones| {
            let names: Vec<&str> =
                phones.iter().map(|&phone| homophones.lexicon().phone_name(phone)).collect();
            names.join(" ")
        })
    };
    words.iter().flat_map(of).collect()
}
