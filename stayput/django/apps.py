"""The Django app: commands now, and later the checks that stop a bad release."""

from django.apps import AppConfig


class StayputConfig(AppConfig):
    name = "stayput.django"
    label = "stayput"
    verbose_name = "Stayput"
