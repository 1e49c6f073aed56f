"""The batch job on a local Ray cluster: two workers, one of which is killed in the middle."""

import json
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

from conftest import MODEL, ROOT, lists

ray = pytest.importorskip("ray")
pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

sys.path.insert(0, str(ROOT / "examples" / "ray"))
from rescore import SecondPass, rescored  # noqa: E402

LISTS, FILES = 3000, 10
ARGUMENTS = {"model": str(MODEL), "lm_weight": 0.5, "device": "cpu", "precision": "f32"}


class Watched(SecondPass):
    """Leaves a file for its process, and one for every batch; slow enough to be killed in the middle."""

    folder = ""

    def __init__(self, folder, *rest):
        super().__init__(*rest)
        self.folder = folder
        open(os.path.join(folder, f"worker-{os.getpid()}"), "w").close()

    def __call__(self, table):
        answered = super().__call__(table)
        time.sleep(0.1)
        open(os.path.join(self.folder, f"batch-{os.getpid()}-{time.time_ns()}"), "w").close()
        return answered


@pytest.fixture(scope="module")
def cluster():
    paths = [str(ROOT / "examples" / "ray"), os.path.dirname(__file__), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {"env_vars": {"PYTHONPATH": os.pathsep.join(paths)}}
    # Ray's processes are the last that get a turn, which is never where others keep all cores busy.
    os.environ.setdefault("RAY_worker_niceness", "0")
    # Two workers, and room for the tasks that read and write.
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, runtime_env=environment)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


def kill_one(folder, killed):
    """Kills the worker of the first batch once a quarter of the batches is done."""
    while True:
        names = os.listdir(folder)
        batches = [name.split("-")[1] for name in names if name.startswith("batch-")]
        if len(batches) >= LISTS / 64 / 4:
            os.kill(int(batches[0]), signal.SIGKILL)
            killed.append((int(batches[0]), len(batches)))
            return
        time.sleep(0.02)


def test_every_list_comes_out_once_though_a_worker_is_killed(cluster, second_pass, tmp_path):
    rows = lists(LISTS)
    watched, out = tmp_path / "watched", tmp_path / "out"
    watched.mkdir()
    per_file = LISTS // FILES
    for number in range(FILES):
        table = pyarrow.Table.from_pylist(rows[number * per_file : (number + 1) * per_file])
        parquet.write_table(table, tmp_path / f"lists-{number:02}.parquet")

    class Here(Watched):
        def __init__(self, *rest):
            super().__init__(str(watched), *rest)

    killed = []
    killer = threading.Thread(target=kill_one, args=(watched, killed), daemon=True)
    killer.start()
    paths = sorted(str(path) for path in tmp_path.glob("lists-*.parquet"))
    rescored(paths, ARGUMENTS, workers=2, batch=64, worker=Here).write_parquet(str(out))
    killer.join(1)

    answers = parquet.read_table(out).to_pylist()
    expected = {result.utterance: result for result in second_pass.rescore_many(rows)}
    found = {row["id"]: row for row in answers}
    other = sum(row["rescored_position"] != expected[row["id"]].position for row in answers)
    largest = max(
        np.abs(np.array(row[column]) - getattr(expected[row["id"]], name)).max()
        for row in answers
        for column, name in (("rescored_lm_scores", "lm_scores"), ("rescored_totals", "totals"))
    )
    workers = {name.split("-")[1] for name in os.listdir(watched) if name.startswith("worker-")}
    print(
        f"\nlists in {LISTS}, out {len(answers)}, duplicates {len(answers) - len(found)}, differing choices {other}, "
        f"largest score difference {largest:.1e}; killed worker {killed} (process, batches done), {len(workers)} processes in all"
    )
    assert killed and len(workers) >= 3, "no worker was killed and replaced"
    assert len(answers) == len(found) == LISTS and set(found) == set(expected)
    assert other == 0 and largest <= 1e-4
    assert all(row["rescored_text"] == expected[row["id"]].text for row in answers)


def test_json_lines_with_a_bad_list(cluster, second_pass, tmp_path):
    rows = lists(50)
    rows[7]["hypotheses"] = []
    file = tmp_path / "lists.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    rescored([str(file)], ARGUMENTS, return_exceptions=True).write_json(str(tmp_path / "out"))
    lines = [line for path in (tmp_path / "out").iterdir() for line in path.read_text().splitlines()]
    answers = {row["id"]: row for row in map(json.loads, lines)}
    assert len(lines) == len(answers) == 50
    assert "has no hypotheses" in answers["u7"]["rescored_error"] and answers["u7"]["rescored_text"] is None
    assert answers["u8"]["rescored_text"] == second_pass.rescore(rows[8]).text
