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
        let audio = Audio::read(path)?;
        let remarks = audio.remarks().to_vec();
        let samples = audio.mono(&path.display().to_string(), RATE)?;
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
