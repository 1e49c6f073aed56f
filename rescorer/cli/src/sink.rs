use std::io::{self, BufWriter, Stdout, Write};
use std::path::Path;

use rescorer_nbest::OutputFile;

/// Where data goes: stdout, or a file that appears whole when everything is written. Errors name it.
pub struct Sink {
    name: String,
    target: Target,
}

enum Target {
    Stdout(BufWriter<Stdout>),
    File(OutputFile),
}

impl Sink {
    /// Opens the output before anything is computed; no path or `-` is stdout.
    pub fn open(path: Option<&Path>) -> Result<Self, rescorer_nbest::Error> {
        match path {
            Some(path) if path != Path::new("-") => Self::file(path),
            _ => Ok(Self { name: "stdout".into(), target: Target::Stdout(BufWriter::new(io::stdout())) }),
        }
    }

    /// Opens a file.
    pub fn file(path: &Path) -> Result<Self, rescorer_nbest::Error> {
        let target = Target::File(OutputFile::create(path)?);
        Ok(Self { name: path.display().to_string(), target })
    }

    /// Writes out what is left and puts a file in its place.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.flush()?;
        if let Target::File(file) = self.target {
            file.commit()?;
        }
        Ok(())
    }

    fn writer(&mut self) -> &mut dyn Write {
        match &mut self.target {
            Target::Stdout(stdout) => stdout,
            Target::File(file) => file,
        }
    }

    fn error(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("cannot write {}: {error}", self.name))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer().write(bytes).map_err(|error| self.error(&error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer().flush().map_err(|error| self.error(&error))
    }
}

/// One JSON object on a line.
pub fn write_json(out: &mut impl Write, value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(out.write_all(&line)?)
}
