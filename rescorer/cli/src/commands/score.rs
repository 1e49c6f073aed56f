use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use anyhow::Context;
use rescorer::{ListScores, NBest, Scorer, TextScore, Utterance};
use rescorer_models::Tokenizer;
use rescorer_nbest::{ReadOptions, Readers};
use serde::Serialize;

use crate::args::ScoreArgs;
use crate::lists::{self, Skipped};
use crate::model;
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};

#[derive(Serialize)]
struct Row<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    utterance: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<usize>,
    text: &'a str,
    lm_score: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<Vec<Token>>,
}

#[derive(Serialize)]
struct Token {
    id: u32,
    piece: String,
    logprob: f32,
}

pub fn run(args: ScoreArgs) -> anyhow::Result<Outcome> {
    let status = Status::new(args.common.quiet);
    let input: Box<dyn Iterator<Item = Result<Utterance, rescorer::Error>>> = match &args.text {
        Some(path) => Box::new(lists::select(sentences(path)?, &args.select)),
        None => {
            let options = ReadOptions::default().with_format(args.select.format);
            let readers = Readers::new(&args.lists, &options)?;
            Box::new(lists::select(readers, &args.select).map(|item| item.map_err(Into::into)))
        }
    };
    let immediate = lists::is_interactive(&args.lists) || args.text.as_deref() == Some(Path::new("-"));
    let scorer = Scorer::new(model::load(&args.model, status)?, args.convention.convention())?;
    let mut out = Sink::open(None)?;
    let mut skipped = Skipped::new(&args.select, status);
    let mut done = 0;
    let bar = status.counter();
    for scored in scorer.score_stream(input, immediate) {
        let Some((utterance, scores)) = skipped.pass(scored)? else { continue };
        write(&mut out, &args, &utterance, &scores, scorer.model().tokenizer())?;
        if immediate {
            out.flush()?;
        }
        done += 1;
        bar.inc(1);
    }
    bar.finish_and_clear();
    out.finish()?;
    skipped.outcome(done)
}

fn write(
    out: &mut Sink,
    args: &ScoreArgs,
    utterance: &Utterance,
    scores: &ListScores,
    tokenizer: &Tokenizer,
) -> anyhow::Result<()> {
    let is_list = args.text.is_none();
    for (hypothesis, score) in scores.distinct.hypotheses().iter().zip(&scores.scores) {
        let text = &utterance.nbest.hypotheses()[hypothesis.position].text;
        if args.common.json {
            write_json(
                out,
                &Row {
                    utterance: is_list.then_some(utterance.id.as_str()),
                    position: is_list.then_some(hypothesis.position),
                    text,
                    lm_score: score.lm_score,
                    tokens: args.tokens.then(|| tokens(score, tokenizer)),
                },
            )?;
        } else if is_list {
            writeln!(out, "{}\t{}\t{:.4}\t{text}", utterance.id, hypothesis.position, score.lm_score)?;
        } else {
            writeln!(out, "{:.4}\t{text}", score.lm_score)?;
        }
    }
    Ok(())
}

fn tokens(score: &TextScore, tokenizer: &Tokenizer) -> Vec<Token> {
    let pairs = score.tokens.iter().zip(&score.log_probs);
    pairs
        .map(|(&id, &logprob)| Token { id, piece: tokenizer.piece(id).unwrap_or_default(), logprob })
        .collect()
}

/// The lines of a text as lists of one hypothesis.
fn sentences(
    path: &Path,
) -> anyhow::Result<impl Iterator<Item = Result<Utterance, rescorer::Error>> + use<>> {
    let name = path.display().to_string();
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).with_context(|| format!("{name}: can't be opened; check the path"))?)
    };
    let mut reader = BufReader::new(source);
    let mut number = 0;
    Ok(std::iter::from_fn(move || {
        let mut line = Vec::new();
        number += 1;
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(_) => Some(sentence(&name, number, line)),
            Err(error) => Some(Err(rescorer::Error::Text { place: name.clone(), reason: error.to_string() })),
        }
    }))
}

fn sentence(name: &str, number: usize, line: Vec<u8>) -> Result<Utterance, rescorer::Error> {
    let place = format!("{name}:{number}");
    let line = String::from_utf8(line).map_err(|_| rescorer::Error::Text {
        place: place.clone(),
        reason: "not UTF-8; convert the file".into(),
    })?;
    let line = line.strip_prefix('\u{feff}').filter(|_| number == 1).unwrap_or(&line);
    let text = line.strip_suffix('\n').unwrap_or(line);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok(Utterance::new(place, NBest::from_texts([text])?))
}
