"""Talks over getResponse as scripts of game platforms do: a form as one line of text, with plain letters in it."""

import json
import os
import urllib.request


def say(text: str, session: str) -> dict[str, str]:
    form = f"charID={os.environ['CHARACTER_ID']}&sessionID={session}&voiceResponse=&userText={text}"
    request = urllib.request.Request(
        "https://api.convai.com/character/getResponse/",
        form.encode("utf-8"),
        {"CONVAI-API-KEY": os.environ["CONVAI_API_KEY"], "Content-Type": "application/x-www-form-urlencoded"},
    )
    with urllib.request.urlopen(request) as response:
        answer: dict[str, str] = json.load(response)
    return answer


first = say("My name is Ren\u00e9e.", "-1")
second = say("What is my name?", first["sessionID"])
print(second["text"].encode("unicode_escape").decode())
