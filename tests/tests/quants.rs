//! Stored blocks to f32, bit for bit as the `gguf` Python package decodes them.
//!
//! Bits and not values: −0 and the rounding of every product count, and infinities must stay.
#![allow(clippy::unwrap_used)]

use rescorer_models::WeightType;
use rescorer_tests::Expected;

#[test]
fn every_storage_type_decodes_bit_for_bit() {
    let file = Expected::open("quants.safetensors");
    for (name, storage) in [
        ("F16", WeightType::F16),
        ("BF16", WeightType::BF16),
        ("Q8_0", WeightType::Q8_0),
        ("Q4_0", WeightType::Q4_0),
        ("Q4_1", WeightType::Q4_1),
        ("Q5_0", WeightType::Q5_0),
        ("Q5_1", WeightType::Q5_1),
        ("Q4_K", WeightType::Q4_K),
        ("Q5_K", WeightType::Q5_K),
        ("Q6_K", WeightType::Q6_K),
        ("IQ4_NL", WeightType::IQ4_NL),
    ] {
        let raw = file.bytes(&format!("{name}.raw"));
        let (shape, expected) = file.f32(&format!("{name}.f32"));
        assert_eq!(storage.byte_len(expected.len()), Some(raw.len()), "{name} {shape:?}");
        let mut found = Vec::new();
        storage.dequantize(&raw, &mut found);
        assert_eq!(found.len(), expected.len(), "{name}");
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let (block, place) = (index / shape[1], index % shape[1]);
            assert_eq!(
                found.to_bits(),
                expected.to_bits(),
                "{name}, block {block}, value {place}: {found}, {expected}"
            );
        }
    }
}

#[test]
fn f32_is_copied() {
    let values = [0.0f32, -0.0, 1.5, f32::MIN_POSITIVE / 2.0, f32::MAX, f32::NEG_INFINITY];
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let mut found = vec![7.0];
    WeightType::F32.dequantize(&bytes, &mut found);
    assert_eq!(found.len(), 7, "values are appended");
    assert!(found[1..].iter().zip(values).all(|(found, value)| found.to_bits() == value.to_bits()));
}
