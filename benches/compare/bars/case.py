"""Alternating measurements, answers compared, and the lines that come out."""

import gc
import statistics
import time

import numpy
import pyarrow

from engines import Hypostyle

RELATIVE_TOLERANCE = 1e-6
SETTLE_SECONDS = 0.05


class Table:
    """The lines of one section, as they are measured."""

    def __init__(self, section, arguments):
        self.section, self.arguments = section, arguments
        self.cases, self.missed = 0, []
        print(f"\n{section}: {arguments.threads} threads, {arguments.rounds} pairs", flush=True)

    def engine(self):
        return Hypostyle(self.arguments.program, self.arguments.threads)

    def wants(self, name):
        return self.arguments.only in name

    def measure(self, name, ours, peers, bar, unit=None):
        """Prints a line for each peer and one for the case; `ours` gives seconds, peers are called.

        `unit` is a pair of the amount of work in one run and its name.
        """
        best = None
        for peer, call in peers.items():
            ours()
            call()
            pairs = []
            for number in range(self.arguments.rounds):
                if number % 2 == 0:
                    pairs.append((settled(ours), settled(lambda: timed(call))))
                else:
                    theirs = settled(lambda: timed(call))
                    pairs.append((settled(ours), theirs))
            ratios = sorted(theirs / ours for ours, theirs in pairs)
            quartiles = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else [ratios[0]] * 3
            our, their = (statistics.median(side) for side in zip(*pairs))
            rate = f"  ({unit[0] / our:,.0f} {unit[1]})" if unit else ""
            print(
                f"{name:40} {peer:20} ours {our * 1e3:9.2f} ms{rate}  theirs {their * 1e3:9.2f} ms"
                f"  {quartiles[1]:7.2f}x [{quartiles[0]:.2f}, {quartiles[2]:.2f}]",
                flush=True,
            )
            if best is None or quartiles[1] < best[1]:
                best = (peer, quartiles[1])
        if bar is None or best is None:
            return
        self.cases += 1
        verdict = "met" if best[1] >= bar else "MISSED"
        print(f"{name:40} {verdict}: {best[1]:.2f}x {best[0]}, the best peer; the bar is {bar:g}x", flush=True)
        if best[1] < bar:
            self.missed.append(name)

    def finish(self):
        if self.cases:
            print(f"{self.section}: {self.cases - len(self.missed)} of {self.cases} bars met"
                  + (f"; missed: {', '.join(self.missed)}" if self.missed else ""), flush=True)


def settled(run):
    """A run once the one before it has left nothing to do: allocators give memory back in the background."""
    gc.collect()
    time.sleep(SETTLE_SECONDS)
    return run()


def timed(call):
    started = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - started
    del result
    return seconds


def our_answer(engine, sql, folder):
    """The answer of a query as an Arrow table."""
    path = folder / "answer.arrow"
    engine.answer(sql, path)
    with pyarrow.memory_map(str(path)) as file:
        return pyarrow.ipc.open_file(file).read_all()


def expect_equal(name, ours, theirs, absolute=1e-9):
    """Stops where two columns differ: `ours` and `theirs` are Arrow arrays or chunked arrays.

    Floats may differ by `absolute`, or relatively by RELATIVE_TOLERANCE.
    """
    ours, theirs = flat(ours), flat(theirs)
    if len(ours) != len(theirs):
        raise SystemExit(f"{name}: {len(ours)} rows, and {len(theirs)} of the peer")
    if is_number(ours.type) and is_number(theirs.type):
        equal_numbers(name, ours, theirs, absolute)
    elif ours.to_pylist() != theirs.to_pylist():
        at = next(at for at, (a, b) in enumerate(zip(ours, theirs)) if a.as_py() != b.as_py())
        raise SystemExit(f"{name}: row {at} is {ours[at]}, and {theirs[at]} of the peer")


def flat(column):
    if isinstance(column, pyarrow.ChunkedArray):
        column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if isinstance(column, pyarrow.DictionaryArray):
        column = column.dictionary_decode()
    return column


def is_number(data_type):
    return pyarrow.types.is_integer(data_type) or pyarrow.types.is_floating(data_type)


def equal_numbers(name, ours, theirs, absolute):
    if not numpy.array_equal(ours.is_null(), theirs.is_null()):
        raise SystemExit(f"{name}: other rows are null than those of the peer")
    ours, theirs = (side.drop_null().to_numpy(zero_copy_only=False) for side in (ours, theirs))
    if ours.dtype.kind in "iu" and theirs.dtype.kind in "iu":
        same = ours == theirs
    else:
        same = numpy.isclose(ours, theirs, rtol=RELATIVE_TOLERANCE, atol=absolute, equal_nan=True)
    if not same.all():
        at = int(numpy.argmin(same))
        raise SystemExit(f"{name}: value {at} is {ours[at]}, and {theirs[at]} of the peer")
