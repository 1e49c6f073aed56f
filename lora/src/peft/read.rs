use std::path::Path;

use super::tensors::Contents;
use super::{CONFIG, WEIGHTS, config, tensors};
use crate::adapter::LoraAdapter;
use crate::error::Error;

/// Reads both files of a folder.
pub fn read(folder: &Path) -> Result<LoraAdapter, Error> {
    let read = |name: &str| {
        let path = folder.join(name);
        match std::fs::read(&path) {
            Ok(bytes) => Ok((path, bytes)),
            Err(source) => Err(Error::Io { path, source }),
        }
    };
    let (path, text) = read(CONFIG)?;
    let config::Config { settings, kept_ranks, has_head } = config::parse(&path, &text)?;
    let (path, bytes) = read(WEIGHTS)?;
    let Contents { modules, head, base_fingerprint } =
        tensors::parse(&path, &bytes, &settings, &kept_ranks, has_head)?;
    Ok(LoraAdapter { settings, modules, kept_ranks, head, base_fingerprint, path: folder.into() })
}
