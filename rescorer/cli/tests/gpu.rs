//! The command on a GPU; a software adapter serves. Where there is none the test says so and passes, unless
//! `RESCORER_REQUIRE_GPU=1`.
#![cfg(feature = "wgpu")]
#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write;

use common::{Ran, Room, fixture, ran};

/// f32 on both sides, sums of a few log-probabilities: shaders sum in another order.
const SCORES: f64 = 1e-3;

const ON_GPU: &str = "score --text a.txt --json --device gpu";

fn run(room: &Room, words: &str) -> Ran {
    let mut command = room.command(words);
    command.env("CUBECL_AUTOTUNE_LEVEL", "minimal").arg("--model").arg(fixture("tiny-llama"));
    ran(command.output().unwrap())
}

fn scores(ran: &Ran) -> Vec<f64> {
    ran.json().iter().map(|row| row["lm_score"].as_f64().unwrap()).collect()
}

#[test]
fn scores_are_those_of_the_cpu_and_nothing_is_written_where_the_command_runs() {
    let room = Room::new();
    room.write("a.txt", "turn left at the light\nturn left at the night\nthere is nothing\n");
    let first = run(&room, ON_GPU);
    if first.stderr.contains("no GPU adapter") {
        let required = std::env::var("RESCORER_REQUIRE_GPU").is_ok_and(|value| value == "1");
        assert!(!required, "RESCORER_REQUIRE_GPU=1, but {}", first.stderr);
        let _ = writeln!(std::io::stderr(), "SKIPPED: {}", first.stderr);
        return;
    }
    let expected = scores(&room.run("score --text a.txt --json").ok());
    let first = scores(&first.ok());
    assert!(first.iter().zip(&expected).all(|(a, b)| (a - b).abs() < SCORES), "{first:?} {expected:?}");
    // Two at once share the store of kernels and do not fall over each other.
    std::thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| run(&room, ON_GPU)));
        for other in both {
            assert_eq!(scores(&other.join().unwrap().ok()), first);
        }
    });
    let files = room.files();
    assert!(files.iter().all(|name| name == "a.txt" || name == "home"), "{files:?}");
}
