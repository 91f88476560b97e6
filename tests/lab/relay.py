#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""relay.py LINK LINK MS: copy frames both ways between two network links, each held back for MS.

Does what `tc qdisc add ... netem delay` does, on kernels that come without sch_netem.
"""
import collections
import contextlib
import select
import socket
import struct
import sys
import time

SOL_PACKET, ADD_MEMBERSHIP, VNET_HDR, IGNORE_OUTGOING = 263, 1, 15, 23
PROMISCUOUS, ETH_P_ALL, PACKET_OUTGOING = 1, 3, 4


def open_link(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    # Segments that are still to be cut and checksums still to be computed travel with a header that says
    # so: no offload has to be switched off on the links.
    s.setsockopt(SOL_PACKET, VNET_HDR, 1)
    with contextlib.suppress(OSError):
        s.setsockopt(SOL_PACKET, IGNORE_OUTGOING, 1)      # Linux 4.20; else the test below does it
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
    s.bind((name, 0))
    s.setsockopt(SOL_PACKET, ADD_MEMBERSHIP, struct.pack("iHH8s", socket.if_nametoindex(name), PROMISCUOUS, 0, b""))
    s.setblocking(False)
    return s


def relay(name_a, name_b, hold):
    a, b = open_link(name_a), open_link(name_b)
    other = {a: b, b: a}
    waiting = collections.deque()               # (when, socket, frame); all are held equally long, so in order
    while True:
        timeout = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for s in select.select([a, b], [], [], timeout)[0]:
            with contextlib.suppress(OSError):  # nothing more to read, or the link is down
                for _ in range(64):
                    frame, source = s.recvfrom(70000)
                    if source[2] != PACKET_OUTGOING:
                        waiting.append((time.monotonic() + hold, other[s], frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, s, frame = waiting.popleft()
            with contextlib.suppress(OSError):  # a wire drops what it cannot carry
                s.send(frame)


if __name__ == "__main__":
    relay(sys.argv[1], sys.argv[2], float(sys.argv[3]) / 1000)
