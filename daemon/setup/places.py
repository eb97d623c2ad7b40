"""Where does everything of an installation lie, and where is it carried to?

What is made is kept in one folder of root's, ``/var/lib/ispsd-setup``, which the service cannot read: it holds every
station's password and the key of the certificate authority. From there it is copied to where it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.computer.secretfiles import CREDENTIAL_PREFIX, credentials

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from daemon.config import Config

SETUP = "var/lib/ispsd-setup"
MQTT_PASSWORD = "mqtt-password"  # noqa: S105 (a file's name)
PAGES_UNIT = "ispsd-web.service"
OWN_UNITS = "etc/systemd/system"
UNIT_FOLDERS = (OWN_UNITS, "usr/lib/systemd/system", "lib/systemd/system")
"""Where systemd looks: first for what somebody put there himself, then for what a package brought (systemd.unit(5))."""
BROKER_SECRETS = ("passwords", "acl", "server.key")
BROKER_CERTIFICATES = ("ca.crt", "server.crt")


@dataclass(frozen=True, slots=True)
class Copy:
    """One file that is copied from the setup folder to where it is used.

    Attributes:
        owner: The user to whom it must belong there.
    """

    source: Path
    target: Path
    mode: int
    owner: str = "root"


@dataclass(frozen=True, slots=True)
class Places:
    """Every place, under a root that is ``/`` on a ship.

    Attributes:
        setup: Where everything is made and kept.
    """

    root: Path
    setup: Path

    def at(self, path: Path) -> Path:
        """Return a path of the configuration under the root."""
        return self.root / path.relative_to(path.anchor)

    @property
    def etc(self) -> Path:
        return self.root / "etc/ispsd"

    @property
    def broker(self) -> Path:
        """Where the broker's own files lie."""
        return self.root / "etc/mosquitto/ispsd"

    @property
    def broker_config(self) -> Path:
        return self.root / "etc/mosquitto/conf.d/ispsd.conf"

    def unit(self, name: str) -> Path | None:
        """Return where a unit of systemd is installed; None where it is not."""
        found = (self.root / folder / name for folder in UNIT_FOLDERS)
        return next((each for each in found if each.is_file()), None)

    @property
    def made_for_broker(self) -> Path:
        return self.setup / "mosquitto"

    @property
    def made_for_stations(self) -> Path:
        return self.setup / "stations"

    @property
    def made_credentials(self) -> Path:
        return self.setup / "credentials"

    @property
    def authority(self) -> Path:
        return self.setup / "authority"

    def station_password(self, station: str) -> Path:
        return self.made_for_stations / f"{station}.password"

    def key(self, config: Config) -> Path:
        """Return where the record's key is, or is to be made."""
        given = config.record.key_file
        if given.parent != credentials():
            return self.at(given)
        name = given.name.removeprefix(CREDENTIAL_PREFIX)
        installed = self.etc / "credentials" / name
        return installed if installed.exists() else self.made_credentials / name

    def password(self, config: Config) -> Copy:
        """Return the daemon's own password: where it is made, and where the configuration looks for it."""
        given = config.mqtt.password_file
        if given is None:
            target = self.etc / "credentials" / MQTT_PASSWORD
        elif given.parent == credentials():
            target = self.etc / "credentials" / given.name.removeprefix(CREDENTIAL_PREFIX)
        else:
            target = self.at(given)
        return Copy(self.made_credentials / target.name, target, 0o600)

    def copies(self, config: Config) -> Iterator[Copy]:
        """Yield every file that is copied, in the order in which it is needed."""
        key = self.key(config)
        if key.parent == self.made_credentials:
            yield Copy(key, self.etc / "credentials" / key.name, 0o600)
        yield self.password(config)
        for name in (*BROKER_SECRETS, *BROKER_CERTIFICATES):
            mode = 0o644 if name in BROKER_CERTIFICATES else 0o600
            yield Copy(self.made_for_broker / name, self.broker / name, mode, owner="mosquitto")
        yield Copy(self.made_for_broker / "ispsd.conf", self.broker_config, 0o644)
