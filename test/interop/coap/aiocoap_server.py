"""aiocoap as a server on the port given: /big, /store (PUT and GET), /watched (observable, PUT), /slow."""

import asyncio
import sys

import aiocoap
from aiocoap import resource

BIG = b"".join(b"line %010d\n" % i for i in range(6400))


class Big(resource.Resource):
    async def render_get(self, request):
        return aiocoap.Message(payload=BIG)


class Store(resource.Resource):
    body = b""

    async def render_get(self, request):
        return aiocoap.Message(payload=self.body)

    async def render_put(self, request):
        self.body = request.payload
        return aiocoap.Message(code=aiocoap.CHANGED)


class Watched(resource.ObservableResource):
    body = b"one"

    async def render_get(self, request):
        return aiocoap.Message(payload=self.body)

    async def render_put(self, request):
        self.body = request.payload
        self.updated_state()
        return aiocoap.Message(code=aiocoap.CHANGED)


class Slow(resource.Resource):
    async def render_get(self, request):
        await asyncio.sleep(1)
        return aiocoap.Message(payload=b"separate")


async def main(port: int) -> None:
    site = resource.Site()
    site.add_resource(["big"], Big())
    site.add_resource(["store"], Store())
    site.add_resource(["watched"], Watched())
    site.add_resource(["slow"], Slow())
    await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", port))
    await asyncio.get_running_loop().create_future()


asyncio.run(main(int(sys.argv[1])))
