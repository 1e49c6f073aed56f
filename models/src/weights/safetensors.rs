use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Mutex;

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::{TensorInfo, Unreadable, WeightStore, WeightType};
use crate::Error;

/// Largest header that is read: the format's own limit.
const MAX_HEADER_BYTES: u64 = 100 << 20;

/// Opens the weights of a Hugging Face folder: `model.safetensors`, or the shards that
/// `model.safetensors.index.json` names.
///
/// # Errors
/// A missing or damaged file, a tensor that stands in two shards or is not where the index says.
pub fn open_folder(folder: &Path) -> Result<WeightStore, Error> {
    let single = folder.join("model.safetensors");
    let index = folder.join("model.safetensors.index.json");
    let mut store = WeightStore {
        path: folder.to_path_buf(),
        files: Vec::new(),
        tensors: BTreeMap::new(),
        unreadable: Vec::new(),
    };
    if single.is_file() {
        add_file(&mut store, &single)?;
    } else if index.is_file() {
        add_shards(&mut store, folder, &index)?;
    } else {
        return Err(Error::NotAModel {
            path: folder.to_path_buf(),
            found: "the folder has no model.safetensors and no model.safetensors.index.json".into(),
        });
    }
    Ok(store)
}

#[derive(serde::Deserialize)]
struct ShardIndex {
    weight_map: BTreeMap<String, String>,
}

fn add_shards(store: &mut WeightStore, folder: &Path, index: &Path) -> Result<(), Error> {
    let malformed = |reason: String| Error::Malformed { path: index.to_path_buf(), reason };
    let text = std::fs::read(index).map_err(|source| Error::Io { path: index.to_path_buf(), source })?;
    let map: ShardIndex = serde_json::from_slice(&text).map_err(|e| malformed(e.to_string()))?;
    let shards: std::collections::BTreeSet<&String> = map.weight_map.values().collect();
    for shard in shards {
        if shard.contains(['/', '\\', ':']) {
            return Err(malformed(format!("shard {shard} is not a plain file name")));
        }
        add_file(store, &folder.join(shard))?;
    }
    let absent: Vec<&str> =
        map.weight_map.keys().filter(|name| !store.tensors.contains_key(*name)).map(String::as_str).collect();
    if absent.is_empty() {
        return Ok(());
    }
    Err(malformed(format!("tensors named in the index are in no shard: {}", absent.join(", "))))
}

fn add_file(store: &mut WeightStore, path: &Path) -> Result<(), Error> {
    let io = |source| Error::Io { path: path.to_path_buf(), source };
    let malformed = |reason: String| Error::Malformed { path: path.to_path_buf(), reason };
    let mut file = File::open(path).map_err(io)?;
    let file_len = file.metadata().map_err(io)?.len();
    if file_len < 8 {
        return Err(malformed(format!("{file_len} bytes are too few for a header")));
    }
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(io)?;
    let header_len = u64::from_le_bytes(length);
    if header_len > MAX_HEADER_BYTES || header_len > file_len - 8 {
        return Err(malformed(format!("the header claims {header_len} bytes in a file of {file_len}")));
    }
    let mut header = vec![0; header_len as usize];
    file.read_exact(&mut header).map_err(io)?;
    let metadata: Metadata =
        serde_json::from_slice(&header).map_err(|e| malformed(format!("header: {e}")))?;
    let data_start = 8 + header_len;
    let number = store.files.len();
    store.files.push((path.to_path_buf(), Mutex::new(file)));
    for (name, info) in metadata.tensors() {
        let dtype = match info.dtype {
            Dtype::F32 => WeightType::F32,
            Dtype::F16 => WeightType::F16,
            Dtype::BF16 => WeightType::BF16,
            other => {
                store.unreadable.push(Unreadable {
                    name: name.clone(),
                    dtype: format!("{other:?}"),
                    file: number,
                });
                continue;
            }
        };
        let (start, end) = info.data_offsets;
        let values = info.shape.iter().try_fold(1usize, |product, &extent| product.checked_mul(extent));
        let byte_len = values.and_then(|values| dtype.byte_len(values));
        let is_inside = data_start.checked_add(end as u64).is_some_and(|end| end <= file_len);
        if byte_len != end.checked_sub(start) || !is_inside {
            return Err(malformed(format!(
                "tensor {name}: bytes {start}..{end} do not fit shape {:?} in a file of {file_len} bytes",
                info.shape
            )));
        }
        let place = TensorInfo {
            shape: info.shape.clone(),
            dtype,
            file: number,
            offset: data_start + start as u64,
            byte_len: end - start,
        };
        if store.tensors.insert(name.clone(), place).is_some() {
            return Err(malformed(format!("tensor {name} stands in two files")));
        }
    }
    Ok(())
}
