use std::io::Read;
use std::path::Path;

use rescorer_perturb::Audio;

use crate::Error;

/// Samples a second that recognisers get.
pub const RATE: u32 = 16_000;

/// A recording as recognisers want it: one channel, [`RATE`] samples a second, from −1 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Speech {
    name: String,
    samples: Vec<f32>,
    remarks: Vec<String>,
}

impl Speech {
    /// Sound that is at hand. Utterances are called `NAME:1`, `NAME:2` and so on.
    pub fn new(name: impl Into<String>, samples: Vec<f32>) -> Self {
        Self { name: name.into(), samples, remarks: Vec::new() }
    }

    /// Reads a WAV file of any rate and number of channels; their mean is taken. It is called by its name without the
    /// extension. All of it is in memory, and while it is converted all its channels are: 4 bytes a sample.
    ///
    /// # Errors
    /// [`Error::Audio`], as [`Audio::read`] and [`Audio::mono`] say.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::of(Audio::read(path)?, &path.display().to_string(), path)
    }

    /// Reads a WAV file that comes from elsewhere, as [`Speech::read`] does, if it is no longer than `max_seconds`. `file` is its name.
    ///
    /// # Errors
    /// [`Error::Audio`]; [`Error::TooLong`].
    pub fn from_reader(input: impl Read, file: &str, max_seconds: f64) -> Result<Self, Error> {
        let audio = Audio::from_reader(input, file)?;
        let seconds = audio.seconds();
        if seconds > max_seconds {
            return Err(Error::TooLong { file: file.to_owned(), seconds, max_seconds });
        }
        Self::of(audio, file, Path::new(file))
    }

    fn of(audio: Audio, shown: &str, path: &Path) -> Result<Self, Error> {
        let remarks = audio.remarks().to_vec();
        let samples = audio.mono(shown, RATE)?;
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
        Ok(Self { remarks, ..Self::new(name, samples) })
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The sound.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// What was odd about its file, see [`Audio::remarks`].
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Its length.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(RATE)
    }
}
