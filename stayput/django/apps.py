"""The Django app: the checks that stop a bad release, and the commands."""

from django.apps import AppConfig

from stayput.django import checks


class StayputConfig(AppConfig):
    name = "stayput.django"
    label = "stayput"
    verbose_name = "Stayput"

    def ready(self) -> None:
        checks.begin()
