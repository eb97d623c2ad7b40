"""``ispsd check`` says what will go wrong with serial ports before it does."""

from __future__ import annotations

import os
import tomllib

import pytest

from daemon import config
from daemon.assets import asset
from daemon.config.advice import advice
from daemon.config.ports import TWO_WIRES, port_advice
from daemon.simulate import toml

BY_PATH = "/dev/serial/by-path/platform-xhci-usb-0:{}:1.0-port0"


def said(folder, **links):
    """Return what is said of the sample ship with other links; her own are in order."""
    tree = tomllib.loads(asset("ispsd.toml").read_text("utf-8"))
    for device, link in links.items():
        place = tree["bus"][device] if device in tree["bus"] else tree["device"][device]
        place["link"] = {"kind": "serial", **link}
    path = folder / "ship.toml"
    path.write_text(toml.written(tree), "utf-8")
    return [line for line in port_advice(config.load(path), covert=True) if TWO_WIRES not in line]


def test_a_ship_whose_ports_are_sockets_hears_only_what_opening_does(tmp_path):
    assert said(tmp_path) == []
    told = list(port_advice(config.load(asset("ispsd.toml")), covert=True))
    assert told == [f"serial: {TWO_WIRES}"]
    assert "DTR and RTS" in TWO_WIRES


@pytest.mark.parametrize("port", ["/dev/ttyUSB0", "/dev/ttyACM12"])
def test_a_name_that_the_kernel_deals_out_is_warned_of(tmp_path, port):
    (line,) = said(tmp_path, gps1={"port": port})
    assert line.startswith(f"device.gps1.link: {port} may be another adapter after the next boot")


@pytest.mark.parametrize(
    ("name", "is_shared"),
    [
        ("usb-1a86_USB_Serial-if00-port0", True),
        ("usb-1a86_USB2.0-Serial-if00-port0", True),
        ("usb-Prolific_Technology_Inc._USB-Serial_Controller-if00-port0", True),
        ("usb-Prolific_Technology_Inc._USB-Serial_Controller_D-if00-port0", True),
        ("usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_0001-if00-port0", True),
        ("usb-FTDI_FT232R_USB_UART-if00-port0", True),
        ("usb-FTDI_FT232R_USB_UART_AB0JQ8XK-if00-port0", False),
        ("usb-Prolific_Technology_Inc._USB-Serial_Controller_BXCLb116B21-if00-port0", False),
        ("usb-Moxa_Technologies_UPort_1450-if00-port1", False),
    ],
)
def test_an_id_that_cheap_adapters_share_is_warned_of(tmp_path, name, is_shared):
    lines = said(tmp_path, gps1={"port": f"/dev/serial/by-id/{name}"})
    assert ["has no serial" in line or "have no serial" in line for line in lines] == [
        True
    ] * is_shared


def test_ports_on_the_computer_itself_and_by_path_are_as_good(tmp_path):
    assert said(tmp_path, gps1={"port": "/dev/ttyS0"}) == []
    assert said(tmp_path, gps1={"port": BY_PATH.format(7)}) == []


def test_no_log_hears_of_the_port_of_an_ssas_unit(tmp_path):
    """What ``ispsd check`` says to whoever has the file, the daemon does not write into its log."""
    tree = tomllib.loads(asset("ispsd.toml").read_text("utf-8"))
    tree["device"]["ssas"]["link"] = {"kind": "serial", "port": "/dev/ttyUSB3"}
    path = tmp_path / "ship.toml"
    path.write_text(toml.written(tree), "utf-8")
    loaded = config.load(path)
    assert [line for line in advice(loaded, checking=True) if "ttyUSB3" in line]
    assert not [line for line in advice(loaded) if "ttyUSB3" in line or "ssas" in line.lower()]


def test_one_adapter_under_two_names_is_warned_of(tmp_path):
    device, port = os.openpty()
    for name in ("one", "two"):
        (tmp_path / name).symlink_to(os.ttyname(port))
    (line,) = said(
        tmp_path, gps1={"port": str(tmp_path / "one")}, gyro={"port": str(tmp_path / "two")}
    )
    assert line.endswith("now, one adapter under several names")
    os.close(device)
    os.close(port)
