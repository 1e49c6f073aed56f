//! Sound, so that a first pass can be run again on what is harder to hear.

mod noise;
mod wav;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Async, FixedAsync, Resampler, SincInterpolationParameters};
use serde::Serialize;
use sha2::{Digest, Sha256};

pub use noise::Noise;
use wav::RATES;
pub use wav::{Audio, SampleFormat};

use crate::Error;

/// Frames of a resampler's step.
const CHUNK: usize = 1024;

/// What is done to a recording, in this order: speed, noise, clipping.
#[derive(Debug, Clone, Default)]
pub struct AudioPerturbation {
    /// Played so many times as fast, 0.5 to 2: length and pitch change, as in Kaldi's and sox's `speed`.
    pub speed: Option<f64>,
    /// Noise, and the signal-to-noise ratio in dB that it is added with.
    pub noise: Option<(Noise, f64)>,
    /// Samples are cut off at this share of the peak, above 0 and below 1.
    pub clip: Option<f32>,
    /// Seed of what is drawn.
    pub seed: u64,
}

/// What was done to a recording.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AudioReport {
    /// Seconds of it now.
    pub seconds: f64,
    /// Ratio of the power of the recording to that of the noise, in dB, both over its whole length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snr_db: Option<f64>,
    /// What the mix was turned down by so that no sample is beyond full scale, in dB; 0 where it was not needed. The
    /// signal-to-noise ratio stays.
    pub gain_db: f64,
    /// Share of the samples that were cut off.
    pub clipped: f64,
}

impl AudioPerturbation {
    /// Does it; `name` says which recording it is and decides, with the seed, what is drawn.
    ///
    /// # Errors
    /// [`Error::Audio`]: settings outside of their range; a silent recording or silent noise, for which there is no ratio.
    ///
    /// ```
    /// use rescorer_perturb::{Audio, AudioPerturbation, Noise, SampleFormat};
    ///
    /// let samples = (0..16_000).map(|n| 0.1 * (n as f32 * 0.1).sin()).collect();
    /// let audio = Audio::new(samples, 1, 16_000, SampleFormat::Int(16));
    /// let perturbation = AudioPerturbation { noise: Some((Noise::White, 10.0)), ..Default::default() };
    /// let (noisy, report) = perturbation.apply("a", &audio)?;
    /// assert_eq!(noisy.frames(), 16_000);
    /// assert!((report.snr_db.unwrap() - 10.0).abs() < 1e-3);
    /// # Ok::<(), rescorer_perturb::Error>(())
    /// ```
    pub fn apply(&self, name: &str, audio: &Audio) -> Result<(Audio, AudioReport), Error> {
        self.check(name)?;
        let fail = |reason: &str| Error::Audio { path: name.into(), reason: reason.into() };
        let mut audio = match self.speed {
            Some(speed) => audio.resampled(name, 1.0 / speed)?,
            None => audio.clone(),
        };
        let mut report = AudioReport { seconds: audio.seconds(), snr_db: None, gain_db: 0.0, clipped: 0.0 };
        if let Some((noise, snr)) = &self.noise {
            let power = audio.power();
            if power == 0.0 {
                return Err(fail(
                    "the recording is silent, so there is no signal-to-noise ratio; leave it out",
                ));
            }
            let mut noise = noise.like(name, &audio, &mut self.random(name))?;
            let own = mean_square(&noise);
            if own == 0.0 {
                return Err(fail("the noise is silent; give another recording of noise"));
            }
            let gain = (power / own / 10f64.powf(snr / 10.0)).sqrt() as f32;
            noise.iter_mut().for_each(|sample| *sample *= gain);
            report.snr_db = Some(10.0 * (power / mean_square(&noise)).log10());
            audio.samples.iter_mut().zip(&noise).for_each(|(sample, noise)| *sample += noise);
            let peak = audio.peak();
            if peak > 1.0 {
                audio.samples.iter_mut().for_each(|sample| *sample /= peak);
                report.gain_db = -20.0 * f64::from(peak).log10();
            }
        }
        if let Some(share) = self.clip {
            let limit = share * audio.peak();
            let beyond = audio.samples.iter().filter(|sample| sample.abs() > limit).count();
            report.clipped = beyond as f64 / audio.samples.len() as f64;
            audio.samples.iter_mut().for_each(|sample| *sample = sample.clamp(-limit, limit));
        }
        Ok((audio, report))
    }

    fn check(&self, name: &str) -> Result<(), Error> {
        let fail = |reason: String| Err(Error::Audio { path: name.into(), reason });
        if let Some(speed) = self.speed.filter(|speed| !(0.5..=2.0).contains(speed)) {
            return fail(format!("speed {speed}: give 0.5 (half as fast) to 2"));
        }
        if let Some(snr) =
            self.noise.as_ref().map(|noise| noise.1).filter(|snr| !(-60.0..=100.0).contains(snr))
        {
            return fail(format!("signal-to-noise ratio {snr} dB: give -60 to 100"));
        }
        if let Some(clip) = self.clip.filter(|clip| !(*clip > 0.0 && *clip < 1.0)) {
            return fail(format!("clipping at {clip} of the peak: give more than 0 and less than 1"));
        }
        Ok(())
    }

    fn random(&self, name: &str) -> ChaCha8Rng {
        let hash = Sha256::new().chain_update(self.seed.to_le_bytes()).chain_update(name).finalize();
        ChaCha8Rng::from_seed(hash.into())
    }
}

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

/// Mean of the squared samples: their power.
fn mean_square(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    sum / samples.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 16_000;

    /// A second of a tone, in two channels.
    fn tone(hertz: f32, level: f32) -> Audio {
        let at = |n: u32| level * (2.0 * std::f32::consts::PI * hertz * n as f32 / RATE as f32).sin();
        Audio::new((0..RATE).flat_map(|n| [at(n); 2]).collect(), 2, RATE, SampleFormat::Int(16))
    }

    fn crossings(audio: &Audio) -> usize {
        let first: Vec<f32> = audio.samples.iter().step_by(2).copied().collect();
        first.windows(2).filter(|pair| (pair[0] < 0.0) != (pair[1] < 0.0)).count()
    }

    fn apply(perturbation: &AudioPerturbation, audio: &Audio) -> (Audio, AudioReport) {
        perturbation.apply("a.wav", audio).unwrap()
    }

    #[test]
    fn noise_has_the_power_that_was_asked_for() {
        let clean = tone(440.0, 0.2);
        for noise in [
            Noise::White,
            Noise::Recorded(tone(90.0, 0.5)),
            Noise::Babble(vec![tone(200.0, 0.9), tone(310.0, 0.1)]),
        ] {
            for snr in [20.0, 0.0] {
                let (noisy, report) = apply(
                    &AudioPerturbation { noise: Some((noise.clone(), snr)), ..Default::default() },
                    &clean,
                );
                let factor = 10f32.powf(report.gain_db as f32 / 20.0);
                let added: Vec<f32> =
                    noisy.samples.iter().zip(&clean.samples).map(|(n, c)| n / factor - c).collect();
                let measured = 10.0 * (clean.power() / mean_square(&added)).log10();
                assert!((measured - snr).abs() < 0.01, "{noise:?}: {measured} dB, asked {snr}");
                assert!(noisy.peak() <= 1.0);
            }
        }
    }

    #[test]
    fn what_would_clip_is_turned_down() {
        let (noisy, report) = apply(
            &AudioPerturbation { noise: Some((Noise::White, 0.0)), ..Default::default() },
            &tone(440.0, 0.9),
        );
        assert!(report.gain_db < -3.0, "{report:?}");
        assert!((noisy.peak() - 1.0).abs() < 1e-6);
        assert!(report.snr_db.unwrap().abs() < 1e-3);
    }

    #[test]
    fn speed_changes_length_and_pitch() {
        let clean = tone(400.0, 0.5);
        for speed in [0.9, 1.25] {
            let (changed, _) = apply(&AudioPerturbation { speed: Some(speed), ..Default::default() }, &clean);
            let frames = f64::from(RATE) / speed;
            assert!((changed.frames() as f64 - frames).abs() <= 1.0, "{}", changed.frames());
            // As many waves as before, in less time.
            assert!(crossings(&changed).abs_diff(crossings(&clean)) <= 2);
        }
    }

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

    #[test]
    fn clipping_cuts_the_peaks_off() {
        let (clipped, report) =
            apply(&AudioPerturbation { clip: Some(0.5), ..Default::default() }, &tone(400.0, 0.8));
        assert!((clipped.peak() - 0.4).abs() < 1e-3);
        // A sine is above half of its peak two thirds of the time.
        assert!((report.clipped - 2.0 / 3.0).abs() < 0.03, "{report:?}");
    }

    #[test]
    fn seed_and_name_decide() {
        let noise = |seed, name: &str| {
            let perturbation =
                AudioPerturbation { noise: Some((Noise::White, 5.0)), seed, ..Default::default() };
            perturbation.apply(name, &tone(440.0, 0.2)).unwrap().0
        };
        assert_eq!(noise(1, "a"), noise(1, "a"));
        assert_ne!(noise(1, "a"), noise(2, "a"));
        assert_ne!(noise(1, "a"), noise(1, "b"));
    }

    #[test]
    fn settings_and_silence_are_refused() {
        let refusal = |perturbation: AudioPerturbation, audio: &Audio| {
            perturbation.apply("a.wav", audio).unwrap_err().to_string()
        };
        let silence = tone(440.0, 0.0);
        let white = |snr| AudioPerturbation { noise: Some((Noise::White, snr)), ..Default::default() };
        assert!(refusal(white(5.0), &silence).starts_with("a.wav: the recording is silent"));
        let quiet = AudioPerturbation { noise: Some((Noise::Recorded(silence), 5.0)), ..Default::default() };
        assert!(refusal(quiet, &tone(440.0, 0.1)).contains("the noise is silent"));
        assert!(refusal(white(f64::NAN), &tone(440.0, 0.1)).contains("give -60 to 100"));
        let fast = AudioPerturbation { speed: Some(9.0), ..Default::default() };
        assert!(refusal(fast, &tone(440.0, 0.1)).contains("speed 9"));
        let clip = AudioPerturbation { clip: Some(1.0), ..Default::default() };
        assert!(refusal(clip, &tone(440.0, 0.1)).contains("less than 1"));
    }
}
