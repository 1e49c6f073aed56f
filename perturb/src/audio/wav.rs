use std::path::Path;

use hound::{WavReader, WavSpec, WavWriter};
use rescorer_nbest::OutputFile;

use super::mean_square;
use crate::Error;

/// How a file stores a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleFormat {
    /// Integers of 8, 16, 24 or 32 bits.
    Int(u16),
    /// Floating point of 32 bits.
    Float,
}

/// A recording in memory: samples from −1 to 1, those of a frame side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    pub(super) samples: Vec<f32>,
    pub(super) channels: u16,
    pub(super) sample_rate: u32,
    pub(super) format: SampleFormat,
}

impl Audio {
    /// A recording of interleaved samples; what is left of an unfinished frame is dropped. At least one channel is assumed.
    #[must_use]
    pub fn new(mut samples: Vec<f32>, channels: u16, sample_rate: u32, format: SampleFormat) -> Self {
        let channels = channels.max(1);
        samples.truncate(samples.len() / usize::from(channels) * usize::from(channels));
        Self { samples, channels, sample_rate, format }
    }

    /// Reads a WAV file: integers of 8, 16, 24 and 32 bits, floating point of 32, any number of channels, any rate.
    ///
    /// # Errors
    /// [`Error::Audio`]: what is no WAV file, is compressed, is cut off, has no frames or holds a sample that is no number.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let fail = |reason: String| Error::Audio { path: path.display().to_string(), reason };
        let mut reader = WavReader::open(path).map_err(|e| fail(describe(&e)))?;
        let WavSpec { channels, sample_rate, bits_per_sample, sample_format } = reader.spec();
        let count = reader.len() as usize;
        if count == 0 {
            return Err(fail("has no frames; record it again".into()));
        }
        if sample_rate == 0 {
            return Err(fail("says that it has 0 samples a second; mend its header".into()));
        }
        let mut samples = Vec::with_capacity(count.min(1 << 24));
        let cut_off = |read: usize, e: hound::Error| match e {
            hound::Error::IoError(_) => {
                fail(format!("ends after {read} of {count} samples: it is cut off; copy it again"))
            }
            e => fail(describe(&e)),
        };
        let format = match sample_format {
            hound::SampleFormat::Float => {
                for sample in reader.samples::<f32>() {
                    let sample = sample.map_err(|e| cut_off(samples.len(), e))?;
                    if !sample.is_finite() {
                        return Err(fail(format!("sample {} is {sample}, which is no sound", samples.len())));
                    }
                    samples.push(sample);
                }
                SampleFormat::Float
            }
            hound::SampleFormat::Int => {
                let scale = 2f32.powi(i32::from(bits_per_sample) - 1);
                for sample in reader.samples::<i32>() {
                    let sample = sample.map_err(|e| cut_off(samples.len(), e))?;
                    samples.push(sample as f32 / scale);
                }
                SampleFormat::Int(bits_per_sample)
            }
        };
        Ok(Self { samples, channels, sample_rate, format })
    }

    /// Writes a WAV file in the format that the recording was read from; it appears when it is whole.
    ///
    /// # Errors
    /// [`Error::Audio`] where it can't be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let fail = |reason: String| Error::Audio { path: path.display().to_string(), reason };
        let mut bytes = std::io::Cursor::new(Vec::new());
        self.encode(&mut bytes).map_err(|e| fail(describe(&e)))?;
        let mut output = OutputFile::create(path).map_err(|e| fail(e.to_string()))?;
        std::io::Write::write_all(&mut output, bytes.get_ref()).map_err(|e| fail(e.to_string()))?;
        output.commit().map_err(|e| fail(e.to_string()))
    }

    fn encode(&self, bytes: &mut std::io::Cursor<Vec<u8>>) -> Result<(), hound::Error> {
        let (bits_per_sample, sample_format) = match self.format {
            SampleFormat::Int(bits) => (bits, hound::SampleFormat::Int),
            SampleFormat::Float => (32, hound::SampleFormat::Float),
        };
        let Self { channels, sample_rate, .. } = *self;
        let mut writer =
            WavWriter::new(bytes, WavSpec { channels, sample_rate, bits_per_sample, sample_format })?;
        match self.format {
            SampleFormat::Float => {
                for &sample in &self.samples {
                    writer.write_sample(sample)?;
                }
            }
            SampleFormat::Int(bits) => {
                let scale = 2f64.powi(i32::from(bits) - 1);
                for &sample in &self.samples {
                    let value = (f64::from(sample) * scale).round().clamp(-scale, scale - 1.0);
                    writer.write_sample(value as i32)?;
                }
            }
        }
        writer.finalize()
    }

    /// Samples of every channel.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.samples.len() / usize::from(self.channels)
    }

    /// Its length.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.frames() as f64 / f64::from(self.sample_rate)
    }

    /// Mean of the squared samples, over all channels.
    #[must_use]
    pub fn power(&self) -> f64 {
        mean_square(&self.samples)
    }

    /// The largest sample without its sign.
    #[must_use]
    pub fn peak(&self) -> f32 {
        self.samples.iter().fold(0.0, |peak, sample| peak.max(sample.abs()))
    }
}

/// A reason with what to do about it.
fn describe(error: &hound::Error) -> String {
    match error {
        hound::Error::IoError(e) if e.kind() == std::io::ErrorKind::NotFound => {
            "there is no such file".into()
        }
        // hound's own word for an early end.
        hound::Error::IoError(e)
            if matches!(e.kind(), std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::Other) =>
        {
            "ends inside its header: it is cut off, or no WAV file".into()
        }
        hound::Error::IoError(e) => e.to_string(),
        // Programs that write to a pipe don't know the size.
        hound::Error::FormatError(reason) if reason.contains("data chunk length") => {
            format!("has a header with a wrong size ({reason}); write it anew, to a file and not to a pipe")
        }
        hound::Error::FormatError(reason) => {
            format!("is no WAV file that can be read ({reason}); convert it to PCM")
        }
        hound::Error::Unsupported => "is compressed or of an unusual type; convert it to PCM".into(),
        e => e.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        std::fs::write(&path, bytes).unwrap();
        let error = Audio::read(&path).unwrap_err().to_string();
        error.replace(&format!("{}: ", path.display()), "")
    }

    fn bytes(samples: &[f32], format: SampleFormat) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        Audio::new(samples.to_vec(), 2, 8000, format).encode(&mut bytes).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_format_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let samples = vec![0.0, 0.5, -0.5, -1.0, 0.25, 0.125];
        let formats = [8, 16, 24, 32].map(SampleFormat::Int);
        for format in formats.into_iter().chain([SampleFormat::Float]) {
            let audio = Audio::new(samples.clone(), 2, 44_100, format);
            audio.write(&path).unwrap();
            assert_eq!(Audio::read(&path).unwrap(), audio, "{format:?}");
        }
        assert_eq!((Audio::read(&path).unwrap().frames(), Audio::read(&path).unwrap().peak()), (3, 1.0));
    }

    #[test]
    fn what_is_beyond_full_scale_stays_at_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        Audio::new(vec![1.5, -1.5], 1, 8000, SampleFormat::Int(16)).write(&path).unwrap();
        assert_eq!(Audio::read(&path).unwrap().samples, [32767.0 / 32768.0, -1.0]);
    }

    #[test]
    fn broken_files_are_refused() {
        let whole = bytes(&[0.1; 40], SampleFormat::Int(16));
        assert_eq!(
            refusal(&whole[..whole.len() - 10]),
            "ends after 35 of 40 samples: it is cut off; copy it again"
        );
        assert_eq!(refusal(&bytes(&[], SampleFormat::Int(16))), "has no frames; record it again");
        assert!(refusal(&whole[..20]).contains("cut off"));
        assert!(refusal(b"ID3 this is an mp3 file, really").contains("no RIFF tag found"));
        assert!(refusal(b"").contains("cut off, or no WAV file"));
        let nan = bytes(&[0.0, f32::NAN], SampleFormat::Float);
        assert_eq!(refusal(&nan), "sample 1 is NaN, which is no sound");
        let mut silent = whole.clone();
        silent[24..32].fill(0);
        assert!(refusal(&silent).contains("0 samples a second"), "{}", refusal(&silent));
        let with = |at: usize, bytes: &[u8]| {
            let mut lying = whole.clone();
            lying[at..at + bytes.len()].copy_from_slice(bytes);
            refusal(&lying)
        };
        assert!(with(22, &[0, 0]).contains("file contains zero channels"));
        assert!(with(40, &u32::MAX.to_le_bytes()).contains("a wrong size"), "{}", with(40, &[255; 4]));
        assert!(with(40, &(1u32 << 30).to_le_bytes()).contains("ends after 40 of 536870912 samples"));
        assert!(with(40, &[0; 4]).contains("has no frames"));
        let error = Audio::read(Path::new("none.wav")).unwrap_err();
        assert_eq!(error.to_string(), "none.wav: there is no such file");
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(
            changes in prop::collection::vec((0usize..60, any::<u8>()), 0..6),
            length in 0usize..124,
            format in prop::sample::select(vec![SampleFormat::Int(8), SampleFormat::Int(24), SampleFormat::Float]),
        ) {
            let mut bytes = bytes(&[0.1; 20], format);
            for (at, value) in changes {
                let at = at % bytes.len();
                bytes[at] = value;
            }
            bytes.truncate(length);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.wav");
            std::fs::write(&path, bytes).unwrap();
            if let Ok(audio) = Audio::read(&path) {
                prop_assert!(audio.frames() > 0);
                let _ = audio.mono("a.wav", 16_000);
            }
        }
    }
}
