"""Whatever happens while characters speak, the events of a session come in the documented order.

Random interleavings of texts, interruptions, clock steps, faults and disconnects are held against a small model of it
(docs/contract.md section 9), on a real WebSocket as well as on the class that every transport carries.
"""

import asyncio
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from starlette.testclient import TestClient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as dial

from fake_convai.live.conversation import Conversation, Over
from fake_convai.store import sessions
from tests.api.ordering import PACES, STEPS, Model, Recorder, Step, message, prepared, stage, steer, texts_are_kept
from tests.conftest import on_sqlite, running


@on_sqlite
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_on_any_transport(client: TestClient, steps: list[Step]) -> None:
    api, control, npc, session = prepared(client)
    model = Model()
    recorder = Recorder(model)
    backend, hub = running(client).backend, running(client).hub
    assert client.portal is not None

    def call(work: Any, *arguments: Any) -> Any:
        assert client.portal is not None
        return client.portal.call(work, *arguments)

    stored = call(backend.database.read, lambda tx: sessions.find(tx, session["session_id"]))
    call(backend.account_store(stored.account_id).write, sessions.hold, stored.session_id, hub.holder)
    hub.attach(stored.session_id, recorder)
    conversation = Conversation(backend, hub, stored, recorder)
    try:
        for step in steps:
            if step[0] in ("say", "trigger", "interrupt", "toggle"):
                call(conversation.take, message(step))
            else:
                # On a connection that cannot be broken a stream's faults do not happen.
                model.is_broken = model.is_broken or step[0] == "fault"
                steer(control, step)
            call(asyncio.sleep, 0)
    except Over as over:
        if not model.is_broken:
            recorder.wrong.append(AssertionError(str(over)))
    finally:
        call(conversation.leave)
        call(hub.leave, stored.account_id, stored.session_id)
    assert recorder.wrong == []
    if not model.is_broken:
        assert model.seen == []
        assert model.turns == sum(step[0] in ("say", "trigger") for step in steps)
    texts_are_kept(api, npc, session)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_on_a_real_socket(served: str, steps: list[Step]) -> None:
    model, sent = Model(), 0
    with stage(served) as (http, control):
        session = http.post("/live/connect", json={"character_id": "npc", "transport": "websocket"}).json()
        with dial(session["room_url"]) as socket:
            try:
                for step in steps:
                    if step[0] in ("say", "trigger", "interrupt", "toggle"):
                        socket.send(json.dumps(message(step)))
                        sent += 1
                    elif step[0] == "advance":
                        control("PUT", "/clock", {"advance": step[1]})
                    elif step[0] == "pace":
                        control("PUT", "/pace", PACES[step[1]])
                    else:
                        model.is_broken = True
                        deed = step[1] if step[0] == "fault" else {"at": {"event": "*", "nth": 3}, "do": step[1]}
                        control("POST", "/faults", {"match": {"path": "/chat"}, **deed})
                socket.send('{"type": "kill-pipeline"}')
            except ConnectionClosed:
                assert model.is_broken
            answers = 0
            for text in socket:
                try:
                    event = json.loads(text)
                except json.JSONDecodeError:
                    assert model.is_broken
                    continue
                answers += event["type"] == "server-response"
                model.take(event)
    if not model.is_broken:
        assert answers == sent + 1
        assert model.seen == []
        assert model.turns == sum(step[0] in ("say", "trigger") for step in steps)
