//! One bad input for each error, with the message that the user gets.
#![allow(clippy::unwrap_used)]

use rescorer_nbest::{Error, Format, ReadOptions, Reader, Readers};

/// Reads `text` as the file `name` to the end: ids of the utterances read, and the errors.
fn read_as(format: Option<Format>, name: &str, text: impl AsRef<[u8]>) -> (Vec<String>, Vec<Error>) {
    let input = std::io::Cursor::new(text.as_ref().to_vec());
    let reader = match Reader::from_read(name, input, &ReadOptions::default().with_format(format)) {
        Ok(reader) => reader,
        Err(error) => return (vec![], vec![error]),
    };
    let (mut ids, mut errors) = (vec![], vec![]);
    for item in reader {
        match item {
            Ok(utterance) => ids.push(utterance.id),
            Err(error) => errors.push(error),
        }
    }
    (ids, errors)
}

/// A native file with a bad second line: the error, which must leave the lines around it readable.
fn bad_line(line: impl AsRef<[u8]>) -> String {
    let good =
        |id: &str| format!("{{\"id\": \"{id}\", \"hypotheses\": [{{\"text\": \"a\"}}]}}\n").into_bytes();
    let text = [good("u1"), line.as_ref().to_vec(), b"\n".to_vec(), good("u3")].concat();
    let (ids, errors) = read_as(None, "nbest.jsonl", text);
    assert_eq!(ids, ["u1", "u3"]);
    recoverable(errors)
}

/// The same for the second element of an array.
fn bad_element(element: &str) -> String {
    let text = format!(
        "[\n{{\"id\": \"u1\", \"input\": [\"a\"]}},\n{element},\n{{\"id\": \"u3\", \"input\": [\"a\"]}}\n]\n"
    );
    let (ids, errors) = read_as(None, "whisper.json", text);
    assert_eq!(ids, ["u1", "u3"]);
    recoverable(errors)
}

/// The same for the second value of an object.
fn bad_value(value: &str) -> String {
    let good = "{\"ref\": \"a\", \"hyp_1\": {\"score\": -1, \"text\": \"a\"}}";
    let text = format!("{{\n\"u1\": {good},\n\"u2\": {value},\n\"u3\": {good}\n}}\n");
    let (ids, errors) = read_as(None, "dev.am.json", text);
    assert_eq!(ids, ["u1", "u3"]);
    recoverable(errors)
}

fn recoverable(errors: Vec<Error>) -> String {
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].is_recoverable());
    errors[0].to_string()
}

/// The error that ends the reading, and how many utterances came before it.
fn fatal(name: &str, text: impl AsRef<[u8]>) -> (usize, String) {
    fatal_as(None, name, text)
}

fn fatal_as(format: Option<Format>, name: &str, text: impl AsRef<[u8]>) -> (usize, String) {
    let (ids, errors) = read_as(format, name, text);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(!errors[0].is_recoverable());
    (ids.len(), errors[0].to_string())
}

#[test]
fn lines_that_are_no_json() {
    assert_eq!(
        bad_line("{\"id\": \"u2\", \"hypotheses\": [}"),
        "nbest.jsonl:2: the utterance is not valid JSON, column 29: expected value; \
         mend the line"
    );
    assert_eq!(
        bad_line("{\"id\": \"u2\","),
        "nbest.jsonl:2: the utterance is not valid JSON, column 12: the line ends inside the utterance, \
         but one line is to hold it all; mend the line"
    );
    assert_eq!(
        bad_line(b"{\"id\": \"u2\", \"hypotheses\": [{\"text\": \"caf\xE9\"}]}"),
        "nbest.jsonl:2: the utterance is not valid UTF-8; convert the file (iconv -t UTF-8)"
    );
    assert_eq!(
        bad_line("{\"id\": \"u2\", \"hypotheses\": [{\"text\": \"a\", \"text\": \"b\"}]}"),
        "nbest.jsonl:2: the utterance has the key `text` twice in one object; keep one"
    );
    // Nesting beyond what the parser allows.
    assert!(bad_line("[".repeat(100_000)).contains("recursion limit exceeded"));
}

#[test]
fn scores_that_are_no_numbers() {
    let line = |score: &str| {
        bad_line(format!("{{\"id\": \"u2\", \"hypotheses\": [{{\"text\": \"a\", \"score\": {score}}}]}}"))
    };
    for (value, found) in [("NaN", "NaN"), ("-Infinity", "infinite"), ("1e999", "infinite")] {
        let message = format!(
            "nbest.jsonl:2: utterance \"u2\": `hypotheses[0].score` is {found}, expected a number; \
             mend it"
        );
        assert_eq!(line(value), message);
    }
    let comma = line("\"-1,5\"");
    assert!(comma.contains("is a string with a decimal comma, expected a number; mend it"), "{comma}");
    assert_eq!(
        line("\"-1\""),
        "nbest.jsonl:2: utterance \"u2\": `hypotheses[0].score` is a string, expected a number; \
         mend it"
    );
    assert_eq!(
        bad_element("{\"input\": [\"a\", \"b\"], \"score\": [-1, null]}"),
        "whisper.json:3: utterance \"whisper:1\": `score[1]` is null, expected a number; mend it"
    );
    assert_eq!(
        bad_element("{\"id\": \"u2\", \"input\": [\"a\", \"b\"], \"am_score\": [-1]}"),
        "whisper.json:3: utterance \"u2\" has 2 hypotheses but 1 scores in `am_score`; \
         mend it"
    );
    assert!(bad_element("{\"input\": [\"a\"], \"score\": [NaN]}").contains("`score[0]` is NaN"));
    assert!(
        bad_value("{\"hyp_1\": {\"text\": \"a\", \"score\": 1e999}}")
            .contains("utterance \"u2\": `hyp_1.score` is infinite")
    );
}

#[test]
fn lists_that_are_no_lists() {
    assert_eq!(
        bad_line("{\"id\": \"u2\", \"hypotheses\": []}"),
        "nbest.jsonl:2: utterance \"u2\" has no hypotheses; remove it"
    );
    assert!(
        bad_element("{\"id\": \"u2\", \"input\": []}")
            .starts_with("whisper.json:3: utterance \"u2\" has no hyp")
    );
    assert!(bad_value("{\"ref\": \"a\"}").starts_with("dev.am.json:3: utterance \"u2\" has no hypotheses"));
    assert_eq!(
        bad_line("{\"id\": \"u2\", \"hypotheses\": [{\"text\": \"a\"}, {\"text\": \"b\", \"score\": 0}]}"),
        "nbest.jsonl:2: utterance \"u2\" mixes hypotheses with a score (position 1) and without (position 0); \
         score all or none"
    );
    assert_eq!(
        bad_value("{\"hyp_3\": {\"text\": \"a\"}, \"hyp_1\": {\"text\": \"b\"}}"),
        "dev.am.json:3: utterance \"u2\" has `hyp_3` where `hyp_2` should be; \
         number the hypotheses from hyp_1 without gaps"
    );
    assert!(bad_value("{\"hyp_0\": {\"text\": \"a\"}}").contains("has `hyp_0` where `hyp_1` should be"));
    assert!(
        bad_value("{\"hyp_1\": {\"text\": \"a\"}, \"hyp_01\": {\"text\": \"b\"}}")
            .contains("has `hyp_01` where `hyp_2`")
    );
}

#[test]
fn fields_that_are_missing_or_of_another_type() {
    assert_eq!(
        bad_line("{\"text\": \"a\"}"),
        "nbest.jsonl:2: utterance \"nbest:1\" has no field `hypotheses`; add it"
    );
    assert!(bad_line("{\"hypotheses\": [{\"score\": 1}]}").contains("has no field `hypotheses[0].text`"));
    assert!(
        bad_line("{\"hypotheses\": [7]}").contains("`hypotheses[0]` is a number, expected an object with")
    );
    assert!(
        bad_line("{\"id\": 7.5, \"hypotheses\": []}")
            .contains("the utterance: `id` is a number, expected a string or a whole number")
    );
    assert!(bad_line("{\"id\": \"\", \"hypotheses\": []}").contains("`id` is an empty string"));
    assert!(bad_line("[1]").contains("the utterance: `utterance` is a list, expected an object"));
    assert!(bad_line("7").contains("is a number, expected an object"));
    assert_eq!(
        bad_element("{\"id\": \"u2\", \"input\": \"a\"}"),
        "whisper.json:3: utterance \"u2\": `input` is a string, expected a list of hypotheses, each a string; \
         mend it"
    );
    assert!(bad_element("{\"input\": [7]}").contains("`input[0]` is a number, expected a string"));
    assert!(bad_element("\"a, ]\"").contains("is a string, expected an object"));
    assert!(
        bad_value("{\"hyp_1\": \"a\"}").contains("utterance \"u2\": `hyp_1` is a string, expected an object")
    );
    assert!(bad_value("null").contains("utterance \"u2\": `utterance` is null, expected an object"));
}

#[test]
fn utterances_of_another_format() {
    assert_eq!(
        bad_line("{\"input\": [\"a\"], \"output\": \"a\"}"),
        "nbest.jsonl:2: utterance \"nbest:1\" looks like hyporadise, but the file is read as jsonl; \
         one file holds one format, which can be named"
    );
    assert!(
        bad_element("{\"hypotheses\": []}").contains("looks like jsonl, but the file is read as hyporadise")
    );
    assert!(
        bad_value("{\"input\": [\"a\"]}").contains("looks like hyporadise, but the file is read as am-json")
    );
    let (ids, errors) = read_as(None, "beams.json", "[\"a\", \"b\"]\n{\"input\": [\"a\"]}\n[\"c\"]\n");
    assert_eq!(ids, ["beams:0", "beams:2"]);
    assert!(recoverable(errors).contains("looks like hyporadise, but the file is read as beams"));
}

#[test]
fn ids_that_repeat() {
    assert_eq!(
        bad_line("{\"id\": \"u1\", \"hypotheses\": [{\"text\": \"b\"}]}"),
        "nbest.jsonl:2: utterance \"u1\" has an id that an earlier utterance has; \
         ids must be unique over all files: rename it"
    );
}

#[test]
fn files_without_a_format() {
    assert_eq!(fatal("a.json", ""), (0, "a.json is empty: it holds no utterance".to_owned()));
    for text in ["\u{FEFF}\r\n \n", "[ ]", "{}"] {
        assert!(fatal("a.json", text).1.contains("is empty"), "{text:?}");
    }
    for (format, text) in [(Format::Jsonl, "\n"), (Format::HyporadiseJson, "[]"), (Format::EspnetJson, "{ }")]
    {
        assert!(fatal_as(Some(format), "a.json", text).1.contains("is empty"), "{text:?}");
    }
    assert_eq!(
        fatal("a.txt", "u1 a cat\n").1,
        format!(
            "cannot tell the format of a.txt: it begins with \"u1 a cat\"; \
             name the format ({}), or write each list as a line \
             {{\"id\": \"u1\", \"hypotheses\": [{{\"text\": \"...\", \"score\": -1.5}}]}}",
            Format::ALL.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
        )
    );
    let message = fatal("a.json", "{\"results\": {\"alternatives\": [{\"words\": \"a\"}]}}\n").1;
    assert_eq!(
        message,
        "cannot tell the format of a.json: it begins with a JSON object with the keys `results`, `results.alternatives`, \
         `results.alternatives[].words`; no known shape has these; the nearest are vosk (`alternatives`), google \
         (`results[].alternatives[].transcript`), deepgram (`results.channels[].alternatives[].transcript`). Or write each list as a \
         line {\"id\": \"u1\", \"hypotheses\": [{\"text\": \"...\", \"score\": -1.5}]}"
    );
}

#[test]
fn documents_that_are_broken() {
    let cut = "[\n{\"input\": [\"a\"]},\n{\"input\": [\"a\", \"b";
    let message = "a.json:3: broken hyporadise document: expected the end of the utterance, found the end of the file: \
                   it is cut short, or a quote is missing; everything from here on is unread";
    assert_eq!(fatal("a.json", cut), (1, message.to_owned()));
    let cases = [
        ("[{\"input\": [\"a\"]}", "a.json:1", "expected `,` before the next utterance or", "cut short"),
        (
            "[{\"input\": [\"a\"]}\n{\"input\"",
            "a.json:2",
            "expected `,` before the next utterance or",
            "found `{`",
        ),
        ("[{\"input\": [\"a\"]},\n]", "a.json:2", "expected an utterance", "found `]`"),
        ("[{\"input\": [\"a\"]}]\n{\"id\"", "a.json:2", "expected the end of the file", "found `{`"),
        (
            "{\"a\": {\"hyp_1\": {\"text\": \"a\"}},\né",
            "a.json:2",
            "expected the id of an utterance",
            "found `é`",
        ),
        ("{\"a\": {\"hyp_1\": {\"text\": \"a\"}},\n\"\\x\": 1}", "a.json:2", "expected a valid id", "found"),
        ("{\"a\": {\"hyp_1\": {\"text\": \"a\"}},\n\"b\" {", "a.json:2", "expected `:`", "found `{`"),
        (
            "{\"a\": {\"hyp_1\": {\"text\": \"a\"}},\n\"b",
            "a.json:2",
            "expected a valid id",
            "the end of the file",
        ),
        (
            "[{\"input\": [\"a\"]},\n{\"input\":\n[\"a\" \"b\"]}]",
            "a.json:3",
            "expected valid JSON",
            "in column 6 (expected `,`",
        ),
    ];
    for (text, place, expected, found) in cases {
        let (before, message) = fatal("a.json", text);
        assert_eq!(before, 1, "{message}");
        assert!(
            message.starts_with(place) && message.contains(expected) && message.contains(found),
            "{message}"
        );
    }
}

#[test]
fn inputs_that_cannot_be_read() {
    struct Broken(bool);
    impl std::io::Read for Broken {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(std::io::Error::other("the disk is gone"));
            }
            let line = b"{\"hypotheses\": [{\"text\": \"a\"}]}\n";
            to[..line.len()].copy_from_slice(line);
            Ok(line.len())
        }
    }
    let mut reader = Reader::from_read("a.jsonl", Broken(false), &ReadOptions::default()).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().id, "a:0");
    assert_eq!(
        reader.next().unwrap().unwrap_err().to_string(),
        "a.jsonl:2: cannot read on: the disk is gone"
    );
    assert!(reader.next().is_none());

    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().display().to_string();
    let missing = folder.path().join("no.jsonl");
    let error = Readers::new(["-".into(), missing.clone()], &ReadOptions::default()).unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot open {}: ", missing.display())));
    assert!(matches!(Reader::open(&missing, &ReadOptions::default()), Err(Error::Open { .. })));
    let error = Reader::open(folder.path(), &ReadOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot read {name}: it is a folder, and holds no lists that are known (ESPnet's have \
             logdir/output.1/1best_recog/text, Kaldi's words_text of nbest-to-linear or archives.1, NeMo's a .tsv and a manifest, \
             SRILM's a list in every file); name a file, or a folder like these"
        )
    );
}
