//! Several first-pass scores beside a text: each has a weight of its own after tuning.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Cursor;
use std::sync::Arc;

use rescorer::fusion::Feature;
use rescorer::{Request, Rescorer, TuneOptions, Utterance};
use rescorer_models::DeviceRequest;
use rescorer_nbest::{ReadOptions, Reader};
use rescorer_tests::load_tiny;
use serde_json::json;

/// Lists whose attention decoder, which dominates the sum, is wrong, and whose CTC is right.
fn lists() -> Vec<Utterance> {
    let lines: Vec<String> = (0..200)
        .map(|number| {
            let texts = ["music", "mosaic", "muse"].map(|word| format!("stop the {word} of room {number}"));
            let right = 1 + number % 2;
            let hypotheses: Vec<_> = (0..3)
                .map(|at| {
                    let ctc = if at == right { -0.5 } else { -2.0 - 0.25 * at as f64 };
                    json!({"text": texts[at], "att": -2.0 - 3.0 * at as f64, "ctc": ctc})
                })
                .collect();
            json!({"id": format!("u{number}"), "reference": texts[right], "hypotheses": hypotheses})
                .to_string()
        })
        .collect();
    let text = Cursor::new(lines.join("\n").into_bytes());
    let reader = Reader::from_read("lists.jsonl", text, &ReadOptions::default()).unwrap();
    reader.collect::<Result<_, _>>().unwrap()
}

#[test]
fn tuning_tells_the_scores_apart() {
    let rescorer = Rescorer::builder(Arc::new(load_tiny("tiny-llama", DeviceRequest::Cpu))).build().unwrap();
    let lists = lists();
    assert_eq!(lists[0].nbest.first().score, Some(-4.0), "att + ctc");
    let policy = rescorer.tune(&lists, TuneOptions::default()).unwrap();
    let weights = policy.weighting.features().unwrap();
    assert!(weights.weight(Feature::Ctc) > 0.0, "{weights:?}");
    assert!(policy.tuned_on.rescored_wer < policy.tuned_on.first_pass_wer / 2.0, "{:?}", policy.tuned_on);
    // The policy is written and read with them, and what decides is explained.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    policy.write(&path).unwrap();
    let model = Arc::new(load_tiny("tiny-llama", DeviceRequest::Cpu));
    let tuned = Rescorer::builder(model).policy(&path).build().unwrap();
    for list in &lists {
        let answer = tuned.rescore(Request::from(list.clone()).text_only()).unwrap();
        assert_eq!(Some(answer.text()), list.reference.as_deref());
    }
    let explained = tuned.explain(&lists[0], None, None).unwrap();
    assert!(explained.features.iter().any(|share| share.feature == "ctc" && share.share > 0.0));
}
