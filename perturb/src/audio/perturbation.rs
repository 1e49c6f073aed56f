use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::noise::Noise;
use super::recording::{Audio, mean_square};
use crate::Error;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::recording::SampleFormat;

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
