//! Decode folders of ESPnet, and gzip.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use rescorer_nbest::{Error, Format, Hypothesis, NBest, ReadOptions, Reader, Readers, Utterance};
use tempfile::TempDir;

fn put(folder: &Path, name: &str, content: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Two jobs; the second utterance of the first has two hypotheses, the others three.
fn decoded() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let best = |job: u32, k: u32, text: &str, score: &str| {
        put(folder.path(), &format!("logdir/output.{job}/{k}best_recog/text"), text);
        put(folder.path(), &format!("logdir/output.{job}/{k}best_recog/score"), score);
    };
    best(1, 1, "u2 A CAT\nu1 TWO\n", "u2 tensor(-1.5)\nu1 tensor(-0.25, device='cuda:0')\n");
    best(1, 2, "u1 TO\nu2  A HAT \n", "u1 -1.0\nu2 tensor(-2.)\n");
    best(1, 3, "u2\n", "u2 tensor(-3.)\n");
    best(10, 1, "u3 LAST\n", "u3 tensor(-1.)\n");
    best(10, 2, "", "");
    best(2, 1, "u4 YES\n", "u4 tensor(-1.)\n");
    put(folder.path(), "ref.txt", "u1 two\nu2 a cat\nu3 last\nu4\n");
    folder
}

fn read(folder: &Path) -> Vec<Result<Utterance, Error>> {
    Readers::new([folder], &ReadOptions::default()).unwrap().collect()
}

fn refusal(folder: &Path) -> String {
    let error = read(folder).into_iter().find_map(Result::err).unwrap();
    error.to_string().replace(&folder.display().to_string(), "DIR")
}

#[test]
fn a_folder_is_read_job_by_job() {
    let folder = decoded();
    let reader = Reader::open(folder.path(), &ReadOptions::default()).unwrap();
    assert_eq!(reader.format(), Format::EspnetFolder);
    let found: Vec<Utterance> = reader.map(Result::unwrap).collect();
    let ids: Vec<&str> = found.iter().map(|utterance| utterance.id.as_str()).collect();
    // In the order of the first-best text, and the jobs by their numbers.
    assert_eq!(ids, ["u2", "u1", "u4", "u3"]);
    let list = |hypotheses: &[(&str, f64)]| {
        NBest::new(hypotheses.iter().map(|(text, score)| Hypothesis::scored(*text, *score)).collect())
            .unwrap()
    };
    assert_eq!(found[0].nbest, list(&[("A CAT", -1.5), ("A HAT", -2.0), ("", -3.0)]));
    assert_eq!(found[1].nbest, list(&[("TWO", -0.25), ("TO", -1.0)]));
    let references: Vec<_> = found.iter().map(|utterance| utterance.reference.as_deref().unwrap()).collect();
    assert_eq!(references, ["a cat", "two", "", "last"]);
    fs::remove_file(folder.path().join("ref.txt")).unwrap();
    assert!(read(folder.path()).into_iter().all(|utterance| utterance.unwrap().reference.is_none()));
}

#[test]
fn what_one_file_lacks_is_an_error_and_shifts_nothing() {
    let broken = |name: &str, content: Option<&str>| {
        let folder = decoded();
        match content {
            Some(content) => put(folder.path(), name, content),
            None => fs::remove_file(folder.path().join(name)).unwrap(),
        }
        refusal(folder.path())
    };
    let job = "DIR/logdir/output.1";
    assert_eq!(
        broken("logdir/output.1/2best_recog/score", Some("u1 -1.0\n")),
        format!(
            "{job}/2best_recog/text:2: utterance \"u2\": `score` beside it has no line for it; decode again, or remove its \
             lines"
        )
    );
    assert!(
        broken("logdir/output.1/2best_recog/text", Some("u1 TO\n")).contains("`text` beside it has no line")
    );
    let folder = decoded();
    put(folder.path(), "logdir/output.1/2best_recog/text", "u1 TO\n");
    put(folder.path(), "logdir/output.1/2best_recog/score", "u1 -1.0\n");
    assert!(refusal(folder.path()).contains("\"u2\": is not in 2best_recog, though it is here"));
    // Only this utterance is lost.
    assert_eq!(read(folder.path()).into_iter().filter(Result::is_ok).count(), 3);
    assert!(
        broken("logdir/output.1/3best_recog/text", Some("u9 X\n"))
            .contains("\"u9\" is not in 1best_recog/text")
    );
    assert!(
        broken("logdir/output.1/1best_recog/score", None)
            .starts_with(&format!("cannot open {job}/1best_recog/score"))
    );
    assert!(broken("ref.txt", Some("u1 two\n")).contains("DIR/ref.txt has no line for it; add one"));
    assert!(
        broken("logdir/output.1/1best_recog/score", Some("u2 good\nu1 -1\n"))
            .contains("\"good\" is no score")
    );
    assert!(
        broken("logdir/output.1/1best_recog/score", Some("u2 tensor(nan)\nu1 -1\n"))
            .contains("not a finite number")
    );
    let twice = broken("logdir/output.1/1best_recog/text", Some("u2 A\nu1 B\nu2 C\n"));
    assert_eq!(twice, format!("{job}/1best_recog/text: \"u2\" stands on lines 1 and 3; keep one of them"));
    let folder = decoded();
    fs::rename(
        folder.path().join("logdir/output.1/2best_recog"),
        folder.path().join("logdir/output.1/4best_recog"),
    )
    .unwrap();
    assert!(refusal(folder.path()).contains("there is no 2best_recog before it"));
}

#[test]
fn a_format_that_is_a_folder_wants_one() {
    let folder = decoded();
    let as_format = |path: &Path, format| {
        let options = ReadOptions::default().with_format(format);
        Reader::open(path, &options).unwrap_err().to_string()
    };
    assert!(
        as_format(&folder.path().join("ref.txt"), Format::EspnetFolder)
            .contains("as espnet, which is a folder of files")
    );
    assert!(as_format(folder.path(), Format::Jsonl).contains("it is a folder"));
    assert!(Readers::new([folder.path().join("logdir")], &ReadOptions::default()).is_err());
}

#[test]
fn gzip_is_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dev.jsonl.gz");
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed
        .write_all(
            b"\xEF\xBB\xBF{\"hypotheses\": [{\"text\": \"a\"}]}\n{\"hypotheses\": [{\"text\": \"b\"}]}\n",
        )
        .unwrap();
    let packed = packed.finish().unwrap();
    // Two members, as `cat a.gz b.gz` makes them: the second begins its numbers where the first ended.
    fs::write(&path, &packed).unwrap();
    let ids = || -> Vec<String> { read(&path).into_iter().map(|utterance| utterance.unwrap().id).collect() };
    assert_eq!(ids(), ["dev:0", "dev:1"]);
    fs::write(&path, &packed[..packed.len() - 12]).unwrap();
    let error = read(&path).into_iter().find_map(Result::err).unwrap();
    assert!(matches!(error, Error::Read { .. }), "{error}");
    fs::write(&path, b"\x1F\x8B\x08\x00not gzip").unwrap();
    let error = Reader::open(&path, &ReadOptions::default()).unwrap_err();
    assert!(error.to_string().contains("dev.jsonl.gz:1: cannot read on"), "{error}");
}
