"""What a schema cannot say: which devices are there and what they have, so that the fuzz comes through to them.

One name or path in four is left as it was generated, for those that are not there.
"""

import zlib

import schemathesis

ENDPOINTS = ["fuzzed-1", "fuzzed-2"]
PATHS = ["3/0/9", "42770/0/7", "42769/0", "3", "42770/0/11", "1/0/1", "3/0/14", "5/0", "3/0/11/0"]
LISTS = ["/3/0/9", "/3/0/9,/4/0/2", "/1/0,/3/0/0"]
# One millisecond is less than any device needs: 504 is then the right answer, and tells nothing.
SHORTEST_TIMEOUT = 5000


def _pick(values, generated):
    number = zlib.crc32(repr(generated).encode())
    return generated if number % 4 == 0 else values[number // 4 % len(values)]


@schemathesis.hook
def before_call(context, case, kwargs):
    for name, known in (("endpoint", ENDPOINTS), ("path", PATHS)):
        if name in case.path_parameters:
            case.path_parameters[name] = _pick(known, case.path_parameters[name])
    # A device that was told to leave, that was removed, or whose name has a credential that it does not know, is of no
    # more use to the other cases.
    operation = case.operation
    if (
        operation.path.endswith(("/server/disable", "/bootstrap"))
        or operation.path.startswith("/api/credentials/{endpoint}")
        or (operation.method.upper() == "DELETE" and operation.path == "/api/devices/{endpoint}")
    ):
        case.path_parameters["endpoint"] = "fuzzed-leaver"
    # Likewise one that is enrolled: it comes without security.
    if operation.path.startswith("/api/credentials") and isinstance(case.body, dict):
        if case.body.get("endpoint") in ENDPOINTS:
            case.body["endpoint"] = "fuzzed-enrolled"
    query = case.query
    timeout = str(query.get("timeout", ""))
    if timeout.isdecimal() and 0 < int(timeout) < SHORTEST_TIMEOUT:
        query["timeout"] = int(timeout) + SHORTEST_TIMEOUT
    if isinstance(query.get("path"), str):
        query["path"] = _pick([f"/{path}" for path in PATHS], query["path"])
    if isinstance(query.get("paths"), str):
        query["paths"] = _pick(LISTS, query["paths"])
