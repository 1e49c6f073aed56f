"""Rescores files of N-best lists on all machines of a Ray cluster.

    python rescore.py lists/*.parquet --output rescored --policy policy.toml --precision int8 --workers 8

Reads Parquet or JSON Lines whose columns have the names of one of the formats (`hypotheses`, `input`, ...), and writes them with
the columns of `Rescorer.map_batch` behind: `rescored_text`, `rescored_position`, ... A worker that dies is started anew, and the
batches it had are given out again; a file appears when the rows in it are done, so every list comes out once.
"""

import argparse

import pyarrow as pa
import ray
import rescorer

# So that batches without a row, and rows that could not be rescored, have the same types as others.
TYPES = {
    "text": pa.string(),
    "position": pa.int64(),
    "changed": pa.bool_(),
    "confidence": pa.float64(),
    "lm_scores": pa.list_(pa.float64()),
    "totals": pa.list_(pa.float64()),
    "error": pa.string(),
}


class SecondPass:
    """One worker: a process with a model of its own."""

    def __init__(self, threads, return_exceptions, arguments):
        rescorer.set_threads(threads)
        self.return_exceptions = return_exceptions
        self.rescorer = rescorer.Rescorer.from_pretrained(**arguments)

    def __call__(self, table):
        columns = self.rescorer.map_batch(table, prefix="", return_exceptions=self.return_exceptions)
        for name, column in columns.items():
            table = table.append_column("rescored_" + name, pa.array(column, TYPES[name]))
        return table


def rescored(paths, arguments, workers=2, threads=1, batch=64, return_exceptions=False, worker=SecondPass):
    """The rows of the files with their answers, as a Ray dataset that is computed when it is written."""
    read = ray.data.read_parquet if all(path.endswith(".parquet") for path in paths) else ray.data.read_json
    return read(paths).map_batches(
        worker,
        fn_constructor_args=(threads, return_exceptions, arguments),
        batch_size=batch,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=threads,
        # Whatever kills a worker, its batches are tried again in another.
        max_restarts=-1,
        max_task_retries=-1,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lists", nargs="+", help="files that all workers can read, .parquet or .jsonl")
    parser.add_argument("--output", required=True, help="folder for the answers")
    parser.add_argument("--to", choices=["parquet", "json"], default="parquet", help="format of the answers")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--policy", help="file that `rescorer tune` wrote; or give --lm-weight")
    parser.add_argument("--lm-weight", type=float)
    parser.add_argument("--adapter")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=2, help="processes, each with a model in memory")
    parser.add_argument("--threads", type=int, default=1, help="threads of a worker, and the CPUs it takes of the cluster")
    parser.add_argument("--batch", type=int, default=64, help="lists that a worker is given at a time")
    parser.add_argument("--skip-invalid", action="store_true", help="say in the column rescored_error what is wrong with a list")
    args = parser.parse_args()
    names = ["model", "policy", "lm_weight", "adapter", "precision", "device"]
    arguments = {name: getattr(args, name) for name in names}
    # What is wrong with the arguments is said here, once, and not by every worker.
    rescorer.Rescorer.from_pretrained(**arguments)
    ray.init(log_to_driver=False)
    there, taken = int(ray.cluster_resources().get("CPU", 0)), args.workers * args.threads
    if taken >= there:
        parser.error(f"{args.workers} workers take {taken} of {there} CPUs, and reading and writing need one: give fewer --workers")
    answers = rescored(args.lists, arguments, args.workers, args.threads, args.batch, args.skip_invalid)
    {"parquet": answers.write_parquet, "json": answers.write_json}[args.to](args.output)


if __name__ == "__main__":
    main()
