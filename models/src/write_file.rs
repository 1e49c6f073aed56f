use std::io::Write;
use std::path::Path;

use crate::Error;

/// Writes a file that appears whole: until then what was there stays.
///
/// # Errors
/// [`Error::Write`].
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // A temporary file is private by default; this one is to have the rights of any new file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let written = builder.tempfile_in(folder).and_then(|mut file| {
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map(|_| ()).map_err(|e| e.error)
    });
    written.map_err(|source| Error::Write { path: path.into(), source })
}
