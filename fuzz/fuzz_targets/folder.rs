//! A Hugging Face folder: `config.json`, `tokenizer.json`, `tokenizer_config.json` and `model.safetensors`, one after the other in the
//! input. It is a model that scores or an error with a message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rescorer_fuzz::{parts, score, with_files};
use rescorer_models::{DeviceRequest, LanguageModel, Precision};

const NAMES: [&str; 4] = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];

fuzz_target!(|bytes: &[u8]| {
    let files: Vec<(&str, &[u8])> = NAMES.into_iter().zip(parts(bytes, NAMES.len())).collect();
    with_files(&files, |folder| score(LanguageModel::load(folder, DeviceRequest::Cpu, Precision::F32)));
});
