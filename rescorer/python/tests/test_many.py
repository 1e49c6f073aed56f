"""Lists as they come."""

import itertools
import threading
import time

import numpy as np
import pytest
import rescorer


def test_windows_change_nothing(second_pass, make_lists):
    lists = make_lists(150)
    single = [second_pass.rescore(row) for row in lists]
    for window in (1, 7, 64, 1000):
        found = list(second_pass.rescore_many(lists, window=window))
        assert [r.utterance for r in found] == [row["id"] for row in lists]
        assert [r.position for r in found] == [r.position for r in single]
        for a, b in zip(found, single):
            np.testing.assert_allclose(a.totals, b.totals, atol=1e-4)


def test_a_stream_without_end_is_read_a_window_at_a_time(second_pass):
    read = itertools.count()
    results = second_pass.rescore_many((["a cat", f"a hat {next(read)}"] for _ in itertools.repeat(0)), window=8)
    assert iter(results) is results
    assert next(read) == 0
    assert [r.utterance for r in itertools.islice(results, 3)] == ["list:0", "list:1", "list:2"]
    assert next(read) == 9


def test_window_one_answers_before_the_next_is_read(second_pass):
    events = []

    def lists():
        for number in range(3):
            events.append(f"read {number}")
            yield ["a cat", "a hat"]

    for number, _ in enumerate(second_pass.rescore_many(lists(), window=1)):
        events.append(f"answered {number}")
    assert events == [f"{what} {n}" for n in range(3) for what in ("read", "answered")]


def test_what_the_iterator_raises_comes_after_the_results_before(second_pass):
    def lists():
        yield ["a cat"]
        yield ["a hat"]
        raise KeyError("the disk is gone")

    results = second_pass.rescore_many(lists())
    assert [next(results).text, next(results).text] == ["a cat", "a hat"]
    with pytest.raises(KeyError, match="the disk is gone"):
        next(results)
    assert list(results) == []


def test_an_interrupt_is_not_held_back(second_pass):
    def lists():
        yield ["a cat"]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        next(second_pass.rescore_many(lists()))


def test_a_bad_list_raises_or_stands_in_its_place(second_pass):
    lists = [["a cat"], [], {"id": "u3", "hypotheses": [{"text": "a", "score": float("nan")}]}, 3, ["so " * 500, "so"], ["a hat"]]
    results = second_pass.rescore_many(lists)
    assert next(results).text == "a cat"
    with pytest.raises(rescorer.InvalidList, match='utterance "list:1" has no hypotheses; remove it, or pass return_exceptions=True'):
        next(results)
    assert list(results) == []

    for window in (1, 3, 64):
        found = list(second_pass.rescore_many(lists, window=window, return_exceptions=True))
        assert [type(r).__name__ for r in found] == ["Result"] + ["InvalidList"] * 4 + ["Result"]
        assert found[5].text == "a hat"
        assert '"u3": `hypotheses[0].score` is NaN, expected a number; mend it, or pass return_exceptions=True' in str(found[2])
        assert 'utterance "list:3" is a number, no list' in str(found[3])
        assert "the model's context is 128" in str(found[4])


def test_other_threads_run_meanwhile(second_pass, make_lists):
    lists = make_lists(2000, hypotheses=20, words=12)
    counted, stop = itertools.count(), threading.Event()

    def count():
        while not stop.is_set():
            next(counted)
            time.sleep(0)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        rows = second_pass.rescore_many(lists, window=2000)
        next(rows)
    finally:
        stop.set()
        thread.join()
    assert next(counted) > 100


def test_threads_share_a_rescorer(second_pass, make_lists):
    lists = make_lists(40)
    expected = [r.position for r in second_pass.rescore_many(lists)]
    found = {}

    def work(number):
        found[number] = [second_pass.rescore(row).position for row in lists]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert all(found[n] == expected for n in range(4))


def test_scores_are_an_array(second_pass):
    texts = [f"the cat sat on the mat {n}" for n in range(700)]
    scores = second_pass.score(iter(texts))
    assert scores.dtype == np.float64 and scores.shape == (700,) and (scores < 0).all()
    assert second_pass.score([]).shape == (0,)
    np.testing.assert_allclose(scores[690:], second_pass.score(texts[690:]), rtol=1e-5)
    with pytest.raises(TypeError, match="put the one into a list"):
        second_pass.score("a cat")
    with pytest.raises(rescorer.InvalidList, match="text 1 is of type <class 'int'>; give str alone"):
        second_pass.score(["a", 1])
