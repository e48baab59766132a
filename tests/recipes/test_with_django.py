import httpx
import pytest

from fake_convai import FakeConvai

django = pytest.importorskip("django")


def test_a_view_that_asks_convai(fake_convai: FakeConvai) -> None:
    from django.conf import settings
    from django.http import JsonResponse
    from django.test import RequestFactory, override_settings

    if not settings.configured:
        settings.configure()

    def characters(request: object) -> JsonResponse:
        url = f"{settings.CONVAI_URL}/character/list"
        return JsonResponse(httpx.post(url, headers={"CONVAI-API-KEY": settings.CONVAI_API_KEY}).json())

    fake_convai.character("coach")
    with override_settings(CONVAI_URL=fake_convai.production_url, CONVAI_API_KEY=fake_convai.api_key):
        assert b"coach" in characters(RequestFactory().get("/characters")).content
