"""The report as text."""


def number(value, digits=1):
    return "-" if value is None else f"{value:.{digits}f}"


def of(spread, digits=1):
    """Median, with the range where there is one."""
    if spread is None:
        return "-"
    middle = number(spread["median"], digits)
    if spread["n"] == 1:
        return middle
    return f"{middle} [{number(spread['min'], digits)}-{number(spread['max'], digits)}]"


def columns(rows, heads):
    """Rows under heads, the first column to the left, the others to the right."""
    widths = [max(len(str(row[at])) for row in [heads, *rows]) for at in range(len(heads))]
    for row in [heads, *rows]:
        cells = [f"{cell:<{w}}" if at == 0 else f"{cell:>{w}}" for at, (cell, w) in enumerate(zip(row, widths))]
        yield "  ".join(cells).rstrip()


def set_lines(report):
    share = report["sharing"]
    yield f"== {report['name']} ({report['file']}), {report['in_set']} lists"
    if share["nodes"]:
        yield (
            f"   {share['lists']} lists scored by every engine that was not cut short: {share['listed']} listed, {share['distinct']} distinct "
            f"hypotheses; {share['tokens']} tokens / {share['nodes']} trie nodes = {share['tokens_per_node']:.2f}"
        )
    known = next((row["wer"] for row in report["rows"] if row["wer"] and not row["answers_alone"]), None)
    if known:
        yield (
            f"   WER on {known['lists']} lists (normalisation: {report['normalize']}), cross-validated: "
            f"first pass {known['first_pass']:.2f}, oracle {known['oracle']:.2f}"
        )
    else:
        yield "   no WER: these are too few lists for five folds; more --rounds, or --wer"
    heads = ("engine", "hyps/s", "x torch f32", "x torch bf16", "listed/s", "nodes/s", "WER %")
    rows, notes = [], []
    for row in report["rows"]:
        mark = "*" if row["cut"] else "+" if row["answers_alone"] else ""
        rate = of(row["distinct_per_second"]) + mark if row["distinct_per_second"] else "not available"
        times = (of(row["times_torch-f32"], 2), of(row["times_torch-bf16"], 2))
        tail = (of(row["listed_per_second"]), of(row["nodes_per_second"], 0))
        rows.append((row["engine"], rate, *times, *tail, number(row["wer"] and row["wer"]["rescored"], 2)))
        if row["cut"]:
            notes.append(row["engine"])
    yield from columns(rows, heads)
    if notes:
        yield f"   * the time limit left a part of the slice undone: {', '.join(notes)}"
    if any(row["answers_alone"] for row in report["rows"]):
        yield (
            "   + answers alone, not all scores: hypotheses that can't win (-risk: are unlikely to) are not computed to the end; "
            "WER with the default policy and adapter, untuned"
        )
    yield ""


def engine_lines(report):
    heads = ("engine", "peak RSS MB", "start-up s", "mean |d| / token", "max |d|", "texts")
    rows = []
    for engine in report["engines"]:
        if engine["problem"]:
            continue
        apart = engine["against_torch_f32"] or {"mean": None, "max": None, "texts": 0}
        difference = (number(apart["mean"], 6), number(apart["max"], 4), apart["texts"])
        rows.append((engine["engine"], number(engine["peak_mb"], 0), of(engine["start_up_seconds"]), *difference))
    yield "== processes; |d| = difference of log-probabilities from PyTorch f32"
    yield from columns(rows, heads)
    yield ""


def lines(report, warnings):
    about, settings = report["machine"], report["settings"]
    cpu = about["processor"]
    yield f"{cpu['model']}, {cpu['cores']} cores ({' '.join(cpu['flags'])}), {settings['threads']} threads"
    yield from about["gpus"] if settings["device"] == "cuda" else ()
    yield f"{about['rescorer']['version']}, checkout {about['commit']}; " + ", ".join(
        f"{name} {version}" for name, version in about["packages"].items() if version
    )
    yield (
        f"{settings['rounds']} rounds of about {settings['hypotheses']} distinct hypotheses a set, "
        f"at most {settings['slot_seconds']:g} s each; median [least-most] over rounds, ratios within a round"
    )
    yield ""
    for each in report["sets"]:
        yield from set_lines(each)
    yield from engine_lines(report)
    yield from (f"warning: {text}" for text in warnings)
