//! Damaged and hostile files: every one is refused with a message that helps, none panics or asks for more
//! memory than the file can fill.
//!
//! The files are the tiny models of `tests/fixtures`, changed in one place, or headers written from nothing.
#![allow(clippy::unwrap_used, clippy::panic)]

mod flips;
mod folder;
mod gguf_bytes;
mod gguf_contents;
mod gguf_file;
mod gguf_header;
mod split;
mod storage;

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use rescorer_models::{DeviceRequest, LanguageModel, Precision};

/// Path of a fixture that all crates share.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name)
}

/// Loads onto the CPU. A panic fails the test and names the file's change.
fn load(path: &Path, change: &str) -> Result<LanguageModel, String> {
    match catch_unwind(|| LanguageModel::load(path, DeviceRequest::Cpu, Precision::F32)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => panic!("{change}: loading panicked"),
    }
}

/// Loads what must be refused; the message has to name the file and each of `parts`.
fn refused(path: &Path, change: &str, parts: &[&str]) {
    let Err(message) = load(path, change) else { panic!("{change}: was loaded") };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap();
    for part in parts.iter().chain([&name]) {
        assert!(message.contains(part), "{change}: {part:?} is not in: {message}");
    }
}

/// What a message about a file that contradicts itself ends with.
const DAMAGED: &str = "damaged or cut short, download it again";

/// A file in a folder of its own that goes away with the test.
fn scratch(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.gguf");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

#[test]
fn the_unchanged_models_load() {
    for name in ["tiny-llama", "tiny-llama-tied", "tiny-llama.gguf"] {
        assert!(load(&fixture(name), name).is_ok(), "{name}");
    }
    let copy = gguf_file::GgufFile::tiny().to_bytes();
    let (_folder, path) = scratch(&copy);
    let fingerprint = |path: &Path| load(path, "rewritten").map(|model| model.fingerprint().to_string());
    assert_eq!(fingerprint(&path), fingerprint(&fixture("tiny-llama.gguf")), "the tests' own writer");
}

#[test]
fn paths_that_are_no_model() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.gguf");
    refused(&absent, "absent", &["check that the file exists"]);
    for (name, bytes) in [("empty.gguf", &b""[..]), ("short.gguf", b"GGU"), ("page.gguf", b"<!doctype html>")]
    {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        refused(&path, name, &["does not begin with GGUF", "give a .gguf file, or a folder"]);
    }
    let empty = tempfile::tempdir().unwrap();
    refused(empty.path(), "empty folder", &["config.json", "check that the file exists"]);
}
