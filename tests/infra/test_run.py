"""./run against a stand-in shop: what it starts, stops, prints, writes and installs."""

import json
import os
import re
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.infra.conftest import EVERY_PACKAGE, ROOT, Checkout, processes_of, wait_for

pytestmark = pytest.mark.embedded

RUNTIME = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-inter fonts-noto-core"


def page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        text: str = answer.read().decode()
        return text


def answers(port: int) -> bool:
    try:
        return page(port) == "a shop"
    except OSError:
        return False


def is_serving(process: subprocess.Popen[str]) -> bool:
    """Reads what it prints up to the closing line."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Ctrl-C"):
            process.summary = "".join(lines)  # type: ignore[attr-defined]
            return True
    return False


# --- Commands ----------------------------------------------------------------------------------------------


def test_run_alone_lists_every_command_it_has(checkout: Checkout) -> None:
    answer = checkout.run()
    listed = set(re.findall(r"^\./run (\w+)", answer.stdout, re.MULTILINE))
    assert answer.returncode == 0
    assert listed == {"demo", "test", "check", "manage", "bench", "screenshots", "lock", "soak"}
    dispatch = re.search(
        r"^case \$command in\n(.*?)^esac", (ROOT / "run").read_text(), re.MULTILINE | re.DOTALL
    )
    assert dispatch is not None
    assert all(name in dispatch[1] for name in listed)
    assert checkout.calls() == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["serve"], "There is no command named serve."),
        (["demo", "--twice"], "does not know --twice"),
        (["demo", "--port"], "--port takes a number"),
        (["demo", "--port", "abc"], "--port takes a number"),
        (["demo", "--port", "70000"], "--port takes a number"),
        (["bench", "../manage"], "There is no benchmark named"),
    ],
)
def test_a_wrong_command_line_is_named_and_nothing_is_done(
    checkout: Checkout, args: list[str], said: str
) -> None:
    answer = checkout.run(*args)
    assert answer.returncode == 1
    assert said in answer.stderr
    assert checkout.calls() == []
    assert not checkout.home.exists()


def test_manage_takes_files_from_where_it_is_called(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("the caller's file")
    answer = checkout.run("manage", "cat", "prices.csv", cwd=tmp_path)
    assert answer.stdout == "the caller's file\n"


# --- The demo ----------------------------------------------------------------------------------------------


def test_once_prints_one_json_line_and_everything_else_elsewhere(checkout: Checkout) -> None:
    answer = checkout.run("demo", "--once")
    assert answer.returncode == 0, answer.stderr
    [line] = answer.stdout.splitlines()
    assert json.loads(line)["order"] == "O-1"
    assert "Setting up the demo shop" in answer.stderr
    assert [call for call in checkout.calls() if call != "dpkg-query"] == [
        "demo_setup",
        "demo_purchase --json --work",
    ]


def test_once_on_an_old_home_plays_one_more_purchase_without_setting_up_again(checkout: Checkout) -> None:
    checkout.run("demo", "--once")
    checkout.forget_calls()
    assert checkout.run("demo", "--once").returncode == 0
    assert checkout.calls() == ["demo_purchase --json --work"]


def test_new_code_or_data_sets_the_shop_up_again(checkout: Checkout) -> None:
    checkout.run("demo", "--once")
    (checkout.root / "config" / "prices.csv").write_text("new")
    checkout.forget_calls()
    checkout.run("demo", "--once")
    assert checkout.calls() == ["demo_setup", "demo_purchase --json --work"]


def test_a_taken_port_is_named_and_nothing_is_started(checkout: Checkout) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = checkout.run("demo", "--port", str(port))
    assert answer.returncode == 1
    assert f"Port {port} is taken" in answer.stderr
    assert checkout.calls() == []
    assert not checkout.home.exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_demo_leaves_no_process(checkout: Checkout, free_port: int, how: signal.Signals) -> None:
    process = checkout.start("demo", "--port", str(free_port))
    assert is_serving(process)
    assert page(free_port) == "a shop"
    assert wait_for(lambda: "work" in checkout.calls())
    running = processes_of(checkout.home).values()
    assert any("gunicorn" in command for command in running)
    assert any("manage.py work" in command for command in running)
    process.send_signal(how)
    assert process.wait(timeout=20) == 0
    assert processes_of(checkout.home) == {}
    assert not answers(free_port)


def test_a_demo_started_in_the_background_hears_ctrl_c(checkout: Checkout, free_port: int) -> None:
    script = f"'{checkout.root}/run' demo --port {free_port} & pid=$!; read _; kill -INT $pid; wait $pid"
    shell = subprocess.Popen(["bash", "-c", script], env=checkout.env, stdin=subprocess.PIPE, text=True)
    assert wait_for(lambda: answers(free_port))
    shell.communicate("now\n", timeout=20)
    assert processes_of(checkout.home) == {}


def test_a_demo_killed_outright_takes_its_children_with_it(checkout: Checkout, free_port: int) -> None:
    process = checkout.start("demo", "--port", str(free_port))
    assert is_serving(process)
    process.kill()
    process.wait()
    assert wait_for(lambda: processes_of(checkout.home) == {})


def test_being_stopped_during_set_up_is_answered_at_once(checkout: Checkout) -> None:
    process = checkout.start("demo", "--once", STAND_IN_SETUP_S="600")
    assert wait_for(lambda: "demo_setup" in checkout.calls())
    process.terminate()
    assert process.wait(timeout=5) == 143
    assert processes_of(checkout.home) == {}
    assert not (checkout.home / ".ready").exists()


def test_a_web_process_that_ends_by_itself_ends_the_demo_and_is_named(
    checkout: Checkout, free_port: int
) -> None:
    process = checkout.start("demo", "--port", str(free_port))
    assert is_serving(process)
    for pid, command in processes_of(checkout.home).items():
        if "gunicorn" in command:
            os.kill(pid, signal.SIGKILL)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "Stopped by itself: web" in said
    assert processes_of(checkout.home) == {}


def test_a_first_serving_start_plays_one_purchase_and_a_second_only_serves(
    checkout: Checkout, free_port: int
) -> None:
    process = checkout.start("demo", "--port", str(free_port))
    assert is_serving(process)
    first: str = process.summary  # type: ignore[attr-defined]
    process.terminate()
    process.wait(timeout=20)
    assert checkout.calls().count("demo_setup") == 1
    assert checkout.calls().count("demo_purchase --json") == 1

    checkout.forget_calls()
    process = checkout.start("demo", "--port", str(free_port))
    assert is_serving(process)
    assert wait_for(lambda: checkout.calls() != [])
    process.terminate()
    process.wait(timeout=20)
    assert checkout.calls() == ["work"]
    assert process.summary == first  # type: ignore[attr-defined]
    for fact in (
        f"http://127.0.0.1:{free_port}/\n",
        f"http://127.0.0.1:{free_port}/c/CODE/",
        "/x.pdf",
        "dana@x.example  d-pass",
        "sam@x.example  s-pass",
        "Bearer pk-1",
    ):
        assert fact in first


def test_homes_share_a_checkout_and_nothing_is_written_into_it(checkout: Checkout, tmp_path: Path) -> None:
    def sources() -> set[str]:
        return {str(f) for f in checkout.root.rglob("*") if ".venv" not in f.parts}

    before = sources()
    for home in ("one", "two"):
        assert checkout.run("demo", "--once", CLEARLINE_HOME=str(tmp_path / home)).returncode == 0
    assert sources() == before
    assert (tmp_path / "one" / "clearline.sqlite3").exists()
    assert (tmp_path / "two" / "clearline.sqlite3").exists()
    assert checkout.calls().count("demo_setup") == 2


# --- Starting over -----------------------------------------------------------------------------------------


def test_reset_starts_over_and_spares_what_was_there_before(checkout: Checkout) -> None:
    checkout.home.mkdir()
    (checkout.home / "mail").mkdir()
    (checkout.home / "mail" / "a letter of mine").write_text("kept")
    checkout.run("demo", "--once")
    (checkout.home / "notes.txt").write_text("kept")
    (checkout.home / "media").mkdir()
    checkout.forget_calls()
    assert checkout.run("demo", "--reset", "--once").returncode == 0
    assert checkout.calls() == ["demo_setup", "demo_purchase --json --work"]
    assert not (checkout.home / "media").exists()
    assert (checkout.home / "mail" / "a letter of mine").read_text() == "kept"
    assert (checkout.home / "notes.txt").read_text() == "kept"


def test_reset_refuses_a_folder_that_is_no_home(checkout: Checkout) -> None:
    checkout.home.mkdir()
    (checkout.home / "media").mkdir()
    answer = checkout.run("demo", "--reset", "--once")
    assert answer.returncode == 1
    assert "is not a Clearline home; nothing was deleted" in answer.stderr
    assert [f.name for f in checkout.home.iterdir()] == ["media"]


def test_reset_refuses_while_a_demo_runs_on_that_home(checkout: Checkout, free_port: int) -> None:
    process = checkout.start("demo", "--port", str(free_port))
    assert is_serving(process)
    answer = checkout.run("demo", "--reset", "--once")
    assert answer.returncode == 1
    assert "A demo is running" in answer.stderr
    assert (checkout.home / "clearline.sqlite3").exists()
    process.terminate()
    process.wait(timeout=20)


# --- System packages ---------------------------------------------------------------------------------------


def test_root_gets_the_missing_packages_and_only_those(checkout: Checkout) -> None:
    answer = checkout.run("demo", "--once", FAKE_INSTALLED="fonts-inter libpango-1.0-0")
    assert answer.returncode == 0, answer.stderr
    update, install = [call for call in checkout.calls() if call.startswith("apt-get")]
    assert update == "apt-get update"
    assert install.endswith(
        "install -y --no-install-recommends libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-core"
    )


def test_a_plain_demo_asks_for_no_server_and_no_browser(checkout: Checkout) -> None:
    assert checkout.run("demo", "--once", FAKE_INSTALLED="").returncode == 0
    [install] = [call for call in checkout.calls() if " install " in call]
    assert install.endswith(f"--no-install-recommends {RUNTIME}")


def test_without_root_the_missing_packages_are_named_and_it_stops(checkout: Checkout) -> None:
    answer = checkout.run("demo", "--once", FAKE_INSTALLED="fonts-inter", FAKE_UID="1000")
    assert answer.returncode == 1
    missing = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-core"
    assert f"Missing system packages: {missing}" in answer.stderr
    assert f"apt-get install -y --no-install-recommends {missing}" in answer.stderr
    assert checkout.calls() == ["dpkg-query"]
    assert not checkout.home.exists()


def test_packages_that_apt_cannot_get_are_named_and_it_stops(checkout: Checkout) -> None:
    answer = checkout.run("demo", "--once", FAKE_INSTALLED="", FAKE_APT_FAILS="yes")
    assert answer.returncode == 1
    assert f"Missing system packages: {RUNTIME}" in answer.stderr
    assert "demo_setup" not in checkout.calls()


def test_a_second_start_asks_neither_apt_nor_pip(checkout: Checkout) -> None:
    checkout.run("demo", "--once")
    assert "dpkg-query" in checkout.calls()
    checkout.forget_calls()
    assert checkout.run("demo", "--once").returncode == 0
    assert checkout.calls() == ["demo_purchase --json --work"]


def test_missing_test_tools_do_not_stop_the_tests_but_are_named(checkout: Checkout) -> None:
    checkout.script(checkout.root / ".venv/bin/python", '#!/bin/sh\necho "python $*"\n')
    answer = checkout.run("test", "-k", "ledger", FAKE_INSTALLED=f"{RUNTIME} qpdf", FAKE_UID="1000")
    assert answer.returncode == 0
    assert "python -m pytest -n 2 --max-worker-restart 0 -k ledger" in answer.stdout
    assert "Browser tests are skipped" in answer.stderr
    assert "(missing: chromium)" in answer.stderr
    assert "(missing: gettext poppler-utils)" in answer.stderr


# --- The virtual environment -------------------------------------------------------------------------------


def test_a_changed_lock_is_installed_with_its_hashes_once(checkout: Checkout) -> None:
    log = checkout.log
    checkout.script(checkout.root / ".venv/bin/python", f'#!/bin/sh\necho "python $*" >>{log}\n')
    checkout.script(checkout.root / ".venv/bin/uv", f'#!/bin/sh\necho "uv $*" >>{log}\n')
    lock = checkout.root / "requirements/runtime.txt"
    lock.write_text(lock.read_text() + "# changed\n")
    assert checkout.run("manage", "check", FAKE_INSTALLED=EVERY_PACKAGE).returncode == 0
    [tool, packages] = [call for call in checkout.calls() if " install " in call]
    assert "--require-hashes" in tool
    assert tool.endswith("requirements/tool.txt")
    assert packages.startswith("uv pip install")
    assert "--require-hashes" in packages
    assert packages.endswith("requirements/runtime.txt")
    checkout.forget_calls()
    checkout.run("manage", "check")
    assert checkout.calls() == [f"python {checkout.root}/manage.py check"]


def test_pip_does_it_where_uv_cannot(checkout: Checkout) -> None:
    log = checkout.log
    checkout.script(checkout.root / ".venv/bin/python", f'#!/bin/sh\necho "python $*" >>{log}\n')
    checkout.script(checkout.root / ".venv/bin/uv", "#!/bin/sh\nexit 2\n")
    (checkout.root / ".venv/.installed-runtime").unlink()
    assert checkout.run("manage", "check").returncode == 0
    [_, packages] = [call for call in checkout.calls() if " install " in call]
    assert "-m pip" in packages
    assert "--require-hashes" in packages
    assert packages.endswith("requirements/runtime.txt")


def test_a_failed_install_leaves_no_stamp_and_says_so(checkout: Checkout) -> None:
    checkout.script(
        checkout.root / ".venv/bin/python", '#!/bin/sh\n[ "$1" = -c ] && exit 0\necho no network; exit 1\n'
    )
    (checkout.root / ".venv/.installed-runtime").unlink()
    answer = checkout.run("manage", "check")
    assert answer.returncode == 1
    assert "no network" in answer.stderr
    assert "could not be installed" in answer.stderr
    assert not (checkout.root / ".venv/.installed-runtime").exists()
