//! Settings of a recipe on the command line: `--set TABLE.KEY=VALUE`, and flags for the keys that change most.

use anyhow::bail;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};
use rescorer::train::Recipe;
use toml::{Table, Value};

use crate::recipe_keys::{KEYS, Key};

/// Keys with a flag in the help, and the name of its value: what our own recipes are run with. All other keys have a hidden flag, for
/// commands that were written when every key had one.
const SHOWN: [(&str, &str); 13] = [
    ("data.train", "FILES"),
    ("data.dev", "FILES"),
    ("data.dev_share", "SHARE"),
    ("data.text", "FILES"),
    ("data.text_casing", "FORM"),
    ("data.hallucinate", "N"),
    ("adapter.method", "NAME"),
    ("adapter.rank", "N"),
    ("training.mwer", "WEIGHT"),
    ("training.epochs", "N"),
    ("training.batch", "N"),
    ("training.learning_rate", "RATE"),
    ("seed", "N"),
];

/// Keys that never had a flag: another key has the name.
const SET_ONLY: [&str; 1] = ["training.rank"];

/// A key that was given, and how.
#[derive(Debug, Clone)]
struct Setting {
    key: &'static Key,
    value: Value,
    /// `--set training.mwer=1` or `--mwer 1`.
    given: String,
}

impl Setting {
    /// Checks the value by itself, so that a message can name what was given.
    fn new(key: &'static Key, text: &str, given: String) -> Result<Self, String> {
        let setting = Self { key, value: key.value(text)?, given };
        let mut alone = Table::new();
        setting.put(&mut alone);
        match Value::Table(alone).try_into::<Recipe>() {
            Ok(_) => Ok(setting),
            Err(error) => Err(error.message().to_owned()),
        }
    }

    /// Reads `TABLE.KEY=VALUE`.
    fn parse(text: &str) -> Result<Self, String> {
        let Some((path, value)) = text.split_once('=') else {
            return Err("expected TABLE.KEY=VALUE, such as training.mwer=1".into());
        };
        Self::new(Key::find(path.trim())?, value.trim(), format!("--set {text}"))
    }

    /// Puts the value into a recipe; false where the recipe has something else in place of the table.
    fn put(&self, recipe: &mut Table) -> bool {
        let place = match self.key.table {
            "" => &mut *recipe,
            name => match recipe.entry(name).or_insert_with(|| Value::Table(Table::new())) {
                Value::Table(table) => table,
                _ => return false,
            },
        };
        place.insert(self.key.name.into(), self.value.clone());
        true
    }
}

/// The keys that were given on the command line.
pub struct RecipeFlags(Vec<Setting>);

impl RecipeFlags {
    /// Puts them into a recipe. A key of `training` overrules all stages.
    pub fn apply(&self, recipe: &mut Table) -> anyhow::Result<()> {
        for setting in &self.0 {
            let Key { table, name, .. } = setting.key;
            if *table == "training"
                && let Some(Value::Array(stages)) = recipe.get_mut("stage")
            {
                stages.iter_mut().filter_map(Value::as_table_mut).for_each(|stage| _ = stage.remove(*name));
            }
            if !setting.put(recipe) {
                bail!("{}: the recipe's `{table}` is not a table", setting.given);
            }
        }
        Ok(())
    }
}

fn keys_with_flags() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(|key| !SET_ONLY.contains(&key.path().as_str()))
}

fn flag(key: &Key) -> String {
    key.name.replace('_', "-")
}

impl FromArgMatches for RecipeFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut settings: Vec<Setting> = Vec::new();
        let flags = keys_with_flags().filter_map(|key| matches.get_one::<Setting>(key.name));
        let sets = matches.get_many::<Setting>("set").into_iter().flatten();
        for setting in flags.chain(sets) {
            if let Some(before) = settings.iter().find(|before| before.key == setting.key) {
                let (path, before, again) = (setting.key.path(), &before.given, &setting.given);
                let message = format!("{path} is given twice: {before} and {again}; leave one out\n");
                return Err(Error::raw(ErrorKind::ArgumentConflict, message));
            }
            settings.push(setting.clone());
        }
        Ok(Self(settings))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for RecipeFlags {
    fn augment_args(command: Command) -> Command {
        let value_name =
            |key: &Key| SHOWN.iter().find(|(path, _)| *path == key.path()).map(|(_, name)| *name);
        let (shown, hidden): (Vec<_>, Vec<_>) = keys_with_flags().partition(|key| value_name(key).is_some());
        let shown = shown.into_iter().map(|key| arg(key).value_name(value_name(key).unwrap_or_default()));
        let hidden = hidden.into_iter().map(|key| arg(key).hide(true));
        let set = Arg::new("set").long("set").value_name("TABLE.KEY=VALUE").help_heading("Recipe");
        let set =
            set.help("Set any key of the recipe, as training.nll=0.5; may repeat").long_help(keys_help());
        command.args(shown).arg(set.action(ArgAction::Append).value_parser(Setting::parse)).args(hidden)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn arg(key: &'static Key) -> Arg {
    let flag = flag(key);
    let given = flag.clone();
    let parse = move |text: &str| Setting::new(key, text, format!("--{given} {text}"));
    let arg = Arg::new(key.name).long(flag).help(key.help).help_heading("Recipe").value_name("VALUE");
    arg.action(ArgAction::Set).allow_hyphen_values(true).value_parser(parse)
}

fn keys_help() -> String {
    let width = KEYS.iter().map(|key| key.path().len()).max().unwrap_or(0);
    let lines = KEYS.iter().map(|key| format!("\n  {:width$}  {}", key.path(), key.help));
    let intro = "Set any key of the recipe; may repeat. The value is TOML, else text. A key of training applies to every stage.\n\nKeys:";
    format!("{intro}{}", lines.collect::<String>())
}
