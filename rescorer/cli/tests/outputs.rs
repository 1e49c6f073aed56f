//! `--output-format`: the output formats, chosen by name or by the extension of the file.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Room, list, ran};
use rescorer_nbest::{Format, OutputFormat};
use serde_json::json;

const PERTURB: &str = "perturb a.jsonl --kind n-best --rate 0 --quiet";
const RESCORE: &str = "rescore a.jsonl --lm-weight 1 --quiet";

fn room() -> Room {
    let room = Room::new();
    room.lists("a.jsonl", &[list("u1", &["Write, to", "right to"], "write to"), list("u2", &["two"], "")]);
    room
}

#[test]
fn every_format_is_named_in_the_help_and_in_the_refusal() {
    let room = room();
    for command in ["rescore", "perturb"] {
        // Wrapped wherever the terminal ends.
        let help = ran(room.command(&format!("{command} --help")).output().unwrap()).ok().stdout;
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains(&OutputFormat::help().replace("; ", " - ")), "{help}");
        assert!(Format::ALL.iter().all(|format| help.contains(format.name())), "{help}");
    }
    let names: Vec<_> = OutputFormat::ALL.iter().map(|format| format.name()).collect();
    let parts = ["there is no output format \"xml\"", &names.join(", ")];
    room.refused_plain(&format!("{PERTURB} --output-format xml"), &parts);
    room.refused(&format!("{RESCORE} --output-format xml"), &parts);
}

#[test]
fn lists_as_a_table() {
    let room = room();
    let csv = room.run_plain(&format!("{PERTURB} --output-format csv")).ok().stdout;
    assert_eq!(
        csv,
        "id,position,text,score,reference,context,extra,utterance_extra\n\
         u1,0,\"Write, to\",-1.0,write to,,,\n\
         u1,1,right to,-2.0,write to,,,\n\
         u2,0,two,-1.0,\"\",,,\n"
    );
    room.run_plain(&format!("{PERTURB} --output OUT.csv")).ok();
    assert_eq!(room.read("OUT.csv"), csv);
    // The name goes before the extension; one that says nothing leaves the default.
    room.run_plain(&format!("{PERTURB} --output b.csv --output-format kaldi")).ok();
    assert_eq!(room.read("b.csv"), "u1 Write, to\nu2 two\n");
    room.run_plain(&format!("{PERTURB} --output b.lists")).ok();
    assert!(room.read("b.lists").starts_with("{\"id\":\"u1\""));
}

#[test]
fn answers_as_a_table() {
    let room = room();
    let winners = room.run(&format!("{RESCORE} --output-format tsv")).ok().stdout;
    let header = "id\tposition\ttext\tscore\tfirst_pass_position\tlm_score\ttotal\treference\tcontext";
    assert!(winners.starts_with(&format!("{header}\textra\tutterance_extra\n")), "{winners}");
    assert_eq!(winners.lines().count(), 3);
    room.run(&format!("{RESCORE} --nbest --output lists.tsv")).ok();
    let lists = room.read("lists.tsv");
    let (header, rows) = lists.split_once('\n').unwrap();
    assert_eq!((rows.lines().count(), header.contains("\ttotal\tconfidence\t")), (3, true));
    let of_u1: Vec<f64> =
        rows.lines().take(2).map(|row| row.split('\t').nth(6).unwrap().parse().unwrap()).collect();
    assert!(of_u1[0] >= of_u1[1], "the winner first: {of_u1:?}");
    for format in ["kaldi", "ctm", "trn"] {
        let says = format!("--output-format {format} holds the winner only");
        room.refused(
            &format!("{RESCORE} --nbest --output-format {format}"),
            &[&says, "--output-format jsonl"],
        );
    }
    room.refused(
        &format!("{RESCORE} --nbest --output a.ctm"),
        &["--output-format ctm holds the winner only"],
    );
}

#[test]
fn times_of_words() {
    let room = room();
    let refusal = ["\"u1\"", "as ctm", "without word times", "write another format"];
    room.refused_plain(&format!("{PERTURB} --output-format ctm --output a.ctm"), &refusal);
    assert_eq!(room.files(), ["a.jsonl"]);
    let result = json!([{"word": "two", "start": 0.84, "end": 1.02, "conf": 1.0}]);
    room.lists(
        "vosk.json",
        &[json!({"alternatives": [{"text": "two", "confidence": 270.4, "result": result}]})],
    );
    let ctm = room.run("rescore vosk.json --lm-weight 1 --output-format ctm").ok().stdout;
    assert_eq!(ctm, "vosk:0 1 0.840 0.180 two 1.0000\n");
    let perturb = "perturb vosk.json --kind n-best --rate 1 --max-size 50 --quiet --output-format ctm";
    room.refused_plain(perturb, &["its word times are for \"two\""]);
}

#[cfg(feature = "parquet")]
#[test]
fn columns_go_out_and_come_in() {
    let room = room();
    let plain = room.run_plain(PERTURB).ok().stdout;
    room.run_plain(&format!("{PERTURB} --output a.parquet")).ok();
    let back = PERTURB.replace("a.jsonl", "a.parquet");
    assert_eq!(room.run_plain(&back).ok().stdout, plain);
    room.run(&format!("{RESCORE} --nbest --output b.parquet")).ok();
    let lists = room.run("rescore b.parquet --lm-weight 0 --output-format jsonl --nbest").ok().json();
    assert!(lists[0]["hypotheses"][1]["total"].is_number());
    // A stream has no end to look for the index in.
    let bytes = std::fs::read(room.path("a.parquet")).unwrap();
    let ran = ran(room.command(&PERTURB.replace("a.jsonl", "-")).write_stdin(&bytes[..]).output().unwrap());
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    ran.says(&["cannot read stdin as parquet", "write it to a file, and name that"]);
    room.write("cut.parquet", &bytes[..bytes.len() / 2]);
    let cut = format!("{} --output c.jsonl", PERTURB.replace("a.jsonl", "cut.parquet"));
    room.refused_plain(
        &cut,
        &["cannot read cut.parquet as parquet: it is cut short or broken", "write it again"],
    );
    assert!(!room.files().contains(&"c.jsonl".to_owned()));
}

#[cfg(not(feature = "parquet"))]
#[test]
fn columns_are_told_apart_without_the_feature() {
    let room = room();
    room.write("a.parquet", "PAR1 and so on");
    let parts = ["begins with columns of Parquet or Arrow", "feature `parquet`"];
    room.refused_plain(&PERTURB.replace("a.jsonl", "a.parquet"), &parts);
}
