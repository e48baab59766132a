"""Scripted replies: which one fits, sequences, templates, actions, and the pace they are given in."""

from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_convai.domain.pace import Beat, Pace
from fake_convai.domain.script import Answer, Script, ScriptedReply, allowed_actions, check_match, read_script
from fake_convai.domain.templates import MAX_RENDERED, MAX_TEMPLATE, TemplateError, check, render


class TestMatches:
    @pytest.mark.parametrize(
        "match", ["(a+)+", "C++", "a*+", r"\(a+\)+", "[+*]+(x)*", "(hi|hello)+", "[a+)]+", "(ab?){2}", "a{1,2}b", "é"]
    )
    def test_are_expressions_of_any_kind(self, match: str) -> None:
        check_match(match)

    @pytest.mark.parametrize("match", ["(a", "(?=a)b", r"(a)\1", "[a", "*", ":("])
    def test_say_why_they_are_none(self, match: str) -> None:
        with pytest.raises(ValueError, match=r"^not a regular expression as RE2 knows them: "):
            check_match(match)

    def test_are_looked_for_as_plain_text_too(self) -> None:
        assert ScriptedReply("C++").fits("I write c++.")
        assert not ScriptedReply("C++").fits("I write CCC.")


class TestSequences:
    def test_go_on_to_the_last_and_stay_there(self) -> None:
        reply = ScriptedReply("", ("one", "two"), Answer(visemes=True))
        assert [reply.said(times) for times in (0, 1, 2, 9)] == [
            Answer("one", visemes=True),
            *[Answer("two", visemes=True)] * 3,
        ]


def test_a_stored_script_is_read_once() -> None:
    text = (
        '{"replies": [{"match": "a", "reply": "b", "pace": {"jitter": 0.5}}, {"match": "c", "replies": ["d", "e"]},'
        ' {"match": "f", "no_response": ""}], "default": null}'
    )
    expected = Script(
        (
            ScriptedReply("a", ("b",), Answer(pace=Pace(jitter=0.5))),
            ScriptedReply("c", ("d", "e")),
            ScriptedReply("f", (), Answer(no_response="")),
        )
    )
    assert read_script(text) == expected
    assert read_script(text) is read_script(text)


class TestTemplates:
    NAMES: ClassVar[dict[str, Any]] = {
        "user_text": "Hi",
        "end_user": {"name": "Jordan", "items": "x"},
        "memories": ["The user likes tea."],
        "n": 2,
    }

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("Hello, {{ end_user.name }}!", "Hello, Jordan!"),
            ("{{ user_text|upper }}", "HI"),
            ("{{ memories[0] }}{{ memories[7] }}", "The user likes tea."),
            ("{{ nobody.of.this.name }}", ""),
            ("{{ end_user.age|default('young') }}", "young"),
            ("{% if n > 1 and not nobody %}many{% else %}one{% endif %}", "many"),
            ("{{ 'a' if end_user.name == 'Sam' else 'b' }}", "b"),
            ("{{ '{{' }} {# gone #}.", "{{ ."),
            ("{ no template }", "{ no template }"),
            ("{# no template #}", "{# no template #}"),
        ],
    )
    def test_are_filled_in(self, text: str, said: str) -> None:
        check(text)
        assert render(text, self.NAMES) == said

    @pytest.mark.parametrize(
        "text",
        [
            "{{ f() }}",
            "{{ end_user.items() }}",
            "{% for a in b %}{% endfor %}",
            "{{ 9 ** 9 }}",
            "{{ 'a' * 9 }}",
            "{{ n + 1 }}",
            "{{ user_text|format }}",
            "{% set a = 1 %}",
            "{% include 'a' %}",
            "{{",
            "{{ a b }}",
            "{{ a }}" + "x" * MAX_TEMPLATE,
            "{{ " + "(" * 2000 + "a" + ")" * 2000 + " }}",
        ],
        ids=lambda text: text[:30],
    )
    def test_can_do_no_more_than_that(self, text: str) -> None:
        with pytest.raises(TemplateError):
            check(text)

    def test_end_somewhere(self) -> None:
        assert render("{{ a }}" * 20, {"a": "x" * MAX_RENDERED}) == "x" * MAX_RENDERED

    @pytest.mark.parametrize("text", ["{{ n|first }}", "{{ ''.__class__.__mro__ }}", "{{ n > user_text }}"])
    def test_never_break_a_turn(self, text: str) -> None:
        check(text)
        assert isinstance(render(text, self.NAMES), str)


@pytest.mark.parametrize(
    ("config", "kept", "refused"),
    [
        (None, ["Wave", {"name": "Move To", "target": "cube"}], []),
        ({}, ["Wave", {"name": "Move To", "target": "cube"}], []),
        ({"actions": ["Wave"]}, ["Wave"], ["Move To"]),
        ({"actions": [{"name": "Move To"}]}, [{"name": "Move To", "target": "cube"}], ["Wave"]),
        ({"objects": [{"name": "torch"}]}, ["Wave"], ["Move To"]),
        (
            {"actions": ["Wave", "Move To"], "objects": [], "characters": [{"name": "cube"}]},
            ["Wave", {"name": "Move To", "target": "cube"}],
            [],
        ),
        ({"actions": "all"}, ["Wave", {"name": "Move To", "target": "cube"}], []),
    ],
)
def test_actions_are_those_that_the_client_lets_the_character_do(
    config: dict[str, Any] | None, kept: list[Any], refused: list[str]
) -> None:
    assert allowed_actions(["Wave", {"name": "Move To", "target": "cube"}], config) == (kept, refused)


class TestPace:
    def test_takes_no_time_by_itself(self) -> None:
        assert Pace().is_instant
        assert Pace(jitter=1).is_instant
        assert list(Beat(Pace(), None).tokens("One two three.")) == [("One two three.", 0)]

    def test_sends_words_at_their_rate(self) -> None:
        pace = Pace(first_token_ms=300, tokens_per_second=4)
        assert list(Beat(pace, None).tokens("One two\nthree.")) == [
            ("One ", 300_000),
            ("two\n", 250_000),
            ("three.", 250_000),
        ]

    def test_speaks_words_at_their_rate(self) -> None:
        assert list(Beat(Pace(words_per_minute=120), None).words("One two")) == [("One ", 500_000), ("two", 500_000)]

    def test_takes_members_from_another_where_it_has_none(self) -> None:
        assert Pace(first_token_ms=1).over(Pace(first_token_ms=2, jitter=0.5)) == Pace(first_token_ms=1, jitter=0.5)

    @given(st.text() | st.text(alphabet="ab \n"), st.sampled_from([None, 3.0]), st.text())
    def test_loses_no_text_and_repeats_with_its_seed(self, text: str, rate: float | None, seed: str) -> None:
        pace = Pace(first_token_ms=100, tokens_per_second=rate, jitter=0.5, words_per_minute=60)
        tokens = list(Beat(pace, seed).tokens(text))
        assert "".join(token for token, _ in tokens) == text
        assert tokens == list(Beat(pace, seed).tokens(text))
        assert all(50_000 <= wait <= 150_000 for _, wait in tokens[:1])
        assert "".join(word for word, _ in Beat(pace, seed).words(text)) == text
