use half::f16;

/// The f16 at the beginning of `bytes`.
pub fn half_at(bytes: &[u8]) -> f32 {
    f16::from_le_bytes([bytes[0], bytes[1]]).to_f32()
}
