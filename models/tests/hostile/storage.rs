//! Storage types that no fixture has: the model computes with the numbers that they stand for.

use rescorer_models::{DeviceRequest, Edge, LanguageModel, Precision, TreeBatch, WeightType};

use super::gguf_file::GgufFile;
use super::scratch;

fn scores(file: &GgufFile, precision: Precision) -> Vec<f32> {
    let (_folder, path) = scratch(&file.to_bytes());
    let model = LanguageModel::load(&path, DeviceRequest::Cpu, precision).unwrap();
    let mut batch = TreeBatch::default();
    let edges: Vec<Edge> = (0..4).map(|node| Edge { node, token: 40 + node }).collect();
    batch.push_tree(&[0, 40, 41, 42], &[None, Some(0), Some(1), Some(2)], &edges);
    model.edge_log_probs(&batch).unwrap()
}

/// Blocks of Q4_0 are as large as those of IQ4_NL, with other steps.
#[test]
fn iq4_nl_is_computed_with_the_steps_of_its_blocks() {
    let base = GgufFile::tiny();
    let mut stored = GgufFile::tiny();
    let mut spelled_out = GgufFile::tiny();
    let mut changed = 0;
    for (at, tensor) in base.tensors.iter().enumerate().filter(|(_, tensor)| tensor.kind == 2) {
        // The steps are up to 127, those of Q4_0 up to 8: scales of a sixteenth.
        let mut data = tensor.data.clone();
        for block in data.chunks_exact_mut(18) {
            let scale = half::f16::from_le_bytes([block[0], block[1]]).to_f32() / 16.0;
            block[..2].copy_from_slice(&half::f16::from_f32(scale).to_le_bytes());
        }
        let mut values = Vec::new();
        WeightType::IQ4_NL.dequantize(&data, &mut values);
        (stored.tensors[at].kind, stored.tensors[at].data) = (20, data);
        let values = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        (spelled_out.tensors[at].kind, spelled_out.tensors[at].data) = (0, values);
        changed += 1;
    }
    assert_eq!(changed, 3, "the fixture has three such tensors");
    let exact = scores(&spelled_out, Precision::F32);
    assert_eq!(scores(&stored, Precision::F32), exact);
    assert_ne!(scores(&base, Precision::F32), exact);
    // int8 keeps the blocks as they are, where it rounds numbers that are spelled out to 8 bits.
    let [kept, rounded] = [&stored, &spelled_out].map(|file| scores(file, Precision::Quantized));
    let difference =
        |scores: &[f32]| scores.iter().zip(&exact).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(difference(&kept) < 0.2 && difference(&rounded) < 0.2, "{kept:?} {rounded:?} {exact:?}");
}
