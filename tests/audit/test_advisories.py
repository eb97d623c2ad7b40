"""Is a known weakness found, and is an answer that did not come never taken for a good one?

Real pip-audit and npm, against stand-ins of the services that they ask.
"""

from __future__ import annotations

import gzip
import json
import shutil
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.audit import __main__ as audit
from tests.audit.advisories import (
    PIP_AUDIT,
    Advisory,
    Answer,
    Said,
    ask_npm,
    ask_osv,
    read_npm_audit,
    read_pip_audit,
    refused,
)
from tests.needed import needs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WEAK = {
    "id": "PYSEC-2021-108",
    "summary": "a weakness",
    "affected": [
        {
            "package": {"name": "urllib3", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.26.5"}]}],
        }
    ],
}
GHSA = {
    "id": 1,
    "url": "https://github.com/advisories/GHSA-xxxx",
    "title": "a weakness",
    "severity": "high",
    "vulnerable_versions": "<1.2.6",
    "cwe": [],
    "cvss": {"score": 9.8, "vectorString": None},
}
LOCK = {
    "name": "page",
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "page", "dependencies": {"minimist": "1.2.0"}},
        "node_modules/minimist": {"version": "1.2.0"},
    },
}


@contextmanager
def service(reply: Callable[[str, bytes], object | None]) -> Iterator[str]:
    """A stand-in: what it replies to a path and a body, as JSON; 405 where that is None."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            said = reply(self.path, body)
            words = json.dumps(said).encode()
            self.send_response(405 if said is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(words)))
            self.end_headers()
            self.wfile.write(words)

        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def osv(_: str, body: bytes) -> object:
    asked = json.loads(body)
    return {"vulns": [WEAK]} if asked["package"]["name"] == "urllib3" else {}


def page(tmp_path):
    (tmp_path / "package.json").write_text(json.dumps(LOCK["packages"][""] | {"version": "1.0.0"}))
    (tmp_path / "package-lock.json").write_text(json.dumps(LOCK))
    needs(shutil.which("npm"), "ask npm's registry for advisories")
    return tmp_path


@pytest.fixture(name="_pip_audit")
def pip_audit():
    needs(PIP_AUDIT.exists(), "run pip-audit (make audit installs it)")


@pytest.mark.usefixtures("_pip_audit")
def test_a_weakness_of_a_python_package_is_found():
    with service(osv) as url:
        answer = ask_osv({"urllib3": "1.26.4", "six": "1.17.0"}, ["urllib3"], url=url)
    assert (answer.asked, answer.unanswered) == (2, None)
    assert answer.found == (
        Advisory("PYSEC-2021-108", "urllib3", "1.26.4", "mended in 1.26.5", aboard=True),
    )


@pytest.mark.usefixtures("_pip_audit")
def test_a_list_that_does_not_answer_is_no_good_answer():
    with service(osv) as url:
        pass
    answer = ask_osv({"urllib3": "1.26.4"}, [], url=url)
    assert answer.asked == 0
    assert answer.unanswered


def test_a_weakness_of_an_npm_package_is_found(tmp_path, monkeypatch):
    with service(lambda *_: {"minimist": [GHSA]}) as url:
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", url)
        answer = ask_npm(page(tmp_path), "the page", ["minimist"])
    assert (answer.asked, answer.unanswered) == (1, None)
    assert [(each.id, each.package, each.aboard) for each in answer.found] == [
        ("GHSA-xxxx", "minimist", True)
    ]


def test_npm_packages_without_a_weakness_have_none(tmp_path, monkeypatch):
    with service(lambda *_: {}) as url:
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", url)
        answer = ask_npm(page(tmp_path), "the page")
    assert answer == Answer("the page", 1)


def test_a_registry_without_advisories_is_no_good_answer(tmp_path, monkeypatch):
    with service(lambda *_: None) as url:
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", url)
        answer = ask_npm(page(tmp_path), "the page")
    assert answer.asked == 0
    assert "405" in str(answer.unanswered)


def test_what_pip_audit_passes_over_was_not_asked():
    said = {"dependencies": [{"name": "a", "skip_reason": "not found on PyPI"}], "fixes": []}
    answer = read_pip_audit(
        Said(json.dumps(said), "No known vulnerabilities found"), 1, frozenset()
    )
    assert answer.asked == 0
    assert answer.unanswered == "1 of 1 packages were not looked up: not found on PyPI"


@pytest.mark.parametrize("out", ["", "{}", "[]", "null", '{"dependencies": null}', "<html>"])
def test_what_is_no_report_is_no_good_answer(out):
    said = Said(out, "the last words")
    assert read_pip_audit(said, 1, frozenset()).unanswered
    assert read_npm_audit(said, "the page", frozenset()).unanswered


def test_what_runs_aboard_is_refused_unless_somebody_accepted_it_and_a_tool_is_told_only():
    def weak(id_: str, *, aboard: bool) -> Advisory:
        return Advisory(id_, "p", "1", "", aboard)

    answers = [Answer("them", 3, (weak("A", aboard=True), weak("B", aboard=False)))]
    assert [each.id for each in refused(answers)] == ["A"]
    assert refused(answers, accepted={"A": "not reachable"}) == []


@pytest.mark.parametrize(
    ("answer", "words", "code"),
    [
        (Answer("them", 3), [], 0),
        (Answer("them", 0, unanswered="no route"), [], 0),
        (Answer("them", 0, unanswered="no route"), ["--must-ask"], 1),
        (Answer("them", 3, (Advisory("A", "p", "1", "", aboard=True),)), [], 1),
        (Answer("them", 3, (Advisory("A", "p", "1", "", aboard=False),)), [], 0),
    ],
)
def test_the_audit_fails_where_it_must_and_says_what_it_did_not_ask(
    monkeypatch, capsys, answer, words, code
):
    monkeypatch.setattr(audit.inventory, "everything", dict)
    monkeypatch.setattr(audit.inventory, "unpinned", lambda *_: [])
    monkeypatch.setattr(audit.advisories, "ask_osv", lambda *_: answer)
    monkeypatch.setattr(audit.advisories, "ask_npm", lambda *_: Answer("npm", 1))
    monkeypatch.setattr("sys.argv", ["audit", *words])
    assert audit.main() == code
    said = capsys.readouterr().out
    assert ("NOT known" in said) is bool(answer.unanswered)
    assert ("advisories asked: 3 them" in said) is (answer.asked == 3)
