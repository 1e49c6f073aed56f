//! One wrong byte: whatever comes of it, it is an answer and no panic.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rescorer_models::{Edge, TreeBatch};

use super::folder::Copy;
use super::gguf_file::GgufFile;
use super::{fixture, load, scratch};

/// Changed bytes that are tried in every file.
const FLIPS: u64 = 400;

/// SplitMix64 (Steele et al. 2014): the same numbers on every machine.
fn random(state: &mut u64) -> usize {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) as usize
}

/// Writes `bytes` to `file` with one of the first `range` changed, loads `model`, and uses what was loaded.
fn flip(bytes: &[u8], range: usize, file: &Path, model: &Path) {
    let mut seed = 1;
    for _ in 0..FLIPS {
        let (at, bit) = (random(&mut seed) % range, random(&mut seed) % 9);
        let mut changed = bytes.to_vec();
        // One bit, or a byte that looks like the end of a length.
        changed[at] = if bit == 8 { 0xFF } else { changed[at] ^ (1 << bit) };
        fs::write(file, &changed).unwrap();
        let change = format!("{}: byte {at} is {}", file.display(), changed[at]);
        let Ok(loaded) = load(model, &change) else { continue };
        let used = catch_unwind(AssertUnwindSafe(|| {
            let ids = loaded.tokenizer().encode("It's 1984, isn't it? <|end|> 東京").unwrap_or_default();
            let mut batch = TreeBatch::default();
            batch.push_tree(&[0, 1], &[None, Some(0)], &[Edge { node: 1, token: 5 }]);
            (ids, loaded.edge_log_probs(&batch).map_err(|error| error.to_string()))
        }));
        let (_, scored) = used.unwrap_or_else(|_| panic!("{change}: using it panicked"));
        if let Err(message) = scored {
            assert!(!message.contains("computing failed"), "{change}: {message}");
        }
    }
}

#[test]
fn headers_of_gguf() {
    let bytes = fs::read(fixture("tiny-llama.gguf")).unwrap();
    let (_, header, _) = GgufFile::parse(&bytes);
    let (_folder, path) = scratch(&bytes);
    flip(&bytes, header, &path, &path);
}

#[test]
fn headers_of_safetensors() {
    let copy = Copy::of("tiny-llama");
    let file = copy.file("model.safetensors");
    let bytes = fs::read(&file).unwrap();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    flip(&bytes, header, &file, copy.path());
}

#[test]
fn json_files() {
    for (folder, name) in [
        ("tiny-llama", "config.json"),
        ("tiny-llama", "tokenizer.json"),
        ("tiny-llama-tied", "model.safetensors.index.json"),
    ] {
        let copy = Copy::of(folder);
        let file = copy.file(name);
        let bytes = fs::read(&file).unwrap();
        flip(&bytes, bytes.len(), &file, copy.path());
    }
}
