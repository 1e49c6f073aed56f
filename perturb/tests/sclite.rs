//! S, D, I and MAPSSWE against NIST's own programs, on seeded random texts.
//!
//! Words come from small vocabularies, where alignments tie all the time and tie-breaking shows.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rescorer_perturb::{Alignment, ErrorCounts, Metric, ReferenceCheck, ReferenceKind, align, mapsswe};

type Text = Vec<&'static str>;

const WORDS: [&str; 8] = ["a", "b", "c", "d", "e", "F", "f", "don't"];

fn random_text(rng: &mut ChaCha8Rng, vocabulary: usize, longest: usize) -> Text {
    let length = rng.random_range(0..=longest);
    let word = |_| WORDS[rng.random_range(0..vocabulary)];
    (0..length).map(word).collect()
}

/// A text with about one word in four deleted, replaced, or followed by another.
fn misheard(rng: &mut ChaCha8Rng, text: &[&'static str]) -> Text {
    let mut heard = Vec::new();
    for &word in text {
        match rng.random_range(0..12) {
            0 => {}
            1 => heard.push(WORDS[rng.random_range(0..WORDS.len())]),
            2 => heard.extend([word, WORDS[rng.random_range(0..WORDS.len())]]),
            _ => heard.push(word),
        }
    }
    heard
}

/// Writes the texts as sclite's `.trn`, one speaker, utterances numbered from 0.
fn write_trn(path: &Path, texts: &[Text]) {
    let lines = texts.iter().enumerate();
    let lines = lines.map(|(n, text)| format!("{} (s-{n})\n", text.join(" ")));
    fs::write(path, lines.collect::<String>()).unwrap();
}

fn run(command: &mut Command) -> String {
    let output =
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; apt-get install sctk"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn sclite(folder: &Path, title: &str, report: &str) -> String {
    run(Command::new("sctk")
        .current_dir(folder)
        .args(["sclite", "-s", "-i", "rm", "-r", "ref.trn", "trn", "-h"])
        .args([&format!("{title}.trn"), "trn", title])
        .args(["-o", report, "stdout"]))
}

/// The counts in a `pralign` report, in the order of the utterance numbers.
fn parse_counts(report: &str) -> Vec<ErrorCounts> {
    let mut counts = Vec::new();
    let mut id = 0;
    for line in report.lines() {
        if let Some(rest) = line.strip_prefix("id: (s-") {
            id = rest.trim_end_matches(')').parse::<usize>().unwrap();
        } else if let Some(rest) = line.strip_prefix("Scores: (#C #S #D #I) ") {
            let numbers: Vec<usize> = rest.split(' ').map(|n| n.parse().unwrap()).collect();
            let [correct, substitutions, deletions, insertions] = numbers[..] else {
                panic!("{line}");
            };
            let utterance = ErrorCounts { correct, substitutions, deletions, insertions };
            counts.push((id, utterance));
        }
    }
    counts.sort_by_key(|(id, _)| *id);
    counts.into_iter().map(|(_, utterance)| utterance).collect()
}

fn compare_counts(references: &[Text], hypotheses: &[Text]) {
    let folder = tempfile::tempdir().unwrap();
    write_trn(&folder.path().join("ref.trn"), references);
    write_trn(&folder.path().join("hyp.trn"), hypotheses);
    let theirs = parse_counts(&sclite(folder.path(), "hyp", "pralign"));
    assert_eq!(theirs.len(), references.len());
    for ((reference, hypothesis), theirs) in references.iter().zip(hypotheses).zip(&theirs) {
        let ours = align(reference, hypothesis).counts();
        assert_eq!(ours, *theirs, "{reference:?} {hypothesis:?}");
    }
    let pooled = sclite(folder.path(), "hyp", "rsum");
    let sum = pooled.lines().find(|line| line.contains("| Sum")).unwrap();
    let numbers: Vec<usize> = sum.split_whitespace().filter_map(|field| field.parse().ok()).collect();
    let total: ErrorCounts = theirs.into_iter().sum();
    let expected = [
        references.len(),
        total.reference_words(),
        total.correct,
        total.substitutions,
        total.deletions,
        total.insertions,
        total.errors(),
    ];
    assert_eq!(numbers[..7], expected);
}

#[test]
#[ignore = "needs sclite: apt-get install sctk"]
fn counts_equal_those_of_sclite() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (vocabulary, longest) in [(2, 6), (3, 12), (5, 9), (8, 30), (8, 90)] {
        let mut text = |_| random_text(&mut rng, vocabulary, longest);
        let references: Vec<Text> = (0..2000).map(&mut text).collect();
        let hypotheses: Vec<Text> = (0..2000).map(&mut text).collect();
        compare_counts(&references, &hypotheses);
        let heard = |reference: &Text| misheard(&mut rng, reference);
        let hypotheses: Vec<Text> = references.iter().map(heard).collect();
        compare_counts(&references, &hypotheses);
    }
}

/// A reference with alternatives and optional words, and the words of one of its readings.
fn marked_text(rng: &mut ChaCha8Rng) -> (String, Text) {
    let (mut marked, mut read) = (Vec::new(), Vec::new());
    for word in random_text(rng, 8, 9) {
        let other = WORDS[rng.random_range(0..WORDS.len())];
        match rng.random_range(0..7) {
            0 => marked.push(format!("({word})")),
            1 => {
                marked.push(format!("{{ {word} / {other} / @ }}"));
                read.extend((rng.random_range(0..2) == 0).then_some(other));
            }
            2 => {
                marked.push(format!("{{ {word} {other} / {other} }}"));
                read.push(other);
            }
            3 => {
                marked.push(format!("{{ {word} / {{ {other} / {word} {word} }} {other} }}"));
                read.extend([other, other]);
            }
            _ => {
                marked.push(word.to_owned());
                read.push(word);
            }
        }
    }
    (marked.join(" "), read)
}

#[test]
#[ignore = "needs sclite: apt-get install sctk"]
fn marks_are_scored_as_sclite_scores_them() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let folder = tempfile::tempdir().unwrap();
    let (mut references, mut hypotheses) = (Vec::new(), Vec::new());
    while references.len() < 3000 {
        let (reference, read) = marked_text(&mut rng);
        if reference.contains(['{', '(']) {
            references.push(reference);
            hypotheses.push(misheard(&mut rng, &read));
        }
    }
    let lines: String = references.iter().enumerate().map(|(n, text)| format!("{text} (s-{n})\n")).collect();
    fs::write(folder.path().join("ref.trn"), lines).unwrap();
    write_trn(&folder.path().join("hyp.trn"), &hypotheses);
    let report = run(Command::new("sctk")
        .current_dir(folder.path())
        .args(["sclite", "-s", "-D", "-i", "rm", "-r", "ref.trn", "trn", "-h", "hyp.trn", "trn", "hyp"])
        .args(["-o", "pralign", "stdout"]));
    let theirs = parse_counts(&report);
    assert_eq!(theirs.len(), references.len());
    let mut others = 0;
    for ((reference, hypothesis), theirs) in references.iter().zip(&hypotheses).zip(&theirs) {
        let mut check = ReferenceCheck::new(Metric::default());
        let hypothesis = hypothesis.join(" ");
        check.add("u", reference, &hypothesis);
        let found = check.findings();
        let marks = found.iter().find(|found| found.kind == ReferenceKind::Marks).unwrap();
        let ours = marks.mended.unwrap();
        // Of alignments that cost the same we take the one with the fewest errors, and sclite any.
        assert!(ours.errors <= theirs.errors(), "{ours:?} {theirs:?}: {reference:?} {hypothesis:?}");
        others +=
            usize::from((ours.errors, ours.reference_words) != (theirs.errors(), theirs.reference_words()));
    }
    assert!(others * 100 < references.len(), "{others} of {}", references.len());
}

/// The number after a label such as `(mean: ` in sc_stats' line of results.
fn field(line: &str, label: &str) -> f64 {
    let (_, rest) = line.split_once(label).unwrap();
    rest[..rest.find(')').unwrap()].trim().parse().unwrap()
}

#[test]
#[ignore = "needs sclite: apt-get install sctk"]
fn mapsswe_equals_that_of_sc_stats() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for utterances in [20, 300, 2000] {
        let folder = tempfile::tempdir().unwrap();
        let texts = (0..utterances).map(|_| random_text(&mut rng, 8, 25));
        let references: Vec<Text> = texts.collect();
        write_trn(&folder.path().join("ref.trn"), &references);
        let mut piped = String::new();
        let mut systems: Vec<Vec<Alignment>> = Vec::new();
        for title in ["first", "second"] {
            let heard = references.iter().map(|reference| misheard(&mut rng, reference));
            let hypotheses: Vec<Text> = heard.collect();
            write_trn(&folder.path().join(format!("{title}.trn")), &hypotheses);
            piped += &sclite(folder.path(), title, "sgml");
            let pairs = references.iter().zip(&hypotheses);
            systems.push(pairs.map(|(r, h)| align(r, h)).collect());
        }
        let sgml = folder.path().join("both.sgml");
        fs::write(&sgml, piped).unwrap();
        run(Command::new("sctk")
            .current_dir(folder.path())
            .args(["sc_stats", "-p", "-t", "mapsswe", "-v", "-O", ".", "-n", "t"])
            .stdin(fs::File::open(&sgml).unwrap())
            .stderr(Stdio::null()));
        let report = fs::read_to_string(folder.path().join("t.stats.mapsswe")).unwrap();
        let theirs = report.lines().find(|line| line.contains("MTCH_PR_RESULTS")).unwrap();

        let ours = mapsswe(&systems[0], &systems[1]).unwrap();
        assert_eq!(ours.segments as f64, field(theirs, "(# segs: "), "{theirs}");
        for (value, label) in [(ours.mean, "(mean: "), (ours.sd, "(std dev: "), (ours.z, "(Z Stat: ")] {
            // They print three decimals.
            assert!((value - field(theirs, label)).abs() <= 0.000_501, "{ours:?} {theirs}");
        }
    }
}
