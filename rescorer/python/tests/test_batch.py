"""Batches in columns."""

import pytest
import rescorer

from conftest import lists

NEW = ["text", "position", "changed", "confidence", "lm_scores", "totals"]


@pytest.fixture(scope="module")
def rows():
    return lists(30)


@pytest.fixture(scope="module")
def expected(rows, second_pass):
    return list(second_pass.rescore_many(rows))


def check(columns, expected):
    assert [str(text) for text in columns["rescored_text"]] == [r.text for r in expected]
    assert [int(position) for position in columns["rescored_position"]] == [r.position for r in expected]
    assert [bool(changed) for changed in columns["rescored_changed"]] == [r.changed for r in expected]
    for column, result in zip(columns["rescored_totals"], expected):
        assert list(column) == pytest.approx(result.totals.tolist(), abs=1e-4)


def test_dicts_frames_and_tables(second_pass, rows, expected):
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    for batch in (columns, pandas.DataFrame(columns), pyarrow.table(columns), pyarrow.RecordBatch.from_pydict(columns)):
        found = second_pass.map_batch(batch)
        assert list(found) == ["rescored_" + name for name in NEW]
        check(found, expected)


def test_datasets_map(second_pass, rows, expected):
    datasets = pytest.importorskip("datasets")
    mapped = datasets.Dataset.from_list(rows).map(second_pass.map_batch, batched=True, batch_size=7)
    assert mapped.column_names == ["id", "hypotheses"] + ["rescored_" + name for name in NEW]
    check(mapped[:], expected)


def test_bad_rows_raise_or_are_told(second_pass, rows):
    columns = {"hypotheses": [rows[0]["hypotheses"], [], rows[1]["hypotheses"]]}
    with pytest.raises(rescorer.InvalidList, match='utterance "row:1" has no hypotheses'):
        second_pass.map_batch(columns)
    found = second_pass.map_batch(columns, prefix="", return_exceptions=True)
    assert list(found) == NEW + ["error"]
    assert found["text"][1] is None and found["position"][1] is None and found["position"][0] is not None
    assert found["error"][0] is None and "has no hypotheses" in found["error"][1]
    assert second_pass.map_batch(columns | {"hypotheses": []})["rescored_text"] == []


def test_the_text_alone_and_deadlines(second_pass, rows, expected):
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    for asked in ({"text_only": True}, {"deadline": 60}):
        found = second_pass.map_batch(columns, prefix="", **asked)
        assert list(found) == ["text", "position", "changed"]
        assert found["text"] == [r.text for r in expected]
        assert found["position"].tolist() == [r.position for r in expected]
    none = second_pass.map_batch(columns, deadline=0)
    assert none["rescored_text"] == [row["hypotheses"][0]["text"] for row in rows]
    with pytest.raises(rescorer.SettingsError):
        second_pass.map_batch(columns, deadline=-1)


def test_what_is_no_batch(second_pass):
    with pytest.raises(ValueError, match=r"different lengths \(`input` 1, `id` 2\)"):
        second_pass.map_batch({"input": [["a"]], "id": ["u1", "u2"]})
    for batch in ([["a"]], 3, {"input": 3}):
        with pytest.raises(TypeError):
            second_pass.map_batch(batch)
