"""Modbus servers that others wrote, each alone in a process: ``python -m tests.drivers.modbus_others WHOSE LINK``.

``WHOSE`` is libmodbus (the C library, LGPL, Debian's libmodbus5) or umodbus (Python, MPL 2.0). ``LINK`` is tcp, which
prints its port, or the name of a serial port, where it prints an empty line once it listens. All of them show the
same: from address 48 on the inputs 0, 4 and 17 of 20 are on, as bits (functions 1 and 2) and as bits of words (3, 4).
"""

from __future__ import annotations

import ctypes
import ctypes.util
import socket
import sys

FIRST = 48
ON = (0, 4, 17)
COUNT = 20
WORDS = (0x0011, 0x0002)
TABLE = 128
UNIT = 5
BAUD = 19200


class Mapping(ctypes.Structure):
    """``modbus_mapping_t`` of libmodbus 3.1 (modbus.h)."""

    _fields_ = (
        *(
            (name, ctypes.c_int)
            for what in ("bits", "input_bits", "input_registers", "registers")
            for name in (f"nb_{what}", f"start_{what}")
        ),
        ("tab_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_registers", ctypes.POINTER(ctypes.c_uint16)),
        ("tab_registers", ctypes.POINTER(ctypes.c_uint16)),
    )


def libmodbus_name() -> str | None:
    """Return the library, None where it is not installed."""
    return ctypes.util.find_library("modbus")


def libmodbus(link: str) -> None:
    lib = ctypes.CDLL(libmodbus_name())
    lib.modbus_new_tcp.restype = lib.modbus_new_rtu.restype = ctypes.c_void_p
    lib.modbus_mapping_new.restype = ctypes.POINTER(Mapping)
    mapping = lib.modbus_mapping_new(TABLE, TABLE, TABLE, TABLE)
    for number in ON:
        mapping.contents.tab_bits[FIRST + number] = 1
        mapping.contents.tab_input_bits[FIRST + number] = 1
    for number, word in enumerate(WORDS):
        mapping.contents.tab_registers[FIRST + number] = word
        mapping.contents.tab_input_registers[FIRST + number] = word
    query = (ctypes.c_uint8 * 260)()
    if link == "tcp":
        context = ctypes.c_void_p(lib.modbus_new_tcp(b"127.0.0.1", 0))
        listening = ctypes.c_int(lib.modbus_tcp_listen(context, 1))
        with socket.socket(fileno=socket.dup(listening.value)) as copy:
            print(copy.getsockname()[1], flush=True)
        while lib.modbus_tcp_accept(context, ctypes.byref(listening)) >= 0:
            _serve(lib, context, query, mapping)
    else:
        context = ctypes.c_void_p(
            lib.modbus_new_rtu(link.encode(), BAUD, ctypes.c_char(b"N"), 8, 1)
        )
        lib.modbus_set_slave(context, UNIT)
        assert lib.modbus_connect(context) == 0
        print(flush=True)
        while True:
            _serve(lib, context, query, mapping)


def _serve(lib, context, query, mapping) -> None:
    while (length := lib.modbus_receive(context, query)) >= 0:
        if length > 0:
            lib.modbus_reply(context, query, length, mapping)


def umodbus(link: str) -> None:
    from socketserver import TCPServer

    import serial
    from umodbus.server.serial import get_server as serial_server
    from umodbus.server.serial.rtu import RTUServer
    from umodbus.server.tcp import RequestHandler
    from umodbus.server.tcp import get_server as tcp_server

    if link == "tcp":
        app = tcp_server(TCPServer, ("127.0.0.1", 0), RequestHandler)
    else:
        app = serial_server(RTUServer, serial.Serial(link, BAUD, timeout=0.02))

    @app.route(slave_ids=[UNIT], function_codes=[1, 2], addresses=range(TABLE))
    def bit(slave_id, function_code, address):
        return int(address - FIRST in ON)

    @app.route(slave_ids=[UNIT], function_codes=[3, 4], addresses=range(TABLE))
    def word(slave_id, function_code, address):
        return WORDS[address - FIRST] if address - FIRST in range(len(WORDS)) else 0

    print(app.server_address[1] if link == "tcp" else "", flush=True)
    app.serve_forever(poll_interval=0.005)


if __name__ == "__main__":
    {"libmodbus": libmodbus, "umodbus": umodbus}[sys.argv[1]](sys.argv[2])
