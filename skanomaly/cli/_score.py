"""``skanomaly score``: score files of any length with a saved model, and watch for drift."""

import contextlib
import heapq
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from skanomaly.cli._columns import position_of
from skanomaly.cli._files import read_chunks
from skanomaly.cli._outputs import check_out, refusing, replacing
from skanomaly.cli._reasons import explain_rows, reasons
from skanomaly.cli._report import print_flagged, print_rows
from skanomaly.cli._saying import ScoringProgress, sayer
from skanomaly.cli._storage import load_model
from skanomaly.cli._words import CommandError, count, listed
from skanomaly.cli._writing import escaped, with_results, writer_for

#: Exit code when `--fail-on-drift` is given and there is drift.
DRIFTED = 3
REASONS_PER_CHUNK = 10
#: Population stability index below which a column of the last rows is as it was.
_STABLE = 0.1


def score(arguments):
    """Run the command; return its exit code."""
    say = sayer(arguments)
    if arguments.format is not None and arguments.out is None:
        arguments.out = "-"
    files = arguments.file
    if arguments.out is not None:
        check_out(arguments.out, [*files, arguments.model], arguments.format)
    pipeline = load_model(arguments.model)
    monitor = pipeline[-1]
    arguments.missing = [*arguments.missing, *pipeline[0].missing_]
    if arguments.alerts is not None:
        _set_budget(monitor, arguments)
    with _output(arguments, say) as write:
        run = _Run(pipeline, arguments, write, say)
        for path in files:
            run.score_file(path)
        run.finish()
    run.progress.close()
    _print_outcome(run, arguments, sys.stderr if arguments.out == "-" else None)
    if arguments.out not in (None, "-"):
        say(f"wrote {count(run.rows, 'row')} to {arguments.out}")
    drift = run.report is not None and run.report.drift
    return DRIFTED if drift and arguments.fail_on_drift else 0


def _set_budget(monitor, arguments):
    from skanomaly.thresholds import alert_budget_threshold

    if arguments.per is None:
        raise CommandError("--alerts and --per belong together: --alerts 20 --per 50000")
    try:
        budget = alert_budget_threshold(monitor.scores_, arguments.alerts, arguments.per)
    except ValueError as error:
        raise CommandError(f"--alerts: {error}") from error
    monitor.set_threshold(budget)


class _Run:
    """What is known of the rows scored so far, in memory that does not grow with them."""

    def __init__(self, pipeline, arguments, write, say):
        self.reader, self.monitor = pipeline[0], pipeline[-1]
        self.arguments, self.write, self.say = arguments, write, say
        self.progress = ScoringProgress(arguments.quiet)
        self.rows = self.flagged = 0
        self.unread, self.worst, self.report = Counter(), [], None
        self.background = self.reader.background()
        self.beside, self.last = ThreadPoolExecutor(1), None
        self.unmet = set(arguments.id)  # of --id: columns that no file had so far

    def score_file(self, path):
        columns_told = decimal_told = False
        for table, source in read_chunks(path, self.arguments, self.reader, self.say):
            if not columns_told:
                self._check_id(table, last=path == self.arguments.file[-1])
                self._tell_columns(table)
            if not decimal_told and table.decimal is not None:
                self._tell_decimal(table)
            columns_told, decimal_told = True, table.decimal is not None
            if len(table.frame) == 0:
                self._write_nothing(table)
                continue
            features = self.reader.transform(table.frame, table.decimal)
            scores = self.monitor.score_samples(features)
            self.finish()  # one chunk at a time: in their order, and memory stays bounded
            self.last = self.beside.submit(self._take_in, table, features, scores)
            self.progress.update(self.rows + len(scores), source.progress())

    def finish(self):
        """Wait for the last chunk, of which a thread takes note while the next one is scored."""
        if self.last is not None:
            self.last.result()

    def _check_id(self, table, last):
        """Refuse a column of --id that no file has."""
        self.unmet -= set(table.frame.columns)
        if last and len(table.frame.columns):
            for name in sorted(self.unmet):
                position_of(table, name)

    def _tell_columns(self, table):
        columns = list(table.frame.columns)
        missing, extra = self.reader.missing_from(columns), self.reader.extra_in(columns)
        if len(missing) == len(self.reader.plans_):
            return  # refused as soon as it is read
        if missing:
            self.say(
                f"note: {table.name} lacks {count(len(missing), 'column')} of the model, taken "
                f"as missing: {listed(missing)}"
            )
        if extra:
            self.say(f"note: not read, since the model does not know them: {listed(extra)}")

    def _tell_decimal(self, table):
        usual = {plan["decimal"] for plan in self.reader.plans_.values() if "decimal" in plan}
        if self.arguments.decimal is None and usual - {table.decimal}:
            self.say(
                f"note: numbers in {table.name} are read with the decimal mark {table.decimal!r}, "
                "not with that of the training; --decimal if not"
            )

    def _write_nothing(self, table):
        import numpy as np

        if self.write is not None:
            none = {"score": np.empty(0), "is_anomaly": np.empty(0, bool), "reason": ""}
            self.finish()
            self.write(with_results(table, none), table)

    def _take_in(self, table, features, scores):
        """Watch for drift, explain and write a chunk."""
        decisions = scores - self.monitor.offset_
        self.report = self.monitor.update(features, scores=scores)
        self.unread.update(self.reader.unread(table.frame, features, table.decimal))
        flagged = decisions < 0
        whys = self._reasons(table, features, decisions)
        if self.write is not None:
            texts = [whys.get(row, "") for row in range(len(decisions))]
            results = {"score": decisions, "is_anomaly": flagged, "reason": texts}
            self.write(with_results(table, results), table)
        self._keep_worst(table, decisions, whys)
        self.rows += len(decisions)
        self.flagged += int(flagged.sum())

    def _reasons(self, table, features, decisions):
        """Explain the rows of a chunk that may be among those printed, or are written."""
        import numpy as np

        order = np.argsort(decisions, kind="stable")
        top = order[: self.arguments.top]
        if len(self.worst) == self.arguments.top and self.worst:
            top = top[decisions[top] < -self.worst[0][0]]
        if self.write is not None:
            limit = min(self.arguments.reasons, REASONS_PER_CHUNK)
            alerted = order[:limit][decisions[order[:limit]] < 0]
            top = np.union1d(top, alerted)
        if len(top) == 0:
            return {}
        explanation = explain_rows(self.monitor, features, top, self.background)
        texts = reasons(explanation, table.frame, self.reader.plans_, top)
        return dict(zip(top.tolist(), texts, strict=True))

    def _keep_worst(self, table, decisions, whys):
        """Keep the most anomalous rows so far: the heap's first is the least of them."""
        names = [*self.arguments.id, *(name for name in table.index if name != "file")]
        for row, why in whys.items():
            told = {name: table.frame[name].iloc[row] for name in names if name in table.frame}
            entry = (-decisions[row], -(self.rows + row + 1), told, why)
            if len(self.worst) < self.arguments.top:
                heapq.heappush(self.worst, entry)
            elif self.worst:
                heapq.heappushpop(self.worst, entry)


@contextlib.contextmanager
def _output(arguments, say):
    """Yield what writes rows, or None; a file is replaced once all is written."""
    if arguments.out is None:
        yield None
        return
    name = str(arguments.out).lower() if arguments.format is None else f".{arguments.format}"
    name = ".csv" if name == "-" else name
    writer, columns = None, []

    def write(frame, table):
        nonlocal writer
        if arguments.escape_formulas:
            frame = escaped(frame)
        late = [] if writer is None else [one for one in frame.columns if one not in columns]
        if writer is None:
            writer = writer_for(name, file, table)
            columns.extend(frame.columns)
        elif late:
            columns.extend(late)
            if writer.fixes_columns:
                say(
                    f"note: not written: {listed(late)}, which the first rows do not have; "
                    "--format jsonl writes every row with its own"
                )
        with refusing(arguments.out):
            writer.write(frame.reindex(columns=columns))

    place = _standard_output() if arguments.out == "-" else replacing(arguments.out)
    with place as file:
        try:
            yield write
        except BaseException:
            if writer is not None:
                writer.abandon()
            raise
        if writer is not None:
            writer.close()


@contextlib.contextmanager
def _standard_output():
    sys.stdout.flush()
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


def _print_outcome(run, arguments, to):
    print_flagged(run.flagged, run.rows, to)
    if run.rows == 0:
        return
    worst = sorted(run.worst, key=lambda entry: entry[:2], reverse=True)
    names = dict.fromkeys(name for entry in worst for name in entry[2])
    told = {name: [entry[2].get(name) for entry in worst] for name in names}
    print_rows(
        [-entry[1] for entry in worst],
        [-entry[0] for entry in worst],
        told,
        [entry[3] for entry in worst],
        to,
    )
    for name, number in run.unread.items():
        kind = run.reader.plans_[name]["kind"]
        what = "not seen in training" if kind == "categories" else "that could not be read"
        print(f"{name!r}: {count(number, 'value')} {what}", file=to)
    _print_drift(run.report, 1 / run.monitor.alpha, to)


def _print_drift(report, limit, to):
    moved = report.columns[report.columns["moved"]]
    if report.drift:
        print(
            f"\nDrift: from row {report.detected_at} on at the latest, the scores are not those "
            f"of the rows the model learnt from (evidence {report.evidence:.3g}, alarm at "
            f"{limit:g}).",
            file=to,
        )
    elif len(moved):
        print("\nNo drift of the scores, but of columns.", file=to)
    else:
        print(f"\nNo drift (evidence {report.evidence:.3g}, alarm at {limit:g}).", file=to)
    for name, column in moved.iterrows():
        print(f"  {name!r} moved: {_moved(column)}", file=to)


def _moved(column):
    if column["psi"] < _STABLE:
        return "in earlier rows; the last ones are spread as before"
    told = f"{_typical(column['reference'])} before, {_typical(column['batch'])} in the last rows"
    if abs(column["missing_batch"] - column["missing_reference"]) > 0.01:
        told += (
            f"; missing {column['missing_reference']:.0%} before, {column['missing_batch']:.0%}"
        )
    if column["unseen"] > 0:
        told += f"; {column['unseen']:.0%} new values"
    return told


def _typical(value):
    if value is None:
        return "nothing"
    return f"median {value:.4g}" if isinstance(value, float) else f"mostly {value!r}"
