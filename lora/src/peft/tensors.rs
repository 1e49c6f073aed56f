//! `adapter_model.safetensors`: names, types and shapes of its matrices.

use std::collections::BTreeMap;
use std::path::Path;

use half::{bf16, f16};
use rescorer_models::{ScoreHead, Site};
use safetensors::{Dtype, SafeTensors};

use super::{FINGERPRINT, HEAD, PREFIX};
use crate::error::Error;
use crate::low_rank::LowRank;
use crate::settings::{Kind, LoraSettings};

/// A matrix of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    A,
    B,
    E,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::A => "lora_A",
            Self::B => "lora_B",
            Self::E => "lora_E",
        }
    }
}

/// What PEFT calls a matrix: those of vanilla adapters are the weights of linear layers.
pub fn name(site: Site, part: Part, kind: Kind) -> String {
    let ending = if kind == Kind::Vanilla { ".weight" } else { "" };
    format!("{PREFIX}{site}.{}{ending}", part.name())
}

fn parse_name(name: &str) -> Option<(Site, Part)> {
    let name = name.strip_prefix(PREFIX)?;
    let name = name.strip_suffix(".weight").unwrap_or(name);
    let (path, last) = name.rsplit_once('.')?;
    let part = [Part::A, Part::B, Part::E].into_iter().find(|part| part.name() == last)?;
    Some((Site::from_path(path)?, part))
}

/// The tensors of a score head.
const HEAD_PARTS: [&str; 2] = ["weight", "bias"];

fn is_head_part(name: &str, part: &str) -> bool {
    name.strip_prefix(PREFIX).and_then(|name| name.strip_prefix(HEAD)).and_then(|rest| rest.strip_prefix('.'))
        == Some(part)
}

/// Values in f32, and the shape.
type Matrix = (Vec<f32>, Vec<usize>);

/// What the file holds.
pub struct Contents {
    /// The changes of all layers.
    pub modules: BTreeMap<Site, LowRank>,
    /// The score head.
    pub head: Option<ScoreHead>,
    /// The fingerprint in the header.
    pub base_fingerprint: Option<String>,
}

/// The changes of all layers, the score head where there is one, and the fingerprint in the header.
///
/// # Errors
/// A damaged file; all tensors that are unexpected, missing, of the wrong shape or not finite.
pub fn parse(
    path: &Path,
    bytes: &[u8],
    settings: &LoraSettings,
    kept_ranks: &BTreeMap<Site, Vec<bool>>,
    has_head: bool,
) -> Result<Contents, Error> {
    let malformed = |reason: String| Error::Malformed {
        path: path.into(),
        reason: format!("{reason}; the file is damaged or cut short, copy or download it again"),
    };
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| malformed(e.to_string()))?;
    let fingerprint = metadata.metadata().as_ref().and_then(|header| header.get(FINGERPRINT).cloned());
    let file = SafeTensors::deserialize(bytes).map_err(|e| malformed(e.to_string()))?;
    let mut problems = Vec::new();
    let mut parts: BTreeMap<Site, BTreeMap<Part, Matrix>> = BTreeMap::new();
    let mut of_head: [Option<Matrix>; 2] = [None, None];
    for (name, view) in file.iter() {
        let head = HEAD_PARTS.iter().position(|part| has_head && is_head_part(name, part));
        let place = parse_name(name);
        if head.is_none() && place.is_none() {
            problems.push(format!("  unexpected: {name}"));
            continue;
        }
        let Some(values) = to_f32(view.dtype(), view.data()) else {
            problems.push(format!("  type: {name} is {:?}; F32, F16 and BF16 are read", view.dtype()));
            continue;
        };
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            problems.push(format!("  not finite: {name} has {} at {at}", values[at]));
        }
        let matrix = (values, view.shape().to_vec());
        match (head, place) {
            (Some(part), _) => of_head[part] = Some(matrix),
            (None, Some((site, part))) => _ = parts.entry(site).or_default().insert(part, matrix),
            (None, None) => {}
        }
    }
    let head = match of_head {
        [Some((weight, weight_shape)), Some((bias, bias_shape))] => {
            if weight_shape == [1, weight.len()] && bias_shape == [1] {
                Some(ScoreHead { weight, bias: bias[0] })
            } else {
                problems.push(format!(
                    "  score head: {weight_shape:?} and {bias_shape:?} are not [1, width] and [1]"
                ));
                None
            }
        }
        _ if has_head => {
            problems.push("  missing: weight or bias of the score head, which modules_to_save names".into());
            None
        }
        _ => None,
    };
    let mut modules = BTreeMap::new();
    for (site, parts) in parts {
        match assemble(site, parts, settings, kept_ranks.get(&site)) {
            Ok(module) => _ = modules.insert(site, module),
            Err(reason) => problems.push(format!("  {site}: {reason}")),
        }
    }
    for site in kept_ranks.keys().filter(|site| !modules.contains_key(site)) {
        problems.push(format!("  missing: {site}, which rank_pattern names"));
    }
    if modules.is_empty() && problems.is_empty() {
        problems.push("  there are no matrices".into());
    }
    if problems.is_empty() {
        return Ok(Contents { modules, head, base_fingerprint: fingerprint });
    }
    Err(Error::Tensors { path: path.into(), problems: problems.join("\n") })
}

/// The matrices of one layer, checked against each other and the settings.
fn assemble(
    site: Site,
    mut parts: BTreeMap<Part, Matrix>,
    settings: &LoraSettings,
    kept: Option<&Vec<bool>>,
) -> Result<LowRank, String> {
    let mut take = |part: Part| parts.remove(&part).ok_or(format!("{} is missing", part.name()));
    let (a, a_shape) = take(Part::A)?;
    let (b, b_shape) = take(Part::B)?;
    let e = match settings.kind {
        Kind::Vanilla => None,
        Kind::RankAllocated { .. } => Some(take(Part::E)?),
    };
    if let Some(part) = parts.keys().next() {
        return Err(format!("{} does not belong to type LORA", part.name()));
    }
    let ([rank, inputs], [outputs, b_rank]) = (matrix(&a_shape)?, matrix(&b_shape)?);
    let e_shape = e.as_ref().map(|(_, shape)| shape.clone());
    if b_rank != rank || e_shape.as_ref().is_some_and(|shape| shape.iter().product::<usize>() != rank) {
        let e_shape = e_shape.map_or(String::new(), |shape| format!(", lora_E {shape:?}"));
        return Err(format!("ranks differ: lora_A {a_shape:?}, lora_B {b_shape:?}{e_shape}"));
    }
    let expected = match kept {
        Some(kept) => kept.iter().filter(|kept| **kept).count(),
        None => settings.rank_of(site),
    };
    if rank != expected {
        return Err(format!("lora_A {a_shape:?} has {rank} ranks, the configuration says {expected}"));
    }
    let shape = [outputs, inputs];
    Ok(LowRank { shape, a, e: e.map(|(values, _)| values), b, scale: settings.scale_of(site) })
}

fn matrix(shape: &[usize]) -> Result<[usize; 2], String> {
    <[usize; 2]>::try_from(shape).map_err(|_| format!("a matrix has shape {shape:?}"))
}

fn to_f32(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    let halves = |to_f32: fn([u8; 2]) -> f32| bytes.as_chunks::<2>().0.iter().copied().map(to_f32).collect();
    match dtype {
        Dtype::F32 => Some(bytes.as_chunks::<4>().0.iter().copied().map(f32::from_le_bytes).collect()),
        Dtype::F16 => Some(halves(|bytes| f16::from_le_bytes(bytes).to_f32())),
        Dtype::BF16 => Some(halves(|bytes| bf16::from_le_bytes(bytes).to_f32())),
        _ => None,
    }
}
