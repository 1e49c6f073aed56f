//! An encoder written anew as a Hugging Face folder, with linear layers changed on the way.

use std::path::Path;

use super::config::EncoderFamily;
use super::layout::{HEAD_BIAS, HEAD_WEIGHT, MODULES};
use super::load::open;
use crate::adapter::ScoreHead;
use crate::module_path::ModulePath;
use crate::weights::{Stored, write_safetensors};
use crate::{Error, write_file};

/// Files that say what the tensors are, where they are there.
const BESIDE: [&str; 4] =
    ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"];

/// Writes the encoder in `source`, whose `config.json` has this text, to `folder` in f32, each linear layer as `change` leaves it and with
/// `head` as its score head.
///
/// # Errors
/// What loading reports; a folder that can't be written; what `change` returns.
pub fn export<E: From<Error>>(
    source: &Path,
    config: &[u8],
    family: EncoderFamily,
    folder: &Path,
    head: Option<&ScoreHead>,
    mut change: impl FnMut(ModulePath, &mut Vec<f32>) -> Result<(), E>,
) -> Result<(), E> {
    let (store, layout, config, wanted) = open(source, config, family)?;
    let module_paths =
        (0..config.layers).flat_map(|layer| MODULES.map(|module| layout.module_path(layer, module)));
    let module_paths: Vec<(String, ModulePath)> =
        module_paths.map(|module_path| (format!("{module_path}.weight"), module_path)).collect();
    let mut tensors: Vec<Stored> = Vec::new();
    let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect();
    for (name, shape) in wanted {
        if head.is_some() && (name == HEAD_WEIGHT || name == HEAD_BIAS) {
            continue;
        }
        let mut values = store.read(&name)?.to_f32();
        if let Some((_, module_path)) = module_paths.iter().find(|(path, _)| *path == name) {
            change(*module_path, &mut values)?;
        }
        tensors.push((name, shape, bytes(&values)));
    }
    if let Some(ScoreHead { weight, bias }) = head {
        tensors.push((HEAD_WEIGHT.to_owned(), vec![1, weight.len()], bytes(weight)));
        tensors.push((HEAD_BIAS.to_owned(), vec![1], bytes(&[*bias])));
    }
    write_safetensors(folder, &tensors)?;
    for name in BESIDE {
        let path = source.join(name);
        if path.is_file() {
            let text = std::fs::read(&path).map_err(|source| Error::Io { path, source })?;
            write_file(&folder.join(name), &text)?;
        }
    }
    Ok(())
}
