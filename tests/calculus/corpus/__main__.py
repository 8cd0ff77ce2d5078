"""The count of the corpus: ``python -m tests.calculus.corpus`` (``-v`` lists what is not right)."""

import sys
import warnings
from collections import Counter

from tests.calculus.corpus.texts import TEXTS

KINDS = ("right", "clumsy", "refused", "wrong")


def main() -> None:
    counts: dict[str, Counter] = {}
    lines, unmarked = [], []
    for text in TEXTS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            verdict = text.judged()
        counts.setdefault(text.file, Counter())[verdict.kind] += 1
        if verdict.kind != text.expected:
            unmarked.append(f"{verdict.kind} and marked as {text.expected}: {text}")
        if verdict.kind != "right":
            lines.append(f"{verdict.kind:8}{text}\n        {verdict.said}\n        {text.book}")
    print(f"{'source':20}" + "".join(f"{kind:>9}" for kind in (*KINDS, "all")))
    counts["all"] = sum(counts.values(), Counter())
    for name, found in counts.items():
        row = [*(found[kind] for kind in KINDS), found.total()]
        print(f"{name:20}" + "".join(f"{count:9}" for count in row))
    print("\n".join(unmarked))
    if "-v" in sys.argv:
        print("\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
