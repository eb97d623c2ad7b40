"""Build the Debian package: a Python environment of its own under /opt/ispsd, whole, so that a ship fetches nothing.

Run by the system's own Python, for which the package then is. What is fetched is fetched now, as `constraints.txt` pins
it. ``--quick`` does not compress it, for a test.
"""

from __future__ import annotations

import compileall
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from py_compile import PycInvalidationMode

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "build" / "deb"
HOME = Path("opt/ispsd")
EXTRAS = "cctv,papers,web"
UNITS = "usr/lib/systemd/system"
DOCUMENTS = "usr/share/doc/ispsd"
REPORT = PLACE / "installed.json"
"""pip's, of what it fetched."""
FILES = {
    "systemd/ispsd.service": UNITS,
    "systemd/ispsd-web.service": UNITS,
    "systemd/ispsd-sound@.service": UNITS,
    "systemd/ispsd-witness.service": UNITS,
    "systemd/ispsd.service.d/web.conf": f"{UNITS}/ispsd.service.d",
    "systemd/mosquitto.service.d/ispsd.conf": f"{UNITS}/mosquitto.service.d",
    "systemd/61-ispsd-serial.rules": "usr/lib/udev/rules.d",
    "README.md": DOCUMENTS,
    "CHANGELOG.md": DOCUMENTS,
    "config/ispsd.toml": f"{DOCUMENTS}/examples",
    "systemd/examples/web-tls.conf": f"{DOCUMENTS}/examples",
}
SCRIPTS = ("postinst", "prerm", "postrm")


def main() -> int:
    """Build it; print where it is."""
    pip = Path(sys.argv[1])
    packing = ("-Znone",) if "--quick" in sys.argv else ("-Zxz", "-z3")
    os.environ["SOURCE_DATE_EPOCH"] = _said("git", "log", "-1", "--format=%ct")
    shutil.rmtree(PLACE, ignore_errors=True)
    stage = PLACE / "tree"
    _environment(stage, pip)
    _files(stage)
    _sbom(stage, pip)
    _control(stage)
    for folder, names, files in os.walk(stage):
        for each in names:
            (Path(folder) / each).chmod(0o755)
        for each in files:
            _set_mode(Path(folder) / each)
    package = PLACE / f"ispsd_{_version()}_{_architecture()}.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", *packing, "--build", stage, package],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    print(package.relative_to(ROOT))
    return 0


def _environment(stage: Path, pip: Path) -> None:
    """Make the environment where it will not stay, and take every trace of that place out of it."""
    home = stage / HOME
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    subprocess.run(
        [pip, "--python", home / "bin/python", "install", "--quiet", "--disable-pip-version-check",
         "--no-compile", "--constraint", ROOT / "constraints.txt", "--report", REPORT,
         f"{ROOT}[{EXTRAS}]"],
        check=True,
    )  # fmt: skip
    for each in (home / "bin").iterdir():
        if each.name.startswith("activate"):
            each.unlink()
        elif not each.is_symlink():
            text = each.read_bytes()
            each.write_bytes(text.replace(f"#!{home}/".encode(), f"#!/{HOME}/".encode(), 1))
    settings = home / "pyvenv.cfg"
    kept = [line for line in settings.read_text().splitlines() if not line.startswith("command")]
    settings.write_text("\n".join(kept) + "\n")
    for each in home.rglob("direct_url.json"):  # where the checkout lay
        record = each.with_name("RECORD")
        each.unlink()
        lines = [x for x in record.read_text().splitlines() if "/direct_url.json," not in x]
        record.write_text("\n".join(lines) + "\n")
    for each in home.rglob("RECORD"):  # holds the hashes of scripts as they were before
        lines = [
            re.sub(r"^(\.\./.*/bin/[^,]+),.*", r"\1,,", x) for x in each.read_text().splitlines()
        ]
        each.write_text("\n".join(lines) + "\n")
    compileall.compile_dir(
        home / "lib",
        quiet=1,
        stripdir=str(stage),
        prependdir="/",
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )


def _files(stage: Path) -> None:
    for source, folder in FILES.items():
        (stage / folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / source, stage / folder)
    shutil.copytree(ROOT / "docs", stage / DOCUMENTS, dirs_exist_ok=True)
    (stage / "usr/lib/sysusers.d").mkdir(parents=True)
    shutil.copy(ROOT / "systemd/ispsd.sysusers.conf", stage / "usr/lib/sysusers.d/ispsd.conf")
    (stage / "usr/bin").mkdir(parents=True)
    (stage / "usr/bin/ispsd").symlink_to(f"/{HOME}/bin/ispsd")
    (stage / DOCUMENTS / "copyright").write_text(_copyright(stage / HOME), "utf-8")


def _sbom(stage: Path, pip: Path) -> None:
    """List what is really in this package; docs/sbom.cdx.json is what that was last (`make sbom`)."""
    listed = stage / DOCUMENTS / "sbom.cdx.json"
    subprocess.run(
        [pip.with_name("python"), ROOT / "debian/sbom.py", stage / HOME, REPORT, listed], check=True
    )


def _copyright(home: Path) -> str:
    """Return our licence, and under which every package of the environment comes."""
    rows = []
    for each in sorted(home.glob("lib/*/site-packages/*.dist-info/METADATA")):
        head = each.read_text("utf-8").partition("\n\n")[0]
        said = dict(
            re.findall(r"^(Name|Version|License-Expression|License): (.+)$", head, re.MULTILINE)
        )
        classed = re.findall(
            r"^Classifier: License :: (?:OSI Approved :: )?(.+)$", head, re.MULTILINE
        )
        licence = said.get("License-Expression") or ", ".join(classed) or said.get("License", "")
        rows.append(f"  {said['Name']} {said['Version']}: {licence[:100]}")
    licence = (ROOT / "LICENSE").read_text("utf-8")
    return "\n".join(
        ["ispsd is under the Apache License 2.0 (below). With it come:", *rows, "", licence]
    )


def _control(stage: Path) -> None:
    place = stage / "DEBIAN"
    place.mkdir()
    major, minor = sys.version_info[:2]
    size_kib = sum(f.lstat().st_size for f in stage.rglob("*") if not f.is_dir()) // 1024
    text = (ROOT / "debian/control.in").read_text("utf-8")
    for name, value in {
        "VERSION": _version(),
        "ARCHITECTURE": _architecture(),
        "PYTHON": f"{major}.{minor}",
        "PYTHON_NEXT": f"{major}.{minor + 1}",
        "SIZE": str(size_kib),
    }.items():
        text = text.replace(f"@{name}@", value)
    (place / "control").write_text(text, "utf-8")
    for each in SCRIPTS:
        shutil.copy(ROOT / "debian" / each, place)


def _set_mode(path: Path) -> None:
    if path.is_symlink():
        return
    runs = path.parent.name in {"bin", "DEBIAN"} and path.name != "control"
    path.chmod(0o755 if runs else 0o644)


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])


def _architecture() -> str:
    return _said("dpkg", "--print-architecture")


def _said(*words: str) -> str:
    done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
