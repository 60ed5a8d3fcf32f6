"""What the site reads from its environment, and how it says what is missing."""

from dataclasses import fields
from pathlib import Path

import dj_database_url
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


AT_AWS = {"AWS_S3_ENDPOINT_URL": ""}
ELSEWHERE = {"AWS_S3_ENDPOINT_URL": "https://s3.example.com"}


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("DATABASE_URL", "postgres://u:p@ss@db.example.com/app", "postgres://u:p%40ss@db.example.com/app"),
        ("DATABASE_URL", "postgres://u:100%@db.example.com/app", "postgres://u:100%25@db.example.com/app"),
        ("DATABASE_URL", '"postgres://u:p%23s@[::1]:5432/app"', "postgres://u:p%23s@[::1]:5432/app"),
        ("DATABASE_URL", "postgres:///app?host=/run/postgresql", "postgres:///app?host=/run/postgresql"),
        ("DATABASE_URL", "sqlite:////my data/db%231.sqlite3", "sqlite:////my data/db%231.sqlite3"),
        ("ALLOWED_HOSTS", '["a.example", "b.example"]', ("a.example", "b.example")),
        ("ALLOWED_HOSTS", "A.example. ; b.example:8000\nc.example", ("a.example", "b.example", "c.example")),
        ("ALLOWED_HOSTS", "*.a.example,b\u00fccher.example", (".a.example", "xn--bcher-kva.example")),
        ("ALLOWED_HOSTS", "::1,[::1]:8000,*", ("[::1]", "*")),
        ("CSRF_TRUSTED_ORIGINS", "'https://A.example:443/'", ("https://a.example",)),
        ("CSRF_TRUSTED_ORIGINS", '["https://.a.example"]', ("https://*.a.example",)),
        ("AWS_STORAGE_BUCKET_NAME", "s3://media-abc/", "media-abc"),
        ("AWS_STORAGE_BUCKET_NAME", "arn:aws:s3:::media-abc", "media-abc"),
        ("AWS_S3_REGION_NAME", "Europe (Frankfurt) eu-central-1", "eu-central-1"),
        ("AWS_S3_REGION_NAME", "eu-central-1a", "eu-central-1"),
        ("AWS_S3_REGION_NAME", "EU_CENTRAL_1", "eu-central-1"),
        ("AWS_S3_CUSTOM_DOMAIN", '"CDN.example.com."', "cdn.example.com"),
        ("AWS_ACCESS_KEY_ID", "\ufeff'AKIAEXAMPLE' ", "AKIAEXAMPLE"),
        ("PORT", '"8080"', 8080),
        ("DEBUG", "'false'", False),
        ("MEDIA_ROOT", "'/data/media'", "/data/media"),
    ],
)
def test_a_value_that_can_mean_one_thing_only_is_put_right(name: str, value: str, right: object):
    assert getattr(read(S3 | {name: value}), name.lower()) == right


@pytest.mark.parametrize("name", ["auto", "eu-central-003", "us-west-004", "fr-par", "nyc3", "RegionOne"])
def test_a_region_of_another_s3_is_taken_with_its_endpoint_and_refused_without(name: str):
    assert read(S3 | ELSEWHERE | {"AWS_S3_REGION_NAME": name}).aws_s3_region_name == name
    assert "AWS_S3_ENDPOINT_URL" in problems(S3 | {"AWS_S3_REGION_NAME": name})[0]


@pytest.mark.parametrize(
    ("name", "value", "beside"),
    [
        *(("DATABASE_URL", f"postgres://u:s3cr3t{one}x@db.example.com:5432/app", AT_AWS) for one in "#/?[ "),
        ("DATABASE_URL", "postgres://u:s3cr3t%2F%zz@db.example.com/app", AT_AWS),
        ("DATABASE_URL", "postgres://u:s3cr3t@/app", AT_AWS),
        ("DATABASE_URL", "postgres://u:s3cr3t@db.example.com", AT_AWS),
        ("DATABASE_URL", "postgres://u:s3cr3t@db.example.com:99999/app", AT_AWS),
        ("DATABASE_URL", "postgres://u:s3cr3t@::1:5432/app", AT_AWS),
        ("DATABASE_URL", "postgres://u:s3cr3t@db.example.com/app?schema=public", AT_AWS),
        ("DATABASE_URL", "psql 'postgres://u:s3cr3t@db.example.com/app'", AT_AWS),
        ("DATABASE_URL", "sqlite://db.sqlite3", AT_AWS),
        ("DATABASE_URL", "sqlite:////data/a#b/db.sqlite3", AT_AWS),
        ("DATABASE_URL", "postgresql://user:password@host:5432/name", AT_AWS),
        ("ALLOWED_HOSTS", "my_host", AT_AWS),
        ("ALLOWED_HOSTS", "<your-domain>", AT_AWS),
        ("ALLOWED_HOSTS", "[]", AT_AWS),
        ("ALLOWED_HOSTS", "stra\u00dfe.example", AT_AWS),
        ("CSRF_TRUSTED_ORIGINS", "https//a.example", AT_AWS),
        ("CSRF_TRUSTED_ORIGINS", "https://*", AT_AWS),
        ("AWS_STORAGE_BUCKET_NAME", "<bucket>", AT_AWS),
        ("AWS_STORAGE_BUCKET_NAME", "your-bucket-name", AT_AWS),
        ("AWS_STORAGE_BUCKET_NAME", "changeme", AT_AWS),
        ("AWS_STORAGE_BUCKET_NAME", "Media_ABC", AT_AWS),
        ("AWS_STORAGE_BUCKET_NAME", "media-abc/photos", AT_AWS),
        ("AWS_STORAGE_BUCKET_NAME", "media.example.com", AT_AWS),
        ("AWS_S3_REGION_NAME", "Frankfurt", AT_AWS),
        ("AWS_S3_REGION_NAME", "${REGION}", ELSEWHERE),
        ("AWS_S3_REGION_NAME", "eu_central", ELSEWHERE),
        ("AWS_S3_ENDPOINT_URL", "https//s3.example.com", {}),
        ("AWS_S3_ENDPOINT_URL", "http://my_minio:9000", {}),
        ("AWS_S3_ENDPOINT_URL", "https://gallery-media.s3.example.com", {}),
        ("AWS_S3_ENDPOINT_URL", "https://s3.example.com/gallery-media", {}),
        ("AWS_S3_ENDPOINT_URL", "https://s3.eu-west-1.amazonaws.com", {}),
        ("AWS_ACCESS_KEY_ID", "<key>", AT_AWS),
        ("AWS_SECRET_ACCESS_KEY", "AKIAABCDEFGHIJKLMNOP", AT_AWS),
        ("AWS_S3_CUSTOM_DOMAIN", "E1ABCDEFG", AT_AWS),
        ("MEDIA_ROOT", "~/media", AT_AWS),
        ("MEDIA_ROOT", "$VOLUME/media", AT_AWS),
        ("USE_S3", "True\x00", AT_AWS),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_name(name: str, value: str, beside: dict[str, str]):
    said = problems(S3 | beside | {name: value})
    assert [problem for problem in said if problem.startswith(name)], said
    assert not [problem for problem in said if "s3cr3t" in problem or "AKIAABC" in problem]


def test_imagekits_keys_in_each_others_place_and_its_example_are_refused():
    assert problems(IMAGEKIT | {"IMAGEKIT_PRIVATE_KEY": "public_x"})[0].startswith("IMAGEKIT_PRIVATE_KEY is ImageKit's")
    assert problems(IMAGEKIT | {"IMAGEKIT_PUBLIC_KEY": "private_x"})[0].startswith("IMAGEKIT_PUBLIC_KEY is ImageKit's")
    example = {"IMAGEKIT_URL_ENDPOINT": "https://ik.imagekit.io/your_id"}
    assert problems(IMAGEKIT | example)[0].startswith("IMAGEKIT_URL_ENDPOINT")


def test_what_only_s3_needs_is_not_judged_without_it():
    assert not read(KEYS | {"AWS_STORAGE_BUCKET_NAME": "<bucket>", "AWS_S3_REGION_NAME": "?"}).use_s3


ODD = [*"/?#@:%[]<>{}$=,;'\"*. \n\x00\ufeff\u00df\udc80", "postgres://", "sqlite:///", "https://", "//", "[::1]", "%2F"]
USUAL = ["a.example", "eu-central-1", "s3://", "arn:aws:s3:::", "AKIAEXAMPLEEXAMPLE", "5432", "True"]
PIECES = st.sampled_from([*ODD, *USUAL])
SECRETS = [v.name for v in VARIABLES if v.secret]


@given(
    st.dictionaries(st.sampled_from([v.name for v in VARIABLES]), st.lists(PIECES | st.text(max_size=6)).map("".join))
)
@settings(max_examples=400, deadline=None)
def test_any_texts_are_read_or_refused_and_no_secret_is_shown(texts: dict[str, str]):
    marked = {name: f"{texts.get(name, '')}hunter{number}" for number, name in enumerate(SECRETS)}
    try:
        values = read(S3 | texts | marked)
        if values.database_url:
            dj_database_url.parse(values.database_url)
    except WrongVariables as wrong:
        assert "hunter" not in str(wrong)


def test_no_secret_is_ever_repeated():
    environ = S3 | {"DATABASE_URL": "mysql://u:s3cr3t@h/d", "PORT": "x", "IMAGEKIT_PRIVATE_KEY": "s3cr3t-four"}
    assert not [problem for problem in problems(environ) if "s3cr3t" in problem]
    assert "s3cr3t" not in repr(read(S3 | {"DATABASE_URL": "postgresql://u:s3cr3t@h/d"}))
    assert "s3cr3t" not in repr(read(IMAGEKIT))


def test_an_https_origin_means_that_people_come_over_tls():
    assert read(KEYS | {"CSRF_TRUSTED_ORIGINS": "https://a.example, http://b.example/"}).behind_tls
    assert not read(KEYS | {"CSRF_TRUSTED_ORIGINS": "http://127.0.0.1:8000"}).behind_tls


@pytest.mark.parametrize("here", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000"])
def test_a_site_that_is_visited_on_this_machine_too_does_not_redirect_there(here):
    assert not read(KEYS | {"CSRF_TRUSTED_ORIGINS": f"https://a.example,{here}"}).behind_tls


def test_a_name_that_begins_like_this_machine_is_another():
    assert read(KEYS | {"CSRF_TRUSTED_ORIGINS": "https://a.example,http://localhost.example"}).behind_tls


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
