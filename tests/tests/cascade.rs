//! A rescorer behind another one: both decide together, or the first one alone where it is sure.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use rescorer::fusion::{CascadePolicy, ModelIdentity, TunedOn};
use rescorer::scoring::{AdapterSet, Cascade, Deadline, LanguageModel, Scorer, SecondPass};
use rescorer::{Fusion, Hypothesis, NBest, Normalization, Policy, ScoringConfig, Utterance};
use rescorer_models::DeviceRequest;
use rescorer_tests::load_tiny;

const ENCODER: Fusion = Fusion { lm_weight: 0.3, length_bonus: 0.25, margin: 0.5 };
const DECODER: Fusion = Fusion { lm_weight: 0.2, length_bonus: -0.5, margin: 0.0 };

fn lists() -> Vec<NBest> {
    let list = |texts: &[&str]| {
        let hypotheses =
            texts.iter().enumerate().map(|(at, text)| Hypothesis::scored(*text, -0.7 * at as f64));
        NBest::new(hypotheses.collect()).unwrap()
    };
    vec![
        list(&["the cat sat on the mat", "the cat sat on the hat", "the cat that on the mat"]),
        list(&["their answer", "there answer", "the answer", "there answer"]),
        list(&["hear"]),
        list(&["it is right", "it is write there", "it's"]),
    ]
}

fn identity(model: &LanguageModel) -> ModelIdentity {
    ModelIdentity { name: "tiny".into(), fingerprint: model.fingerprint().into() }
}

fn load(name: &str) -> Arc<LanguageModel> {
    Arc::new(load_tiny(name, DeviceRequest::Cpu))
}

fn earlier(model: &Arc<LanguageModel>, share: f64, threshold: Option<f64>) -> (Cascade, CascadePolicy) {
    let policy = CascadePolicy {
        share,
        threshold,
        fusion: ENCODER,
        convention: ScoringConfig::default(),
        model: identity(model),
        adapter: None,
    };
    (Cascade::new(model.clone(), AdapterSet::default(), &policy).unwrap(), policy)
}

fn alone(model: &Arc<LanguageModel>, fusion: Fusion) -> SecondPass {
    SecondPass::new(Scorer::new(model.clone(), ScoringConfig::default()).unwrap(), fusion)
}

#[test]
fn totals_add_up_and_sure_lists_stay_with_the_first() {
    let (encoder, decoder) = (load("tiny-bert"), load("tiny-llama"));
    let (first, second) = (alone(&encoder, ENCODER), alone(&decoder, DECODER));
    let mut settled = 0;
    for threshold in [None, Some(0.0), Some(2.0), Some(f64::MAX)] {
        let (pass, _) = earlier(&encoder, 0.5, threshold);
        let scorer = Scorer::new(decoder.clone(), ScoringConfig::default()).unwrap().behind(pass);
        let both = SecondPass::new(scorer, DECODER);
        let prepared = || lists().iter().map(|list| both.scorer().prepare("list", list).unwrap()).collect();
        let scored = both.scorer().score(prepared()).unwrap().lists;
        let choices = both.choose(prepared()).unwrap().choices;
        for ((list, scores), choice) in lists().iter().zip(&scored).zip(&choices) {
            let answer = both.decide(list, scores).unwrap();
            let by_first = first.rescore(list).unwrap();
            let mut totals: Vec<f64> = by_first.hypotheses().iter().filter_map(|one| one.total).collect();
            totals.sort_by(|a, b| b.total_cmp(a));
            let lead = if totals.len() > 1 { totals[0] - totals[1] } else { f64::INFINITY };
            let is_sure = threshold.is_some_and(|threshold| lead >= threshold);
            assert_eq!(scores.first_stage.as_ref().unwrap().exits_early, is_sure);
            assert_eq!(choice.position, answer.best().position);
            if totals.len() < 2 {
                // One text: nobody need be asked.
                assert_eq!((choice.lm_score, choice.total, choice.first_pass), (None, None, 0.0));
                settled += usize::from(is_sure);
                continue;
            }
            assert!((choice.total.unwrap() - answer.best().total.unwrap()).abs() < 1e-6);
            if is_sure {
                settled += 1;
                assert_eq!(answer.best().position, by_first.best().position);
                assert!((answer.best().total.unwrap() - by_first.best().total.unwrap()).abs() < 1e-4);
                continue;
            }
            let by_second = second.rescore(list).unwrap();
            for one in answer.hypotheses() {
                let of = |other: &rescorer::scoring::Ranking| {
                    let found = other.hypotheses().iter().find(|found| found.position == one.position);
                    let found = found.unwrap();
                    found.total.unwrap() - found.first_pass
                };
                let first_pass = list.hypotheses()[one.position].score.unwrap();
                let expected = first_pass + 0.5 * of(&by_first) + of(&by_second);
                assert!(
                    (one.total.unwrap() - expected).abs() < 1e-3,
                    "{}: {:?} {expected}",
                    one.text,
                    one.total
                );
            }
        }
    }
    assert!(settled > 4, "{settled}");
}

#[test]
fn a_policy_for_two_wants_both_and_nothing_else() {
    let (encoder, decoder) = (load("tiny-bert"), load("tiny-llama"));
    let (pass, earlier_policy) = earlier(&encoder, 1.0, Some(1.0));
    let tuned_on = TunedOn { first_pass_wer: 1.0, rescored_wer: 1.0, hashes: vec![] };
    let policy = Policy::new(
        Normalization::None,
        DECODER,
        ScoringConfig::default(),
        identity(&decoder),
        None,
        tuned_on,
    )
    .behind(Some(earlier_policy.clone()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    std::fs::write(&path, policy.to_toml().unwrap()).unwrap();
    let read = Policy::read(&path).unwrap();
    assert_eq!(read, policy);
    let missing =
        SecondPass::from_policy(decoder.clone(), AdapterSet::default(), &read).err().unwrap().to_string();
    assert!(missing.contains("model tiny; give that too"), "{missing}");
    let both =
        SecondPass::from_policy_with_cascade(Some(pass), decoder.clone(), AdapterSet::default(), &read)
            .unwrap();
    let other = Cascade::new(decoder, AdapterSet::default(), &earlier_policy).err().unwrap().to_string();
    assert!(other.contains("tiny"), "{other}");
    let list = both.scorer().prepare("list", &lists()[0]).unwrap();
    let late = both.choose_within(&list, &mut Deadline::new(Duration::from_secs(9))).unwrap_err().to_string();
    assert!(late.contains("a deadline is for one rescorer"), "{late}");
    // A list that was settled is not the second model's to explain.
    let sure = Utterance::new("sure", lists()[2].clone());
    let scores = both.scorer().score_list(&sure.nbest).unwrap();
    let settled = both.explain(&sure, &scores, 0, 0).unwrap_err().to_string();
    assert!(settled.contains("answered by the earlier rescorer"), "{settled}");
}
