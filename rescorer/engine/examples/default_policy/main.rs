//! Makes the default policy, or measures it on sets that were left out.
//!
//! ```text
//! cargo run --release -p rescorer --features robustness --example default_policy -- SCORES SETS.toml [adapter=DIR ...] [curves|default.toml]
//! ```
//!
//! SETS.toml names lists of several recognisers:
//!
//! ```toml
//! [[set]]
//! name = "atis"
//! family = "atis"                # sets of one family are left out together
//! files = ["atis-test.json"]
//! normalize = "none"
//! weight = 1.0                   # what the set counts in the default policy; 0 only reports it
//! ```
//!
//! With a file to write it fits the default policy to all sets. Without one it measures each set against a default policy that was fitted
//! without its family: a table of [`report`], or, with the word `curves`, how much a number of lists gives. SCORES is a folder for
//! language-model scores, so that a second run scores nothing; each adapter needs its own.

mod cautious;
mod curves;
mod report;
mod sets;

use std::path::Path;

use rescorer::Rescorer;
use rescorer::fusion::{
    Confidence, DefaultPolicy, Evidence, Feature, FeatureFusion, ScoredAnswer, ScoredReference, SearchSlack,
    TuneOptions,
};

use crate::cautious::Policies;
use crate::sets::{Scored, Set, Sets};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Version of the policy that is written: answers change with it.
const VERSION: u32 = 2;

/// Weights of a vocabulary's terms, which no set has: those that made the fewest errors on examples/demo/dev.jsonl with the names of its
/// sentences and 1,000 others, where at most one list in a hundred without a name got one.
const TERMS: [(Feature, f64); 2] = [(Feature::Terms, 5.0), (Feature::TermDistance, 20.0)];

/// Lists of each set that are scored token by token for the slack of the search.
const SLACK_LISTS: usize = 100;

/// The adapters that scores are made with, where none is named: the policy serves with and without one.
const ADAPTERS: [&str; 2] = ["speech", "none"];

fn main() -> Result<()> {
    let (adapters, arguments): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("adapter="));
    let [scores, sets, output @ ..] = arguments.as_slice() else {
        return Err("give SCORES SETS.toml [adapter=DIR ...] [curves|default.toml]".into());
    };
    let Sets { set: sets } = toml::from_str(&std::fs::read_to_string(sets)?)?;
    let adapters = adapters.iter().filter_map(|argument| argument.strip_prefix("adapter="));
    let adapters: Vec<&str> =
        if adapters.clone().count() == 0 { ADAPTERS.to_vec() } else { adapters.collect() };
    let ways = adapters.into_iter().map(with_adapter).collect::<Result<Vec<_>>>()?;
    let scored = sets.iter().map(|set| set.score(&ways, Path::new(scores))).collect::<Result<Vec<_>>>()?;
    match output {
        [] => report::report(&sets, &scored),
        [output, ..] if output == "curves" => curves::curves(&sets, &scored),
        [output, ..] => {
            let fitted = Policies::new(&sets, &scored).without(None);
            let fitted = Feature::ALL.map(|feature| (feature, fitted.weight(feature)));
            let features = FeatureFusion::new(fitted.into_iter().chain(TERMS));
            let samples =
                sets.iter().filter(|set| set.weight > 0.0).map(|set| set.sample(&ways[0], SLACK_LISTS));
            let samples = samples.collect::<Result<Vec<_>>>()?.concat();
            let search = SearchSlack::fit(&samples, &features.clone().into(), false);
            let policy = DefaultPolicy { search, ..policy(features, &sets, &scored) };
            Ok(std::fs::write(output, toml::to_string(&policy)?)?)
        }
    }
}

/// The model with an adapter, or alone.
fn with_adapter(adapter: &str) -> Result<Rescorer> {
    let builder = Rescorer::builder("smollm2-135m").offline().default_policy();
    Ok(builder.adapter("adapter", adapter).build()?)
}

/// The policy with the numbers of its rules and its confidences.
fn policy(features: FeatureFusion, sets: &[Set], scored: &[Scored]) -> DefaultPolicy {
    let lists: Vec<ScoredReference> = sets
        .iter()
        .zip(scored)
        .filter(|(set, _)| set.weight > 0.0)
        .flat_map(|(_, scored)| scored.fitted.iter().flat_map(|[listed, _]| listed.lists.clone()))
        .collect();
    let weighting = features.clone().into();
    let (decision, _) = TuneOptions::default().decision(&lists, &weighting);
    // First-pass scores of several recognisers have no common scale: the share alone says how sure an answer is.
    let answers = lists.iter().map(|list| {
        let answer = list.answer(&weighting, &decision);
        ScoredAnswer { evidence: Evidence { first_pass: 0.0, ..answer.evidence }, ..answer }
    });
    let confidence = Confidence::fit(&answers.collect::<Vec<_>>());
    DefaultPolicy { version: VERSION, features, decision, confidence, search: SearchSlack::default() }
}
