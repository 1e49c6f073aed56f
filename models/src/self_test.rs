//! A GPU has to show that it computes what the CPU computes before its scores are believed.
//!
//! Drivers and shader compilers do get kernels wrong, and a wrong log-probability looks like any other.

use crate::buckets::buckets;
use crate::device::ComputeDevice;
use crate::guard::guarded;
use crate::model::LanguageModel;
use crate::tree::{Edge, TreeBatch};
use crate::{Error, Precision};

/// Largest difference of a log-probability in f32. Sums in another order move it by 1e-5 to 1e-3 through 30
/// layers; a wrong kernel, by whole units.
const F32_TOLERANCE: f32 = 1e-2;

/// The same in f16, whose products have 11 bits. The tokens of the test are drawn blindly, so they are unlikely
/// ones after nonsense: those move most.
const F16_TOLERANCE: f32 = 0.25;

/// The tree of the test, as parents: a trunk, branches from several depths, leaves beside each other.
const PARENTS: [Option<u32>; 16] = [
    None,
    Some(0),
    Some(1),
    Some(2),
    Some(3),
    Some(4),
    Some(2),
    Some(6),
    Some(7),
    Some(1),
    Some(9),
    Some(0),
    Some(11),
    Some(12),
    Some(11),
    Some(11),
];

/// Loads a model, and onto a GPU only after it has scored there as on the CPU.
///
/// A GPU that fails gives way to the CPU in the precision `fallback`, with the reason as the device's warning.
///
/// # Errors
/// What `load` reports; without a `fallback` also [`Error::SelfTest`] and [`Error::Compute`].
pub fn load_tested(
    device: &ComputeDevice,
    fallback: Option<Precision>,
    load: impl Fn(ComputeDevice) -> Result<LanguageModel, Error> + Sync,
) -> Result<LanguageModel, Error> {
    if device.is_cpu() {
        return load(device.clone());
    }
    let tested = guarded(device.description(), || load(device.clone())).flatten().and_then(|model| {
        compare(&model, &load(ComputeDevice::cpu())?)?;
        Ok(model)
    });
    match (tested, fallback) {
        (Err(error @ (Error::Compute { .. } | Error::SelfTest { .. })), Some(precision)) => {
            load(ComputeDevice::cpu_instead(&error, precision))
        }
        (other, _) => other,
    }
}

/// Holds the scores of a model against those of the same model on the CPU.
fn compare(model: &LanguageModel, reference: &LanguageModel) -> Result<(), Error> {
    let batch = probe(model.vocab_size(), model.context_len());
    agree(model, &batch, &numbers(model, &batch)?, &numbers(reference, &batch)?)
}

/// What is compared: the log-probabilities, and of a model that has none the hidden states of the roots.
fn numbers(model: &LanguageModel, batch: &TreeBatch) -> Result<Vec<f32>, Error> {
    if model.predicts_tokens() { model.edge_log_probs(batch) } else { model.root_states(batch) }
}

impl LanguageModel {
    /// Compiles and tunes the kernels of every batch size of a GPU, so that no later batch waits for that. On the CPU
    /// there is nothing to do.
    ///
    /// May take minutes where nothing is kept yet from earlier runs, so it pays for a process that stays, or before a
    /// measurement. The scores of each size are held against each other, as at loading.
    ///
    /// # Errors
    /// A device that fails, or whose kernels for one size compute something else than those for another.
    pub fn warm_up(&self) -> Result<(), Error> {
        if self.device().is_cpu() { Ok(()) } else { warm_up(self) }
    }
}

/// Runs a batch of every size once, each filled with copies of the test's tree, and holds their scores against those
/// of the smallest: kernels are chosen by size, so each size can be wrong on its own.
fn warm_up(model: &LanguageModel) -> Result<(), Error> {
    let tree = probe(model.vocab_size(), model.context_len());
    let expected = numbers(model, &tree)?;
    for size in buckets(model.node_budget()) {
        let mut batch = TreeBatch::default();
        (0..size / tree.len()).for_each(|_| batch.push_tree(tree.tokens(), tree.parents(), tree.edges()));
        for found in numbers(model, &batch)?.chunks(expected.len()) {
            agree(model, &tree, found, &expected)?;
        }
    }
    Ok(())
}

fn agree(model: &LanguageModel, batch: &TreeBatch, found: &[f32], expected: &[f32]) -> Result<(), Error> {
    let tolerance = match model.device().precision() {
        Precision::F16 => F16_TOLERANCE,
        Precision::F32 | Precision::Quantized => F32_TOLERANCE,
    };
    // A difference that is not a number is a failure too.
    let is_close = |(a, b): &(&f32, &f32)| (*a - *b).abs() <= tolerance;
    match found.iter().zip(expected).position(|pair| !is_close(&pair)) {
        None => Ok(()),
        Some(at) => {
            let what = match batch.edges().get(at).filter(|_| model.predicts_tokens()) {
                Some(edge) => format!("ln p(token {}) at node {}", edge.token, edge.node),
                None => format!("number {at} of the roots' states"),
            };
            Err(Error::SelfTest {
                device: model.device().description().into(),
                found: format!(
                    "{what} is {} where {} was expected, at most {tolerance} apart",
                    found[at], expected[at]
                ),
            })
        }
    }
}

/// A tree that any model can run: tokens all over the vocabulary, its first and last among them; two edges from
/// every node.
pub fn probe(vocab_size: usize, context_len: usize) -> TreeBatch {
    let token = |number: usize| ((number as u64 * 2_654_435_761) % vocab_size as u64) as u32;
    let (mut tokens, mut parents, mut depths) = (Vec::new(), Vec::new(), Vec::<usize>::new());
    // What lies deeper than the context is left out, with everything below it.
    let mut places: Vec<Option<u32>> = Vec::new();
    for (number, parent) in PARENTS.iter().enumerate() {
        let parent = parent.map(|parent| places[parent as usize]);
        let depth = match parent {
            None => 0,
            Some(Some(parent)) => depths[parent as usize] + 1,
            Some(None) => context_len,
        };
        places.push((depth < context_len).then_some(tokens.len() as u32));
        if depth < context_len {
            tokens.push(token(number));
            parents.push(parent.flatten());
            depths.push(depth);
        }
    }
    let last = tokens.len() as u32 - 1;
    let edges = (0..tokens.len() as u32).flat_map(|node| {
        let border = if node == last { 0 } else { vocab_size as u32 - 1 - node % vocab_size as u32 };
        [token(100 + node as usize), border].map(|token| Edge { node, token })
    });
    let edges: Vec<Edge> = edges.collect();
    let mut batch = TreeBatch::default();
    batch.push_tree(&tokens, &parents, &edges);
    batch
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use safetensors::{SafeTensors, serialize_to_file};

    use super::*;
    use crate::DeviceRequest;

    fn fixture() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/tiny-llama")
    }

    /// The fixture with one tensor doubled: what a kernel that is wrong in one place amounts to.
    fn write_wrong(folder: &Path) {
        for name in ["config.json", "tokenizer.json"] {
            std::fs::copy(fixture().join(name), folder.join(name)).unwrap();
        }
        let bytes = std::fs::read(fixture().join("model.safetensors")).unwrap();
        let mut tensors = SafeTensors::deserialize(&bytes).unwrap().tensors();
        let (_, tensor) =
            tensors.iter_mut().find(|(name, _)| name.ends_with("layers.1.mlp.up_proj.weight")).unwrap();
        let doubled: Vec<u8> = tensor
            .data()
            .as_chunks::<4>()
            .0
            .iter()
            .flat_map(|bytes| (2.0 * f32::from_le_bytes(*bytes)).to_le_bytes())
            .collect();
        *tensor =
            safetensors::tensor::TensorView::new(tensor.dtype(), tensor.shape().to_vec(), &doubled).unwrap();
        serialize_to_file(tensors, None, &folder.join("model.safetensors")).unwrap();
    }

    /// Loads the fixture; where the tensors of a GPU are asked for, from `other`.
    fn load_with(other: &Path, fallback: Option<Precision>) -> Result<LanguageModel, Error> {
        load_tested(&ComputeDevice::tensors_on_cpu(), fallback, |device| {
            let path = if device.is_cpu() { fixture() } else { other.into() };
            LanguageModel::load_onto(&path, device)
        })
    }

    #[test]
    fn a_device_that_computes_alike_passes() {
        let model = load_with(&fixture(), None).unwrap();
        assert!(!model.device().is_cpu());
        assert_eq!(model.device().warning(), None);
    }

    #[test]
    fn a_wrong_kernel_is_an_error_that_names_what_was_seen() {
        let folder = tempfile::tempdir().unwrap();
        write_wrong(folder.path());
        let error = load_with(folder.path(), None).err().unwrap();
        assert!(matches!(error, Error::SelfTest { .. }), "{error}");
        for part in ["tensors on the CPU failed the self-test", "where -", "compute on the CPU"] {
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
    }

    #[test]
    fn under_auto_the_cpu_steps_in_with_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        write_wrong(folder.path());
        let model = load_with(folder.path(), Some(Precision::F32)).unwrap();
        assert!(model.device().is_cpu());
        let warning = model.device().warning().unwrap();
        assert!(warning.contains("computing on the CPU") && warning.contains("self-test"), "{warning}");
        let cpu = LanguageModel::load(&fixture(), DeviceRequest::Cpu, Precision::F32).unwrap();
        let batch = probe(cpu.vocab_size(), cpu.context_len());
        assert_eq!(model.edge_log_probs(&batch).unwrap(), cpu.edge_log_probs(&batch).unwrap());
        let int8 = load_with(folder.path(), Some(Precision::Quantized)).unwrap();
        assert!(int8.device().is_cpu() && int8.device().warning().is_some());
        assert_eq!(int8.device().precision(), Precision::Quantized, "the precision that the CPU was to have");
    }

    #[test]
    fn a_device_that_panics_is_an_error_or_gives_way() {
        let load = |fallback| {
            load_tested(&ComputeDevice::tensors_on_cpu(), fallback, |device| {
                assert!(device.is_cpu(), "out of memory");
                LanguageModel::load_onto(&fixture(), device)
            })
        };
        let error = load(None).err().unwrap();
        assert!(matches!(error, Error::Compute { .. }) && error.to_string().contains("out of memory"));
        assert!(load(Some(Precision::F32)).unwrap().device().warning().unwrap().contains("out of memory"));
    }

    #[test]
    fn a_broken_file_is_not_blamed_on_the_device() {
        let folder = tempfile::tempdir().unwrap();
        let error = load_with(folder.path(), Some(Precision::F32)).err().unwrap();
        assert!(!matches!(error, Error::SelfTest { .. } | Error::Compute { .. }), "{error}");
    }

    #[test]
    fn warming_up_fills_every_bucket_and_scores_alike() {
        let model = load_with(&fixture(), None).unwrap();
        warm_up(&model).unwrap();
    }

    #[test]
    fn the_probe_fits_any_model() {
        for (vocab, context, nodes) in [(1, 1, 1), (3, 2, 3), (49152, 2048, 16)] {
            let batch = probe(vocab, context);
            batch.check(vocab, context).unwrap();
            assert_eq!(batch.len(), nodes, "vocabulary {vocab}, context {context}");
            assert!(batch.edges().iter().any(|edge| edge.token as usize == vocab - 1));
            assert!(batch.edges().iter().any(|edge| edge.token == 0));
        }
    }
}
