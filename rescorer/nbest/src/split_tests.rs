use super::*;

/// The pieces of a text: key, text, line.
fn pieces(format: Format, layout: Layout, text: &'static str) -> Vec<(Option<String>, String, u64)> {
    let mut source = Source::new("x.json", text.as_bytes());
    let mut splitter = Splitter::new(format, layout);
    let mut found = Vec::new();
    while let Some(cut) = splitter.next(&mut source).unwrap() {
        found.push(match cut {
            Cut::Piece(piece) => (piece.key, String::from_utf8(piece.bytes).unwrap(), piece.line),
            Cut::Missing { line, keys } => (Some("missing".to_owned()), keys.join(","), line),
            Cut::Wrong { line, key, found, .. } => {
                (Some("wrong".to_owned()), format!("{key}: {found}"), line)
            }
        });
    }
    found
}

fn texts(layout: Layout, text: &'static str) -> Vec<String> {
    pieces(Format::Google, layout, text).into_iter().map(|(_, text, _)| text).collect()
}

#[test]
fn elements_end_at_their_own_brace() {
    let text = "[ {\"a\": \"}\\\"]\"} ,\n[[1], {}],\n7\n, \"b,\\\\\"]\n";
    let found = pieces(Format::HyporadiseJson, Layout::DOCUMENTS, text);
    let found: Vec<_> = found.iter().map(|(_, text, line)| (text.as_str(), *line)).collect();
    assert_eq!(found, [("{\"a\": \"}\\\"]\"}", 1), ("[[1], {}]", 2), ("7", 3), ("\"b,\\\\\"", 4)]);
}

#[test]
fn keys_are_unescaped() {
    let found = pieces(Format::EspnetJson, Layout::inside("{}"), "{\"a\\\"\\u0062\"\n: {}, \"\": {\n}}");
    assert_eq!(found[0], (Some("a\"b".to_owned()), "{}".to_owned(), 2));
    assert_eq!(found[1], (Some(String::new()), "{\n}".to_owned(), 2));
}

#[test]
fn lines_may_be_blank_and_the_last_unended() {
    let found = pieces(Format::Jsonl, Layout::LINES, "\r\n1\r\n  \n2");
    assert_eq!(found, [(None, "1".to_owned(), 2), (None, "2".to_owned(), 4)]);
}

#[test]
fn lists_of_lines_may_stand_in_a_document() {
    let pretty = "{\n\"a\": 1\n}\n{\"b\":\n2}";
    assert_eq!(texts(Layout::LINES, pretty), ["{\n\"a\": 1\n}", "{\"b\":\n2}"]);
    assert_eq!(texts(Layout::LINES, " [ {\"a\": 1}, {}]"), ["{\"a\": 1}", "{}"]);
    assert_eq!(texts(Layout::LINES, "[1]\n{}"), ["[1]", "{}"]);
    assert_eq!(texts(Layout::LINES, "{\"a\n{}"), ["{\"a", "{}"]);
}

#[test]
fn lists_deep_in_documents() {
    let inside = Layout::inside("a.b[]");
    let one =
        "{\"x\": {\"a\": [\"]\"]}, \"a\": {\"n\": 1, \"b\": [{\"c\": 1},\n[2]], \"m\": \"}\"}, \"y\": null}";
    assert_eq!(texts(inside, one), ["{\"c\": 1}", "[2]"]);
    let found = pieces(
        Format::Google,
        inside,
        "[{\"a\": {\"b\": [1]}},\n{\"a\": {\"b\": null}}, {\"c\": 1, \"d\": 2},\n{\"a\": 7}, []]",
    );
    let missing = |text: &str, line| (Some("missing".to_owned()), text.to_owned(), line);
    let wrong = |text: &str, line| (Some("wrong".to_owned()), text.to_owned(), line);
    assert_eq!(
        found,
        [
            (None, "1".to_owned(), 1),
            missing("c,d", 2),
            wrong("a: a number", 3),
            wrong("utterance: a list", 3)
        ]
    );
    assert_eq!(texts(Layout::inside("u{}"), "{\"u\": {\"k\": 1}}\n{\"u\": {\"l\": 2}}"), ["1", "2"]);
    assert_eq!(texts(Layout::LISTS, "[1]\n[2]"), ["[1]", "[2]"]);
    assert_eq!(texts(Layout { path: "[]", ..Layout::LISTS }, "[[1], [2]]"), ["[1]", "[2]"]);
}
