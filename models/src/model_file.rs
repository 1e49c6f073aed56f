//! What kind of model lies at a path.

use std::io::Read;
use std::path::Path;

use crate::encoder::EncoderFamily;
use crate::{Error, quantized_folder};

/// The family of the encoder in a folder, with the text of its configuration; `None` where it is something else.
pub fn family_of_encoder(path: &Path) -> Result<Option<(EncoderFamily, Vec<u8>)>, Error> {
    #[derive(serde::Deserialize)]
    struct Kind {
        model_type: Option<String>,
    }
    let config = path.join("config.json");
    if !config.is_file() {
        return Ok(None);
    }
    let text = std::fs::read(&config).map_err(|source| Error::Io { path: config.clone(), source })?;
    quantized_folder::refuse(&config, &text)?;
    let kind: Kind = serde_json::from_slice(&text)
        .map_err(|e| Error::Malformed { path: config, reason: e.to_string() })?;
    Ok(kind.model_type.as_deref().and_then(EncoderFamily::of).map(|family| (family, text)))
}

/// Refuses a file that does not begin as GGUF files do.
pub fn require_gguf(path: &Path) -> Result<(), Error> {
    let io = |source| Error::Io { path: path.into(), source };
    let mut magic = Vec::new();
    std::fs::File::open(path).map_err(io)?.take(4).read_to_end(&mut magic).map_err(io)?;
    if magic == b"GGUF" {
        return Ok(());
    }
    Err(Error::NotAModel { path: path.into(), found: "the file does not begin with GGUF".into() })
}
