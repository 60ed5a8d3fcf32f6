"""What a stack may say, and how it is told what it may not."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stayput.infra.settings import KEYS, Settings, SettingsError, loopback_url, missing_origins, parse

REGION = {"aws:region": "eu-central-1"}


def ours(**settings):
    return REGION | {f"stayput:{key}": value for key, value in settings.items()}


def test_a_stack_needs_nothing_but_a_region():
    assert parse(REGION) == Settings(region="eu-central-1")


def test_every_setting_is_read():
    config = ours(mode="private", origins='["https://a.example.org:8443"]', bucket="our-photos", cloud="this-machine")
    assert parse(config | {"stayput:allowPlainHttp": "true"}) == Settings(
        region="eu-central-1",
        mode="private",
        origins=("https://a.example.org:8443",),
        bucket="our-photos",
        cloud="this-machine",
        allow_plain_http=True,
    )


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-5", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"])
def test_a_region_of_any_partition_is_taken(region):
    assert parse({"aws:region": region}).region == region


def test_keys_of_other_namespaces_are_their_own_affair():
    assert parse(REGION | {"aws:profile": "work", "pulumi:tags": "{}"}) == parse(REGION)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "aws:region: is not set. Next: name the bucket's region, such as eu-central-1"),
        (
            {"aws:region": "eu central"},
            "aws:region: 'eu central' is not a region. Next: name the bucket's region, such as eu-central-1",
        ),
        (ours(mode="open"), "stayput:mode: 'open' is not possible. Next: write public or private"),
        (ours(cloud="gcp"), "stayput:cloud: 'gcp' is not possible. Next: write aws or this-machine"),
        (ours(orgins="[]"), "stayput:orgins: there is no such setting. Next: did you mean stayput:origins?"),
        (
            ours(allow_plain_http="true"),
            "stayput:allow_plain_http: there is no such setting. Next: did you mean stayput:allowPlainHttp?",
        ),
        (
            ours(zzz=""),
            "stayput:zzz: there is no such setting. "
            "Next: the settings are mode, origins, bucket, cloud, allowPlainHttp, import, keyGeneration, previousKey",
        ),
        (
            ours(keyGeneration="0"),
            "stayput:keyGeneration: '0' is not a generation. Next: write a whole number from 1 on",
        ),
        (
            ours(previousKey="active"),
            "stayput:previousKey: is set, but the first generation has none before it. Next: remove it",
        ),
        (
            ours(keyGeneration="2", previousKey="off"),
            "stayput:previousKey: 'off' is not possible. Next: write active or inactive",
        ),
        (ours(allowPlainHttp="yes"), "stayput:allowPlainHttp: 'yes' is not possible. Next: write true or false"),
        (
            ours(allowPlainHttp="true"),
            "stayput:allowPlainHttp: is for this machine's cloud alone. Next: remove it; AWS is reached over https",
        ),
        (
            ours(origins="https://a.example.org"),
            "stayput:origins: 'https://a.example.org' is not a list. Next: write one origin a line, each after a dash",
        ),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(config, message):
    with pytest.raises(SettingsError) as refused:
        parse(config)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    "origin",
    [
        "https://example.org",
        "https://a.b-c.example.org:8443",
        "http://localhost:8000",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "https://xn--bcher-kva.example",
    ],
)
def test_an_origin_as_browsers_send_it_is_taken(origin):
    assert parse(ours(origins=f'["{origin}"]')).origins == (origin,)


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        ('"*"', "wildcard"),
        ('"https://*.example.org"', "wildcard"),
        ('"null"', "is not an origin"),
        ('"example.org"', "is not an origin"),
        ('"https://"', "is not an origin"),
        ('"ftp://example.org"', "is not an origin"),
        ('"https://bücher.example"', "is not an origin"),
        ('"https://-a.example"', "is not an origin"),
        ('"https://a..example"', "is not an origin"),
        ('"http://example.org"', "Next: write https://example.org"),
        ('"http://localhost.example.org"', "is plain http"),
        ('"https://example.org/"', "Next: write https://example.org"),
        ('"https://example.org/gallery"', "Next: write https://example.org"),
        ('"https://example.org?a=b"', "Next: write https://example.org"),
        ('"https://example.org#top"', "Next: write https://example.org"),
        ('"https://user:pw@example.org"', "an origin holds a name or a password. Next: write https://example.org"),
        ('"https://example.org:443"', "Next: write https://example.org"),
        ('"HTTPS://Example.org"', "Next: write https://example.org"),
        ('"https://example.org:99999"', "is not an address"),
        ('"https://[::1"', "is not an address"),
        ("7", "is not text"),
        ("null", "is not text"),
    ],
)
def test_an_origin_that_no_browser_sends_or_nobody_should_trust_is_refused(origin, told):
    with pytest.raises(SettingsError) as refused:
        parse(ours(origins=f"[{origin}]"))
    assert refused.value.key == "stayput:origins"
    assert told in str(refused.value)


def test_an_origin_named_twice_counts_once():
    assert parse(ours(origins='["https://a.example", "https://a.example"]')).origins == ("https://a.example",)


@pytest.mark.parametrize("name", ["abc", "our-photos-2026", "1st", "a" * 63])
def test_a_name_that_s3_takes_is_taken(name):
    assert parse(ours(bucket=name)).bucket == name


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "has 0 characters"),
        ("ab", "has 2 characters"),
        ("a" * 64, "has 64 characters"),
        ("photos.example.org", "holds a dot"),
        ("192.168.1.1", "holds a dot"),
        ("Photos", "only a-z, 0-9 and hyphens"),
        ("our_photos", "only a-z, 0-9 and hyphens"),
        ("photos-", "begin and end with a letter or digit"),
        ("-photos", "begin and end with a letter or digit"),
        ("phötos", "only a-z, 0-9 and hyphens"),
        ("photos\n", "is not a bucket's bare name. Next: write photos"),
        ("s3://photos/media", "is not a bucket's bare name. Next: write photos"),
        ('"photos"', "is not a bucket's bare name. Next: write photos"),
        ("arn:aws:s3:::photos", "is not a bucket's bare name. Next: write photos"),
        ("https://photos.s3.eu-central-1.amazonaws.com/", "is not a bucket's bare name. Next: write photos"),
        ("https://s3.amazonaws.com/photos", "is not a bucket's bare name. Next: write photos"),
        ("<BUCKET>", "is not a bucket's bare name. Next: choose another"),
        ("your-bucket-name", "is a placeholder"),
        ("my-bucket", "is a placeholder"),
        ("changeme", "is a placeholder"),
        ("xn--photos", "what S3 keeps for itself"),
        ("photos-s3alias", "what S3 keeps for itself"),
    ],
)
def test_a_name_that_s3_would_refuse_is_refused_before_anything_is_made(name, told):
    with pytest.raises(SettingsError) as refused:
        parse(ours(bucket=name))
    assert refused.value.key == "stayput:bucket"
    assert told in str(refused.value)


def test_the_address_of_this_machines_cloud_is_a_loopback_address():
    assert loopback_url({"STAYPUT_CLOUD_URL": "http://127.0.0.1:5000/"}) == "http://127.0.0.1:5000"
    with pytest.raises(SettingsError, match="is not on this machine"):
        loopback_url({"STAYPUT_CLOUD_URL": "http://127.0.0.1.example.org"})


def test_a_bucket_that_is_taken_over_is_named_by_it_and_never_emptied():
    settings = parse({"aws:region": "eu-west-3", "stayput:cloud": "this-machine", "stayput:import": "by-hand"})
    assert (settings.bucket, settings.taken_over, settings.empties_bucket) == ("by-hand", True, False)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "'' has 0 characters; S3 takes 3 to 63. Next: name the bucket as S3 lists it, or remove the line"),
        ("s3://by-hand", "'s3://by-hand' is not a bucket's bare name. Next: write by-hand"),
    ],
)
def test_a_bucket_to_take_over_that_cannot_be_one_is_told_under_its_own_setting(name, told):
    with pytest.raises(SettingsError) as refused:
        parse(ours(**{"import": name}))
    assert str(refused.value) == f"stayput:import: {told}"


@pytest.mark.parametrize(
    ("region", "told"),
    [
        ("Europe (Frankfurt) eu-central-1", "write eu-central-1"),
        ('"eu-central-1"', "write eu-central-1"),
        ("EU_CENTRAL_1", "write eu-central-1"),
        ("eu-central-1a", "name the bucket's region"),
        ("xx-nowhere-1", "name the bucket's region"),
        ("your-region", "name the bucket's region"),
    ],
)
def test_a_region_that_aws_has_none_like_is_refused_with_what_was_meant(region, told):
    with pytest.raises(SettingsError) as refused:
        parse({"aws:region": region})
    assert str(refused.value).startswith(f"aws:region: {region!r} is not a region. Next: {told}")


def test_two_names_for_one_bucket_are_refused():
    with pytest.raises(SettingsError, match="remove one of them"):
        parse({"aws:region": "eu-west-3", "stayput:import": "by-hand", "stayput:bucket": "another"})


@example({"stayput:origins": "[" * 9000})
@example({"stayput:origins": f"[{'1' * 5000}]"})
@given(
    st.dictionaries(
        st.sampled_from([f"stayput:{key}" for key in KEYS]),
        st.text()
        | st.sampled_from(["[" * 9000, f"[{'1' * 5000}]", '["http://[::1"]', '["https://a:99999"]', '["\\ud800"]']),
    )
)
def test_any_text_of_a_setting_is_valid_or_refused_by_its_key(config):
    try:
        parse({"aws:region": "eu-central-1", **config})
    except SettingsError as refused:
        assert refused.key.startswith("stayput:")


@pytest.mark.parametrize("url", ["http://[::1", "http://[x]:1", "\0", "127.0.0.1:5000"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(SettingsError, match="is not on this machine"):
        loopback_url({"STAYPUT_CLOUD_URL": url})


def test_addresses_that_the_bucket_does_not_answer_are_named_with_the_lines_to_add():
    a, b = "https://photos.example.org", "https://www.photos.example.org"
    assert missing_origins("Pulumi.live.yaml", (a, b), (b, a)) == ""
    assert missing_origins("Pulumi.live.yaml", (a, "https://other.example.org"), (a,)) == ""
    told = missing_origins("Pulumi.live.yaml", (a,), (a, b))
    assert told.startswith(f"Pulumi.live.yaml: stayput:origins does not name {b}: ")
    assert told.endswith(f'Next: add under stayput:origins: "- {b}"')
    assert missing_origins("Pulumi.live.yaml", (), (a, b)).endswith(f'"- {a}", "- {b}"')


def test_an_address_with_another_scheme_or_port_is_another_origin():
    assert missing_origins("f", ("http://127.0.0.1:8000",), ("http://127.0.0.1:8001",))
    assert missing_origins("f", ("http://localhost",), ("https://localhost",))
