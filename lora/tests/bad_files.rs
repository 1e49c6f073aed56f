//! Files that no adapter should come from: each an error that names the place.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rescorer_lora::{Error, LoraAdapter};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name)
}

/// A copy of a fixture to break.
fn copy(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["adapter_config.json", "adapter_model.safetensors"] {
        std::fs::copy(fixture(name).join(file), folder.path().join(file)).unwrap();
    }
    folder
}

fn config(folder: &TempDir, change: impl FnOnce(&mut Value)) {
    let path = folder.path().join("adapter_config.json");
    let mut json: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut json);
    std::fs::write(path, json.to_string()).unwrap();
}

type Matrices = HashMap<String, (Vec<usize>, Vec<f32>)>;

fn tensors(folder: &TempDir, change: impl FnOnce(&mut Matrices)) {
    let path = folder.path().join("adapter_model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut matrices: Matrices = file
        .iter()
        .map(|(name, view)| {
            let values = view.data().as_chunks::<4>().0.iter().copied().map(f32::from_le_bytes).collect();
            (name.to_string(), (view.shape().to_vec(), values))
        })
        .collect();
    change(&mut matrices);
    let stored: Vec<(String, Vec<usize>, Vec<u8>)> = matrices
        .into_iter()
        .map(|(name, (shape, values))| (name, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect()))
        .collect();
    let views = stored
        .iter()
        .map(|(name, shape, bytes)| (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

fn refused(folder: &TempDir, parts: &[&str]) -> Error {
    let error = LoraAdapter::read(folder.path()).unwrap_err();
    for part in parts {
        assert!(error.to_string().contains(part), "{part:?} is not in {error}");
    }
    error
}

const QUERY_A: &str = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";

#[test]
fn a_folder_without_an_adapter() {
    let folder = tempfile::tempdir().unwrap();
    refused(&folder, &["adapter_config.json", "an adapter is a folder with"]);
    let folder = copy("tiny-lora");
    std::fs::remove_file(folder.path().join("adapter_model.safetensors")).unwrap();
    refused(&folder, &["adapter_model.safetensors", "an adapter is a folder with"]);
}

#[test]
fn other_kinds_and_variants_are_refused_by_name() {
    let variants: [(&str, Value, &str); 7] = [
        ("peft_type", json!("IA3"), "peft_type IA3"),
        ("use_dora", json!(true), "use_dora = true"),
        ("modules_to_save", json!(["lm_head"]), "modules_to_save"),
        ("bias", json!("all"), "bias = \"all\""),
        ("lora_bias", json!(true), "lora_bias"),
        ("layer_replication", json!([[0, 1]]), "layer_replication"),
        ("use_whatever_comes_next", json!({"a": 1}), "use_whatever_comes_next"),
    ];
    for (key, value, part) in variants {
        let folder = copy("tiny-lora");
        config(&folder, |json| json[key] = value);
        let error = refused(&folder, &[part, "not supported"]);
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    }
}

#[test]
fn damaged_configurations() {
    let folder = copy("tiny-lora");
    std::fs::write(folder.path().join("adapter_config.json"), "{\"peft_type\": ").unwrap();
    refused(&folder, &["adapter_config.json", "damaged"]);
    let changes: [(&str, Value, &str); 6] = [
        ("target_modules", Value::Null, "target_modules is missing"),
        ("target_modules", json!("("), "no regular expression"),
        ("r", json!(0), "rank of 0"),
        ("lora_alpha", json!(-1), "alpha"),
        ("rank_pattern", json!({"q_proj": [true]}), "has to be a number"),
        ("r", json!("eight"), "invalid type"),
    ];
    for (key, value, part) in changes {
        let folder = copy("tiny-lora");
        config(&folder, |json| json[key] = value);
        refused(&folder, &["adapter_config.json", part]);
    }
    let folder = copy("tiny-adalora-pruned");
    config(&folder, |json| json["rank_pattern"] = json!({"model.layers.0.self_attn.q_proj.lora_E": 3}));
    refused(&folder, &["a list of true and false"]);
}

#[test]
fn matrices_that_do_not_fit_are_all_listed() {
    let folder = copy("tiny-lora");
    tensors(&folder, |matrices| {
        matrices.remove(QUERY_A);
        matrices.insert("base_model.model.model.embed_tokens.lora_A.weight".into(), (vec![1], vec![0.0]));
        let b =
            matrices.get_mut(&QUERY_A.replace("lora_A", "lora_B").replace("layers.0", "layers.1")).unwrap();
        b.0 = vec![b.1.len() / 2, 2];
        matrices.get_mut(&QUERY_A.replace("q_proj", "v_proj")).unwrap().1[3] = f32::NAN;
    });
    let parts = [
        "layers.0.self_attn.q_proj: lora_A is missing",
        "unexpected: base_model.model.model.embed_tokens",
        "layers.1.self_attn.q_proj: ranks differ",
        "not finite: base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight has NaN at 3",
    ];
    let error = refused(&folder, &parts);
    assert!(matches!(error, Error::Tensors { .. }), "{error}");
}

#[test]
fn ranks_that_contradict_the_configuration() {
    let folder = copy("tiny-lora");
    config(&folder, |json| json["r"] = json!(4));
    refused(&folder, &["has 3 ranks, the configuration says 4"]);
    let folder = copy("tiny-adalora-pruned");
    config(&folder, |json| {
        json["rank_pattern"]["model.layers.7.self_attn.q_proj.lora_E"] = json!([true, false, false, false]);
    });
    refused(&folder, &["missing: model.layers.7.self_attn.q_proj, which rank_pattern names"]);
}

#[test]
fn a_truncated_file_is_an_error_at_every_length() {
    let folder = copy("tiny-lora");
    let path = folder.path().join("adapter_model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    for len in (0..bytes.len()).step_by(97) {
        std::fs::write(&path, &bytes[..len]).unwrap();
        refused(&folder, &["adapter_model.safetensors"]);
    }
}
