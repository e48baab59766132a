"""The transport without a socket: the same account, from any event loop, with the errors that a socket would give."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fake_convai import FakeConvai
from fake_convai.testing.transport import InProcessTransport

STREAM = "/live/connect/stream"


def client(fake: FakeConvai, base_url: str | None = None) -> httpx.Client:
    """A client without a socket."""
    headers = {"CONVAI-API-KEY": fake.api_key, "X-API-Key": fake.api_key}
    return httpx.Client(transport=fake.transport, base_url=base_url or fake.url, headers=headers)


def ask_async(fake: FakeConvai, *requests: httpx.Request, timeout: float = 5) -> list[httpx.Response]:
    """Send requests all at once, in an event loop of the test's own."""

    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=fake.transport, timeout=timeout) as asynchronous:
            return await asyncio.gather(*map(asynchronous.send, requests))

    return asyncio.run(ask())


OF_EACH = ("date", "server", "x-request-trace-id")
"""Headers that differ from answer to answer."""


def request(fake: FakeConvai, path: str, **body: object) -> httpx.Request:
    """A request with a JSON body."""
    # A timeout belongs to the client; a request that was built without one has none.
    with client(fake) as synchronous:
        return synchronous.build_request("POST", path, json=body)


def test_it_is_the_account_that_the_socket_serves(fake_convai: FakeConvai, http: httpx.Client) -> None:
    npc = fake_convai.character("coach")
    with client(fake_convai) as direct:
        created = direct.post("/beta/memory/add", json={"character_id": npc, "end_user_id": "p", "memories": ["Hi."]})
    headers = {"CONVAI-API-KEY": fake_convai.api_key}
    body = {"character_id": npc, "end_user_id": "p"}
    listed = http.post(f"{fake_convai.beta_url}/memory/list", json=body, headers=headers)
    assert created.json()["memories"][0]["id"] == listed.json()["memories"][0]["id"]
    assert [entry.path for entry in fake_convai.requests()] == ["/memory/add", "/memory/list"]


def test_answers_are_those_of_the_socket(fake_convai: FakeConvai, http: httpx.Client) -> None:
    def without_own(response: httpx.Response) -> dict[str, str]:
        return {name: value for name, value in response.headers.items() if name not in OF_EACH}

    with client(fake_convai) as direct:
        for path in ("/production/character/list", "/beta/memory/list", "/nowhere", "/beta/user/end-users/list?a=%20b"):
            same = http.post(f"{fake_convai.url}{path}", json={}, headers={"CONVAI-API-KEY": fake_convai.api_key})
            answer = direct.post(path, json={})
            assert (answer.status_code, answer.content) == (same.status_code, same.content)
            assert without_own(answer) == without_own(same)


@pytest.mark.parametrize(
    ("base_url", "path"),
    [
        ("https://api.convai.com", "/character/list"),
        ("https://beta.convai.com/", "/user/end-users/list"),
        ("https://beta.convai.com/", "/user/speaker/list"),
    ],
)
def test_convais_own_addresses_work(fake_convai: FakeConvai, base_url: str, path: str) -> None:
    with client(fake_convai, base_url) as direct:
        assert direct.post(path).status_code == 200
    (entry,) = fake_convai.requests()
    assert base_url.startswith({"production": "https://api.", "beta": "https://beta."}[entry.surface])


def test_a_surface_is_named_by_its_host(fake_convai: FakeConvai) -> None:
    with client(fake_convai, "https://api.convai.com") as direct:
        assert direct.post("/connect").status_code == 404


def test_many_at_once_from_a_loop_of_ones_own(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character()
    adding = [
        request(fake_convai, "/beta/memory/add", character_id=npc, end_user_id=f"player-{n}", memories=["Likes tea."])
        for n in range(20)
    ]
    assert {response.status_code for response in ask_async(fake_convai, *adding)} == {200}
    assert len(fake_convai.end_users()) == 20


def test_the_handle_works_inside_a_loop(fake_convai: FakeConvai) -> None:
    async def use() -> str:
        return fake_convai.character("coach")

    assert asyncio.run(use()) == "coach"


def test_any_thread_may_use_it(fake_convai: FakeConvai) -> None:
    statuses: list[int] = []
    with client(fake_convai) as direct:

        def use() -> None:
            statuses.append(direct.post("/production/character/list").status_code)

        several = [threading.Thread(target=use) for _ in range(4)]
        for thread in several:
            thread.start()
        for thread in several:
            thread.join()
    assert statuses == [200] * 4


def use_client(fake: FakeConvai, sent: httpx.Request) -> httpx.Response:
    """Send a request of a synchronous client."""
    with client(fake) as direct:
        return direct.send(sent)


def use_async_client(fake: FakeConvai, sent: httpx.Request) -> httpx.Response:
    """Send a request of an asynchronous client."""
    (response,) = ask_async(fake, sent)
    return response


both_clients = pytest.mark.parametrize("send", [use_client, use_async_client])
Sender = Callable[[FakeConvai, httpx.Request], httpx.Response]


@both_clients
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_broken_connection(fake_convai: FakeConvai, send: Sender, when: str) -> None:
    fake_convai.fail("/character/create", disconnect=True, when=when)  # type: ignore[arg-type]
    creating = request(fake_convai, "/production/character/create", charName="A", voiceType="MALE", backstory="B")
    with pytest.raises(httpx.RemoteProtocolError):
        send(fake_convai, creating)
    assert len(fake_convai.state()["characters"]) == (when == "after")


@both_clients
def test_no_answer_in_time(fake_convai: FakeConvai, send: Sender) -> None:
    fake_convai.fail("/character/create", status=None, delay_ms=60_000, when="after")
    creating = request(fake_convai, "/production/character/create", charName="A", voiceType="MALE", backstory="B")
    creating.extensions = {"timeout": {"read": 0.1}}
    with pytest.raises(httpx.ReadTimeout):
        send(fake_convai, creating)
    assert any(fake_convai.state()["characters"] for _ in range(1000)), "the server goes on"


def test_a_stream_breaks_off_in_the_middle(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character()
    fake_convai.fail("/connect/stream", status=None, disconnect=True, when="after")
    received: list[str] = []
    with client(fake_convai) as direct:
        form = {"character_id": (None, npc), "text_input": (None, "Hello.")}
        with direct.stream("POST", STREAM, files=form) as response, pytest.raises(httpx.RemoteProtocolError):
            received.extend(response.iter_lines())
        whole = direct.post(STREAM, files=form)
    assert response.status_code == 200
    assert [line[:5] for line in received if line] == ["data:", "data:"]
    assert whole.text.count("data:") > 2


def test_it_ends_with_the_server() -> None:
    with FakeConvai() as fake:
        transport = fake.transport
    with httpx.Client(transport=transport) as late, pytest.raises(httpx.ConnectError):
        late.get("http://fake/_fake/health")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread."""
    running = asyncio.new_event_loop()
    thread = threading.Thread(target=running.run_forever)
    thread.start()
    yield running
    running.call_soon_threadsafe(running.stop)
    thread.join()
    running.close()


def test_an_app_that_says_nothing(loop: asyncio.AbstractEventLoop) -> None:
    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

    with (
        httpx.Client(transport=InProcessTransport(silent, loop)) as client,
        pytest.raises(httpx.RemoteProtocolError, match="without sending a response"),
    ):
        client.get("http://silent")


def test_the_client_stays_until_the_answer_is_there(loop: asyncio.AbstractEventLoop) -> None:
    async def suspicious(scope: Scope, receive: Receive, send: Send) -> None:
        whole = await receive()
        leaving = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        await Response(whole["body"], status_code=400 if leaving.done() else 200)(scope, receive, send)
        leaving.cancel()

    with httpx.Client(transport=InProcessTransport(suspicious, loop)) as client:
        response = client.post("http://suspicious", content=b"whole")
    assert (response.status_code, response.content) == (200, b"whole")
