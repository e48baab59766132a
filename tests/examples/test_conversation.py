import httpx

from fake_convai import FakeConvai


def test_says_what_the_script_says(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character()
    fake_convai.set_replies({"valve": "Turn it clockwise."}, default="Ask me about valves.")

    answer = httpx.post(
        f"{fake_convai.production_url}/character/getResponse",
        data={"charID": npc, "userText": "How do I close the valve?", "sessionID": "-1", "voiceResponse": "False"},
        headers={"CONVAI-API-KEY": fake_convai.api_key},
    )
    assert answer.json()["text"] == "Turn it clockwise."
