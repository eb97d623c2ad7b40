"""A real RTSP server: GStreamer's, as Debian has it, run by the system's own Python.

``/usr/bin/python3 gst_server.py USER PASSWORD PATH=LAUNCH...``; it says the port and serves until its input ends.
A stream is encoded anew for each visitor; USER may be empty.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402


def main() -> None:
    user, password, *streams = sys.argv[1:]
    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service("0")
    for stream in streams:
        path, _, launch = stream.partition("=")
        factory = GstRtspServer.RTSPMediaFactory.new()
        factory.set_launch(launch)
        if user:
            permissions = GstRtspServer.RTSPPermissions.new()
            for what in ("access", "construct"):
                permissions.add_permission_for_role("watcher", f"media.factory.{what}", True)
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(path, factory)
    if user:
        auth = GstRtspServer.RTSPAuth.new()
        auth.set_supported_methods(
            GstRtspServer.RTSPAuthMethod.DIGEST if hasattr(GstRtspServer, "RTSPAuthMethod") else 2
        )
        token = GstRtspServer.RTSPToken.new()
        token.set_string("media.factory.role", "watcher")
        auth.add_digest(user, password, token)
        server.set_auth(auth)
    server.attach(None)
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    loop = GLib.MainLoop()
    GLib.io_add_watch(
        sys.stdin.fileno(), GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, lambda *_: loop.quit()
    )
    loop.run()


main()
