use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};

use crate::{Error, write_file};

/// Name, shape and the bytes of a tensor in f32.
pub type Stored = (String, Vec<usize>, Vec<u8>);

/// Writes `model.safetensors` into a folder, which is made where it is not there.
///
/// # Errors
/// Shapes that do not fit; a folder that can't be written.
pub fn write_safetensors(folder: &Path, tensors: &[Stored]) -> Result<(), Error> {
    let failed =
        |e: safetensors::SafeTensorError| Error::Malformed { path: folder.into(), reason: e.to_string() };
    let views = tensors.iter().map(|(name, shape, bytes)| {
        TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.as_str(), view))
    });
    let views = views.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let header = [("format".to_string(), "pt".to_string())].into();
    let bytes = safetensors::serialize(views, Some(header)).map_err(failed)?;
    std::fs::create_dir_all(folder).map_err(|source| Error::Write { path: folder.into(), source })?;
    write_file(&folder.join("model.safetensors"), &bytes)
}
