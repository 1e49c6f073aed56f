use super::*;

/// The format that a text is found to be, and whether it is certain.
fn verdict(text: &str) -> String {
    match examine(text.as_bytes(), None, false) {
        Verdict::Found(found) => found.format.to_string(),
        Verdict::Likely(found) => format!("likely {}", found.format),
        Verdict::Unclear => "unclear".to_owned(),
        Verdict::Empty => "empty".to_owned(),
    }
}

#[test]
fn the_first_key_that_tells_decides() {
    let cases = [
        (r#"{"id": "input", "hypotheses": "#, "jsonl"),
        (r#"{"meta": {"hypotheses": 1, "x": [{"hyp_1": 1}]}, "hypotheses""#, "jsonl"),
        (r#"[{"id": "a\"", "input": ["#, "hyporadise"),
        (r#"{"input": ["a"], "output": "a"}"#, "hyporadise"),
        (r#"{"u1": {"ref": "", "hyp_1""#, "am-json"),
        (r#"{"u1": {"ref": "hyp_1"#, "unclear"),
        (r#"[{"output": "a"}, "#, "unclear"),
        (r#"{"segments": [{"text": ""#, "likely whisper"),
        (r#"[{"segments": []}"#, "whisper"),
        (r#"{"alternatives": [{"transcript""#, "google"),
        (r#"{"alternatives": [{"confidence": 1, "text""#, "vosk"),
        (r#"{"results": [{"alternatives": [{"transcript""#, "google"),
        (r#"{"results": {"channels": [{"alternatives": [{"transcript""#, "deepgram"),
        (r#"{"partial": "a"}{"partial": "b"}"#, "unclear"),
        (r#"{"partial": "a"}{"alternatives": [{"text""#, "vosk"),
        (r#"{"text": "a", "segments": []}{"alternatives": [{"text""#, "whisper"),
        (r#"["a", "b"]"#, "beams"),
        (r#"[["a b", -1.5], ["#, "beams"),
        (r#"[1]"#, "unclear"),
        ("[ ]", "empty"),
        ("{\n}\n", "empty"),
    ];
    for (text, expected) in cases {
        assert_eq!(verdict(text), expected, "{text}");
    }
}

#[test]
fn paths_lead_to_keys() {
    let keys: Vec<_> = Keys::new(br#"[{"a": {"b": [{"c": 1}], "d": 2}}, {"e": "f"}]"#).collect();
    assert_eq!(keys, ["a", "a.b", "a.b[].c", "a.d", "e"]);
}
