import unittest

from fake_convai import FakeConvai


class ForgettingTest(unittest.TestCase):
    fake: FakeConvai

    @classmethod
    def setUpClass(cls) -> None:
        cls.fake = cls.enterClassContext(FakeConvai())

    def setUp(self) -> None:
        self.account = self.fake.account()

    def test_remembers_nobody(self) -> None:
        assert self.account.end_users() == []
