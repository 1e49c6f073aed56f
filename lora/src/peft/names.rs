//! What the tensors of an adapter file are, by their names.

use rescorer_models::ModulePath;

use super::fields::Remedy;
use super::{HEAD, PREFIX};
use crate::settings::Kind;

/// A matrix of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    A,
    B,
    E,
}

impl Part {
    /// What PEFT calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "lora_A",
            Self::B => "lora_B",
            Self::E => "lora_E",
        }
    }
}

/// What PEFT calls a matrix: those of vanilla adapters are the weights of linear layers.
pub fn name(module_path: ModulePath, part: Part, kind: Kind) -> String {
    let ending = if kind == Kind::Vanilla { ".weight" } else { "" };
    format!("{PREFIX}{module_path}.{}{ending}", part.name())
}

/// What a tensor is.
#[derive(Debug, PartialEq)]
pub enum Named {
    /// A matrix of a layer, with the name of the adapter where the file has kept it.
    Matrix(ModulePath, Part, Option<String>),
    /// The weight (0) or the bias (1) of a score head.
    Head(usize),
    /// Something that is not read: what it is, and what helps.
    Other(&'static str, Remedy),
}

/// What wrappers put into the paths of modules: `torch.compile` and the two ways of sharding.
const WRAPPERS: [&str; 3] = ["_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"];

/// What may stand before a path, once or several times.
const OUTER: [&str; 2] = [PREFIX, "module."];

/// Tells a tensor by its name, without what wrappers put into it.
pub fn parse(name: &str) -> Named {
    let path = mended(name);
    let of_head = path.strip_prefix(HEAD).and_then(|rest| rest.strip_prefix('.'));
    match of_head {
        Some("weight") => return Named::Head(0),
        Some("bias") => return Named::Head(1),
        _ => {}
    }
    matrix(&path).unwrap_or_else(|| other(&path))
}

/// The path without prefixes and wrappers.
pub fn mended(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').filter(|part| !WRAPPERS.contains(part)).collect();
    let name = parts.join(".");
    let mut path = name.as_str();
    while let Some(rest) = OUTER.iter().find_map(|outer| path.strip_prefix(outer)) {
        path = rest;
    }
    path.to_owned()
}

fn matrix(path: &str) -> Option<Named> {
    let parts: Vec<&str> = path.split('.').collect();
    let at = parts.iter().position(|part| part.starts_with("lora_"))?;
    let part = [Part::A, Part::B, Part::E].into_iter().find(|known| known.name() == parts[at])?;
    let adapter = match parts[at + 1..] {
        [] | ["weight"] => None,
        ["bias"] | [_, "bias"] => return None,
        [adapter] | [adapter, "weight"] => Some(adapter.to_owned()),
        _ => return None,
    };
    Some(Named::Matrix(ModulePath::from_path(&parts[..at].join("."))?, part, adapter))
}

/// Parts of names, what such a tensor is, and what helps. The first that fits counts.
const OTHERS: &[(&[&str], &str, Remedy)] = &[
    (&["lora_magnitude_vector"], "lengths of DoRA", Remedy::Merge),
    (&["trainable_tokens", "token_adapter"], "trained rows of the embedding", Remedy::Merge),
    (&["lora_embedding_"], "an adapter on the embedding", Remedy::Merge),
    (&["modules_to_save", "original_module"], "a module that was trained whole", Remedy::Merge),
    (&["lora_B.bias", "lora_B.default.bias"], "a bias of the adapter", Remedy::Merge),
    (&["lm_head.lora_", "embed_out.lora_"], "an adapter on the head", Remedy::Merge),
    (
        &["lm_head.", "embed_out."],
        "the head, saved whole because it was trained or the vocabulary was resized (before merging, base.resize_token_embeddings)",
        Remedy::Merge,
    ),
    (
        &["embed_tokens.", "wte.", "word_embeddings.", "shared.weight"],
        "the embedding, saved whole because it was trained or the vocabulary was resized (before merging, base.resize_token_embeddings)",
        Remedy::Merge,
    ),
    (
        &["lora_A", "lora_B", "lora_E"],
        "a matrix for a layer that the models read here do not have",
        Remedy::Other,
    ),
    (&[".bias"], "a bias of the base model", Remedy::Merge),
    (&[""], "no part of a LoRA", Remedy::Other),
];

fn other(path: &str) -> Named {
    let found = OTHERS.iter().find(|(parts, ..)| parts.iter().any(|part| path.contains(part)));
    let (what, remedy) =
        found.map_or(("no part of a LoRA", Remedy::Other), |(_, what, remedy)| (*what, *remedy));
    Named::Other(what, remedy)
}

#[cfg(test)]
mod tests {
    use rescorer_models::{ModuleNaming, TargetModule};

    use super::*;

    const QUERY: &str = "model.layers.0.self_attn.q_proj";

    #[test]
    fn names_are_read_with_what_wrappers_put_into_them() {
        let module_path = ModulePath { layer: 0, module: TargetModule::Query, naming: ModuleNaming::Llama };
        for (name, adapter) in [
            (format!("{PREFIX}{QUERY}.lora_A.weight"), None),
            (format!("{PREFIX}{QUERY}.lora_A"), None),
            (format!("{QUERY}.lora_A.weight"), None),
            (format!("{PREFIX}{QUERY}.lora_A.default.weight"), Some("default")),
            (format!("{PREFIX}{QUERY}.lora_A.legal"), Some("legal")),
            (format!("{PREFIX}_orig_mod.{QUERY}.lora_A.weight"), None),
            (format!("_orig_mod.{PREFIX}{QUERY}.lora_A.default.weight"), Some("default")),
            (format!("module.{PREFIX}{PREFIX}{QUERY}.lora_A.weight"), None),
            (format!("{PREFIX}model.layers.0._orig_mod.self_attn.q_proj.lora_A.weight"), None),
        ] {
            assert_eq!(
                parse(&name),
                Named::Matrix(module_path, Part::A, adapter.map(str::to_owned)),
                "{name}"
            );
        }
        assert_eq!(parse(&format!("{PREFIX}score.bias")), Named::Head(1));
    }

    #[test]
    fn what_is_not_read_is_named() {
        for (name, what) in [
            ("lm_head.lora_A.weight", "an adapter on the head"),
            ("lm_head.weight", "the head, saved whole"),
            ("lm_head.base_layer.weight", "the head, saved whole"),
            ("model.embed_tokens.weight", "the embedding, saved whole"),
            ("model.embed_tokens.lora_embedding_A", "an adapter on the embedding"),
            ("model.embed_tokens.token_adapter.trainable_tokens_delta", "trained rows"),
            ("model.layers.0.self_attn.q_proj.lora_magnitude_vector", "lengths of DoRA"),
            ("model.layers.0.self_attn.q_proj.lora_B.bias", "a bias of the adapter"),
            ("model.layers.0.self_attn.q_proj.bias", "a bias of the base model"),
            ("model.decoder.layers.0.self_attn.q_proj.lora_A.weight", "a layer that the models read here"),
            ("transformer.h.0.attn.c_attn.lora_A.weight", "a layer that the models read here"),
            ("optimizer.state", "no part of a LoRA"),
        ] {
            let Named::Other(found, _) = parse(&format!("{PREFIX}{name}")) else { panic!("{name} is read") };
            assert!(found.contains(what), "{name}: {found}");
        }
    }
}
