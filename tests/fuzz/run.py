# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Run `make fuzz`: atheris makes the inputs of each fuzz test, in a process of its own, for a number of seconds.

Inputs that cover new code are kept in a temporary directory, from which the next run continues. Exit status: 0 if
nothing was found, 1 if something was, 2 if atheris is not installed. --reproduce TARGET FILE repeats a finding.
"""

import argparse
import gc
import getpass
import importlib.util
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

_TESTS = Path(__file__).parents[1]
sys.path[:1] = [str(_TESTS), str(_TESTS / "checks")]  # not this directory: its names are others' as well

from hypothesis import settings  # noqa: E402 (sys.path is set first)

NAMES = ("frames", "requests", "sessions", "joining", "capsules", "symbols", "files", "flash", "service")
_INSTRUMENTED = ["ndks", "ndks_emulator", "ndks_protocol", "ndks_unit", "fuzz.test_run"]
_LARGEST_INPUT = 8192
_SEEDS = 64  # inputs of random bytes to begin with
_LONGEST_INPUT = 20  # seconds; an input that takes longer hangs
_MOST_MEGABYTES = 1024
_STARTING = 600  # seconds that importing, and running what was kept, may take


def main() -> int:
    arguments = _arguments()
    settings.register_profile("fuzz", database=None)
    settings.load_profile("fuzz")
    if arguments.reproduce:
        name, file = arguments.reproduce
        target(name)(Path(file).read_bytes())
        print(f"{name}: this input does no harm")
        return 0
    if not importlib.util.find_spec("atheris"):
        print(
            "fuzz: there is no atheris for this Python on this system (PyPI has it for Linux on x86-64)",
            file=sys.stderr,
        )
        return 2
    if arguments.worker:
        return _work(arguments.worker, arguments.corpus / arguments.worker, arguments.seconds)
    found = [name for name in arguments.target or NAMES if not _is_sound(name, arguments.corpus, arguments.seconds)]
    return 1 if found else 0


def target(name: str) -> Callable[[bytes], object]:
    """Return the function that runs a test on an input of bytes; `frames` is test_frames in fuzz/test_frames.py."""
    module, _, function = name.partition(":")
    test = getattr(importlib.import_module(f"fuzz.test_{module}"), function or f"test_{module}")
    return test.hypothesis.fuzz_one_input


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seconds", type=int, nargs="?", default=60, help="for each target (default: 60)")
    parser.add_argument("--target", action="append", help="one of " + ", ".join(NAMES))
    parser.add_argument("--corpus", type=Path, default=_default_corpus(), help="where inputs are kept")
    parser.add_argument("--reproduce", nargs=2, metavar=("TARGET", "FILE"), help="run one input, without atheris")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser.parse_args()


def _default_corpus() -> Path:
    return Path(tempfile.gettempdir()) / f"ndks-fuzz-{getpass.getuser()}"


def _is_sound(name: str, corpus: Path, seconds: int) -> bool:
    """Fuzz one target, print the result, and return whether nothing was found."""
    corpus.mkdir(mode=0o700, exist_ok=True)
    if corpus.stat().st_mode & 0o022:
        raise SystemExit(f"fuzz: others may write to {corpus}; name another: --corpus DIR")
    directory = corpus / name
    directory.mkdir(exist_ok=True)
    for number in range(_SEEDS):
        (directory / f"seed{number}").write_bytes(random.Random(number).randbytes(_LARGEST_INPUT >> number % 8))
    log = corpus / f"{name}.log"
    command = [sys.executable, __file__, str(seconds), "--worker", name, "--corpus", str(corpus)]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as worker:
        try:
            status = worker.wait(seconds + _LONGEST_INPUT + _STARTING)
        except BaseException:  # a time-out, or Ctrl-C
            worker.kill()
            raise
    text = log.read_text(errors="replace")
    executions = re.search(r"number_of_executed_units: (\d+)", text)
    count = executions[1] if executions else "an unknown number of"
    print(f"{name}: {count} executions, {len(list(directory.iterdir()))} inputs kept, status {status}", flush=True)
    if status == 0:
        return True
    written = re.search(r"Test unit written to (\S+)", text)
    print(text[text.find(" === Uncaught") :] if " === Uncaught" in text else text[-4000:])
    if written:
        print(f"{name}: found something; once more: {sys.executable} {__file__} --reproduce {name} {written[1]}")
    else:
        print(f"{name}: ended by itself; all it said is in {log}")
    return False


def _work(name: str, directory: Path, seconds: int) -> int:
    """Fuzz one target in this process, which libFuzzer ends."""
    import atheris  # not everywhere

    with atheris.instrument_imports(include=_INSTRUMENTED):
        import ndks.keys.generator  # noqa: F401 (is otherwise imported when it is needed, and not instrumented)

        fuzzed = target(name)

    options = {
        "max_total_time": seconds,
        "max_len": _LARGEST_INPUT,
        "len_control": 0,
        "timeout": _LONGEST_INPUT,
        "rss_limit_mb": _MOST_MEGABYTES,
        "print_final_stats": 1,
        "artifact_prefix": f"{directory}.",
    }
    atheris.Setup([__file__, *(f"-{option}={value}" for option, value in options.items()), str(directory)], fuzzed)
    gc.collect()
    gc.freeze()  # units collect garbage when a session ends
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
