use std::path::{Path, PathBuf};
use std::time::Instant;

use super::*;
use crate::tokenizer::{Tokenizer, from_gguf};
use crate::weights::Gguf;

const MODELS: [&str; 3] = ["pieces-llama", "pieces-gemma", "pieces-unknown"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name)
}

fn open(name: &str) -> Gguf {
    Gguf::open(&fixture(&format!("{name}.gguf"))).unwrap()
}

/// Texts, with what the sentencepiece library makes of each.
fn texts() -> Vec<serde_json::Value> {
    serde_json::from_slice(&std::fs::read(fixture("pieces.json")).unwrap()).unwrap()
}

fn check(tokenizer: &Tokenizer, expected: &[serde_json::Value], key: &str) {
    let spelled = |ids: &[u32]| ids.iter().map(|id| tokenizer.piece(*id).unwrap()).collect::<Vec<_>>();
    for entry in expected {
        let text = entry["text"].as_str().unwrap();
        let expected: Vec<u32> = serde_json::from_value(entry[key].clone()).unwrap();
        let found = tokenizer.encode(text).unwrap();
        assert_eq!(found, expected, "{key}, {text:?}: {:?}, {:?}", spelled(&found), spelled(&expected));
    }
}

#[test]
fn ids_are_those_of_the_sentencepiece_library() {
    for name in MODELS {
        let tokenizer = from_gguf(&open(name)).unwrap();
        assert_eq!((tokenizer.bos(), tokenizer.eos()), (Some(1), Some(2)), "{name}");
        check(&tokenizer, &texts(), name);
    }
}

#[test]
fn an_exported_vocabulary_gives_the_same_ids() {
    for name in MODELS {
        let pieces = Pieces::from_gguf(&open(name)).unwrap();
        let mut library = pieces.to_library().unwrap();
        library.set_encode_special_tokens(true);
        for entry in texts() {
            let text = entry["text"].as_str().unwrap();
            // The library knows user-defined pieces as they are written, and this one has another space.
            if text.contains(SPACE) {
                continue;
            }
            let ids = library.encode_fast(text, false).unwrap().get_ids().to_vec();
            assert_eq!(ids, pieces.encode(text), "{name}, {text:?}");
        }
    }
}

#[test]
fn an_exported_vocabulary_gives_the_text_back() {
    let library = Pieces::from_gguf(&open("pieces-llama")).unwrap().to_library().unwrap();
    for text in ["the cat sat", " it's 東京 🙂 "] {
        let ids = library.encode_fast(text, false).unwrap().get_ids().to_vec();
        assert_eq!(library.decode(&ids, true).unwrap(), text);
    }
}

/// Pieces with their types; scores fall from piece to piece.
fn small(pieces: &[(&str, i128)]) -> Result<Pieces, String> {
    let (tokens, kinds): (Vec<&str>, Vec<i128>) = pieces.iter().copied().unzip();
    let scores = (0..tokens.len()).map(|id| -(id as f32)).collect();
    Pieces::new(&tokens, scores, &kinds, None, false)
}

#[test]
fn the_highest_score_is_joined_first_then_the_leftmost() {
    let pieces =
        small(&[("<unk>", 2), ("bc", 1), ("ab", 1), ("aa", 1), ("a", 1), ("b", 1), ("c", 1)]).unwrap();
    assert_eq!(pieces.encode("abc"), [4, 1]);
    assert_eq!(pieces.encode("aaa"), [3, 4]);
    assert_eq!(pieces.encode("aab"), [4, 2]);
    assert_eq!(pieces.encode("xaxxa"), [0, 4, 0, 4], "a run of unknown characters is one token");
}

#[test]
fn vocabularies_that_do_not_fit_are_refused() {
    let refused = |pieces: &[(&str, i128)], part: &str| {
        let reason = small(pieces).err().unwrap();
        assert!(reason.contains(part), "{reason}");
    };
    refused(&[("a", 1)], "neither tokens for all 256 bytes nor one for unknown characters");
    refused(&[("a", 1), ("b", 7)], "token 1 has the type 7");
    refused(&[("<unk>", 2), ("", 4)], "token 1 is user-defined and empty");
    refused(&[("<0x1>", 6)], "byte token 0 is \"<0x1>\"; it should be like <0x0A>");
    let new = |scores: &[f32], unknown| Pieces::new(&["<unk>"], scores.to_vec(), &[2], unknown, true);
    assert_eq!(new(&[0.0, 1.0], None).err().unwrap(), "2 scores for 1 tokens");
    assert_eq!(new(&[f32::NAN], None).err().unwrap(), "the score of token 0 is not a number");
    assert!(new(&[0.0], Some(1)).err().unwrap().contains("unknown_token_id is 1, there are 1 tokens"));
}

#[test]
fn a_wrong_byte_is_an_answer_and_no_panic() {
    let bytes = std::fs::read(fixture("pieces-gemma.gguf")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flipped.gguf");
    for at in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        std::fs::write(&path, &changed).unwrap();
        let Ok(gguf) = Gguf::open(&path) else { continue };
        if let Ok(tokenizer) = from_gguf(&gguf) {
            tokenizer.encode("the  cat <h1> 東京 🙂").unwrap();
        }
    }
}

/// A hundred thousand characters as one word: quadratic time would be minutes.
#[test]
fn long_texts_take_no_longer_than_their_length() {
    let pieces = Pieces::from_gguf(&open("pieces-llama")).unwrap();
    let text = "thecatsatonthemat".repeat(6000);
    let start = Instant::now();
    let ids = pieces.encode(&text);
    assert!(ids.len() < text.len());
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

/// A real vocabulary. `make_pieces.py` of the fixtures writes the ids that the sentencepiece library gives.
#[test]
#[ignore = "needs RESCORER_TEST_PIECES, a GGUF file, and RESCORER_TEST_PIECES_IDS, what make_pieces.py writes for it"]
fn a_real_vocabulary() {
    let [path, ids] = ["RESCORER_TEST_PIECES", "RESCORER_TEST_PIECES_IDS"]
        .map(|name| std::env::var(name).unwrap_or_else(|_| panic!("set {name}")));
    let start = Instant::now();
    let gguf = Gguf::open(path.as_ref()).unwrap();
    let header = start.elapsed();
    let tokenizer = from_gguf(&gguf).unwrap();
    println!("{} tokens: header {header:?}, in all {:?}", tokenizer.vocab_size(), start.elapsed());
    let expected: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(ids).unwrap()).unwrap();
    let start = Instant::now();
    check(&tokenizer, &expected, "ids");
    println!("{} texts in {:?}", expected.len(), start.elapsed());
}
