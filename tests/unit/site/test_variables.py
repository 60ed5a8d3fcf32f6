"""What the site reads from its environment, and how it says what is missing."""

from dataclasses import fields
from pathlib import Path

import pytest

from stayput.django.variables import PARSERS, VARIABLES, Values, WrongVariables, env_example, read

KEYS = {"SECRET_KEY": "s3cr3t-one", "STAYPUT_KEY": "s3cr3t-two"}
S3 = KEYS | {
    "USE_S3": "True",
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "s3cr3t-three",
    "AWS_STORAGE_BUCKET_NAME": "gallery-media",
    "AWS_S3_REGION_NAME": "eu-central-1",
}
IMAGEKIT = KEYS | {
    "IMAGEKIT_PRIVATE_KEY": "private_s3cr3t",
    "IMAGEKIT_URL_ENDPOINT": "https://ik.imagekit.io/gallery/",
}


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(WrongVariables) as wrong:
        read(environ)
    assert all(problem in str(wrong.value) for problem in wrong.value.problems)
    assert "\n" not in str(wrong.value)
    return list(wrong.value.problems)


def test_two_keys_are_enough_for_a_site_on_local_disk():
    values = read(KEYS)
    assert (values.use_s3, values.debug, values.port, values.behind_tls) == (False, False, 8000, False)
    assert values.allowed_hosts == ("localhost", "127.0.0.1", "[::1]")


def test_all_that_is_missing_is_said_at_once_with_the_place_to_get_it():
    said = problems({"USE_S3": "True"})
    assert [problem.split(" ")[0] for problem in said] == [
        "SECRET_KEY",
        "STAYPUT_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_STORAGE_BUCKET_NAME",
        "AWS_S3_REGION_NAME",
    ]
    assert all("is missing (get it: " in problem for problem in said)


def test_an_empty_variable_is_a_missing_one():
    assert problems(KEYS | {"SECRET_KEY": "  "})[0].startswith("SECRET_KEY is missing")


def test_s3_and_imagekit_together_are_refused():
    assert problems(S3 | IMAGEKIT) == [
        "USE_S3 and IMAGEKIT_PRIVATE_KEY are both set, and pictures have one home (unset one of them)"
    ]


def test_half_of_imagekit_is_not_enough():
    assert problems(KEYS | {"IMAGEKIT_PRIVATE_KEY": "p"})[0].startswith("IMAGEKIT_URL_ENDPOINT is missing")
    assert problems(KEYS | {"IMAGEKIT_URL_ENDPOINT": "https://ik.imagekit.io/x"})[0].startswith("IMAGEKIT_PRIVATE_KEY")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("USE_S3", "maybe", "USE_S3 ('maybe') is neither True nor False"),
        ("PORT", "http", "PORT ('http') is not a port between 1 and 65535"),
        ("PORT", "65536", "PORT ('65536') is not a port between 1 and 65535"),
        ("ALLOWED_HOSTS", "https://a.example", "ALLOWED_HOSTS ('https://a.example') is a list of hosts, without"),
        ("CSRF_TRUSTED_ORIGINS", "a.example", "CSRF_TRUSTED_ORIGINS ('a.example') is a list of addresses such as"),
        ("CSRF_TRUSTED_ORIGINS", "https://a.example/x", "CSRF_TRUSTED_ORIGINS ('https://a.example/x') is a list of"),
        ("AWS_S3_ENDPOINT_URL", "127.0.0.1:5000", "AWS_S3_ENDPOINT_URL ('127.0.0.1:5000') is not an address"),
        ("AWS_S3_CUSTOM_DOMAIN", "https://cdn.example", "AWS_S3_CUSTOM_DOMAIN ('https://cdn.example') is a domain"),
        ("DATABASE_URL", "mongodb://u:s3cr3t@h/d", "DATABASE_URL must begin with postgresql:// or sqlite://"),
    ],
)
def test_a_wrong_value_is_said_in_a_sentence(name: str, value: str, said: str):
    assert problems(KEYS | {name: value})[0].startswith(said)


def test_no_secret_is_ever_repeated():
    environ = S3 | {"DATABASE_URL": "mysql://u:s3cr3t@h/d", "PORT": "x", "IMAGEKIT_PRIVATE_KEY": "s3cr3t-four"}
    assert not [problem for problem in problems(environ) if "s3cr3t" in problem]
    assert "s3cr3t" not in repr(read(S3 | {"DATABASE_URL": "postgresql://u:s3cr3t@h/d"}))
    assert "s3cr3t" not in repr(read(IMAGEKIT))


def test_an_https_origin_means_that_people_come_over_tls():
    assert read(KEYS | {"CSRF_TRUSTED_ORIGINS": "https://a.example, http://b.example/"}).behind_tls
    assert not read(KEYS | {"CSRF_TRUSTED_ORIGINS": "http://127.0.0.1:8000"}).behind_tls


def test_every_variable_has_its_field_and_every_field_its_variable():
    assert sorted(field.name.upper() for field in fields(Values)) == sorted(v.name for v in VARIABLES)
    assert set(PARSERS) <= {v.name for v in VARIABLES}
    for field in fields(Values):
        value = getattr(read(S3), field.name)
        assert isinstance(value, field.type if isinstance(field.type, type) else tuple), field.name


def test_every_secret_is_hidden_from_the_repr():
    hidden = {field.name.upper() for field in fields(Values) if not field.repr}
    assert {v.name for v in VARIABLES if v.secret} == hidden


def test_the_example_file_is_the_one_that_the_table_makes():
    assert Path(".env.example").read_text() == env_example()


def test_the_example_file_names_every_variable():
    assert [v.name for v in VARIABLES if f"{v.name}=" not in env_example()] == []
