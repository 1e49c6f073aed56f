//! `adapter_config.json` and `adapter_model.safetensors`, one after the other: an adapter or an error with a message. What is read can be
//! written, comes back as it was, and fits the model or is refused.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rescorer_fuzz::{parts, tiny_model};
use rescorer_lora::LoraAdapter;
use rescorer_models::LanguageModel;

static MODEL: LazyLock<LanguageModel> = LazyLock::new(tiny_model);

fuzz_target!(|bytes: &[u8]| {
    let parts: Vec<&[u8]> = parts(bytes, 2).collect();
    let [config, weights] = parts[..] else { return };
    let adapter = match LoraAdapter::from_bytes(Path::new("fuzz"), config, weights) {
        Ok(adapter) => adapter,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    if let Err(error) = adapter.attach(&MODEL) {
        assert!(!error.to_string().is_empty());
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    adapter.write(folder.path()).unwrap_or_else(|error| panic!("{error}"));
    let back = LoraAdapter::read(folder.path()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((back.parameters(), back.fingerprint()), (adapter.parameters(), adapter.fingerprint()));
});
