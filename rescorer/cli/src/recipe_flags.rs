//! Every key of a recipe as a flag.

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};
use toml::{Table, Value};

use crate::numbers;

/// A key of a recipe: its table, its name, what it is.
type Key = (&'static str, &'static str, &'static str);

const KEYS: &[Key] = &[
    ("", "seed", "Seed of everything that is drawn"),
    ("adapter", "method", "lora, rank-allocated, mixed-rank or full"),
    ("adapter", "init", "Folder of an adapter to begin with"),
    ("adapter", "rank", "Ranks of a layer"),
    ("adapter", "alpha", "Numerator of the scale"),
    ("adapter", "rslora", "Scale alpha / √rank: true or false"),
    ("adapter", "dropout", "Share of inputs that a step leaves out"),
    ("adapter", "targets", "Layers, as q_proj,v_proj"),
    ("adapter", "init_rank", "Ranks that rank-allocated begins with"),
    ("adapter", "allocation_start", "Share of the first stage before ranks are given up"),
    ("adapter", "allocation_end", "Share of the first stage after the last allocation"),
    ("adapter", "allocation_interval", "Steps from one allocation to the next"),
    ("adapter", "allocation_betas", "Smoothing of importance and of its uncertainty, as 0.85,0.85"),
    ("adapter", "orthogonality", "Weight of the penalty on ranks that overlap"),
    ("adapter", "rank_pattern", "Other ranks, as { \"mlp.*\" = 4 }"),
    ("adapter", "alpha_pattern", "Other alphas, as { \"mlp.*\" = 8 }"),
    ("data", "train", "Lists to train on, as a.json,b.json"),
    ("data", "dev", "Lists that the WER is watched on"),
    ("data", "dev_share", "Share of the training lists that is held out for that"),
    ("data", "teacher", "Scores that distillation learns from: what `rescorer score LISTS --json` writes"),
    ("data", "exclude", "Lists that must not be trained on, by id"),
    ("data", "limit", "Stop after so many training lists"),
    (
        "data",
        "normalize",
        "Normalisation before words are compared: none, lower, nfc, nfc-lower, whisper-basic or whisper-english",
    ),
    ("data", "unit", "Unit of error: word, character or mixed"),
    ("convention", "lm_text", "What the model sees of the text: none, lower or sentence"),
    ("convention", "bos", "Token id that begins a sentence"),
    ("convention", "eos", "Whether the end of the sentence is scored: true or false"),
    ("convention", "mean", "Whether a score is divided by its tokens: true or false"),
    ("convention", "encoder", "How an encoder scores, as --encoder-score; training is for head, the default"),
    ("training", "nll", "Weight of the negative log-likelihood of the references"),
    ("training", "mwer", "Weight of the expected word errors"),
    ("training", "mwed", "Weight of the divergence between errors and scores"),
    ("training", "preference", "Weight of the preference of the best to the worst"),
    ("training", "distillation", "Weight of what scores differ from the teacher's by"),
    ("training", "correlation", "Weight of the correlations inside an encoder's representations"),
    ("training", "epochs", "Times that all lists are gone through"),
    ("training", "batch", "Lists of a step"),
    ("training", "learning_rate", "Highest rate of learning"),
    ("training", "schedule", "constant, linear or cosine"),
    ("training", "warmup", "Share of the steps in which the rate rises"),
    ("training", "weight_decay", "Decay of the matrices"),
    ("training", "clip", "Largest norm of all gradients together"),
    ("training", "hypotheses", "Most distinct hypotheses of a list"),
    ("training", "first_pass_weight", "Weight of the first-pass score in the posterior of a list"),
    ("training", "lm_weight", "Weight of the language-model score in it"),
    ("training", "length_bonus", "Reward of a word in it"),
    ("training", "error_temperature", "Word errors that make a hypothesis e times less wanted, for mwed"),
    ("training", "beta", "How sharply preference prefers"),
    ("training", "judge", "Who says what is better: reference or rescorer"),
    ("training", "evaluate_every", "Steps from one look at the dev lists to the next"),
    ("training", "patience", "Looks without a lower WER after which a stage ends"),
];

/// Keys whose values are lists.
const LISTS: [&str; 6] = ["targets", "train", "dev", "teacher", "exclude", "allocation_betas"];

/// The keys that were given as flags, with what was given.
pub struct RecipeFlags(Vec<(Key, String)>);

impl RecipeFlags {
    /// Puts the flags into a recipe. A key of `training` overrules all stages.
    pub fn apply(&self, recipe: &mut Table) -> anyhow::Result<()> {
        for ((table, key, _), text) in &self.0 {
            let value = parse(key, text).with_context(|| format!("--{} {text}", flag(key)))?;
            if *table == "training"
                && let Some(Value::Array(stages)) = recipe.get_mut("stage")
            {
                stages.iter_mut().filter_map(Value::as_table_mut).for_each(|stage| _ = stage.remove(*key));
            }
            let place = match *table {
                "" => &mut *recipe,
                name => match recipe.entry(name).or_insert_with(|| Value::Table(Table::new())) {
                    Value::Table(table) => table,
                    _ => anyhow::bail!("the recipe's `{name}` is not a table"),
                },
            };
            place.insert((*key).into(), value);
        }
        Ok(())
    }
}

fn flag(key: &str) -> String {
    key.replace('_', "-")
}

/// A value as it would stand in a recipe; what is no TOML is text.
fn parse(key: &str, text: &str) -> anyhow::Result<Value> {
    let one = |text: &str| {
        let table: Result<Table, _> = toml::from_str(&format!("value = {text}"));
        table.ok().and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::String(text.into()))
    };
    if LISTS.contains(&key) {
        let values: Vec<Value> =
            text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(one).collect();
        return Ok(Value::Array(values));
    }
    if FLOATS.contains(&key)
        && let Some(value) = numbers::with_point(text)
    {
        anyhow::bail!("a number has a decimal point and no comma: {value}");
    }
    Ok(match one(text) {
        // Whole numbers are numbers too.
        Value::Integer(number) if FLOATS.contains(&key) => Value::Float(number as f64),
        value => value,
    })
}

/// Keys whose numbers need not be whole.
const FLOATS: [&str; 21] = [
    "alpha",
    "dropout",
    "allocation_start",
    "allocation_end",
    "orthogonality",
    "dev_share",
    "nll",
    "mwer",
    "mwed",
    "preference",
    "epochs",
    "learning_rate",
    "warmup",
    "weight_decay",
    "clip",
    "first_pass_weight",
    "lm_weight",
    "length_bonus",
    "error_temperature",
    "beta",
    "allocation_betas",
];

impl FromArgMatches for RecipeFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = KEYS.iter().filter_map(|key| {
            let text = matches.get_one::<String>(key.1)?;
            Some((*key, text.clone()))
        });
        Ok(Self(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for RecipeFlags {
    fn augment_args(command: Command) -> Command {
        KEYS.iter().fold(command, |command, (table, key, help)| {
            let heading = match *table {
                "" => "Recipe",
                "adapter" => "Recipe: adapter",
                "data" => "Recipe: data",
                "convention" => "Recipe: convention",
                _ => "Recipe: training, of every stage",
            };
            let arg = Arg::new(*key).long(flag(key)).help(*help).value_name("VALUE").help_heading(heading);
            command.arg(arg.action(ArgAction::Set).allow_hyphen_values(true))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
