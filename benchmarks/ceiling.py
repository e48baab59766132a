"""The ceiling: the same stack doing nothing. Each route parses the JSON it is sent and answers fixed JSON, as long as
what the fake answers to the same request. `uvicorn benchmarks.ceiling:app`"""

from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_TIME = "2026-01-11T20:00:00.000000Z"
_ID = "1d7a7a3e-0000-0000-0000-000000000000"
_RECORD = {
    "id": _ID,
    "memory": "The user likes pump number 10 very much.",
    "created_at": _TIME,
    "updated_at": _TIME,
    "metadata": {},
}
_ANSWERS: dict[str, dict[str, Any]] = {
    "/beta/memory/list": {
        "memories": [_RECORD] * 10,
        "total_count": 50,
        "page": 1,
        "page_size": 10,
        "has_more": True,
    },
    "/beta/user/end-users/get": {
        "end_user_id": "player-42",
        "last_active_ts": None,
        "last_ltm_usage_ts": _TIME,
        "end_user_metadata": {"name": "Jordan"},
    },
    "/beta/memory/add": {
        "memories": [{"id": _ID, "event": "add", "memory": "The trainee completed step 12345 of the valve check."}]
    },
}


def _route(path: str, answer: Any) -> Route:
    async def endpoint(request: Request) -> Response:
        orjson.loads(await request.body())
        return Response(orjson.dumps(answer), media_type="application/json")

    return Route(path, endpoint, methods=["POST"])


app = Starlette(routes=[_route(path, answer) for path, answer in _ANSWERS.items()])
