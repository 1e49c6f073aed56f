//! The tensors that the header of a GGUF file lists.

use std::collections::{BTreeMap, HashMap};

use super::gguf_reader::HeaderReader;
use super::gguf_value::MetaValue;
use super::{TensorInfo, WeightType};
use crate::Error;

/// A tensor as the header lists it.
pub struct Entry {
    name: String,
    shape: Vec<usize>,
    kind: u32,
    offset: u64,
}

/// The list of tensors, not yet believed.
///
/// # Errors
/// A list that leaves the file, extents or ranks that can't be.
pub fn read_entries(reader: &mut HeaderReader, count: u64) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    for _ in 0..count {
        let name = reader.string("tensor name")?;
        let rank = reader.u32(&name)?;
        if !(1..=4).contains(&rank) {
            return Err(reader.malformed(format!("tensor {name} has {rank} axes")));
        }
        let mut shape = Vec::new();
        for _ in 0..rank {
            let extent = reader.u64(&name)?;
            shape.push(
                usize::try_from(extent)
                    .map_err(|_| reader.malformed(format!("tensor {name}: axis of {extent}")))?,
            );
        }
        shape.reverse();
        let kind = reader.u32(&name)?;
        let offset = reader.u64(&name)?;
        entries.push(Entry { name, shape, kind, offset });
    }
    Ok(entries)
}

/// Where each tensor lies in file number `file` of a model, once the header has been read to its end.
///
/// # Errors
/// Tensors outside the file, rows that don't fill blocks, unsupported types (all of them listed).
pub fn place(
    reader: &HeaderReader,
    metadata: &HashMap<String, MetaValue>,
    entries: Vec<Entry>,
    file: usize,
) -> Result<BTreeMap<String, TensorInfo>, Error> {
    let alignment = match metadata.get("general.alignment") {
        None => 32,
        Some(MetaValue::Int(a)) if (1..=1 << 20).contains(a) => *a as u64,
        Some(other) => return Err(reader.malformed(format!("general.alignment is {other:?}"))),
    };
    let data_start = reader.position().next_multiple_of(alignment);
    let mut tensors = BTreeMap::new();
    let mut unsupported = Vec::new();
    for Entry { name, shape, kind, offset } in entries {
        let dtype = match weight_type(kind) {
            Ok(dtype) => dtype,
            Err(type_name) => {
                unsupported.push(format!("{name}: {type_name}"));
                continue;
            }
        };
        let row = shape.last().copied().unwrap_or(0);
        let values = shape.iter().try_fold(1usize, |product, &extent| product.checked_mul(extent));
        let byte_len = values
            .filter(|_| row.is_multiple_of(dtype.block_len()))
            .and_then(|values| dtype.byte_len(values));
        let Some(byte_len) = byte_len else {
            let rule = match dtype.block_len() {
                1 => String::new(),
                block => format!(", whose rows are multiples of {block}"),
            };
            return Err(
                reader.malformed(format!("tensor {name}: shape {shape:?} does not fit {dtype:?}{rule}"))
            );
        };
        let start = data_start.checked_add(offset);
        let end = start.and_then(|start| start.checked_add(byte_len as u64));
        match (start, end) {
            (Some(start), Some(end)) if end <= reader.file_len() => {
                let info = TensorInfo { shape, dtype, file, offset: start, byte_len };
                if tensors.insert(name.clone(), info).is_some() {
                    return Err(reader.malformed(format!("tensor {name} stands twice")));
                }
            }
            _ => {
                return Err(reader.malformed(format!(
                    "tensor {name}: offset {offset} with {byte_len} bytes leaves the file of {} bytes",
                    reader.file_len()
                )));
            }
        }
    }
    if unsupported.is_empty() {
        return Ok(tensors);
    }
    Err(reader.unsupported(format!("tensor type of {}", unsupported.join(", ")), WeightType::SUPPORTED))
}

/// The type behind a GGML type number, or its name where it is not supported.
fn weight_type(kind: u32) -> Result<WeightType, String> {
    const OTHERS: [(u32, &str); 20] = [
        (9, "Q8_1"),
        (10, "Q2_K"),
        (11, "Q3_K"),
        (15, "Q8_K"),
        (16, "IQ2_XXS"),
        (17, "IQ2_XS"),
        (18, "IQ3_XXS"),
        (19, "IQ1_S"),
        (21, "IQ3_S"),
        (22, "IQ2_S"),
        (23, "IQ4_XS"),
        (24, "I8"),
        (25, "I16"),
        (26, "I32"),
        (27, "I64"),
        (28, "F64"),
        (29, "IQ1_M"),
        (34, "TQ1_0"),
        (35, "TQ2_0"),
        (39, "MXFP4"),
    ];
    Ok(match kind {
        0 => WeightType::F32,
        1 => WeightType::F16,
        2 => WeightType::Q4_0,
        3 => WeightType::Q4_1,
        6 => WeightType::Q5_0,
        7 => WeightType::Q5_1,
        8 => WeightType::Q8_0,
        12 => WeightType::Q4_K,
        13 => WeightType::Q5_K,
        14 => WeightType::Q6_K,
        20 => WeightType::IQ4_NL,
        30 => WeightType::BF16,
        _ => {
            let name = OTHERS.iter().find(|(number, _)| *number == kind).map(|(_, name)| (*name).to_string());
            return Err(name.unwrap_or_else(|| format!("GGML type {kind}")));
        }
    })
}
