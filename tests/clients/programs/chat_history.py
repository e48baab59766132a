"""Lists a character's sessions, shows what was said in the newest, and deletes it."""

import json
import os
from typing import Any

import requests

HEADERS = {"CONVAI-API-KEY": os.environ["CONVAI_API_KEY"], "Content-Type": "application/json"}
CHARACTER = os.environ["CHARACTER_ID"]


def ask(endpoint: str, **body: Any) -> Any:
    url = f"https://api.convai.com/character/chatHistory/{endpoint}"
    response = requests.post(url, headers=HEADERS, data=json.dumps({"charID": CHARACTER, **body}))
    print(response.text)
    return response.json()


newest = ask("list", limit="-1")[0]["sessionID"]
ask("details", sessionID=newest)
ask("delete", sessionIDs=[newest])
