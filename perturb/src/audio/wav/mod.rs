mod chunks;
mod foreign;
mod g711;
mod layout;
mod read;
mod samples;
mod source;
mod write;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

pub(super) use layout::RATES;

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

impl SampleFormat {
    /// Bytes of a sample.
    fn bytes(self) -> u64 {
        match self {
            Self::Int(bits) => u64::from(bits.div_ceil(8)),
            Self::Float => 4,
        }
    }
}

impl fmt::Display for SampleFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(bits) => write!(f, "{bits}-bit PCM"),
            Self::Float => f.write_str("32-bit float"),
        }
    }
}

/// A recording in memory: samples from −1 to 1, those of a frame side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    pub(super) samples: Vec<f32>,
    pub(super) channels: u16,
    pub(super) sample_rate: u32,
    pub(super) format: SampleFormat,
    /// How it was stored, where it is not written so.
    pub(super) stored: Option<String>,
    /// What was odd about its file.
    pub(super) remarks: Vec<String>,
}

impl Audio {
    /// A recording of interleaved samples; what is left of an unfinished frame is dropped. At least one channel is assumed.
    #[must_use]
    pub fn new(mut samples: Vec<f32>, channels: u16, sample_rate: u32, format: SampleFormat) -> Self {
        let channels = channels.max(1);
        samples.truncate(samples.len() / usize::from(channels) * usize::from(channels));
        Self { samples, channels, sample_rate, format, stored: None, remarks: Vec::new() }
    }

    /// Reads a WAV file of any number of channels: integers of 1 to 32 bits, floating point of 32 and 64, µ-law and A-law, plain or
    /// WAVE_FORMAT_EXTENSIBLE; RIFF, RIFX, RF64 and BW64. Where the header was written before the size was known, as pipes have
    /// it, the sound goes on to the end of the file.
    ///
    /// # Errors
    /// [`Error::Audio`]: what is no WAV file or compressed, which is named; is cut off, contradicts itself, has no frames or holds a
    /// sample that is no number.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Self::from_reader(file, &name),
            Err(e) => Err(Error::Audio { path: name, reason: chunks::io_reason(e) }),
        }
    }

    /// Reads a WAV file from a stream, which needs no buffer; `name` is for messages. Memory grows with the samples that arrive,
    /// never with a size that the header states.
    ///
    /// # Errors
    /// Those of [`Audio::read`].
    pub fn from_reader(input: impl Read, name: &str) -> Result<Self, Error> {
        read::read(input).map_err(|reason| Error::Audio { path: name.into(), reason })
    }

    /// The format that it is written in. A file whose own can't be written gets the next better: µ-law and A-law 16-bit PCM, floating
    /// point of 64 bits that of 32, integers the next whole byte.
    #[must_use]
    pub fn format(&self) -> SampleFormat {
        self.format
    }

    /// How its file stored it, where [`Audio::write`] writes it otherwise: `8-bit µ-law`, `RF64 16-bit PCM`.
    #[must_use]
    pub fn stored_as(&self) -> Option<&str> {
        self.stored.as_deref()
    }

    /// What was odd about its file: bytes that are no sound or no whole frame and were left out, valid bits in another place.
    #[must_use]
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Its samples, those of a frame side by side.
    #[must_use]
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// Its channels.
    #[must_use]
    pub fn channels(&self) -> usize {
        usize::from(self.channels)
    }

    /// Frames a second.
    #[must_use]
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
    fn what_is_no_file_is_said() {
        let error = Audio::read(Path::new("none.wav")).unwrap_err();
        assert_eq!(error.to_string(), "none.wav: there is no such file");
        let folder = tempfile::tempdir().unwrap();
        let error = Audio::read(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with(": is a folder; give the WAV files in it"), "{error}");
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
            if let Ok(audio) = Audio::from_reader(&bytes[..], "a.wav") {
                prop_assert!(audio.frames() > 0 && audio.samples.len() <= length);
                let _ = audio.mono("a.wav", 16_000);
            }
        }
    }
}
