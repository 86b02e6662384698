"""Run a command in a network of its own, and tell what it sent beyond loopback.

``python -m tests.pipeline.watched REPORT COMMAND ...`` writes a JSON list of [protocol, address, port] to REPORT.
Whatever the command and its children send, by whichever library, goes over a tunnel whose other end is here. Linux
only; needs /dev/net/tun and user namespaces, else it ends with UNABLE.
"""

import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

UNABLE = 77
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_SET_TUN, _TUN_NO_INFO = 0x400454CA, 0x1001
_SET_FLAGS, _UP = 0x8914, 0x41
_SET_ADDRESS, _ADD_ROUTE = 0x8916, 0x890B
_NAME = b"watched"
_ICMPV6 = 58
_UDP = 17
_LAST = (_UDP, "192.0.2.9", 9)
_LAST_SECONDS = 30.0


def own_network() -> int:
    """Move this process into a network with loopback and a tunnel that takes all else; the tunnel's other end."""
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_USER | _NEW_NET):
        raise OSError(ctypes.get_errno(), "no namespaces")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    tunnel = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tunnel, _SET_TUN, struct.pack("16sH22x", _NAME, _TUN_NO_INFO))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four:
        fcntl.ioctl(four, _SET_ADDRESS, struct.pack("16s16s", _NAME, _four("192.0.2.1")))
        for name in (b"lo", _NAME):
            fcntl.ioctl(four, _SET_FLAGS, struct.pack("16sH22x", name, _UP))
        device = ctypes.create_string_buffer(_NAME)
        route = struct.pack(
            "L16s16s16sHhLLhxxxxxxPLLH6x", 0, *[_four("0.0.0.0")] * 3, 1, 0, 0, 0, 0, ctypes.addressof(device), 0, 0, 0
        )
        fcntl.ioctl(four, _ADD_ROUTE, route)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
        index = socket.if_nametoindex(_NAME.decode())
        own = socket.inet_pton(socket.AF_INET6, "2001:db8::1")
        fcntl.ioctl(six, _SET_ADDRESS, struct.pack("16sIi", own, 64, index))
        fcntl.ioctl(six, _ADD_ROUTE, struct.pack("16s16s16sIHHILIi", *[bytes(16)] * 3, 0, 0, 0, 1, 0, 1, index))
    return tunnel


def _four(address: str) -> bytes:
    return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))


def seen_in(packet: bytes) -> tuple[int, str, int] | None:
    """Protocol, address and port that a packet goes to; None for IPv6's own housekeeping of a network."""
    if packet[0] >> 4 == 4:
        protocol, address, begin = packet[9], socket.inet_ntoa(packet[16:20]), 4 * (packet[0] & 15)
    else:
        protocol, address, begin = packet[6], socket.inet_ntop(socket.AF_INET6, packet[24:40]), 40
        if protocol in {0, _ICMPV6} and address.startswith("ff02::"):
            return None
    return protocol, address, int.from_bytes(packet[begin + 2 : begin + 4], "big")


def main(report: Path, command: list[str]) -> int:
    """Run the command, and write what was seen; its exit code, or 1 where what was sent last cannot be seen."""
    try:
        tunnel = own_network()
    except OSError as error:
        print(f"no network of its own can be made here: {error}", file=sys.stderr)
        return UNABLE
    seen: list[tuple[int, str, int]] = []
    all_seen = threading.Event()

    def watch() -> None:
        while (packet := seen_in(os.read(tunnel, 65_536))) != _LAST:
            if packet is not None and len(seen) < 1000:
                seen.append(packet)
        all_seen.set()

    threading.Thread(target=watch, daemon=True).start()
    code = subprocess.call(command)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
        last.sendto(b"", _LAST[1:])
    if not all_seen.wait(_LAST_SECONDS):
        print("what was sent last was not seen", file=sys.stderr)
        return 1
    report.write_text(json.dumps(seen))
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
