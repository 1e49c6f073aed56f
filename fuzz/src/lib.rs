//! What the fuzz targets share: files that are made of an input, and models to try.

use std::path::Path;

use rescorer_models::{DeviceRequest, Edge, Error, LanguageModel, Precision, TreeBatch};

/// Stands between the files that an input holds.
pub const BORDER: &[u8] = b"\n--8<--\n";

/// The first `count` files of an input; those that it has not got are empty.
pub fn parts(bytes: &[u8], count: usize) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    (0..count).map(move |part| {
        let Some(bytes) = rest else { return &[][..] };
        let border = bytes.windows(BORDER.len()).position(|window| window == BORDER);
        let (first, left) = match border.filter(|_| part + 1 < count) {
            Some(at) => (&bytes[..at], Some(&bytes[at + BORDER.len()..])),
            None => (bytes, None),
        };
        rest = left;
        first
    })
}

/// Runs something on a folder with these files, which is gone afterwards. Let TMPDIR be a folder in memory.
pub fn with_files<T>(files: &[(&str, &[u8])], run: impl FnOnce(&Path) -> T) -> T {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).expect("a file in the temporary folder");
    }
    run(folder.path())
}

/// A model scores what its tokenizer makes of a text, or says why it does not; a refusal says something.
pub fn score(model: Result<LanguageModel, Error>) {
    let scores = model.and_then(|model| {
        let mut tokens = model.tokenizer().encode("the cat sat on 東京")?;
        tokens.truncate(16);
        let edges: Vec<Edge> = (0..).zip(&tokens).skip(1).map(|(at, &token)| Edge { node: at - 1, token }).collect();
        let mut batch = TreeBatch::default();
        batch.push_chain(&tokens, &edges);
        model.edge_log_probs(&batch)
    });
    if let Err(error) = scores {
        assert!(!error.to_string().is_empty());
    }
}

/// A model of the tests that computes in microseconds.
///
/// # Panics
/// Where the fixture is not there.
pub fn tiny_model() -> LanguageModel {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/tiny-llama.gguf");
    LanguageModel::load(&path, DeviceRequest::Cpu, Precision::F32).unwrap_or_else(|error| panic!("{error}"))
}
