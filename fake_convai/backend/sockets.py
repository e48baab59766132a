"""The socket below a request, which ASGI hides: to drop clients that do not read, and to break connections on demand.

`transports.py` hands it over. Under another server nothing can be dropped, and a broken connection is one that ends too
early.
"""

import asyncio
import socket
import struct

from starlette.types import Scope

TRANSPORT = "fake_convai.transport"
"""The extension of a scope whose `transport` it is; ASGI has a mapping for each extension."""


def abort(scope: Scope, *, reset: bool = False) -> bool:
    """Drop the connection of a request without a further byte; with `reset`, by a TCP reset instead of an end.

    False when the server does not say which transport it is.
    """
    transport: asyncio.Transport | None = (scope.get("extensions") or {}).get(TRANSPORT, {}).get("transport")
    if transport is None:
        return False
    connection = transport.get_extra_info("socket")
    if reset and connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    return True
