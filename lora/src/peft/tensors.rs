//! `adapter_model.safetensors`: names, types and shapes of its matrices.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use half::{bf16, f16};
use rescorer_models::{ModulePath, ScoreHead};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::fields::Remedy;
use super::names::{self, Named, Part};
use super::refuse::remedy;
use super::{CONFIG, FINGERPRINT};
use crate::error::Error;
use crate::low_rank::LowRank;
use crate::settings::{Kind, LoraSettings};

/// Values in f32, and the shape.
type Matrix = (Vec<f32>, Vec<usize>);

/// What the file holds.
pub struct Contents {
    /// The changes of all layers.
    pub modules: BTreeMap<ModulePath, LowRank>,
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
    kept_ranks: &BTreeMap<ModulePath, Vec<bool>>,
    has_head: bool,
) -> Result<Contents, Error> {
    let malformed = |reason: String| Error::Malformed {
        path: path.into(),
        reason: format!("{reason}; the file is damaged or cut short, copy or download it again"),
    };
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| malformed(e.to_string()))?;
    let fingerprint = metadata.metadata().as_ref().and_then(|header| header.get(FINGERPRINT).cloned());
    let file = SafeTensors::deserialize(bytes).map_err(|e| malformed(e.to_string()))?;
    let Sorted { parts, of_head, mut problems, remedies } = sort(&file, has_head);
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
    for (module_path, parts) in parts {
        let is_targeted = settings
            .try_targets(module_path)
            .map_err(|e| Error::Malformed { path: path.with_file_name(CONFIG), reason: e.to_string() })?;
        if !is_targeted {
            problems.push(format!(
                "  {module_path}: there are matrices, and target_modules does not name the layer"
            ));
        }
        match assemble(module_path, parts, settings, kept_ranks.get(&module_path)) {
            Ok(module) => _ = modules.insert(module_path, module),
            Err(reason) => problems.push(format!("  {module_path}: {reason}")),
        }
    }
    for module_path in kept_ranks.keys().filter(|module_path| !modules.contains_key(module_path)) {
        problems.push(format!("  missing: {module_path}, which rank_pattern names"));
    }
    if modules.is_empty() && problems.is_empty() {
        problems.push("  there are no matrices".into());
    }
    if problems.is_empty() {
        return Ok(Contents { modules, head, base_fingerprint: fingerprint });
    }
    let remedy = match remedies.is_empty() {
        true => "use an adapter whose files belong together; copy or download it again".into(),
        false => remedy(path, &remedies),
    };
    Err(Error::Tensors { path: path.into(), problems: problems.join("\n"), remedy })
}

/// The tensors of a file by what they are.
struct Sorted {
    parts: BTreeMap<ModulePath, BTreeMap<Part, Matrix>>,
    of_head: [Option<Matrix>; 2],
    problems: Vec<String>,
    /// What helps against those.
    remedies: BTreeSet<Remedy>,
}

fn sort(file: &SafeTensors, has_head: bool) -> Sorted {
    let mut sorted = Sorted {
        parts: BTreeMap::new(),
        of_head: [None, None],
        problems: Vec::new(),
        remedies: BTreeSet::new(),
    };
    let mut others: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut adapters = BTreeSet::new();
    // Sorted, so that messages don't differ from run to run.
    let views: BTreeMap<&str, TensorView> = file.iter().collect();
    for (name, view) in views {
        let named = match names::parse(name) {
            Named::Head(_) if !has_head => {
                Named::Other("a head that modules_to_save does not name", Remedy::Merge)
            }
            named => named,
        };
        if let Named::Other(what, remedy) = named {
            others.entry(what).or_default().push(format!("{name} {:?}", view.shape()));
            sorted.remedies.insert(remedy);
            continue;
        }
        let Some(values) = to_f32(view.dtype(), view.data()) else {
            sorted.problems.push(format!("  type: {name} is {:?}; F32, F16 and BF16 are read", view.dtype()));
            continue;
        };
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            sorted.problems.push(format!("  not finite: {name} has {} at {at}", values[at]));
        }
        let matrix = (values, view.shape().to_vec());
        let before = match named {
            Named::Head(part) => sorted.of_head[part].replace(matrix),
            Named::Matrix(module_path, part, adapter) => {
                adapters.insert(adapter);
                sorted.parts.entry(module_path).or_default().insert(part, matrix)
            }
            Named::Other(..) => None,
        };
        if before.is_some() {
            sorted.problems.push(format!("  twice: {name} is the same matrix as another tensor"));
        }
    }
    if adapters.len() > 1 {
        let names: Vec<String> =
            adapters.into_iter().map(|name| name.unwrap_or("(no name)".into())).collect();
        sorted.problems.push(format!("  several adapters in one file: {}", names.join(", ")));
    }
    sorted.problems.extend(others.iter().map(|(what, names)| match &**names {
        [name] => format!("  {name}: {what}"),
        [name, more @ ..] => format!("  {name} and {} more: {what}", more.len()),
        [] => String::new(),
    }));
    sorted
}

/// The matrices of one layer, checked against each other and the settings.
fn assemble(
    module_path: ModulePath,
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
        None => settings.rank_of(module_path),
    };
    if rank != expected {
        return Err(format!("lora_A {a_shape:?} has {rank} ranks, the configuration says {expected}"));
    }
    let shape = [outputs, inputs];
    Ok(LowRank { shape, a, e: e.map(|(values, _)| values), b, scale: settings.scale_of(module_path) })
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
