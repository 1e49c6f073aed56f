use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use rescorer::scoring::{ListScores, TextScore};
use rescorer::{NBest, Utterance};
use rescorer_models::Tokenizer;
use rescorer_nbest::{Error, one_line};
use serde::Serialize;

use crate::lists::{self, Skipped};
use crate::model;
use crate::read_item::ReadItem;
use crate::routing;
use crate::score_args::ScoreArgs;
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
    /// Null where a score head gives one number for the whole text.
    logprob: Option<f32>,
}

pub fn run(args: ScoreArgs) -> anyhow::Result<Outcome> {
    if args.text.is_none() && args.lists.is_empty() {
        anyhow::bail!("nothing to score; give files of N-best lists, or --text FILE");
    }
    let status = Status::new(args.scoring.common.quiet);
    let input: Box<dyn Iterator<Item = ReadItem>> = match &args.text {
        Some(path) => Box::new(lists::select(sentences(path)?, &args.select)),
        None => Box::new(lists::read(&args.lists, &args.select)?),
    };
    let input = lists::in_context(input, &args.scoring);
    let immediate = lists::is_interactive(&args.lists) || args.text.as_deref() == Some(Path::new("-"));
    model::no_first_stage(&args.scoring)?;
    routing::refuse(&args.scoring.model, "score")?;
    if args.scoring.vocabulary.is_some() {
        anyhow::bail!("--vocabulary: `score` scores texts as they are; use `rescore --vocabulary`");
    }
    let mut builder =
        model::builder(&args.scoring.model, status)?.scoring(args.scoring.convention.convention());
    // Scores of a model are its own, unless an adapter is asked for.
    if args.scoring.model.adapter.is_empty() {
        builder = builder.without_adapter();
    }
    let rescorer = model::build(builder, &args.scoring.model, status)?;
    let scorer = rescorer.scorer();
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
        if args.scoring.common.json {
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
            let (id, text, position) = (one_line(&utterance.id), one_line(text), hypothesis.position);
            writeln!(out, "{id}\t{position}\t{:.4}\t{text}", score.lm_score)?;
        } else {
            writeln!(out, "{:.4}\t{}", score.lm_score, one_line(text))?;
        }
    }
    Ok(())
}

fn tokens(score: &TextScore, tokenizer: &Tokenizer) -> Vec<Token> {
    let log_probs = score.log_probs.iter().copied().map(Some).chain(std::iter::repeat(None));
    let pairs = score.tokens.iter().zip(log_probs);
    pairs
        .map(|(&id, logprob)| Token { id, piece: tokenizer.piece(id).unwrap_or_default(), logprob })
        .collect()
}

/// The lines of a text as lists of one hypothesis.
fn sentences(path: &Path) -> Result<impl Iterator<Item = ReadItem> + use<>, Error> {
    let (name, mut reader) = open(path)?;
    let mut number = 0;
    let mut ended = false;
    Ok(std::iter::from_fn(move || {
        let mut line = Vec::new();
        number += 1;
        if ended {
            return None;
        }
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(_) => Some(sentence(&name, number, line)),
            Err(source) => {
                ended = true;
                Some(Err(Error::Read { path: name.clone(), line: number, source }.into()))
            }
        }
    }))
}

fn open(path: &Path) -> Result<(String, Box<dyn BufRead>), Error> {
    if path == Path::new("-") {
        return Ok(("stdin".into(), Box::new(io::stdin().lock())));
    }
    let name = path.display().to_string();
    if path.is_dir() {
        return Err(Error::Open { path: name, source: io::ErrorKind::IsADirectory.into() });
    }
    match File::open(path) {
        Ok(file) => Ok((name, Box::new(BufReader::new(file)))),
        Err(source) => Err(Error::Open { path: name, source }),
    }
}

fn sentence(name: &str, number: u64, line: Vec<u8>) -> ReadItem {
    let place = format!("{name}:{number}");
    let line = String::from_utf8(line).map_err(|_| rescorer::Error::Text {
        place: place.clone(),
        reason: "the line is not valid UTF-8; convert the file (iconv -t UTF-8) or pass --skip-invalid"
            .into(),
    })?;
    let line = line.strip_prefix('\u{feff}').filter(|_| number == 1).unwrap_or(&line);
    let text = line.strip_suffix('\n').unwrap_or(line);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok(Utterance::new(place, NBest::from_texts([text])?))
}
