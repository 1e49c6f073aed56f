//! Lists that name no adapter are routed to one, and then answered as if they had named it.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rescorer::evaluation::Judged;
use rescorer::fusion::{Decision, GainCalibration, Metric, ModelIdentity, TunedOn};
use rescorer::scoring::{AdapterSet, LanguageModel, Scorer};
use rescorer::{
    Answer, Fusion, Hypothesis, NBest, Normalization, Policy, Request, Rescorer, RescorerBuilder,
    ScoringConfig, TuneOptions, Utterance,
};
use rescorer_lora::LoraAdapter;
use rescorer_models::DeviceRequest;
use rescorer_tests::{fixture, load_tiny};

const LIST: [(&str, f64); 3] = [("the cat sat", -1.0), ("the hat sat", -1.5), ("the cat sad", -2.0)];

const ADAPTERS: [(&str, &str); 2] = [("medical", "tiny-lora"), ("legal", "tiny-adalora")];

fn model() -> Arc<LanguageModel> {
    Arc::new(load_tiny("tiny-llama", DeviceRequest::Cpu))
}

/// Gain of an adapter on a text, in nats per token, as anybody would compute it.
fn gain(name: &str, text: &str) -> f64 {
    let model = model();
    let bare = Scorer::new(model.clone(), ScoringConfig::default()).unwrap();
    let adapter = LoraAdapter::read(&fixture(name)).unwrap().attach(&model).unwrap();
    let adapted = bare.clone().with_adapters(AdapterSet::one(adapter));
    let score = |scorer: &Scorer| {
        let scores = scorer.score_list(&NBest::from_texts([text]).unwrap()).unwrap();
        scores.scores[0].log_probs.clone()
    };
    let pairs = score(&adapted).into_iter().zip(score(&bare));
    let gains: Vec<f64> =
        pairs.map(|(with, without)| (f64::from(with) - f64::from(without)).clamp(-2.0, 2.0)).collect();
    let inner = &gains[1..gains.len() - 1];
    inner.iter().sum::<f64>() / inner.len() as f64
}

/// A folder with an adapter and a policy of its own, with this gain.
fn adapter(folder: &Path, name: &str, source: &str, routing: Option<GainCalibration>) -> String {
    let own = folder.join(name);
    LoraAdapter::read(&fixture(source)).unwrap().write(&own).unwrap();
    let identity =
        |fingerprint: &str| ModelIdentity { name: "tiny".into(), fingerprint: fingerprint.to_owned() };
    let print = LoraAdapter::read(&own).unwrap().fingerprint();
    let tuned_on = TunedOn { first_pass_wer: 1.0, rescored_wer: 1.0, hashes: vec![] };
    let fusion = Fusion { lm_weight: 0.5, length_bonus: 0.0, margin: 0.0 };
    let model = identity(model().fingerprint());
    let (config, adapter) = (ScoringConfig::default(), Some(identity(&print)));
    Policy::new(Normalization::None, fusion, config, model, adapter, tuned_on)
        .with_decision(Decision::default(), None)
        .with_routing(routing)
        .write(own.join("policy.toml"))
        .unwrap();
    own.display().to_string()
}

/// The log-odds of a text with just this gain are `odds`, where that is positive; of a gain of the other sign they are negative.
fn at(gain: f64, odds: f64) -> GainCalibration {
    GainCalibration { mean: gain, other: 0.0, deviation: gain.abs() / (2.0 * odds).sqrt(), scores: None }
}

/// A rescorer whose adapters have these gains.
fn builder(folder: &Path, gains: [GainCalibration; 2]) -> RescorerBuilder {
    let begun = Rescorer::builder(model()).route_adapters();
    ADAPTERS.iter().zip(gains).fold(begun, |builder, ((name, source), gain)| {
        builder.adapter(*name, adapter(folder, name, source, Some(gain)).as_str())
    })
}

/// `LIST` goes to the first adapter.
fn routes_to_medical(folder: &Path) -> Rescorer {
    let [medical, legal] = ADAPTERS.map(|(_, source)| gain(source, LIST[0].0));
    builder(folder, [at(medical, 10.0), at(-legal, 10.0)]).build().unwrap()
}

fn numbers(answer: &Answer) -> Vec<(usize, Option<f64>, Option<f64>, f64)> {
    let of = answer.hypotheses().iter();
    of.map(|one| (one.position, one.lm_score, one.total, one.confidence)).collect()
}

#[test]
fn a_routed_list_is_answered_as_if_it_named_its_adapter() {
    let folder = tempfile::tempdir().unwrap();
    let rescorer = routes_to_medical(folder.path());
    let routed = rescorer.rescore(Request::new(LIST).with_list()).unwrap();
    let named = rescorer.rescore(Request::new(LIST).adapter("medical").with_list()).unwrap();
    assert_eq!((routed.adapter(), routed.policy()), (Some("medical"), named.policy()));
    assert!(named.policy().unwrap().ends_with("medical/policy.toml"));
    assert_eq!(numbers(&routed), numbers(&named));
    // Odds of e^10 for this adapter, and below 1 for the other.
    assert!(routed.routed().unwrap() > 0.999 && named.routed().is_none(), "{:?}", routed.routed());
    assert!(routed.utterance().extra.is_empty(), "the list comes back as it was");
    assert!(routed.nodes() > named.nodes());
    let json = serde_json::to_value(&routed).unwrap();
    assert_eq!(json["adapter"], "medical");
    assert_eq!(json["routed"], routed.routed().unwrap());
    // For the text alone, and against the clock.
    let text = rescorer.rescore(Request::new(LIST).text_only()).unwrap();
    let late = rescorer.rescore(Request::new(LIST).deadline(Duration::from_secs(3600))).unwrap();
    for answer in [text, late] {
        assert_eq!((answer.adapter(), answer.text()), (Some("medical"), named.text()));
        assert_eq!(answer.routed(), routed.routed());
    }
    let none = rescorer.rescore(Request::new(LIST).deadline(Duration::ZERO)).unwrap();
    assert_eq!((none.adapter(), none.text(), none.completeness().decided), (None, LIST[0].0, 0));
}

#[test]
fn lists_that_name_their_adapter_keep_it_and_all_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let rescorer = routes_to_medical(folder.path());
    let null = || {
        let mut list = Utterance::new("null", NBest::new(LIST.map(Hypothesis::from).to_vec()).unwrap());
        list.extra.insert("adapter".into(), serde_json::Value::Null);
        Request::from(list)
    };
    let requests = [
        Request::new(LIST).adapter("legal"),
        Request::new(LIST),
        null(),
        Request::new(["the cat sat"]),
        Request::new(LIST).text_only(),
    ];
    let mut answers = rescorer.rescore_many(requests);
    let found: Vec<Answer> = answers.by_ref().map(Result::unwrap).collect();
    let adapters: Vec<_> = found.iter().map(|answer| (answer.adapter(), answer.routed().is_some())).collect();
    let medical = (Some("medical"), true);
    assert_eq!(adapters, [(Some("legal"), false), medical, (None, false), (None, false), medical]);
    let stats = answers.stats();
    assert!(stats.routing_nodes > 0 && stats.nodes > stats.routing_nodes, "{stats:?}");
    assert_eq!(found[1].confidence(), rescorer.rescore(Request::new(LIST)).unwrap().confidence());
    // Lists with references are judged by what answers them.
    let list = |id: &str, texts: &[(&str, f64)]| Utterance {
        reference: Some(LIST[1].0.to_owned()),
        ..Utterance::new(id, NBest::new(texts.iter().copied().map(Hypothesis::from).collect()).unwrap())
    };
    let mut lists = [list("a", &LIST), list("b", &LIST), list("c", &LIST[..1])];
    lists[1].extra.insert("adapter".into(), "legal".into());
    let mut judging = rescorer.judge_many(lists.clone().map(Ok::<_, rescorer::Error>), Metric::default());
    let judged: Vec<Judged> = judging.by_ref().map(Result::unwrap).collect();
    let routed: Vec<_> = judged.iter().map(|judged| judged.routed.clone()).collect();
    assert_eq!(routed, [Some(Some("medical".to_owned())), None, None]);
    let stats = judging.stats();
    assert!(stats.routing_nodes > 0 && stats.nodes > stats.routing_nodes, "{stats:?}");
    let answer = judged[0].list.answer(judged[0].pass.weighting(), judged[0].pass.decision());
    assert_eq!(answer.text(&judged[0].list.texts), found[1].text());
    let without = Utterance { reference: None, ..lists[0].clone() };
    let mut judging = rescorer.judge_many([Ok::<_, rescorer::Error>(without)], Metric::default());
    assert!(matches!(judging.next(), Some(Err(rescorer::Error::NoReference { .. }))));
    // Explanations are of the adapter that answers.
    let explained = rescorer.explain(&lists[0], Some(0), Some(1)).unwrap();
    lists[0].extra.insert("adapter".into(), "medical".into());
    assert_eq!(explained, rescorer.explain(&lists[0], Some(0), Some(1)).unwrap());
    assert_ne!(explained.adapter(), 0.0);
}

#[test]
fn a_list_that_no_adapter_gains_on_is_answered_by_the_model_alone() {
    let folder = tempfile::tempdir().unwrap();
    let gains = ADAPTERS.map(|(_, source)| at(-gain(source, LIST[0].0), 10.0));
    let rescorer = builder(folder.path(), gains).build().unwrap();
    let bare = Rescorer::builder(model()).build().unwrap();
    let [routed, bare] =
        [&rescorer, &bare].map(|rescorer| rescorer.rescore(Request::new(LIST).with_list()).unwrap());
    assert_eq!((routed.adapter(), routed.policy()), (None, bare.policy()));
    assert_eq!(numbers(&routed), numbers(&bare));
    // −30 each: the mean is the gain's negative, so the odds are −3 · 10.
    assert!(routed.routed().unwrap() > 1.0 - 1e-9);
    assert_eq!(serde_json::to_value(&routed).unwrap()["adapter"], serde_json::Value::Null);
    // The same adapters without policies: the default policy is for all of them.
    let begun = Rescorer::builder(model()).route_adapters();
    let without =
        ADAPTERS.iter().fold(begun, |builder, (name, source)| builder.adapter(*name, fixture(source)));
    let without = without.build().unwrap();
    assert!(without.warnings().iter().any(|said| said.contains("legal") && said.contains("usual gain")));
    let named = without.rescore(Request::new(LIST).adapter("legal")).unwrap();
    assert_eq!((named.adapter(), named.policy()), (Some("legal"), bare.policy()));
}

#[test]
fn a_conversation_leans_to_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let texts = ["the cat sat", "please write it down", "turn left at the next light", "the hat"];
    let source = ADAPTERS[0].1;
    let gains = texts.map(|text| gain(source, text));
    // Odds are k (gain − c) with k of the sign of c: 19 for the clear text and −1 for the other, c a twentieth of the way between.
    let pairs = (0..4).flat_map(|clear| (0..4).map(move |other| (clear, other)));
    let centre = |clear: usize, other: usize| gains[other] + 0.05 * (gains[clear] - gains[other]);
    let mut fitting =
        pairs.filter(|&(clear, other)| centre(clear, other) * (gains[clear] - gains[other]) > 0.0);
    let (clear, other) = fitting.next().unwrap();
    let centre = centre(clear, other);
    let k = 19.0 / (gains[clear] - centre);
    let calibration = GainCalibration {
        mean: 2.0 * centre,
        other: 0.0,
        deviation: (2.0 * centre / k).sqrt(),
        scores: None,
    };
    let rescorer = Rescorer::builder(model())
        .adapter("medical", adapter(folder.path(), "medical", source, Some(calibration)).as_str())
        .route_adapters()
        .build()
        .unwrap();
    let ask = |number: usize, conversation: &str| {
        let request = Request::new([(texts[number], -1.0), ("the cat sad", -2.0)]);
        if conversation.is_empty() { request } else { request.conversation(conversation) }
    };
    let adapter = |request: Request| rescorer.rescore(request).unwrap().adapter().map(str::to_owned);
    let medical = || Some("medical".to_owned());
    assert_eq!((adapter(ask(clear, "")), adapter(ask(other, ""))), (medical(), None));
    assert_eq!(adapter(ask(other, "a")), None);
    assert_eq!((adapter(ask(clear, "b")), adapter(ask(other, "b"))), (medical(), medical()));
    assert_eq!(adapter(ask(other, "c")), None, "another conversation");
    // In one window as one by one.
    let requests = [ask(clear, "d"), ask(other, "e"), ask(other, "d"), ask(other, "")];
    let found: Vec<Answer> = rescorer.rescore_many(requests).map(Result::unwrap).collect();
    let adapters: Vec<_> = found.iter().map(|answer| answer.adapter()).collect();
    assert_eq!(adapters, [Some("medical"), None, Some("medical"), None]);
    // 0.95 of the odds before, times e^-1: 0.95 / e : 0.05.
    let even = 0.95 * (-1.0f64).exp();
    assert!((found[2].routed().unwrap() - even / (even + 0.05)).abs() < 1e-3, "{:?}", found[2].routed());
    // Explaining a list is no part of its conversation.
    let list =
        Utterance::new("x", NBest::new(vec![(texts[clear], -1.0).into(), ("the", -2.0).into()]).unwrap());
    let list = Utterance { extra: [("conversation".to_owned(), "f".into())].into_iter().collect(), ..list };
    rescorer.explain(&list, None, None).unwrap();
    assert_eq!(adapter(ask(other, "f")), None);
}

#[test]
fn tuning_measures_the_gain_of_one_adapter() {
    let nouns = ["cat", "hat", "mat", "light", "word", "door", "tree", "house", "road", "river", "bird"];
    let list = |noun: &&str| {
        let texts = [format!("turn the {noun} left"), format!("turn the {noun} right")];
        Utterance {
            reference: Some(texts[1].clone()),
            ..Utterance::new(*noun, NBest::from_texts(texts).unwrap())
        }
    };
    let mut lists: Vec<Utterance> = nouns.iter().map(list).collect();
    lists.push(Utterance {
        reference: Some("one text is never routed".into()),
        ..Utterance::new("one", NBest::from_texts(["one text is never routed"]).unwrap())
    });
    let mut measured = 0;
    for (name, source) in ADAPTERS {
        let tuning = || Rescorer::builder(model()).adapter(name, fixture(source));
        let policy = tuning().build().unwrap().tune(&lists, TuneOptions::default()).unwrap();
        let gains = nouns.iter().map(|noun| gain(source, &format!("turn the {noun} left")));
        let mean = gains.sum::<f64>() / nouns.len() as f64;
        assert_eq!(policy.routing.is_some(), mean > 0.0, "{name} gains {mean}");
        if let Some(found) = policy.routing {
            assert!((found.mean - mean).abs() < 1e-5, "{found:?} {mean}");
            assert!(found.deviation >= 0.05 && (-mean..=mean).contains(&found.other), "{found:?}");
            measured += 1;
        }
        let two = tuning().adapter("other", fixture("tiny-lora-patterns")).build().unwrap();
        assert_eq!(two.tune(&lists, TuneOptions::default()).unwrap().routing, None);
    }
    assert!(measured > 0, "no adapter gains on these lists; choose others");
    let none = Rescorer::builder(model()).build().unwrap().tune(&lists, TuneOptions::default()).unwrap();
    assert_eq!(none.routing, None);
    // It stays in the file, whose version says so.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    let with = none.with_search(Default::default()).with_routing(Some(GainCalibration {
        mean: 0.5,
        other: -0.125,
        deviation: 0.25,
        scores: None,
    }));
    with.write(&path).unwrap();
    assert_eq!(Policy::read(&path).unwrap(), with);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("version = 3")
            && text.contains("[routing]\nmean = 0.5\nother = -0.125\ndeviation = 0.25"),
        "{text}"
    );
    std::fs::write(&path, text.replace("deviation = 0.25", "deviation = 0.0")).unwrap();
    assert!(Policy::read(&path).unwrap_err().to_string().contains("[routing]"));
}

#[test]
fn what_can_not_be_routed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let own = adapter(folder.path(), "medical", "tiny-lora", None);
    let refused = |builder: RescorerBuilder, part: &str| {
        let message = builder.route_adapters().build().err().unwrap().to_string();
        assert!(message.contains(part), "{message}");
    };
    let with = || Rescorer::builder(model()).adapter("medical", own.as_str());
    refused(Rescorer::builder(model()), "no adapters to route lists to");
    refused(with().policy(Path::new(&own).join("policy.toml")), "a policy for all lists exclude each other");
    refused(with().first_pass_only(), "keeping the first pass");
    refused(with().first_stage(model()), "first stage of a cascade");
    let encoder = Arc::new(load_tiny("tiny-bert", DeviceRequest::Cpu));
    refused(Rescorer::builder(encoder).adapter("medical", own.as_str()), "load a decoder");
    // By hand and by the default policy, adapters are chosen too.
    let weights = Fusion { lm_weight: 0.25, length_bonus: 0.0, margin: 0.0 };
    for builder in [with().weights(weights), with().default_policy()] {
        let rescorer = builder.route_adapters().build().unwrap();
        assert!(rescorer.rescore(Request::new(LIST)).unwrap().routed().is_some());
    }
}
