import pytest
from hypothesis import given
from hypothesis import strategies as st

from stayput.variables import name_database

URL = "postgresql://user:password@db.example.com:5432/app"


@pytest.mark.parametrize(
    "same",
    ["postgres://user:password@db.example.com:5432/app", "postgresql://other:rotated@DB.example.com:5432/app"],
)
def test_a_new_password_or_another_scheme_is_no_other_database(same):
    assert name_database(same) == name_database(URL)


@pytest.mark.parametrize(
    "other",
    [
        URL.replace("db.", "db2."),
        URL.replace("5432", "6432"),
        URL.replace("/app", "/app2"),
        URL + "?options=-csearch_path%3Dtenant",
        "sqlite:////data/db.sqlite3",
    ],
)
def test_another_host_port_name_or_schema_is_another_database(other):
    assert name_database(other) != name_database(URL)


def test_no_password_is_in_the_name_of_a_database():
    assert "password" not in name_database(URL)


@given(st.text())
def test_any_value_of_a_variable_names_a_database(url):
    assert isinstance(name_database(url), str)
