"""aiocoap as a client. Arguments: the URI of the fixture, and what to do. Prints one JSON line."""

import asyncio
import hashlib
import json
import sys

from aiocoap import GET, PUT, Context, Message


async def main(uri: str, action: str) -> dict:
    context = await Context.create_client_context()
    try:
        if action == "read":
            response = await context.request(Message(code=GET, uri=f"{uri}/big")).response
            return {"code": str(response.code), "sha256": hashlib.sha256(response.payload).hexdigest()}
        if action == "write":
            body = sys.stdin.buffer.read()
            response = await context.request(Message(code=PUT, uri=f"{uri}/store", payload=body)).response
            return {"code": str(response.code)}
        if action == "late":
            response = await context.request(Message(code=GET, uri=f"{uri}/late")).response
            return {"code": str(response.code), "payload": response.payload.decode()}
        if action == "observe":
            request = context.request(Message(code=GET, uri=f"{uri}/count", observe=0))
            first = await request.response
            seen = [first.payload.decode()]
            async for response in request.observation:
                seen.append(response.payload.decode())
                if len(seen) == 4:
                    break
            request.observation.cancel()
            return {"seen": seen}
        raise SystemExit(f"unknown action {action}")
    finally:
        await context.shutdown()


print(json.dumps(asyncio.run(asyncio.wait_for(main(sys.argv[1], sys.argv[2]), 30))))
