//! Sound, so that a first pass can be run again on what is harder to hear.

mod noise;
mod perturbation;
mod recording;
mod resample;
mod wav;

pub use noise::Noise;
pub use perturbation::{AudioPerturbation, AudioReport};
pub use recording::{Audio, SampleFormat};
