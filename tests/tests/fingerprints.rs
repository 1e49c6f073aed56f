//! Fingerprints of every family, as they are kept in policies and adapters of users: they must never change.
//!
//! A test that fails here means that every policy and adapter that somebody has is refused. A new setting of a
//! configuration is added to the fingerprint with `Fields::add_unless`.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use rescorer::fusion::{ModelIdentity, TunedOn};
use rescorer::scoring::{AdapterSet, SecondPass};
use rescorer::{Fusion, Normalization, Policy, ScoringConfig};
use rescorer_lora::{Error, LoraAdapter};
use rescorer_models::DeviceRequest;
use rescorer_tests::{fixture, load_tiny};

/// Model, its fingerprint, and the one that versions before 2 computed (commit 628fb1e).
const MODELS: &[(&str, &str, &str)] = &[
    (
        "tiny-llama",
        "v2:19a06b0d49953b4de768c515bc7711e5a12876781f6fdd476d55055d09c78992",
        "739fb21fc22a9a935539da69755d7bf89b42a942ec15b529e36caf4d732e3cea",
    ),
    (
        "tiny-llama-tied",
        "v2:d96b0541048e5d492f23783628802459ee09c1b7d7856ebf7093f90ef12b7a2b",
        "def3187d1ea45f738e395496e88db141189e4d7ececd29f08ec1c6d8962cb9f4",
    ),
    (
        "tiny-llama.gguf",
        "v2:7622acd73f077af0f80d52ed8f50508dd2ec4cbcb0c2f89033782a5fde6625b3",
        "b837ec81f3154d605328c3e996cc968b79d47a8b595875bbc7689c53928b2409",
    ),
    (
        "tiny-llama3",
        "v2:2e922559abf1edb3517cda84b100fb219e6c0d18f62392221d4e4b888495f904",
        "336660bae1c613d29d5eb579261ad6904c7f1f7ae70bcc9104d9ff06f23ebb01",
    ),
    (
        "tiny-llama3.gguf",
        "v2:9be5cf03ba92b67dbea47180c8333773af9ae9101a7859847c21c92dc5f46415",
        "df82f16e69b17da8e56d5936cf5e62ed37399fd2261b02f8d512373f799d20dd",
    ),
    (
        "tiny-qwen2",
        "v2:63bcc9f381abc139eeb5dc2d51b2b9c8075fb591456a180231e55f0e79e792f4",
        "98c81ee754861e4e16f8ac65b9eef1a7c51f864bfec72adec0b8a01451c3837a",
    ),
    (
        "tiny-qwen2.gguf",
        "v2:585706088eacd1b4c5d8d83329c0a366c048a50a69a3040d13353611e9c2c026",
        "4e086e0c5163521d2bfa8734faa119c4be5671847b4fd147fbf8fafdb668f22a",
    ),
    (
        "tiny-qwen3",
        "v2:a72b343064749977b41a62ca2bbc758bd3e01d7267ecb510de179bc80b8e22f9",
        "d3f5f90feb794bf72ec1792757f0b9f51eebe962c5194f36e57ad615677c9446",
    ),
    (
        "tiny-qwen3.gguf",
        "v2:8585233a678fa00643135c049c70d704e96cacebfe60f6894ca20024e7d6fe0d",
        "860fa3592ea4788fb073daf501da5b50e8fb4c99290f672f464c42d87df061bc",
    ),
    (
        "tiny-gemma3",
        "v2:fd7099d97b79757d72a51f5ccc892a1e465687148884d8371932853aae11a381",
        "2a81601fbcc73b749e7a294c3eea50e12a93c75f8689db43bc4141457c03d1ca",
    ),
    (
        "tiny-gemma3.gguf",
        "v2:7081e2a17bfe4cde82c0ecb2b5c535a72088c4e1ec6152170fefd73f89dbcdb6",
        "c1e3ec9ab2f6d75735ff94cb631881615b0d3a9460d9918eedb8c9b334592a99",
    ),
    (
        "tiny-gpt2",
        "v2:0c3c18d4bff723f7e0a1c75f8563e1568e762bc493395b67f8ff148724462b2c",
        "7fbb18ee17837f6167b268a5e973f0b8e9afd8d35a3cff86434544cc2e345e6c",
    ),
    (
        "tiny-gpt2.gguf",
        "v2:80c5fbab2747228ae67002767af994593282ed697da47321fee5ca1bc767f704",
        "ec9fdf1837eafbbbc9490346fa2e32e36f0282022631fe6c8444714f535b324d",
    ),
    (
        "tiny-bert",
        "v2:a2dccd40ded0fe4fbd701950e44dae681e5ef96b2b986491d732f9461406cc91",
        "c2b5b45ca922d22adad3a8792f4e0675a901c128d2f1a52e5ffe1dee460597b4",
    ),
    (
        "tiny-distilbert",
        "v2:377507b324a9993e9f0cd7c406c6ea59ec4d7e9b8d582b6eb6e8fd98890170f4",
        "84425dc82128386658ba01becb2500e893d8c0a8cb602d9a147d3cc872d7cc97",
    ),
    (
        "tiny-roberta",
        "v2:da8533d05d65810f5d8ccd0a4eb27445010612828ab34bd6de63d6e5735a246b",
        "52dc3323fa011d12e3a5f74ccf745a587ead10b51bf95010cf581ef64e7bbcd9",
    ),
];

/// Adapter, and its fingerprint, which has been the same since commit 628fb1e.
const ADAPTERS: &[(&str, &str)] = &[
    ("tiny-lora", "9b8df72eb87eb0cd4f32b69ffd6654711d997e516e59552d8cf7ade409b8538c"),
    ("tiny-lora-patterns", "29cf6c6781dbe36e6416a01664ae4e72fb3a2bec82b04c7e1dbeb43be2c8cbc5"),
    ("tiny-adalora", "68c03f385aed70dae463f3dce46b63179a52212a1a034bafb402f1ba6a4dd8aa"),
    ("tiny-adalora-pruned", "46f9d661d845d6a53b44e21628496a0fde95783c02fca4c86744003b48c0faa5"),
];

#[test]
fn fingerprints_of_models_stay() {
    for (name, current, legacy) in MODELS {
        let model = load_tiny(name, DeviceRequest::Cpu);
        assert_eq!(model.fingerprint_like("0123"), *legacy, "{name}, version 1");
        assert_eq!(model.fingerprint(), *current, "{name}");
        assert_eq!(model.fingerprint_like("v2:0"), *current, "{name}");
    }
}

#[test]
fn fingerprints_of_adapters_stay() {
    for (name, print) in ADAPTERS {
        assert_eq!(LoraAdapter::read(&fixture(name)).unwrap().fingerprint(), *print, "{name}");
    }
}

fn policy(fingerprint: &str) -> Policy {
    let identity = ModelIdentity { name: "tiny".into(), fingerprint: fingerprint.into() };
    let tuned_on = TunedOn { first_pass_wer: 1.0, rescored_wer: 1.0, hashes: vec![] };
    let fusion = Fusion { lm_weight: 0.3, length_bonus: 0.0, margin: 0.0 };
    Policy::new(Normalization::Lower, fusion, ScoringConfig::default(), identity, None, tuned_on)
}

#[test]
fn policies_of_earlier_versions_are_for_their_model_and_no_other() {
    let (name, current, legacy) = MODELS[0];
    let model = Arc::new(load_tiny(name, DeviceRequest::Cpu));
    let open = |print: &str| SecondPass::from_policy(model.clone(), AdapterSet::default(), &policy(print));
    assert!(open(current).is_ok() && open(legacy).is_ok());
    let (_, other, other_legacy) = MODELS[1];
    for print in [other, other_legacy, "v3:0123456789", &current[3..], ""] {
        let error = open(print).err().unwrap_or_else(|| panic!("{print} is taken for {name}")).to_string();
        assert!(error.contains("the policy was tuned with model"), "{error}");
    }
}

#[test]
fn adapters_of_earlier_versions_are_for_their_model_and_no_other() {
    let (name, current, legacy) = MODELS[0];
    let model = load_tiny(name, DeviceRequest::Cpu);
    let marked = |print: &str| LoraAdapter {
        base_fingerprint: Some(print.into()),
        ..LoraAdapter::read(&fixture("tiny-lora")).unwrap()
    };
    for print in [current, legacy] {
        assert!(marked(print).attach(&model).is_ok(), "{print}");
    }
    let (_, other, other_legacy) = MODELS[1];
    for print in [other, other_legacy] {
        let error = marked(print).attach(&model).unwrap_err();
        assert!(matches!(error, Error::OtherBase { .. }), "{error}");
        let given = if print == other { current } else { legacy };
        assert!(error.to_string().contains(&given[..16]), "both in the same version: {error}");
    }
}
