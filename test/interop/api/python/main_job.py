"""The main job through the generated client: find the modem, read it, write to it, switch its carrier and follow that
to its end, and get what its sensors said. Prints what it saw as one line of JSON.
"""

import json
import sys
import time

from simyard_client import AuthenticatedClient
from simyard_client.api.carrier import get_carrier, switch_carrier
from simyard_client.api.commands import get_command
from simyard_client.api.devices import get_device, list_devices
from simyard_client.api.objects import read_object, write_object
from simyard_client.api.readings import list_readings
from simyard_client.models import CarrierBody, Command, Problem, WriteValue

base_url, endpoint, token = sys.argv[1:]
client = AuthenticatedClient(base_url=base_url, token=token, raise_on_unexpected_status=True)

found = list_devices.sync(client=client, q=endpoint)
device = get_device.sync(endpoint, client=client)
battery = read_object.sync(endpoint, "3/0/9", client=client)

write_object.sync(endpoint, "42770/1/7", client=client, body=WriteValue(value=500000))
written = read_object.sync(endpoint, "42770/1/7", client=client)

key = f"generated-{time.time_ns()}"
body = CarrierBody(carrier="T-Mobile")
first = switch_carrier.sync_detailed(endpoint, client=client, body=body, idempotency_key=key)
again = switch_carrier.sync_detailed(endpoint, client=client, body=body, idempotency_key=key)
command = first.parsed
assert isinstance(command, Command), first
deadline = time.monotonic() + 60
while command.state in ("queued", "sent", "accepted") and time.monotonic() < deadline:
    time.sleep(0.1)
    command = get_command.sync(command.id, client=client)
carrier = get_carrier.sync(endpoint, client=client)
readings = list_readings.sync(endpoint, client=client, path="/42770/1/2", limit=5)
refused = get_device.sync_detailed("nobody/here", client=client)
assert isinstance(refused.parsed, Problem), refused

print(
    json.dumps(
        {
            "found": [item.endpoint for item in found.items],
            "model": device.model,
            "battery": battery.value,
            "period": written.value,
            "states": [step.state for step in command.history],
            "repeated": {"status": again.status_code, "sameCommand": again.parsed.id == command.id},
            "state": command.state,
            "carrier": carrier.current,
            "readings": [item.value for item in readings.items],
            "refused": {"status": refused.status_code, "code": refused.parsed.code},
        }
    )
)
