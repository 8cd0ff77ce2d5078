"""The command line as a process: signals, closed or full outputs, standard input."""

import contextlib
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from tests.certified import DATASETS
from tests.test_cli import facts

USARRESTS = str(DATASETS / "usarrests.csv")
FIT = ["fit", "pca", USARRESTS]


def shell(command, **environment):
    """A command line of bash; ``mcmodels`` in it is the program."""
    script = f'mcmodels() {{ "{sys.executable}" -m mcmodels "$@"; }}; {command}'
    return subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=os.environ | environment
    )


@pytest.mark.parametrize(
    ("command", "unbuffered"),
    [
        (f"fit pca {USARRESTS}", ""),
        ("--help", ""),
        ("--help", "1"),
        ("fit linear --help", "1"),
        ("--version", ""),
        ("derive 'x.T@x' --wrt x", ""),
        ("derive 'x.T@x' --wrt x", "1"),  # written as fits are, without their imports
    ],
)
def test_a_full_or_closed_output_is_one_line(command, unbuffered):
    reasons = {
        "> /dev/full": "No space left on device",
        ">&-": "standard output is closed",
        "1< /dev/null": "Bad file descriptor",
    }

    def redirected(redirection):
        return shell(f"mcmodels {command} {redirection}", PYTHONUNBUFFERED=unbuffered)

    with ThreadPoolExecutor(2) as pool:  # most of the time is that of imports
        ended = list(pool.map(redirected, reasons))
    for done, reason in zip(ended, reasons.values(), strict=True):
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"mcmodels: error: cannot write the output: {reason}\n"


def test_a_closed_output_is_found_before_any_work(tmp_path):
    done = shell(f"mcmodels fit pca {USARRESTS} --save {tmp_path}/m >&-")
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("redirection", ["2>&-", "2> /dev/full", ">&- 2>&-"])
def test_what_cannot_be_said_is_still_a_status(redirection):
    done = shell(f"mcmodels fit pca nothing.csv {redirection}")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


def with_default_signals():
    """What a terminal gives a program; a script may let it ignore some."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


# Sends the process a signal when a module is about to be imported, then runs the program.
INTERRUPTED = """
import os, signal, sys
interrupted_at = sys.argv.pop(1)
class Interrupter:
    def find_spec(self, name, path=None, target=None):
        if name == interrupted_at:
            os.kill(os.getpid(), signal.SIGINT)
import mcmodels
sys.meta_path.insert(0, Interrupter())
from mcmodels.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    "module",
    [
        *("argparse", "mcmodels.cli.commands", "mcmodels.cli.options", "mcmodels.cli.models"),
        *("numpy", "numpy.linalg", "pandas", "scipy.linalg", "sklearn.pipeline"),
    ],
)
def test_ctrl_c_during_imports_says_nothing(module):
    command = [sys.executable, "-c", INTERRUPTED, module, *FIT]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=with_default_signals)
    # Ended by the signal, or by a status that says the same.
    assert done.returncode in (-signal.SIGINT, 128 + signal.SIGINT)
    assert (done.stdout, done.stderr) == ("", "")


def test_an_ignored_ctrl_c_stays_ignored():
    # As it is for what a script starts in the background.
    command = [sys.executable, "-c", INTERRUPTED, "numpy", *FIT]
    done = subprocess.run(
        command,
        capture_output=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert (done.returncode, done.stderr) == (0, b"")


# A fit that says when it has begun, and lasts.
SLOW = """
import sys, time
from mcmodels import PCA
def fit(*arguments, **options):
    print("begun", file=sys.stderr, flush=True)
    time.sleep(60)
PCA.fit = fit
from mcmodels.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_no_temporary_folder(tmp_path, number):
    (tmp_path / "m").write_text("old")
    command = [sys.executable, "-c", SLOW, *FIT, "--save", str(tmp_path / "m")]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, preexec_fn=with_default_signals
    ) as process:
        assert process.stderr.readline() == "begun\n"
        assert len(list(tmp_path.iterdir())) == 2  # the temporary folder is there
        process.send_signal(number)
        assert process.stderr.read() == ""
    assert process.returncode == -number
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    assert (tmp_path / "m").read_text() == "old"


def test_standard_input_is_read_once(tmp_path):
    fit = f"cat {DATASETS}/mtcars.csv | mcmodels fit linear - --target mpg --save {tmp_path}/m"
    done = shell(fit)
    assert (done.returncode, done.stderr) == (0, "")
    assert facts(done.stdout)["file"] == "standard input"
    assert facts(done.stdout)["rows"] == "32"
    predict = f"mcmodels predict {tmp_path}/m - --keep cyl mpg --output"
    done = shell(f"{predict} {tmp_path}/one.csv < {DATASETS}/mtcars.csv")
    assert (done.returncode, done.stderr) == (0, "")
    keep = f"mcmodels predict {tmp_path}/m {DATASETS}/mtcars.csv --keep cyl mpg"
    shell(f"{keep} --output {tmp_path}/two.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


@pytest.mark.parametrize(
    ("redirection", "message"),
    [
        ("< /dev/null", "standard input is empty"),
        ("<&-", "cannot read standard input: it is closed"),
        ("<<< $'x,y\\n1,2,3'", "the rows of standard input have more values than its header names"),
    ],
)
def test_standard_input_is_refused_by_that_name(redirection, message):
    done = shell(f"mcmodels fit pca - {redirection}")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"mcmodels: error: {message}\n"


def test_a_pipe_in_the_place_of_a_file_is_refused(tmp_path):
    # It would be opened twice, and the second time there is nobody to write.
    os.mkfifo(tmp_path / "d.csv")
    done = shell(f"timeout 60 {sys.executable} -m mcmodels fit pca {tmp_path}/d.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"mcmodels: error: {tmp_path}/d.csv is not a regular file; lead it to standard input, -\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize("terminal", [True, False])
def test_passes_are_shown_in_a_terminal_alone(tmp_path, terminal):
    pytest.importorskip("rich")
    pd.read_csv(USARRESTS).to_parquet(tmp_path / "d.parquet")
    command = [sys.executable, "-m", "mcmodels", "fit", "linear", tmp_path / "d.parquet"]
    ours, theirs = os.openpty() if terminal else os.pipe()
    environment = os.environ | {"TERM": "xterm"}
    pipes = {"stdout": subprocess.PIPE, "stderr": theirs, "env": environment}
    with subprocess.Popen([*command, "--target", "Rape"], **pipes) as process:
        os.close(theirs)
        printed = process.stdout.read().decode()
        shown = b""
        with contextlib.suppress(OSError):  # a terminal without a program on its other side
            while part := os.read(ours, 1024):
                shown += part
        os.close(ours)
    assert process.returncode == 0
    assert printed.startswith("Linear regression\n")
    assert ("pass " in shown.decode()) == terminal
    assert "\x1b[?25l" not in shown.decode()  # hides the cursor
    assert terminal or not shown
