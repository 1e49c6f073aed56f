use std::collections::HashMap;
use std::path::Path;

use half::f16;
use rescorer_models::{ScoreHead, write_file};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::Value;

use super::names::{Part, name};
use super::{FINGERPRINT, HEAD, PREFIX, WEIGHTS, config};
use crate::adapter::LoraAdapter;
use crate::error::Error;

impl LoraAdapter {
    /// Writes a folder that PEFT reads too. Each file appears whole or not at all.
    ///
    /// # Errors
    /// A folder or file that can't be written.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.write_as(folder, Dtype::F32, &bytes)
    }

    /// Writes a folder with numbers of 16 bits: half the size, and matrices that are rounded.
    ///
    /// # Errors
    /// As for [`Self::write`].
    pub fn write_half(&self, folder: &Path) -> Result<(), Error> {
        let bytes =
            |values: &[f32]| values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect();
        self.write_as(folder, Dtype::F16, &bytes)
    }

    fn write_as(&self, folder: &Path, dtype: Dtype, bytes: &dyn Fn(&[f32]) -> Vec<u8>) -> Result<(), Error> {
        let unwritable = |source| rescorer_models::Error::Write { path: folder.into(), source };
        std::fs::create_dir_all(folder).map_err(unwritable)?;
        let kind = self.settings.kind;
        let mut matrices: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        for (module_path, module) in &self.modules {
            let (rank, [outputs, inputs]) = (module.rank(), module.shape);
            let mut add = |part: Part, shape: Vec<usize>, values: &[f32]| {
                matrices.push((name(*module_path, part, kind), shape, bytes(values)));
            };
            add(Part::A, vec![rank, inputs], &module.a);
            add(Part::B, vec![outputs, rank], &module.b);
            if let Some(e) = &module.e {
                add(Part::E, vec![rank, 1], e);
            }
        }
        if let Some(ScoreHead { weight, bias }) = &self.head {
            matrices.push((format!("{PREFIX}{HEAD}.weight"), vec![1, weight.len()], bytes(weight)));
            matrices.push((format!("{PREFIX}{HEAD}.bias"), vec![1], bytes(&[*bias])));
        }
        let views = matrices.iter().map(|(name, shape, bytes)| {
            let view = TensorView::new(dtype, shape.clone(), bytes);
            view.map(|view| (name.as_str(), view))
        });
        let malformed =
            |e: safetensors::SafeTensorError| Error::Malformed { path: folder.into(), reason: e.to_string() };
        let views = views.collect::<Result<Vec<_>, _>>().map_err(malformed)?;
        let header = HashMap::from([("format".to_string(), "pt".to_string())]);
        let mut bytes = safetensors::serialize(views, Some(header)).map_err(malformed)?;
        if let Some(fingerprint) = &self.base_fingerprint {
            bytes = with_fingerprint(&bytes, fingerprint).ok_or_else(|| Error::Malformed {
                path: folder.into(),
                reason: "the header of the matrices can't be extended".into(),
            })?;
        }
        write_file(&folder.join(WEIGHTS), &bytes)?;
        // Last: a folder that has settings is complete.
        Ok(write_file(&config::path_in(folder), &config::write(self))?)
    }
}

/// The same file with one more entry in its header. The library writes several in an order that differs from run to
/// run, and the same adapter is to be the same bytes. `None` for what is no such file.
fn with_fingerprint(bytes: &[u8], fingerprint: &str) -> Option<Vec<u8>> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (header, tensors) = rest.split_at_checked(u64::from_le_bytes(*length) as usize)?;
    let mut header: Value = serde_json::from_slice(header).ok()?;
    header["__metadata__"][FINGERPRINT] = fingerprint.into();
    let mut header = header.to_string().into_bytes();
    // Tensors begin at a multiple of 8.
    header.resize(header.len().next_multiple_of(8), b' ');
    Some([&(header.len() as u64).to_le_bytes()[..], &header, tensors].concat())
}
