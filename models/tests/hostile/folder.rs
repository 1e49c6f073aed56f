//! Hugging Face folders: safetensors headers that lie, shards that are elsewhere, rubbish for JSON.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{DAMAGED, fixture, load};

/// A copy of a tiny model's folder, to be spoilt.
pub struct Copy {
    folder: TempDir,
}

impl Copy {
    pub fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in fs::read_dir(fixture(name)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
        Self { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn edit_json(&self, name: &str, edit: impl FnOnce(&mut Value)) {
        let mut value: Value = serde_json::from_slice(&fs::read(self.file(name)).unwrap()).unwrap();
        edit(&mut value);
        fs::write(self.file(name), value.to_string()).unwrap();
    }

    fn refused(&self, change: &str, parts: &[&str]) {
        let Err(message) = load(self.path(), change) else { panic!("{change}: was loaded") };
        for part in parts {
            assert!(message.contains(part), "{change}: {part:?} is not in: {message}");
        }
    }
}

/// A safetensors file with this header and `data` zeros.
fn safetensors(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

const WEIGHTS: &str = "model.safetensors";

fn with_weights(bytes: &[u8], change: &str, parts: &[&str]) {
    let copy = Copy::of("tiny-llama");
    fs::write(copy.file(WEIGHTS), bytes).unwrap();
    copy.refused(change, &[&[WEIGHTS], parts].concat());
}

#[test]
fn headers_that_lie() {
    with_weights(b"", "empty", &["0 bytes are too few", DAMAGED]);
    with_weights(
        &u64::MAX.to_le_bytes(),
        "huge header",
        &["header claims 18446744073709551615 bytes", DAMAGED],
    );
    with_weights(
        &[&101u64.to_le_bytes()[..], &[b' '; 100]].concat(),
        "a byte too long",
        &["header claims 101", DAMAGED],
    );
    with_weights(&safetensors("{]", 0), "rubbish", &["header: ", DAMAGED]);
    with_weights(&safetensors("[]", 0), "an array", &["header: ", DAMAGED]);
    with_weights(
        &safetensors(r#"{"w":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}"#, 4),
        "F99",
        &["header: ", "F99"],
    );
    let entry = |shape: &str, offsets: &str| {
        format!(r#"{{"w":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#)
    };
    for (change, shape, offsets) in [
        ("end behind the file", "[100]", "[0,400]"),
        ("shape that is not its bytes", "[3]", "[0,16]"),
        ("end before start", "[4]", "[16,0]"),
        ("hole before the first", "[2]", "[8,16]"),
        ("extents that overflow", "[4294967296,4294967296,4294967296]", "[0,16]"),
        ("bytes that overflow", "[4611686018427387904]", "[0,16]"),
        ("offsets of 2^64 - 1", "[0]", "[18446744073709551615,18446744073709551615]"),
        ("negative offsets", "[1]", "[-4,0]"),
        ("fractions", "[1.5]", "[0,6]"),
    ] {
        with_weights(&safetensors(&entry(shape, offsets), 16), change, &[DAMAGED]);
    }
}

/// Seven tensors of types that are skipped push the eighth to where its end plus the header wraps around.
#[test]
fn offsets_that_overflow_behind_the_header() {
    let largest = (1u64 << 61) - 8;
    let mut entries = Vec::new();
    for index in 0..8u64 {
        let (dtype, width) = if index == 7 { ("F32", 4) } else { ("I64", 8) };
        let (start, bytes) = (index * largest, if index == 7 { largest + 4 } else { largest });
        let (shape, end) = (bytes / width, start + bytes);
        entries.push(format!(
            r#""t{index}":{{"dtype":"{dtype}","shape":[{shape}],"data_offsets":[{start},{end}]}}"#
        ));
    }
    with_weights(&safetensors(&format!("{{{}}}", entries.join(",")), 64), "wrapped", &["tensor t7", DAMAGED]);
}

/// Bytes between the lengths that are tried.
const STEP: usize = 211;

#[test]
fn weights_cut_short_anywhere() {
    let copy = Copy::of("tiny-llama");
    let bytes = fs::read(copy.file(WEIGHTS)).unwrap();
    for len in (0..bytes.len()).step_by(STEP).chain(0..64).chain([bytes.len() - 1]) {
        fs::write(copy.file(WEIGHTS), &bytes[..len]).unwrap();
        copy.refused(&format!("{len} bytes"), &[WEIGHTS, DAMAGED]);
    }
}

#[test]
fn types_that_are_no_weights_are_listed_together() {
    let header = r#"{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"b":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}"#;
    let parts = ["tensor type of a: I64, b: F64 is not supported; supported: F32, F16, BF16"];
    with_weights(&safetensors(header, 16), "I64 and F64", &parts);
}

#[test]
fn differences_of_tensors_are_listed_together() {
    let copy = Copy::of("tiny-llama");
    copy.edit_json("config.json", |config| {
        config["num_hidden_layers"] = json!(3);
        config["vocab_size"] = json!(300);
    });
    let parts = [
        "shape: model.embed_tokens.weight is [288, 32], expected [300, 32]",
        "shape: lm_head.weight is [288, 32], expected [300, 32]",
        "missing: model.layers.2.self_attn.q_proj.weight [32, 32]",
        "use weights and a configuration of the same model",
    ];
    copy.refused("other sizes", &parts);
    copy.edit_json("config.json", |config| config["num_hidden_layers"] = json!(1));
    copy.refused("fewer layers", &["unexpected: model.layers.1.mlp.up_proj.weight"]);
}

#[test]
fn shards_that_are_elsewhere() {
    const INDEX: &str = "model.safetensors.index.json";
    let with_index = |change: &str, parts: &[&str], edit: &dyn Fn(&mut Value)| {
        let copy = Copy::of("tiny-llama-tied");
        copy.edit_json(INDEX, edit);
        copy.refused(change, parts);
    };
    let norm = "model.norm.weight";
    for name in ["../model-00001-of-00003.safetensors", "/etc/hostname", "..\\w", "a/b"] {
        let set = |index: &mut Value| index["weight_map"][norm] = json!(name);
        with_index(name, &[INDEX, name, "is not a plain file name", DAMAGED], &set);
    }
    for name in ["..", ".", ""] {
        with_index("a folder", &[], &|index| index["weight_map"][norm] = json!(name));
    }
    with_index("absent shard", &["model-9.safetensors", "check that the file exists"], &|index| {
        index["weight_map"][norm] = json!("model-9.safetensors");
    });
    with_index("absent tensors", &[INDEX, "are in no shard: ghost.1, ghost.2", DAMAGED], &|index| {
        index["weight_map"]["ghost.1"] = json!("model-00001-of-00003.safetensors");
        index["weight_map"]["ghost.2"] = json!("model-00002-of-00003.safetensors");
    });
    with_index("no map", &[INDEX, "weight_map", DAMAGED], &|index| *index = json!({}));
    with_index("empty map", &["0 tensors"], &|index| index["weight_map"] = json!({}));
    let copy = Copy::of("tiny-llama-tied");
    fs::copy(copy.file("model-00002-of-00003.safetensors"), copy.file("copy.safetensors")).unwrap();
    copy.edit_json(INDEX, |index| index["weight_map"]["again"] = json!("copy.safetensors"));
    copy.refused("a tensor in two shards", &["stands in two files", DAMAGED]);
}

#[test]
fn configurations_of_other_models() {
    for (key, value, parts) in [
        (
            "model_type",
            json!("mamba"),
            &["model_type mamba is not supported; supported: llama, qwen2, qwen3, gemma3_text, gpt2"][..],
        ),
        ("hidden_act", json!("gelu"), &["hidden_act gelu is not supported; supported: silu"]),
        ("attention_bias", json!(true), &["attention_bias", "is not supported"]),
        ("mlp_bias", json!(true), &["mlp_bias", "is not supported"]),
        (
            "rope_scaling",
            json!({"rope_type": "linear", "factor": 2.0}),
            &["rope_scaling", "is not supported"],
        ),
        ("rope_parameters", json!({"rope_type": "yarn"}), &["rope_type yarn", "is not supported"]),
        ("num_attention_heads", json!(0), &["heads is 0", DAMAGED]),
        ("num_attention_heads", json!(-4), &["-4", DAMAGED]),
        ("num_key_value_heads", json!(3), &["4 heads over 3", DAMAGED]),
        ("hidden_size", json!(u64::MAX), &["model width is 18446744073709551615", DAMAGED]),
        ("num_hidden_layers", json!(1 << 23), &["8388608 layers are claimed", DAMAGED]),
        ("rms_norm_eps", json!(-1.0), &["norm epsilon -1", DAMAGED]),
        ("eos_token_id", json!("</s>"), &["data did not match", DAMAGED]),
    ] {
        let copy = Copy::of("tiny-llama");
        copy.edit_json("config.json", |config| config[key] = value.clone());
        copy.refused(&format!("{key} = {value}"), &[&["config.json"], parts].concat());
    }
}

#[test]
fn rubbish_for_json() {
    for name in ["config.json", "tokenizer.json"] {
        for rubbish in ["", "{", "null", "[1]", "<html>", "{\"a\": \u{0}}", &"[".repeat(100_000)] {
            let copy = Copy::of("tiny-llama");
            fs::write(copy.file(name), rubbish).unwrap();
            copy.refused(&format!("{name}: {rubbish:.20}"), &[name]);
        }
        let copy = Copy::of("tiny-llama");
        fs::remove_file(copy.file(name)).unwrap();
        copy.refused("absent", &[name, "check that the file exists"]);
    }
}

/// The tokenizer library slices by the length of a prefix that no merge need have.
#[test]
fn a_tokenizer_whose_merges_lack_their_prefix() {
    let copy = Copy::of("tiny-llama");
    copy.edit_json("tokenizer.json", |json| {
        json["model"]["continuing_subword_prefix"] = json!("a long prefix")
    });
    copy.refused("prefix", &["tokenizer.json: tokenizer: "]);
}

#[test]
fn packed_weights_are_refused_by_the_name_of_what_packed_them() {
    for (settings, name) in [
        (
            json!({"quant_method": "bitsandbytes", "load_in_4bit": true, "bnb_4bit_quant_type": "nf4"}),
            "bitsandbytes, 4 bits",
        ),
        (json!({"load_in_8bit": true}), "bitsandbytes, 8 bits"),
        (json!({"quant_method": "gptq", "bits": 4}), "gptq, 4 bits"),
        (json!({"quant_method": "fp8"}), "fp8"),
    ] {
        for model in ["tiny-llama", "tiny-gpt2", "tiny-bert"] {
            let copy = Copy::of(model);
            copy.edit_json("config.json", |config| config["quantization_config"] = settings.clone());
            copy.refused(
                name,
                &["config.json", name, "is not supported", "the model that it was made from", "GGUF"],
            );
        }
    }
    let copy = Copy::of("tiny-llama");
    fs::write(copy.file("quantize_config.json"), "{\"bits\": 4}").unwrap();
    copy.refused("side file", &["quantize_config.json", "GPTQ or AWQ"]);
}
