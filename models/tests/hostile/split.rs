//! Models in several GGUF files: any part loads all of them, and what is missing or does not belong is named.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::gguf_file::GgufFile;
use super::{fixture, load, refused};

const JOIN: &str = "llama-gguf-split --merge";

fn name(number: usize) -> String {
    format!("tiny-llama-{number:05}-of-00003.gguf")
}

/// A copy of the three parts, to be spoilt.
fn copy() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for number in 1..=3 {
        std::fs::copy(fixture("split").join(name(number)), folder.path().join(name(number))).unwrap();
    }
    folder
}

/// Changes a part of a copy.
fn changed(number: usize, apply: impl FnOnce(&mut GgufFile)) -> (TempDir, PathBuf) {
    let folder = copy();
    let path = folder.path().join(name(number));
    let (mut file, ..) = GgufFile::parse(&std::fs::read(&path).unwrap());
    apply(&mut file);
    std::fs::write(&path, file.to_bytes()).unwrap();
    let first = folder.path().join(name(1));
    (folder, first)
}

fn message(path: &Path) -> String {
    load(path, "split").err().unwrap_or_else(|| panic!("{} was loaded", path.display()))
}

fn check(path: &Path, parts: &[&str]) {
    let message = message(path);
    parts.iter().for_each(|part| assert!(message.contains(part), "{part:?} is not in: {message}"));
}

#[test]
fn any_part_loads_the_whole_model() {
    let whole = load(&fixture("tiny-llama.gguf"), "whole").unwrap();
    for number in 1..=3 {
        let model = load(&fixture("split").join(name(number)), "part").unwrap();
        assert_eq!(model.fingerprint(), whole.fingerprint(), "part {number}");
        assert_eq!(model.tokenizer().vocab_size(), whole.tokenizer().vocab_size());
    }
}

#[test]
fn a_missing_part_is_named() {
    for missing in 1..=3 {
        let folder = copy();
        std::fs::remove_file(folder.path().join(name(missing))).unwrap();
        let given = if missing == 1 { 2 } else { 1 };
        let part = format!("part {missing} of 3 of a split model: the file is missing");
        check(&folder.path().join(name(given)), &[&name(missing), &part, JOIN]);
    }
}

#[test]
fn a_part_under_another_name_says_so() {
    let folder = copy();
    let renamed = folder.path().join("model.gguf");
    std::fs::rename(folder.path().join(name(1)), &renamed).unwrap();
    refused(&renamed, "renamed", &["part 1 of 3", "-00001-of-00003.gguf", "are not found", JOIN]);
    let folder = copy();
    std::fs::copy(folder.path().join(name(3)), folder.path().join(name(2))).unwrap();
    check(&folder.path().join(name(1)), &["part 2 of 3", "says that it is part 3 of 3", JOIN]);
}

#[test]
fn parts_that_do_not_belong_together() {
    let (_folder, path) = changed(2, |file| file.set_u32("split.count", 4));
    check(&path, &["part 2 of 3", "says that it is part 2 of 4", JOIN]);
    let (_folder, path) = changed(3, |file| file.remove("split.count"));
    check(&path, &["part 3 of 3", "says that its model is in one file"]);
    let (_folder, path) = changed(3, |file| {
        file.tensors.pop();
    });
    check(&path, &["the parts have 20 tensors, the first one says 21"]);
    let (_folder, path) = changed(3, |file| file.tensors[0].name = "blk.0.attn_q.weight".into());
    check(&path, &["part 3 of 3", "tensor blk.0.attn_q.weight is in an earlier part too"]);
    let (_folder, path) = changed(1, |file| file.set_u32("split.no", 3));
    check(&path, &["split.no is 3, counted from 0, of split.count 3"]);
    let (_folder, path) = changed(1, |file| file.set_string("split.count", "three"));
    check(&path, &["split.count is"]);
}

/// Millions of parts are not looked for: the first that is missing ends it.
#[test]
fn a_count_that_cannot_be_ends_at_the_first_missing_part() {
    let folder = copy();
    let (mut file, ..) = GgufFile::parse(&std::fs::read(folder.path().join(name(1))).unwrap());
    file.set_u32("split.count", u32::MAX);
    let path = folder.path().join(format!("tiny-00001-of-{}.gguf", u32::MAX));
    std::fs::write(&path, file.to_bytes()).unwrap();
    check(&path, &["part 2 of 4294967295", "the file is missing"]);
}

#[test]
fn a_part_that_is_cut_short_is_named() {
    let folder = copy();
    let path = folder.path().join(name(3));
    let bytes = std::fs::read(&path).unwrap();
    for len in [0, 3, 20, 200, bytes.len() / 2, bytes.len() - 40] {
        std::fs::write(&path, &bytes[..len]).unwrap();
        check(&folder.path().join(name(1)), &[&name(3)]);
    }
}
