"""Word errors, for scripts here and in rescorer/recipes."""


def edits(reference, hypothesis):
    """Unit-cost edits between two lists of words."""
    row = list(range(len(hypothesis) + 1))
    for i, word in enumerate(reference, 1):
        last, row[0] = row[0], i
        for j, other in enumerate(hypothesis, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (word != other))
    return row[-1]
