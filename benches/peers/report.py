"""Medians and ratios over rounds, agreement of scores, WER, sharing; the table and the JSON object."""

from statistics import median

from fusion import Judged, wer, wer_of
from lists import sharing
from rounds import ANSWERS, label, modes
from store import difference

REFERENCE = "torch-f32"
BASES = ("torch-f32", "torch-bf16")
QUIET = 0.1  # share of the processor that others may use before a round
AGREES = 1e-3  # f32 against f32, mean per token: other orders of summation, nothing more


def spread(values):
    return {"median": median(values), "min": min(values), "max": max(values), "n": len(values)} if values else None


def rates(rounds, set_name, engine, field="distinct_per_second"):
    """round -> rate; an engine whose listed work is its distinct work has that rate."""
    found = {}
    for result in rounds:
        rows = {row["engine"]: row for row in result["rows"] if row["set"] == set_name}
        row = rows.get(engine, {})
        row = rows.get(row.get("same_as"), row)
        if field in row:
            found[result["round"]] = row[field]
    return found


def ratio(mine, base):
    """Spread of the ratio within each round."""
    return spread([mine[number] / base[number] for number in mine if number in base])


def problem(rounds, set_name, engine, row_name):
    """Why an engine has no number: the first message of its process or its row."""
    for result in rounds:
        for entry in result["processes"]:
            if entry["engine"] == engine and "error" in entry:
                return entry["error"]
        for row in result["rows"]:
            if (row["engine"], row["set"]) == (row_name, set_name) and "error" in row:
                return row["error"]
    return None


def scored(utterances, store):
    return [utterance for utterance in utterances if store.has(utterance)]


def common_lists(lists, stores, engines):
    """Lists for WER: those that every engine has scored which scored as many as any; a cut engine has no WER."""
    counts = {name: scored(lists.utterances, stores[name]) for name in engines if name not in ANSWERS}
    most = max(map(len, counts.values()), default=0)
    full = [name for name in counts if most and len(counts[name]) >= 0.95 * most]
    return [u for u in lists.utterances if full and all(stores[name].has(u) for name in full)], full


def answers_of(rounds, set_name, engine):
    """Winners by list, of an engine that gives these alone."""
    rows = [row for result in rounds for row in result["rows"] if (row["engine"], row["set"]) == (engine, set_name)]
    return {utterance: text for row in rows for utterance, text in row.get("answers", {}).items()}


def set_report(lists, rounds, stores, settings):
    shared, full = common_lists(lists, stores, settings.engines)
    judged = [Judged(utterance, lists.normalize) for utterance in shared]
    enough = len({j.fold(settings.seed) for j in judged}) == 5 and sum(j.reference_words for j in judged)
    base = {name: rates(rounds, lists.name, name) for name in BASES}
    rows = []
    for name in settings.engines:
        result = wer(judged, stores[name].lm_score, settings.seed) if enough and name in full else None
        if name in ANSWERS and enough:
            result = wer_of(shared, judged, answers_of(rounds, lists.name, name))
        for listed in modes(name):
            row_name = label(name, listed)
            mine = rates(rounds, lists.name, row_name)
            row = {"engine": row_name, "distinct_per_second": spread(list(mine.values()))}
            row["problem"] = problem(rounds, lists.name, name, row_name)
            for other in BASES:
                row[f"times_{other}"] = ratio(mine, base[other])
            row["listed_per_second"] = spread(list(rates(rounds, lists.name, row_name, "listed_per_second").values()))
            row["nodes_per_second"] = spread(list(rates(rounds, lists.name, row_name, "nodes_per_second").values()))
            row["cut"] = any(cut(result_, lists.name, row_name) for result_ in rounds)
            row["wer"], row["answers_alone"] = result, name in ANSWERS
            rows.append(row)
    tokens = {text: ids[:-1] for name in full for text, (ids, _) in stores[name].rows.items()}
    about = {"name": lists.name, "file": lists.path.name, "normalize": lists.normalize, "in_set": len(lists.utterances)}
    return {**about, "sharing": sharing(shared, tokens), "wer_lists": len(shared), "rows": rows}


def cut(result, set_name, engine):
    """Whether the time limit left lists of the slice undone."""
    rows = [row for row in result["rows"] if (row["engine"], row["set"]) == (engine, set_name)]
    return any(row.get("lists", 0) < row.get("of_lists", 0) for row in rows)


def engine_report(name, rounds, stores):
    entries = [entry for result in rounds for entry in result["processes"] if entry["engine"] == name]
    good = [entry for entry in entries if "error" not in entry]
    return {
        "engine": name,
        "start_up_seconds": spread([entry["start_up_seconds"] for entry in good]),
        "peak_mb": max((entry["peak_mb"] for entry in good), default=None),
        "against_torch_f32": difference(stores[name], stores[REFERENCE]) if REFERENCE in stores else None,
        "problem": next((entry["error"] for entry in entries if "error" in entry), None),
    }


def summary(sets, rounds, stores, settings, about):
    return {
        "settings": settings.public(),
        "machine": about,
        "engines": [engine_report(name, rounds, stores) for name in settings.engines],
        "sets": [set_report(lists, rounds, stores, settings) for lists in sets],
        "rounds": rounds,
    }


def warnings(report):
    """What a reader must know before the numbers are used."""
    found = []
    busy = max(result["busy_before"] for result in report["rounds"])
    if busy > QUIET:
        found.append(f"others used {busy:.0%} of the processor before a round: these speeds tell nothing")
    for engine in report["engines"]:
        if engine["problem"]:
            found.append(f"{engine['engine']}: not available: {engine['problem']}")
        apart = engine["against_torch_f32"] or {}
        if apart.get("other_ids"):
            found.append(f"{engine['engine']}: {apart['other_ids']} texts have other token ids than in PyTorch")
        if engine["engine"] == "ours-f32" and (apart.get("mean") or 0) > AGREES:
            found.append(f"ours-f32 and PyTorch f32 lie {apart['mean']:.2g} apart per token: not the same model")
    return found
