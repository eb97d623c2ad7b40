"""Somebody who was never here sets the ship up, with the procedure in his hand and nothing else.

What he types is taken from docs/procedures.md as it is (``document``). What he would look at behind some of the
commands is looked at here.
"""

from __future__ import annotations

import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import document
from computer import STORY, note, run, show, until

STICK = Path("/media/usb")
HEADING = "1 First installation"
ADDRESS = "192.168.60.5"
STATIONS = Path("/var/lib/ispsd-setup/stations")
ROOT = "ispsd/9999993/v1"
PINS = {"A. Lindqvist": "314159", "R. Menon": "271828"}
PASSPHRASE = "correct horse battery"
PLAIN, TLS = "http://127.0.0.1:8080", f"https://{ADDRESS}:8443"


def join_network() -> None:
    """Be in the ship's network, as a computer is after each boot."""
    run("ip", "address", "add", f"{ADDRESS}/24", "dev", "lo")


def install() -> None:
    """Follow the procedure from the first line to the last."""
    text = document.section((STORY / "procedures.md").read_text("utf-8"), HEADING)
    typed = document.follow(
        text,
        folder=STICK,
        answers=_answers,
        after={
            "apt install ./ispsd_26.1_amd64.deb ./debian/*.deb": installed,
            "systemctl enable --now ispsd ispsd-web": started,
            "ispsd doctor": doctored,
            'ispsd pin set --by "R. Menon"': first_login,
            "systemctl restart ispsd ispsd-web": page_with_tls,
            "systemctl enable --now ispsd-sound@bridge": sounder,
            'ispsd key backup /media/usb/record-key.backup --by "R. Menon"': backed_up,
            "ispsd init --check": checked,
        },
    )
    note("the procedure was followed to its end", f"{len(typed)} commands", ok=True)


def _answers(command: str) -> list[tuple[str, str]]:
    if command.startswith("apt install"):
        return [(r"\[Y/n\]", "y")]
    if command.startswith("ispsd init --address"):
        return [(r"\(yes/no\)", "yes")]
    name = command.rpartition("--by ")[2].strip('"')
    pin = PINS.get(name, "")
    if command.startswith("ispsd pin set"):
        return [("New PIN[^:]*: ", pin), ("again: ", pin)]
    if command.startswith("ispsd key backup"):
        return [("assphrase[^:]*: ", PASSPHRASE), ("again: ", PASSPHRASE), ("PIN of[^:]*: ", pin)]
    if command.startswith("ispsd envelope"):
        return [("PIN of[^:]*: ", pin)]
    return []


def installed(_: str) -> None:
    note("installed without a network", run("ispsd", "--version").strip(), ok=True)
    states = {each: show("ActiveState", each) for each in ("ispsd", "ispsd-web")}
    note("nothing runs before it is set up", states, ok=set(states.values()) == {"inactive"})


def started(_: str) -> None:
    note("READY", show("StatusText"), ok=show("ActiveState") == "active")
    user = run("ps", "-o", "user:32=,args=", "-p", show("MainPID")).strip()
    note("it runs as a user of its own", user, ok=user.startswith("ispsd "))
    password = (STATIONS / "gangway.password").read_text().strip()
    until("the broker with TLS", lambda: _heard("gangway", password, f"{ROOT}/status"))
    for what, user, secret, topic, is_heard in (
        ("a station's password opens what is hers, with TLS", "gangway", password, f"{ROOT}/status", True),
        ("another password opens nothing", "gangway", "x" * 24, f"{ROOT}/status", False),
        ("nor none", None, None, f"{ROOT}/status", False),
        ("nor hers at another station", "sso", password, f"{ROOT}/status", False),
        ("nor what is the SSO's", "gangway", password, f"{ROOT}/sso/#", False),
    ):  # fmt: skip
        heard = _heard(user, secret, topic, within_s=20 if is_heard else 3)
        note(what, heard[:60], ok=bool(heard) == is_heard)


def _heard(user: str | None, password: str | None, topic: str, *, within_s: int = 3) -> str:
    who = [] if user is None else ["-u", user, "-P", str(password)]
    return subprocess.run(
        ["mosquitto_sub", "-V", "5", "-h", ADDRESS, "-p", "8883", "--cafile", STATIONS / "ispsd-ca.crt",
         *who, "-t", topic, "-C", "1", "-W", str(within_s)],
        check=False, capture_output=True, text=True,
    ).stdout  # fmt: skip


def doctored(said: str) -> None:
    note("the doctor says what is left", said.strip()[:200], ok="no station is live" in said)


def first_login(_: str) -> None:
    until("the page", lambda: "ispsd" in _page(f"{PLAIN}/"))
    note("the SSO's pages ask who is there", "PIN", ok="PIN" in _page(f"{PLAIN}/sso/login"))
    said, is_in = _logged_in(PLAIN, PINS["R. Menon"])
    note("the SSO is let in with his PIN", said, ok=is_in)
    said, is_in = _logged_in(PLAIN, "000001")
    note("and with no other", said, ok=not is_in)
    asked = '{"do": "status"}\n'
    code = (
        "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect('/run/ispsd/control.sock');"
        f"s.sendall({asked.encode()!r}); print(s.recv(4096).decode())"
    )
    said = run("runuser", "-u", "ispsd-web", "--", "python3", "-c", code, check=False).strip()
    note("their server may ask for nothing else", said[:160], ok='"error"' in said)
    said = run("runuser", "-u", "nobody", "--", "python3", "-c", code, check=False).strip()
    is_shut_out = "PermissionError" in said or '"error"' in said
    note("nobody else may ask", said.splitlines()[-1][:160], ok=is_shut_out)


def page_with_tls(_: str) -> None:
    until("the page with TLS", lambda: "ispsd" in _page(f"{TLS}/"))
    said, is_in = _logged_in(TLS, PINS["R. Menon"])
    note("a tablet's page, with the ship's own authority", said, ok=is_in)


def _page(address: str, form: dict[str, str] | None = None) -> str:
    base = "/".join(address.split("/")[:3])
    trust = ssl.create_default_context(cafile=str(STATIONS / "ispsd-ca.crt"))
    data = None if form is None else urllib.parse.urlencode(form).encode()
    asked = urllib.request.Request(address, data, {"Origin": base, "Sec-Fetch-Site": "same-origin"})
    opener = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(), urllib.request.HTTPSHandler(context=trust)
    )
    with opener.open(asked, timeout=20) as answer:
        return answer.read().decode()


def _logged_in(base: str, pin: str) -> tuple[str, bool]:
    """Return what the page says, and whether it is one of somebody who is let in."""
    try:
        said = _page(f"{base}/sso/login", {"name": "r. menon", "pin": pin})
    except urllib.error.HTTPError as err:
        return f"{err.code}", False
    return base, "R. Menon" in said and "Log out" in said


def sounder(_: str) -> None:
    def fails() -> str:
        said = run("journalctl", "-u", "ispsd-sound@bridge", "--no-pager", "-g", "output.failed")
        return said.strip().splitlines()[-1] if "output.failed" in said else ""

    said = until("it says that there is no sound device", fails)
    is_up = show("ActiveState", "ispsd-sound@bridge") == "active"
    note("a sounder runs, and says that nothing sounds", said[-200:], ok=is_up)


def backed_up(said: str) -> None:
    note("the key has a backup", said.strip()[-90:], ok=(STICK / "record-key.backup").exists())


def checked(said: str) -> None:
    left = [line.strip() for line in said.splitlines() if line.startswith("[TO DO]")]
    note("what is left to be done is another PIN", left, ok=len(left) == 1 and "PIN" in left[0])
