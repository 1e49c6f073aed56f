//! Refuses settings that change what an adapter computes and are not read: better no score than a wrong one.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};

use super::fields::{Effect, Refusal, Remedy, SETTINGS, UNUSED_BY_ADALORA, is_unset};
use crate::error::Error;

/// Longest value that a message repeats.
const LONGEST_VALUE: usize = 120;

/// Checks every setting of the file, and reports all that are refused.
///
/// # Errors
/// [`Error::Refused`].
pub fn refuse_settings(path: &Path, json: &Map<String, Value>, allocated: bool) -> Result<(), Error> {
    let mut lines = Vec::new();
    let mut remedies = BTreeSet::new();
    for (name, value) in json {
        if let Some((does, helps)) = refusal(name, value, json, allocated) {
            lines.push(format!("  {name} = {}: {does}", shortened(&value.to_string())));
            remedies.extend(helps.iter().copied());
        }
    }
    if lines.is_empty() {
        return Ok(());
    }
    Err(Error::Refused { path: path.into(), what: lines.join("\n"), remedy: remedy(path, &remedies) })
}

fn refusal(name: &str, value: &Value, all: &Map<String, Value>, allocated: bool) -> Option<Refusal> {
    if is_unset(value) || allocated && UNUSED_BY_ADALORA.contains(&name) {
        return None;
    }
    match SETTINGS.iter().find(|(known, _)| *known == name).map(|(_, effect)| effect) {
        Some(Effect::Read | Effect::Nothing) => None,
        Some(Effect::Changes(does, helps)) => Some((*does, *helps)),
        Some(Effect::Depends(of)) => of(value, all),
        None => Some(("the setting is not known here, so it may change the scores", &[Remedy::Merge])),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What to do, one sentence for each remedy, with the folder of the file.
pub fn remedy(path: &Path, remedies: &BTreeSet<Remedy>) -> String {
    let folder = path.parent().unwrap_or(path).display();
    let sentence = |remedy: &Remedy| {
        match remedy {
        Remedy::Merge => format!(
            "merge it into its model with PEFT, \
             PeftModel.from_pretrained(base, \"{folder}\").merge_and_unload().save_pretrained(OUT), and load OUT as the model"
        ),
        Remedy::Convert => "write it as a plain adapter with PEFT, \
             save_pretrained(OUT, path_initial_model_for_weight_conversion=INITIAL), where INITIAL is the adapter as it \
             was before training"
            .into(),
        Remedy::Retrain => "train a LoRA without it".into(),
        Remedy::Other => "load the model that it was trained on, or train an adapter of this one".into(),
    }
    };
    remedies.iter().map(sentence).collect::<Vec<_>>().join("; or ")
}
