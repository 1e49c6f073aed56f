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
    let folder = copy("tiny-lora");
    config(&folder, |json| json["peft_type"] = json!("IA3"));
    assert!(matches!(refused(&folder, &["peft_type IA3", "not supported"]), Error::Unsupported { .. }));
    let variants: [(&str, Value, &str); 25] = [
        ("use_dora", json!(true), "merge_and_unload"),
        ("modules_to_save", json!(["lm_head"]), "merge_and_unload"),
        ("modules_to_save", json!(["classifier", "score"]), "merge_and_unload"),
        ("bias", json!("all"), "biases of the base model"),
        ("bias", json!("lora_only"), "biases of the base model"),
        ("lora_bias", json!(true), "merge_and_unload"),
        ("layer_replication", json!([[0, 1]]), "several times"),
        ("trainable_token_indices", json!([5, 9]), "rows of the embedding"),
        ("trainable_token_indices", json!({"embed_tokens": [5]}), "rows of the embedding"),
        ("target_parameters", json!(["mlp.experts.gate_up_proj"]), "no linear layers"),
        ("use_qalora", json!(true), "averages groups"),
        ("use_bdlora", json!({"nblocks": 2}), "in blocks"),
        ("kasa_config", json!({"beta": 1e-4}), "singular values"),
        ("monteclora_config", json!({"num_samples": 8}), "at random"),
        ("arrow_config", json!({"top_k": 3}), "several adapters"),
        ("alora_invocation_tokens", json!([1, 2]), "certain tokens"),
        ("megatron_config", json!({"a": 1}), "Megatron"),
        ("init_lora_weights", json!("pissa"), "path_initial_model_for_weight_conversion"),
        ("init_lora_weights", json!("pissa_niter_4"), "path_initial_model_for_weight_conversion"),
        ("init_lora_weights", json!("olora"), "merge_and_unload"),
        ("init_lora_weights", json!("corda"), "path_initial_model_for_weight_conversion"),
        ("init_lora_weights", json!("lora_ga"), "path_initial_model_for_weight_conversion"),
        ("init_lora_weights", json!("loftq"), "quantised"),
        ("use_whatever_comes_next", json!({"a": 1}), "not known here"),
        ("a_number_that_comes_next", json!(0.5), "not known here"),
    ];
    for (key, value, part) in variants {
        let folder = copy("tiny-lora");
        config(&folder, |json| json[key] = value.clone());
        let setting = format!("{key} = {value}");
        let error = refused(&folder, &[&setting, part, "adapter_config.json", "not supported"]);
        assert!(matches!(error, Error::Refused { .. }), "{error}");
    }
}

#[test]
fn all_refused_settings_are_listed_at_once() {
    let folder = copy("tiny-lora");
    config(&folder, |json| {
        json["use_dora"] = json!(true);
        json["init_lora_weights"] = json!("corda");
        json["comment"] = json!("x".repeat(1000));
    });
    let error =
        refused(&folder, &["use_dora = true", "init_lora_weights = \"corda\"", "comment = \"xxx", "; or "]);
    assert!(error.to_string().len() < 1000, "{error}");
}

/// What PEFT writes into every file, and what makes no difference once an adapter is trained.
#[test]
fn settings_without_effect_are_read_over() {
    let harmless = json!({
        "auto_mapping": {"base_model_class": "LlamaForCausalLM", "parent_library": "transformers"},
        "base_model_name_or_path": "a/model", "revision": "main", "peft_version": "0.21.2", "inference_mode": false,
        "init_lora_weights": "eva", "eva_config": {"rho": 2.0}, "loftq_config": {"loftq_bits": 4}, "corda_config": {"a": 1},
        "lora_ga_config": null, "megatron_core": "megatron.core", "megatron_config": null, "qalora_group_size": 16,
        "use_qalora": false, "runtime_config": {"ephemeral_gpu_offload": true}, "ensure_weight_tying": true,
        "lora_dropout": 0.1, "layers_pattern": "h", "layers_to_transform": [], "exclude_modules": [], "use_rslora": null, "fan_in_fan_out": true, "bias": "none",
        "comes_later": null, "comes_later_too": false, "comes_last": {}, "trainable_token_indices": null,
    });
    let folder = copy("tiny-lora");
    config(&folder, |json| json.as_object_mut().unwrap().extend(harmless.as_object().unwrap().clone()));
    let [with, without] =
        [folder.path().into(), fixture("tiny-lora")].map(|path| LoraAdapter::read(&path).unwrap());
    assert_eq!((with.modules, with.settings.layers), (without.modules, None));
    for value in ["gaussian", "orthogonal", "mica", "eva"] {
        let folder = copy("tiny-lora");
        config(&folder, |json| json["init_lora_weights"] = json!(value));
        assert!(LoraAdapter::read(folder.path()).is_ok(), "{value}");
    }
    // AdaLoRA of PEFT has no use for these.
    let folder = copy("tiny-adalora");
    config(&folder, |json| {
        json["init_lora_weights"] = json!("pissa");
        json["use_rslora"] = json!(true);
        json["alpha_pattern"] = json!({"q_proj": 3});
        json["lora_bias"] = json!(true);
        json["target_r"] = json!(64);
    });
    let [with, without] =
        [folder.path().into(), fixture("tiny-adalora")].map(|path| LoraAdapter::read(&path).unwrap());
    assert_eq!(with.modules, without.modules);
}

#[test]
fn damaged_configurations() {
    let folder = copy("tiny-lora");
    std::fs::write(folder.path().join("adapter_config.json"), "{\"peft_type\": ").unwrap();
    refused(&folder, &["adapter_config.json", "damaged"]);
    let changes: [(&str, Value, &str); 7] = [
        ("target_modules", Value::Null, "target_modules is missing"),
        ("target_modules", json!("("), "no regular expression"),
        ("target_modules", json!("(?:(?=.)(?:.|..))+!"), "list the names of the layers"),
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
        "base_model.model.model.embed_tokens.lora_A.weight [1]: the embedding",
        "layers.1.self_attn.q_proj: ranks differ",
        "not finite: base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight has NaN at 3",
    ];
    let error = refused(&folder, &parts);
    assert!(matches!(error, Error::Tensors { .. }), "{error}");
}

/// Every tensor of `tiny-lora` with other names.
fn renamed(rename: impl Fn(String) -> String) -> TempDir {
    let folder = copy("tiny-lora");
    tensors(&folder, |matrices| {
        *matrices =
            std::mem::take(matrices).into_iter().map(|(name, matrix)| (rename(name), matrix)).collect();
    });
    folder
}

#[test]
fn names_with_an_adapter_or_a_wrapper_in_them_are_mended() {
    let whole = LoraAdapter::read(&fixture("tiny-lora")).unwrap();
    for folder in [
        renamed(|name| name.replace(".weight", ".default.weight")),
        renamed(|name| name.replace("base_model.model.", "base_model.model._orig_mod.")),
        renamed(|name| format!("module.{name}")),
        renamed(|name| format!("base_model.model.{name}")),
        renamed(|name| name.replace("base_model.model.", "")),
    ] {
        assert_eq!(LoraAdapter::read(folder.path()).unwrap().modules, whole.modules);
    }
    let folder = renamed(|name| {
        name.replace("q_proj.lora_A", "q_proj.lora_A.legal").replace("v_proj.lora_A", "v_proj.lora_A.medical")
    });
    refused(&folder, &["several adapters in one file: (no name), legal, medical"]);
    let folder = copy("tiny-lora");
    tensors(&folder, |matrices| {
        let twice = matrices[QUERY_A].clone();
        matrices.insert(format!("module.{QUERY_A}"), twice);
    });
    refused(&folder, &["twice: module.base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"]);
}

/// A tensor more: its name behind the prefix, and its shape.
type Extra<'a> = (&'a str, &'a [usize]);

#[test]
fn tensors_that_are_not_read_are_named_with_what_helps() {
    let extras: [(&[Extra], &[&str]); 6] = [
        (
            &[("lm_head.lora_A.weight", &[3, 4]), ("lm_head.lora_B.weight", &[4, 3])],
            &["and 1 more: an adapter on the head", "merge"],
        ),
        (
            &[("model.embed_tokens.weight", &[7, 2]), ("lm_head.weight", &[7, 2])],
            &[
                "embed_tokens.weight [7, 2]: the embedding, saved whole",
                "resized",
                "lm_head.weight [7, 2]: the head",
                "merge",
            ],
        ),
        (&[("model.layers.0.self_attn.q_proj.lora_magnitude_vector", &[4])], &["lengths of DoRA", "merge"]),
        (&[("model.layers.0.self_attn.q_proj.bias", &[4])], &["a bias of the base model", "merge"]),
        (&[("score.weight", &[1, 4])], &["a head that modules_to_save does not name", "merge"]),
        (
            &[("model.decoder.layers.0.self_attn.q_proj.lora_A.weight", &[3, 4])],
            &[
                "a matrix for a layer that the models read here do not have",
                "load the model that it was trained on",
            ],
        ),
    ];
    for (extra, parts) in extras {
        let folder = copy("tiny-lora");
        tensors(&folder, |matrices| {
            for (name, shape) in extra {
                let values = vec![0.5; shape.iter().product()];
                matrices.insert(format!("base_model.model.{name}"), (shape.to_vec(), values));
            }
        });
        refused(&folder, parts);
    }
}

/// PEFT passes such matrices over, so their effect is none of its.
#[test]
fn matrices_that_are_not_targeted() {
    let folder = copy("tiny-lora");
    config(&folder, |json| json["target_modules"] = json!(["q_proj"]));
    refused(
        &folder,
        &["layers.0.self_attn.v_proj: there are matrices, and target_modules does not name the layer"],
    );
    config(&folder, |json| json["target_modules"] = json!(r"^(?!.*vision).*\.(q_proj|v_proj)$"));
    assert!(LoraAdapter::read(folder.path()).is_ok());
}

#[test]
fn a_pickle_is_not_read_and_the_way_to_convert_it_is_named() {
    let folder = copy("tiny-lora");
    let [weights, pickle] =
        ["adapter_model.safetensors", "adapter_model.bin"].map(|name| folder.path().join(name));
    std::fs::rename(weights, pickle).unwrap();
    refused(&folder, &["adapter_model.bin", "pickle", "save_file", "adapter_model.safetensors"]);
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
