"""Makes a character, changes it, and looks it up by id and by name."""

import json
import os
from typing import Any

import requests

HEADERS = {"CONVAI-API-KEY": os.environ["CONVAI_API_KEY"], "Content-Type": "application/json"}


def ask(url: str, **body: Any) -> Any:
    return requests.request("POST", url, headers=HEADERS, data=json.dumps(body)).json()


made = ask(
    "https://api.convai.com/character/create", charName="Ada", voiceType="FEMALE", backstory="She repairs engines."
)
character = made["charID"]
update = {
    "charID": character,
    "charName": "Ada Byron",
    "voiceType": "US FEMALE 1",
    "backstory": "She built one herself, alone in a café.",
}
print(json.dumps(ask("https://api.convai.com/character/update", **update)))
for search in ({"charID": character}, {"charName": "Ada Byron"}):
    found = ask("https://api.convai.com/character/get", **search)
    assert found["character_id"] == character
    print(found["character_name"], found["voice_type"], found["backstory"], sep=" | ")
