"""A device with odd habits, on aiocoap. Argument: `host:port` of the server.

Orders are JSON lines on standard input, each answered by a JSON line `{"event": "done", "order": …}`:

- {"do": "register", "query": [...], "links": text, "format": number or null}
- {"do": "update", "query": [...]}, {"do": "deregister"}
- {"do": "post", "path": text, "format": number, "hex": text}
- {"do": "serve", "path": "/3/0/0", "code": "2.05", "format": number or null, "hex": text, "how": habit}:
  what a GET, a PUT or a POST there is answered; one without a code is never answered, but for the empty ACK
- {"do": "notify", "path": text}: tells the observers of a path what is served there now
- {"do": "tokens", "hex": text}: the token of each request from now on
- {"do": "jealous"}: from now on every other request gets 5.03 while a block-wise body is on its way

Habits: "update first" sends an Update of the registration, and awaits its answer, before it answers.
"""

import asyncio
import json
import sys

import aiocoap
from aiocoap import Message, resource
from aiocoap.numbers.codes import Code


def code_of(text: str) -> Code:
    major, minor = text.split(".")
    return Code(int(major) * 32 + int(minor))


def tell(event: str, **details) -> None:
    print(json.dumps({"event": event, **details}), flush=True)


class Device(resource.ObservableResource):
    """Every path of the device; blocks are cut and put together here, so that a transfer can be told apart."""

    def __init__(self, server: str):
        super().__init__()
        self.server = server
        self.context = None
        self.location = ()
        self.served = {}
        self.observers = {}
        self.jealous = False
        self.transfer = None
        self.parts = {}

    async def needs_blockwise_assembly(self, request):
        return False

    async def add_observation(self, request, observation):
        path = "/" + "/".join(request.opt.uri_path)
        self.observers.setdefault(path, []).append(observation)
        observation.accept(lambda: self.observers[path].remove(observation))

    async def render(self, request):
        path = "/" + "/".join(request.opt.uri_path)
        tell("asked", code=request.code.dotted, path=path, accept=request.opt.accept)
        if self.jealous and self.transfer not in (None, path):
            return Message(code=aiocoap.SERVICE_UNAVAILABLE)
        if request.opt.block1 is not None:
            return self.take_block(request, path)
        answer = self.served.get(path)
        if answer is None:
            return Message(code=aiocoap.NOT_FOUND)
        if answer.get("how") == "update first":
            await self.update([])
        if answer.get("code") is None:
            await asyncio.get_running_loop().create_future()
        return self.block_of(request, path, answer)

    def take_block(self, request, path):
        block = request.opt.block1
        if block.block_number == 0:
            self.parts[path] = b""
        self.parts[path] += request.payload
        self.transfer = path if block.more else None
        code = aiocoap.CONTINUE if block.more else aiocoap.CHANGED
        response = Message(code=code)
        response.opt.block1 = (block.block_number, block.more, block.size_exponent)
        if not block.more:
            tell("written", path=path, length=len(self.parts.pop(path)))
        return response

    def block_of(self, request, path, answer):
        body = bytes.fromhex(answer.get("hex", ""))
        response = Message(code=code_of(answer["code"]))
        if answer.get("format") is not None:
            response.opt.content_format = answer["format"]
        number, exponent = 0, 4
        if request.opt.block2 is not None:
            number, exponent = request.opt.block2.block_number, min(4, request.opt.block2.size_exponent)
        size = 2 ** (exponent + 4)
        more = len(body) > (number + 1) * size
        if number > 0 or more:
            response.opt.block2 = (number, more, exponent)
            self.transfer = path if more else None
        response.payload = body[number * size : (number + 1) * size]
        return response

    async def ask(self, code, path, query=(), payload=b"", content_format=None):
        message = Message(code=code, uri=f"coap://{self.server}", payload=payload)
        message.opt.uri_path = tuple(path)
        message.opt.uri_query = tuple(query)
        if content_format is not None:
            message.opt.content_format = content_format
        return await self.context.request(message).response

    async def update(self, query):
        response = await self.ask(aiocoap.POST, self.location, query)
        tell("updated", code=response.code.dotted)
        return response

    async def obey(self, order):
        what = order["do"]
        if what == "register":
            links = order["links"].encode()
            response = await self.ask(aiocoap.POST, ["rd"], order["query"], links, order.get("format", 40))
            self.location = response.opt.location_path
        elif what == "update":
            response = await self.update(order.get("query", []))
        elif what == "deregister":
            response = await self.ask(aiocoap.DELETE, self.location)
        elif what == "post":
            payload = bytes.fromhex(order["hex"])
            response = await self.ask(aiocoap.POST, order["path"].split("/")[1:], (), payload, order["format"])
        elif what == "serve":
            self.served[order["path"]] = order
            return {}
        elif what == "notify":
            for observation in list(self.observers.get(order["path"], [])):
                observation.trigger()
            return {"observers": len(self.observers.get(order["path"], []))}
        elif what == "tokens":
            token = bytes.fromhex(order["hex"])
            for interface in self.context.request_interfaces:
                interface.next_token = lambda: token
            return {}
        elif what == "jealous":
            self.jealous = True
            return {}
        else:
            raise ValueError(f"no such order: {what}")
        return {"code": response.code.dotted, "payload": response.payload.decode("utf8", "replace")}


async def main(server: str) -> None:
    device = Device(server)
    device.context = await aiocoap.Context.create_server_context(device, bind=("127.0.0.1", 0))
    loop = asyncio.get_running_loop()
    tell("ready")
    tasks = set()
    while line := await loop.run_in_executor(None, sys.stdin.readline):

        async def carry_out(order=json.loads(line)):
            try:
                tell("done", order=order, **await device.obey(order))
            except Exception as error:
                tell("done", order=order, error=repr(error))

        task = asyncio.create_task(carry_out())
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.run(main(sys.argv[1]))
