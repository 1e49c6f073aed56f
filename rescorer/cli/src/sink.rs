use std::io::{self, BufWriter, Stdout, Write};
use std::path::Path;

use rescorer_nbest::OutputFile;

/// Where data goes: stdout, or a file that appears whole when everything is written.
pub enum Sink {
    Stdout(BufWriter<Stdout>),
    File(OutputFile),
}

impl Sink {
    /// Opens the output before anything is computed.
    pub fn open(path: Option<&Path>) -> Result<Self, rescorer_nbest::Error> {
        match path {
            Some(path) if path != Path::new("-") => Ok(Self::File(OutputFile::create(path)?)),
            _ => Ok(Self::Stdout(BufWriter::new(io::stdout()))),
        }
    }

    /// Writes out what is left and puts a file in its place.
    pub fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Stdout(mut stdout) => stdout.flush()?,
            Self::File(file) => file.commit()?,
        }
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::File(file) => file.flush(),
        }
    }
}

/// One JSON object on a line.
pub fn write_json(out: &mut impl Write, value: &impl serde::Serialize) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}
