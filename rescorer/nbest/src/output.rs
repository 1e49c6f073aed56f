//! Files that appear whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::Error;

/// A file to write: opened at once, so that a path that cannot be written is an error before any work is
/// done, and put in place by [`commit`](OutputFile::commit). Dropped without a commit it leaves nothing, and
/// an older file of the name as it was.
///
/// The text goes to a temporary sibling that is renamed. A link is followed. What is not a regular file, such
/// as `/dev/stdout` or a pipe, is written directly.
#[derive(Debug)]
pub struct OutputFile {
    path: PathBuf,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Sibling(BufWriter<NamedTempFile>, PathBuf),
    Direct(BufWriter<File>),
}

impl OutputFile {
    /// Opens an output.
    ///
    /// # Errors
    /// [`Error::Write`] if the path is a folder, or its folder is missing or cannot be written.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let target = open(&path).map_err(|source| error(&path, source))?;
        Ok(Self { path, target })
    }

    /// The path that was asked for.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the file in place.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn commit(self) -> Result<(), Error> {
        let done = match self.target {
            Target::Direct(mut file) => file.flush(),
            Target::Sibling(file, path) => finish(file, &path),
        };
        done.map_err(|source| error(&self.path, source))
    }
}

fn error(path: &Path, source: io::Error) -> Error {
    Error::Write { path: path.display().to_string(), source }
}

fn open(path: &Path) -> io::Result<Target> {
    let known = path.metadata().ok();
    if known.as_ref().is_some_and(|known| known.is_dir()) {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if known.as_ref().is_some_and(|known| !known.is_file()) {
        return Ok(Target::Direct(BufWriter::new(OpenOptions::new().write(true).open(path)?)));
    }
    let path = if known.is_some() { path.canonicalize()? } else { path.to_owned() };
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let reason = format!("there is no folder {}", folder.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, reason));
    }
    let prefix = format!(".{}.", name.to_string_lossy());
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(".tmp");
    // A temporary file is private by default; this one is to have the rights of any new file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // The reason is enough: the path in tempfile's message is not the one asked for.
    let file = builder.tempfile_in(folder).map_err(|error| io::Error::from(error.kind()))?;
    if let Some(known) = known {
        file.as_file().set_permissions(known.permissions())?;
    }
    Ok(Target::Sibling(BufWriter::new(file), path))
}

fn finish(file: BufWriter<NamedTempFile>, path: &Path) -> io::Result<()> {
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    // Else a machine that loses its power could keep the name and not the text.
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.target {
            Target::Sibling(file, _) => file.write(bytes),
            Target::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.target {
            Target::Sibling(file, _) => file.flush(),
            Target::Direct(file) => file.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_there_after_the_commit_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        fs::write(&path, "old").unwrap();
        let mut output = OutputFile::create(&path).unwrap();
        output.write_all(b"new").unwrap();
        output.flush().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        drop(output);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let mut output = OutputFile::create(&path).unwrap();
        output.write_all(b"new").unwrap();
        output.commit().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no/out.jsonl");
        let error = OutputFile::create(&missing).unwrap_err();
        let folder_of = folder.path().join("no");
        let reason = format!("there is no folder {}", folder_of.display());
        assert_eq!(error.to_string(), format!("cannot write {}: {reason}", missing.display()));
        let error = OutputFile::create(folder.path()).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot write {}: is a directory", folder.path().display()));
    }

    #[cfg(unix)]
    #[test]
    fn links_devices_and_rights_are_kept() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let mut output = OutputFile::create(&link).unwrap();
        output.write_all(b"new").unwrap();
        output.commit().unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        OutputFile::create("/dev/null").unwrap().commit().unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
