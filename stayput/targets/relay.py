"""Lets containers, and no other host, reach a port of 127.0.0.1 here: python -m stayput.targets.relay HOST PORT

On Linux containers reach the machine at the address of their bridge, where a server on 127.0.0.1 does not listen.
Docker Desktop needs none of this: there `host-gateway` leads to 127.0.0.1 itself.
"""

import asyncio
import contextlib
import sys


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


async def serve(host: str, port: int) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, onward = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_carry(reader, onward), _carry(there, writer))
        onward.close()
        writer.close()

    server = await asyncio.start_server(connected, host, port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
