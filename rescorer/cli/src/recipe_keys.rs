//! The keys of a recipe: their names, what they are, and which values they take.

use toml::{Table, Value};

use crate::numbers;
use Shape::{Choice, List, Number, Numbers, Other, Switch, Text, Whole};

/// A key of a recipe.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    /// Its table; empty for a key of none.
    pub table: &'static str,
    pub name: &'static str,
    pub shape: Shape,
    pub help: &'static str,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Number,
    Whole,
    Switch,
    /// A word of several.
    Choice,
    Text,
    /// Texts, as `a,b` or as an array of TOML.
    List,
    /// Numbers, likewise.
    Numbers,
    /// Anything of TOML.
    Other,
}

const fn key(table: &'static str, name: &'static str, shape: Shape, help: &'static str) -> Key {
    Key { table, name, shape, help }
}

/// All keys, table by table.
pub const KEYS: &[Key] = &[
    key("", "seed", Whole, "Seed of all random numbers"),
    key("adapter", "method", Choice, "Method: lora, rank-allocated, mixed-rank or full"),
    key("adapter", "init", Text, "Folder of an adapter to start from"),
    key("adapter", "rank", Whole, "Ranks of a layer"),
    key("adapter", "alpha", Number, "Numerator of the scale alpha / rank"),
    key("adapter", "rslora", Switch, "Use the scale alpha / √rank: true or false"),
    key("adapter", "dropout", Number, "Share of the inputs that each step drops"),
    key("adapter", "targets", List, "Layers to adapt, as q_proj,v_proj"),
    key("adapter", "init_rank", Whole, "Ranks that rank-allocated starts with"),
    key("adapter", "allocation_start", Number, "Share of the first stage before ranks are removed"),
    key("adapter", "allocation_end", Number, "Share of the first stage after the last allocation"),
    key("adapter", "allocation_interval", Whole, "Steps between two allocations"),
    key("adapter", "allocation_betas", Numbers, "Smoothing of importance and its uncertainty, as 0.85,0.85"),
    key("adapter", "orthogonality", Number, "Weight of the penalty on overlapping ranks"),
    key("adapter", "rank_pattern", Other, "Ranks of single layers, as { \"mlp.*\" = 4 }"),
    key("adapter", "alpha_pattern", Other, "Alphas of single layers, as { \"mlp.*\" = 8 }"),
    key("data", "train", List, "Lists to train on, as a.json,b.json"),
    key("data", "dev", List, "Lists for the WER during training"),
    key("data", "dev_share", Number, "Share of the training lists to hold out as dev lists"),
    key("data", "teacher", List, "Scores for distillation, from `rescorer score LISTS --json`"),
    key("data", "exclude", List, "Lists whose utterance ids must not be trained on"),
    key("data", "limit", Whole, "Stop after this many training lists"),
    key("data", "history", Whole, "Lists before each in its conversation that the model reads as context"),
    key("data", "text", List, "Plain text to train on, as a.txt,b.txt.gz"),
    key("data", "text_casing", Choice, "Form of the text: auto, keep, lower, plain, upper, unpunctuated"),
    key("data", "text_words", Whole, "Stop after this many words of the text"),
    key("data", "hallucinate", Whole, "Hypotheses of the lists made up from the text; 0 makes none"),
    key("data", "confusions", Text, "Confusions for made-up lists, from `rescorer stats --confusions`"),
    key("data", "normalize", Choice, "Normalisation before errors are counted, as in `tune`"),
    key("data", "unit", Choice, "Unit of error: word, character or mixed"),
    key("convention", "lm_text", Choice, "Text casing for the model: none, lower or sentence"),
    key("convention", "bos", Whole, "Token id at the start of a sentence"),
    key("convention", "eos", Switch, "Score the end of the sentence: true or false"),
    key("convention", "mean", Switch, "Divide a score by its number of tokens: true or false"),
    key("convention", "encoder", Choice, "How an encoder scores; training needs head, the default"),
    key("training", "nll", Number, "Weight of the negative log-likelihood of the references"),
    key("training", "mwer", Number, "Weight of the expected word errors"),
    key("training", "mwed", Number, "Weight of the divergence between errors and scores"),
    key("training", "preference", Number, "Weight of preferring the best hypothesis to the worst"),
    key("training", "distillation", Number, "Weight of the difference from the teacher's scores"),
    key("training", "correlation", Number, "Weight of correlations inside an encoder's states"),
    key("training", "text_nll", Number, "Weight of the negative log-likelihood of the text"),
    key("training", "text_mwer", Number, "Weight of the expected word errors of made-up lists"),
    key("training", "text_batch", Whole, "Tokens of text in a step"),
    key("training", "epochs", Number, "Passes over all lists; without lists, over the text"),
    key("training", "batch", Whole, "Lists of a step"),
    key("training", "learning_rate", Number, "Highest learning rate"),
    key("training", "schedule", Choice, "constant, linear or cosine"),
    key("training", "warmup", Number, "Share of the steps in which the learning rate rises"),
    key("training", "weight_decay", Number, "Decay of the matrices"),
    key("training", "clip", Number, "Largest norm of all gradients together"),
    key("training", "hypotheses", Whole, "Most distinct hypotheses of a list"),
    key("training", "first_pass_weight", Number, "Weight of the first-pass score in the posterior"),
    key("training", "lm_weight", Number, "Weight of the language-model score in the posterior"),
    key("training", "length_bonus", Number, "Reward for each word in the posterior"),
    key("training", "error_temperature", Number, "Word errors that divide a target by e, for mwed"),
    key("training", "beta", Number, "Sharpness of preference"),
    key("training", "judge", Choice, "Who judges hypotheses: reference or rescorer"),
    key("training", "rank", Whole, "Ranks of a layer in a stage, in place of adapter.rank"),
    key("training", "evaluate_every", Whole, "Steps between two evaluations of the dev lists"),
    key("training", "patience", Whole, "Evaluations without a lower WER before a stage ends"),
];

impl Key {
    /// `training.mwer`, as `--set` takes it.
    pub fn path(&self) -> String {
        if self.table.is_empty() { self.name.into() } else { format!("{}.{}", self.table, self.name) }
    }

    /// The key of a path.
    pub fn find(path: &str) -> Result<&'static Self, String> {
        KEYS.iter().find(|key| key.path() == path).ok_or_else(|| {
            let near = |key: &Key| {
                let of_name = strsim::jaro_winkler(path, key.name);
                strsim::jaro_winkler(path, &key.path()).max(of_name)
            };
            let nearest = KEYS.iter().max_by(|a, b| near(a).total_cmp(&near(b)));
            let nearest = nearest.map_or_else(String::new, Self::path);
            format!("unknown key {path:?}; the nearest key is {nearest}, `rescorer train --help` lists all")
        })
    }

    /// A value as it would stand in a recipe. What is no TOML is text.
    pub fn value(&self, text: &str) -> Result<Value, String> {
        let value = parse(text);
        match (self.shape, value) {
            (Number, Value::Integer(number)) => Ok(Value::Float(number as f64)),
            (Number, value @ Value::Float(_)) => Ok(value),
            (Number, _) => Err(numbers::finite(text).err().unwrap_or_else(|| "expected a number".into())),
            (Whole, value @ Value::Integer(0..)) => Ok(value),
            (Whole, _) => Err("expected a whole number, at least 0".into()),
            (Switch, value @ Value::Boolean(_)) => Ok(value),
            (Switch, _) => Err("expected true or false".into()),
            (Choice | Text, value @ Value::String(_)) => Ok(value),
            (Choice | Text, _) => Ok(Value::String(text.into())),
            (List | Numbers, value @ Value::Array(_)) => Ok(value),
            (List, _) => Ok(Value::Array(parts(text).map(|part| Value::String(part.into())).collect())),
            (Numbers, _) => Ok(Value::Array(parts(text).map(parse).collect())),
            (Other, value) => Ok(value),
        }
    }
}

fn parse(text: &str) -> Value {
    let table: Result<Table, _> = toml::from_str(&format!("value = {text}"));
    let value = table.ok().filter(|table| table.len() == 1).and_then(|mut table| table.remove("value"));
    value.unwrap_or_else(|| Value::String(text.into()))
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rescorer::train::Recipe;

    /// Keys of a recipe that are no settings: the stages, each of which is a table of its own.
    fn keys_of(recipe: &Table) -> Vec<String> {
        let of_table = |(name, value): (&String, &Value)| match value {
            Value::Table(table) => table.keys().map(|key| format!("{name}.{key}")).collect(),
            Value::Array(_) if name == "stage" => Vec::new(),
            _ => vec![name.clone()],
        };
        recipe.iter().flat_map(of_table).collect()
    }

    #[test]
    fn every_key_that_a_recipe_writes_is_known() {
        let recipe: Table = toml::from_str(&toml::to_string(&Recipe::default()).unwrap()).unwrap();
        for path in keys_of(&recipe) {
            Key::find(&path).unwrap();
        }
    }

    #[test]
    fn every_key_stands_in_a_recipe() {
        for key in KEYS {
            let text = match (key.name, key.shape) {
                ("method", _) => "full",
                ("normalize" | "lm_text" | "text_casing", _) => "lower",
                ("unit", _) => "character",
                ("encoder", _) => "head",
                ("schedule", _) => "cosine",
                ("judge", _) => "rescorer",
                ("eos", _) => "false",
                (_, Numbers) => "0.5, 0.25",
                (_, Switch) => "true",
                (_, Other) => "{ \"mlp.*\" = 4 }",
                (_, List | Text | Choice) => "a.json,b.json",
                (_, Number | Whole) => "3",
            };
            let value = key.value(text).unwrap();
            let inner = Table::from_iter([(key.name.to_owned(), value)]);
            let table = match key.table {
                "" => inner,
                name => Table::from_iter([(name.to_owned(), Value::Table(inner))]),
            };
            let recipe: Result<Recipe, _> = Value::Table(table).try_into();
            assert!(recipe.is_ok(), "{}: {recipe:?}", key.path());
            assert_ne!(recipe.unwrap(), Recipe::default(), "{}", key.path());
        }
    }

    #[test]
    fn a_key_that_is_not_there_names_the_nearest() {
        for (path, nearest) in [
            ("training.mwre", "training.mwer"),
            ("mwer", "training.mwer"),
            ("learning-rate", "training.learning_rate"),
            ("data.dev-share", "data.dev_share"),
            ("adapter.ranks", "adapter.rank"),
            ("sede", "seed"),
        ] {
            let message = Key::find(path).unwrap_err();
            assert!(message.contains(&format!("nearest key is {nearest},")), "{path}: {message}");
        }
    }

    #[test]
    fn values_are_toml_or_text() {
        let value = |path: &str, text: &str| Key::find(path).unwrap().value(text);
        assert_eq!(value("training.mwer", "1"), Ok(Value::Float(1.0)));
        assert_eq!(value("training.learning_rate", "1e-4"), Ok(Value::Float(1e-4)));
        assert_eq!(value("adapter.method", "rank-allocated"), Ok(Value::String("rank-allocated".into())));
        assert_eq!(value("adapter.method", "\"lora\""), Ok(Value::String("lora".into())));
        assert_eq!(value("adapter.init", "2024"), Ok(Value::String("2024".into())), "a folder of that name");
        let files = Value::Array(vec!["a.json".into(), "b c.json".into()]);
        assert_eq!(value("data.train", "a.json, b c.json"), Ok(files.clone()));
        assert_eq!(value("data.train", "[\"a.json\", \"b c.json\"]"), Ok(files));
        for (path, text, expected) in [
            ("training.mwer", "0,5", "no comma: 0.5"),
            ("training.mwer", "much", "finite number"),
            ("training.mwer", "1\nnll = 2", "finite number"),
            ("training.batch", "1.5", "whole number"),
            ("training.batch", "-1", "at least 0"),
            ("adapter.rslora", "yes", "true or false"),
        ] {
            let message = value(path, text).unwrap_err();
            assert!(message.contains(expected), "{path}={text}: {message}");
        }
    }
}
