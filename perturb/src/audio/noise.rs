use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::recording::{Audio, mean_square};
use crate::Error;

/// Voices that babble is made of.
const VOICES: usize = 6;

/// What is added to a recording.
#[derive(Debug, Clone, PartialEq)]
pub enum Noise {
    /// Independent normal samples, other ones in each channel.
    White,
    /// Six voices at a time, each a recording from a random place on, all equally loud.
    Babble(Vec<Audio>),
    /// A recording from a random place on, as often as needed.
    Recorded(Audio),
}

impl Noise {
    /// Noise of the length, rate and channels of a recording, of any loudness.
    pub(super) fn like(&self, name: &str, audio: &Audio, random: &mut ChaCha8Rng) -> Result<Vec<f32>, Error> {
        match self {
            Self::White => Ok((0..audio.samples.len()).map(|_| normal(random)).collect()),
            Self::Recorded(noise) => Ok(spread(&stretch(name, noise, audio, random)?, audio)),
            Self::Babble(voices) => {
                if voices.is_empty() {
                    let reason = "babble needs recordings of voices; give at least one".into();
                    return Err(Error::Audio { path: name.into(), reason });
                }
                let mut sum = vec![0.0; audio.frames()];
                for _ in 0..VOICES {
                    let voice = &voices[random.random_range(0..voices.len())];
                    let voice = stretch(name, voice, audio, random)?;
                    let level = mean_square(&voice).sqrt() as f32;
                    if level > 0.0 {
                        sum.iter_mut().zip(voice).for_each(|(sum, sample)| *sum += sample / level);
                    }
                }
                Ok(spread(&sum, audio))
            }
        }
    }
}

/// One channel of noise with the rate and the frames of a recording.
fn stretch(name: &str, noise: &Audio, audio: &Audio, random: &mut ChaCha8Rng) -> Result<Vec<f32>, Error> {
    let converted;
    let noise = if noise.sample_rate == audio.sample_rate {
        noise
    } else {
        converted = noise.resampled(name, f64::from(audio.sample_rate) / f64::from(noise.sample_rate))?;
        &converted
    };
    let channels = usize::from(noise.channels);
    let mono: Vec<f32> =
        noise.samples.chunks(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect();
    let start = random.random_range(0..mono.len());
    Ok(mono.iter().cycle().skip(start).take(audio.frames()).copied().collect())
}

/// The same in every channel.
fn spread(mono: &[f32], audio: &Audio) -> Vec<f32> {
    mono.iter().flat_map(|&sample| std::iter::repeat_n(sample, usize::from(audio.channels))).collect()
}

/// A standard normal number, by Box and Muller.
fn normal(random: &mut ChaCha8Rng) -> f32 {
    // From (0, 1], whose logarithm is finite.
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    (radius * (std::f64::consts::TAU * random.random::<f64>()).cos()) as f32
}
