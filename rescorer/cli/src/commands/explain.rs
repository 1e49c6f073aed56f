use std::io::Write;

use anyhow::bail;
use console::Style;
use maud::{Markup, html};
use rescorer::evaluation::{Explanation, TokenShare};
use serde::Serialize;

use crate::judge_args::ExplainArgs;
use crate::lists::{self, Skipped};
use crate::model;
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};
use crate::view;

#[derive(Serialize)]
struct Row<'a> {
    utterance: &'a str,
    #[serde(flatten)]
    explanation: &'a Explanation,
}

pub fn run(args: ExplainArgs) -> anyhow::Result<Outcome> {
    let status = Status::new(args.scoring.common.quiet);
    let utterances = lists::read(&args.lists.lists, &args.lists.select)?;
    let utterances = lists::in_context(utterances, &args.scoring);
    let page = args.html.as_deref().map(Sink::file).transpose()?;
    let mut skipped = Skipped::new(&args.lists.select, status);
    let mut found = None;
    for utterance in utterances {
        found = skipped.pass(utterance)?.filter(|utterance| utterance.id == args.utterance);
        if found.is_some() {
            break;
        }
    }
    let Some(utterance) = found else { bail!("--utterance {}: no list has this id", args.utterance) };
    let deciding = model::deciding(&args.choice, &args.scoring, status)?;
    let rescorer = model::build_deciding(deciding, &args.scoring.model, status)?;
    let explanation = rescorer.explain(&utterance, args.position, args.against)?;
    let position = explanation.position;
    let mut out = Sink::open(None)?;
    if args.scoring.common.json {
        write_json(&mut out, &Row { utterance: &utterance.id, explanation: &explanation })?;
    } else {
        print(&mut out, &utterance.id, &explanation)?;
    }
    out.finish()?;
    if let Some(mut file) = page {
        let title = format!("{}: why position {position}?", utterance.id);
        file.write_all(view::document(&title, &body(&explanation)).as_bytes())?;
        file.finish()?;
    }
    skipped.outcome(1)
}

/// What stands in a row of tokens: `right → write`, or the token where both have it. The space that vocabularies write as `Ġ` or `▁`
/// is a dot here.
fn tokens(share: &TokenShare) -> String {
    let shown = |piece: &Option<String>| match piece {
        Some(piece) => piece.replace(['\u{120}', '\u{2581}'], "·"),
        None => "–".to_owned(),
    };
    if share.piece == share.against {
        shown(&share.piece)
    } else {
        format!("{} → {}", shown(&share.against), shown(&share.piece))
    }
}

/// A row of the table: its name, what the model and the adapter give, and the sum.
type Part = (String, Option<(f64, f64)>, f64);

fn rows(explanation: &Explanation) -> Vec<Part> {
    let of_token =
        |share: &TokenShare| (tokens(share), Some((share.model, share.adapter)), share.model + share.adapter);
    let (model, adapter) = (explanation.model(), explanation.adapter());
    let mut rows: Vec<_> = explanation.tokens.iter().map(of_token).collect();
    rows.extend(explanation.whole.map(|whole| ("(text as a whole)".to_owned(), Some((0.0, whole)), whole)));
    rows.push(("language model".to_owned(), Some((model, adapter)), model + adapter));
    if explanation.features.is_empty() {
        rows.push(("first pass".to_owned(), None, explanation.first_pass));
        rows.push(("length bonus".to_owned(), None, explanation.length_bonus));
    }
    let features = explanation.features.iter();
    rows.extend(features.map(|feature| (feature.feature.replace('_', " "), None, feature.share)));
    rows.push(("lead".to_owned(), None, explanation.lead));
    rows
}

fn print(out: &mut Sink, id: &str, explanation: &Explanation) -> anyhow::Result<()> {
    let Explanation { position, against, lead, .. } = explanation;
    writeln!(out, "{id}: position {position} leads position {against} by {lead:+.4}")?;
    writeln!(out, "  {position}  {}", explanation.text)?;
    writeln!(out, "  {against}  {}\n", explanation.against_text)?;
    let rows = rows(explanation);
    let width = rows.iter().map(|(name, ..)| console::measure_text_width(name)).max().unwrap_or(0);
    let sums = explanation.tokens.len() + usize::from(explanation.whole.is_some());
    writeln!(out, "  {:width$}  {:>9}  {:>9}  {:>9}", "", "model", "adapter", "sum")?;
    for (number, (name, parts, sum)) in rows.iter().enumerate() {
        if number == sums {
            writeln!(out, "  {}", "-".repeat(width + 33))?;
        }
        let name = console::pad_str(name, width, console::Alignment::Left, None);
        let style = match sum {
            sum if number >= sums || sum.abs() < 5e-5 => Style::new(),
            sum if *sum > 0.0 => Style::new().green(),
            _ => Style::new().red(),
        };
        let sum = style.apply_to(format!("{sum:>+9.4}"));
        match parts {
            Some((model, adapter)) => writeln!(out, "  {name}  {model:>+9.4}  {adapter:>+9.4}  {sum}")?,
            None => writeln!(out, "  {name}  {:>9}  {:>9}  {sum}", "", "")?,
        }
    }
    Ok(())
}

fn body(explanation: &Explanation) -> Markup {
    let rows = rows(explanation);
    let largest =
        explanation.tokens.iter().map(|share| (share.model + share.adapter).abs()).fold(1e-9, f64::max);
    let colour = |value: f64| {
        let share = (value.abs() / largest).min(1.0) * 0.7;
        if value > 0.0 {
            format!("background: rgba(0, 158, 115, {share:.3})")
        } else {
            format!("background: rgba(213, 94, 0, {share:.3})")
        }
    };
    let sums = explanation.tokens.len() + usize::from(explanation.whole.is_some());
    html! {
        p { "Position " (explanation.position) ": " b { (explanation.text) } }
        p { "Against position " (explanation.against) ": " b { (explanation.against_text) } }
        p.small { "Contribution of each part to the lead: green favours the first hypothesis, orange the second." }
        table {
            tr { th { "tokens" } th { "model" } th { "adapter" } th { "sum" } }
            @for (number, (name, parts, sum)) in rows.iter().enumerate() {
                tr class=(if number + 1 == rows.len() { "sure" } else { "" }) {
                    td { (name) }
                    @match parts {
                        Some((model, adapter)) => {
                            td { (format!("{model:+.4}")) }
                            td { (format!("{adapter:+.4}")) }
                        }
                        None => {
                            td {}
                            td {}
                        }
                    }
                    td style=(if number < sums { colour(*sum) } else { String::new() }) { (format!("{sum:+.4}")) }
                }
            }
        }
    }
}
