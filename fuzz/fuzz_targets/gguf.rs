//! A GGUF file of any bytes is a model that scores or an error with a message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rescorer_fuzz::{score, with_files};
use rescorer_models::{DeviceRequest, LanguageModel, Precision};

fuzz_target!(|bytes: &[u8]| {
    with_files(&[("model.gguf", bytes)], |folder| {
        score(LanguageModel::load(&folder.join("model.gguf"), DeviceRequest::Cpu, Precision::Quantized));
    });
});
