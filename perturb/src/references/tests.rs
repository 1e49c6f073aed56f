use super::*;
use crate::Normalization;

fn check(metric: impl Into<Metric>, pairs: &[(&str, &str)]) -> Vec<ReferenceFinding> {
    let mut check = ReferenceCheck::new(metric);
    for (number, (reference, hypothesis)) in pairs.iter().enumerate() {
        check.add(&format!("u{number}"), reference, hypothesis);
    }
    assert_eq!(check.utterances(), pairs.len());
    check.findings()
}

fn kinds(metric: impl Into<Metric>, pairs: &[(&str, &str)]) -> Vec<ReferenceKind> {
    check(metric, pairs).into_iter().map(|found| found.kind).collect()
}

fn of(reference: &str) -> Vec<ReferenceKind> {
    kinds(Metric::default(), &[(reference, reference)])
}

#[test]
fn scripts_without_spaces_want_characters() {
    let few = |unit| vec![ReferenceKind::FewSpaces(unit)];
    for text in [
        "请打开客厅的灯。",
        "駅までの道を教えてください",
        "ฉันอยากกินข้าวผัด",
        "ຂ້ອຍຢາກກິນເຂົ້າ",
        "ខ្ញុំចង់ញ៉ាំបាយ",
        "ငါထမင်းစားချင်တယ်",
    ] {
        assert_eq!(of(text), few(Unit::Character), "{text}");
        assert!(kinds(Metric { unit: Unit::Character, ..Metric::default() }, &[(text, text)]).is_empty());
    }
    assert_eq!(of("我用python写代码 for my boss"), few(Unit::Mixed));
}

#[test]
fn what_has_spaces_is_counted_by_words() {
    for text in [
        "turn it off",
        "请 打开 客厅 的 灯",
        "駅 まで の 道 を 教えて ください",
        "ฉัน อยาก กิน ข้าวผัด",
        "한국어는 띄어쓰기가 있습니다",
        "his name is 李小龙 and he was an actor in very many films",
        "",
        " ",
    ] {
        assert!(of(text).is_empty(), "{text}: {:?}", of(text));
    }
}

#[test]
fn composition_is_told_with_the_rate_it_would_be() {
    let apart = "le cafe\u{301} est ferme\u{301}";
    let pairs = [("le café est fermé", apart), ("à tout de suite", "à tout de suite")];
    let found = check(Metric::default(), &pairs);
    assert_eq!((found.len(), found[0].kind), (1, ReferenceKind::Composition));
    assert_eq!((found[0].utterances, found[0].example.utterance.as_str()), (1, "u0"));
    assert_eq!((found[0].rate, found[0].mended.unwrap().percent()), (Some(25.0), Some(0.0)));
    assert_eq!(kinds(Normalization::Lower, &pairs), [ReferenceKind::Composition]);
    assert!(kinds(Normalization::Nfc, &pairs).is_empty());
    assert!(kinds(Normalization::WhisperBasic, &pairs).is_empty());
    let characters = Metric { unit: Unit::Character, ..Metric::default() };
    assert_eq!(check(characters, &pairs)[0].mended.unwrap().percent(), Some(0.0));
    // Other words are other words, however they are written.
    assert!(kinds(Metric::default(), &[("le café", "le the\u{301}")]).is_empty());
}

#[test]
fn apostrophes_are_told() {
    let pairs = [("i don’t know", "i don't know"), ("it’s so", "it’s so")];
    let found = check(Metric::default(), &pairs);
    assert_eq!((found.len(), found[0].kind, found[0].utterances), (1, ReferenceKind::Apostrophes, 1));
    assert_eq!(found[0].mended.unwrap().errors, 0);
    assert!(kinds(Normalization::WhisperBasic, &pairs).is_empty());
}

#[test]
fn another_casing_of_all_references_is_told() {
    let capitals = [("TURN IT OFF", "Turn it off."), ("YES", "yes")];
    let found = check(Metric::default(), &capitals);
    assert_eq!((found.len(), found[0].kind, found[0].utterances), (1, ReferenceKind::Casing, 2));
    assert_eq!((found[0].rate, found[0].mended.unwrap().errors), (Some(100.0), 1));
    let small = [("turn it off", "Turn it off"), ("i am here", "I am here")];
    assert_eq!(kinds(Normalization::Nfc, &small), [ReferenceKind::Casing]);
    for normalize in [Normalization::Lower, Normalization::NfcLower, Normalization::WhisperBasic] {
        assert!(kinds(normalize, &capitals).is_empty(), "{normalize}");
    }
    // One of three, and texts that both have capitals and small letters.
    assert!(kinds(Metric::default(), &[small[0], ("no", "no"), ("yes", "yes")]).is_empty());
    assert!(kinds(Metric::default(), &[("Turn it off", "turn It off"), ("请", "请 a")]).is_empty());
}

#[test]
fn marks_are_read_as_sclite_does() {
    let pairs = [("we { are / were } (uh) late (s1-u07)", "we were late"), ("no", "yes")];
    let found = check(Metric::default(), &pairs);
    let kinds: Vec<ReferenceKind> = found.iter().map(|found| found.kind).collect();
    assert_eq!(kinds, [ReferenceKind::Marks, ReferenceKind::Ids]);
    let mended = found[0].mended.unwrap();
    assert_eq!((mended.errors, mended.reference_words), (1, 5));
    assert_eq!(found[0].rate, Some(100.0 * 7.0 / 10.0));
}

#[test]
fn vowel_signs_are_told_for_whisper_alone() {
    let pairs = [("मुझे हिन्दी आती है", "मुझे हिन्दी आती है")];
    for normalize in [Normalization::WhisperBasic, Normalization::WhisperEnglish] {
        assert_eq!(kinds(normalize, &pairs), [ReferenceKind::VowelSigns], "{normalize}");
    }
    for other in ["தமிழ் மொழி", "తెలుగు భాష", "ಕನ್ನಡ ಭಾಷೆ", "മലയാളം", "বাংলা ভাষা", "ગુજરાતી", "ਪੰਜਾਬੀ", "සිංහල"]
    {
        assert_eq!(
            kinds(Normalization::WhisperBasic, &[(other, other)]),
            [ReferenceKind::VowelSigns],
            "{other}"
        );
    }
    assert!(kinds(Normalization::Lower, &pairs).is_empty());
    assert!(kinds(Normalization::WhisperBasic, &[("Cafe\u{301}", "café")]).is_empty());
}
