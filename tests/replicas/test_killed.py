"""A replica is killed in the middle of a write load: whatever was acknowledged is there, exactly once."""

import signal
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import httpx2 as httpx

from tests.conftest import Api
from tests.replicas.conftest import Replicas, replica
from tests.replicas.database import Watcher, eventually

CLIENTS, FACTS = 8, 40
KILL_AFTER = 60
"""Facts that are acknowledged before; there are then still enough to come."""


class Writer:
    """A client that sends one fact after the other, and each again to the other replica until one acknowledges it."""

    def __init__(self, replicas: tuple[Api, Api], npc: str, number: int, acknowledged: list[str]) -> None:
        self._replicas = cycle(replicas if number % 2 else reversed(replicas))
        self._at = next(self._replicas)
        self._npc = npc
        self._user = f"player-{number % 2}"  # several write to one partition, at both replicas
        self._acknowledged = acknowledged
        self.retries = 0

    def run(self) -> None:
        """Send all facts."""
        for _ in range(FACTS):
            fact = f"{uuid.uuid4().hex} is liked."
            while not self._add(fact):
                self.retries += 1
                self._at = next(self._replicas)
            self._acknowledged.append(fact)

    def _add(self, fact: str) -> bool:
        try:
            (added,) = self._at.remember(self._npc, self._user, fact)
        except httpx.TransportError:
            return False
        return bool(added["memory"] == fact)  # its event is "update" when the answer to the first attempt was lost


def test_nothing_acknowledged_is_lost_or_doubled(
    replicas: Replicas, replicas_url: str, both: tuple[Api, Api], watcher: Watcher
) -> None:
    one, _ = both
    npc = one.character()
    acknowledged: list[str] = []
    with replica(replicas_url) as third, ThreadPoolExecutor(CLIENTS) as pool:
        pair = (one, third.account(one.key))
        writers = [Writer(pair, npc, number, acknowledged) for number in range(CLIENTS)]
        running = [pool.submit(writer.run) for writer in writers]
        eventually(lambda: len(acknowledged) >= KILL_AFTER)
        third.served.stop(signal.SIGKILL)
        assert len(acknowledged) < CLIENTS * FACTS, "the load was over before"
        for each in running:
            each.result()
    assert sum(writer.retries for writer in writers) > 0
    assert len(acknowledged) == CLIENTS * FACTS
    stored = Counter(memory for (memory,) in watcher.rows(_STORED, npc))
    assert stored == Counter(acknowledged)
    listed = [one.ok("/beta/memory/list", {"character_id": npc, "end_user_id": f"player-{user}"}) for user in (0, 1)]
    assert [page["total_count"] for page in listed] == [CLIENTS * FACTS // 2] * 2
    assert watcher.orphans() == []


_STORED = """
    SELECT memory FROM memories JOIN partitions USING (partition_seq) JOIN characters USING (character_seq)
    WHERE character_id = $1
"""
