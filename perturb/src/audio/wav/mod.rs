//! WAV files.

mod chunks;
mod foreign;
mod g711;
mod layout;
mod read;
mod samples;
mod source;
mod write;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub(super) use layout::RATES;

use super::recording::Audio;
use crate::Error;

impl Audio {
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
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audio::recording::SampleFormat;

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
