"""The same load by Locust, for those who measure their own set-up: many machines, a balancer, a real model.

    pip install locust
    HEARKEN_KEY=hk-… locust -f benchmarks/locustfile.py --headless --host http://127.0.0.1:8600 \\
        --users 50 --spawn-rate 5 --run-time 2m

Each person speaks every 20 s; a tenth of what is said tells of new danger, and stands in the table as a line
of its own. A history with the canary of somebody else, or with fewer messages than were acknowledged as kept,
is a failure. Locust is not installed by any extra; `benchmarks/serving.py` needs nothing but the tests' own.
"""

import os
import re
import secrets
from typing import Any

from crowd import DANGER, WORDS  # benchmarks/crowd.py, beside this file
from locust import HttpUser, constant_pacing, task


class Person(HttpUser):
    """Somebody with one conversation."""

    wait_time = constant_pacing(float(os.environ.get("HEARKEN_EVERY", "20")))

    def on_start(self) -> None:
        """Begin a conversation."""
        self.client.headers["Authorization"] = f"Bearer {os.environ.get('HEARKEN_KEY', '')}"
        self.canary, self.kept, self.turn = f"CANARY{secrets.token_hex(4)}", 0, secrets.randbelow(10)
        made = self.client.post("/v1/conversations", json={}).json()
        self.here = f"/v1/conversations/{made['id']}"

    @task
    def speak(self) -> None:
        """A turn."""
        danger, self.turn = self.turn % 10 == 9, self.turn + 1
        text = DANGER if danger else WORDS[self.turn % len(WORDS)].format(c=self.canary)
        name = "turn: new danger" if danger else "turn"
        answer = self.client.post(f"{self.here}/turns", json={"text": text}, name=name)
        if answer.status_code == 200:
            self.kept += answer.json()["saved"]
        if danger:  # what follows would be care, which is another path
            self._read()
            self.on_start()

    def _read(self) -> None:
        with self.client.get(self.here, name="history", catch_response=True) as answer:
            lines: list[Any] = answer.json() if answer.status_code == 200 else []
            if set(re.findall(r"CANARY[0-9a-f]{8}", answer.text)) - {self.canary}:
                answer.failure("cross-talk")
            elif sum(line["role"] == "user" for line in lines) < self.kept:
                answer.failure("lost")

    def on_stop(self) -> None:
        """Read it to its end."""
        self._read()
