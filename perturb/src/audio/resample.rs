use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Async, FixedAsync, Resampler, SincInterpolationParameters};

use super::recording::Audio;
use super::wav::RATES;
use crate::Error;

/// Frames of a resampler's step.
const CHUNK: usize = 1024;

impl Audio {
    /// The recording with `ratio` times as many frames of the same sample rate: slower, deeper and longer where it is above 1.
    /// With another rate written beside it, a conversion of the sample rate.
    ///
    /// # Errors
    /// [`Error::Audio`]: a ratio that the resampler refuses.
    pub(crate) fn resampled(&self, name: &str, ratio: f64) -> Result<Self, Error> {
        let fail =
            |reason: String| Error::Audio { path: name.into(), reason: format!("resampling: {reason}") };
        let channels = usize::from(self.channels);
        let parameters = SincInterpolationParameters::default();
        let mut resampler =
            Async::<f32>::new_sinc(ratio, 1.0, &parameters, CHUNK, channels, FixedAsync::Input)
                .map_err(|e| fail(e.to_string()))?;
        let input =
            InterleavedSlice::new(&self.samples, channels, self.frames()).map_err(|e| fail(e.to_string()))?;
        let output = resampler.process_all(&input, self.frames(), None).map_err(|e| fail(e.to_string()))?;
        let (stored, remarks) = (self.stored.clone(), self.remarks.clone());
        Ok(Self { samples: output.take_data(), stored, remarks, ..*self })
    }

    /// The mean of the channels at a sample rate, as recognisers take it; `name` is for messages.
    ///
    /// # Errors
    /// [`Error::Audio`]: one of the rates is outside of 1 to 768 kHz.
    pub fn mono(self, name: &str, sample_rate: u32) -> Result<Vec<f32>, Error> {
        for rate in [self.sample_rate, sample_rate] {
            if !RATES.contains(&rate) {
                let (low, high) = (RATES.start(), RATES.end());
                let reason =
                    format!("{rate} samples a second: {low} to {high} can be converted; mend its header");
                return Err(Error::Audio { path: name.into(), reason });
            }
        }
        let channels = usize::from(self.channels);
        let mean = |frame: &[f32]| frame.iter().sum::<f32>() / channels as f32;
        let samples =
            if channels == 1 { self.samples } else { self.samples.chunks(channels).map(mean).collect() };
        let mono = Self { samples, channels: 1, ..self };
        if mono.sample_rate == sample_rate {
            return Ok(mono.samples);
        }
        Ok(mono.resampled(name, f64::from(sample_rate) / f64::from(mono.sample_rate))?.samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::recording::{SampleFormat, mean_square};

    #[test]
    fn one_channel_at_another_rate() {
        let frame = |n: u32| 0.5 * (2.0 * std::f32::consts::PI * 440.0 * n as f32 / 44_100.0).sin();
        // The second channel is quiet: half is left of the mean.
        let samples = (0..44_100).flat_map(|n| [frame(n), 0.0]).collect();
        let mono = Audio::new(samples, 2, 44_100, SampleFormat::Float).mono("a.wav", 16_000).unwrap();
        assert_eq!(mono.len(), 16_000);
        // Moved by less than a sample, it is the same tone and nothing else: its share in each phase, and its power.
        let share = |phase: f32| {
            let at = |n: usize| (2.0 * std::f32::consts::PI * 440.0 * n as f32 / 16_000.0 + phase).sin();
            (4000..12_000).map(|n| mono[n] * at(n)).sum::<f32>() / 4000.0
        };
        let level = share(0.0).hypot(share(std::f32::consts::FRAC_PI_2));
        assert!((level - 0.25).abs() < 1e-3, "{level}");
        assert!((mean_square(&mono[4000..12_000]) - 0.25f64.powi(2) / 2.0).abs() < 1e-4);
        assert!(share(0.0) > 0.24);
        for (rate, to) in [(1, 16_000), (u32::MAX, 16_000), (16_000, 0)] {
            let odd = Audio::new(vec![0.1; 10], 1, rate, SampleFormat::Int(16)).mono("a.wav", to);
            assert!(odd.unwrap_err().to_string().contains("1000 to 768000"));
        }
    }

    #[test]
    fn a_tone_above_the_new_range_is_gone() {
        let samples = (0..48_000).map(|n| (2.0 * std::f32::consts::PI * 0.25 * n as f32).sin()).collect();
        let mono = Audio::new(samples, 1, 48_000, SampleFormat::Float).mono("a.wav", 16_000).unwrap();
        assert!(mean_square(&mono[200..15_800]) < 1e-5);
    }
}
