//! Proofs that the processor has the instructions of a kernel.
//!
//! Only detection makes one, and every kernel asks for one, so safe code can't run a kernel where its
//! instructions are missing.

/// The processor has AVX2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avx2Isa(());

impl Avx2Isa {
    /// Asks the processor.
    pub fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }
}

/// The processor has AVX2, and AVX-512 F, BW and VNNI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avx512VnniIsa {
    avx2: Avx2Isa,
}

impl Avx512VnniIsa {
    /// Asks the processor.
    pub fn detect() -> Option<Self> {
        let has_avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vnni");
        Avx2Isa::detect().filter(|_| has_avx512).map(|avx2| Self { avx2 })
    }

    /// The part of the proof that is about AVX2.
    pub fn avx2(self) -> Avx2Isa {
        self.avx2
    }
}
